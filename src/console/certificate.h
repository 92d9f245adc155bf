/*
 * The console's certificates, for GnuTLS: the server's own files, and who is
 * shown which as on all other ports (base/served.h).
 */
#ifndef CONSOLE_CERTIFICATE_H
#define CONSOLE_CERTIFICATE_H

#include <gnutls/abstract.h>

#include "base/fail.h"

/* PEM. */
struct certificate_files {
	const char *certificate; /* for everybody; its key is in it, too */
	const char *pairs; /* for those who name a host (rt/tls.h); need not be
			      there */
};

/* Read the files if they are new; connections that come after use them.
 * False: cause(), and what was in force stays so. */
bool certificate_load(const struct certificate_files *files) must_check;
void certificate_free(void); /* after the server */

/* GnuTLS asks for it at each handshake. */
int certificate_give(gnutls_session_t session,
		     const gnutls_datum_t *authorities, int n,
		     const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
		     gnutls_pcert_st **chain, unsigned *chain_n,
		     gnutls_privkey_t *key);

#endif
