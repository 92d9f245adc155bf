/* Subjects about groups, and about who waits among others (subject.h). */
#include "draw.h"
#include "subject_inside.h"

/* ---- groups whose members wait, or get nothing ---- */

void group_systems(void)
{
	for (int i = 0; i < world.n_takers; i++)
		world.takers[i].manners.later_in = one_in(2) ? 2 : 0;
	if (one_in(2))
		return;
	/* some are refused while others are still being told */
	world.handover_ms = between(500, 2000);
	each_system(make_slow_at_the_dot);
}

void group_persons(void)
{
	fill_mailboxes(3);
}

void group_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_spread, 2);
}

/* ---- knots: each group is a member of the one before, the first of the last.
 * A server that is away for a while lets members wait in the others. ---- */

enum { KNOT_AWAY_MS = 40000 };

static bool is_knot(const struct person *p)
{
	return p->local[0] == 'k';
}

static void add_member(struct person *g, int who)
{
	for (int i = 0; i < g->n_members; i++)
		if (g->members[i] == who)
			return;
	g->members[g->n_members++] = who;
}

void knot_persons(void)
{
	int n = world.n_splitmails, first = world.n_persons;

	for (int i = 0; i < n; i++)
		add_person(PERSON_GROUP, 'k', i, i);
	for (int i = 0; i < n; i++) {
		struct person *g = &world.persons[first + i];

		add_member(g, first + (i + 1) % n);
		for (int k = 1 + below(3); k > 0; k--)
			add_member(g, draw_person(is_user));
	}
}

void knot_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_knot, 2);
	send_before(KNOT_AWAY_MS);
	add_event(EVENT_RESTART, below(world.n_splitmails), between(2000, 8000),
		  KNOT_AWAY_MS);
}

/* ---- hiccups: a mailbox says 4xx now and then, and is tried again soon, though
 * the same mail waits for a system that says 4xx for minutes. ---- */

enum { HICCUPS_MS = 15000, HICCUPS_END_MS = 40000 };

void hiccup_systems(void)
{
	world.retry_min_s = between(200, 300);
	world.retry_max_s = world.retry_min_s + between(0, 100);
	for (int i = 0; i < world.n_splitmails; i++)
		world.takers[store_of(i)].manners.later_in = 2;
	each_system(make_always_late);
}

void hiccup_mails(int64_t window_ms)
{
	(void)window_ms;
	add_in_front(is_elsewhere);
	send_before(HICCUPS_MS);
	world.calm_ms = HICCUPS_END_MS;
}
