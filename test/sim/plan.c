/*
 * Who there is, who has which address, what will go wrong: all of it is drawn
 * before anything happens.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "again.h"
#include "draw.h"
#include "filters.h"
#include "login.h"
#include "neighbour.h"
#include "subject.h"

enum { SETTLED_MS = 2000 };

struct world_of_mail world;

/* ---- chance ---- */

bool chance(uint64_t in)
{
	return !world.is_calm && sim_chance(in);
}

/* ---- names ---- */

/* Has P the address LOCAL@DOMAIN? */
static bool is_of(const struct person *p, struct str local, struct str domain)
{
	if (str_same_nocase(domain, S(ALIAS)))
		domain = S(DOMAIN);
	return str_same_nocase(local, str_of(p->local)) &&
	       str_same_nocase(domain, str_of(p->domain));
}

int person_at(struct str address)
{
	ptrdiff_t at = str_find_last(address, '@'), plus;
	struct str local, domain;

	if (at < 0)
		return -1;
	local = str_part(address, 0, (size_t)at);
	if (str_starts(local, S("\"")) && local.n > 1)
		local = str_part(local, 1, local.n - 1);
	domain = str_from(address, (size_t)at + 1);
	plus = str_find(local, '+');
	if (plus >= 0)
		local = str_part(local, 0, (size_t)plus);
	for (int i = 0; i < world.n_persons; i++)
		if (is_of(&world.persons[i], local, domain))
			return i;
	return -1;
}

void tell(const char *format, ...)
{
	char line[400];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	sim_tell("= %s", line);
}

/* ---- machines ---- */

static void draw_splitmail(int i)
{
	struct splitmail *s = &world.splitmails[i];

	*s = (struct splitmail){ .role = i == 0      ? ROLE_MASTER
					 : one_in(3) ? ROLE_MASTER
					 : one_in(2) ? ROLE_BOTH
						     : ROLE_SLAVE,
				 .lanes = 1 + below(2),
				 .wants_tls = one_in(6),
				 .catch_all = -1 };
	snprintf(s->name, sizeof(s->name), "s%d", i);
	snprintf(s->hostname, sizeof(s->hostname), "s%d.test", i);
	snprintf(s->address, sizeof(s->address), "192.0.2.%d", 10 + i);
	s->host = sim_host(s->name, s->address);
}

/* Some of what stock systems do; half of them do nothing of it. */
static void draw_manners(struct taker *t)
{
	static const int64_t slow[] = { 5, 100, 1000, 4000 };
	struct manners *c = &t->manners;

	if (one_in(2))
		return;
	if (!t->is_store && !t->is_internet && one_in(2)) {
		t->kind = below(neighbours_kinds());
		return;
	}
	if (one_in(3))
		c->answer_ms = slow[below(3)];
	if (one_in(4))
		c->dot_ms = slow[below(4)] * (one_in(4) ? 10 : 1);
	if (one_in(5))
		c->later_in = (uint64_t)between(3, 10);
	if (one_in(5))
		c->dot_later_in = (uint64_t)between(3, 10);
	if (one_in(6))
		c->close_in = (uint64_t)between(8, 40);
	if (one_in(6))
		c->lost_in = (uint64_t)between(4, 20);
	if (t->is_store)
		return;
	if (one_in(5))
		c->greet_ms = slow[below(4)];
	if (one_in(5))
		c->mails_per_connection = (unsigned)between(1, 5);
	if (one_in(6))
		c->recipients_per_mail = (unsigned)between(1, 3);
	if (one_in(6))
		c->connections = (unsigned)between(1, 4);
	c->greylists = one_in(8);
	c->says_little = one_in(6);
}

static struct taker *draw_taker(const char *name, struct sim_host *host)
{
	struct taker *t = &world.takers[world.n_takers++];

	*t = (struct taker){ .host = host, .kind = -1 };
	snprintf(t->name, sizeof(t->name), "%.15s", name);
	return t;
}

static void draw_takers(void)
{
	char name[24], address[40];

	for (int i = 0; i < world.n_splitmails; i++)
		draw_taker(world.splitmails[i].name, world.splitmails[i].host)
			->is_store = true;
	for (int i = 0; i < world.n_peers; i++) {
		snprintf(name, sizeof(name), "p%d", i % PEERS);
		snprintf(address, sizeof(address), "192.0.2.%d 192.0.2.%d",
			 30 + i, 80 + i);
		draw_taker(name, sim_host(name, address));
	}
	draw_taker("net", sim_host("net", "192.0.2.60"))->is_internet = true;
	for (int i = 0; !world.is_plain && i < world.n_takers; i++)
		draw_manners(&world.takers[i]);
	if (!world.is_plain && world.n_peers > 0 && one_in(20)) {
		world.takers[peer_taker(below(world.n_peers))].is_gone = true;
		world.has_gone = true;
	}
}

/* ---- people ---- */

struct person *add_person(enum person_kind kind, char letter, int i, int home)
{
	struct person *p = &world.persons[world.n_persons++];

	check(world.n_persons <= PERSONS);
	*p = (struct person){ .kind = kind,
			      .domain = kind == PERSON_OUTSIDER ? INTERNET
								: DOMAIN,
			      .home = home,
			      .also = -1,
			      .settled = -1 };
	snprintf(p->local, sizeof(p->local), "%c%d", letter, i);
	p->homes[p->n_homes++] = home;
	return p;
}

static void draw_members(struct person *p, int n)
{
	int self = (int)(p - world.persons);

	for (int i = 0; i < n; i++) {
		int who = below(self);
		bool is_new = world.persons[who].kind != PERSON_NOBODY;

		for (int k = 0; k < p->n_members; k++)
			is_new &= p->members[k] != who;
		if (is_new)
			p->members[p->n_members++] = who;
	}
}

static struct person *draw_user(int i)
{
	int home = below(world.n_takers - 1);
	struct person *p = add_person(PERSON_USER, 'u', i, home);

	if (home == 0 && world.n_peers > 0 && one_in(5))
		p->also = peer_taker(0);
	p->is_full = one_in(15) && world.takers[home].kind < 0;
	p->is_unlisted = one_in(2);
	p->is_disabled = one_in(15);
	p->has_no_home = one_in(2);
	return p;
}

static void add_nobody(char letter, int i, const char *domain)
{
	add_person(PERSON_NOBODY, letter, i, -1)->domain = domain;
}

/* Whom nobody has in the one domain is a user in the other. */
static void draw_nobodies(int n_users, int first, int n)
{
	add_nobody('n', 0, DOMAIN);
	if (n > 0 && first > 0)
		add_nobody('u', first - 1, SECOND);
	if (n > 0 && first + n > n_users)
		add_nobody('u', n_users, DOMAIN);
}

/* Mail for him goes to one of the users. */
static void add_postmaster(int user)
{
	struct person *p = add_person(PERSON_GROUP, 'g', 9, 0);

	snprintf(p->local, sizeof(p->local), "postmaster");
	p->is_postmaster = true;
	p->members[p->n_members++] = user;
}

static void draw_persons(void)
{
	int n_users = 2 + below(8), n_groups = below(3), n_forwards = below(3);
	int first = below(n_users), n_second = 1 + below(4);

	if (!world.has_second)
		n_second = 0;
	for (int i = 0; i < n_users; i++)
		draw_user(i);
	for (int i = 0; i < n_second; i++)
		draw_user(first + i)->domain = SECOND;
	for (int i = 0; i < 2; i++)
		add_person(PERSON_OUTSIDER, 'x', i, internet())->is_full =
			one_in(15);
	for (int i = 0; i < n_forwards; i++) {
		bool is_elsewhere = world.n_peers > 0 && one_in(3);
		struct person *p = add_person(
			PERSON_FORWARDER, 'f', i,
			is_elsewhere ? peer_taker(below(world.n_peers))
				     : below(world.n_splitmails));

		draw_members(p, 1 + below(2));
		p->keeps_copy = p->n_members == 0 || one_in(2);
	}
	for (int i = 0; i < n_groups; i++)
		draw_members(add_person(PERSON_GROUP, 'g', i,
					below(world.n_splitmails)),
			     1 + below(MEMBERS));
	draw_nobodies(n_users, first, n_second);
	/* not drawn: a world without him is the one it was */
	if (world.n_splitmails == 1 && world.seed * 61 % 10039 % 3 == 0)
		add_postmaster((int)(world.seed % (uint64_t)n_users));
	if (world.has_ring)
		return;
	if (one_in(5))
		world.splitmails[0].catch_all = below(n_users);
	else
		world.splitmails[0].asks_peer = world.n_peers > 0 && one_in(3);
}

/* ---- who sends what ---- */

/* A system gives nobody's mail away who is at home there. */
static bool may_be_sent_to(const struct person *p, int system)
{
	return system < 0 || (p->home != system && p->also != system);
}

static void draw_mail(struct mail *m, int system, int64_t window_ms)
{
	int n = one_in(2) ? 1 : 1 + below(RECIPIENTS - 1);

	*m = (struct mail){
		.at_ms = between(SETTLED_MS, window_ms),
		.splitmail = below(world.n_splitmails),
		.bytes = (uint32_t)(one_in(25) ? between(100000, 200000)
					       : between(100, 3000))
	};
	for (int i = 0; i < n; i++) {
		int who = below(world.n_persons);
		bool is_new = may_be_sent_to(&world.persons[who], system);

		for (int k = 0; k < m->n; k++)
			is_new &= m->to[k] != who;
		if (is_new)
			m->to[m->n++] = who;
	}
	if (m->n > 0 && m->n < RECIPIENTS && one_in(8) &&
	    world.persons[m->to[0]].kind == PERSON_USER)
		m->to[m->n++] = m->to[0]; /* as he spells it there */
}

static void sort_mails(struct client *c)
{
	for (int i = 1; i < c->n; i++)
		for (int k = i;
		     k > 0 && c->mails[k].at_ms < c->mails[k - 1].at_ms; k--) {
			struct mail m = c->mails[k];

			c->mails[k] = c->mails[k - 1];
			c->mails[k - 1] = m;
		}
}

static void draw_client(int i, int64_t window_ms)
{
	struct client *c = &world.clients[i];

	*c = (struct client){ .haste = one_in(2) ? 0u : (unsigned)below(4),
			      .pipelines = one_in(2),
			      .patience_ms = 600000,
			      .n = 1 + below(one_in(3) ? MAILS : 3) };
	if (world.is_plain)
		c->haste = PATIENT;
	if (c->haste == IMPATIENT)
		c->patience_ms = between(500, 15000);
	snprintf(c->name, sizeof(c->name), "c%d", i);
	snprintf(c->address, sizeof(c->address), "192.0.2.%d", 100 + i);
	c->system = world.n_peers > 0 && one_in(4)
			    ? peer_taker(below(world.n_peers))
			    : -1;
	c->host = c->system >= 0 ? world.takers[c->system].host
				 : sim_host(c->name, c->address);
	/* not drawn: a world without them is the one it was */
	c->is_local = c->system < 0 &&
		      (world.seed * 47 + (uint64_t)i) % 10009 % 8 == 0;
	for (int k = 0; k < c->n; k++)
		draw_mail(&c->mails[k], c->system, window_ms);
	sort_mails(c);
}

/* ---- what goes wrong ---- */

static bool draw_move(struct event *e)
{
	struct person *p = &world.persons[e->of = below(world.n_persons)];

	e->to = below(world.n_takers - 1);
	return p->kind == PERSON_USER && p->also < 0 && e->to != p->home;
}

static bool draw_disabling(struct event *e)
{
	struct person *p = &world.persons[e->of = below(world.n_persons)];

	return p->kind == PERSON_USER && !p->is_disabled;
}

static bool draw_member(struct event *e)
{
	struct person *p = &world.persons[e->of = below(world.n_persons)];

	e->to = below(world.n_persons);
	return p->kind == PERSON_GROUP && !p->is_postmaster && e->to < e->of;
}

/* False: not in this world. */
static bool draw_event(struct event *e)
{
	e->of = below(world.n_splitmails);
	switch (e->kind) {
	case EVENT_CUT_AT_CHANGE:
		e->number = between(1, 150);
		world.has_crashes = true;
		return true;
	case EVENT_POWER_CUT:
	case EVENT_KILL:
	case EVENT_STORE_DIES:
		world.has_crashes = true;
		return true;
	case EVENT_RESTART:
	case EVENT_CLOCK_STANDS:
		return true;
	case EVENT_PEER_DIES:
		e->of = below(world.n_takers);
		world.has_crashes = true;
		return !world.takers[e->of].is_gone;
	case EVENT_LINK_DOWN:
	case EVENT_RESET:
		e->to = below(world.n_takers);
		world.has_lost_connections = true;
		return world.takers[e->to].host != world.splitmails[e->of].host;
	case EVENT_CLOCK:
		e->number = between(-172800, 172800);
		return true;
	case EVENT_DISK_FULL:
		e->number = between(0, 200000);
		world.has_disk_trouble = true;
		return true;
	case EVENT_DISK_ERRORS:
		e->number = between(3, 60);
		world.has_disk_trouble = true;
		return true;
	case EVENT_MOVE:
		return draw_move(e);
	case EVENT_DISABLE:
		return draw_disabling(e);
	case EVENT_MEMBER:
		return draw_member(e);
	case EVENT_SETTLE:
	case EVENT_BOTH:
	case EVENT_HOLD:
	case EVENT_GIVE_UP:
	case EVENT_ALIAS:
	case EVENT_KINDS:
		break;
	}
	return false;
}

static void draw_events(int64_t window_ms)
{
	int n = below(5);

	world.calm_ms = window_ms;
	for (int i = 0; i < n; i++) {
		struct event e = { .kind = below(EVENT_SETTLE),
				   .at_ms = between(SETTLED_MS, window_ms),
				   .lasts_ms = between(
					   200, one_in(3) ? 60000 : 5000) };

		if (!draw_event(&e))
			continue;
		if (e.at_ms + e.lasts_ms > world.calm_ms)
			world.calm_ms = e.at_ms + e.lasts_ms;
		world.events[world.n_events++] = e;
	}
}

/* Between two boots only the wall clock says how long a mail has waited. */
static bool may_expire(void)
{
	bool jumps[SPLITMAILS] = { false }, boots[SPLITMAILS] = { false };
	bool may = false;

	for (int i = 0; i < world.n_events; i++) {
		const struct event *e = &world.events[i];

		jumps[e->of % SPLITMAILS] |= e->kind == EVENT_CLOCK;
		boots[e->of % SPLITMAILS] |= e->kind == EVENT_POWER_CUT ||
					     e->kind == EVENT_CUT_AT_CHANGE;
	}
	for (int i = 0; i < SPLITMAILS; i++)
		may |= jumps[i] && (boots[i] || world.cut_in);
	return may;
}

/* ---- all of it ---- */

static void draw_links(void)
{
	*sim_link_default() = (struct sim_link){
		.latency_us = between(100, 30000),
		.jitter_us = one_in(2) ? between(0, 10000) : 0,
		.piece_bytes = one_in(4) ? (size_t)between(50, 2000) : 0,
	};
	if (!world.is_plain && one_in(6)) {
		world.reset_in = (uint64_t)between(30, 300);
		world.has_lost_connections = true;
		sim_link_default()->reset_in = world.reset_in;
	}
}

void plan_draw(uint64_t seed)
{
	static const int splitmails[] = { 1, 1, 1, 2, 2, 2, 3, 4 };
	int64_t window_ms = between(10000, 90000);

	world = (struct world_of_mail){
		.seed = seed,
		.began_ms = now_ms(),
		.n_splitmails = splitmails[below(array_size(splitmails))],
		.n_peers = below(PEERS + 1),
		.n_clients = 1 + below(CLIENTS),
		.is_peaceful = one_in(4),
		.has_second = one_in(4),
		.has_alias = one_in(4),
		.message_bytes = one_in(4) ? 90000 : 1000000,
		.retry_min_s = between(3, 30),
		.handover_ms = between(3000, 20000),
	};
	world.retry_max_s = world.retry_min_s + between(0, 90);
	world.is_plain = world.is_peaceful;
	subject_draw();
	draw_links();
	for (int i = 0; i < world.n_splitmails; i++)
		draw_splitmail(i);
	draw_takers();
	subject_of_systems();
	draw_persons();
	subject_of_persons();
	for (int i = 0; i < world.n_clients; i++)
		draw_client(i, window_ms);
	world.calm_ms = window_ms;
	world.expiry_s = world.has_gone ? 1800 : 7200;
	if (!world.is_plain)
		draw_events(window_ms);
	if (!world.is_plain && one_in(6)) {
		world.cut_in = (uint64_t)between(2, 10);
		world.has_crashes = true;
	}
	world.may_expire = may_expire();
	subject_of_mails(window_ms);
	plan_add_undrawn();
	subject_add_holds(window_ms);
	subject_add_orders(window_ms);
	subject_add_mistakes(window_ms);
	again_draw(window_ms);
	logins_draw();
	filters_draw(window_ms);
	world.calm_ms += world.began_ms;
}
