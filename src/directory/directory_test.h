/*
 * For the tests of this folder: a directory of one's own, and changes said in
 * one line.
 *
 *	assert_done(domain_set(c, S("a.test"), SET("relay=b.test")));
 *	assert_refused(user_create(c, S("x@b.test"), NOTHING), "address",
 *		       "no domain b.test");
 */
#ifndef DIRECTORY_DIRECTORY_TEST_H
#define DIRECTORY_DIRECTORY_TEST_H

#include "base/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "directory/changes.h"
#include "directory/database.h"
#include "directory/directory.h"

static char test_folder[] = "/tmp/splitmail-directory-XXXXXX";
static char test_path[64];
static struct changes *c;
static struct directory *d;
static struct arena *arena;

extern const char schema_sql[]; /* schema.sql */

#define NOTHING NULL, 0
/* Up to four "key=value". */
#define SET(...) \
	test_settings((const char *[]){ __VA_ARGS__, NULL }), \
		array_size(((const char *[]){ __VA_ARGS__ }))

static inline const struct setting *test_settings(const char *const *words)
{
	struct setting *s = arena_array(arena, struct setting, 8);

	for (size_t i = 0; words[i]; i++) {
		struct str rest = str_of(words[i]);

		check(str_split(&rest, '=', &s[i].key));
		s[i].value = rest;
	}
	return s;
}

static inline void test_outcome(struct change r, enum change_outcome wanted,
				const char *field, const char *part, int line)
{
	const char *got = r.field ? r.field : "none";

	check(r.sentence);
	if (r.outcome != wanted)
		fail_msg("line %d: outcome %d: %s", line, r.outcome,
			 r.sentence);
	if (!strstr(r.sentence, part))
		fail_msg("line %d: \"%s\" lacks \"%s\"", line, r.sentence,
			 part);
	if (wanted != CHANGE_DONE && strcmp(got, field ? field : "none"))
		fail_msg("line %d: field %s: %s", line, got, r.sentence);
}

#define assert_done(made) test_outcome(made, CHANGE_DONE, NULL, "", __LINE__)
#define assert_refused(made, field, part) \
	test_outcome(made, CHANGE_REFUSED, field, part, __LINE__)
#define assert_not_found(made, field, part) \
	test_outcome(made, CHANGE_NOT_FOUND, field, part, __LINE__)

static inline void test_unlink(void)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < array_size(ends); i++) {
		char path[80];

		snprintf(path, sizeof(path), "%s%s", test_path, ends[i]);
		unlink(path);
	}
}

/* Every test begins with an empty directory; the hash of admin0 is made once. */
static inline int test_begin(void **state)
{
	arena = arena_open();
	if (!directory_create(test_path, S("admin-secret")))
		fail_msg("%s", cause());
	c = changes_open(test_path, "test");
	d = directory_open(test_path);
	assert_non_null(c);
	assert_non_null(d);
	return 0;
}

static inline int test_end(void **state)
{
	changes_close(c);
	directory_close(d);
	arena_close(arena);
	test_unlink();
	return 0;
}

/* A directory as Splitmail made it when the schema had VERSION, with what
 * STATEMENTS put there; then brought up to date. */
static inline void test_begin_at(int version, const char *statements)
{
	char mark[32], number[80];
	struct str schema = str_of(schema_sql);
	ptrdiff_t end;
	sqlite3 *db;

	changes_close(c);
	directory_close(d);
	c = NULL;
	d = NULL;
	test_unlink();
	snprintf(mark, sizeof(mark), "\n-- version %d\n", version + 1);
	snprintf(number, sizeof(number),
		 "PRAGMA application_id = 1397771348; "
		 "PRAGMA user_version = %d;",
		 version);
	end = str_search(schema, str_of(mark));
	assert_true(end > 0);
	assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(
			db, arena_cstr(arena, str_part(schema, 0, (size_t)end)),
			NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, number, NULL, NULL, NULL), SQLITE_OK);
	if (sqlite3_exec(db, statements, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	if (!directory_migrate(test_path))
		fail_msg("%s", cause());
	c = changes_open(test_path, "test");
	d = directory_open(test_path);
	assert_non_null(c);
	assert_non_null(d);
}

static inline int test_folder_make(void **state)
{
	if (!mkdtemp(test_folder))
		return -1;
	snprintf(test_path, sizeof(test_path), "%s/directory.db", test_folder);
	return 0;
}

static inline int test_folder_remove(void **state)
{
	return rmdir(test_folder);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, test_begin, test_end)

#endif
