/*
 * splitmail-sim: worlds from seeds, each in a process of its own, and whether
 * their books balance (docs/simulation.md).
 *
 * DIAGNOSTICS
 *	status 0: all did; 1: one did not, its seed and what was wrong first are
 *	printed; 2: it was called wrongly.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mutants.h"
#include "books.h"
#include "neighbour.h"
#include "one_world.h"

enum { AGAIN_EACH = 50, SECONDS_EACH = 120 };

struct figures {
	uint64_t worlds, again, bad, trace;
	struct books_totals totals;
};

static void usage(void)
{
	fputs("usage: splitmail-sim [--seed S] [--worlds N] [--minutes M]\n"
	      "                     [--corpus FILE] [--show S [--log]]\n"
	      "  --seed S      the first world's; the next ones follow\n"
	      "  --worlds N    so many worlds (100)\n"
	      "  --minutes M   as many as there is time for\n"
	      "  --corpus F    first the seeds that stand in F\n"
	      "  --mutant NAME with this fault planted (base/mutants.h)\n"
	      "  --show S      tell the story of world S; --log: with what\n"
	      "                the servers write into their logs\n",
	      stderr);
	exit(2);
}

/* ---- a world in a process of its own ---- */

static void run_child(uint64_t seed, int fd)
{
	struct outcome o = { 0 };

	alarm(SECONDS_EACH);
	one_world(seed, &o);
	_exit(write(fd, &o, sizeof(o)) != sizeof(o));
}

static void run(uint64_t seed, struct outcome *o)
{
	int fd[2], status = 0;
	pid_t child;

	fflush(stdout);
	check(pipe(fd) == 0);
	child = fork();
	check(child >= 0);
	if (child == 0)
		run_child(seed, fd[1]);
	close(fd[1]);
	if (read(fd[0], o, sizeof(*o)) != sizeof(*o))
		*o = (struct outcome){ .is_bad = true };
	close(fd[0]);
	check(waitpid(child, &status, 0) == child);
	if (status != 0)
		snprintf(o->verdict, sizeof(o->verdict),
			 WIFSIGNALED(status) ? "died by signal %d"
					     : "ended with status %d",
			 WIFSIGNALED(status) ? WTERMSIG(status)
					     : WEXITSTATUS(status));
	o->is_bad |= status != 0;
}

static void say_bad(uint64_t seed, const char *what)
{
	printf("WRONG in world %" PRIu64 ": %s\n\t./dev sim --show %" PRIu64
	       "\n",
	       seed, what, seed);
}

static void try_again(uint64_t seed, const struct outcome *first,
		      struct figures *f)
{
	struct outcome o;

	run(seed, &o);
	f->again++;
	if (o.trace == first->trace)
		return;
	f->bad++;
	say_bad(seed, "the second time it is another world");
}

static void try_world(uint64_t seed, struct figures *f)
{
	struct outcome o;

	run(seed, &o);
	f->worlds++;
	f->trace = f->trace * 31 + o.trace;
	f->totals.units += o.totals.units;
	f->totals.promised += o.totals.promised;
	f->totals.refused += o.totals.refused;
	f->totals.open += o.totals.open;
	f->totals.taken += o.totals.taken;
	f->totals.told += o.totals.told;
	if (o.is_bad) {
		f->bad++;
		say_bad(seed, o.verdict);
	} else if (seed % AGAIN_EACH == 0) {
		try_again(seed, &o, f);
	}
}

/* ---- many ---- */

/* One seed a line, and a word why; "#" begins a remark. */
static void try_corpus(const char *path, struct figures *f)
{
	FILE *file = fopen(path, "r");
	char line[200];
	uint64_t seed;

	if (!file) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%" SCNu64, &seed) == 1)
			try_world(seed, f);
	fclose(file);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (end == text || *end)
		usage();
	return n;
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

struct wish {
	uint64_t seed, worlds;
	double minutes;
	const char *corpus;
	bool is_show, with_log;
};

/* Only builds with -Dmutants=true have any. */
static void wake(const char *mutant)
{
#ifdef SPLITMAIL_MUTANTS
	if (mutant_wake(mutant))
		return;
#endif
	fprintf(stderr, "there is no mutant %s here\n", mutant);
	exit(2);
}

static struct wish wish_of(int n, char **words)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "worlds", required_argument, NULL, 'w' },
		{ "minutes", required_argument, NULL, 'm' },
		{ "corpus", required_argument, NULL, 'c' },
		{ "show", required_argument, NULL, 'S' },
		{ "mutant", required_argument, NULL, 'M' },
		{ "log", no_argument, NULL, 'l' },
		{ 0 },
	};
	struct wish w = { .seed = 1, .worlds = 100 };
	int c;

	while ((c = getopt_long(n, words, "", options, NULL)) != -1)
		switch (c) {
		case 'S':
			w.is_show = true;
			/* fall through */
		case 's':
			w.seed = number(optarg);
			break;
		case 'w':
			w.worlds = number(optarg);
			break;
		case 'm':
			w.minutes = atof(optarg);
			w.worlds = UINT64_MAX;
			break;
		case 'c':
			w.corpus = optarg;
			break;
		case 'M':
			wake(optarg);
			break;
		case 'l':
			w.with_log = true;
			break;
		default:
			usage();
		}
	if (optind != n)
		usage();
	return w;
}

int main(int n, char **words)
{
	struct wish w = wish_of(n, words);
	struct figures f = { 0 };
	double began = seconds();

	setenv("SPLITMAIL_CHEAP_PASSWORDS", "1", 1);
	splitmails_prepare();
	neighbours_prepare();
	if (w.is_show)
		return show_world(w.seed, w.with_log);
	if (w.corpus)
		try_corpus(w.corpus, &f);
	for (uint64_t i = 0; i < w.worlds; i++) {
		if (w.minutes > 0 && seconds() - began > 60 * w.minutes)
			break;
		try_world(w.seed + i, &f);
	}
	return say_figures(&f, seconds() - began);
}
