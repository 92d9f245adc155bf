/*
 * Delivery's twin for tests: it hands nothing over, but remembers what it was
 * given and answers as it was told.
 */
#include "smtp/deliver_fake.h"

#include "route/verify.h"

struct reply deliver_accept(struct deliver *d, struct message *m,
			    const struct asker *asker)
{
	struct reply r = d->answer;

	if (r.code == 0)
		r = (struct reply){ 250, "2.0.0", S("Ok: queued") };
	if (reply_is_done(&r)) {
		message_drop(d->last);
		d->last = m;
		d->accepted++;
	} else {
		message_drop(m);
	}
	return r;
}

struct reply deliver_hold(struct deliver *d, struct message *m,
			  const struct asker *asker, struct str why)
{
	for (size_t i = 0; i < m->n; i++)
		m->recipients[i].held = true;
	return deliver_accept(d, m, asker);
}

/* The other system has whoever's name does not begin with "no". */
void deliver_probe(struct deliver *d, const struct leg *leg,
		   struct str address_key, const struct inet *client)
{
	struct reply yes = { 250, "2.1.5", S("yes") };
	struct reply no = { 550, "5.1.1", S("no such user over there") };
	bool is_known = !str_starts(address_key, S("no"));
	struct verification *v = d->verification;
	struct arena *a scoped(arena) = arena_open();
	struct str system = system_key(&leg->system, a);

	d->probes++;
	if (!verify_begin(v, system, address_key))
		return;
	fiber_yield();
	verify_end(v, system, address_key, is_known ? VERDICT_YES : VERDICT_NO,
		   is_known ? &yes : &no, now_ms());
}

void deliver_probe_later(struct deliver *d, const struct leg *leg,
			 struct str address_key)
{
	d->probes_later++;
}
