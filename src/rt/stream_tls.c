/*
 * TLS on a stream: OpenSSL has the connection (stream_carry()), the fiber does
 * the waiting.
 *
 * OpenSSL's error queue belongs to the thread, not to the connection: it is
 * emptied before each call and read before anything can park.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "rt/tls_inside.h"

/* What a call's result means; WHAT names the call in the cause. */
static enum tls_result judge(struct stream *s, int result, const char *what)
{
	unsigned long code = ERR_peek_error();
	long verify;

	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_END;
	case SSL_ERROR_SYSCALL:
		fail("%s: connection lost: %s", what,
		     errno ? strerror(errno) : "closed by the peer");
		s->broken = true;
		return TLS_BROKEN;
	default:
		break;
	}
	s->broken = true;
	if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		ERR_clear_error();
		fail("%s: closed by the peer", what);
		return TLS_END;
	}
	verify = SSL_get_verify_result(s->ssl);
	if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		ERR_clear_error();
		fail("%s: %s", what, X509_verify_cert_error_string(verify));
	} else {
		tls_fail(what);
	}
	return TLS_BROKEN;
}

enum tls_result tls_read(struct stream *s, char *to, size_t room, size_t *got)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_read_ex(s->ssl, to, room, got);
	return r == 1 ? TLS_OK : judge(s, r, "read");
}

enum tls_result tls_write(struct stream *s, const char *p, size_t n,
			  size_t *put)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_write_ex(s->ssl, p, n, put);
	return r == 1 ? TLS_OK : judge(s, r, "write");
}

bool tls_holds_bytes(const struct stream *s)
{
	return SSL_has_pending(s->ssl) == 1;
}

void tls_farewell(struct stream *s)
{
	if (s->broken || !SSL_is_init_finished(s->ssl))
		return;
	ERR_clear_error();
	SSL_shutdown(s->ssl);
	ERR_clear_error();
}

void tls_forget(struct stream *s)
{
	SSL_free(s->ssl);
	free(s->tls_name);
	s->ssl = NULL;
	s->tls_name = NULL;
}

static bool handshake_step(struct stream *s, int64_t deadline_ms, bool *done)
{
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_do_handshake(s->ssl);
	*done = r == 1;
	if (*done)
		return true;
	switch (judge(s, r, "TLS handshake")) {
	case TLS_WANT_READ:
		return stream_wait_or_fail(s, CAN_READ, deadline_ms);
	case TLS_WANT_WRITE:
		return stream_wait_or_fail(s, CAN_WRITE, deadline_ms);
	case TLS_END:
		return fail("TLS handshake: closed by the peer");
	case TLS_OK:
	case TLS_BROKEN:
		break;
	}
	return false;
}

static bool handshake(struct stream *s, int64_t deadline_ms)
{
	bool done = false;

	while (!done) {
		if (handshake_step(s, deadline_ms, &done))
			continue;
		s->broken = true;
		return false;
	}
	return true;
}

/* Nothing said in clear may be taken for part of what is encrypted. */
static bool begin(struct stream *s, struct tls_context *t)
{
	check(!s->ssl && s->unsent == 0);
	stream_forget_input(s);
	if (s->broken || s->end)
		return fail("TLS handshake: the connection is closed");
	s->ssl = tls_begin(t);
	if (!s->ssl || !stream_carry(s, s->ssl))
		s->broken = true;
	return !s->broken;
}

bool stream_tls_accept(struct stream *s, struct tls_context *t,
		       int64_t deadline_ms)
{
	if (!begin(s, t))
		return false;
	SSL_set_accept_state(s->ssl);
	return handshake(s, deadline_ms);
}

bool stream_tls_connect(struct stream *s, struct tls_context *t,
			const char *name, int64_t deadline_ms)
{
	size_t n = strlen(name) + 1;

	if (!begin(s, t))
		return false;
	s->tls_name = memcpy(must_alloc(n), name, n);
	SSL_set_app_data(s->ssl, s->tls_name);
	SSL_set_connect_state(s->ssl);
	if (!tls_begin_client(t, s->ssl, name)) {
		s->broken = true;
		return false;
	}
	return handshake(s, deadline_ms);
}

bool stream_tls_connect_dane(struct stream *s, struct tls_context *t,
			     const struct tls_dane *dane, int64_t deadline_ms)
{
	if (!begin(s, t))
		return false;
	SSL_set_connect_state(s->ssl);
	if (!tls_begin_dane(s->ssl, dane)) {
		s->broken = true;
		return false;
	}
	return handshake(s, deadline_ms);
}

bool stream_is_tls(const struct stream *s)
{
	return s->ssl != NULL;
}

/* Without a certificate "OK" says nothing.  A resumed session remembers both,
 * and is resumed under the name it was made for. */
bool stream_tls_verified(const struct stream *s)
{
	return s->ssl && SSL_get0_peer_certificate(s->ssl) &&
	       SSL_get_verify_result(s->ssl) == X509_V_OK;
}

const char *stream_tls_version(const struct stream *s)
{
	return s->ssl ? SSL_get_version(s->ssl) : "";
}

const char *stream_tls_cipher(const struct stream *s)
{
	return s->ssl ? SSL_get_cipher_name(s->ssl) : "";
}

bool stream_tls_resumed(const struct stream *s)
{
	return s->ssl && SSL_session_reused(s->ssl) == 1;
}
