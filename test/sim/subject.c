/* What a world is about (subject.h): each changes what was drawn. */
#include "subject_inside.h"

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

/* Who does the same at the same instant. */
static void copy_mails(int to, int from)
{
	struct client *c = &world.clients[to], *like = &world.clients[from];

	if (c->system >= 0 || like->system >= 0)
		return;
	memcpy(c->mails, like->mails, sizeof(c->mails));
	c->n = like->n;
	c->pipelines = like->pipelines;
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

static void lead_to_the_slow(void)
{
	lead_to(is_elsewhere, 3);
	enlarge_mails(3);
}

static void wait_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to_the_slow();
}

static void keep_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to_the_slow();
	enlarge_mails(2);
	world.cut_in = (uint64_t)between(1, 4);
	world.has_crashes = true;
}

static void disk_persons(void)
{
	fill_mailboxes(4);
}

static void add_disk_trouble(int64_t at_ms, int64_t lasts_ms)
{
	add_event(one_in(3) ? EVENT_DISK_FULL : EVENT_DISK_ERRORS,
		  below(world.n_splitmails), at_ms, lasts_ms)
		->number = one_in(2) ? between(2, 8) : between(8, 40);
}

/* What waited for who was away is ordered when he is back, and the disk fails
 * where it is read, just then: nothing else brings that mail to mind. */
static void order_unread(int64_t window_ms)
{
	int64_t at_ms = window_ms + 2000;

	world.retry_min_s = world.retry_max_s = between(100, 200);
	world.has_crashes = true;
	for (int i = 0; i < world.n_peers; i++)
		add_event(EVENT_PEER_DIES, peer_taker(i), 1, window_ms);
	for (int i = 0; i < world.n_splitmails; i++) {
		struct event *e;

		add_event(EVENT_HOLD, i, at_ms, 1)->to = -1;
		e = add_event(EVENT_DISK_ERRORS, i, at_ms + between(0, 500),
			      between(1000, 10000));
		e->to = true;
		e->number = between(2, 12);
	}
}

static void disk_mails(int64_t window_ms)
{
	lead_to_the_slow();
	world.has_disk_trouble = true;
	if (one_in(2)) {
		order_unread(window_ms);
		return;
	}
	add_disk_trouble(3000, window_ms);
	world.events[world.n_events - 1].to = one_in(2);
	/* what was in memory has to be read again */
	for (int i = below(4); i > 0; i--)
		add_event(EVENT_RESTART, below(world.n_splitmails),
			  between(5000, window_ms), between(200, 3000));
}

/* Again and again for a moment: what is begun in one ends in better ones. */
static void gust_mails(int64_t window_ms)
{
	lead_to_the_slow();
	enlarge_mails(2);
	add_in_front(is_full_here);
	for (int i = 0; i < world.n_clients; i++)
		send_often(&world.clients[i], window_ms);
	world.has_disk_trouble = true;
	for (int i = 0; i < EVENTS; i++)
		add_disk_trouble(between(3000, window_ms), between(300, 3000));
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

/* ---- what comes back ---- */

enum { LISTS = 2 };

static bool is_at_home_here(const struct person *p)
{
	return is_user(p) && is_at_splitmail(p->home) && p->also < 0;
}

static bool is_list(const struct person *p)
{
	return p->kind == PERSON_GROUP && !is_at_splitmail(p->home);
}

static void back_systems(void)
{
	struct taker *t = &world.takers[peer_taker(0)];

	for (t->kind = 0; t->kind < neighbours_kinds(); t->kind++)
		if (strstr(neighbour_kind(t->kind), "forwards unknown"))
			break;
	check(t->kind < neighbours_kinds());
	t->by_gateway = one_in(2);
	t->strips_trail = one_in(4);
}

/* Lists of that system, whose members are here: it sends to them what comes for
 * the list.  One is not known here, and goes there with addresses that nobody has,
 * so that those come back in one mail with its members. */
static void back_persons(void)
{
	question_persons();
	for (int i = 0; i < LISTS; i++) {
		struct person *p =
			add_person(PERSON_GROUP, 'l', i, peer_taker(0));

		p->keeps_copy = true;
		p->is_unlisted = i == 0;
		for (int k = 1 + below(3); k > 0; k--)
			add_member(p, draw_person(is_at_home_here));
	}
}

static void back_mails(int64_t window_ms)
{
	(void)window_ms;
	lead_to(is_nobody, 3);
	lead_to(is_list, 3);
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
	for (int i = 1; i < world.n_clients; i++)
		copy_mails(i, 0);
}

/* ---- much is kept in one instant, as a clock believes that stands ---- */

static void instant_systems(void)
{
	world.n_clients = CLIENTS;
	each_system(make_always_late);
}

static void instant_mails(int64_t window_ms)
{
	lead_to(is_elsewhere, 1);
	for (int i = 0; i < world.n_clients; i++)
		send_often(&world.clients[i], window_ms);
	add_event(EVENT_CLOCK_STANDS, 0, 1000, window_ms);
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

/* ---- limits ---- */

static void limit_systems(void)
{
	world.has_second = true;
	for (int i = 0; i < world.n_peers; i++)
		if (one_in(2))
			world.takers[peer_taker(i)]
				.manners.recipients_per_mail =
				(unsigned)between(2, 3);
	world.takers[internet()].manners.limit_in = (uint64_t)between(2, 3);
	for (int i = 0; i < world.n_peers; i++)
		world.takers[peer_taker(i)].manners.limit_in =
			one_in(2) ? 3 : 0;
}

/* ---- who was disabled for a while: what others have heard of him then they
 * forget, and he gets mail again ---- */

enum { DISABLED_MS = 30000, BACK_MS = 150000, AGAIN_MS = 400000 };

static void return_systems(void)
{
	for (int i = 1; i < world.n_splitmails; i++)
		world.splitmails[i].role = ROLE_SLAVE;
}

static void send_once_more(struct client *c)
{
	for (int i = c->n - 1; i >= 0 && c->n < MAILS; i--) {
		c->mails[c->n] = c->mails[i];
		c->mails[c->n++].at_ms = between(BACK_MS, AGAIN_MS);
	}
}

static void return_mails(int64_t window_ms)
{
	(void)window_ms;
	send_before(DISABLED_MS);
	for (int i = 0; i < world.n_persons && world.n_events < EVENTS; i++)
		if (is_user(&world.persons[i]) &&
		    !world.persons[i].is_disabled && one_in(2))
			add_event(EVENT_DISABLE, i, between(1000, DISABLED_MS),
				  between(1000, DISABLED_MS));
	for (int i = 0; i < world.n_clients; i++)
		send_once_more(&world.clients[i]);
}

/* ---- which ---- */

static const struct about abouts[SUBJECTS] = {
	[ABOUT_NOTHING] = { .name = "nothing" },
	[ABOUT_WAITING] = { "waiting", 1, 2, 1, 2, PLAIN, wait_systems, NULL,
			    wait_mails },
	[ABOUT_KEEPING] = { "keeping", 1, 2, 1, 2, PLAIN, wait_systems, NULL,
			    keep_mails },
	[ABOUT_DISKS] = { "disks", 1, 2, 1, 2, PLAIN, wait_systems,
			  disk_persons, disk_mails },
	[ABOUT_GUSTS] = { "gusts", 1, 1, 1, 2, PLAIN, wait_systems,
			  disk_persons, gust_mails },
	[ABOUT_STOPS] = { "stops", 1, 2, 1, 2, PLAIN, stop_systems, NULL,
			  stop_mails },
	[ABOUT_QUESTIONS] = { "questions", 1, 3, 1, 2, AS_DRAWN,
			      question_systems, question_persons,
			      question_mails },
	[ABOUT_RINGS] = { "rings", 2, 4, 0, 0, AS_DRAWN, ring_systems, NULL,
			  nobody_mails },
	[ABOUT_BACK] = { "what comes back", 1, 2, 1, 2, PEACEFUL, back_systems,
			 back_persons, back_mails },
	[ABOUT_HOSTS] = { "silent hosts", 1, 2, 1, 2, PEACEFUL, host_systems,
			  question_persons, question_mails },
	[ABOUT_TWINS] = { "twins", 1, 2, 1, 2, PEACEFUL, twin_systems, NULL,
			  twin_mails },
	[ABOUT_INSTANTS] = { "instants", 1, 1, 1, 2, PLAIN, instant_systems,
			     NULL, instant_mails },
	[ABOUT_MOVES] = { "moves", 1, 2, 2, 3, PLAIN, move_systems, NULL,
			  move_mails },
	[ABOUT_ABSENCE] = { "absence", 1, 1, 1, 2, PLAIN, absence_systems, NULL,
			    absence_mails },
	[ABOUT_GROUPS] = { "groups", 1, 1, 1, 3, PLAIN, group_systems,
			   group_persons, group_mails },
	[ABOUT_KNOTS] = { "knots", 2, 3, 0, 1, PLAIN, NULL, knot_persons,
			  knot_mails },
	[ABOUT_HICCUPS] = { "hiccups", 1, 1, 1, 2, PLAIN, hiccup_systems,
			    hiccup_persons, hiccup_mails },
	[ABOUT_HALVES] = { "halves", 1, 1, 1, 2, PLAIN, half_systems, NULL,
			   half_mails },
	[ABOUT_LIMITS] = { "limits", 1, 2, 0, 2, PLAIN, limit_systems, NULL,
			   group_mails },
	[ABOUT_RETURNS] = { "returns", 2, 3, 0, 2, PLAIN, return_systems, NULL,
			    return_mails },
};

static const struct about *about(void)
{
	return &abouts[world.subject];
}

const char *subject_name(void)
{
	return world.n_filters ? "filters" : about()->name;
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
