/*
 * splitmail-sim: worlds from seeds, and whether their books balance
 * (docs/simulation.md).
 *
 * DIAGNOSTICS
 *	status 0: all did; 1: one did not, its seed and what was wrong first are
 *	printed, and the least of that world that is wrong in the same way; 2:
 *	it was called wrongly.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mutants.h"
#include "neighbour.h"
#include "shrink.h"
#include "workers.h"

enum { AGAIN_EACH = 50, SECONDS_EACH = 120, KINDS = 50, KIND_BYTES = 400 };

static void usage(void)
{
	fputs("usage: splitmail-sim [--seed S] [--worlds N] [--minutes M]\n"
	      "                     [--about NAME] [--jobs J] [--corpus FILE]\n"
	      "                     [--shrink T] [--mutant NAME]\n"
	      "                     [--show S [--without NAMES] [--log]]\n"
	      "  --seed S      the first world's; the next ones follow\n"
	      "  --worlds N    so many worlds (100)\n"
	      "  --minutes M   as many as there is time for\n"
	      "  --about NAME  of these only what is about that (subject.h)\n"
	      "  --jobs J      in so many processes at once (1)\n"
	      "  --corpus F    first the seeds that stand in F\n"
	      "  --mutant NAME with this fault planted (base/mutants.h)\n"
	      "  --shrink T    at most T seconds for making small what is\n"
	      "                wrong (60; 0: not at all)\n"
	      "  --show S      tell the story of world S; --log: with what\n"
	      "                the servers write into their logs\n"
	      "  --without A,B of world S these entries of its plan are left\n"
	      "                out (c0, c0.3, e1, p0.manners: as they are told)\n",
	      stderr);
	exit(2);
}

struct wish {
	uint64_t seed, worlds;
	double minutes, shrink_seconds;
	int jobs;
	const char *corpus, *mutant, *about;
	struct str without;
	bool is_show, with_log;
};

struct figures {
	uint64_t worlds, again, bad, trace;
	struct books_totals totals;
};

/* A run of many worlds. */
struct run {
	const struct wish *wish;
	FILE *corpus;
	uint64_t begun; /* of wish->worlds */
	double began;
	double shrink_seconds;         /* that are left */
	char kinds[KINDS][KIND_BYTES]; /* that have been made small */
	int n_kinds;
	struct figures f;
};

static volatile sig_atomic_t is_interrupted;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- one that is wrong ---- */

static void say_how_to_see(const struct run *r, uint64_t seed,
			   struct str without)
{
	if (r->wish->mutant)
		printf("\t%s --mutant %s", program_invocation_name,
		       r->wish->mutant);
	else
		printf("\t./dev sim");
	printf(" --show %" PRIu64 "%s%.*s\n", seed,
	       str_empty(without) ? "" : " --without ", STR(without));
}

static void say_bad(const struct run *r, uint64_t seed, const char *what)
{
	printf("WRONG in world %" PRIu64 ": %s\n", seed, what);
	say_how_to_see(r, seed, S(""));
}

static bool same(const struct outcome *a, const struct outcome *b)
{
	return a->trace == b->trace && strcmp(a->verdict, b->verdict) == 0;
}

static void live_again(uint64_t seed, struct str without, struct outcome *o)
{
	world_alone(&(struct one_world){ .seed = seed, .without = without },
		    SECONDS_EACH, true, o);
}

/* By itself; the first time others were lived before it in its process. */
static void replay(uint64_t seed, const struct outcome *first)
{
	struct outcome o;

	live_again(seed, S(""), &o);
	if (same(&o, first))
		puts("\tlived again: the same, to the byte");
	else
		printf("\tlived again: ANOTHER WORLD: %s\n",
		       o.is_bad ? o.verdict : "its books balance");
}

static bool is_new_kind(struct run *r, const struct outcome *o)
{
	char kind[KIND_BYTES];

	verdict_kind(o->verdict, kind, sizeof(kind));
	for (int i = 0; i < r->n_kinds; i++)
		if (strcmp(r->kinds[i], kind) == 0)
			return false;
	if (r->n_kinds == KINDS)
		return false;
	snprintf(r->kinds[r->n_kinds++], KIND_BYTES, "%s", kind);
	return true;
}

static void say_small(const struct run *r, uint64_t seed,
		      const struct shrunk *s)
{
	struct str without = buf_str(&s->without);
	struct outcome again;

	printf("made small%s: %zu of %zu entries are left, %u worlds in "
	       "%.1f s\n",
	       s->is_done ? "" : " as far as there was time", s->left,
	       s->entries, s->tried, s->seconds);
	world_tell_plan(
		&(struct one_world){ .seed = seed, .without = without });
	printf("WRONG: %s\n", s->outcome.verdict);
	say_how_to_see(r, seed, without);
	live_again(seed, without, &again);
	printf("\tlived again: %s\n", same(&again, &s->outcome)
					      ? "the same, to the byte"
					      : "ANOTHER WORLD");
}

/* The first of each kind. */
static void make_small(struct run *r, uint64_t seed, const struct outcome *o)
{
	struct shrunk s;

	if (r->shrink_seconds <= 0 || !is_new_kind(r, o))
		return;
	fflush(stdout);
	shrink(seed, o, r->shrink_seconds, &s);
	r->shrink_seconds -= s.seconds;
	say_small(r, seed, &s);
	shrunk_free(&s);
}

/* ---- many ---- */

static void note_wrong(struct run *r, uint64_t seed, const struct outcome *o)
{
	r->f.bad++;
	say_bad(r, seed, o->verdict);
	fflush(stdout);
	replay(seed, o);
	make_small(r, seed, o);
	fflush(stdout);
}

static void try_again(struct run *r, uint64_t seed, const struct outcome *first)
{
	struct outcome o;

	live_again(seed, S(""), &o);
	r->f.again++;
	if (same(&o, first))
		return;
	r->f.bad++;
	say_bad(r, seed, "the second time it is another world");
}

static void on_ended(void *run, uint64_t seed, const struct outcome *o)
{
	struct run *r = run;
	struct figures *f = &r->f;

	f->worlds++;
	f->trace += o->trace * (2 * seed + 1); /* in whichever order */
	f->totals.units += o->totals.units;
	f->totals.promised += o->totals.promised;
	f->totals.refused += o->totals.refused;
	f->totals.open += o->totals.open;
	f->totals.taken += o->totals.taken;
	f->totals.told += o->totals.told;
	if (o->is_bad)
		note_wrong(r, seed, o);
	else if (seed % AGAIN_EACH == 0)
		try_again(r, seed, o);
}

/* One seed a line, and a word why; "#" begins a remark. */
static bool next_of_corpus(FILE *file, uint64_t *seed)
{
	char line[200];

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%" SCNu64, seed) == 1)
			return true;
	return false;
}

static bool next_seed(void *run, uint64_t *seed)
{
	struct run *r = run;
	const struct wish *w = r->wish;

	if (is_interrupted)
		return false;
	if (r->corpus && next_of_corpus(r->corpus, seed))
		return true;
	do {
		if (r->begun == w->worlds ||
		    (w->minutes > 0 && seconds() - r->began > 60 * w->minutes))
			return false;
		*seed = w->seed + r->begun++;
	} while (w->about && !world_is_about(*seed, w->about));
	return true;
}

static int say_figures(const struct figures *f, double took)
{
	printf("%" PRIu64 " worlds (%" PRIu64 " twice) in %.1f s: %u mails, "
	       "%u promised, %u refused, %u left open; %u deliveries, %u "
	       "notices; trace %016" PRIx64 "; %" PRIu64 " wrong\n",
	       f->worlds, f->again, took, f->totals.units, f->totals.promised,
	       f->totals.refused, f->totals.open, f->totals.taken,
	       f->totals.told, f->trace, f->bad);
	return f->bad > 0;
}

/* The worlds that have begun are lived to their end, and summed up. */
static void on_interrupt(int number)
{
	(void)number;
	is_interrupted = 1;
}

static int run_worlds(const struct wish *w)
{
	static struct run r;
	const struct work work = {
		.jobs = w->jobs, .next = next_seed, .ended = on_ended, .arg = &r
	};
	const struct sigaction once = { .sa_handler = on_interrupt,
					.sa_flags = (int)SA_RESETHAND };

	r = (struct run){ .wish = w,
			  .began = seconds(),
			  .shrink_seconds = w->shrink_seconds };
	if (w->corpus && !(r.corpus = fopen(w->corpus, "r"))) {
		perror(w->corpus);
		return 2;
	}
	sigaction(SIGINT, &once, NULL);
	workers_run(&work);
	if (r.corpus)
		fclose(r.corpus);
	return say_figures(&r.f, seconds() - r.began);
}

static int show(const struct wish *w)
{
	struct outcome o = { 0 };

	one_world(&(struct one_world){ .seed = w->seed,
				       .without = w->without,
				       .is_told = true,
				       .with_log = w->with_log },
		  &o);
	printf("%s%s\n", o.is_bad ? "WRONG: " : "the books balance", o.verdict);
	return o.is_bad;
}

/* ---- what is wished ---- */

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (end == text || *end)
		usage();
	return n;
}

static double time_of(const char *text)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || *end || !(n >= 0))
		usage();
	return n;
}

/* Only builds with -Dmutants=true have any. */
static const char *wake(const char *mutant)
{
#ifdef SPLITMAIL_MUTANTS
	if (mutant_wake(mutant))
		return mutant;
#endif
	fprintf(stderr, "there is no mutant %s here\n", mutant);
	exit(2);
}

static void take_option(struct wish *w, int c)
{
	switch (c) {
	case 'S':
		w->is_show = true;
		/* fall through */
	case 's':
		w->seed = number(optarg);
		break;
	case 'w':
		w->worlds = number(optarg);
		break;
	case 'm':
		w->minutes = time_of(optarg);
		w->worlds = UINT64_MAX;
		break;
	case 'j':
		w->jobs = (int)number(optarg);
		break;
	case 'c':
		w->corpus = optarg;
		break;
	case 'a':
		w->about = optarg;
		break;
	case 'M':
		w->mutant = wake(optarg);
		break;
	case 't':
		w->shrink_seconds = time_of(optarg);
		break;
	case 'o':
		w->without = str_of(optarg);
		break;
	case 'l':
		w->with_log = true;
		break;
	default:
		usage();
	}
}

static struct wish wish_of(int n, char **words)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "worlds", required_argument, NULL, 'w' },
		{ "minutes", required_argument, NULL, 'm' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "corpus", required_argument, NULL, 'c' },
		{ "about", required_argument, NULL, 'a' },
		{ "mutant", required_argument, NULL, 'M' },
		{ "shrink", required_argument, NULL, 't' },
		{ "show", required_argument, NULL, 'S' },
		{ "without", required_argument, NULL, 'o' },
		{ "log", no_argument, NULL, 'l' },
		{ 0 },
	};
	struct wish w = {
		.seed = 1, .worlds = 100, .jobs = 1, .shrink_seconds = 60
	};
	int c;

	while ((c = getopt_long(n, words, "", options, NULL)) != -1)
		take_option(&w, c);
	if (optind != n || w.jobs < 1 || w.jobs > JOBS ||
	    (!w.is_show && (w.with_log || !str_empty(w.without))))
		usage();
	return w;
}

int main(int n, char **words)
{
	struct wish w = wish_of(n, words);

	setenv("SPLITMAIL_CHEAP_PASSWORDS", "1", 1);
	splitmails_prepare();
	neighbours_prepare();
	return w.is_show ? show(&w) : run_worlds(&w);
}
