/*
 * The certificate everybody here serves to who names no host, or none that has
 * one of its own (certificates.h).
 *
 *	splitmail.conf's tls { certificate key }  read by the supervisor, who may
 *	        │                                 be root: certbot's key is root's
 *	        ▼ a good pair
 *	DATA/run/tls.pem                          key and chain in one file, of the
 *	        ▼                                 user who does the work alone
 *	engine, Dovecot, console
 *
 * The files are looked at every ten seconds; what is no good (half of a renewal,
 * unreadable, no pair) leaves the old one in force.  Nobody but the supervisor
 * reads them, so all serve the same.
 */
#ifndef MAIN_CERTIFICATE_H
#define MAIN_CERTIFICATE_H

#include "base/str.h"
#include "main/config.h"
#include "rt/fiber.h"
#include "rt/privileges.h"

struct certificate;

/* What is served in place of splitmail.conf's: an empty PAIR, nothing. */
struct instead {
	struct str pair; /* chain and key */
	int64_t ends_ms;
};

/* CONFIG and OWNER (of the copy) are used, not copied. */
struct certificate *certificate_open(const struct config *config,
				     const struct person *owner);
void certificate_close(struct certificate *c);

/* Once, before anybody serves it.  False: there is none, not even of an earlier
 * run; cause(). */
bool waits certificate_begin(struct certificate *c,
			     const struct instead *instead) must_check;
/* True: there is a new one.  What is wrong, and that the end comes near, is
 * logged once (certificate_files.h).  AT_ONCE: somebody asks. */
bool waits certificate_look(struct certificate *c,
			    const struct instead *instead, bool at_once);

/* Paths, in the config's arena: what is served; what is wrong with what should be,
 * a sentence, when there is such a file. */
const char *certificate_path(const struct config *config);
#define CERTIFICATE_TROUBLE "run/tls.trouble"
const char *certificate_trouble_path(const struct config *config);

#endif
