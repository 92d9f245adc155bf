/*
 * The one teller of fates (fate.h).  A line of the log begins with the part that
 * decided (when nobody was asked "error", which is Postfix's), and names the
 * recipient, who said it, and what: one line for each recipient and round.
 */
#include "deliver/fate.h"

#include "base/mutants.h"
#include "deliver/ledgers.h"
#include "deliver/peer.h"
#include "route/allowance.h"
#include "route/verify.h"
#include "rt/counter.h"
#include "rt/histogram.h"
#include "rt/ledger.h"
#include "rt/log.h"

enum { SAID_CUT = 400, REMOTE_CUT = 300 };

static const char *status_word(enum recipient_state s)
{
	switch (s) {
	case RECIPIENT_DONE:
		return "sent";
	case RECIPIENT_REFUSED:
		return "bounced";
	case RECIPIENT_LATER:
	case RECIPIENT_WAITING:
		return "deferred";
	case RECIPIENT_DROPPED:
		return "dropped";
	}
	return "unknown";
}

static const char *to(const struct round *round, const struct share *s)
{
	return log_safe(round->arena, s->leg.address, LIMIT_PATH_BYTES);
}

static const char *said(const struct round *round, const struct share *s)
{
	return log_safe(round->arena, reply_line(&s->reply, round->arena),
			SAID_CUT);
}

static int64_t delay_ms(const struct round *round)
{
	return wall_ms() - round->message->arrived_wall_ms;
}

static double delay_s(const struct round *round)
{
	return (double)delay_ms(round) / 1000;
}

/* ---- nobody was asked ---- */

void fate_answered(const struct round *round, const struct share *s)
{
	log_fact("error",
		 "%s: to=<%s>, relay=none, delay=%.2f, dsn=%s, status=%s (%s)",
		 round->message->id, to(round, s), delay_s(round),
		 reply_status(&s->reply), status_word(s->state),
		 said(round, s));
}

void fate_had(const struct round *round, const struct share *s)
{
	count(COUNT_LOOPS_REFUSED);
	log_fact("error",
		 "%s: to=<%s>, relay=none, delay=%.2f, dsn=2.0.0, status=%s "
		 "(it came through here before and the mailbox has it)",
		 round->message->id, to(round, s), delay_s(round),
		 status_word(s->state));
}

/* ---- its next hop ---- */

static void count_tried(const struct round *round, const struct share *s)
{
	static const enum system_figure figure_of[] = {
		[RECIPIENT_DONE] = SYSTEM_DELIVERED,
		[RECIPIENT_LATER] = SYSTEM_DEFERRED,
		[RECIPIENT_REFUSED] = SYSTEM_REFUSED,
	};

	if (s->state == RECIPIENT_DONE || s->state == RECIPIENT_LATER ||
	    s->state == RECIPIENT_REFUSED)
		ledger_count(round->deliver->settings->systems,
			     ledgers_row(&s->leg, round->arena),
			     figure_of[s->state], 1);
	if (s->state == RECIPIENT_DONE) {
		count(COUNT_DELIVERIES);
		observe(HISTOGRAM_DELIVERY_DELAY, delay_ms(round));
	} else if (s->state == RECIPIENT_LATER) {
		count(COUNT_DELIVERIES_DEFERRED);
	}
}

/* That a mail comes round again is said of its way, and not of the address:
 * whoever writes next comes another way. */
static bool is_loop(const struct reply *r)
{
	return str_same(str_of(r->status), S("5.4.6"));
}

/* As good as a probe: what RCPT said about the address. */
static void learn(const struct round *round, const struct share *s)
{
	struct verification *v = round->deliver->router->verification;
	struct allowance *allowance = round->deliver->router->allowance;
	bool is_denied = s->state == RECIPIENT_REFUSED && s->at_rcpt;
	struct next_hop next = leg_next_hop(&s->leg);
	struct str system;

	if (s->leg.kind != LEG_SYSTEM)
		return;
	system = next_hop_text(&next, round->arena);
	if (allowance && is_denied)
		allowance_refused_today(allowance, system);
	if (!v || !s->key.n)
		return;
	if (s->state == RECIPIENT_DONE)
		verify_learn(v, system, s->key, VERDICT_YES, &s->reply);
	else if (is_denied &&
		 (!is_loop(&s->reply) || MUTANT(coming_round_is_a_no)))
		verify_learn(v, system, s->key, VERDICT_NO, &s->reply);
}

static void log_tried(const struct round *round, const struct share *s)
{
	struct str remote = s->remote.n ? s->remote : S("none");

	log_fact(s->leg.kind == LEG_MAILBOX ? "lmtp" : "smtp",
		 "%s: to=<%s>, relay=%s%s%.*s, delay=%.2f, dsn=%s, "
		 "status=%s (%s)",
		 round->message->id, to(round, s),
		 log_safe(round->arena, remote, REMOTE_CUT),
		 s->from.n ? " from " : "", STR(s->from), delay_s(round),
		 reply_status(&s->reply), status_word(s->state),
		 said(round, s));
}

void fate_tried(const struct round *round, const struct share *s)
{
	check(s->state != RECIPIENT_WAITING);
	log_tried(round, s);
	count_tried(round, s);
	learn(round, s);
}

/* Counted and learnt from is who was tried. */
void fate_followed(const struct round *round, const struct share *s)
{
	log_tried(round, s);
}

/* ---- the queue ---- */

void fate_expired(const struct round *round, const struct share *s)
{
	log_fact("qmgr", "%s: to=<%s>, status=expired", round->message->id,
		 to(round, s));
}

void fate_written(const struct round *round, const struct share *s)
{
	if (s->state == RECIPIENT_REFUSED && round->message->is_kept)
		count(COUNT_DELIVERIES_REFUSED);
}

/* ---- the client ---- */

static void count_traffic(const struct round *round, const struct share *s,
			  enum traffic_figure which, enum counter all)
{
	count(all);
	ledger_count(round->deliver->settings->traffic, s->domain, which, 1);
}

static void count_told(const struct round *round, const struct share *s)
{
	switch (s->state) {
	case RECIPIENT_DONE:
		count_traffic(round, s, TRAFFIC_HANDED_OVER,
			      COUNT_RECIPIENTS_HANDED_OVER);
		break;
	case RECIPIENT_WAITING:
	case RECIPIENT_LATER:
		count_traffic(round, s, TRAFFIC_KEPT, COUNT_RECIPIENTS_KEPT);
		break;
	case RECIPIENT_REFUSED:
		count_traffic(round, s, TRAFFIC_REFUSED,
			      COUNT_RECIPIENTS_REFUSED_LATE);
		break;
	case RECIPIENT_DROPPED:
		break;
	}
}

void fates_told(const struct round *round)
{
	for (size_t i = 0; i < round->n; i++)
		count_told(round, round->shares[i]);
}
