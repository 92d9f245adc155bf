/* What was confirmed, on the disk: written, read again, damaged, grown. */
#include "route/confirmed.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/test.h"
#include "route/verify.h"
#include "rt/loop.h"

#define B S("relay b.example, c+d=e")
#define BOB S("bob@own.test")
#define EVE S("\"e ve\"@own.test")

static char folder[] = "/tmp/confirmed-test-XXXXXX";
static const struct reply no = { 550, "5.1.1", { "gone", 4 } };

static const char *path(const char *name)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s/%s", folder, name);
	return text;
}

static bool is_there(const char *name)
{
	return access(path(name), F_OK) == 0;
}

static void write_file(const char *text)
{
	FILE *f = fopen(path("verified"), "w");

	check(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static long file_size(void)
{
	FILE *f = fopen(path("verified"), "r");
	long n;

	check(f && fseek(f, 0, SEEK_END) == 0);
	n = ftell(f);
	fclose(f);
	return n;
}

static struct finding find(struct verification *v, struct str address)
{
	struct arena *arena = arena_open();
	struct finding f = verify_find(v, B, address, arena);

	f.reply.text = STR_NONE;
	arena_close(arena);
	return f;
}

/* ---- stories, each in a loop and a folder of its own ---- */

static void restart(void *arg)
{
	struct verification *v = verification_open(NULL);
	struct confirmed *c = confirmed_open(v, folder);

	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	verify_learn(v, B, EVE, VERDICT_YES, NULL);
	verify_learn(v, B, S("no@own.test"), VERDICT_NO, &no);
	confirmed_save(c);
	verify_learn(v, B, EVE, VERDICT_NO, &no);
	confirmed_save(c);
	confirmed_close(c); /* as by kill -9: nothing is written at the end */
	verification_close(v);

	v = verification_open(NULL);
	check(!find(v, BOB).once_confirmed);
	c = confirmed_open(v, folder);
	check(find(v, BOB).once_confirmed && !find(v, BOB).was_refused);
	check(find(v, BOB).verdict == VERDICT_YES);
	check(find(v, EVE).once_confirmed && find(v, EVE).was_refused);
	check(find(v, EVE).verdict == VERDICT_NOT_ASKED);
	check(!find(v, S("no@own.test")).was_refused);
	check(!is_there("verified.damaged") && !is_there("verified.new"));
	confirmed_close(c);
	verification_close(v);
}

/* Names as long as they may be, and more of them than the file has room for:
 * those not used for longest are left out, and the rest is no damage. */
static void more_than_fits(void *arg)
{
	enum { MANY = 10500 };
	struct verification *v = verification_open(NULL);
	struct confirmed *c = confirmed_open(v, folder);
	struct arena *arena = arena_open();
	char system[990], address[32];
	struct str long_name = { system, sizeof(system) };

	memset(system, '+', sizeof(system)); /* three bytes each, in xtext */
	for (int i = 0; i < MANY; i++) {
		snprintf(address, sizeof(address), "u%d@own.test", i);
		verify_learn(v, long_name, str_of(address), VERDICT_YES, NULL);
		if (i % 3000 == 0)
			confirmed_save(c);
	}
	confirmed_save(c);
	confirmed_close(c);
	verification_close(v);
	v = verification_open(NULL);
	c = confirmed_open(v, folder);
	check(!is_there("verified.damaged"));
	check(verify_find(v, long_name, str_of(address), arena).once_confirmed);
	check(file_size() > 5 * 1000 * 1000);
	confirmed_close(c);
	verification_close(v);
	arena_close(arena);
}

static void old_ones_are_forgotten(void *arg)
{
	long long now = wall_ms() / 1000;
	struct verification *v = verification_open(NULL);
	struct confirmed *c;
	char text[500];

	snprintf(text, sizeof(text),
		 "splitmail verified 1\n"
		 "%lld yes b old@own.test\n%lld yes b young@own.test\n"
		 "%lld yes b ahead@own.test\n",
		 now - 7 * 86400, now - 7 * 86400 + 60, now + 9999);
	write_file(text);
	c = confirmed_open(v, folder);
	check(!is_there("verified.damaged"));
	{
		struct arena *arena = arena_open();

		check(!verify_find(v, S("b"), S("old@own.test"), arena)
			       .once_confirmed);
		check(verify_find(v, S("b"), S("young@own.test"), arena)
			      .once_confirmed);
		check(verify_find(v, S("b"), S("young@own.test"), arena)
			      .verdict == VERDICT_NOT_ASKED);
		check(verify_find(v, S("b"), S("ahead@own.test"), arena)
			      .once_confirmed);
		arena_close(arena);
	}
	confirmed_close(c);
	verification_close(v);
}

/* WRITTEN is read at a start; is it taken for damaged, and bob for known? */
static void start_with(const char *written, bool is_damaged, bool knows_bob)
{
	struct verification *v = verification_open(NULL);
	struct confirmed *c;
	struct arena *arena = arena_open();

	write_file(written);
	c = confirmed_open(v, folder);
	if (is_there("verified.damaged") != is_damaged ||
	    verify_find(v, S("b"), BOB, arena).once_confirmed != knows_bob)
		fail_msg("after \"%s\"", written);
	/* and there is a whole one again */
	check(file_size() > 0);
	remove(path("verified.damaged"));
	confirmed_close(c);
	verification_close(v);
	arena_close(arena);
}

static void damaged(void *arg)
{
	long long now = wall_ms() / 1000;
	static const char *const bad[] = { "x yes b a@b",   "9 maybe b a@b",
					   "9 yes b",       "9 yes b a@b c",
					   "9 yes b +zz@b", "",
					   "\xff\xfe",      "9 yes  a@b" };
	char text[500];

	for (size_t i = 0; i < array_size(bad); i++) {
		snprintf(text, sizeof(text),
			 "splitmail verified 1\n%s\n%lld yes b bob@own.test\n",
			 bad[i], now);
		start_with(text, true, true);
	}
	start_with("something else\n", true, false);
	start_with("", false, false);
	/* cut by a crash */
	snprintf(text, sizeof(text),
		 "splitmail verified 1\n%lld yes b bob@own.test\n%lld yes b ev",
		 now, now);
	start_with(text, false, true);
}

static void cannot_be_written(void *arg)
{
	struct verification *v = verification_open(NULL);
	struct confirmed *c = confirmed_open(v, "/nonexistent/folder");

	verify_learn(v, B, BOB, VERDICT_YES, NULL);
	confirmed_save(c);
	check(find(v, BOB).verdict == VERDICT_YES);
	confirmed_close(c);
	verification_close(v);
}

/* Many lines for few addresses: written anew, so it stays small. */
static void does_not_grow(void *arg)
{
	struct verification *v = verification_open(NULL);
	struct confirmed *c = confirmed_open(v, folder);

	for (int i = 0; i < 20000; i++) {
		verify_learn(v, B, BOB, i % 2 ? VERDICT_NO : VERDICT_YES, &no);
		if (i % 10 < 2)
			confirmed_save(c);
	}
	check(file_size() < 200000);
	confirmed_close(c);
	verification_close(v);
}

static int remove_one(const char *name, const struct stat *st, int kind,
		      struct FTW *at)
{
	return at->level ? remove(name) : 0;
}

#define STORY(name) \
	static void test_##name(void **unused) \
	{ \
		loops_run(1, name, NULL); \
		nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS); \
	}

STORY(restart)
STORY(old_ones_are_forgotten)
STORY(damaged)
STORY(cannot_be_written)
STORY(does_not_grow)
STORY(more_than_fits)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_old_ones_are_forgotten),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_cannot_be_written),
		cmocka_unit_test(test_does_not_grow),
		cmocka_unit_test(test_more_than_fits),
	};
	int failed;

	check(mkdtemp(folder));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
