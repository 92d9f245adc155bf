/* What a plan consists of, and how it is without some of it (entries.h). */
#include "entries.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { FEW_BYTES = 200, MUCH_PATIENCE_MS = 600000 };

/* Local parts are the same in both domains. */
struct person_name person_name(int person)
{
	const struct person *p = &world.persons[person];
	struct person_name name;
	bool is_second = strcmp(p->domain, SECOND) == 0;

	snprintf(name.text, sizeof(name.text), "%s%s", p->local,
		 is_second ? "@two" : "");
	return name;
}

/* ---- leaving out: mails and mishaps ---- */

/* Those of N numbers in LIST that are not OUT; how many. */
static int strike(int *list, int n, int out)
{
	int kept = 0;

	for (int i = 0; i < n; i++)
		if (list[i] != out)
			list[kept++] = list[i];
	return kept;
}

/* A mail to nobody is never sent. */
static void leave_out_recipient(struct mail *m, int person)
{
	m->n = strike(m->to, m->n, person);
}

static void leave_out_client(struct client *c)
{
	c->n = 0;
}

static void leave_out_event(struct event *e)
{
	e->kind = EVENT_KINDS;
}

/* ---- leaving out: addresses ---- */

static void leave_out_person(int person);

static void leave_out_member(int person, int member)
{
	struct person *p = &world.persons[person];

	p->n_members = strike(p->members, p->n_members, member);
	if (p->crowd_of == member)
		p->crowd = 0;
	if (p->n_members > 0)
		return;
	if (p->kind == PERSON_GROUP)
		leave_out_person(person);
	else
		p->keeps_copy = true;
}

static bool befalls(const struct event *e, int person)
{
	return ((e->kind == EVENT_MOVE || e->kind == EVENT_DISABLE ||
		 e->kind == EVENT_MEMBER || e->kind == EVENT_SETTLE ||
		 e->kind == EVENT_BOTH) &&
		e->of == person) ||
	       ((e->kind == EVENT_MEMBER || e->kind == EVENT_HOLD ||
		 e->kind == EVENT_GIVE_UP) &&
		e->to == person);
}

static bool has_member(const struct person *p, int member)
{
	for (int i = 0; i < p->n_members; i++)
		if (p->members[i] == member)
			return true;
	return false;
}

static void leave_out_person(int person)
{
	world.persons[person].is_left_out = true;
	for (int i = 0; i < world.n_clients; i++)
		if (world.clients[i].user == person)
			leave_out_client(&world.clients[i]);
	for (int i = 0; i < world.n_clients; i++)
		for (int k = 0; k < world.clients[i].n; k++)
			leave_out_recipient(&world.clients[i].mails[k], person);
	for (int i = 0; i < world.n_events; i++)
		if (befalls(&world.events[i], person))
			leave_out_event(&world.events[i]);
	for (int i = 0; i < world.n_splitmails; i++)
		if (world.splitmails[i].catch_all == person)
			world.splitmails[i].catch_all = -1;
	for (int i = 0; i < world.n_persons; i++)
		if (!world.persons[i].is_left_out &&
		    has_member(&world.persons[i], person))
			leave_out_member(i, person);
}

/* ---- leaving out: systems ---- */

static bool needs(const struct event *e, int taker)
{
	switch (e->kind) {
	case EVENT_MOVE:
	case EVENT_SETTLE:
	case EVENT_BOTH:
		return e->to == taker;
	case EVENT_LINK_DOWN:
	case EVENT_RESET:
		return e->of == taker || e->to == taker;
	case EVENT_POWER_CUT:
	case EVENT_CUT_AT_CHANGE:
	case EVENT_KILL:
	case EVENT_RESTART:
	case EVENT_STORE_DIES:
	case EVENT_PEER_DIES:
	case EVENT_CLOCK:
	case EVENT_CLOCK_STANDS:
	case EVENT_DISK_FULL:
	case EVENT_DISK_ERRORS:
	case EVENT_HOLD:
	case EVENT_GIVE_UP:
	case EVENT_ALIAS:
		return e->of == taker;
	case EVENT_DISABLE:
	case EVENT_MEMBER:
	case EVENT_KINDS:
		break;
	}
	return false;
}

/* With whoever is at home there, and whoever hands in from there. */
static void leave_out_taker(int taker)
{
	world.takers[taker].is_left_out = true;
	for (int i = 0; i < world.n_events; i++)
		if (needs(&world.events[i], taker))
			leave_out_event(&world.events[i]);
	for (int i = 0; i < world.n_persons; i++) {
		const struct person *p = &world.persons[i];

		if (!p->is_left_out && (p->home == taker || p->also == taker))
			leave_out_person(i);
	}
	for (int i = 0; i < world.n_clients; i++)
		if (world.clients[i].system == taker)
			leave_out_client(&world.clients[i]);
	if (taker == peer_taker(0))
		world.splitmails[0].asks_peer = false;
}

static void leave_out_splitmail(int splitmail)
{
	struct splitmail *s = &world.splitmails[splitmail];

	s->is_left_out = true;
	s->has_closed = s->was_well = true; /* nothing is left of it */
	leave_out_taker(store_of(splitmail));
	for (int i = 0; i < world.n_clients; i++)
		for (int k = 0; k < world.clients[i].n; k++)
			if (world.clients[i].mails[k].splitmail == splitmail)
				world.clients[i].mails[k].n = 0;
}

/* ---- leaving out: what is out of the common ---- */

/* Who only says 250 sends to nobody. */
static void close_lists(int taker)
{
	for (int i = 0; i < world.n_persons; i++)
		if (world.persons[i].kind == PERSON_GROUP &&
		    world.persons[i].home == taker)
			world.persons[i].n_members = 0;
}

static void make_ordinary(struct taker *t)
{
	t->manners = (struct manners){ 0 };
	t->kind = -1;
	t->has_silent_host = t->has_unwilling_host = t->by_gateway = false;
	t->strips_trail = t->is_trusted = t->may_relay = false;
	close_lists((int)(t - world.takers));
}

static void make_patient(struct client *c)
{
	c->haste = PATIENT;
	c->patience_ms = MUCH_PATIENCE_MS;
}

static void leave_out(const struct entry *e)
{
	const int *of = e->of;

	switch (e->part) {
	case PART_CLIENT:
		leave_out_client(&world.clients[of[0]]);
		break;
	case PART_EVENT:
		leave_out_event(&world.events[of[0]]);
		break;
	case PART_SPLITMAIL:
		leave_out_splitmail(of[0]);
		break;
	case PART_PEER:
		leave_out_taker(of[0]);
		break;
	case PART_MAIL:
		world.clients[of[0]].mails[of[1]].n = 0;
		break;
	case PART_PERSON:
		leave_out_person(of[0]);
		break;
	case PART_RECIPIENT:
		leave_out_recipient(&world.clients[of[0]].mails[of[1]], of[2]);
		break;
	case PART_MEMBER:
		leave_out_member(of[0], of[1]);
		break;
	case PART_MANNERS:
		make_ordinary(&world.takers[of[0]]);
		break;
	case PART_GONE:
		world.takers[of[0]].is_gone = false;
		break;
	case PART_RESETS:
		world.reset_in = sim_link_default()->reset_in = 0;
		break;
	case PART_CUTS:
		world.cut_in = 0;
		break;
	case PART_JITTER:
		sim_link_default()->jitter_us = 0;
		break;
	case PART_PIECES:
		sim_link_default()->piece_bytes = 0;
		break;
	case PART_HASTE:
		make_patient(&world.clients[of[0]]);
		break;
	case PART_PIPELINES:
		world.clients[of[0]].pipelines = false;
		break;
	case PART_CHUNKS:
		world.clients[of[0]].chunks = 0;
		break;
	case PART_BYTES:
		world.clients[of[0]].mails[of[1]].bytes = FEW_BYTES;
		break;
	case PART_CATCH_ALL:
		world.splitmails[of[0]].catch_all = -1;
		break;
	case PART_ASKS:
		world.splitmails[of[0]].asks_peer = false;
		break;
	case PART_WAY_OUT:
		world.splitmails[of[0]].has_smart_host = false;
		world.splitmails[of[0]].is_backup = false;
		break;
	case PART_TLS:
		world.splitmails[of[0]].wants_tls = false;
		break;
	case PART_LANES:
		world.splitmails[of[0]].lanes = 1;
		break;
	case PART_FULL:
		world.persons[of[0]].is_full = false;
		world.persons[of[0]].is_over_quota = false;
		break;
	case PART_DISABLED:
		world.persons[of[0]].is_disabled = false;
		break;
	case PART_CROWD:
		world.persons[of[0]].crowd = 0;
		break;
	case PART_ALSO:
		world.persons[of[0]].also = -1;
		break;
	}
}

/* ---- the list ---- */

static void printf_like(4, 5) add(struct entries *to, enum part part,
				  const int of[3], const char *format, ...)
{
	struct entry *e = &to->all[to->n++];
	va_list args;

	check(to->n <= ENTRIES);
	*e = (struct entry){ .part = part, .of = { of[0], of[1], of[2] } };
	va_start(args, format);
	vsnprintf(e->name, sizeof(e->name), format, args);
	va_end(args);
}

#define OF(...) ((const int[3]){ __VA_ARGS__ })

static void list_world(struct entries *to)
{
	if (world.reset_in)
		add(to, PART_RESETS, OF(0), "resets");
	if (world.cut_in)
		add(to, PART_CUTS, OF(0), "cuts");
	if (sim_link_default()->jitter_us)
		add(to, PART_JITTER, OF(0), "jitter");
	if (sim_link_default()->piece_bytes)
		add(to, PART_PIECES, OF(0), "pieces");
}

/* The first one is what all others lean on. */
static void list_splitmails(struct entries *to)
{
	for (int i = 0; i < world.n_splitmails; i++) {
		const struct splitmail *s = &world.splitmails[i];

		if (s->is_left_out)
			continue;
		if (i > 0)
			add(to, PART_SPLITMAIL, OF(i), "%s", s->name);
		if (s->catch_all >= 0)
			add(to, PART_CATCH_ALL, OF(i), "%s.catch-all", s->name);
		if (s->asks_peer)
			add(to, PART_ASKS, OF(i), "%s.asks", s->name);
		if (s->has_smart_host || s->is_backup)
			add(to, PART_WAY_OUT, OF(i), "%s.out", s->name);
		if (s->wants_tls)
			add(to, PART_TLS, OF(i), "%s.tls", s->name);
		if (s->lanes > 1)
			add(to, PART_LANES, OF(i), "%s.lanes", s->name);
	}
}

bool taker_is_ordinary(const struct taker *t)
{
	static const struct manners none;

	return t->kind < 0 && !t->has_silent_host && !t->has_unwilling_host &&
	       !t->by_gateway && !t->is_trusted &&
	       memcmp(&t->manners, &none, sizeof(none)) == 0;
}

static void list_takers(struct entries *to)
{
	for (int i = 0; i < world.n_takers; i++) {
		const struct taker *t = &world.takers[i];

		if (t->is_left_out)
			continue;
		if (!t->is_store && !t->is_internet)
			add(to, PART_PEER, OF(i), "%s", t->name);
		if (!taker_is_ordinary(t))
			add(to, PART_MANNERS, OF(i), "%s.manners", t->name);
		if (t->is_gone)
			add(to, PART_GONE, OF(i), "%s.gone", t->name);
	}
}

static void list_persons(struct entries *to)
{
	for (int i = 0; i < world.n_persons; i++) {
		const struct person *p = &world.persons[i];

		struct person_name name = person_name(i);

		if (p->is_left_out)
			continue;
		add(to, PART_PERSON, OF(i), "%s", name.text);
		for (int k = 0; k < p->n_members; k++)
			add(to, PART_MEMBER, OF(i, p->members[k]), "%s.%s",
			    name.text, person_name(p->members[k]).text);
		if (p->crowd)
			add(to, PART_CROWD, OF(i), "%s.crowd", name.text);
		if (p->is_full || p->is_over_quota)
			add(to, PART_FULL, OF(i), "%s.full", name.text);
		if (p->is_disabled)
			add(to, PART_DISABLED, OF(i), "%s.disabled", name.text);
		if (p->also >= 0)
			add(to, PART_ALSO, OF(i), "%s.also", name.text);
	}
}

static void list_mail(struct entries *to, int client, int mail)
{
	const struct mail *m = &world.clients[client].mails[mail];
	const char *name = world.clients[client].name;

	if (m->n == 0)
		return;
	add(to, PART_MAIL, OF(client, mail), "%s.%d", name, mail);
	if (m->bytes > FEW_BYTES)
		add(to, PART_BYTES, OF(client, mail), "%s.%d.bytes", name,
		    mail);
	for (int i = 0; m->n > 1 && i < m->n; i++)
		add(to, PART_RECIPIENT, OF(client, mail, m->to[i]), "%s.%d.%s",
		    name, mail, person_name(m->to[i]).text);
}

static bool sends_nothing(const struct client *c)
{
	for (int i = 0; i < c->n; i++)
		if (c->mails[i].n > 0)
			return false;
	return true;
}

static void list_clients(struct entries *to)
{
	for (int i = 0; i < world.n_clients; i++) {
		const struct client *c = &world.clients[i];

		if (sends_nothing(c))
			continue;
		add(to, PART_CLIENT, OF(i), "%s", c->name);
		if (c->haste != PATIENT)
			add(to, PART_HASTE, OF(i), "%s.haste", c->name);
		if (c->pipelines)
			add(to, PART_PIPELINES, OF(i), "%s.pipelines", c->name);
		if (c->chunks)
			add(to, PART_CHUNKS, OF(i), "%s.chunks", c->name);
		for (int k = 0; k < c->n; k++)
			list_mail(to, i, k);
	}
}

static void list_events(struct entries *to)
{
	for (int i = 0; i < world.n_events; i++)
		if (world.events[i].kind != EVENT_KINDS)
			add(to, PART_EVENT, OF(i), "e%d", i);
}

static int by_part(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	for (size_t i = 0; i < array_size(x->of); i++)
		if (x->of[i] != y->of[i])
			return x->of[i] < y->of[i] ? -1 : 1;
	return 0;
}

void entries_list(struct entries *to)
{
	to->n = 0;
	list_world(to);
	list_splitmails(to);
	list_takers(to);
	list_persons(to);
	list_clients(to);
	list_events(to);
	qsort(to->all, to->n, sizeof(to->all[0]), by_part);
}

static const struct entry *entry_named(const struct entries *all,
				       struct str name)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_same(str_of(all->all[i].name), name))
			return &all->all[i];
	return NULL;
}

bool entries_leave_out(struct str names, struct str *bad)
{
	struct entries *whole, *now;
	struct str rest = names, name;
	bool ok = true;

	if (str_empty(names))
		return true;
	whole = must_alloc(sizeof(*whole));
	now = must_alloc(sizeof(*now));
	entries_list(whole);
	while (ok && str_split(&rest, ',', &name)) {
		const struct entry *e;

		entries_list(now);
		e = entry_named(now, name);
		if (e)
			leave_out(e);
		else if (!entry_named(whole, name)) {
			*bad = name;
			ok = false;
		}
	}
	free(whole);
	free(now);
	return ok;
}
