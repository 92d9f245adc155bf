/*
 * How long it took, and what explains that (judge_inside.h).
 *
 * Whoever has to do with a mail may have kept it waiting: the Splitmails, the
 * stores and systems of all its recipients, because a mail is tried again when
 * the last of its attempts has ended.  From the last instant at which one of
 * them did something that explains it, there is time for conversations as slow
 * as theirs, and, unless that was long before it was promised, for a retry at
 * each Splitmail on its way.
 */
#include "filters.h"
#include "judge_inside.h"
#include "rates.h"
#include "subject.h"

enum {
	PEACE_MS = 60000,        /* when all is well again, whatever it was */
	AT_ONCE_MS = 15000,      /* nothing explains a longer wait */
	SOON_MS = 5000,          /* until a mailbox is tried again */
	LOST_ANSWER_MS = 700000, /* until an answer is given up */
	REPLIES = 12,            /* of a conversation */
};

/* ---- who has to do with it ---- */

static unsigned bit(int taker)
{
	return taker < 0 ? 0 : 1u << taker;
}

static void add_homes(void *takers, const struct unit *u, const struct way *w)
{
	unsigned *of = takers;

	(void)u;
	for (int i = 0; i < w->n; i++) {
		const struct person *p = &world.persons[w->steps[i]];

		*of |= bit(p->also);
		for (int k = 0; k < p->n_homes; k++)
			*of |= bit(p->homes[k]);
	}
}

/* A bit for each taker; a store's stands for its Splitmail, too. */
static unsigned concerned(const struct unit *u)
{
	unsigned of = bit(store_of(u->splitmail)) | bit(store_of(0));

	if (world.splitmails[0].asks_peer)
		of |= bit(peer_taker(0));
	for (int i = 0; i < u->n; i++)
		ways_of(u, i, (struct asked){ add_homes, &of });
	return of;
}

/* ---- what they did ---- */

static bool goes_its_own_way(unsigned takers)
{
	for (int i = 0; i < world.n_takers; i++)
		if ((takers & bit(i)) && (world.takers[i].kind >= 0 ||
					  world.takers[i].has_silent_host))
			return true;
	return false;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Who is silent goes on with it, and only so many connections are had. */
static int64_t unwilling_ms(const struct taker *t)
{
	return t->silent ? now_ms() : t->unwilling_ms;
}

/* The last time one of them might be sent no more. */
static int64_t last_rate_ms(unsigned takers)
{
	int64_t last = 0;

	for (int i = 0; i < world.n_takers; i++)
		if (takers & bit(i))
			last = later(last, rate_full_ms(&world.takers[i]));
	return last;
}

/* The last time somebody of them did not do what he was asked to. */
static int64_t last_cause_ms(unsigned takers)
{
	int64_t last = mishap_ms(takers);

	for (int i = 0; i < world.n_takers; i++)
		if (takers & bit(i))
			last = later(last, unwilling_ms(&world.takers[i]));
	return later(last, last_rate_ms(takers));
}

/* Conversations with each of them, as slow as they can be, and what is in front
 * of them where only so many are had at once. */
static int64_t slowest_ms(unsigned takers)
{
	int64_t all = 0;

	for (int i = 0; i < world.n_takers; i++) {
		const struct manners *m = &world.takers[i].manners;
		int64_t one = m->greet_ms + REPLIES * m->answer_ms + m->dot_ms;

		if (takers & bit(i))
			all += one * (m->connections ? REPLIES : 2);
	}
	return all;
}

/* ---- a mail that was taken ---- */

/* When the world is calm again, whatever it was. */
static int64_t most_when_calm_ms(void)
{
	int64_t most = PEACE_MS;

	if (world.is_peaceful)
		return most;
	most += 3 * world.retry_max_s * 1000;
	if (world.has_crashes || world.has_lost_connections ||
	    world.has_silence)
		most += LOST_ANSWER_MS;
	return most;
}

static void say_late(const struct taken *t, int64_t waited_ms,
		     const char *since)
{
	books_wrong("unit %d for %s waited %lld s since %s", t->unit,
		    world.persons[t->person].local, (long long)waited_ms / 1000,
		    since);
}

/* Who leaves a system that is away does not wait for it. */
static void judge_following(const struct taken *t, int64_t promised_ms,
			    unsigned takers)
{
	const struct person *p = &world.persons[t->person];
	int64_t from = later(promised_ms, p->changed_ms);

	if (world.subject != ABOUT_MOVES || !p->changed_ms ||
	    p->changed_ms == NEVER)
		return;
	if (now_ms() - from > AT_ONCE_MS + slowest_ms(takers))
		say_late(t, now_ms() - from, "he moved");
}

/* A mailbox that says 4xx is tried again soon, and then after as long again as
 * the mail has waited; whatever its other recipients wait for. */
static void judge_hiccups(const struct taken *t, int64_t promised_ms,
			  unsigned takers)
{
	const struct taker *store = &world.takers[t->taker];
	int64_t begun = books.units[t->unit]->begun_ms, waited = 0;

	if (!store->is_store || t->taker != t->hop || world.is_peaceful ||
	    last_rate_ms(takers) > promised_ms ||
	    world.persons[t->person].is_over_quota ||
	    was_disturbed(begun, now_ms()) || was_administered(begun, now_ms()))
		return;
	if (unwilling_ms(store) > promised_ms)
		waited = unwilling_ms(store) - promised_ms;
	if (now_ms() - promised_ms >
	    2 * (waited + slowest_ms(takers)) + SOON_MS + AT_ONCE_MS)
		say_late(t, now_ms() - promised_ms,
			 "its mailbox was not ready");
}

void judge_wait(const struct taken *t, const int passed[], int n)
{
	const struct unit *u = books.units[t->unit];
	unsigned takers = concerned(u) | bit(t->taker);
	int64_t promised =
		u->code ? u->ended_ms
			: later(u->ended_ms, u->begun_ms + filters_took_ms(u));
	int64_t from, cause, most;

	for (int i = 0; i < n; i++)
		takers |= bit(store_of(passed[i]));
	judge_following(t, promised, takers);
	if (n == 1 && !goes_its_own_way(takers))
		judge_hiccups(t, promised, takers);
	if (world.is_peaceful || world.is_calm) {
		from = world.is_peaceful ? promised
					 : later(promised, world.calm_ms);
		from = later(from, last_rate_ms(takers));
		if (now_ms() - from > most_when_calm_ms())
			say_late(t, now_ms() - from, "all is well");
	}
	if (goes_its_own_way(takers))
		return;
	cause = last_cause_ms(takers);
	from = later(promised, cause);
	most = AT_ONCE_MS + slowest_ms(takers) + n * world.handover_ms;
	if (cause >= promised - world.retry_max_s * 1000)
		most += n * world.retry_max_s * 1000;
	if (was_shaken(u->begun_ms, now_ms()))
		most += LOST_ANSWER_MS;
	if (now_ms() - from > most)
		say_late(t, now_ms() - from, "something explained it");
}
