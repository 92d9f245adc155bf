/*
 * The disk of deliver's tests: a folder of a real one.
 */
#include "deliver/deliver_test_world.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/test.h"

void world_disk_open(char folder[64])
{
	snprintf(folder, 64, "/tmp/deliver-test-XXXXXX");
	check(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *at)
{
	return remove(path);
}

void world_disk_close(const char *folder)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void world_disk_is_full(bool is_full)
{
	struct rlimit size;

	check(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	check(getrlimit(RLIMIT_FSIZE, &size) == 0);
	size.rlim_cur = is_full ? 0 : size.rlim_max;
	check(setrlimit(RLIMIT_FSIZE, &size) == 0);
}
