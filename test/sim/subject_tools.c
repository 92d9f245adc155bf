/* What subjects are made of (subject_inside.h). */
#include "subject_inside.h"

#include <string.h>

#include "draw.h"

/* ---- mails, and to whom ---- */

static bool has_recipient(const struct mail *m, int who)
{
	for (int i = 0; i < m->n; i++)
		if (m->to[i] == who)
			return true;
	return false;
}

int draw_person(bool (*wanted)(const struct person *))
{
	int some[PERSONS], n = 0;

	for (int i = 0; i < world.n_persons; i++)
		if (wanted(&world.persons[i]))
			some[n++] = i;
	return n ? some[below(n)] : -1;
}

/* Nobody's system sends him his own mail through us. */
static bool may_send_to(const struct client *c, int who)
{
	const struct person *p = &world.persons[who];

	return c->system < 0 || (p->home != c->system && p->also != c->system);
}

void lead_to(bool (*wanted)(const struct person *), uint64_t in)
{
	for (int i = 0; i < world.n_clients; i++)
		for (int k = 0; k < world.clients[i].n; k++) {
			struct mail *m = &world.clients[i].mails[k];
			int who = draw_person(wanted);

			for (int r = 0; r < m->n && who >= 0; r++)
				if (one_in(in) && !has_recipient(m, who) &&
				    may_send_to(&world.clients[i], who))
					m->to[r] = who;
		}
}

void add_in_front(bool (*wanted)(const struct person *))
{
	for (int i = 0; i < world.n_clients; i++)
		for (int k = 0; k < world.clients[i].n; k++) {
			struct mail *m = &world.clients[i].mails[k];
			int who = draw_person(wanted);

			if (m->n == 0 || m->n == RECIPIENTS || who < 0 ||
			    has_recipient(m, who) ||
			    !may_send_to(&world.clients[i], who))
				continue;
			memmove(m->to + 1, m->to,
				(size_t)m->n * sizeof(m->to[0]));
			m->to[0] = who;
			m->n++;
		}
}

void enlarge_mails(uint64_t in)
{
	for (int i = 0; i < world.n_clients; i++)
		for (int k = 0; k < world.clients[i].n; k++)
			if (one_in(in))
				world.clients[i].mails[k].bytes =
					(uint32_t)between(100000, 200000);
}

void send_before(int64_t end_ms)
{
	for (int i = 0; i < world.n_clients; i++)
		for (int k = 0; k < world.clients[i].n; k++)
			world.clients[i].mails[k].at_ms %= end_ms;
}

void send_often(struct client *c, int64_t end_ms)
{
	for (int n = c->n; n > 0 && c->n < MAILS; c->n++) {
		c->mails[c->n] = c->mails[c->n % n];
		c->mails[c->n].at_ms = between(1000, end_ms);
	}
}

bool is_user(const struct person *p)
{
	return p->kind == PERSON_USER;
}

bool is_elsewhere(const struct person *p)
{
	return (is_user(p) || (p->kind == PERSON_FORWARDER && p->keeps_copy)) &&
	       !is_at_splitmail(p->home);
}

bool is_full_here(const struct person *p)
{
	return p->is_full && is_at_splitmail(p->home);
}

bool is_nobody(const struct person *p)
{
	return p->kind == PERSON_NOBODY;
}

bool is_asked_about(const struct person *p)
{
	return is_nobody(p) || (is_elsewhere(p) && p->is_unlisted);
}

bool is_spread(const struct person *p)
{
	return p->n_members > 0;
}

void add_member(struct person *g, int who)
{
	for (int i = 0; i < g->n_members; i++)
		if (g->members[i] == who)
			return;
	if (who >= 0 && g->n_members < MEMBERS)
		g->members[g->n_members++] = who;
}

/* ---- systems ---- */

void each_system(void (*change)(struct taker *t))
{
	for (int i = world.n_splitmails; i < world.n_takers; i++)
		change(&world.takers[i]);
}

void make_slow(struct taker *t)
{
	struct manners *c = &t->manners;

	switch (below(4)) {
	case 0:
		c->greet_ms = 60000;
		break;
	case 1:
		c->dot_ms = 40000;
		break;
	case 2:
		c->answer_ms = 10000;
		break;
	default:
		c->later_in = 2;
		c->dot_later_in = 3;
	}
}

void make_slow_at_the_dot(struct taker *t)
{
	t->manners.dot_ms = 30000;
}

void make_a_little_slow(struct taker *t)
{
	t->manners.dot_ms = 4000;
}

void make_always_late(struct taker *t)
{
	t->manners.later_in = 1;
}

void fill_mailboxes(uint64_t in)
{
	for (int i = 0; i < world.n_persons; i++)
		world.persons[i].is_full |=
			is_user(&world.persons[i]) && one_in(in);
}

void hide_persons(void)
{
	for (int i = 0; i < world.n_persons; i++)
		world.persons[i].is_unlisted |=
			world.persons[i].kind == PERSON_USER &&
			world.persons[i].home == peer_taker(0);
}

void ask_the_peer(void)
{
	world.splitmails[0].catch_all = -1;
	world.splitmails[0].asks_peer = true;
}

/* ---- mishaps ---- */

struct event *add_event(enum event_kind kind, int of, int64_t at_ms,
			int64_t lasts_ms)
{
	struct event *e = &world.events[world.n_events++];

	*e = (struct event){
		.kind = kind, .of = of, .at_ms = at_ms, .lasts_ms = lasts_ms
	};
	if (at_ms + lasts_ms > world.calm_ms)
		world.calm_ms = at_ms + lasts_ms;
	return e;
}

/* Of the moves and the absence what waits, and for how long, is the subject. */
static bool may_be_held(void)
{
	return !world.is_peaceful && world.n_events < EVENTS &&
	       world.subject != ABOUT_MOVES && world.subject != ABOUT_ABSENCE;
}

static bool is_much_kept(void)
{
	return world.subject == ABOUT_WAITING ||
	       world.subject == ABOUT_GROUPS || world.subject == ABOUT_DISKS;
}

/* Somebody elsewhere, the DICEth; -1: nobody. */
static int who_waits(uint64_t dice)
{
	int some[PERSONS], n = 0;

	for (int i = 0; i < world.n_persons; i++)
		if (is_elsewhere(&world.persons[i]))
			some[n++] = i;
	return n ? some[dice % (uint64_t)n] : -1;
}

/* Not drawn: a world without them is the one it was. */
void subject_add_holds(int64_t window_ms)
{
	uint64_t dice = world.seed * 37 % 100003;
	int64_t at_ms = 2000 + (int64_t)(dice * 101) % window_ms;
	struct event *e;

	if (!may_be_held() || dice % (is_much_kept() ? 2 : 4))
		return;
	e = add_event(EVENT_HOLD, (int)(dice / 4) % world.n_splitmails, at_ms,
		      1000 + (int64_t)(dice * 7) % 20000);
	e->to = dice / 16 % 2 ? -1 : who_waits(dice / 32);
}

/* Not drawn, either. */
void subject_add_orders(int64_t window_ms)
{
	uint64_t dice = world.seed * 53 % 100043;
	int who = who_waits(dice / 16);

	if (!may_be_held() || who < 0 || dice % (is_much_kept() ? 3 : 6))
		return;
	add_event(EVENT_GIVE_UP, (int)(dice / 7) % world.n_splitmails,
		  2000 + (int64_t)(dice * 107) % window_ms, 0);
	world.events[world.n_events - 1].to = who;
	world.events[world.n_events - 1].number = (int64_t)(dice / 8) % 2;
}

/* Of one server, which alone says whose the domain is.  Not drawn, either. */
void subject_add_mistakes(int64_t window_ms)
{
	uint64_t dice = world.seed * 43 % 100019;

	if (!may_be_held() || !world.has_alias || world.n_splitmails > 1 ||
	    (!is_much_kept() && dice % 2))
		return;
	add_event(EVENT_ALIAS, 0, 2000 + (int64_t)(dice * 103) % window_ms,
		  20000 + (int64_t)(dice * 11) % 60000);
}
