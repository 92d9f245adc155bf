/* What a world is about (subject.h): each changes what was drawn. */
#include "subject.h"

#include <string.h>

#include "draw.h"
#include "neighbour.h"

/* Of a subject.  PLAIN: nothing else goes wrong.  PEACEFUL: all is answered. */
enum temper {
	AS_DRAWN,
	PLAIN,
	PEACEFUL,
};

/* So many Splitmails and peers there are at least and at most. */
struct about {
	const char *name;
	int least_splitmails, most_splitmails, least_peers, most_peers;
	enum temper temper;
	void (*systems)(void);
	void (*persons)(void);
	void (*mails)(int64_t window_ms);
};

/* ---- mails, and to whom ---- */

static bool has_recipient(const struct mail *m, int who)
{
	for (int i = 0; i < m->n; i++)
		if (m->to[i] == who)
			return true;
	return false;
}

/* One that is WANTED; -1: there is none. */
static int draw_person(bool (*wanted)(const struct person *))
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

/* One in so many recipients is WANTED. */
static void lead_to(bool (*wanted)(const struct person *), uint64_t in)
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

static void enlarge_mails(uint64_t in)
{
	for (int i = 0; i < world.n_clients; i++)
		for (int k = 0; k < world.clients[i].n; k++)
			if (one_in(in))
				world.clients[i].mails[k].bytes =
					(uint32_t)between(100000, 200000);
}

static void send_before(int64_t end_ms)
{
	for (int i = 0; i < world.n_clients; i++)
		for (int k = 0; k < world.clients[i].n; k++)
			world.clients[i].mails[k].at_ms %= end_ms;
}

static bool is_elsewhere(const struct person *p)
{
	return p->kind == PERSON_USER && !is_at_splitmail(p->home);
}

static bool is_nobody(const struct person *p)
{
	return p->kind == PERSON_NOBODY;
}

/* Whom the first Splitmail asks a system about. */
static bool is_asked_about(const struct person *p)
{
	return is_nobody(p) || (is_elsewhere(p) && p->is_unlisted);
}

static bool is_spread(const struct person *p)
{
	return p->n_members > 0;
}

/* ---- systems ---- */

static void each_system(void (*change)(struct taker *t))
{
	for (int i = world.n_splitmails; i < world.n_takers; i++)
		change(&world.takers[i]);
}

/* Slower than a client is made to wait. */
static void make_slow(struct taker *t)
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

static void make_slow_at_the_dot(struct taker *t)
{
	t->manners.dot_ms = 30000;
}

static void make_a_little_slow(struct taker *t)
{
	t->manners.dot_ms = 4000;
}

static void hide_persons(void)
{
	for (int i = 0; i < world.n_persons; i++)
		world.persons[i].is_unlisted |=
			world.persons[i].kind == PERSON_USER &&
			world.persons[i].home == peer_taker(0);
}

static void ask_the_peer(void)
{
	world.splitmails[0].catch_all = -1;
	world.splitmails[0].asks_peer = true;
}

/* ---- waiting, keeping, disks, stops ---- */

static void wait_systems(void)
{
	world.handover_ms = between(1500, 4000);
	world.retry_min_s = between(3, 8);
	world.retry_max_s = world.retry_min_s + between(0, 20);
	each_system(make_slow);
	world.takers[0].manners.later_in = one_in(2) ? 2 : 0;
}

static void wait_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_elsewhere, 3);
	enlarge_mails(3);
}

static void keep_mails(int64_t window_ms)
{
	wait_mails(window_ms);
	enlarge_mails(2);
	world.cut_in = (uint64_t)between(1, 4);
	world.has_crashes = true;
}

static struct event *add_event(enum event_kind kind, int of, int64_t at_ms,
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

static void disk_mails(int64_t window_ms)
{
	int at = below(world.n_splitmails);

	wait_mails(window_ms);
	add_event(one_in(3) ? EVENT_DISK_FULL : EVENT_DISK_ERRORS, at, 3000,
		  window_ms)
		->number = one_in(2) ? between(2, 8) : between(8, 40);
	world.has_disk_trouble = true;
}

static void stop_systems(void)
{
	world.handover_ms = between(500, 4000);
	each_system(make_slow_at_the_dot);
}

static void stop_mails(int64_t window_ms)
{
	lead_to(is_elsewhere, 2);
	for (int i = 2 + below(4); i > 0; i--)
		add_event(EVENT_RESTART, below(world.n_splitmails),
			  between(3000, window_ms), between(200, 5000));
}

/* ---- questions ---- */

static void question_systems(void)
{
	world.has_second = true;
	if (world.is_peaceful)
		return;
	for (int i = 0; i < world.n_peers; i++)
		world.takers[peer_taker(i)].manners.answer_ms =
			one_in(2) ? 12000 : 7000;
}

static void question_persons(void)
{
	ask_the_peer();
	hide_persons();
}

static void question_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_asked_about, 2);
}

static void ring_systems(void)
{
	for (int i = 0; i < world.n_splitmails; i++)
		world.splitmails[i].role = ROLE_SLAVE;
}

static void nobody_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_nobody, 3);
}

static void back_systems(void)
{
	struct taker *t = &world.takers[peer_taker(0)];

	for (t->kind = 0; t->kind < neighbours_kinds(); t->kind++)
		if (strstr(neighbour_kind(t->kind), "forwards unknown"))
			break;
	check(t->kind < neighbours_kinds());
	t->by_gateway = one_in(2);
}

static void host_systems(void)
{
	for (int i = 0; i < world.n_peers; i++)
		world.takers[peer_taker(i)].has_silent_host = true;
}

/* ---- twins ---- */

static void twin_systems(void)
{
	world.handover_ms = between(200, 900);
	each_system(make_a_little_slow);
	sim_link_default()->jitter_us = 0;
}

static void twin_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_elsewhere, 2);
	for (int i = 1; i < world.n_clients; i++) {
		struct client *c = &world.clients[i];

		if (c->system >= 0 || world.clients[0].system >= 0)
			continue;
		memcpy(c->mails, world.clients[0].mails, sizeof(c->mails));
		c->n = world.clients[0].n;
		c->pipelines = world.clients[0].pipelines;
	}
}

/* ---- those who leave, and who is away ---- */

enum { LEAVE_MS = 25000, STAY_AWAY_MS = 200000, ABSENCE_MS = 200000000 };

static void move_systems(void)
{
	world.retry_min_s = world.retry_max_s = between(300, 350);
}

static int who_is_away(void)
{
	return peer_taker(world.n_peers - 1);
}

static bool is_away(const struct person *p)
{
	return p->kind == PERSON_USER && p->home == who_is_away();
}

static void move_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_away, 2);
	send_before(LEAVE_MS - 2000);
	add_event(EVENT_PEER_DIES, who_is_away(), 1, STAY_AWAY_MS);
	for (int i = 0; i < world.n_persons && world.n_events < EVENTS; i++)
		if (is_away(&world.persons[i]) && world.persons[i].also < 0)
			add_event(EVENT_MOVE, i,
				  between(LEAVE_MS, 2 * LEAVE_MS), 0)
				->to = below(who_is_away());
	world.has_crashes = true;
}

static void make_always_late(struct taker *t)
{
	t->manners.later_in = 1;
}

static void absence_systems(void)
{
	each_system(make_always_late);
	world.retry_max_s = world.retry_min_s = between(5, 20);
}

static void absence_mails(int64_t window_ms)
{
	lead_to(is_elsewhere, 2);
	add_event(EVENT_POWER_CUT, 0, between(window_ms / 2, window_ms),
		  ABSENCE_MS);
	world.calm_ms += 60000;
	world.has_crashes = true;
	world.expiry_s = 100000;
}

/* ---- groups, and limits ---- */

static void group_systems(void)
{
	for (int i = 0; i < world.n_takers; i++)
		world.takers[i].manners.later_in = one_in(2) ? 2 : 0;
}

static void group_persons(void)
{
	for (int i = 0; i < world.n_persons; i++)
		world.persons[i].is_full |=
			world.persons[i].kind == PERSON_USER && one_in(3);
}

static void group_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_spread, 2);
}

static void limit_systems(void)
{
	world.takers[internet()].manners.limit_in = (uint64_t)between(2, 3);
	for (int i = 0; i < world.n_peers; i++)
		world.takers[peer_taker(i)].manners.limit_in =
			one_in(2) ? 3 : 0;
}

/* ---- which ---- */

static const struct about abouts[SUBJECTS] = {
	[ABOUT_NOTHING] = { .name = "nothing" },
	[ABOUT_WAITING] = { "waiting", 1, 2, 1, 2, PLAIN, wait_systems, NULL,
			    wait_mails },
	[ABOUT_KEEPING] = { "keeping", 1, 2, 1, 2, PLAIN, wait_systems, NULL,
			    keep_mails },
	[ABOUT_DISKS] = { "disks", 1, 2, 1, 2, PLAIN, wait_systems, NULL,
			  disk_mails },
	[ABOUT_STOPS] = { "stops", 1, 2, 1, 2, PLAIN, stop_systems, NULL,
			  stop_mails },
	[ABOUT_QUESTIONS] = { "questions", 1, 3, 1, 2, AS_DRAWN,
			      question_systems, question_persons,
			      question_mails },
	[ABOUT_RINGS] = { "rings", 2, 4, 0, 0, AS_DRAWN, ring_systems, NULL,
			  nobody_mails },
	[ABOUT_BACK] = { "what comes back", 1, 2, 1, 2, PEACEFUL, back_systems,
			 question_persons, nobody_mails },
	[ABOUT_HOSTS] = { "silent hosts", 1, 2, 1, 2, PEACEFUL, host_systems,
			  question_persons, question_mails },
	[ABOUT_TWINS] = { "twins", 1, 2, 1, 2, PEACEFUL, twin_systems, NULL,
			  twin_mails },
	[ABOUT_MOVES] = { "moves", 1, 2, 2, 3, PLAIN, move_systems, NULL,
			  move_mails },
	[ABOUT_ABSENCE] = { "absence", 1, 1, 1, 2, PLAIN, absence_systems, NULL,
			    absence_mails },
	[ABOUT_GROUPS] = { "groups", 1, 1, 1, 3, PLAIN, group_systems,
			   group_persons, group_mails },
	[ABOUT_LIMITS] = { "limits", 1, 2, 0, 2, PLAIN, limit_systems, NULL,
			   group_mails },
};

static const struct about *about(void)
{
	return &abouts[world.subject];
}

const char *subject_name(void)
{
	return about()->name;
}

void subject_draw(void)
{
	world.subject = one_in(2) ? ABOUT_NOTHING : 1 + below(SUBJECTS - 1);
	if (world.subject == ABOUT_NOTHING)
		return;
	world.n_splitmails = (int)between(about()->least_splitmails,
					  about()->most_splitmails);
	world.n_peers = (int)between(about()->least_peers, about()->most_peers);
	world.has_ring = world.subject == ABOUT_RINGS;
	if (about()->temper == AS_DRAWN) {
		world.is_peaceful = one_in(2);
		world.is_plain = world.is_peaceful;
		return;
	}
	world.is_plain = true;
	world.is_peaceful = about()->temper == PEACEFUL;
	world.message_bytes = 1000000;
}

void subject_of_systems(void)
{
	if (about()->systems)
		about()->systems();
}

void subject_of_persons(void)
{
	if (about()->persons)
		about()->persons();
}

void subject_of_mails(int64_t window_ms)
{
	if (about()->mails)
		about()->mails(window_ms);
}
