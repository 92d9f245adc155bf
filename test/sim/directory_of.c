/*
 * A Splitmail's directory, by the directory's own library: what the plan has,
 * and what administrators change while mail flows.
 *
 * A user moves as one does it: first he is at home in the new place, then the
 * others send there.
 */
#include "directory_of.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "books.h"
#include "directory/changes.h"
#include "neighbour.h"

/* Nobody looks at it (login.h). */
#define PASSWORD_HASH "{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69"

enum { SETTINGS = 4 + MEMBERS, TEXT_BYTES = 64, LOOK_MS = 200 };

/* Settings with room for their texts. */
struct list {
	struct setting s[SETTINGS];
	char text[SETTINGS][TEXT_BYTES * MEMBERS];
	size_t n;
};

static void put(struct list *l, struct str key, const char *value)
{
	check(l->n < SETTINGS);
	snprintf(l->text[l->n], sizeof(l->text[0]), "%s", value);
	l->s[l->n] = (struct setting){ key, str_of(l->text[l->n]) };
	l->n++;
}

static bool was_done(struct change r, const char *what)
{
	if (r.outcome != CHANGE_DONE)
		tell("%s: %s", what, r.sentence);
	return r.outcome == CHANGE_DONE;
}

static struct str address_text(const struct person *p, char to[TEXT_BYTES])
{
	snprintf(to, TEXT_BYTES, "%s@%s", p->local, p->domain);
	return str_of(to);
}

static int number_of(const struct splitmail *s)
{
	return (int)(s - world.splitmails);
}

/* ---- who knows whom ---- */

static bool knows(const struct splitmail *s, const struct person *p)
{
	if (p->kind == PERSON_OUTSIDER || p->kind == PERSON_NOBODY ||
	    p->is_postmaster || p->is_left_out)
		return false;
	if (p->home == number_of(s))
		return true;
	if (s->asks_peer && p->home == peer_taker(0) && p->is_unlisted)
		return false;
	if (s->role == ROLE_MASTER)
		return true;
	return s->role == ROLE_BOTH && !is_at_splitmail(p->home);
}

/* Not as a name of its own: the relay of who sends to the first one anyway. */
static void put_system(struct list *l, const struct splitmail *s, int taker)
{
	put(l, S("mail_system"), "alternate");
	if (s->role == ROLE_SLAVE || (s->role == ROLE_BOTH && taker == 0))
		return;
	put(l, S("system"), world.takers[taker].name);
}

/* Where P's mail lives, if he gets any. */
static void put_home(struct list *l, const struct splitmail *s,
		     const struct person *p, int home)
{
	if (p->is_disabled && p->has_no_home)
		put(l, S("mail_system"), "none");
	else if (home == number_of(s))
		put(l, S("mail_system"), "hosted");
	else
		put_system(l, s, home);
}

/* ---- as it begins ---- */

/* Whoever does not listen there is tried first. */
static const char *hosts_of(int taker, char to[TEXT_BYTES])
{
	const struct taker *t = &world.takers[taker];

	if (t->has_silent_host)
		snprintf(to, TEXT_BYTES, "old-%s.test,%s.test", t->name,
			 t->name);
	else
		snprintf(to, TEXT_BYTES, "%s.test", t->name);
	return to;
}

/* In a ring it is the next one, else the first. */
static const struct splitmail *behind(const struct splitmail *s)
{
	int next = number_of(s);

	do
		next = world.has_ring ? (next + 1) % world.n_splitmails : 0;
	while (world.splitmails[next].is_left_out);
	return &world.splitmails[next];
}

static void create_domain(struct changes *c, const struct splitmail *s,
			  const char *name)
{
	struct list l = { .n = 0 };
	char hosts[TEXT_BYTES];

	if (s->role != ROLE_MASTER) {
		put(&l, S("relay"), behind(s)->hostname);
		put(&l, S("forward_unknown"), "yes");
	} else if (number_of(s) == 0 && world.n_peers > 0) {
		put(&l, S("relay"), hosts_of(peer_taker(0), hosts));
		if (s->asks_peer)
			put(&l, S("forward_unknown"), "yes");
	}
	if (world.has_alias && str_same(str_of(name), S(DOMAIN)))
		put(&l, S("aliases"), ALIAS);
	if (str_same(str_of(name), S(SECOND))) {
		snprintf(hosts, sizeof(hosts), "%d", SECOND_BYTES);
		put(&l, S("max_message_size"), hosts);
	}
	check(was_done(domain_create(c, str_of(name), l.s, l.n), name));
}

static void create_system(struct changes *c, const struct splitmail *s,
			  int taker)
{
	const struct taker *t = &world.takers[taker];
	struct list l = { .n = 0 };
	char hosts[TEXT_BYTES], text[16];

	put(&l, S("hosts"), hosts_of(taker, hosts));
	/* some of the gallery want it */
	put(&l, S("tls"),
	    s->wants_tls || t->kind >= 0 ? "opportunistic" : "none");
	/* ...or announces it */
	if (t->kind >= 0)
		put(&l, S("xclient"), "yes");
	if (t->is_trusted) {
		snprintf(text, sizeof(text), "192.0.2.%d",
			 30 + taker - world.n_splitmails);
		put(&l, S("trust"), text);
		put(&l, S("may_relay"), t->may_relay ? "yes" : "no");
	}
	if (t->is_internet)
		put(&l, S("smart_host"), "yes");
	if (t->manners.mails_per_minute) {
		snprintf(text, sizeof(text), "%u", t->manners.mails_per_minute);
		put(&l, S("mails_per_minute"), text);
	}
	check(was_done(system_create(c, str_of(t->name), l.s, l.n), t->name));
}

static void create_systems(struct changes *c, const struct splitmail *s)
{
	for (int i = 0; i < world.n_takers - 1; i++)
		if (i != number_of(s))
			create_system(c, s, i);
	if (s->has_smart_host)
		create_system(c, s, internet());
}

/* Is he there only after P? */
static bool comes_later(const struct person *p, int member)
{
	return &world.persons[member] > p;
}

static void put_members(struct list *l, const struct person *p)
{
	char text[TEXT_BYTES * MEMBERS] = "", one[TEXT_BYTES];

	for (int i = 0; i < p->n_members; i++) {
		if (comes_later(p, p->members[i]))
			continue;
		address_text(&world.persons[p->members[i]], one);
		if (p->kind == PERSON_GROUP)
			put(l, S("member"), one);
		else
			snprintf(text + strlen(text),
				 sizeof(text) - strlen(text), "%s%s",
				 i ? "," : "", one);
	}
	if (text[0])
		put(l, S("forward"), text);
}

/* Behind its crowd: first the many spellings of one member, then all of them. */
static void create_group(struct changes *c, const struct person *p,
			 struct list *l)
{
	struct str all[LIMIT_ROUTE_STEP + MEMBERS];
	char text[LIMIT_ROUTE_STEP + MEMBERS][TEXT_BYTES], address[TEXT_BYTES];
	const struct person *one = &world.persons[p->crowd_of];
	struct str a = address_text(p, address);
	size_t n = 0;

	check(was_done(group_create(c, a, l->s, l->n), address));
	for (int i = 0; i < p->crowd; i++) {
		snprintf(text[n], TEXT_BYTES, "%s+%d@%s", one->local, i,
			 one->domain);
		all[n] = str_of(text[n]);
		n++;
	}
	for (int i = 0; i < p->n_members && p->crowd; i++) {
		if (comes_later(p, p->members[i]))
			continue;
		all[n] = address_text(&world.persons[p->members[i]], text[n]);
		n++;
	}
	if (n)
		check(was_done(group_add(c, a, all, n), address));
}

static void add_later_members(struct changes *c, const struct person *p)
{
	char address[TEXT_BYTES], text[TEXT_BYTES];
	struct str a = address_text(p, address), one;

	for (int i = 0; i < p->n_members; i++) {
		if (!comes_later(p, p->members[i]))
			continue;
		one = address_text(&world.persons[p->members[i]], text);
		check(was_done(group_add(c, a, &one, 1), address));
	}
}

/* By whoever knows him, and not by the system where he keeps his copy. */
static bool is_forwarded_elsewhere(const struct person *p)
{
	return p->kind == PERSON_FORWARDER && !is_at_splitmail(p->home);
}

static bool logs_in(const struct person *p)
{
	for (int i = 0; i < world.n_clients; i++)
		if (world.clients[i].user == (int)(p - world.persons))
			return true;
	return false;
}

static void create_person(struct changes *c, const struct splitmail *s,
			  const struct person *p)
{
	bool is_here = p->home == number_of(s);
	bool spreads = is_here || is_forwarded_elsewhere(p);
	struct list l = { .n = 0 };
	char address[TEXT_BYTES];
	struct str a = address_text(p, address);

	if (spreads && !p->crowd)
		put_members(&l, p);
	if (p->is_disabled && !p->has_no_home)
		put(&l, S("enabled"), "no");
	if (is_here && p->kind == PERSON_GROUP) {
		create_group(c, p, &l);
		return;
	}
	if (spreads && p->kind == PERSON_FORWARDER)
		put(&l, S("forward_copy"), p->keeps_copy ? "yes" : "no");
	put_home(&l, s, p, p->home);
	if (is_here && logs_in(p))
		put(&l, S("password_hash"), PASSWORD_HASH);
	check(was_done(user_create(c, a, l.s, l.n), address));
	if (is_here && p->also >= 0) {
		struct setting both = { S("home"), S("both") };

		check(was_done(address_set(c, a, &both, 1), address));
	}
}

/* Who gets the mail of others in the first domain. */
static void put_instead(struct changes *c, struct str of, int person)
{
	char to[TEXT_BYTES];
	struct setting all = { of, address_text(&world.persons[person], to) };

	check(was_done(domain_set(c, S(DOMAIN), &all, 1), DOMAIN));
}

static void create_filter(struct changes *c, const struct world_filter *f)
{
	static const char *const downs[] = { "later", "accept", "hold" };
	static const char *const directions[] = { "both", "in", "out" };
	struct list l = { .n = 0 };
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), "inet:%s:11332", f->address);
	put(&l, S("socket"), text);
	put(&l, S("when_down"), downs[f->when_down]);
	put(&l, S("direction"), directions[f->direction]);
	snprintf(text, sizeof(text), "%d", f->timeout_s);
	put(&l, S("timeout"), text);
	check(was_done(filter_create(c, str_of(f->name), l.s, l.n), f->name));
}

void directory_fill(const struct splitmail *s)
{
	struct changes *c = changes_open("/data/directory.db", "sim");

	check(c && changes_begin(c));
	create_systems(c, s);
	create_domain(c, s, DOMAIN);
	if (world.has_second)
		create_domain(c, s, SECOND);
	for (int i = 0; i < world.n_persons; i++)
		if (knows(s, &world.persons[i]))
			create_person(c, s, &world.persons[i]);
	for (int i = 0; i < world.n_persons; i++)
		if (knows(s, &world.persons[i]) &&
		    world.persons[i].home == number_of(s))
			add_later_members(c, &world.persons[i]);
	if (s->catch_all >= 0)
		put_instead(c, S("catch_all"), s->catch_all);
	for (int i = 0; i < world.n_persons; i++)
		if (world.persons[i].is_postmaster &&
		    !world.persons[i].is_left_out)
			put_instead(c, S("postmaster"),
				    world.persons[i].members[0]);
	for (int i = 0; i < world.n_filters; i++)
		create_filter(c, &world.filters[i]);
	check(changes_end(c));
	changes_close(c);
}

/* ---- while mail flows ---- */

struct order {
	struct splitmail *at;
	const struct person *person;
	bool creates, is_done;
	bool of_domain;    /* the first one; or */
	bool of_address;   /* alone; or */
	struct str member; /* of a group; or */
	struct list settings;
};

static void obey(void *order)
{
	struct order *o = order;
	struct changes *c = changes_open("/data/directory.db", "sim");
	char address[TEXT_BYTES];
	struct str a = o->person ? address_text(o->person, address) : S(DOMAIN);
	struct change r;

	if (!c) {
		tell("an administrator of %s: %s", o->at->name, cause());
		return;
	}
	if (o->of_domain)
		r = domain_set(c, S(DOMAIN), o->settings.s, o->settings.n);
	else if (o->member.n)
		r = group_add(c, a, &o->member, 1);
	else if (o->of_address)
		r = address_set(c, a, o->settings.s, o->settings.n);
	else
		r = user_set(c, a, o->settings.s, o->settings.n);
	if (r.outcome == CHANGE_NOT_FOUND && o->creates)
		r = user_create(c, a, o->settings.s, o->settings.n);
	o->is_done = was_done(r, a.p) || r.outcome != CHANGE_FAILED;
	changes_close(c);
}

/* As often as it takes: power may be cut, the disk full. */
static void give_order(struct order *o)
{
	while (!o->is_done) {
		struct sim_process *p;

		while (!sim_is_on(o->at->host))
			fiber_sleep(after_ms(LOOK_MS));
		p = sim_start(o->at->host, "admin", obey, o);
		while (!sim_has_ended(p))
			fiber_sleep(after_ms(LOOK_MS));
		if (!o->is_done)
			fiber_sleep(after_ms(LOOK_MS));
	}
}

static void set_home_at(struct splitmail *s, const struct person *p, int to)
{
	struct order o = { .at = s, .person = p, .creates = true };

	put_home(&o.settings, s, p, to);
	if (o.settings.n == 1)
		put(&o.settings, S("system"), "");
	if (p->is_disabled)
		put(&o.settings, S("enabled"), "no");
	give_order(&o);
}

/* Somebody stays known where he was at home once. */
static bool has_been_known(const struct splitmail *s, const struct person *p)
{
	struct person was = *p;

	for (int i = 0; i < p->n_homes; i++) {
		was.home = p->homes[i];
		if (knows(s, &was))
			return true;
	}
	return false;
}

void change_home(int person, int to)
{
	struct person *p = &world.persons[person];

	if (p->n_homes == HOMES || p->changed_ms == NEVER || p->home == to)
		return;
	p->changed_ms = NEVER;
	tell("%s moves to %s", p->local, world.takers[to].name);
	p->homes[p->n_homes++] = to;
	p->home = to;
	neighbour_user(&world.takers[to], p);
	if (is_at_splitmail(to))
		set_home_at(&world.splitmails[to], p, to);
	for (int i = 0; i < world.n_splitmails; i++) {
		struct splitmail *s = &world.splitmails[i];

		if (i != to && has_been_known(s, p))
			set_home_at(s, p, to);
	}
	p->changed_ms = now_ms();
	tell("%s has moved to %s", p->local, world.takers[to].name);
}

void change_enabled(int person, bool enabled)
{
	struct person *p = &world.persons[person];

	if (p->changed_ms == NEVER)
		return;
	p->changed_ms = p->disabled_ms = NEVER;
	p->is_disabled = !enabled;
	tell("%s is %s", p->local, enabled ? "enabled" : "disabled");
	for (int i = 0; i < world.n_splitmails; i++) {
		struct order o = { .at = &world.splitmails[i], .person = p };

		if (p->has_no_home)
			put_home(&o.settings, o.at, p, p->home);
		else
			put(&o.settings, S("enabled"), enabled ? "yes" : "no");
		if (has_been_known(o.at, p))
			give_order(&o);
	}
	p->changed_ms = p->disabled_ms = now_ms();
}

void change_member(int group, int member)
{
	struct person *g = &world.persons[group];
	struct order o = { .at = &world.splitmails[g->home], .person = g };
	char text[TEXT_BYTES];
	int n = g->n_members;

	for (int i = 0; i < n; i++)
		if (g->members[i] == member)
			return;
	if (n == MEMBERS)
		return;
	g->member_since_ms[n] = NEVER;
	g->members[g->n_members++] = member;
	o.member = address_text(&world.persons[member], text);
	tell("%s becomes a member of %s", world.persons[member].local,
	     g->local);
	give_order(&o);
	g->member_since_ms[n] = now_ms();
}

void change_alias(struct splitmail *s, bool is_there)
{
	struct order o = { .at = s, .of_domain = true };

	put(&o.settings, S("aliases"), is_there ? ALIAS : "");
	tell("%s %s " ALIAS, s->name, is_there ? "has" : "has no");
	give_order(&o);
}

/* Of a user at the first Splitmail: others send there anyway. */
void change_both(int person, int taker)
{
	struct person *p = &world.persons[person];
	struct order o = { .at = &world.splitmails[p->home],
			   .person = p,
			   .of_address = true };

	if (p->changed_ms)
		return;
	p->changed_ms = NEVER;
	p->also = taker;
	tell("%s has a second home, %s", p->local, world.takers[taker].name);
	neighbour_user(&world.takers[taker], p);
	put(&o.settings, S("home"), "both");
	give_order(&o);
	p->changed_ms = now_ms();
	tell("%s has two homes", p->local);
}

/* The others go on sending to the first one, who knows. */
void change_settled(int person, int taker)
{
	struct person *p = &world.persons[person];
	struct order o = { .at = &world.splitmails[p->home],
			   .person = p,
			   .of_address = true };

	if (p->changed_ms)
		return;
	p->changed_ms = NEVER;
	p->settled = taker;
	tell("%s has one home only, %s", p->local, world.takers[taker].name);
	put(&o.settings, S("home"), taker == p->home ? "hosted" : "alternate");
	give_order(&o);
	p->changed_ms = now_ms();
	tell("%s is settled", p->local);
}
