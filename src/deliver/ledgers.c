/*
 * What delivery notes for those who watch: of each next hop whether it takes
 * mail and how much it took, of each of our domains what became of its mail.
 *
 * Rows of the ledger of systems: "mailboxes" is Dovecot, "internet" every
 * domain that is not ours, "system NAME" the rest.
 */
#include "deliver/job.h"

#include "rt/counter.h"
#include "rt/ledger.h"

struct str ledgers_row(const struct leg *leg, struct arena *arena)
{
	switch (leg->kind) {
	case LEG_MAILBOX:
		return S("mailboxes");
	case LEG_SYSTEM:
		return arena_strf(arena, "system %.*s", STR(leg->system.name));
	case LEG_INTERNET:
		break;
	}
	return S("internet");
}

void ledgers_say_up(const struct deliver *d, const struct leg *leg,
                    struct arena *arena)
{
	ledger_say(d->settings->systems, ledgers_row(leg, arena), SYSTEM_UP,
	           S(""));
}

/* One domain of the Internet that takes no mail says nothing about it. */
void ledgers_say_down(const struct deliver *d, const struct leg *leg,
                      const struct reply *why, struct arena *arena)
{
	if (leg->kind != LEG_INTERNET && !fiber_cancelled())
		ledger_say(d->settings->systems, ledgers_row(leg, arena),
		           SYSTEM_DOWN, reply_line(why, arena));
}

void ledgers_count_share(const struct deliver *d, const struct share *s,
                         struct arena *arena)
{
	static const enum system_figure figure_of[] = {
		[RECIPIENT_DONE] = SYSTEM_DELIVERED,
		[RECIPIENT_LATER] = SYSTEM_DEFERRED,
		[RECIPIENT_REFUSED] = SYSTEM_REFUSED,
	};

	if (s->state == RECIPIENT_DONE || s->state == RECIPIENT_LATER ||
	    s->state == RECIPIENT_REFUSED)
		ledger_count(d->settings->systems, ledgers_row(&s->leg, arena),
		             figure_of[s->state], 1);
}

/* ---- traffic ---- */

static void count_traffic(const struct job *job, const struct share *s,
                          enum traffic_figure which, enum counter all)
{
	count(all);
	ledger_count(job->deliver->settings->traffic, job->domains[s->index],
	             which, 1);
}

void ledgers_count_job(const struct job *job)
{
	for (size_t i = 0; i < job->n; i++) {
		const struct share *s = job->shares[i];

		switch (s->state) {
		case RECIPIENT_DONE:
			count_traffic(job, s, TRAFFIC_HANDED_OVER,
			              COUNT_RECIPIENTS_HANDED_OVER);
			break;
		case RECIPIENT_WAITING:
		case RECIPIENT_LATER:
			count_traffic(job, s, TRAFFIC_KEPT,
			              COUNT_RECIPIENTS_KEPT);
			break;
		case RECIPIENT_REFUSED:
			count_traffic(job, s, TRAFFIC_REFUSED,
			              COUNT_RECIPIENTS_REFUSED_LATE);
			break;
		case RECIPIENT_DROPPED:
			break;
		}
	}
}
