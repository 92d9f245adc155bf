/*
 * Authentication-Results in our name: those that a mail comes with, and those that
 * filters put in front of it.
 *
 * Nobody but a filter of ours may say so (RFC 8601 5): what comes in with
 * one is rid of it, byte by byte else as it came, so that whoever has the mail
 * next may believe those with our name.
 *
 * Kept are those of a trusted system, which is within the boundary that the RFC
 * means (what was judged here comes back from it), and of Dovecot's Sieve, whose
 * mail was judged when it came in.  A user's are not: his program has nothing to
 * say for us.
 */
#include "wire/auth_results.h"

#include "base/buf.h"
#include "rt/log.h"
#include "smtp/session.h"

static bool is_within(const struct session *s)
{
	const struct asker *asker = &s->mail->asker;

	return s->kind == SMTP_LOCAL ||
	       (asker->kind == ASKER_SYSTEM && asker->trusted);
}

static bool claims_ours(const struct session *s, const struct header_raw *field)
{
	return str_same_nocase(field->name, S(AUTH_RESULTS_FIELD)) &&
	       auth_results_claims(field->value,
				   str_of(s->server->settings->hostname));
}

/* HEADER without them in TO; how many they were. */
static unsigned without_ours(const struct session *s, struct str header,
			     struct buf *to)
{
	struct header_raw field;
	size_t at = 0, from = 0;
	unsigned n = 0;

	while (header_raw(header, &at, &field)) {
		size_t begin = (size_t)(field.whole.p - header.p);

		if (!claims_ours(s, &field))
			continue;
		buf_add(to, str_part(header, from, begin));
		from = begin + field.whole.n;
		n++;
	}
	buf_add(to, str_from(header, from));
	return n;
}

bool drop_claimed_results(struct session *s, struct str header)
{
	struct message *m = s->mail->message;
	struct buf b scoped(buf) = BUF_EMPTY;
	unsigned n;

	if (!m->header.results || m->header.too_large || is_within(s))
		return true;
	n = without_ours(s, header, &b);
	if (n == 0)
		return true;
	log_fact("cleanup",
		 "%s: %u " AUTH_RESULTS_FIELD " in our name taken out", m->id,
		 n);
	return message_replace_header(m, buf_str(&b), header.n);
}

/* ---- what filters say ---- */

static void note(struct mail *mail, const struct auth_found *list, size_t n)
{
	struct auth_found *all = arena_array(
		mail->message->arena, struct auth_found, mail->n_found + n);

	if (mail->n_found)
		memcpy(all, mail->found, mail->n_found * sizeof(*all));
	memcpy(all + mail->n_found, list, n * sizeof(*all));
	mail->found = all;
	mail->n_found += n;
	mail->is_judged = true;
}

/* What is not written as it should be says nothing. */
void note_results(struct session *s, const struct filter_letter *letter)
{
	struct mail *mail = s->mail;
	struct str hostname = str_of(s->server->settings->hostname);

	for (size_t i = 0; i < letter->n_edits; i++) {
		const struct header_edit *e = &letter->edits[i];
		const struct auth_found *list;
		size_t n;

		if (!str_same_nocase(e->name, S(AUTH_RESULTS_FIELD)) ||
		    !auth_results_claims(e->value, hostname))
			continue;
		if (!auth_results_parse(e->value, mail->message->arena, &list,
					&n))
			log_warn("milter", "%s: " AUTH_RESULTS_FIELD ": %s",
				 mail->message->id, cause());
		else if (n > 0)
			note(mail, list, n);
	}
}
