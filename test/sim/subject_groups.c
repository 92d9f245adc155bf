/* Subjects about groups, and about who waits among others (subject.h). */
#include "draw.h"
#include "subject_inside.h"

/* ---- groups whose members wait, or get nothing ---- */

/* Says 4xx now and then, or hangs up within a mail, which goes on over another
 * connection, and is answered otherwise there. */
static void make_unsteady(struct taker *t)
{
	t->manners.later_in = one_in(2) ? 2 : 0;
	t->manners.close_data_in = one_in(2) ? 2 : 0;
}

void group_systems(void)
{
	for (int i = 0; i < world.n_takers; i++)
		make_unsteady(&world.takers[i]);
	if (one_in(2))
		return;
	/* some are refused while others are still being told */
	world.handover_ms = between(500, 2000);
	each_system(make_slow_at_the_dot);
	for (int i = 0; i < world.n_splitmails; i++) {
		struct manners *store = &world.takers[store_of(i)].manners;

		store->later_in = 2;
		store->dot_ms = 6000;
	}
}

void group_persons(void)
{
	fill_mailboxes(3);
}

static bool is_with_the_first(const struct person *p)
{
	return is_user(p) && p->home == peer_taker(0);
}

/* A mail has several for one system, by groups and besides. */
void group_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_spread, 2);
	for (int i = 0; i < RECIPIENTS / 2; i++)
		add_in_front(is_with_the_first);
}

/* ---- knots: each group is a member of the one before, the first of the last.
 * A server that is away for a while lets members wait in the others. ---- */

enum { KNOT_AWAY_MS = 40000 };

static bool is_knot(const struct person *p)
{
	return p->local[0] == 'k';
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
	for (int i = 0; i < world.n_clients; i++)
		send_often(&world.clients[i], KNOT_AWAY_MS);
	add_event(EVENT_RESTART, below(world.n_splitmails), between(2000, 8000),
		  KNOT_AWAY_MS);
}

/* ---- hiccups: a mailbox says 4xx now and then, or for a while, and is tried
 * again soon, though the same mail waits for a system that says 4xx for minutes.
 * Who lives in both places meanwhile has a half that waits in each. ---- */

enum { HICCUPS_MS = 15000, HICCUPS_END_MS = 40000 };

static bool is_in_two(const struct person *p)
{
	return p->also >= 0;
}

/* Some live in both, for the time being. */
void hiccup_persons(void)
{
	for (int i = 0; i < world.n_persons; i++) {
		struct person *p = &world.persons[i];

		if (is_user(p) && p->home == 0 && p->also < 0 && one_in(3))
			p->also = peer_taker(0);
	}
}

static void settle_some(void)
{
	for (int i = 0; i < world.n_persons && world.n_events < EVENTS; i++) {
		const struct person *p = &world.persons[i];

		if (p->also >= 0 && one_in(2))
			add_event(EVENT_SETTLE, i, between(1000, HICCUPS_MS), 0)
				->to = one_in(2) ? p->home : p->also;
	}
}

void hiccup_systems(void)
{
	world.retry_min_s = between(200, 300);
	world.retry_max_s = world.retry_min_s + between(0, 100);
	for (int i = 0; i < world.n_splitmails; i++)
		world.takers[store_of(i)].manners.later_in =
			(uint64_t)between(1, 2);
	each_system(make_always_late);
}

void hiccup_mails(int64_t window_ms)
{
	(void)window_ms;
	add_in_front(is_elsewhere);
	lead_to(is_in_two, 3);
	send_before(HICCUPS_MS);
	settle_some();
	world.calm_ms = HICCUPS_END_MS;
}

/* ---- halves: who waits for his mailbox gets a second home, whose system takes
 * its half at once, while the mailbox is slow; and then the server crashes.  What
 * was known of either half by then is known afterwards. ---- */

enum { HALVES_MS = 15000, HALVES_END_MS = 50000 };

static bool is_here_alone(const struct person *p)
{
	return is_user(p) && p->home == 0 && p->also < 0 && !p->is_disabled;
}

void half_systems(void)
{
	struct manners *store = &world.takers[store_of(0)].manners;

	world.handover_ms = between(1000, 4000);
	store->later_in = one_in(2) ? 3 : 0;
	store->dot_later_in = one_in(2) ? 3 : 0;
	store->dot_ms = between(8000, 20000);
}

void half_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_here_alone, 2);
	send_before(HALVES_MS);
	add_event(EVENT_STORE_DIES, store_of(0), 1, HALVES_MS);
	for (int i = 0; i < world.n_persons && world.n_events < EVENTS / 2; i++)
		if (is_here_alone(&world.persons[i]))
			add_event(EVENT_BOTH, i, between(1000, HALVES_MS), 0)
				->to = peer_taker(0);
	for (int i = 2 + below(4); i > 0; i--)
		add_event(one_in(2) ? EVENT_POWER_CUT : EVENT_KILL, 0,
			  between(HALVES_MS, HALVES_END_MS),
			  between(200, 2000));
	world.has_crashes = true;
}
