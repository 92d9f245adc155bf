/*
 * A client that believes what DNSSEC says of a server (RFC 7672 3).
 *
 * OpenSSL matches.  A session is not resumed: what it was believed by may have
 * changed since.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "rt/tls_inside.h"

static bool expect_names(SSL *ssl, const struct tls_dane *dane)
{
	if (SSL_dane_enable(ssl, dane->host) <= 0)
		return tls_fail("DANE");
	SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return !dane->domain || SSL_add1_host(ssl, dane->domain) == 1 ||
	       tls_fail("DANE");
}

bool tls_begin_dane(SSL *ssl, const struct tls_dane *dane)
{
	size_t used = 0;

	if (!expect_names(ssl, dane))
		return false;
	for (size_t i = 0; i < dane->n; i++) {
		const struct tlsa *t = &dane->records[i];

		used += SSL_dane_tlsa_add(ssl, t->usage, t->selector,
					  t->matching,
					  (const unsigned char *)t->data.p,
					  t->data.n) > 0;
	}
	ERR_clear_error();
	return used > 0 || fail("DANE: no certificate is in the TLSA records");
}
