/*
 * Is that as it must be?  What nobody could have known is excused, and what
 * the world explains; both are said here and nowhere else.
 */
#include <stdio.h>
#include <stdlib.h>

#include "books_inside.h"
#include "subject.h"

enum {
	REMEMBERED_MS = 100000,
	PEACE_MS = 60000,        /* nothing explains a longer wait */
	LOST_ANSWER_MS = 700000, /* until an answer is given up */
};

/* ---- who leads to whom ---- */

/* WAY has the persons between, both ends included. */
struct way {
	int steps[PERSONS], n;
	bool is_sure; /* it was so all the time */
};

/* What is asked of each way. */
struct asked {
	void (*about)(void *arg, const struct unit *u, const struct way *w);
	void *arg;
};

static bool was_stepped(const struct way *w, int person)
{
	for (int i = 0; i < w->n; i++)
		if (w->steps[i] == person)
			return true;
	return false;
}

/* Who gets the mail of an address nobody has; -1: nobody. */
static int instead_of(const struct person *p)
{
	return str_same(str_of(p->domain), S(DOMAIN))
		       ? world.splitmails[0].catch_all
		       : -1;
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
		follow(u, on, p->members[i], a);
	}
	if (p->n_members == 0 || p->keeps_copy)
		a->about(a->arg, u, &w);
}

/* All ways of recipient I. */
static void ways_of(const struct unit *u, int i, struct asked a)
{
	follow(u, (struct way){ .is_sure = true }, u->to[i], &a);
}

static int end_of(const struct way *w)
{
	return w->steps[w->n - 1];
}

/* ---- causes ---- */

/* Has something of it changed since the mail was begun, or shortly before?
 * Systems remember for half a minute that they were told no. */
static bool was_changed(const struct unit *u, const struct person *p)
{
	return p->changed_ms && p->changed_ms >= u->begun_ms - REMEMBERED_MS;
}

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

/* May it be refused for good, or its sender be told that it has failed? */
static bool may_fail(const struct unit *u, int person)
{
	const struct person *p = &world.persons[person];

	return p->is_full || p->is_disabled || was_changed(u, p) ||
	       p->kind == PERSON_NOBODY || is_gone(p) || came_from_home(u, p) ||
	       world.may_expire;
}

struct failing {
	bool may;
};

static void look_for_failure(void *arg, const struct unit *u,
			     const struct way *w)
{
	struct failing *f = arg;

	for (int i = 0; i < w->n; i++)
		f->may |= may_fail(u, w->steps[i]);
}

static bool recipient_may_fail(const struct unit *u, int i)
{
	struct failing f = { false };

	ways_of(u, i, (struct asked){ look_for_failure, &f });
	return f.may;
}

/* ---- answers to the client ---- */

/* Does whoever is asked say that nobody has it? */
static bool is_denied(const struct splitmail *s, const struct person *p)
{
	if (p->kind != PERSON_NOBODY || instead_of(p) >= 0)
		return false;
	if (s->role == ROLE_MASTER && !s->asks_peer)
		return true;
	return world.is_peaceful && (!world.splitmails[0].asks_peer ||
				     world.takers[peer_taker(0)].kind < 0);
}

/* What comes from <> while S asks about the same address may be S's own
 * question on its way back. */
static bool looks_like_a_question(const struct unit *u, const struct person *p)
{
	return !unit_has_sender(u) && p->home != u->splitmail;
}

void judge_rcpt(const struct unit *u, int i)
{
	const struct person *p = &world.persons[u->to[i]];
	const struct splitmail *s = &world.splitmails[u->splitmail];
	int code = u->codes[i];

	if (p->kind == PERSON_OUTSIDER && code < 500)
		books_wrong("unit %d: %s answers a stranger %d to an address "
			    "of the Internet",
			    u->number, s->name, code);
	if (code == 250 && is_denied(s, p))
		books_wrong("unit %d: %s takes mail for %s, whom nobody has",
			    u->number, s->name, p->local);
	if (code >= 500 && p->kind != PERSON_OUTSIDER &&
	    !recipient_may_fail(u, i) && !looks_like_a_question(u, p))
		books_wrong("unit %d: %s refuses %s for good: %d", u->number,
			    s->name, p->local, code);
	if (code >= 400 && code < 500 && world.is_peaceful)
		books_wrong("unit %d: %s refuses %s for now, and all is "
			    "well: %d",
			    u->number, s->name, p->local, code);
}

/* What else than a disk or a stop explains that a mail is not kept? */
static bool is_always_kept(void)
{
	bool stops = false;

	for (int i = 0; i < world.n_events; i++)
		stops |= world.events[i].kind == EVENT_RESTART;
	return world.is_peaceful ||
	       (world.is_plain && !world.has_disk_trouble && !stops);
}

/* No mail is near the limit. */
static bool is_too_large(const struct unit *u)
{
	return u->bytes > world.message_bytes;
}

void judge_end(const struct unit *u)
{
	bool may = false, was_through = true;

	for (int i = 0; i < u->n; i++)
		was_through &= u->codes[i] >= 500;
	if (u->code == 0 && !was_through && world.is_peaceful)
		books_wrong("unit %d is not answered, and all is well",
			    u->number);
	if (u->code >= 400 && u->code < 500 && is_always_kept())
		books_wrong("unit %d is refused for now, and could be kept",
			    u->number);
	if (is_too_large(u) && u->code == 250)
		books_wrong("unit %d is too large, and taken", u->number);
	if (u->code < 500)
		return;
	may = is_too_large(u);
	for (int i = 0; i < u->n; i++)
		may |= u->codes[i] == 250 && recipient_may_fail(u, i);
	if (!may)
		books_wrong("unit %d is refused for good: %d", u->number,
			    u->code);
}

/* ---- what arrives ---- */

struct counting {
	int person;
	unsigned ways;
	unsigned addresses; /* one after the other, on the longest */
};

static void count_way(void *arg, const struct unit *u, const struct way *w)
{
	struct counting *c = arg;

	(void)u;
	if (end_of(w) != c->person)
		return;
	c->ways++;
	if ((unsigned)w->n > c->addresses)
		c->addresses = (unsigned)w->n;
}

/* Of those that were not refused. */
static struct counting ways_to(const struct unit *u, int person)
{
	struct counting c = { .person = person };

	for (int i = 0; i < u->n; i++)
		if (u->codes[i] < 400)
			ways_of(u, i, (struct asked){ count_way, &c });
	return c;
}

static bool is_home(int person, int taker)
{
	const struct person *p = &world.persons[person];

	/* some take mail for everybody */
	if (p->kind == PERSON_NOBODY && world.takers[taker].kind >= 0)
		return true;
	for (int i = 0; i < p->n_homes; i++)
		if (p->homes[i] == taker)
			return true;
	return p->also == taker;
}

/* Whoever has it has it from one of them; a store, from its own. */
static void judge_visits(const struct unit *u, int person, int taker,
			 struct str head, unsigned most)
{
	unsigned all = 0;

	for (int i = 0; i < world.n_splitmails; i++) {
		char by[64];
		struct str rest = head;
		unsigned n = 0;
		ptrdiff_t at;

		snprintf(by, sizeof(by), "\tby %s (Splitmail)",
			 world.splitmails[i].hostname);
		while ((at = str_search(rest, str_of(by))) >= 0) {
			rest = str_from(rest, (size_t)at + 1);
			n++;
		}
		if (!is_at_splitmail(taker) || i == taker)
			all += n;
		if (n > most)
			books_wrong("unit %d for %s was %u times at %s",
				    u->number, world.persons[person].local, n,
				    world.splitmails[i].name);
	}
	if (!all)
		books_wrong("unit %d for %s has no trace of its way", u->number,
			    world.persons[person].local);
}

/* Trace fields, and lines that go on with one. */
static bool is_trace(struct str head)
{
	struct str line;

	while (str_split(&head, '\n', &line))
		if (!str_starts(line, S("Received: ")) &&
		    !str_starts(line, S("Splitmail-Trail: ")) &&
		    !str_starts(line, S("\t")))
			return false;
	return true;
}

static void judge_bytes(const struct unit *u, int person, int taker,
			struct str bytes, unsigned most)
{
	struct buf text scoped(buf) = BUF_EMPTY;
	struct str head;

	unit_text(u, &text);
	if (!str_ends(bytes, buf_str(&text))) {
		books_wrong("unit %d for %s: %zu bytes became others",
			    u->number, world.persons[person].local, text.n);
		return;
	}
	head = str_part(bytes, 0, bytes.n - text.n);
	if (!unit_has_header(u)) {
		if (!str_ends(head, S("\r\n\r\n")))
			books_wrong("unit %d for %s: its body is in the header",
				    u->number, world.persons[person].local);
		head.n -= 2;
	}
	if (!is_trace(head))
		books_wrong("unit %d for %s: more than trace fields is in "
			    "front of it",
			    u->number, world.persons[person].local);
	judge_visits(u, person, taker, head, most);
}

/* What explains that it took so long?  After the last mishap: a retry, or the
 * answer of who is no more. */
static int64_t longest_ms(void)
{
	int64_t most = PEACE_MS;

	if (world.is_peaceful)
		return most;
	most += 3 * world.retry_max_s * 1000;
	if (world.has_crashes || world.has_lost_connections)
		most += LOST_ANSWER_MS;
	return most;
}

static void judge_wait(const struct unit *u, int person)
{
	int64_t from = u->ended_ms ? u->ended_ms : u->begun_ms, waited;

	if (!world.is_peaceful && !world.is_calm)
		return;
	if (!world.is_peaceful && from < world.calm_ms)
		from = world.calm_ms;
	waited = now_ms() - from;
	if (waited > longest_ms())
		books_wrong("unit %d for %s waited %lld s", u->number,
			    world.persons[person].local,
			    (long long)waited / 1000);
}

/* Who leaves a system that is away does not wait for it. */
static void judge_following(const struct unit *u, const struct person *p)
{
	int64_t from = u->ended_ms ? u->ended_ms : u->begun_ms;

	if (world.subject != ABOUT_MOVES || !p->changed_ms ||
	    p->changed_ms == NEVER)
		return;
	if (from < p->changed_ms)
		from = p->changed_ms;
	if (now_ms() - from > PEACE_MS)
		books_wrong("unit %d for %s, who has moved, waited %lld s",
			    u->number, p->local,
			    (long long)(now_ms() - from) / 1000);
}

void judge_taken(const struct unit *u, int person, int taker, struct str bytes)
{
	const struct person *p = &world.persons[person];
	struct counting c = ways_to(u, person);

	if (c.ways == 0)
		books_wrong("unit %d was not for %s", u->number,
			    world.persons[person].local);
	if (!is_home(person, taker))
		books_wrong("unit %d for %s is at %s", u->number,
			    world.persons[person].local,
			    world.takers[taker].name);
	if (p->is_disabled && !p->is_unlisted && p->changed_ms < u->begun_ms)
		books_wrong("unit %d is for %s, who is disabled, at %s",
			    u->number, p->local, world.takers[taker].name);
	if (taker == world.clients[u->client].system && c.addresses == 1 &&
	    u->splitmail == 0 && !p->changed_ms)
		books_wrong("unit %d for %s is given back to %s", u->number,
			    p->local, world.takers[taker].name);
	judge_bytes(u, person, taker, bytes, c.addresses);
	judge_wait(u, person);
	judge_following(u, p);
}

/* ---- fates ---- */

static unsigned times_taken(const struct unit *u, int person, int taker)
{
	unsigned n = 0;

	for (size_t i = 0; i < books.n_taken; i++)
		n += books.taken[i].unit == u->number &&
		     books.taken[i].person == person &&
		     (taker < 0 || books.taken[i].taker == taker);
	return n;
}

static unsigned times_open(const struct unit *u, int taker)
{
	unsigned n = 0;

	for (size_t i = 0; i < books.n_open; i++)
		n += books.open[i].unit == u->number &&
		     books.open[i].taker == taker;
	return n;
}

struct fates {
	bool complain, are_even;
};

struct telling {
	int person;
	bool is_told;
};

static void look_for_notice(void *arg, const struct unit *u,
			    const struct way *w)
{
	struct telling *t = arg;

	for (int i = 0; i < w->n && end_of(w) == t->person; i++)
		t->is_told |= u->told[w->steps[i]] > 0;
}

/* By whichever way: two that lead to him are one from where they meet. */
static bool was_told(const struct unit *u, int person)
{
	struct telling t = { .person = person };

	for (int i = 0; i < u->n; i++)
		ways_of(u, i, (struct asked){ look_for_notice, &t });
	return t.is_told;
}

static bool was_taken(const struct unit *u, int person)
{
	const struct person *p = &world.persons[person];

	if (p->also < 0 || p->changed_ms)
		return times_taken(u, person, -1) > 0;
	return times_taken(u, person, p->home) > 0 &&
	       times_taken(u, person, p->also) > 0;
}

/* What comes from <> may fail without a word. */
static bool fails_in_silence(const struct unit *u, const struct way *w)
{
	struct failing f = { false };

	look_for_failure(&f, u, w);
	return f.may && !unit_has_sender(u);
}

static void judge_fate(void *arg, const struct unit *u, const struct way *w)
{
	const struct person *p = &world.persons[end_of(w)];
	struct fates *f = arg;

	if (!w->is_sure || was_taken(u, end_of(w)) || was_told(u, end_of(w)) ||
	    fails_in_silence(u, w))
		return;
	/* a member that takes no mail is left out, and nobody is told */
	if (w->n > 1 && (p->is_disabled || p->disabled_ms >= u->begun_ms))
		return;
	f->are_even = false;
	if (f->complain)
		books_wrong("unit %d for %s was promised, and is lost",
			    u->number, p->local);
}

/* ---- notices ---- */

struct cause_of {
	int person;
	bool is_there;
};

static void look_for_cause(void *arg, const struct unit *u, const struct way *w)
{
	struct failing f = { false };
	struct cause_of *c = arg;

	look_for_failure(&f, u, w);
	c->is_there |= f.may && was_stepped(w, c->person);
}

static void judge_notices(const struct unit *u)
{
	for (int who = 0; who < world.n_persons; who++) {
		struct cause_of c = { .person = who };

		if (!u->told[who])
			continue;
		for (int i = 0; i < u->n; i++)
			ways_of(u, i, (struct asked){ look_for_cause, &c });
		if (!c.is_there)
			books_wrong("unit %d: its sender is told that %s has "
				    "not got it, without a cause",
				    u->number, world.persons[who].local);
	}
}

static bool judge_promises(bool complain)
{
	struct fates f = { complain, true };

	for (size_t k = 0; k < books.n_units; k++) {
		const struct unit *u = books.units[k];

		for (int i = 0; u->code == 250 && i < u->n; i++)
			if (u->codes[i] == 250)
				ways_of(u, i, (struct asked){ judge_fate, &f });
	}
	return f.are_even;
}

bool books_are_even(void)
{
	return judge_promises(false);
}

static int64_t last_taken_ms(const struct unit *u)
{
	int64_t last = 0;

	for (size_t i = 0; i < books.n_taken; i++)
		if (books.taken[i].unit == u->number)
			last = books.taken[i].at_ms;
	return last;
}

/* May whoever hands something to T not hear its answer? */
static bool may_lose_answers(const struct taker *t)
{
	return t->manners.close_in || t->manners.lost_in || t->kind >= 0 ||
	       world.has_crashes || world.has_lost_connections ||
	       world.has_disk_trouble;
}

/* More often than there are ways to him, and times when nobody knew.  Ways that
 * meet in one Splitmail are one. */
static void judge_doubles(const struct taken *t)
{
	const struct unit *u = books.units[t->unit];
	unsigned n = times_taken(u, t->person, t->taker);
	unsigned ways = ways_to(u, t->person).ways;
	unsigned may = may_lose_answers(&world.takers[t->taker])
			       ? times_open(u, t->taker)
			       : 0;

	if (ways > 1 && world.n_splitmails == 1 &&
	    world.takers[t->taker].is_store)
		ways = 1;
	may += ways;
	if (n > may && !was_shaken(u->begun_ms, last_taken_ms(u)))
		books_wrong("unit %d for %s is %u times at %s", t->unit,
			    world.persons[t->person].local, n,
			    world.takers[t->taker].name);
}

/* How often the Internet had something of U's, and did not say so. */
static unsigned left_open_outside(const struct unit *u)
{
	unsigned n = 0;

	for (size_t i = 0; i < books.n_open; i++)
		n += books.open[i].unit == u->number &&
		     world.takers[books.open[i].taker].is_internet;
	return n;
}

/* One refusal is told once: there is nobody else who would, but where the one
 * who was told hung up.  Who is at home in two places may be refused by both. */
static void judge_told(const struct unit *u)
{
	if (world.n_splitmails > 1 || world.has_crashes ||
	    world.has_lost_connections || world.has_disk_trouble)
		return;
	for (int i = 0; i < world.n_persons; i++)
		if (u->told[i] > 1 &&
		    u->told[i] > ways_to(u, i).ways * (world.persons[i].also < 0
							       ? 1u
							       : 2u) +
					 left_open_outside(u))
			books_wrong("unit %d: its sender is told %u times that "
				    "%s has not got it",
				    u->number, u->told[i],
				    world.persons[i].local);
}

/* Whoever was refused keeps it: nobody has it. */
static void judge_refused(const struct taken *t)
{
	const struct unit *u = books.units[t->unit];

	if (u->code >= 400 && !was_shaken(u->begun_ms, last_taken_ms(u)))
		books_wrong("unit %d was refused, and %s has it at %s", t->unit,
			    world.persons[t->person].local,
			    world.takers[t->taker].name);
}

static void judge_left(const struct splitmail *s)
{
	/* what a disk did not let go is swept at the next start */
	if (s->queued || (s->spooled && !world.has_disk_trouble))
		books_wrong("%s: %lld messages wait, %llu files lie in spool/",
			    s->name, (long long)s->queued,
			    (unsigned long long)s->spooled);
	if (!s->has_closed)
		books_wrong("%s does not end", s->name);
	else if (!s->was_well && !world.has_disk_trouble)
		books_wrong("%s ended badly", s->name);
	else if (s->left > 0)
		books_wrong("%s: %zu descriptors are left", s->name, s->left);
}

void books_balance(void)
{
	judge_promises(true);
	for (size_t i = 0; i < books.n_units; i++)
		judge_notices(books.units[i]);
	for (size_t i = 0; i < books.n_taken; i++) {
		judge_doubles(&books.taken[i]);
		judge_refused(&books.taken[i]);
	}
	for (size_t i = 0; i < books.n_units; i++)
		judge_told(books.units[i]);
	for (int i = 0; i < world.n_splitmails; i++)
		judge_left(&world.splitmails[i]);
}
