/*
 * Who leads to whom, and what may have kept a mail from somebody
 * (judge_inside.h).
 */
#include "judge_inside.h"

bool was_stepped(const struct way *w, int person)
{
	for (int i = 0; i < w->n; i++)
		if (w->steps[i] == person)
			return true;
	return false;
}

int instead_of(const struct person *p)
{
	return str_same(str_of(p->domain), S(DOMAIN))
		       ? world.splitmails[0].catch_all
		       : -1;
}

/* Since the mail was begun, or shortly before?  Systems remember for half a
 * minute that they were told no. */
static bool is_recent(const struct unit *u, int64_t changed_ms)
{
	return changed_ms && changed_ms >= u->begun_ms - REMEMBERED_MS;
}

static void follow(const struct unit *u, struct way w, int person,
		   const struct asked *a)
{
	const struct person *p = &world.persons[person];
	int instead = instead_of(p);

	if (was_stepped(&w, person))
		return;
	w.steps[w.n++] = person;
	if (p->is_disabled && p->changed_ms < u->begun_ms) {
		a->about(a->arg, u, &w);
		return;
	}
	if (p->kind == PERSON_NOBODY && instead >= 0) {
		follow(u, w, instead, a);
		return;
	}
	for (int i = 0; i < p->n_members; i++) {
		struct way on = w;

		on.is_sure &= p->member_since_ms[i] < u->begun_ms;
		on.is_new |= is_recent(u, p->member_since_ms[i]);
		follow(u, on, p->members[i], a);
	}
	if (p->n_members == 0 || p->keeps_copy)
		a->about(a->arg, u, &w);
}

void ways_of(const struct unit *u, int i, struct asked a)
{
	follow(u, (struct way){ .is_sure = true }, u->to[i], &a);
}

int end_of(const struct way *w)
{
	return w->steps[w->n - 1];
}

static bool passes_a_list(const struct way *w)
{
	for (int i = 0; i < w->n; i++)
		if (world.persons[w->steps[i]].kind == PERSON_GROUP &&
		    !is_at_splitmail(world.persons[w->steps[i]].home))
			return true;
	return false;
}

static void count_way(void *arg, const struct unit *u, const struct way *w)
{
	struct counting *c = arg;

	(void)u;
	if (end_of(w) != c->person)
		return;
	c->ways++;
	c->by_lists += passes_a_list(w);
	if ((unsigned)w->n > c->addresses)
		c->addresses = (unsigned)w->n;
}

struct counting ways_to(const struct unit *u, int person)
{
	struct counting c = { .person = person };

	for (int i = 0; i < u->n; i++)
		if (u->codes[i] < 400 && !u->is_struck[i])
			ways_of(u, i, (struct asked){ count_way, &c });
	return c;
}

bool goes_round(int person)
{
	bool strips = false;

	for (int i = 0; i < world.n_takers; i++)
		strips |= world.takers[i].strips_trail;
	return strips && world.persons[person].kind == PERSON_NOBODY;
}

/* Groups that are members of one another.  Whose mail comes round through a
 * server that does not know that he is a group, is refused there as a loop, and
 * told: his members have it. */
bool comes_round(int person)
{
	unsigned seen = 0, more = 1u << person;

	while (more & ~seen) {
		int who = __builtin_ctz(more & ~seen);
		const struct person *p = &world.persons[who];

		seen |= 1u << who;
		for (int i = 0; i < p->n_members; i++) {
			if (p->members[i] == person)
				return true;
			more |= 1u << p->members[i];
		}
	}
	return false;
}

struct leading {
	int person;
	bool does;
};

static void look_for_end(void *arg, const struct unit *u, const struct way *w)
{
	struct leading *l = arg;

	(void)u;
	l->does |= end_of(w) == l->person;
}

bool leads_to(const struct unit *u, int i, int person)
{
	struct leading l = { .person = person };

	ways_of(u, i, (struct asked){ look_for_end, &l });
	return l.does;
}

static void look_for_step(void *arg, const struct unit *u, const struct way *w)
{
	struct leading *l = arg;

	(void)u;
	l->does |= was_stepped(w, l->person);
}

bool ways_step_on(const struct unit *u, int i, int person)
{
	struct leading l = { .person = person };

	ways_of(u, i, (struct asked){ look_for_step, &l });
	return l.does;
}

/* ---- causes ---- */

static bool is_gone(const struct person *p)
{
	for (int i = 0; i < p->n_homes; i++)
		if (p->homes[i] >= 0 && world.takers[p->homes[i]].is_gone)
			return true;
	return p->also >= 0 && world.takers[p->also].is_gone;
}

/* What he hands in himself is not given back to him. */
static bool came_from_home(const struct unit *u, const struct person *p)
{
	int system = world.clients[u->client].system;

	for (int i = 0; i < p->n_homes; i++)
		if (system >= 0 && p->homes[i] == system)
			return true;
	return system >= 0 && p->also == system;
}

static void look_for_second(void *arg, const struct unit *u,
			    const struct way *w)
{
	bool *is_there = arg;

	(void)u;
	for (int i = 0; i < w->n; i++)
		*is_there |= str_same(str_of(world.persons[w->steps[i]].domain),
				      S(SECOND));
}

/* Whom a mail is too large for, it is for those who are in it with him. */
static bool is_too_large_for_some(const struct unit *u)
{
	bool is_there = false;

	for (int i = 0; i < u->n && u->bytes > SECOND_BYTES; i++)
		ways_of(u, i, (struct asked){ look_for_second, &is_there });
	return is_there;
}

/* Is he a cause why somebody does not get it? */
static bool bars(const struct unit *u, int person)
{
	const struct person *p = &world.persons[person];

	return (u->known >> person & 1) || p->is_full || p->is_disabled ||
	       is_recent(u, p->changed_ms) || p->kind == PERSON_NOBODY ||
	       is_gone(p) || came_from_home(u, p) || is_too_large_for_some(u);
}

bool way_is_barred(const struct unit *u, const struct way *w)
{
	for (int i = 0; i < w->n; i++)
		if (bars(u, w->steps[i]))
			return true;
	return false;
}

/* By an administrator, while it waited for somebody on it. */
static bool was_given_up(const struct unit *u, const struct way *w)
{
	for (int i = 0; i < w->n; i++)
		if (world.persons[w->steps[i]].given_up_ms >= u->begun_ms)
			return true;
	return false;
}

bool was_deleted(const struct unit *u, const struct way *w)
{
	for (int i = 0; i < w->n; i++)
		if (world.persons[w->steps[i]].given_up_ms >= u->begun_ms &&
		    world.persons[w->steps[i]].is_deleted)
			return true;
	return false;
}

bool way_may_fail(const struct unit *u, const struct way *w)
{
	return world.may_expire || way_is_barred(u, w) || was_given_up(u, w);
}

/* What was promised before waits for it. */
bool was_out_of_domain(const struct unit *u, int i)
{
	return unit_says_alias(u, i) && world.alias_gone_ms &&
	       (!u->ended_ms || u->ended_ms >= world.alias_gone_ms) &&
	       (!world.alias_back_ms || u->begun_ms <= world.alias_back_ms);
}

bool may_leave_for_good(const struct unit *u, int person)
{
	for (int i = 0; i < u->n; i++)
		if (u->to[i] == person && was_out_of_domain(u, i))
			return unit_may_leave(u);
	return false;
}

static void look_for_bars(void *arg, const struct unit *u, const struct way *w)
{
	bool *is_open = arg;

	*is_open |= !w->is_new && !way_is_barred(u, w);
}

bool may_be_refused(const struct unit *u, int i)
{
	bool is_open = false;

	ways_of(u, i, (struct asked){ look_for_bars, &is_open });
	return !is_open || was_out_of_domain(u, i);
}
