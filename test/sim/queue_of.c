/*
 * A Splitmail's queue, by the library of its tools, as an administrator has it
 * in hand (queue/tools.h).
 */
#include "books.h"
#include "queue/tools.h"

enum { LOOK_MS = 200, AGAIN_MS = 2000 };

struct order_of_queue {
	enum order order;
	struct queue_filter whose;
	bool is_done;
};

static void obey(void *order)
{
	struct order_of_queue *o = order;
	struct tools *t = tools_open("/data");
	uint64_t n = 0;

	o->is_done = t && tools_order(t, o->order, &o->whose, &n);
	if (!o->is_done)
		tell("an administrator of a queue: %s", cause());
	tools_close(t);
}

/* As often as it takes: power may be cut, the disk full. */
static void give_order(struct splitmail *s, enum order order,
		       struct queue_filter whose)
{
	struct order_of_queue o = { .order = order, .whose = whose };

	if (order == ORDER_RELEASE)
		world.released_ms = NEVER; /* just now */

	while (!o.is_done) {
		struct sim_process *p;

		while (!sim_is_on(s->host))
			fiber_sleep(after_ms(LOOK_MS));
		p = sim_start(s->host, "postmaster", obey, &o);
		while (!sim_has_ended(p))
			fiber_sleep(after_ms(LOOK_MS));
		if (!o.is_done)
			fiber_sleep(after_ms(LOOK_MS));
	}
	if (order == ORDER_RELEASE)
		world.released_ms = now_ms();
}

/* What comes to wait meanwhile is held, too. */
static void hold_again(struct splitmail *s, struct queue_filter whose,
		       int64_t until_ms)
{
	while (now_ms() < until_ms) {
		give_order(s, ORDER_HOLD, whose);
		fiber_sleep(after_ms(AGAIN_MS));
	}
}

/* Who is called so, in any domain. */
static void note_given_up(const char *local, bool tells, int64_t at_ms)
{
	for (int i = 0; i < world.n_persons; i++) {
		struct person *p = &world.persons[i];

		if (!str_same(str_of(p->local), str_of(local)))
			continue;
		p->given_up_ms = at_ms;
		p->is_deleted |= !tells;
	}
}

void give_up(struct splitmail *s, int person, bool tells)
{
	const char *local = world.persons[person].local;

	tell("%s %s what waits for %s", s->name, tells ? "returns" : "deletes",
	     local);
	note_given_up(local, tells, NEVER);
	give_order(s, tells ? ORDER_BOUNCE : ORDER_DELETE,
		   (struct queue_filter){ .recipient = str_of(local) });
	note_given_up(local, tells, now_ms());
}

void release_queue(struct splitmail *s)
{
	give_order(s, ORDER_RELEASE, (struct queue_filter){ .id = STR_NONE });
}

void hold_queue(struct splitmail *s, int person, int64_t lasts_ms)
{
	struct queue_filter whose = { .id = STR_NONE };
	int64_t begun_ms = now_ms();

	if (person >= 0)
		whose.recipient = str_of(world.persons[person].local);
	tell("%s holds what waits for %s", s->name,
	     person < 0 ? "anybody" : world.persons[person].local);
	hold_again(s, whose, begun_ms + lasts_ms / 2);
	give_order(s, ORDER_RETRY, whose);
	hold_again(s, whose, begun_ms + lasts_ms);
	give_order(s, ORDER_RELEASE, (struct queue_filter){ .id = STR_NONE });
	tell("%s holds nothing any more", s->name);
}
