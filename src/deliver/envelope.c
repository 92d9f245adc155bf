/*
 * MAIL and RCPT with their parameters (envelope.h).
 *
 * Each parameter is said to those only who announced it.
 */
#include "deliver/envelope.h"

#include "base/limits.h"
#include "wire/command.h"

bool envelope_is_safe(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
			return false;
	return s.n <= LIMIT_PATH_BYTES;
}

void envelope_say_mail(struct peer *p, const struct message *m,
		       struct str sender, uint64_t bytes, bool needs_utf8)
{
	const struct capabilities *can = &p->can;
	struct stream *s = p->stream;

	p->begun++;
	stream_sayf(s, "MAIL FROM:<%.*s>", STR(sender));
	if (can->size_said && !p->is_lmtp)
		stream_sayf(s, " SIZE=%llu", (unsigned long long)bytes);
	if (can->eightbit && m->is_8bit)
		stream_say(s, S(" BODY=8BITMIME"));
	if (can->utf8 && !p->is_lmtp && needs_utf8)
		stream_say(s, S(" SMTPUTF8"));
	if (can->dsn && !p->is_lmtp) {
		if (m->ret != RET_UNSAID)
			stream_sayf(s, " RET=%s",
				    m->ret == RET_FULL ? "FULL" : "HDRS");
		if (m->envid.n && envelope_is_safe(m->envid))
			stream_sayf(s, " ENVID=%.*s", STR(m->envid));
	}
	stream_say(s, S("\r\n"));
}

static void say_notify(struct stream *s, unsigned notify)
{
	static const struct {
		unsigned bit;
		const char *word;
	} words[] = {
		{ NOTIFY_NEVER, "NEVER" },
		{ NOTIFY_SUCCESS, "SUCCESS" },
		{ NOTIFY_FAILURE, "FAILURE" },
		{ NOTIFY_DELAY, "DELAY" },
	};
	const char *before = " NOTIFY=";

	for (size_t i = 0; i < array_size(words); i++)
		if (notify & words[i].bit) {
			stream_sayf(s, "%s%s", before, words[i].word);
			before = ",";
		}
}

/* Is LOCAL a Dot-string?  Otherwise it goes in quotes (RFC 5321 4.1.2). */
static bool is_dot_string(struct str local)
{
	if (!local.n || local.p[0] == '.' || local.p[local.n - 1] == '.' ||
	    str_search(local, S("..")) >= 0)
		return false;
	for (size_t i = 0; i < local.n; i++)
		if (strchr(" \"(),:;<>@[\\]", local.p[i]))
			return false;
	return true;
}

static void say_local(struct stream *s, struct str local)
{
	if (is_dot_string(local)) {
		stream_say(s, local);
		return;
	}
	stream_say(s, S("\""));
	for (size_t i = 0; i < local.n; i++)
		stream_sayf(s, "%s%c", strchr("\"\\", local.p[i]) ? "\\" : "",
			    local.p[i]);
	stream_say(s, S("\""));
}

/* The mailbox: its login with +detail; what was written on the envelope goes
 * along for Delivered-To (lmtp_hdr_delivery_address = original). */
static void say_mailbox(struct peer *p, const struct leg *leg,
			struct str original, struct arena *arena)
{
	ptrdiff_t at = str_find_last(leg->login, '@');
	struct str local =
		str_part(leg->login, 0, at < 0 ? leg->login.n : (size_t)at);

	if (leg->detail.n && str_is_ascii(leg->detail))
		local = arena_strf(arena, "%.*s+%.*s", STR(local),
				   STR(leg->detail));
	stream_say(p->stream, S("RCPT TO:<"));
	say_local(p->stream, local);
	if (at >= 0)
		stream_say(p->stream, str_from(leg->login, at));
	stream_say(p->stream, S(">"));
	/* Dovecot 2.3 does not announce DSN, and takes this for Delivered-To.
	 */
	if (original.n && str_is_ascii(original) && envelope_is_safe(original))
		stream_sayf(p->stream, " ORCPT=rfc822;%.*s",
			    STR(xtext_encode(original, arena)));
}

void envelope_say_rcpt(struct peer *p, const struct leg *leg,
		       const struct recipient *r, struct str original,
		       struct arena *arena)
{
	struct stream *s = p->stream;

	if (p->is_lmtp) {
		say_mailbox(p, leg, original, arena);
		stream_say(s, S("\r\n"));
		return;
	}
	stream_sayf(s, "RCPT TO:<%.*s>", STR(leg->address));
	if (r && p->can.dsn) {
		say_notify(s, r->notify);
		if (r->orcpt.n && r->orcpt.n <= LIMIT_ORCPT_BYTES)
			stream_sayf(s, " ORCPT=%.*s", STR(r->orcpt));
	}
	if (p->can.xtrail && leg->trail.n)
		stream_sayf(s, " XTRAIL=%.*s", STR(leg->trail));
	stream_say(s, S("\r\n"));
}
