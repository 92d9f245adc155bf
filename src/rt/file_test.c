/* Spool files: unnamed until kept, there afterwards, and failures. */
#include "rt/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/loop.h"

static char folder[] = "/tmp/rt-file-XXXXXX";

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

/* The kernel refuses what is beyond RLIMIT_FSIZE: a full disk in small. */
static void run_full(void *arg)
{
	struct rlimit old, small;
	struct file *f = file_spool(folder);

	(void)arg;
	check(f && getrlimit(RLIMIT_FSIZE, &old) == 0);
	small = (struct rlimit){ 10, old.rlim_max };
	signal(SIGXFSZ, SIG_IGN);
	check(setrlimit(RLIMIT_FSIZE, &small) == 0);
	check(!file_add(f, S("more than ten bytes")));
	check(strstr(cause(), "File too large"));
	check(setrlimit(RLIMIT_FSIZE, &old) == 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_file_is_there),
		cmocka_unit_test(unkept_file_leaves_nothing),
		cmocka_unit_test(name_is_never_overwritten),
		cmocka_unit_test(failed_write_spoils_the_file),
		cmocka_unit_test(missing_folder_is_named),
	};
	int failed;

	check(mkdtemp(folder));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
