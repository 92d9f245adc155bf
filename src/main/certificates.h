/*
 * More certificates: a folder of them, each for the names in it.
 *
 *	splitmail.conf's tls { certificates }	NAME/fullchain.pem and privkey.pem
 *	        │			(certbot, dehydrated), or NAME.pem with both,
 *	        │			or NAME.crt and NAME.key (lego)
 *	        ▼ the good ones
 *	DATA/run/certificates.pem	pairs, one after the other: engine, console
 *	DATA/dovecot/certificates.conf	and what it names: Dovecot
 *	DATA/run/certificates.json	what is told of them (below)
 *
 * The folder is looked at as often as the one certificate (certificate.h).  One
 * that is no good leaves what it was before in force, of an earlier run, too;
 * what is taken out of the folder is served no more.  Nothing in it keeps the
 * others from being served.
 *
 *	{"trouble": "", "certificates": [{"entry": "mail.example.org", "names":
 *	 ["mail.example.org"], "names_left_out": 0, "key": "ECDSA",
 *	 "ends_ms": 1800000000000, "trouble": ""}]}
 *
 * "ends_ms" is 0 when nothing of that entry is served.
 */
#ifndef MAIN_CERTIFICATES_H
#define MAIN_CERTIFICATES_H

#include "main/certificate.h"
#include "main/dovecot.h"

struct certificates;

/* CONFIG and OWNER (of what is written) are used, not copied. */
struct certificates *certificates_open(const struct config *config,
				       const struct person *owner);
void certificates_close(struct certificates *cs);
/* Dovecot is told, too, in this version's words; before the first look. */
void certificates_tell_dovecot(struct certificates *cs,
			       enum dovecot_version version);
/* True: something else is served.  What is wrong, new or ends soon is logged
 * once; AT_ONCE as for certificate_look(). */
bool waits certificates_look(struct certificates *cs, bool at_once);
/* When splitmail.conf names no certificate: the one for the host's own name,
 * which is then shown to everybody who names none.  Until the next look. */
struct instead certificates_of_host(const struct certificates *cs);

#define CERTIFICATES_TOLD "run/certificates.json"
const char *certificates_pairs_path(const struct config *config);

#endif
