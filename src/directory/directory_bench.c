/*
 * How fast the directory answers with many users.
 *
 *	directory_bench [USERS]		100000 when not given
 *
 * Makes a directory in /tmp through the same changes everybody uses, half of
 * the users alternate, then asks for random addresses as RCPT does (domain and
 * address, one transaction) and prints microseconds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "directory/changes.h"
#include "directory/database.h"
#include "directory/lists.h"

enum { QUESTIONS = 200000 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "directory_bench: %s: %s\n", what, cause());
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(struct change r)
{
	if (r.outcome == CHANGE_DONE)
		return;
	fprintf(stderr, "directory_bench: %s\n", r.sentence);
	exit(1);
}

static void fill(const char *path, uint64_t users)
{
	struct setting relay = { S("relay"), S("mail.b.test") };
	struct setting hosted = { S("mail_system"), S("hosted") };
	struct setting alternate = { S("mail_system"), S("alternate") };
	struct changes *c;

	if (!directory_create(path, S("secret")))
		die("create");
	c = changes_open(path, "bench");
	if (!c || !changes_begin(c))
		die("open");
	must(domain_create(c, S("bench.test"), &relay, 1));
	for (uint64_t i = 0; i < users; i++) {
		char address[64];

		snprintf(address, sizeof(address), "user%06llu@bench.test",
			 (unsigned long long)i);
		must(user_create(c, str_of(address),
				 i % 2 ? &alternate : &hosted, 1));
	}
	if (!changes_end(c))
		die("commit");
	changes_close(c);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void ask(struct directory *d, uint64_t users, double *us)
{
	struct arena *arena = arena_open();
	uint64_t seed = 88172645463325252;

	for (size_t i = 0; i < QUESTIONS; i++) {
		struct domain domain;
		struct holder h;
		struct str local;
		double begin;

		arena_reset(arena);
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		local = arena_strf(arena, "user%06llu",
				   (unsigned long long)(seed % users));
		begin = now_us();
		directory_begin(d);
		if (directory_domain(d, S("bench.test"), arena, &domain) !=
			    ANSWER_YES ||
		    directory_address(d, &domain, local, S("bench.test"), arena,
				      &h) != ANSWER_YES)
			die("ask");
		directory_end(d);
		us[i] = now_us() - begin;
	}
	arena_close(arena);
}

static void count(void *arg, const struct holder_entry *e)
{
	++*(uint64_t *)arg;
}

static void report(struct directory *d, uint64_t users)
{
	double *us = must_alloc(QUESTIONS * sizeof(*us)), begin;
	struct holder_filter all = { .kind = HOLDER_USER, .mail_system = -1 };
	struct rusage usage;
	uint64_t n = 0;

	ask(d, users, us); /* the cache fills */
	begin = now_us();
	ask(d, users, us);
	printf("asked    %d times, domain and address: %.0f/s\n", QUESTIONS,
	       QUESTIONS / ((now_us() - begin) / 1e6));
	qsort(us, QUESTIONS, sizeof(*us), by_value);
	printf("us       p50 %.1f  p99 %.1f  p99.9 %.1f  max %.1f\n",
	       us[QUESTIONS / 2], us[QUESTIONS / 100 * 99],
	       us[QUESTIONS / 1000 * 999], us[QUESTIONS - 1]);
	begin = now_us();
	if (!list_holders(d, &all, count, &n))
		die("list");
	getrusage(RUSAGE_SELF, &usage);
	printf("listed   %llu users in %.2f s; %ld MiB at most\n",
	       (unsigned long long)n, (now_us() - begin) / 1e6,
	       usage.ru_maxrss / 1024);
	free(us);
}

/* A reader leaves -wal and -shm where they are. */
static int tidy(const char *folder, const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < array_size(ends); i++) {
		char file[80];

		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		unlink(file);
	}
	return rmdir(folder);
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/splitmail-directory-bench-XXXXXX", path[72];
	uint64_t users = 100000;
	struct directory *d;
	double begin;

	if (argc > 1 &&
	    (!str_number(str_of(argv[1]), 10000000, &users) || users == 0)) {
		fprintf(stderr, "usage: directory_bench [USERS]\n");
		return 2;
	}
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/directory.db", folder);
	begin = now_us();
	fill(path, users);
	printf("made     %llu users in %.1f s\n", (unsigned long long)users,
	       (now_us() - begin) / 1e6);
	d = directory_open(path);
	if (!d)
		die("open");
	report(d, users);
	directory_close(d);
	return tidy(folder, path);
}
