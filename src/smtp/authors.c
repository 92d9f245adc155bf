/*
 * Who a user says his message is from: where the domain wants it
 * (from_header = own), only he himself.
 *
 * All mailboxes of all fields that name an author or a sender (RFC 5322 3.6.2,
 * 3.6.6) have to be addresses he may send as.
 */
#include "wire/authors.h"
#include "route/route.h"
#include "rt/log.h"
#include "smtp/session.h"

static const char *const fields[] = { "From", "Sender", "Resent-From",
				      "Resent-Sender" };

/* Of the domain of his login.  False: our own trouble. */
static bool is_asked_for(struct session *s, struct str user, bool *own)
{
	struct address a;
	struct domain domain;

	*own = false;
	if (!address_parse(user, s->line, &a))
		return false;
	switch (directory_domain(s->server->router->directory, a.domain,
				 s->line, &domain)) {
	case ANSWER_YES:
		*own = domain.from_header == FROM_HEADER_OWN;
		return true;
	case ANSWER_NO:
		return true;
	case ANSWER_UNSURE:
		break;
	}
	return false;
}

static struct reply judge_author(struct session *s, const char *field,
				 struct str text)
{
	struct str user = s->mail->asker.user;
	enum answer may = ANSWER_NO;
	struct address a;

	if (address_parse(text, s->line, &a))
		may = directory_may_send_as(s->server->router->directory, user,
					    a.local, a.domain);
	switch (may) {
	case ANSWER_YES:
		return SILENCE;
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		log_error(s->part, "%s: %s", s->mail->message->id, cause());
		return SAY(s, trouble);
	}
	return SAY(s, not_the_author, field, log_safe(s->line, text, SAY_CUT),
		   log_safe(s->line, user, LIMIT_PATH_BYTES));
}

static struct reply judge_field(struct session *s, const char *field,
				struct str value)
{
	const struct str *list;
	struct reply r = SILENCE;
	size_t n;

	if (!authors_parse(value, s->line, &list, &n))
		return SAY(s, author_unclear, field, cause());
	for (size_t i = 0; i < n && r.code == 0; i++)
		r = judge_author(s, field, list[i]);
	return r;
}

struct reply judge_authors(struct session *s)
{
	struct arena *own scoped(arena) = arena_open();
	struct message *m = s->mail->message;
	struct str header, value;
	struct reply r = SILENCE;
	bool asked;

	if (s->mail->asker.kind != ASKER_USER)
		return r;
	if (!is_asked_for(s, s->mail->asker.user, &asked)) {
		log_error(s->part, "%s: %s", m->id, cause());
		return SAY(s, trouble);
	}
	if (!asked)
		return r;
	header = body_header(&m->body, own, &m->header);
	if (!header.p)
		return SAY(s, trouble);
	/* Dovecot, for one, finds a From behind such a line. */
	if (m->header.is_broken)
		return SAY(s, author_unclear, "The header",
			   "it has a line that is no field");
	for (size_t i = 0; i < array_size(fields); i++) {
		size_t at = 0;

		while (r.code == 0 &&
		       header_next(header, str_of(fields[i]), &at, own, &value))
			r = judge_field(s, fields[i], value);
	}
	return r;
}
