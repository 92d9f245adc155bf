/*
 * A recipient of a mail, as a question to route() (recipient.h).
 */
#include "route/recipient.h"

#include "base/mutants.h"

static struct reply said(int code, const char *status, struct str text)
{
	struct reply r = { .code = code, .text = text };

	memcpy(r.status, status, strlen(status) + 1);
	return r;
}

struct question recipient_question(const struct recipient *r,
				   const struct asker *asker,
				   const struct address *address,
				   const struct waiting_mail *mail)
{
	return (struct question){
		.recipient = address,
		.asker = *asker,
		.trail = r->trail,
		.is_split = r->part != PART_WHOLE && !MUTANT(part_is_whole),
		.takes_there = r->part == PART_THERE,
		.is_copy =
			r->part == PART_COPY && !MUTANT(kept_copy_is_a_share),
		.message_bytes = mail->bytes,
		/* the one it was sent on with is kept */
		.sender = r->sender.n ? &r->sender : mail->sender,
	};
}

struct asker waiting_asker(struct directory *d, struct str as,
			   struct arena *arena)
{
	struct asker asker = { .kind = ASKER_LOCAL };

	if (asker_parse(d, as, arena, &asker))
		return asker;
	return (struct asker){ .kind = ASKER_LOCAL };
}

void waiting_stays_ours(const struct recipient *r, struct decision *answer,
			struct arena *arena)
{
	const struct address *a;

	if (!r->is_ours || !str_empty(answer->domain) ||
	    answer->action != ROUTE_RELAY)
		return;
	a = recipient_parsed(r, arena);
	if (!a)
		return;
	answer->action = ROUTE_LATER;
	answer->n = 0;
	answer->reply = said(
		450, "4.1.2",
		arena_strf(arena, "%.*s is no domain of this server any more",
			   STR(a->domain)));
}

struct reply waiting_given_up(void)
{
	return said(550, "5.0.0", S("returned by the administrator"));
}

/* ASK: route_decide() or route_answer(); what was given up is not asked for. */
static struct decision
waiting_decide(const struct router *router, const struct recipient *r,
	       const struct waiting_mail *mail, struct arena *arena,
	       struct decision (*ask)(const struct router *,
				      const struct question *, struct arena *))
{
	struct asker asker = waiting_asker(router->directory, mail->as, arena);
	const struct address *address = recipient_parsed(r, arena);
	struct decision d = { .action = ROUTE_REFUSE };
	struct question q;

	if (r->bounce_wanted) {
		d.reply = waiting_given_up();
		return d;
	}
	if (!address) {
		d.reply = said(553, "5.1.3", arena_strf(arena, "%s", cause()));
		return d;
	}
	q = recipient_question(r, &asker, address, mail);
	q.is_retry = true;
	d = ask(router, &q, arena);
	waiting_stays_ours(r, &d, arena);
	return d;
}

struct decision route_waiting(const struct router *router,
			      const struct recipient *r,
			      const struct waiting_mail *mail,
			      struct arena *arena)
{
	return waiting_decide(router, r, mail, arena, route_decide);
}

struct decision route_answer_waiting(const struct router *router,
				     const struct recipient *r,
				     const struct waiting_mail *mail,
				     struct arena *arena)
{
	return waiting_decide(router, r, mail, arena, route_answer);
}

const struct leg *decision_own_leg(const struct decision *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (!d->legs[i].is_member)
			return &d->legs[i];
	return NULL;
}

struct next_hop decision_next_hop(const struct decision *d)
{
	const struct leg *leg = decision_own_leg(d);

	return leg ? leg_next_hop(leg)
		   : (struct next_hop){ .kind = NEXT_HOP_UNDECIDED };
}
