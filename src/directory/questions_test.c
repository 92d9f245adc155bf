/* What the data plane is answered, what Dovecot sees, and that no question
 * walks a table. */
#include "directory/directory_test.h"

#include <sqlite3.h>

#include "directory/admins.h"
#include "directory/lists.h"
#include "directory/sql.h"

#define ORG S("example.org")
#define ALICE S("alice@example.org")
#define BOB S("bob@example.org")

static void make_split(void)
{
	assert_done(domain_create(c, ORG, SET("aliases=example.net",
					      "relay=mail.b.test:2525",
					      "max_message_size=10M",
					      "own_senders=refuse")));
	assert_done(user_create(c, ALICE, SET("password_hash={X}a",
					      "address=al@*")));
	assert_done(user_create(c, BOB, SET("mail_system=alternate",
					    "password_hash={X}b")));
}

static void test_domain(void **state)
{
	struct domain domain;
	struct system relay;

	make_split();
	assert_int_equal(directory_domain(d, S("example.net"), arena, &domain),
			 ANSWER_YES);
	assert_true(str_same(domain.name, ORG));
	assert_int_equal(domain.max_message_bytes, 10 << 20);
	assert_int_equal(domain.own_senders, OWN_SENDERS_REFUSE);
	relay = directory_relay(&domain);
	assert_int_equal(relay.id, 0);
	assert_true(str_same(relay.name, S("mail.b.test:2525")));
	assert_int_equal(relay.tls, SYSTEM_TLS_OPPORTUNISTIC);
	assert_int_equal(directory_domain(d, S("example.com"), arena, &domain),
			 ANSWER_NO);
	assert_int_equal(directory_domain(d, S("x' OR '1'='1"), arena, &domain),
			 ANSWER_NO);
}

static enum answer may(struct str login, struct str local, struct str domain)
{
	return directory_may_send_as(d, login, local, domain);
}

static void test_may_send_as(void **state)
{
	make_split();
	assert_done(group_create(c, S("team@example.org"),
				 SET("member=alice@example.org")));
	assert_int_equal(may(ALICE, S("alice"), ORG), ANSWER_YES);
	assert_int_equal(may(ALICE, S("alice"), S("example.net")), ANSWER_YES);
	assert_int_equal(may(ALICE, S("al"), S("example.net")), ANSWER_YES);
	assert_int_equal(may(ALICE, S("al+list"), ORG), ANSWER_YES);
	assert_int_equal(may(ALICE, S("bob"), ORG), ANSWER_NO);
	assert_int_equal(may(ALICE, S("team"), ORG), ANSWER_NO);
	assert_int_equal(may(ALICE, S("postmaster"), ORG), ANSWER_NO);
	assert_int_equal(may(ALICE, S("alice"), S("else.test")), ANSWER_NO);
	assert_int_equal(may(BOB, S("bob"), ORG), ANSWER_NO);
	assert_done(user_set(c, ALICE, SET("enabled=no")));
	assert_int_equal(may(ALICE, S("alice"), ORG), ANSWER_NO);
}

static enum answer trusted(struct str peer, struct system *out)
{
	struct inet a;

	assert_true(inet_parse_ip(peer, 0, &a));
	return directory_trusted(d, &a, arena, out);
}

static void test_trusted(void **state)
{
	struct system s;

	assert_int_equal(trusted(S("192.0.2.9"), &s), ANSWER_NO);
	assert_done(system_create(c, S("wide"), SET("hosts=a.test",
						    "trust=192.0.2.0/24,"
						    "2001:db8::/32")));
	assert_done(system_create(c, S("one"), SET("hosts=b.test",
						   "trust=192.0.2.9",
						   "may_relay=yes",
						   "when_down=defer")));
	assert_int_equal(trusted(S("192.0.2.8"), &s), ANSWER_YES);
	assert_true(str_same(s.name, S("wide")));
	assert_int_equal(trusted(S("192.0.2.9"), &s), ANSWER_YES);
	assert_true(str_same(s.name, S("one")));
	assert_true(s.may_relay);
	assert_int_equal(s.when_down, DOWN_DEFER);
	assert_int_equal(trusted(S("2001:db8:1::1"), &s), ANSWER_YES);
	assert_int_equal(trusted(S("198.51.100.1"), &s), ANSWER_NO);
	assert_done(system_set(c, S("wide"), SET("trust=")));
	assert_int_equal(trusted(S("192.0.2.8"), &s), ANSWER_NO);
	assert_int_equal(directory_system_named(d, S("ONE"), arena, &s),
			 ANSWER_YES);
	assert_int_equal(directory_smart_host(d, arena, &s), ANSWER_NO);
	assert_done(system_set(c, S("one"), SET("smart_host=yes")));
	assert_int_equal(directory_smart_host(d, arena, &s), ANSWER_YES);
}

static void test_node(void **state)
{
	static const uint8_t zero[32];
	struct node a, b;

	assert_true(directory_node(d, &a));
	assert_true(directory_node(d, &b));
	assert_int_equal(strlen(a.id), 16);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_memory_not_equal(a.key, zero, sizeof(zero));
}

/* ---- views ---- */

/* The first column of the only row, or "". */
static const char *look(const char *question)
{
	struct arena *was = arena;
	const char *text = "";
	sqlite3_stmt *s;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, question, -1, &s, NULL),
			 SQLITE_OK);
	if (sqlite3_step(s) == SQLITE_ROW)
		text = arena_printf(was, "%s",
				    (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	sqlite3_close(db);
	return text;
}

#define PASSWORD "SELECT password FROM dovecot_password WHERE user = "
#define MAILBOX "SELECT quota_rule FROM dovecot_mailbox WHERE user = "

static void test_dovecot_sees_hosted_users_only(void **state)
{
	make_split();
	assert_string_equal(look(PASSWORD "'alice@example.org'"), "{X}a");
	assert_string_equal(look(PASSWORD "'al@example.org'"), "");
	assert_string_equal(look(PASSWORD "'alice@example.net'"), "");
	assert_string_equal(look(PASSWORD "'bob@example.org'"), "");
	assert_string_equal(look(MAILBOX "'bob@example.org'"), "");
	assert_string_equal(look(PASSWORD "'admin0'"), "");
	assert_string_equal(look(MAILBOX "'postmaster-builtin@example.org'"),
			    "*:bytes=0");
	assert_string_equal(look(PASSWORD "'postmaster-builtin@example.org'"),
			    "");
	assert_done(user_set(c, ALICE, SET("quota=1k")));
	assert_string_equal(look(MAILBOX "'alice@example.org'"),
			    "*:bytes=1024");
	assert_done(user_set(c, BOB, SET("mail_system=hosted")));
	assert_string_equal(look(PASSWORD "'bob@example.org'"), "{X}b");
	assert_done(user_set(c, BOB, SET("enabled=no")));
	assert_string_equal(look(MAILBOX "'bob@example.org'"), "");
	assert_done(user_set(c, ALICE, SET("password_hash=")));
	assert_string_equal(look(PASSWORD "'alice@example.org'"), "");
}

/* An id is never given twice: mail of a deleted user is nobody's. */
static void test_ids_are_not_used_again(void **state)
{
	char *first;

	make_split();
	assert_done(user_create(c, S("eve@example.org"), NOTHING));
	first = arena_printf(arena, "%s",
			     look("SELECT max(id) FROM holder"));
	assert_done(user_delete(c, S("eve@example.org")));
	assert_done(user_create(c, S("eve@example.org"), NOTHING));
	assert_string_not_equal(look("SELECT max(id) FROM holder"), first);
}

static void test_the_log_holds_no_password(void **state)
{
	make_split();
	assert_done(user_set(c, ALICE, SET("password=very-secret")));
	assert_done(system_create(c, S("gw"), SET("hosts=a.test", "user=u",
						  "password=very-secret")));
	assert_string_equal(look("SELECT count(*) FROM change_log WHERE "
				 "old || new LIKE '%secret%'"), "0");
	assert_string_equal(look("SELECT new FROM change_log WHERE "
				 "field = 'password' AND noun = 'user' "
				 "ORDER BY id DESC LIMIT 1"), "set");
	assert_string_equal(look("SELECT who FROM change_log LIMIT 1"), "test");
}

/* ---- the plans of all statements a reader has prepared ---- */

static void ask_everything(void)
{
	const struct str *members;
	struct domain domain;
	struct system s;
	struct holder h;
	size_t n;

	make_split();
	assert_done(system_create(c, S("gw"), SET("hosts=a.test")));
	assert_done(user_set(c, ALICE, SET("forward=x@else.test",
					   "system=gw")));
	assert_done(group_create(c, S("team@example.org"),
				 SET("member=alice@example.org")));
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	assert_int_equal(directory_first_domain(d, arena, &domain),
			 ANSWER_YES);
	assert_int_equal(directory_address(d, &domain, S("alice"), ORG, arena,
					   &h), ANSWER_YES);
	assert_int_equal(h.n_forwards, 1);
	assert_int_equal(directory_system(d, h.system, arena, &s), ANSWER_YES);
	assert_int_equal(directory_system_named(d, S("gw"), arena, &s),
			 ANSWER_YES);
	assert_int_equal(directory_smart_host(d, arena, &s), ANSWER_NO);
	assert_int_equal(directory_address(d, &domain, S("team"), ORG, arena,
					   &h), ANSWER_YES);
	assert_int_equal(directory_members(d, h.id, arena, &members, &n),
			 ANSWER_YES);
	assert_int_equal(may(ALICE, S("al"), ORG), ANSWER_YES);
}

static void check_plan(sqlite3 *db, const char *question)
{
	char *explain = arena_printf(arena, "EXPLAIN QUERY PLAN %s", question);
	sqlite3_stmt *s;

	assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &s, NULL),
			 SQLITE_OK);
	while (sqlite3_step(s) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(s, 3);

		/* The first domain is the first row of its table. */
		if (!strncmp(step, "SCAN", 4) &&
		    !strstr(question, "ORDER BY d.id LIMIT 1"))
			fail_msg("%s: %s", question, step);
	}
	sqlite3_finalize(s);
}

static void test_no_question_walks_a_table(void **state)
{
	sqlite3 *db = sql_connection(directory_sql(d));
	size_t n = 0;

	ask_everything();
	for (sqlite3_stmt *s = sqlite3_next_stmt(db, NULL); s;
	     s = sqlite3_next_stmt(db, s)) {
		const char *text = sqlite3_sql(s);

		if (strncmp(text, "PRAGMA", 6))
			check_plan(db, text);
		n++;
	}
	assert_true(n >= 9);
	check_plan(db, "SELECT user FROM dovecot_password WHERE user = 'a'");
	check_plan(db, "SELECT user FROM dovecot_mailbox WHERE user = 'a'");
}

/* ---- trouble of our own ---- */

static void corrupt(const char *statement)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, statement, NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
}

/* A broken database never looks like "no such mailbox". */
static void test_trouble_is_unsure(void **state)
{
	struct domain domain;
	struct holder h;
	int64_t id;

	make_split();
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	corrupt("ALTER TABLE address RENAME TO gone");
	assert_int_equal(directory_address(d, &domain, S("no"), ORG, arena,
					   &h), ANSWER_UNSURE);
	assert_int_equal(may(ALICE, S("alice"), ORG), ANSWER_UNSURE);
	assert_int_equal(find_holder(d, ALICE, arena, &id), ANSWER_UNSURE);
	test_outcome(user_create(c, S("x@example.org"), NOTHING),
		     CHANGE_FAILED, NULL, "address", __LINE__);
}

static void test_migrate(void **state)
{
	struct admin admin;

	assert_true(directory_migrate(test_path));
	corrupt("DROP TABLE recovery_code; DROP TABLE totp; "
		"DROP TABLE job_refusal; DROP TABLE job_done; "
		"DROP TABLE job_item; DROP TABLE job; "
		"PRAGMA user_version = 2");
	assert_true(directory_migrate(test_path));
	assert_int_equal(directory_admin(d, S("admin0"), arena, &admin),
			 ANSWER_YES);
	corrupt("PRAGMA user_version = 99");
	assert_false(directory_migrate(test_path));
	assert_non_null(strstr(cause(), "newer"));
	corrupt("PRAGMA user_version = 1");
	corrupt("PRAGMA application_id = 1");
	assert_false(directory_migrate(test_path));
	assert_non_null(strstr(cause(), "no Splitmail"));
	assert_false(directory_create(test_path, S("x")));
	assert_non_null(strstr(cause(), "exists"));
	assert_null(directory_open("/nonexistent/directory.db"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_domain),
		TEST(test_may_send_as),
		TEST(test_trusted),
		TEST(test_node),
		TEST(test_dovecot_sees_hosted_users_only),
		TEST(test_ids_are_not_used_again),
		TEST(test_the_log_holds_no_password),
		TEST(test_no_question_walks_a_table),
		TEST(test_trouble_is_unsure),
		TEST(test_migrate),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
