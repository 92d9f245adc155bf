/*
 * Strangers who write in the name of a domain of ours that says own_senders =
 * verify: as the sender, or as an author in From.
 *
 * Whose mail it is, says that domain's own SPF, DKIM or DMARC, as a filter has
 * found it in this conversation (results.c).  One that passes is enough: there may
 * be no DMARC yet, and SPF breaks where mail is sent on.  When nobody has looked,
 * or could not, it is later (451): neither the forged mail comes in, nor is the
 * true one lost.
 *
 * What stands in an Authentication-Results may hold what the stranger has written,
 * and filters differ in how well they quote it.  So names with anything that means
 * something there are not believed in.
 */
#include "wire/authors.h"

#include "base/buf.h"
#include "rt/log.h"
#include "smtp/session.h"

enum { HIDDEN_BYTES = 4096 }; /* looked at behind a header that is broken */

/* ---- who is named ---- */

static bool is_claimed(const struct mail *mail, struct str domain)
{
	for (size_t i = 0; i < mail->n_claimed; i++)
		if (str_same(mail->claimed[i], domain))
			return true;
	return false;
}

static void claim(struct mail *mail, struct str domain)
{
	struct arena *a = mail->message->arena;

	if (is_claimed(mail, domain) || mail->n_claimed == LIMIT_AUTHORS)
		return;
	if (!mail->claimed)
		mail->claimed = arena_array(a, struct str, LIMIT_AUTHORS);
	mail->claimed[mail->n_claimed++] = arena_str(a, domain);
}

static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f ||
		    strchr("\"\\();,<>", s.p[i]))
			return false;
	return true;
}

static struct reply unsure(struct session *s)
{
	log_error(s->part, "%s: %s", mail_id(s), cause());
	return SAY(s, trouble);
}

static struct reply look_at(struct session *s, const struct address *a)
{
	s->mail->is_odd |= !is_plain(a->spelling);
	switch (route_verifies(s->server->router, a, s->line)) {
	case ANSWER_YES:
		claim(s->mail, a->domain);
		break;
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		return unsure(s);
	}
	return SILENCE;
}

/* What of TEXT may be a domain, or part of one. */
static struct str start_of(struct str text)
{
	size_t n = 0;

	while (n < text.n && (unsigned char)text.p[n] > ' ' &&
	       !strchr("\"\\();,<>[]:", text.p[n]))
		n++;
	return str_part(text, 0, n);
}

static bool parse_domain(struct session *s, struct str domain,
			 struct address *out)
{
	return domain.n && domain.n <= LIMIT_DOMAIN_BYTES &&
	       address_parse(
		       str_of(arena_printf(s->line, "x@%.*s", STR(domain))),
		       s->line, out);
}

/* Of what is no list of addresses: whatever stands behind an '@'. */
static struct reply look_into(struct session *s, struct str text)
{
	struct reply r = SILENCE;
	struct str part;

	s->mail->is_odd = true;
	str_split(&text, '@', &part);
	while (r.code == 0 && str_split(&text, '@', &part)) {
		struct address a;

		if (parse_domain(s, start_of(part), &a))
			r = look_at(s, &a);
	}
	return r;
}

static struct reply look_at_field(struct session *s, struct str value)
{
	struct reply r = SILENCE;
	const struct str *list;
	size_t n;

	if (!authors_parse(value, s->line, &list, &n))
		return look_into(s, value);
	for (size_t i = 0; i < n && r.code == 0; i++) {
		struct address a;

		r = address_parse(list[i], s->line, &a) ? look_at(s, &a)
							: look_into(s, list[i]);
	}
	return r;
}

/* Some read on behind a line that is no field: Dovecot finds a From there. */
static struct reply waits look_behind(struct session *s)
{
	struct message *m = s->mail->message;
	char *text = arena_alloc(s->line, HIDDEN_BYTES);
	ptrdiff_t n = body_read(&m->body, m->header.bytes, text, HIDDEN_BYTES);
	struct str rest = { text, n > 0 ? (size_t)n : 0 };
	ptrdiff_t end = str_search(rest, S("\r\n\r\n"));

	if (n < 0)
		return store_trouble(s);
	return look_into(s, end < 0 ? rest : str_part(rest, 0, (size_t)end));
}

static struct reply waits look_at_header(struct session *s)
{
	struct arena *own scoped(arena) = arena_open();
	struct message *m = s->mail->message;
	struct str header = body_header(&m->body, own, &m->header), value;
	struct reply r = SILENCE;
	size_t at = 0;

	if (!header.p)
		return store_trouble(s);
	m->header.message_id = arena_str(m->arena, m->header.message_id);
	while (r.code == 0 && header_next(header, S("From"), &at, own, &value))
		r = look_at_field(s, value);
	return r.code == 0 && m->header.is_broken ? look_behind(s) : r;
}

struct reply find_claimant(struct session *s)
{
	struct mail *mail = s->mail;

	if (s->kind != SMTP_MX || asker_has_rights(&mail->asker))
		return SILENCE;
	switch (directory_verifies(s->server->router->directory)) {
	case ANSWER_YES:
		mail->is_claimant = true;
		break;
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		return unsure(s);
	}
	return SILENCE;
}

struct reply find_claims(struct session *s)
{
	struct mail *mail = s->mail;
	struct reply r;

	if (!mail->is_claimant)
		return SILENCE;
	r = look_at(s, &mail->sender);
	if (r.code == 0)
		r = look_at_header(s);
	if (r.code || !mail->n_claimed || !mail->is_odd)
		return r;
	return SAY(s, author_unclear, "The sender or From",
		   "an address is not written plainly");
}

/* ---- who hears of it ---- */

static bool is_below(struct str domain, struct str above)
{
	return str_find(above, '.') >= 0 && domain.n > above.n &&
	       domain.p[domain.n - above.n - 1] == '.' &&
	       str_ends(domain, above);
}

/* Does F, which passes, say so of DOMAIN, or of one of the same tree? */
static bool vouches(struct session *s, const struct auth_found *f,
		    struct str domain)
{
	struct address a;

	return f->result == AUTH_PASS && f->method != AUTH_ELSE &&
	       parse_domain(s, f->domain, &a) &&
	       (str_same(a.domain, domain) || is_below(a.domain, domain) ||
		is_below(domain, a.domain));
}

/* What was not looked for, or could not be had, is held against nobody. */
void note_voucher(struct session *s)
{
	struct mail *mail = s->mail;
	bool was_looked_for = false;

	if (s->kind != SMTP_MX || asker_has_rights(&mail->asker))
		return;
	for (size_t i = 0; i < mail->n_found; i++) {
		const struct auth_found *f = &mail->found[i];

		if (f->result == AUTH_TEMPERROR ||
		    vouches(s, f, mail->sender.domain))
			return;
		was_looked_for |=
			f->method == AUTH_SPF || f->method == AUTH_DKIM;
	}
	mail->message->is_unvouched = was_looked_for;
}

/* ---- is it them? ---- */

static bool is_of(struct session *s, struct str found, struct str domain)
{
	struct address a;

	return parse_domain(s, found, &a) && str_same(a.domain, domain);
}

/* "spf=fail, dkim=none" */
static struct str all_found(struct session *s)
{
	const struct mail *mail = s->mail;
	struct buf b scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < mail->n_found; i++) {
		const struct auth_found *f = &mail->found[i];

		if (f->method != AUTH_ELSE)
			buf_printf(&b, "%s%.*s=%.*s", b.n ? ", " : "",
				   STR(f->method_word), STR(f->result_word));
	}
	return arena_str(s->line, str_cut(buf_str(&b), 300));
}

static struct reply judge_claim(struct session *s, struct str domain)
{
	const struct mail *mail = s->mail;
	bool was_looked_for = false, may_come = false;

	for (size_t i = 0; i < mail->n_found; i++) {
		const struct auth_found *f = &mail->found[i];

		if (f->method == AUTH_ELSE)
			continue;
		if (f->result == AUTH_PASS && is_of(s, f->domain, domain))
			return SILENCE;
		was_looked_for = true;
		may_come |= f->result == AUTH_TEMPERROR;
	}
	if (was_looked_for && !may_come)
		return SAY(s, forged, arena_cstr(s->line, domain),
			   arena_cstr(s->line, all_found(s)));
	log_warn(s->part, "%s: whether it is from %.*s: %s", mail_id(s),
		 STR(domain),
		 may_come ? "a filter could not tell"
			  : "no filter says, in " AUTH_RESULTS_FIELD);
	return SAY(s, unverified, arena_cstr(s->line, domain));
}

struct reply judge_claims(struct session *s)
{
	const struct mail *mail = s->mail;
	struct reply r = SILENCE;

	for (size_t i = 0; i < mail->n_claimed && r.code == 0; i++)
		r = judge_claim(s, mail->claimed[i]);
	return r;
}
