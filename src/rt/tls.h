/*
 * TLS contexts: certificates and policies; streams do the talking.
 *
 * A server context reloads its files when they have changed and swaps the new
 * one in for the connections that come after; a file that cannot be read
 * leaves the old one in force and returns the reason.
 * TLS 1.2 and newer.  No stream callback ever parks inside OpenSSL.
 */
#ifndef RT_TLS_H
#define RT_TLS_H

#include "base/fail.h"

struct tls_context;

/* PEM files: the chain, leaf first, and its key.  NULL: cause(). */
struct tls_context *tls_server(const char *certificate, const char *key);
/* Read the files again if they changed; false: the old ones stay, cause(). */
bool tls_server_reload(struct tls_context *t) must_check;

enum tls_verify {
	TLS_ANY,		/* encrypt, whoever it is (RFC 7435) */
	TLS_VERIFIED,		/* chain to the system's roots, name matches */
};

/* Sessions are resumed per peer name. */
struct tls_context *tls_client(enum tls_verify verify, const char *extra_ca);
/* After the streams that use it. */
void tls_close(struct tls_context *t);

/* Write a self-signed certificate and key for NAME, valid 10 years; the key
 * readable by its owner only.  Old files stay unless both can be written. */
bool tls_self_signed(const char *name, const char *certificate,
		     const char *key) must_check;

#endif
