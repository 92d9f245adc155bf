/*
 * A mail and its filters: filter.h has the story.
 *
 * Invariants:
 *  1. A filter that is down for this mail is not asked again for it.
 *  2. What filters want changed takes effect when all of them let the mail pass.
 */
#include "filter/filter.h"

#include "base/limits.h"
#include "base/mutants.h"
#include "filter/conversation.h"
#include "rt/log.h"

struct filtering {
	struct filters *filters;
	struct arena *arena;
	struct filter_mail mail;
	struct conversation *list;
	size_t n;
	struct filter_letter *letter; /* when all of it is there */
	bool is_discarded;
	struct filter_verdict discarded;
	struct wishes wishes;
	int64_t took_ms;
};

struct filtering *filtering_open(struct filters *f, const struct filter *list,
				 size_t n, const struct filter_client *client,
				 struct arena *arena)
{
	struct filtering *m = arena_new(arena, struct filtering);

	m->filters = f;
	m->arena = arena;
	m->mail.client = client;
	m->wishes.arena = arena;
	m->list = arena_array(arena, struct conversation, n);
	m->n = n;
	for (size_t i = 0; i < n; i++)
		m->list[i].filter = &list[i];
	return m;
}

void filtering_close(struct filtering *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		conversation_end(&m->list[i]);
	if (m->wishes.has_body)
		body_free(&m->wishes.body);
}

int64_t filtering_ms(const struct filtering *m)
{
	return m->took_ms;
}

/* ---- one that is down ---- */

static struct filter_verdict without(struct filtering *m,
				     const struct conversation *c)
{
	switch (c->filter->when_down) {
	case FILTER_DOWN_ACCEPT:
		break;
	case FILTER_DOWN_HOLD:
		m->wishes.held_by = c->filter->name;
		m->wishes.held_why = S("the filter is down");
		break;
	case FILTER_DOWN_LATER:
		if (MUTANT(down_is_accepted))
			break;
		return (struct filter_verdict){
			.action = FILTER_REFUSE,
			.reply = filter_later(),
			.filter = c->filter->name,
			.is_down = true,
		};
	}
	return (struct filter_verdict){ .action = FILTER_PASS };
}

static void count_verdict(struct filtering *m, const struct conversation *c,
			  const struct filter_verdict *v)
{
	enum filter_figure which = FILTER_FIGURE_DOWN;

	if (c->state != CONVERSATION_DOWN) {
		if (v->action == FILTER_PASS)
			return;
		which = v->action == FILTER_DISCARD ? FILTER_FIGURE_DISCARDED
			: v->reply.code >= 500      ? FILTER_FIGURE_REFUSED
						    : FILTER_FIGURE_LATER;
	}
	filters_count(m->filters, c->filter->name, which, 1);
}

static struct filter_verdict judged(struct filtering *m,
				    const struct conversation *c,
				    struct filter_verdict v)
{
	count_verdict(m, c, &v);
	if (c->state == CONVERSATION_DOWN) {
		log_warn("milter", "%.*s: %.*s: %s", STR(m->mail.id),
			 STR(c->filter->name),
			 log_safe(m->arena, str_of(cause()),
				  FAIL_SENTENCE_BYTES));
		if (c->was_there)
			filters_met(m->filters, c->filter->name,
				    FILTER_STATE_SILENT, str_of(cause()));
		return without(m, c);
	}
	if (v.action != FILTER_DISCARD)
		return v;
	if (MUTANT(discarded_is_sent))
		return (struct filter_verdict){ .action = FILTER_PASS };
	m->is_discarded = true;
	m->discarded = v;
	return (struct filter_verdict){ .action = FILTER_PASS };
}

/* ---- the steps ---- */

/* The first that does not let it pass ends it. */
static struct filter_verdict waits
each(struct filtering *m,
     struct filter_verdict (*take)(struct filtering *m, struct conversation *c))
{
	for (size_t i = 0;
	     i < m->n && !m->is_discarded &&
	     !(MUTANT(last_filter_is_not_asked) && i && i == m->n - 1);
	     i++) {
		struct conversation *c = &m->list[i];
		struct filter_verdict v = { .action = FILTER_PASS };

		switch (c->state) {
		case CONVERSATION_GOES_ON:
			v = judged(m, c, take(m, c));
			break;
		case CONVERSATION_DOWN:
			v = without(m, c);
			break;
		case CONVERSATION_OVER:
			break;
		}
		if (v.action != FILTER_PASS)
			return v;
	}
	return (struct filter_verdict){ .action = FILTER_PASS };
}

static int64_t latest_ms(const struct filtering *m)
{
	int64_t at = after_ms(LIMIT_FILTER_MAIL_MS);
	int64_t most = m->mail.client->latest_ms;

	return most && most < at ? most : at;
}

static struct filter_verdict waits take_mail(struct filtering *m,
					     struct conversation *c)
{
	c->latest_ms = latest_ms(m);
	return conversation_mail(c, m->filters, &m->mail, m->arena);
}

static struct filter_verdict waits take_rcpt(struct filtering *m,
					     struct conversation *c)
{
	c->latest_ms = latest_ms(m);
	return conversation_rcpt(c, &m->mail, m->arena);
}

static void note_passed(struct filtering *m, const struct conversation *c,
			int64_t took_us)
{
	struct str name = c->filter->name;

	filters_count(m->filters, name, FILTER_FIGURE_PASSED, 1);
	if (str_same(m->wishes.held_by, name))
		filters_count(m->filters, name, FILTER_FIGURE_HELD, 1);
	log_fact("milter",
		 "%.*s: milter-accept: END-OF-MESSAGE by %.*s, delay=%.3f",
		 STR(m->mail.id), STR(name), (double)took_us / 1e6);
}

/* It sees what those before it have made of the message. */
static struct filter_verdict waits take_message(struct filtering *m,
						struct conversation *c)
{
	struct filter_letter *letter = m->letter;
	struct wishes *wishes = &m->wishes;
	struct wishes_mark before = wishes_mark(wishes);
	struct header_edited fields =
		header_edit(letter->front, letter->header, wishes->edits,
			    wishes->n_edits, m->arena);
	int64_t begun_us = now_us(), took_us;
	struct filter_verdict v;

	v = conversation_message(c, &m->mail, letter, &fields, wishes);
	if (c->state != CONVERSATION_DOWN && v.action == FILTER_PASS &&
	    !wishes_settle(wishes, letter))
		c->state = CONVERSATION_DOWN;
	took_us = now_us() - begun_us;
	filters_count(m->filters, c->filter->name, FILTER_FIGURE_MS,
		      (uint64_t)took_us / 1000);
	if (c->state == CONVERSATION_DOWN) {
		if (!MUTANT(broken_off_stays_changed))
			wishes_undo(wishes, before);
		return v;
	}
	filters_met(m->filters, c->filter->name, FILTER_STATE_UP, STR_NONE);
	if (v.action == FILTER_PASS)
		note_passed(m, c, took_us);
	return v;
}

struct filter_verdict filtering_mail(struct filtering *m, struct str id,
				     struct str sender)
{
	m->mail.id = id;
	m->mail.sender = sender;
	return each(m, take_mail);
}

struct filter_verdict filtering_rcpt(struct filtering *m, struct str recipient)
{
	m->mail.recipient = recipient;
	return each(m, take_rcpt);
}

struct filter_verdict filtering_message(struct filtering *m,
					struct filter_letter *letter)
{
	int64_t begun_ms = now_ms(), until_ms = latest_ms(m);
	struct filter_verdict v;

	m->letter = letter;
	for (size_t i = 0; i < m->n; i++)
		m->list[i].latest_ms = until_ms;
	v = each(m, take_message);
	m->took_ms = now_ms() - begun_ms;
	if (v.action != FILTER_PASS)
		return v;
	if (m->is_discarded)
		return m->discarded;
	wishes_tell(&m->wishes, letter);
	return v;
}
