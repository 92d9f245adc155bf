/*
 * A world that is wrong, made small (shrink.h).
 *
 * Part by part of the plan, the largest first, runs of entries are left out: all
 * of the part, then halves, and so on down to one by one; what the world is
 * wrong without, stays out.  That is done again until nothing more can go, for
 * what one entry held may be free when another is gone.
 */
#include "shrink.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "entries.h"
#include "workers.h"

enum { KIND_BYTES = 400, SECONDS_EACH = 20 };

struct search {
	uint64_t seed;
	char kind[KIND_BYTES];
	struct buf without;
	struct entries now;
	double until;
	unsigned tried;
};

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- kinds ---- */

/* Behind "83.120 s: "; a death has no instant. */
static const char *sentence_of(const char *verdict)
{
	const char *colon = strstr(verdict, " s: ");

	return isdigit((unsigned char)*verdict) && colon ? colon + 4 : verdict;
}

/* "u3", "12" and "550" are "#". */
static const char *skip_name(const char *p, const char *begin)
{
	const char *q = p;

	if (p > begin && isalnum((unsigned char)p[-1]))
		return p;
	if (islower((unsigned char)*q))
		q++;
	if (!isdigit((unsigned char)*q))
		return p;
	while (isdigit((unsigned char)*q))
		q++;
	return q;
}

void verdict_kind(const char *verdict, char *to, size_t room)
{
	const char *begin = sentence_of(verdict), *p = begin;
	bool is_death = begin == verdict;
	size_t n = 0;

	while (*p && n + 1 < room) {
		const char *end = is_death ? p : skip_name(p, begin);

		to[n++] = end > p ? '#' : *p;
		p = end > p ? end : p + 1;
	}
	to[n] = '\0';
}

static bool is_of_kind(const struct outcome *o, const char *kind)
{
	char its[KIND_BYTES];

	verdict_kind(o->verdict, its, sizeof(its));
	return o->is_bad && strcmp(its, kind) == 0;
}

/* ---- trying ---- */

static void list(uint64_t seed, const struct buf *without, struct entries *to)
{
	world_open(&(struct one_world){ .seed = seed,
					.without = buf_str(without) });
	entries_list(to);
	world_close();
}

static bool has_time(const struct search *s)
{
	return seconds_now() < s->until;
}

static void add_name(struct buf *to, struct str name)
{
	if (to->n > 0)
		buf_add_char(to, ',');
	buf_add(to, name);
}

/* Without N more; true: it is wrong all the same, and they stay out. */
static bool goes_without(struct search *s, size_t from, size_t n)
{
	struct buf names = BUF_EMPTY;
	struct outcome o;

	buf_add(&names, buf_str(&s->without));
	for (size_t i = from; i < from + n; i++)
		add_name(&names, str_of(s->now.all[i].name));
	s->tried++;
	world_alone(&(struct one_world){ .seed = s->seed,
					 .without = buf_str(&names) },
		    SECONDS_EACH, true, &o);
	if (!is_of_kind(&o, s->kind)) {
		buf_free(&names);
		return false;
	}
	buf_free(&s->without);
	s->without = names;
	list(s->seed, &s->without, &s->now);
	return true;
}

/* Details are one part. */
static enum part part_at(const struct entries *e, size_t i)
{
	enum part p = e->all[i].part;

	return p < PART_RECIPIENT ? p : PART_RECIPIENT;
}

static size_t end_of_part(const struct entries *e, size_t from, enum part part)
{
	while (from < e->n && part_at(e, from) == part)
		from++;
	return from;
}

static size_t begin_of_part(const struct entries *e, enum part part)
{
	size_t i = 0;

	while (i < e->n && part_at(e, i) < part)
		i++;
	return i;
}

/* Those that stay are passed by: behind POSITION of them, the next run. */
static bool thin_by(struct search *s, enum part part, size_t run)
{
	size_t position = 0;
	bool has_gone = false;

	while (has_time(s)) {
		size_t from = begin_of_part(&s->now, part) + position;
		size_t end = end_of_part(&s->now, from, part);

		if (from >= end)
			break;
		if (run > end - from)
			run = end - from;
		if (goes_without(s, from, run))
			has_gone = true;
		else
			position += run;
	}
	return has_gone;
}

static bool thin(struct search *s, enum part part)
{
	size_t from = begin_of_part(&s->now, part);
	size_t run = end_of_part(&s->now, from, part) - from;
	bool has_gone = false;

	for (; run > 0; run /= 2)
		has_gone |= thin_by(s, part, run);
	return has_gone;
}

/* ---- what the mask need not say ---- */

static bool same_entries(const struct entries *a, const struct entries *b)
{
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (strcmp(a->all[i].name, b->all[i].name) != 0)
			return false;
	return a->n == b->n;
}

/* All of NAMES but number OUT. */
static void add_names_but(struct buf *to, struct str names, size_t out)
{
	struct str name;

	for (size_t i = 0; str_split(&names, ',', &name); i++)
		if (i != out)
			add_name(to, name);
}

/* What goes with another need not be named. */
static void shorten(struct search *s)
{
	struct entries *less = must_alloc(sizeof(*less));
	size_t n = 0;

	for (size_t i = 0; i < s->without.n; i++)
		n += s->without.p[i] == ',';
	for (size_t i = s->without.n ? n + 1 : 0; i-- > 0;) {
		struct buf names = BUF_EMPTY;

		add_names_but(&names, buf_str(&s->without), i);
		list(s->seed, &names, less);
		if (same_entries(less, &s->now)) {
			buf_free(&s->without);
			s->without = names;
		} else {
			buf_free(&names);
		}
	}
	free(less);
}

/* ---- the story ---- */

static bool thin_all(struct search *s)
{
	bool has_gone = false;

	for (int part = 0; part <= PART_RECIPIENT; part++)
		has_gone |= thin(s, (enum part)part);
	return has_gone;
}

void shrink(uint64_t seed, const struct outcome *wrong, double seconds,
	    struct shrunk *to)
{
	struct search *s = must_alloc(sizeof(*s));
	double began = seconds_now();

	*s = (struct search){ .seed = seed, .until = began + seconds };
	verdict_kind(wrong->verdict, s->kind, sizeof(s->kind));
	list(seed, &s->without, &s->now);
	*to = (struct shrunk){ .entries = s->now.n };
	while (thin_all(s))
		;
	to->is_done = has_time(s);
	shorten(s);
	world_alone(&(struct one_world){ .seed = seed,
					 .without = buf_str(&s->without) },
		    SECONDS_EACH, true, &to->outcome);
	to->without = s->without;
	to->left = s->now.n;
	to->tried = s->tried;
	to->seconds = seconds_now() - began;
	free(s);
}

void shrunk_free(struct shrunk *s)
{
	buf_free(&s->without);
}
