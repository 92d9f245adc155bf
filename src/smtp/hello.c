/*
 * EHLO, HELO, STARTTLS (RFC 5321 4.1.1.1, RFC 3207).
 *
 * What EHLO offers is what works now: STARTTLS where TLS can still be had,
 * AUTH where it may be used, XTRAIL (route/guard.h) to systems only.
 */
#include <stdio.h>

#include "rt/log.h"
#include "smtp/session.h"

/* A name that RFC 5321 would not allow ("my printer", "host..x") is not worth
 * refusing mail for: nothing is decided by it.  The client's address stands in
 * the Received line instead. */
static bool remember_name(struct session *s, struct str name)
{
	struct str ok;

	if (helo_parse(name, &ok) && ok.n < sizeof(s->helo)) {
		memcpy(s->helo, ok.p, ok.n);
		s->helo[ok.n] = 0;
		return true;
	}
	if (str_empty(name) || name.n > LIMIT_DOMAIN_BYTES)
		return false;
	snprintf(s->helo, sizeof(s->helo), "%s",
		 inet_literal(stream_peer(s->peer)).c);
	return true;
}

static struct reply waits say_hello(struct session *s)
{
	const struct smtp_settings *settings = s->server->settings;
	struct str auth = auth_offer(s);
	struct buf b scoped(buf) = BUF_EMPTY;

	buf_printf(&b,
		   "%s\nPIPELINING\nSIZE %llu\n8BITMIME\nSMTPUTF8\n"
		   "ENHANCEDSTATUSCODES\nDSN\nCHUNKING",
		   settings->hostname,
		   (unsigned long long)settings->message_bytes);
	if (settings->tls && !stream_is_tls(s->peer) && !is_local(s))
		buf_add(&b, S("\nSTARTTLS"));
	if (auth.n)
		buf_printf(&b, "\n%.*s", STR(auth));
	if (s->kind == SMTP_MX)
		buf_add(&b, S("\nXTRAIL"));
	return SAY(s, hello, arena_cstr(s->line, buf_str(&b)));
}

struct reply on_ehlo(struct session *s, struct str arguments)
{
	if (!remember_name(s, arguments))
		return SAY(s, bad_hello, "EHLO");
	forget_mail(s);
	s->said_ehlo = true;
	return say_hello(s);
}

struct reply on_helo(struct session *s, struct str arguments)
{
	if (!remember_name(s, arguments))
		return SAY(s, bad_hello, "HELO");
	forget_mail(s);
	s->said_ehlo = false;
	return SAY(s, hello, s->server->settings->hostname);
}

/* RFC 3207 4.2: what was said before TLS was not said. */
static void start_over(struct session *s)
{
	forget_mail(s);
	s->helo[0] = 0;
	s->said_ehlo = false;
	s->login = STR_NONE;
}

struct reply on_starttls(struct session *s, struct str arguments)
{
	struct tls_context *tls = s->server->settings->tls;

	if (stream_is_tls(s->peer))
		return SAY(s, tls_already);
	if (!tls || is_local(s))
		return SAY(s, tls_absent);
	start_over(s);
	if (!say_now(s, SAY(s, tls_ready)))
		return SILENCE;
	if (!stream_tls_accept(s->peer, tls, command_deadline(s))) {
		log_fact(s->part, "SSL_accept error from %s: %s", s->client,
			 log_safe(s->line, str_of(cause()), SAY_CUT));
		s->is_lost = true;
	}
	return SILENCE;
}
