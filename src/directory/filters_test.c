/* Filters: what they are set to, their order, and which of them see a mail. */
#include "base/buf.h"
#include "directory/directory_test.h"
#include "directory/lists.h"

#define A S("a")
#define SOCKET "socket=inet:localhost:11332"

static void add_name(void *to, const struct filter *f)
{
	buf_printf(to, "%.*s%u ", STR(f->name), f->position);
}

static void assert_order(const char *want)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	assert_true(list_filters(d, S(""), add_name, &b));
	buf_add_char(&b, '\0');
	assert_string_equal(b.p, want);
}

static void assert_seen(const char *listener, enum filter_direction direction,
			const char *want)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	const struct filter *f;
	size_t n;

	assert_int_equal(directory_filters(d, str_of(listener), direction,
					   arena, &f, &n),
			 ANSWER_YES);
	for (size_t i = 0; i < n; i++)
		add_name(&b, &f[i]);
	buf_add_char(&b, '\0');
	assert_string_equal(b.p, want);
}

static struct filter the_filter(void)
{
	const struct filter *f;
	size_t n;

	assert_int_equal(
		directory_filters(d, S("mx"), FILTER_IN, arena, &f, &n),
		ANSWER_YES);
	assert_int_equal(n, 1);
	return *f;
}

static void test_settings_are_checked(void **state)
{
	static const struct {
		const char *key, *value, *part;
	} bad[] = {
		{ "socket", "", "needs a socket" },
		{ "socket", "/run/x", "unix: or inet:" },
		{ "socket", "inet:localhost", "no port" },
		{ "listeners", "mx, smtps", "only mx, sub" },
		{ "direction", "up", "both, in, out" },
		{ "when_down", "defer", "later, accept, hold" },
		{ "timeout", "0", "1 to 60" },
		{ "timeout", "61", "1 to 60" },
		{ "enabled", "perhaps", "yes or no" },
		{ "position", "2", "1 to 1" },
		{ "colour", "red", "position" },
	};

	static const struct str names[] = { { "mx", 2 }, { "sub", 3 } };
	static const struct texts listeners = { names, 2 };

	assert_refused(filter_create(c, A, NOTHING), "socket", "needs");
	assert_refused(filter_create(c, S("a.b"), SET(SOCKET)), "name", "a.b");
	assert_done(filter_create(c, S("A"), SET(SOCKET)));
	assert_refused(filter_create(c, A, SET(SOCKET)), "name", "exists");
	changes_listeners(c, &listeners);
	assert_done(filter_set(c, A, SET("listeners=sub, mx")));
	assert_not_found(filter_set(c, S("b"), NOTHING), "name", "only a");
	for (size_t i = 0; i < array_size(bad); i++) {
		struct setting s = { str_of(bad[i].key), str_of(bad[i].value) };

		assert_refused(filter_set(c, A, &s, 1), bad[i].key,
			       bad[i].part);
	}
	assert_done(filter_delete(c, A));
	assert_not_found(filter_delete(c, A), "name", "none at all");
}

static void test_what_is_set_is_what_is_answered(void **state)
{
	struct filter f;

	assert_done(filter_create(c, A, SET("socket=local:/run/a.sock")));
	f = the_filter();
	assert_true(str_same(f.name, A));
	assert_true(str_same(f.socket, S("unix:/run/a.sock")));
	assert_int_equal(f.when_down, FILTER_DOWN_LATER);
	assert_int_equal(f.step_s, 30);
	assert_int_equal(f.message_s, 300);
	assert_done(filter_set(c, A, SET("timeout=5", "when_down=hold")));
	f = the_filter();
	assert_int_equal(f.when_down, FILTER_DOWN_HOLD);
	assert_int_equal(f.step_s, 5);
	assert_int_equal(f.message_s, 50);
	assert_done(filter_set(c, A, SET("timeout=60")));
	assert_int_equal(the_filter().message_s, 300);
}

static void test_who_sees_what(void **state)
{
	assert_seen("mx", FILTER_IN, "");
	assert_done(filter_create(c, A, SET(SOCKET)));
	assert_done(filter_create(c, S("in"), SET(SOCKET, "direction=in")));
	assert_done(filter_create(
		c, S("out"), SET(SOCKET, "direction=out", "listeners=mx,sub")));
	assert_done(filter_create(c, S("off"), SET(SOCKET, "enabled=no")));
	assert_seen("mx", FILTER_IN, "a1 in2 ");
	assert_seen("mx", FILTER_OUT, "a1 out3 ");
	assert_seen("sub", FILTER_OUT, "a1 out3 ");
	assert_seen("su", FILTER_OUT, "a1 ");
	assert_seen("", FILTER_OUT, "a1 ");
	assert_done(filter_set(c, S("out"), SET("listeners=")));
	assert_seen("su", FILTER_OUT, "a1 out3 ");
}

static void test_the_order_has_no_gaps(void **state)
{
	assert_done(filter_create(c, A, SET(SOCKET)));
	assert_done(filter_create(c, S("b"), SET(SOCKET)));
	assert_done(filter_create(c, S("c"), SET(SOCKET)));
	assert_done(filter_create(c, S("d"), SET(SOCKET, "position=1")));
	assert_order("d1 a2 b3 c4 ");
	assert_done(filter_set(c, S("d"), SET("position=3")));
	assert_order("a1 b2 d3 c4 ");
	assert_done(filter_set(c, S("d"), SET("position=3")));
	assert_done(filter_set(c, S("c"), SET("position=1")));
	assert_order("c1 a2 b3 d4 ");
	assert_done(filter_delete(c, A));
	assert_order("c1 b2 d3 ");
	assert_done(filter_delete(c, S("d")));
	assert_order("c1 b2 ");
}

static void test_there_is_an_end_to_them(void **state)
{
	for (int i = 0; i < FILTERS_MOST; i++)
		assert_done(filter_create(c, arena_strf(arena, "f%d", i),
					  SET(SOCKET)));
	assert_refused(filter_create(c, A, SET(SOCKET)), NULL, "20");
}

static void test_only_superadministrators_have_filters(void **state)
{
	assert_done(filter_create(c, A, SET(SOCKET)));
	for (enum admin_role r = ADMIN_DOMAIN; r <= ADMIN_DELEGATE; r++) {
		changes_ask_as(c, r, 1);
		assert_refused(filter_create(c, S("b"), SET(SOCKET)), NULL,
			       "superadministrator");
		assert_refused(filter_set(c, A, SET("enabled=no")), NULL,
			       "superadministrator");
		assert_refused(filter_delete(c, A), NULL, "superadministrator");
	}
	assert_seen("mx", FILTER_IN, "a1 ");
}

/* That there was none is remembered, and not for long. */
static void test_the_next_mail_meets_it(void **state)
{
	for (int i = 0; i < 3; i++) {
		assert_seen("mx", FILTER_IN, "");
		assert_seen("mx", FILTER_IN, "");
		assert_done(filter_create(c, A, SET(SOCKET)));
		assert_seen("mx", FILTER_IN, "a1 ");
		assert_done(filter_delete(c, A));
	}
	directory_begin(d);
	assert_seen("mx", FILTER_IN, "");
	assert_done(filter_create(c, A, SET(SOCKET)));
	assert_seen("mx", FILTER_IN, ""); /* the snapshot of this mail */
	directory_end(d);
	directory_begin(d);
	assert_seen("mx", FILTER_IN, "a1 ");
	directory_end(d);
}

static void test_what_cannot_be_read_is_not_none(void **state)
{
	const struct filter *f;
	sqlite3 *db;
	size_t n;

	assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db, "DROP TABLE filter", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(
		directory_filters(d, S("mx"), FILTER_IN, arena, &f, &n),
		ANSWER_UNSURE);
}

static void test_an_older_directory_has_none(void **state)
{
	test_begin_at(6, "INSERT INTO domain (name) VALUES ('a.test')");
	assert_seen("mx", FILTER_IN, "");
	assert_done(filter_create(c, A, SET(SOCKET)));
	assert_seen("mx", FILTER_IN, "a1 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_settings_are_checked),
		TEST(test_what_is_set_is_what_is_answered),
		TEST(test_who_sees_what),
		TEST(test_the_order_has_no_gaps),
		TEST(test_there_is_an_end_to_them),
		TEST(test_only_superadministrators_have_filters),
		TEST(test_the_next_mail_meets_it),
		TEST(test_what_cannot_be_read_is_not_none),
		TEST(test_an_older_directory_has_none),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
