/* What became of each promise, and what senders are told (judge_inside.h). */
#include "filters.h"
#include "judge_inside.h"

enum { KNOWN_MS = 6000, HEARD_MS = 500 };

unsigned times_taken(const struct unit *u, int person, int taker)
{
	unsigned n = 0;

	for (size_t i = 0; i < books.n_taken; i++)
		n += books.taken[i].unit == u->number &&
		     books.taken[i].person == person &&
		     (taker < 0 || books.taken[i].taker == taker);
	return n;
}

/* A DSN's is nobody's. */
static unsigned times_open(const struct unit *u, int person, int taker)
{
	unsigned n = 0;

	for (size_t i = 0; i < books.n_open; i++)
		n += books.open[i].unit == u->number &&
		     books.open[i].taker == taker &&
		     (person < 0 || books.open[i].person == person);
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

bool was_told(const struct unit *u, int person)
{
	struct telling t = { .person = person };

	for (int i = 0; i < u->n; i++)
		ways_of(u, i, (struct asked){ look_for_notice, &t });
	return t.is_told;
}

static bool was_taken(const struct unit *u, int person)
{
	const struct person *p = &world.persons[person];

	if (p->settled >= 0)
		return times_taken(u, person, p->settled) > 0;
	if (p->also < 0 || p->changed_ms >= u->begun_ms)
		return times_taken(u, person, -1) > 0;
	/* whoever comes from the one does not get it back there */
	return times_taken(u, person, p->home) > 0 &&
	       (times_taken(u, person, p->also) > 0 ||
		world.clients[u->client].system == p->also);
}

/* Does a recipient lead to him of whom nobody wants to hear? */
static bool is_not_asked_for(const struct unit *u, int person)
{
	for (int i = 0; i < u->n; i++)
		if (unit_says_never(u, i) && leads_to(u, i, person))
			return true;
	return false;
}

/* What comes from <>, or with NOTIFY=NEVER, may fail without a word; and a
 * notice may itself wait until the clock says that it is too old. */
static bool fails_in_silence(const struct unit *u, const struct way *w)
{
	if (world.may_expire && way_is_barred(u, w))
		return true;
	return way_may_fail(u, w) &&
	       (!unit_has_sender(u) || is_not_asked_for(u, end_of(w)));
}

static void judge_fate(void *arg, const struct unit *u, const struct way *w)
{
	const struct person *p = &world.persons[end_of(w)];
	struct fates *f = arg;

	if (!w->is_sure || was_taken(u, end_of(w)) || was_told(u, end_of(w)) ||
	    fails_in_silence(u, w) || was_deleted(u, w))
		return;
	/* who has it by its trail is left out of a group */
	if (u->known && way_is_barred(u, w))
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
	bool is_asked_for;
	bool says_never; /* the recipient that is looked at */
	bool was_out;    /* his domain was gone while it came in */
};

static void look_for_cause(void *arg, const struct unit *u, const struct way *w)
{
	struct cause_of *c = arg;

	if (!was_stepped(w, c->person))
		return;
	c->is_there |=
		c->was_out || way_may_fail(u, w) || comes_round(c->person);
	c->is_asked_for |= !c->says_never;
}

/* One of the gallery gives back what it does not have, without NOTIFY. */
bool somebody_forgets_notify(void)
{
	for (int i = 0; i < world.n_takers; i++)
		if (world.takers[i].kind >= 0)
			return true;
	return false;
}

static struct cause_of cause_for(const struct unit *u, int person, bool delays)
{
	struct cause_of c = { .person = person };

	for (int i = 0; i < u->n; i++) {
		c.says_never = unit_says_never(u, i) ||
			       (delays && unit_says_no_delay(u, i));
		c.was_out = was_out_of_domain(u, i);
		ways_of(u, i, (struct asked){ look_for_cause, &c });
	}
	return c;
}

void judge_notices(const struct unit *u)
{
	for (int who = 0; who < world.n_persons; who++) {
		struct cause_of c;

		if (!u->told[who])
			continue;
		c = cause_for(u, who, false);
		if (!c.is_there)
			books_wrong("unit %d: its sender is told that %s has "
				    "not got it, without a cause",
				    u->number, world.persons[who].local);
		if (!c.is_asked_for && !somebody_forgets_notify())
			books_wrong("unit %d: its sender is told of %s, and "
				    "said NOTIFY=NEVER",
				    u->number, world.persons[who].local);
	}
}

bool judge_promises(bool complain)
{
	struct fates f = { complain, true };

	for (size_t k = 0; k < books.n_units; k++) {
		const struct unit *u = books.units[k];

		if (u->code != 250 || filters_discard(u))
			continue;
		for (int i = 0; i < u->n; i++)
			if (u->codes[i] == 250 && !u->is_struck[i] &&
			    !was_out_of_domain(u, i))
				ways_of(u, i, (struct asked){ judge_fate, &f });
	}
	return f.are_even;
}

int64_t last_taken_ms(const struct unit *u)
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
	return t->manners.close_in || t->manners.lost_in ||
	       t->manners.part_in || t->kind >= 0 || world.has_crashes ||
	       world.has_lost_connections || world.has_disk_trouble;
}

/* A stop waits for an answer to the dot, and not for longer than a minute; one of
 * the gallery may answer later. */
static bool was_stopped_before_the_answer(const struct unit *u, int taker)
{
	return world.takers[taker].kind >= 0 &&
	       was_restarted(u->begun_ms, last_taken_ms(u));
}

/* Mail for a detail of somebody's address is another than that for himself. */
static bool has_details(const struct unit *u, int person)
{
	for (int i = 0; i < u->n; i++)
		if (unit_says_detail(u, i))
			return true;
	for (int i = 0; i < world.n_persons; i++)
		if (world.persons[i].crowd &&
		    world.persons[i].crowd_of == person)
			return true;
	return false;
}

static bool says_aliases(const struct unit *u)
{
	for (int i = 0; i < u->n; i++)
		if (unit_says_alias(u, i))
			return true;
	return false;
}

static bool somebody_strips(void)
{
	for (int i = 0; i < world.n_takers; i++)
		if (world.takers[i].strips_trail)
			return true;
	return false;
}

/* Was it held for one of its recipients, or released from what was held before it
 * came?  Another who leads to the same mailbox waits on then, and each has an
 * attempt of its own. */
static bool was_held_alone(const struct unit *u)
{
	for (int i = 0; i < world.n_events; i++) {
		const struct event *e = &world.events[i];

		if (e->kind == EVENT_HOLD && e->to >= 0 &&
		    (!e->ended_ms || e->ended_ms >= u->begun_ms))
			return true;
	}
	return false;
}

/* Ways that meet in one Splitmail are one.  What comes back by a list of another
 * system is known for what it is, unless that has made another of it. */
static unsigned ways_that_count(const struct taken *t)
{
	const struct unit *u = books.units[t->unit];
	struct counting c = ways_to(u, t->person);
	unsigned ours = c.ways - c.by_lists;

	/* one of his names may have waited for the alias, or by itself */
	if (world.n_splitmails > 1 || world.alias_gone_ms || was_held_alone(u))
		return c.ways;
	/* to another system a name is said as it was, and each is another */
	if (!world.takers[t->taker].is_store &&
	    (has_details(u, t->person) || says_aliases(u)))
		return c.ways;
	if (ours > 0 && !has_details(u, t->person) && !somebody_strips())
		return 1;
	return (ours > 0) + c.by_lists;
}

/* What one Splitmail gave to T's taker is written down when its other recipients
 * there have been told, and a little later: then a crash forgets nothing of it.
 * Whoever takes long about it takes it from one who has crashed meanwhile. */
static bool may_be_forgotten(const struct taken *t)
{
	const struct manners *m = &world.takers[t->taker].manners;
	int64_t slow_ms = m->greet_ms + 2 * m->answer_ms + m->dot_ms;

	return was_crashed(t->at_ms - slow_ms - HEARD_MS,
			   t->at_ms + KNOWN_MS + RECIPIENTS * slow_ms);
}

/* Was it shaken in a way that explains that PERSON has it again? */
static bool is_forgotten(const struct unit *u, const struct taken *like,
			 unsigned more)
{
	int64_t last = last_taken_ms(u);

	if (world.n_splitmails > 1 || world.takers[like->taker].kind >= 0)
		return was_shaken(u->begun_ms, last);
	if (was_torn(u->begun_ms, last))
		return true;
	for (size_t i = 0; i < books.n_taken && more > 0; i++) {
		const struct taken *t = &books.taken[i];

		more -= t->unit == like->unit && t->person == like->person &&
			t->taker == like->taker && may_be_forgotten(t);
	}
	return more == 0;
}

/* More often than there are ways to him, and times when nobody knew. */
void judge_doubles(const struct taken *t)
{
	const struct unit *u = books.units[t->unit];
	unsigned n = times_taken(u, t->person, t->taker);
	unsigned may = ways_that_count(t);

	if (may_lose_answers(&world.takers[t->taker]))
		may += times_open(u, t->person, t->taker);
	if (n > may && !is_forgotten(u, t, n - may) &&
	    !was_stopped_before_the_answer(u, t->taker) &&
	    !goes_round(t->person))
		books_wrong("unit %d for %s is %u times at %s", t->unit,
			    world.persons[t->person].local, n,
			    world.takers[t->taker].name);
}

/* One refusal is told once: there is nobody else who would.  Who is at home in
 * two places may be refused by both, who is reached by several ways on each of
 * them; and a notice has all of these, and comes again when the one who was told
 * hung up. */
unsigned may_be_told(const struct unit *u, int person)
{
	unsigned homes = world.persons[person].also < 0 ? 1 : 2;

	return ways_to(u, person).ways * homes *
	       (1 + times_open(u, -1, internet()) +
		(unit_is_of_user(u) ? times_open(u, -1, store_of(u->splitmail))
				    : 0));
}

void judge_told(const struct unit *u)
{
	if (world.n_splitmails > 1 || world.has_crashes ||
	    world.has_lost_connections || world.has_disk_trouble)
		return;
	for (int i = 0; i < world.n_persons; i++) {
		const char *who = world.persons[i].local;

		if (u->told[i] > 1 && u->told[i] > may_be_told(u, i))
			books_wrong("unit %d: its sender is told %u times that "
				    "%s has not got it",
				    u->number, u->told[i], who);
		if (u->warned[i] > 1 && u->warned[i] > may_be_told(u, i))
			books_wrong("unit %d: its sender is told %u times that "
				    "it waits for %s",
				    u->number, u->warned[i], who);
	}
}

/* How long it has waited is known by the wall's clock after a boot. */
void judge_warning(const struct unit *u, int person)
{
	const char *who = world.persons[person].local;
	int64_t waited_ms = now_ms() - u->begun_ms;

	if (!unit_has_sender(u))
		books_wrong("unit %d: <> is told that it waits for %s",
			    u->number, who);
	if (waited_ms < world.warning_s * 1000 && !world.may_expire)
		books_wrong("unit %d: its sender is told that it waits for %s, "
			    "%lld s after he has sent it",
			    u->number, who, (long long)waited_ms / 1000);
	if (!cause_for(u, person, true).is_asked_for &&
	    !somebody_forgets_notify())
		books_wrong("unit %d: its sender is told that it waits for %s, "
			    "and said NOTIFY without DELAY",
			    u->number, who);
}

/* Whoever was refused keeps it: nobody has it.  A disk may fail between the
 * last delivery and the answer. */
void judge_refused(const struct taken *t)
{
	const struct unit *u = books.units[t->unit];
	int64_t until = last_taken_ms(u);

	if (u->ended_ms > until)
		until = u->ended_ms;
	if (u->code >= 400 && !was_shaken(u->begun_ms, until))
		books_wrong("unit %d was refused, and %s has it at %s", t->unit,
			    world.persons[t->person].local,
			    world.takers[t->taker].name);
}
