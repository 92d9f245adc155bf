/* A mailbox is copied while somebody moves its messages about. */
#include "backup/mailbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/folder.h"

enum { FOLDERS = 3, MESSAGES = 200, ROUNDS = 3 };

static char root[] = "/tmp/splitmail-mailbox-XXXXXX";
static atomic_bool done;

static const char *in(struct arena *arena, const char *name)
{
	return arena_printf(arena, "%s/%s", root, name);
}

static void write_file(const char *name, const char *text)
{
	struct arena *arena scoped(arena) = arena_open();
	FILE *f = fopen(in(arena, name), "w");

	check(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void make_folder(const char *name)
{
	struct arena *arena scoped(arena) = arena_open();

	check(folder_new(in(arena, name)));
}

static void make_mailbox(void)
{
	struct arena *arena scoped(arena) = arena_open();

	make_folder("box");
	for (int f = 0; f < FOLDERS; f++) {
		make_folder(arena_printf(arena, "box/%d", f));
		make_folder(arena_printf(arena, "box/%d/cur", f));
		make_folder(arena_printf(arena, "box/%d/tmp", f));
		write_file(arena_printf(arena, "box/%d/tmp/half", f), "x");
		write_file(arena_printf(arena, "box/%d/list.lock", f), "x");
		write_file(arena_printf(arena, "box/%d/list", f), "1");
	}
	for (int i = 0; i < MESSAGES; i++)
		write_file(arena_printf(arena, "box/0/cur/%d:2,", i), "mail");
	check(symlink("sieve/own", in(arena, "box/.sieve")) == 0);
}

/* At each moment it is in one place. */
static void move_about(struct arena *arena, unsigned *seed)
{
	int i = rand_r(seed) % MESSAGES, from = rand_r(seed) % FOLDERS;
	int to = rand_r(seed) % FOLDERS;
	const char *was =
		in(arena, arena_printf(arena, "box/%d/cur/%d:2,", from, i));
	const char *is =
		in(arena, arena_printf(arena, "box/%d/cur/%d:2,", to, i));

	(void)!rename(was, is); /* it may be elsewhere */
}

static void *mover(void *pause_us)
{
	unsigned seed = 1;

	while (!atomic_load(&done)) {
		struct arena *arena scoped(arena) = arena_open();

		move_about(arena, &seed);
		if (*(int *)pause_us)
			usleep((unsigned)*(int *)pause_us);
	}
	return NULL;
}

struct seen {
	int times[MESSAGES];
	bool is_wrong; /* what should not be there */
};

static bool note(void *arg, const struct tree_entry *e)
{
	struct seen *seen = arg;
	struct str base = str_of(strrchr(e->path, '/') + 1), number;
	uint64_t i;

	if (e->kind == TREE_FILE && strstr(e->name, "/cur/")) {
		check(str_split(&base, ':', &number) &&
		      str_number(number, MESSAGES - 1, &i));
		seen->times[i]++;
	}
	seen->is_wrong |= strstr(e->name, "half") || strstr(e->name, ".lock") ||
			  strstr(e->name, ".part");
	return true;
}

static bool copy(const char *to, bool *steady)
{
	struct arena *arena scoped(arena) = arena_open();
	struct mailbox_wish w = { .from = in(arena, "box"),
				  .to = in(arena, to),
				  .name = "mail/box" };
	struct manifest_writer list;
	bool ok;

	check(manifest_begin(&list, root));
	ok = mailbox_copy(&w, &list, steady);
	fclose(list.list);
	return ok;
}

/* Nothing is missing, whatever is done; of one moment: nothing is doubled. */
static void copy_under(int pause_us)
{
	pthread_t thread;
	int steady = 0;

	atomic_store(&done, false);
	check(pthread_create(&thread, NULL, mover, &pause_us) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		struct arena *arena scoped(arena) = arena_open();
		struct seen seen = { .is_wrong = false };
		bool is_steady;

		assert_true(copy("copy", &is_steady));
		assert_true(tree_walk(in(arena, "copy"), note, &seen));
		assert_false(seen.is_wrong);
		for (int i = 0; i < MESSAGES && is_steady; i++)
			if (seen.times[i] != 1)
				fail_msg("round %d: message %d is there %d "
					 "times",
					 round, i, seen.times[i]);
		steady += is_steady;
		assert_true(folder_erase(root, "copy"));
	}
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	if (pause_us > 10000)
		assert_true(steady > 0);
}

static void test_while_it_changes(void **state)
{
	static const int pauses_us[] = { 0, 20000 };

	for (size_t i = 0; i < array_size(pauses_us); i++)
		copy_under(pauses_us[i]);
}

static void test_at_rest(void **state)
{
	struct arena *arena scoped(arena) = arena_open();
	struct stat here, there;
	char text[32] = "";
	bool steady;

	assert_true(copy("copy", &steady));
	assert_true(steady);
	assert_true(lstat(in(arena, "box/0/list"), &here) == 0 &&
		    lstat(in(arena, "copy/0/list"), &there) == 0);
	assert_true(here.st_ino != there.st_ino); /* may be written into */
	assert_true(readlink(in(arena, "copy/.sieve"), text, sizeof(text) - 1) >
		    0);
	assert_string_equal(text, "sieve/own");
	assert_true(folder_is_there(in(arena, "copy/1/cur")));
	assert_true(folder_erase(root, "copy"));
}

static int begin(void **state)
{
	if (!mkdtemp(root))
		return -1;
	make_mailbox();
	return 0;
}

static int end(void **state)
{
	return folder_erase("/tmp", strrchr(root, '/') + 1) ? 0 : -1;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_rest),
		cmocka_unit_test(test_while_it_changes),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
