/* Where the engine may write: the data folder, and where its links lead. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "main/places.h"

static char folder[64];
static struct arena *arena;

static int make_folder(void **unused)
{
	char command[400];

	snprintf(folder, sizeof(folder), "/tmp/places-test-XXXXXX");
	arena = arena_open();
	if (!mkdtemp(folder))
		return -1;
	snprintf(command, sizeof(command),
		 "cd %s && mkdir -p data/run disk/queue && "
		 "touch disk/queue/q.db data/directory.db",
		 folder);
	return system(command);
}

static int remove_folder(void **unused)
{
	char command[96];

	arena_close(arena);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static const char *path(const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name);
}

static bool is_among(const struct confined_place *all, size_t n,
		     const char *wanted, enum confined_to to)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].path, wanted) == 0 && all[i].to == to)
			return true;
	return false;
}

static size_t places(const char *sendmail, struct confined_place *out)
{
	struct config c = { .arena = arena,
			    .data = path("data"),
			    .sendmail = sendmail };

	return places_of_engine(&c, out);
}

static void the_data_folder_and_where_sockets_are_made(void **unused)
{
	struct confined_place all[PLACES_MOST];
	size_t n = places("/run/splitmail/submit", all);

	assert_true(is_among(all, n, path("data/"), CONFINED_TO_FILES));
	assert_true(is_among(all, n, path("data/spool"), CONFINED_TO_FILES));
	assert_true(is_among(all, n, path("data/run"), CONFINED_TO_FILES));
	assert_true(is_among(all, n, "/run/splitmail", CONFINED_TO_SOCKETS));
	assert_false(is_among(all, n, "/run/splitmail", CONFINED_TO_FILES));
	assert_int_equal(n, 5);
}

/* SQLite writes beside it, too. */
static void a_database_elsewhere_brings_its_folder(void **unused)
{
	struct confined_place all[PLACES_MOST];
	size_t n;

	assert_int_equal(symlink("../disk/queue/q.db", path("data/queue.db")),
			 0);
	n = places("/run/splitmail/submit", all);
	assert_true(is_among(all, n, path("disk/queue"), CONFINED_TO_FILES));
	assert_int_equal(n, 6);
	unlink(path("data/queue.db"));
}

static void a_link_to_nothing_brings_none(void **unused)
{
	struct confined_place all[PLACES_MOST];

	assert_int_equal(symlink("/nowhere/q.db", path("data/queue.db")), 0);
	assert_int_equal(places("/run/splitmail/submit", all), 5);
	unlink(path("data/queue.db"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_data_folder_and_where_sockets_are_made),
		cmocka_unit_test(a_database_elsewhere_brings_its_folder),
		cmocka_unit_test(a_link_to_nothing_brings_none),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
