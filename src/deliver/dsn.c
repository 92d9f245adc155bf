/*
 * Who is told what (RFC 3461, RFC 3464); wire/dsn.h writes the text.
 *
 *	refused, expired	failed	unless NOTIFY says otherwise
 *	later, for long		delayed	once, when NOTIFY is unsaid or says
 *DELAY done			delivered (a mailbox here) or relayed (the next
 *				hop does not do DSN), when NOTIFY says SUCCESS
 *
 * Never to a null sender, never about what the loop guard dropped, never for
 * what the sender heard as the reply to his message.  Nor about a content that
 * another system refuses when filters have found that nothing vouches for the
 * sender: spam would come to whomever it names.
 */
#include "deliver/dsn.h"

#include <stdio.h>

#include "base/mutants.h"
#include "deliver/dsn_filter.h"
#include "deliver/peer.h"
#include "deliver/retry.h"
#include "rt/counter.h"
#include "rt/log.h"
#include "rt/random.h"
#include "wire/blame.h"
#include "wire/dsn.h"

static bool wants(const struct recipient *r, unsigned what, bool by_default)
{
	return r->notify == NOTIFY_UNSAID ? by_default : r->notify & what;
}

static bool is_late(const struct round *round)
{
	int64_t after = round->deliver->settings->delay_warning_s * 1000;

	return after > 0 &&
	       message_waited_ms(round->deliver, round->message) >= after;
}

/* Has another system taken the recipient and refused what is in the message, of
 * a sender nobody vouches for? */
static bool is_withheld(const struct round *round, const struct share *s)
{
	return round->message->is_unvouched && s->state == RECIPIENT_REFUSED &&
	       s->leg.kind != LEG_MAILBOX && s->is_accepted && !s->is_expired &&
	       blame_judge(VERB_DOT, false, &s->reply).whose != BLAME_RECIPIENT;
}

/* Is S's end or state to be told as ACTION? */
static bool is_due(const struct round *round, const struct share *s,
		   enum dsn_action action)
{
	const struct recipient *r = &round->message->recipients[s->index];

	if ((s->is_told && !MUTANT(told_once_more)) || !s->is_counted)
		return false;
	if (MUTANT(warned_is_told) && r->delay_told)
		return false;
	switch (action) {
	case DSN_FAILED:
		return s->state == RECIPIENT_REFUSED &&
		       wants(r, NOTIFY_FAILURE, true);
	case DSN_DELAYED:
		return s->state == RECIPIENT_LATER && !s->is_put_off &&
		       (!r->delay_told || MUTANT(waiting_is_told_each_time)) &&
		       round->message->is_kept && is_late(round) &&
		       wants(r, NOTIFY_DELAY, true);
	case DSN_DELIVERED:
	case DSN_RELAYED:
		return s->state == RECIPIENT_DONE && !s->dsn_goes_on &&
		       wants(r, NOTIFY_SUCCESS, MUTANT(good_news_for_all)) &&
		       !MUTANT(good_news_for_nobody);
	case DSN_EXPANDED:
		break;
	}
	return false;
}

static enum dsn_action action_of(const struct share *s, enum dsn_action group)
{
	if (group != DSN_DELIVERED)
		return group;
	return s->leg.kind == LEG_MAILBOX ? DSN_DELIVERED : DSN_RELAYED;
}

static struct str note_of(const struct round *round, const struct share *s)
{
	if (s->is_expired)
		return arena_strf(
			round->arena,
			"It could not be delivered within %lld hours.",
			(long long)round->deliver->settings->expiry_s / 3600);
	return STR_NONE;
}

/* "mx.b.example[192.0.2.1]:25" is for the log; a DSN names the host. */
static struct str mta_of(struct str remote)
{
	ptrdiff_t end = str_find(remote, '[');

	return str_starts(remote, S("/"))
		       ? STR_NONE
		       : str_part(remote, 0, end < 0 ? remote.n : (size_t)end);
}

static struct dsn_recipient describe(const struct round *round,
				     const struct share *s,
				     enum dsn_action group)
{
	const struct recipient *r = &round->message->recipients[s->index];
	struct dsn_recipient d = {
		.address = r->address,
		.orcpt = r->orcpt,
		.action = action_of(s, group),
		.remote_mta = mta_of(s->remote),
		.reply = s->reply,
		.note = note_of(round, s),
	};

	snprintf(d.status, sizeof d.status, "%s", reply_status(&s->reply));
	return d;
}

/* The start of the original, our header lines first. */
static struct str original(struct round *round, bool *whole)
{
	struct message *m = round->message;
	struct str trace = str_part(m->trace, 0, LIMIT_BOUNCE_BYTES);
	size_t room = LIMIT_BOUNCE_BYTES - trace.n, n = trace.n;
	char *text = arena_alloc(round->arena, LIMIT_BOUNCE_BYTES);
	ptrdiff_t got = 1;

	if (trace.n)
		memcpy(text, trace.p, trace.n);
	while (room > 0 && got > 0) {
		got = body_read(&m->body, n - trace.n, text + n, room);
		if (got > 0) {
			n += (size_t)got;
			room -= (size_t)got;
		}
	}
	*whole = n == m->trace.n + m->body.bytes;
	return (struct str){ text, n };
}

static struct message *dsn_message(struct round *round, struct dsn_plan *plan,
				   enum dsn_action group)
{
	struct message *about = round->message;
	struct message *m = message_new(about->body.spool);
	struct recipient *r = message_add(m, about->sender);

	plan->reporting_mta = str_of(round->deliver->settings->hostname);
	plan->queue_id = str_of(about->id);
	plan->to = about->sender;
	plan->envid = MUTANT(envelope_has_no_name) ? STR_NONE : about->envid;
	plan->arrived_wall_ms = about->arrived_wall_ms;
	plan->now_wall_ms = wall_ms();
	plan->retry_until_wall_ms = wall_ms() +
				    round->deliver->settings->expiry_s * 1000 -
				    message_waited_ms(round->deliver, about);
	plan->ret = about->ret;
	plan->original = original(round, &plan->original_is_whole);
	random_bytes(&plan->boundary, sizeof plan->boundary);
	dsn_write(&m->body.memory, plan);
	if (MUTANT(dsn_has_a_sender))
		m->sender = arena_str(m->arena, about->recipients[0].address);
	body_note(&m->body);
	r->notify = NOTIFY_NEVER;
	r->next_attempt_ms = queue_now(round->deliver->queue);
	m->as = S("local");
	m->is_8bit = about->is_8bit;
	m->is_utf8 = about->is_utf8;
	dsn_filter(round->deliver, m);
	log_fact("bounce", "%s: sender %s notification: %s", about->id,
		 group == DSN_FAILED    ? "non-delivery"
		 : group == DSN_DELAYED ? "delay"
					: "delivery status",
		 m->id);
	count(COUNT_DSNS);
	return m;
}

static bool is_half(const struct recipient *r)
{
	return r->part == PART_HERE || r->part == PART_THERE;
}

/* Who lives in two places is named once, with what was said in both. */
static void add_about(struct round *round, const struct share *s,
		      enum dsn_action group, struct dsn_recipient *about,
		      struct dsn_plan *plan)
{
	struct dsn_recipient *d = arena_new(round->arena, struct dsn_recipient);
	size_t i = plan->n;

	*d = describe(round, s, group);
	if (is_half(&round->message->recipients[s->index]))
		for (i = 0; i < plan->n; i++)
			if (about[i].action == d->action &&
			    str_same_nocase(about[i].address, d->address))
				break;
	if (i == plan->n)
		about[plan->n++] = *d;
	else if (!about[i].also)
		about[i].also = d;
}

static struct message *dsn_of(struct round *round, enum dsn_action group)
{
	struct dsn_recipient *about =
		arena_array(round->arena, struct dsn_recipient, round->n + 1);
	struct dsn_plan plan = { .recipients = about };

	for (size_t i = 0; i < round->n; i++) {
		struct share *s = round->shares[i];

		if (!is_due(round, s, group))
			continue;
		add_about(round, s, group, about, &plan);
		s->is_telling = true;
		if (group == DSN_DELAYED)
			round->message->recipients[s->index].delay_told = true;
	}
	return plan.n ? dsn_message(round, &plan, group) : NULL;
}

/* Once for each time that something is settled. */
static void log_untold(struct round *round)
{
	bool any = false;

	for (size_t i = 0; i < round->n; i++) {
		struct share *s = round->shares[i];

		if (s->state != RECIPIENT_REFUSED || !s->is_counted ||
		    s->is_told)
			continue;
		any = s->is_told = true;
	}
	if (any)
		log_fact("bounce", "%s: null sender: nobody is told",
			 round->message->id);
}

static void withhold(struct round *round)
{
	for (size_t i = 0; i < round->n; i++) {
		struct share *s = round->shares[i];

		if (!s->is_counted || s->is_told || !is_withheld(round, s))
			continue;
		s->is_told = true;
		count(COUNT_DSNS_WITHHELD);
		log_fact("bounce",
			 "%s: to=<%s>: nobody is told: neither SPF nor DKIM "
			 "says that the sender has sent it",
			 round->message->id,
			 log_safe(round->arena, s->leg.address,
				  LIMIT_PATH_BYTES));
	}
}

/* Told or not wanted: it is not looked at for that again. */
static void note_late(struct round *round)
{
	struct message *m = round->message;

	if (!m->is_kept || !is_late(round))
		return;
	for (size_t i = 0; i < round->n; i++)
		if (round->shares[i]->state == RECIPIENT_LATER &&
		    round->shares[i]->is_counted &&
		    !round->shares[i]->is_put_off)
			m->recipients[round->shares[i]->index].delay_told =
				true;
}

static size_t make_groups(struct round *round, struct message *out[DSN_MOST])
{
	static const enum dsn_action groups[DSN_MOST] = { DSN_FAILED,
							  DSN_DELAYED,
							  DSN_DELIVERED };
	size_t n = 0;

	if (str_empty(round->message->sender) &&
	    !MUTANT(dsn_to_the_null_sender)) {
		log_untold(round);
		return 0;
	}
	withhold(round);
	for (size_t i = 0; i < DSN_MOST; i++) {
		out[n] = dsn_of(round, groups[i]);
		n += out[n] != NULL;
	}
	return n;
}

size_t dsn_make(struct round *round, struct message *out[DSN_MOST])
{
	size_t n = make_groups(round, out);

	note_late(round);
	return n;
}

void dsn_told(struct round *round)
{
	for (size_t i = 0; i < round->n; i++) {
		round->shares[i]->is_told |=
			round->shares[i]->is_telling &&
			round->shares[i]->state != RECIPIENT_LATER;
		round->shares[i]->is_telling = false;
	}
}

void dsn_untold(struct round *round)
{
	for (size_t i = 0; i < round->n; i++) {
		struct share *s = round->shares[i];

		if (s->is_telling && s->state == RECIPIENT_LATER)
			round->message->recipients[s->index].delay_told = false;
		s->is_telling = false;
	}
}
