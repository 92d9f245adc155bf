/* Dovecot's authentication protocol: dovecot_auth.h. */
#include "wire/dovecot_auth.h"

#include "base/fail.h"
#include "base/test.h"

static struct auth_line read_ok(struct str line, struct arena *arena)
{
	struct auth_line l;

	if (!auth_line_parse(line, arena, &l))
		fail_msg("%.*s was refused: %s", STR(line), cause());
	return l;
}

static void test_read(void **unused)
{
	static const char *const elsewhere[] = {
		"OK\t7\tuser=bob\tnologin\tproxy\thost=192.0.2.1\tport=143",
		"OK\t7\tuser=bob\tproxy=y",
		"OK\t7\tproxy_maybe\tuser=bob",
		"OK\t7\tnologin\tuser=bob\treason=closed",
	};
	struct arena *arena scoped(arena) = arena_open();
	struct auth_line l = read_ok(S("VERSION\t1\t2"), arena);

	assert_int_equal(l.kind, AUTH_LINE_VERSION);
	assert_int_equal(l.major, 1);
	l = read_ok(S("MECH\tPLAIN\tplaintext"), arena);
	assert_int_equal(l.kind, AUTH_LINE_MECH);
	assert_true(str_same(l.mechanism, S("PLAIN")));
	assert_true(l.plaintext);
	l = read_ok(S("MECH\tSCRAM-SHA-256\tmutual-auth"), arena);
	assert_false(l.plaintext);
	assert_int_equal(read_ok(S("DONE"), arena).kind, AUTH_LINE_DONE);
	assert_int_equal(read_ok(S("COOKIE\tabc"), arena).kind,
			 AUTH_LINE_OTHER);
	l = read_ok(S("OK\t7\tuser=bob@own.test\tx=y"), arena);
	assert_int_equal(l.kind, AUTH_LINE_OK);
	assert_int_equal(l.id, 7);
	assert_true(str_same(l.user, S("bob@own.test")));
	assert_true(str_empty(l.right));
	l = read_ok(S("OK\t7\tuser=bob@own.test\tlogin_right=17-ab.3\tx=y"),
		    arena);
	assert_true(str_same(l.right, S("17-ab.3")));
	/* Whose password another server would have to check is not in. */
	for (size_t i = 0; i < array_size(elsewhere); i++) {
		l = read_ok(str_of(elsewhere[i]), arena);
		assert_int_equal(l.kind, AUTH_LINE_FAIL);
		assert_int_equal(l.id, 7);
		assert_false(l.temporary);
	}
	l = read_ok(S("OK\t7\tuser=bob\tproxyless=y\treason=nologin"), arena);
	assert_int_equal(l.kind, AUTH_LINE_OK);
	l = read_ok(S("FAIL\t7\tuser=bob\ttemp"), arena);
	assert_int_equal(l.kind, AUTH_LINE_FAIL);
	assert_true(l.temporary);
	assert_true(read_ok(S("FAIL\t7\tcode=temp_fail"), arena).temporary);
	assert_false(
		read_ok(S("FAIL\t7\tcode=user_disabled"), arena).temporary);
	l = read_ok(S("CONT\t7\tVXNlcg=="), arena);
	assert_int_equal(l.kind, AUTH_LINE_CONT);
	assert_true(str_same(l.data, S("VXNlcg==")));
	assert_true(str_empty(read_ok(S("CONT\t7\t"), arena).data));
}

static void test_bad(void **unused)
{
	static const char *const bad[] = { "",
					   "\tx",
					   "VERSION",
					   "VERSION\tx",
					   "MECH",
					   "OK",
					   "OK\tx\tuser=a",
					   "OK\t7",
					   "OK\t7\tuser=",
					   "OK\t4294967296\tuser=a",
					   "OK\t7\tuser=a\001nb",
					   "FAIL",
					   "FAIL\t-1",
					   "CONT" };
	struct arena *arena scoped(arena) = arena_open();
	struct auth_line l;

	for (size_t i = 0; i < array_size(bad); i++)
		if (auth_line_parse(str_of(bad[i]), arena, &l))
			fail_msg("%s was accepted", bad[i]);
}

static void test_write(void **unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	auth_write_hello(&b, 42);
	assert_true(str_same(buf_str(&b), S("VERSION\t1\t2\nCPID\t42\n")));
	buf_clear(&b);
	auth_write_request(&b, 3, S("PLAIN"), true, S("1.2.3.4"), S("::1"),
			   S("AGEAYg=="));
	assert_true(str_same(buf_str(&b),
			     S("AUTH\t3\tPLAIN\tservice=smtp\tsecured\t"
			       "lip=::1\trip=1.2.3.4\tresp=AGEAYg==\n")));
	buf_clear(&b);
	auth_write_request(&b, 4, S("LOGIN"), false, STR_NONE, STR_NONE,
			   STR_NONE);
	assert_true(str_same(buf_str(&b), S("AUTH\t4\tLOGIN\tservice=smtp\n")));
	buf_clear(&b);
	auth_write_request(&b, 5, S("X"), false, STR_NONE, STR_NONE, S("="));
	assert_true(
		str_same(buf_str(&b), S("AUTH\t5\tX\tservice=smtp\tresp=\n")));
	buf_clear(&b);
	auth_write_continue(&b, 5, S("a\nAUTH\t9\0\r\001"));
	assert_true(str_same(buf_str(&b), S("CONT\t5\ta\001nAUTH\001t9\001"
					    "0\001r\001"
					    "1\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
