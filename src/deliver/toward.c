/* One mail on its way to a destination of the Internet (toward.h). */
#include "deliver/toward.h"

#include "base/limits.h"
#include "rt/log.h"
#include "wire/operator.h"

/* ---- what waits for one that is well again ---- */

/* A fiber of its own: a long queue is hurried page by page. */
struct revival {
	struct deliver *deliver;
	struct arena *arena;
	struct str name;
	struct str *domains;
	size_t n;
};

static void waits revival_main(void *arg)
{
	struct revival *v = arg;
	struct deliver *d = v->deliver;

	for (size_t i = 0; i < v->n && !d->is_draining; i++) {
		struct next_hop hop = { NEXT_HOP_INTERNET, v->domains[i] };

		if (!queue_hurry(d->queue, &hop))
			log_warn("qmgr",
				 "what waits for %.*s is not hurried: %s",
				 STR(hop.name), cause());
	}
	arena_close(v->arena);
	d->busy--;
	gate_open(&d->quiet);
}

static void revive(struct deliver *d, struct str name)
{
	struct arena *arena = arena_open();
	struct revival *v = arena_new(arena, struct revival);

	*v = (struct revival){ .deliver = d, .arena = arena };
	v->domains = destination_domains(d->settings->destinations, name, arena,
					 &v->n);
	if (v->n && fiber_start("revival", revival_main, v))
		d->busy++;
	else
		arena_close(arena);
}

bool toward_wake(struct deliver *d, struct str name)
{
	struct destinations *all = d->settings->destinations;

	if (!all || !destination_wake(all, name))
		return false;
	log_fact("smtp", "%.*s is tried again, as an administrator wants",
		 STR(name));
	revive(d, name);
	return true;
}

/* ---- one mail ---- */

static bool rests(struct toward *t, const struct destination_rest *rest,
		  struct arena *arena, struct trouble *trouble)
{
	const struct reply *r = &rest->reply;

	trouble_ours(
		trouble,
		own_reply(arena, 451, r->status[0] == '4' ? r->status : "4.7.0",
			  "%.*s wants less mail from here for now: %.*s",
			  STR(t->name), STR(reply_line(r, arena))));
	trouble->rest_ms = rest->for_ms;
	t->name = S("");
	return false;
}

static bool is_busy(struct toward *t, const struct destination_rest *rest,
		    struct arena *arena, struct trouble *trouble)
{
	trouble_ours(trouble, own_reply(arena, 451, "4.3.2", "%s", cause()));
	trouble->is_busy = !rest->for_ms;
	trouble->rest_ms = rest->for_ms;
	t->name = S("");
	return false;
}

bool toward_enter(struct attempt *a, const struct hop *hop, struct toward *t,
		  struct trouble *trouble)
{
	struct deliver *d = a->round->deliver;
	struct arena *arena = a->round->arena;
	struct destination_rest rest = { 0 };
	struct destination_wish wish = {
		.domain = a->leg.domain,
		.is_ordered = a->is_ordered,
		.deadline_ms = deliver_reply_deadline(d),
	};

	*t = (struct toward){ .name = S("") };
	if (!d->settings->destinations || a->leg.kind != LEG_INTERNET)
		return true;
	t->name = operator_of(hop->host, arena);
	switch (destination_enter(d->settings->destinations, t->name, &wish,
				  arena, &rest)) {
	case DESTINATION_OPEN:
		return true;
	case DESTINATION_RESTS:
		return rests(t, &rest, arena, trouble);
	case DESTINATION_BUSY:
		break;
	}
	return is_busy(t, &rest, arena, trouble);
}

bool toward_hear(struct toward *t, enum smtp_verb verb, const struct reply *r)
{
	if (!t->name.n || !blame_throttles(verb, r))
		return false;
	t->is_throttled = true;
	t->reply = *r;
	return true;
}

void toward_leave(struct attempt *a, struct toward *t, bool has_taken)
{
	struct deliver *d = a->round->deliver;
	enum destination_outcome outcome = t->is_throttled
						   ? DESTINATION_THROTTLED
					   : has_taken ? DESTINATION_TOOK
						       : DESTINATION_NOTHING;

	if (!t->name.n)
		return;
	if (t->is_throttled)
		log_fact("smtp", "%.*s wants less mail from here: %s",
			 STR(t->name),
			 log_safe(a->round->arena,
				  reply_line(&t->reply, a->round->arena),
				  LIMIT_REPLY_BYTES));
	if (destination_leave(d->settings->destinations, t->name, outcome,
			      &t->reply)) {
		log_fact("smtp", "%.*s takes mail as before", STR(t->name));
		revive(d, t->name);
	}
}
