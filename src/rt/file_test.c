/* Spool files: unnamed until kept, there afterwards, and failures. */
#include "rt/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/folder.h"
#include "rt/loop.h"
#ifdef RT_SIM
#include "rt/sim/sim.h"
#endif

static char folder[48];

static void count_name(void *n, const char *name)
{
	(void)name;
	++*(int *)n;
}

static int names(void)
{
	int n = 0;

	check(folder_list(folder, count_name, &n));
	return n;
}

static void run_keep(void *arg)
{
	struct file *f = file_spool(folder);
	char path[128], back[16];

	(void)arg;
	check(f && file_bytes(f) == 0);
	check(file_add(f, S("Subject: x\r\n")));
	check(file_add(f, S("\r\nbody")));
	check(file_bytes(f) == 18 && names() == 0);
	check(file_read(f, 9, back, sizeof(back)) == 9);
	check(memcmp(back, "x\r\n\r\nbody", 9) == 0);
	check(file_keep(f, "one.eml") && names() == 1);
	check(file_read(f, 18, back, sizeof(back)) == 0);
	file_close(f);

	snprintf(path, sizeof(path), "%s/one.eml", folder);
	f = file_open(path);
	check(f && file_bytes(f) == 18);
	check(file_read(f, 0, back, 7) == 7 && !memcmp(back, "Subject", 7));
	check(!file_add(f, S("more"))); /* it is open to read */
	file_close(f);
	check(file_remove(folder, "one.eml") && names() == 0);
	check(!file_remove(folder, "one.eml"));
	check(strstr(cause(), "one.eml: No such file"));
}

static void kept_file_is_there(void **state)
{
	(void)state;
	loops_run(1, run_keep, NULL);
}

static void run_forgotten(void *arg)
{
	struct file *f = file_spool(folder);

	(void)arg;
	check(f && file_add(f, S("never kept")));
	file_close(f);
	check(names() == 0);
}

static void unkept_file_leaves_nothing(void **state)
{
	(void)state;
	loops_run(1, run_forgotten, NULL);
}

static void run_taken(void *arg)
{
	struct file *a = file_spool(folder), *b = file_spool(folder);

	(void)arg;
	check(a && file_add(a, S("first")) && file_keep(a, "name"));
	check(b && file_add(b, S("second")) && !file_keep(b, "name"));
	check(strstr(cause(), "name: File exists"));
	check(!file_keep(b, "other")); /* never tried again */
	file_close(a);
	file_close(b);
	check(file_remove(folder, "name"));
	check(names() == 0);
}

static void name_is_never_overwritten(void **state)
{
	(void)state;
	loops_run(1, run_taken, NULL);
}

static void run_named(void *arg)
{
	char path[64], text[16] = "";
	struct file *f;

	(void)arg;
	snprintf(path, sizeof(path), "%s/log", folder);
	for (int i = 0; i < 2; i++) {
		f = file_create(path);
		check(f && file_add(f, S("one\n")) && file_sync(f));
		check(file_add(f, S("two\n")) && file_sync(f));
		check(file_bytes(f) == 8);
		file_close(f);
	}
	check(file_rename(folder, "log", "old"));
	check(!file_rename(folder, "log", "old"));
	check(strstr(cause(), "log to"));
	snprintf(path, sizeof(path), "%s/old", folder);
	f = file_open(path);
	check(f && file_read(f, 0, text, sizeof(text)) == 8);
	check(strcmp(text, "one\ntwo\n") == 0);
	file_close(f);
	check(file_remove(folder, "old"));
	check(names() == 0);
}

static void named_file_is_written_anew(void **state)
{
	(void)state;
	loops_run(1, run_named, NULL);
}

/* The kernel refuses what is beyond RLIMIT_FSIZE: a full disk in small. */
static void limit_bytes(bool limited)
{
#ifdef RT_SIM
	struct sim_disk *d = sim_disk(sim_process_host(sim_process()));

	d->room_bytes = limited ? 10 : 1 << 30;
#else
	static struct rlimit old;
	struct rlimit small;

	if (limited)
		check(getrlimit(RLIMIT_FSIZE, &old) == 0);
	small = (struct rlimit){ 10, old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	check(setrlimit(RLIMIT_FSIZE, limited ? &small : &old) == 0);
#endif
}

static void run_full(void *arg)
{
	struct file *f = file_spool(folder);

	(void)arg;
	limit_bytes(true);
	check(f && !file_add(f, S("more than ten bytes")));
	check(strstr(cause(), "File too large") ||
	      cause_kind() == FAIL_NO_ROOM);
	limit_bytes(false);
	check(!file_add(f, S("x")) && !file_keep(f, "spoilt"));
	file_close(f);
	check(names() == 0);
}

static void failed_write_spoils_the_file(void **state)
{
	(void)state;
	loops_run(1, run_full, NULL);
}

static void run_nowhere(void *arg)
{
	(void)arg;
	check(!file_spool("/nonexistent") && strstr(cause(), "/nonexistent"));
	check(!file_open("/nonexistent"));
	check(!folder_list("/nonexistent", count_name, NULL));
	check(folder_free_bytes("/nonexistent") == 0);
	check(folder_free_bytes("/tmp") > 0);
}

static void missing_folder_is_named(void **state)
{
	(void)state;
	loops_run(1, run_nowhere, NULL);
}

static void new_file_is_made_once(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/new", folder);
	assert_true(folder_make_new_file(path));
	assert_false(folder_make_new_file(path));
	assert_int_equal(cause_kind(), FAIL_HELD);
	assert_true(folder_make_file(path));
	assert_true(folder_remove(folder, "new"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_file_is_there),
		cmocka_unit_test(unkept_file_leaves_nothing),
		cmocka_unit_test(name_is_never_overwritten),
		cmocka_unit_test(named_file_is_written_anew),
		cmocka_unit_test(failed_write_spoils_the_file),
		cmocka_unit_test(missing_folder_is_named),
		cmocka_unit_test(new_file_is_made_once),
	};
	int failed;

	snprintf(folder, sizeof(folder), "/tmp/rt-file-%d", (int)getpid());
	check(folder_make(folder));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	check(folder_erase("/tmp", folder + strlen("/tmp/")));
	return failed;
}
