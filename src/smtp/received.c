/*
 * The header lines a server puts in front of what it accepts: Received
 * (RFC 5321 4.4, RFC 3848, RFC 6531 4.3); and, as a submission server, the
 * Date and Message-ID a client forgot (RFC 6409 8).
 *
 *	Received: from mail.b.example ([192.0.2.1])
 *		(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)
 *		by mx.example.org (Splitmail) with ESMTPS id 4f2a9c
 *		for <bob@example.org>;
 *		Mon, 23 Nov 2026 01:34:02 +0000
 *
 * and, of what a program on this machine handed to sendmail:
 *
 *	Received: by mx.example.org (Splitmail, from userid 1000)
 *		id 4f2a9c; Mon, 23 Nov 2026 01:34:02 +0000
 */
#include "base/mutants.h"
#include "route/guard.h"
#include "smtp/session.h"

static void write_protocol(struct buf *b, const struct session *s)
{
	bool utf8 = s->mail->message->is_utf8;

	buf_add(b, utf8           ? S("UTF8SMTP")
		   : s->said_ehlo ? S("ESMTP")
				  : S("SMTP"));
	if (!s->said_ehlo)
		return;
	if (stream_is_tls(s->peer))
		buf_add_char(b, 'S');
	if (s->login.n)
		buf_add_char(b, 'A');
}

static void write_peer(struct buf *b, const struct session *s)
{
	buf_printf(b, "Received: from %s (%s)\r\n", s->helo,
		   s->kind == SMTP_LOCAL
			   ? "local"
			   : inet_literal(stream_peer(s->peer)).c);
	if (stream_is_tls(s->peer))
		buf_printf(b, "\t(using %s with cipher %s)\r\n",
			   stream_tls_version(s->peer),
			   stream_tls_cipher(s->peer));
	buf_printf(b, "\tby %s (Splitmail) with ",
		   s->server->settings->hostname);
	write_protocol(b, s);
	buf_add_char(b, ' ');
}

/* In Postfix's words.  What a program here calls itself says nothing. */
static void write_user(struct buf *b, const struct session *s)
{
	buf_printf(b, "Received: by %s (Splitmail, from userid %s)\r\n\t",
		   s->server->settings->hostname, s->user);
}

static void write_received(struct buf *b, const struct session *s)
{
	const struct message *m = s->mail->message;

	if (s->kind == SMTP_SENDMAIL)
		write_user(b, s);
	else
		write_peer(b, s);
	buf_printf(b, "id %s", m->id);
	/* with more than one it would betray a blind copy */
	if (m->n == 1)
		buf_printf(b, "\r\n\tfor <%.*s>",
			   STR(m->recipients[0].address));
	buf_printf(b, ";\r\n\t%s\r\n", date_rfc5322(m->arrived_wall_ms).c);
}

static void write_front(struct buf *b, struct session *s)
{
	write_received(b, s);
	/* it has been somewhere, with a trail or without */
	if (is_submission(s) && s->mail->message->header.received &&
	    !MUTANT(sent_again_is_a_loop))
		buf_add(b, S(TRAIL_FIELD ": " TRAIL_RESENT "\r\n"));
}

static void write_own(struct buf *b, struct session *s)
{
	const struct mail *mail = s->mail;
	const struct message *m = mail->message;

	if (s->kind != SMTP_MX && !m->header.message_id.n)
		buf_printf(b, "Message-ID: <%s.%llx@%s>\r\n", m->id,
			   (unsigned long long)m->arrived_wall_ms,
			   s->server->settings->hostname);
	if (s->kind != SMTP_MX && !mail->has_date)
		buf_printf(b, "Date: %s\r\n",
			   date_rfc5322(m->arrived_wall_ms).c);
}

struct str received_front(struct session *s)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	write_front(&b, s);
	return arena_str(s->mail->message->arena, buf_str(&b));
}

struct str received_own(struct session *s)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	write_own(&b, s);
	return arena_str(s->mail->message->arena, buf_str(&b));
}

struct str received_lines(struct session *s)
{
	const struct message *m = s->mail->message;
	struct buf b scoped(buf) = BUF_EMPTY;

	write_front(&b, s);
	write_own(&b, s);
	/* a message without a header begins with its body: keep it one; what an
	 * mbox puts before a header would end it here */
	if (m->header.bytes == 0 && !MUTANT(body_becomes_a_header))
		buf_add(&b, S("\r\n"));
	else if (m->header.has_mbox_line)
		buf_add(&b, S(MBOX_FIELD ": "));
	return arena_str(m->arena, buf_str(&b));
}
