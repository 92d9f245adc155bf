/* What the data plane is answered, and that no question walks a table. */
#include "directory/directory_test_split.h"

#include <sqlite3.h>

#include "directory/admins.h"
#include "directory/lists.h"
#include "directory/sql.h"

static void test_domain(void **state)
{
	struct domain domain;
	struct system relay;

	make_split_with_logins();
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

/* Known until the directory changes. */
static void test_somebody_wants_it_verified(void **state)
{
	make_split_with_logins();
	for (int i = 0; i < 2; i++) {
		assert_int_equal(directory_verifies(d), ANSWER_NO);
		assert_int_equal(directory_verifies(d), ANSWER_NO);
		assert_done(domain_set(c, ORG, SET("own_senders=verify")));
		assert_int_equal(directory_verifies(d), ANSWER_YES);
		assert_int_equal(directory_verifies(d), ANSWER_YES);
		assert_done(domain_set(c, ORG, SET("own_senders=refuse")));
	}
}

static enum answer may(struct str login, struct str local, struct str domain)
{
	return directory_may_send_as(d, login, local, domain);
}

static void test_may_send_as(void **state)
{
	make_split_with_logins();
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

#define TEAM S("team@example.org")
#define INFO S("info@example.org")

/* Nobody, until somebody is allowed to; users, members, members of other
 * groups, through groups in groups. */
static void test_who_may_send_as_a_group(void **state)
{
	make_split_with_logins();
	assert_done(user_create(c, S("eve@example.org"), NOTHING));
	assert_done(group_create(
		c, TEAM, SET("member=al@example.net", "address=crew@*")));
	assert_done(group_create(
		c, S("outer@example.org"),
		SET("member=team@example.org", "member=bob@example.org")));
	assert_done(shared_create(c, INFO, NOTHING));
	assert_int_equal(may(ALICE, S("team"), ORG), ANSWER_NO);
	assert_int_equal(may(ALICE, S("info"), ORG), ANSWER_NO);
	assert_done(group_set(c, TEAM, SET("senders=members")));
	assert_int_equal(may(ALICE, S("team"), ORG), ANSWER_YES);
	assert_int_equal(may(ALICE, S("crew+x"), S("example.net")), ANSWER_YES);
	assert_int_equal(may(S("eve@example.org"), S("team"), ORG), ANSWER_NO);
	assert_int_equal(may(ALICE, S("outer"), ORG), ANSWER_NO);
	assert_done(
		group_set(c, S("outer@example.org"), SET("senders=members")));
	assert_int_equal(may(ALICE, S("outer"), ORG), ANSWER_YES);
	assert_int_equal(may(BOB, S("outer"), ORG), ANSWER_NO);
	assert_done(shared_set(c, INFO,
			       SET("senders=outer@example.org, "
				   "eve@example.net")));
	assert_int_equal(may(ALICE, S("info"), ORG), ANSWER_YES);
	assert_int_equal(may(S("eve@example.org"), S("info"), ORG), ANSWER_YES);
	assert_done(shared_set(c, INFO, SET("enabled=no")));
	assert_int_equal(may(ALICE, S("info"), ORG), ANSWER_NO);
	assert_done(shared_set(c, INFO, SET("enabled=yes", "senders=")));
	assert_int_equal(may(ALICE, S("info"), ORG), ANSWER_NO);
}

/* left+detail is left's, unless somebody has it. */
static void test_a_member_with_a_detail_may_send(void **state)
{
	make_split_with_logins();
	assert_done(user_create(c, S("eve@example.org"), NOTHING));
	assert_done(group_create(
		c, S("news@example.org"),
		SET("member=alice+news@example.org",
		    "member=eve+own@example.net", "senders=members")));
	assert_int_equal(may(ALICE, S("news"), ORG), ANSWER_YES);
	assert_int_equal(may(S("eve@example.org"), S("news"), ORG), ANSWER_YES);
	assert_done(address_add(c, ALICE, S("eve+own@*")));
	assert_int_equal(may(S("eve@example.org"), S("news"), ORG), ANSWER_NO);
}

/* The right is hers, not her address's. */
static void test_a_right_to_send_ends_with_who_has_it(void **state)
{
	make_split_with_logins();
	assert_done(shared_create(c, INFO, SET("senders=alice@example.org")));
	assert_int_equal(may(ALICE, S("info"), ORG), ANSWER_YES);
	assert_done(user_delete(c, ALICE));
	assert_done(user_create(c, ALICE, NOTHING));
	assert_int_equal(may(ALICE, S("info"), ORG), ANSWER_NO);
	assert_refused(shared_set(c, INFO, SET("senders=members")), "senders",
		       "has no members");
	assert_refused(shared_set(c, INFO, SET("senders=nosuch@example.org")),
		       "senders", "nosuch@example.org");
	assert_refused(shared_set(c, INFO, SET("senders=info@example.org")),
		       "senders", "cannot send as");
	assert_refused(user_set(c, ALICE, SET("senders=members")), "senders",
		       "senders");
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
	assert_done(system_create(c, S("wide"),
				  SET("hosts=a.test", "trust=192.0.2.0/24,"
						      "2001:db8::/32")));
	assert_done(system_create(c, S("one"),
				  SET("hosts=b.test", "trust=192.0.2.9",
				      "may_relay=yes", "when_down=defer")));
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

/* ---- the plans of all statements a reader has prepared ---- */

static void ask_everything(void)
{
	const struct str *members;
	struct domain domain;
	struct system s;
	struct holder h;
	size_t n;

	make_split_with_logins();
	assert_done(system_create(c, S("gw"), SET("hosts=a.test")));
	assert_done(
		user_set(c, ALICE, SET("forward=x@else.test", "system=gw")));
	assert_done(group_create(c, S("team@example.org"),
				 SET("member=alice@example.org")));
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	assert_int_equal(directory_first_domain(d, arena, &domain), ANSWER_YES);
	assert_int_equal(
		directory_address(d, &domain, S("alice"), ORG, arena, &h),
		ANSWER_YES);
	assert_int_equal(h.n_forwards, 1);
	assert_int_equal(directory_system(d, h.system, arena, &s), ANSWER_YES);
	assert_int_equal(directory_system_named(d, S("gw"), arena, &s),
			 ANSWER_YES);
	assert_int_equal(directory_smart_host(d, arena, &s), ANSWER_NO);
	assert_int_equal(
		directory_address(d, &domain, S("team"), ORG, arena, &h),
		ANSWER_YES);
	assert_int_equal(directory_members(d, h.id, 100, arena, &members, &n),
			 ANSWER_YES);
	assert_int_equal(may(ALICE, S("al"), ORG), ANSWER_YES);
	assert_int_equal(may(ALICE, S("team"), ORG), ANSWER_NO);
	assert_int_equal(directory_login_holds(d, ALICE, S("1.1")), ANSWER_NO);
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
		if (!strncmp(step, "SCAN", 4) && strcmp(step, "SCAN his") &&
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
	check_plan(db, "SELECT user FROM dovecot_login WHERE local = "
		       "coalesce((SELECT local FROM dovecot_local WHERE "
		       "given = 'a'), 'a') AND domain = coalesce((SELECT name "
		       "FROM domain_spelling WHERE given = 'b'), 'b') LIMIT 1");
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

	make_split_with_logins();
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	corrupt("ALTER TABLE address RENAME TO gone");
	assert_int_equal(directory_address(d, &domain, S("no"), ORG, arena, &h),
			 ANSWER_UNSURE);
	assert_int_equal(may(ALICE, S("alice"), ORG), ANSWER_UNSURE);
	assert_int_equal(find_holder(d, ALICE, arena, &id), ANSWER_UNSURE);
	test_outcome(user_create(c, S("x@example.org"), NOTHING), CHANGE_FAILED,
		     NULL, "address", __LINE__);
}

static void test_systems_of_before_have_no_limits(void **state)
{
	static const struct system_limits none;
	struct system s;

	test_begin_at(4, "INSERT INTO system (name, hosts, tls, when_down) "
			 "VALUES ('gw', 'a.test', 1, 2)");
	assert_int_equal(directory_system_named(d, S("gw"), arena, &s),
			 ANSWER_YES);
	assert_int_equal(s.when_down, DOWN_DEFER);
	assert_memory_equal(&s.limits, &none, sizeof(none));
	assert_done(system_set(c, S("gw"), SET("connections=3")));
	assert_int_equal(directory_system_named(d, S("gw"), arena, &s),
			 ANSWER_YES);
	assert_int_equal(s.limits.connections, 3);
}

static void test_migrate(void **state)
{
	struct admin admin;

	assert_true(directory_migrate(test_path));
	test_begin_at(2, "INSERT INTO admin (name, role) VALUES "
			 "('admin0', 0)");
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

/* ---- damage that SQLite does not see ---- */

static struct damage damage;

static void open_wary(void)
{
	directory_close(d);
	d = directory_open_wary(test_path, &damage);
	assert_non_null(d);
}

static void run_sql(const char *text)
{
	sqlite3 *db;
	char *why = NULL;

	assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	sqlite3_close(db);
}

/* INDEX is empty from now on, and nothing else is. */
static void lose_index(const char *index, const char *table,
		       const char *columns)
{
	run_sql(arena_printf(
		arena,
		"CREATE TABLE lost AS SELECT * FROM %s WHERE 0;"
		"CREATE INDEX lost_index ON lost (%s);"
		"PRAGMA writable_schema = ON;"
		"UPDATE sqlite_schema SET rootpage = (SELECT rootpage "
		"FROM sqlite_schema WHERE name = 'lost_index') "
		"WHERE name = '%s';"
		"DELETE FROM sqlite_schema WHERE name LIKE 'lost%%';"
		"PRAGMA writable_schema = RESET;",
		table, columns, index));
	open_wary();
}

static enum answer ask_address(struct str local)
{
	struct domain domain;
	struct holder holder;

	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	return directory_address(d, &domain, local, ORG, arena, &holder);
}

static void test_lost_addresses(void **state)
{
	struct domain domain;

	make_split_with_logins();
	assert_int_equal(directory_check(test_path), 0);
	lose_index("sqlite_autoindex_address_1", "address",
		   "domain, local, name, builtin");
	assert_int_equal(ask_address(S("alice")), ANSWER_NO);
	assert_int_equal(directory_check(test_path), DOUBT_ADDRESSES);
	assert_non_null(strstr(cause(), "directory.db: "));
	damage.doubts = DOUBT_ADDRESSES;
	assert_int_equal(ask_address(S("alice")), ANSWER_UNSURE);
	assert_int_equal(ask_address(S("nobody")), ANSWER_UNSURE);
	assert_int_equal(directory_domain(d, S("else.test"), arena, &domain),
			 ANSWER_NO);
	run_sql("REINDEX");
	assert_int_equal(directory_check(test_path), 0);
	damage.doubts = 0;
	assert_int_equal(ask_address(S("alice")), ANSWER_YES);
	assert_int_equal(ask_address(S("nobody")), ANSWER_NO);
}

static void test_doubts(void **state)
{
	const struct str *members;
	struct domain domain;
	struct system system;
	struct inet peer;
	size_t n;

	make_split_with_logins();
	open_wary();
	check(inet_parse(S("192.0.2.1:25"), 25, &peer));
	damage.doubts = DOUBT_ALL & ~DOUBT_ADDRESSES;
	assert_int_equal(ask_address(S("alice")), ANSWER_YES);
	assert_int_equal(ask_address(S("nobody")), ANSWER_NO);
	assert_int_equal(directory_domain(d, S("else.test"), arena, &domain),
			 ANSWER_UNSURE);
	assert_int_equal(may(ALICE, S("nobody"), ORG), ANSWER_UNSURE);
	assert_int_equal(directory_members(d, 1, 10, arena, &members, &n),
			 ANSWER_UNSURE);
	assert_int_equal(directory_smart_host(d, arena, &system),
			 ANSWER_UNSURE);
	assert_int_equal(directory_system(d, 99, arena, &system),
			 ANSWER_UNSURE);
	assert_int_equal(directory_trusted(d, &peer, arena, &system),
			 ANSWER_UNSURE);
	damage.doubts = 0;
	assert_int_equal(directory_trusted(d, &peer, arena, &system),
			 ANSWER_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_domain),
		TEST(test_somebody_wants_it_verified),
		TEST(test_may_send_as),
		TEST(test_who_may_send_as_a_group),
		TEST(test_a_member_with_a_detail_may_send),
		TEST(test_a_right_to_send_ends_with_who_has_it),
		TEST(test_trusted),
		TEST(test_node),
		TEST(test_no_question_walks_a_table),
		TEST(test_systems_of_before_have_no_limits),
		TEST(test_trouble_is_unsure),
		TEST(test_lost_addresses),
		TEST(test_doubts),
		TEST(test_migrate),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
