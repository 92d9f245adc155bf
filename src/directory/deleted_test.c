/* Who was deleted comes back with all he had, or is gone for good. */
#include "directory/deleted.h"
#include "directory/directory_test.h"
#include "directory/lists.h"

#define ORG S("example.org")
#define BOB S("bob@example.org")

/* The first column of the only row, or "". */
static const char *look(const char *question)
{
	const char *text = "";
	sqlite3_stmt *s;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, question, -1, &s, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	if (sqlite3_step(s) == SQLITE_ROW)
		text = arena_printf(arena, "%s",
				    (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	sqlite3_close(db);
	return text;
}

static void make_bob(void)
{
	assert_done(domain_create(
		c, ORG, SET("aliases=example.net", "relay=mail.b.test")));
	assert_done(system_create(c, S("gw"), SET("hosts=a.test")));
	assert_done(user_create(c, S("eve@example.org"), NOTHING));
	assert_done(user_create(c, BOB,
				SET("password=very-secret", "quota=5M",
				    "system=gw", "name=Bob Doe")));
	assert_done(user_set(c, BOB,
			     SET("forward=eve@example.org,"
				 "x@else.test",
				 "forward_copy=no")));
	assert_done(address_add(c, BOB, S("robert@*")));
	assert_done(address_add(c, BOB, S("r@example.net")));
	assert_done(address_set(c, S("r@example.net"), SET("home=both")));
}

#define STATE \
	"SELECT group_concat(x, ' ') FROM (SELECT login || name || " \
	"mail_system || coalesce(system, '') || enabled || password || " \
	"quota_bytes || forward_keeps_copy || mailbox AS x FROM holder WHERE " \
	"kind = 0 UNION ALL SELECT a.local || '@' || a.name || a.home || " \
	"a.routed || a.is_default FROM address a WHERE builtin = 0 UNION ALL " \
	"SELECT spelling FROM forward UNION ALL SELECT count(*) FROM deleted)"

static void test_he_is_as_he_was(void **state)
{
	const char *before;

	make_bob();
	before = look(STATE);
	assert_done(user_delete(c, BOB));
	assert_string_not_equal(look(STATE), before);
	assert_done(deleted_restore(c, S("Bob@Example.ORG"), S("")));
	assert_string_equal(look(STATE), before);
	assert_string_equal(look("SELECT count(*) FROM deleted_address"), "0");
	assert_not_found(deleted_restore(c, BOB, S("")), "address",
			 "Nothing is kept");
}

#define TIES \
	"SELECT group_concat(x, ' ') FROM (SELECT g.login || ':' || " \
	"m.spelling AS x FROM member m JOIN holder g ON g.id = m.holder " \
	"UNION SELECT g.login || '=' || w.login FROM sender s JOIN holder g " \
	"ON g.id = s.holder JOIN holder w ON w.id = s.who)"

static void test_he_is_in_his_groups_again(void **state)
{
	const char *before;

	make_bob();
	assert_done(shared_create(c, S("info@example.org"),
				  SET("senders=bob@example.org,"
				      "eve@example.org")));
	assert_done(group_create(
		c, S("team@example.org"),
		SET("member=Robert@example.net", "member=info@example.org",
		    "senders=bob@example.org")));
	assert_done(group_create(c, S("all@example.org"),
				 SET("member=bob+all@example.org")));
	before = look(TIES);
	changes_clean(c, true);
	assert_done(user_delete(c, BOB));
	assert_done(deleted_restore(c, BOB, S("")));
	assert_string_equal(look(TIES), before);
	assert_done(shared_delete(c, S("info@example.org")));
	assert_done(deleted_restore(c, S("info@example.org"), S("")));
	assert_string_equal(look(TIES), before);
	assert_string_equal(look("SELECT count(*) FROM deleted_member"), "0");
	assert_string_equal(look("SELECT count(*) FROM deleted_sender"), "0");
}

static void test_a_mailbox_here_has_a_name_that_dovecot_takes(void **state)
{
	make_bob();
	assert_done(user_delete(c, BOB));
	assert_refused(deleted_restore(c, BOB, S("bøb@example.org")), "address",
		       "bøb@example.org");
	assert_done(deleted_restore(c, BOB, S("")));
}

/* An address that somebody else has by now leads to him. */
static void test_his_groups_know_him_by_what_is_his(void **state)
{
	make_bob();
	assert_done(group_create(c, S("team@example.org"),
				 SET("member=robert@example.net")));
	assert_done(group_create(c, S("gone@example.org"),
				 SET("member=bob@example.org")));
	changes_clean(c, true);
	assert_done(user_delete(c, BOB));
	assert_done(group_delete(c, S("gone@example.org")));
	assert_done(address_add(c, S("eve@example.org"), S("robert@*")));
	assert_done(deleted_restore(c, BOB, S("bob2@example.org")));
	assert_string_equal(look(TIES), "team@example.org:bob2@example.org");
}

static void test_only_his_one_name_deletes_him(void **state)
{
	make_bob();
	assert_done(holder_rename(c, HOLDER_USER, BOB, S("bob.doe@example.org"),
				  true));
	assert_refused(user_delete(c, BOB), "address", "bob.doe@example.org");
	assert_refused(user_delete(c, S("bob.doe@example.net")), "address",
		       "is another address of the user bob.doe@example.org");
	assert_refused(holder_erase(c, HOLDER_USER, S("robert@example.org")),
		       "address", "bob.doe@example.org");
	assert_done(
		shared_create(c, S("info@example.org"), SET("address=desk@*")));
	assert_refused(shared_delete(c, S("desk@example.org")), "address",
		       "info@example.org");
	assert_done(user_delete(c, S("Bob.Doe@EXAMPLE.org")));
}

static void test_an_old_session_is_not_his_who_comes_back(void **state)
{
	const char *right = "SELECT password_changes FROM holder WHERE "
			    "login = 'bob@example.org'";
	const char *before;

	make_bob();
	before = look(right);
	assert_done(user_delete(c, BOB));
	assert_done(deleted_restore(c, BOB, S("")));
	assert_string_not_equal(look(right), before);
}

static void test_what_others_have_by_now_stays_theirs(void **state)
{
	char mailbox[64];

	make_bob();
	snprintf(mailbox, sizeof(mailbox), "%s",
		 look("SELECT mailbox FROM holder WHERE name = 'Bob Doe'"));
	assert_done(user_delete(c, BOB));
	assert_done(user_create(c, BOB, NOTHING));
	assert_done(address_add(c, S("eve@example.org"), S("robert@*")));
	assert_done(system_delete(c, S("gw")));
	assert_done(domain_set(c, ORG, SET("aliases=")));
	assert_string_not_equal(look("SELECT max(mailbox) FROM holder WHERE "
				     "login = 'bob@example.org'"),
				mailbox);
	assert_refused(deleted_restore(c, BOB, S("")), "address", "is taken");
	assert_done(deleted_restore(c, BOB, S("bob2@example.org")));
	assert_string_equal(look("SELECT mailbox FROM holder WHERE "
				 "login = 'bob2@example.org'"),
			    mailbox);
	assert_string_equal(look("SELECT group_concat(local) FROM address a "
				 "JOIN holder h ON h.id = a.holder WHERE "
				 "login = 'bob2@example.org'"),
			    "bob2");
}

static void test_several_of_one_name_have_numbers(void **state)
{
	make_bob();
	for (int i = 0; i < 3; i++) {
		assert_done(user_delete(c, BOB));
		assert_done(user_create(c, BOB, NOTHING));
	}
	assert_refused(deleted_restore(c, BOB, S("b@example.org")), "address",
		       "was deleted 3 times: give the number of the one you "
		       "mean, 1 (");
	assert_done(deleted_restore(c, S("1"), S("b@example.org")));
	assert_done(deleted_erase(c, S("2")));
	assert_done(deleted_erase(c, BOB));
	assert_not_found(deleted_erase(c, S("3")), "address", "");
	assert_not_found(deleted_erase(c, S("99")), "address", "99");
}

static void count(void *arg, const struct deleted_entry *e)
{
	++*(int *)arg;
}

static int listed(int64_t domain, enum holder_kind kind)
{
	struct deleted_filter f = { .domain = domain, .kind = (int)kind };
	int n = 0;

	assert_true(list_deleted(d, &f, count, &n));
	return n;
}

static void test_what_is_erased_is_nowhere(void **state)
{
	struct deleted_due *due;
	size_t n;

	make_bob();
	assert_done(shared_create(c, S("info@example.org"), NOTHING));
	assert_done(shared_delete(c, S("info@example.org")));
	assert_int_equal(listed(1, HOLDER_SHARED), 1);
	assert_int_equal(listed(2, HOLDER_SHARED), 0);
	assert_int_equal(deleted_is_due(d, false), ANSWER_NO);
	assert_done(holder_erase(c, HOLDER_USER, BOB));
	assert_int_equal(listed(0, HOLDER_USER), 0);
	assert_int_equal(deleted_is_due(d, true), ANSWER_YES);
	assert_not_found(deleted_restore(c, BOB, S("")), "address", "");
	assert_string_equal(look("SELECT group_concat(login || name || "
				 "password) FROM deleted"),
			    "info@example.org,");
	assert_true(deleted_due(c, false, arena, &due, &n));
	assert_int_equal(n, 1);
	/* Once more, for what was on its way. */
	assert_true(deleted_is_gone(c, due[0].id));
	assert_int_equal(deleted_is_due(d, false), ANSWER_NO);
	look("UPDATE deleted SET deleted_at = 1000, until = 1001 RETURNING 1");
	assert_int_equal(deleted_is_due(d, true), ANSWER_YES);
	assert_true(deleted_due(c, true, arena, &due, &n));
	assert_int_equal(n, 1);
	assert_true(deleted_is_gone(c, due[0].id));
	assert_true(deleted_due(c, false, arena, &due, &n));
	assert_int_equal(n, 1);
	assert_not_found(deleted_restore(c, S("info@example.org"), S("")),
			 "address", "");
	assert_true(deleted_is_gone(c, due[0].id));
	assert_string_equal(look("SELECT count(*) FROM deleted"), "0");
}

static void test_a_domain_may_go_meanwhile(void **state)
{
	make_bob();
	assert_done(user_delete(c, BOB));
	assert_done(user_delete(c, S("eve@example.org")));
	assert_done(domain_delete(c, ORG));
	assert_int_equal(listed(0, HOLDER_USER), 2);
	assert_not_found(deleted_restore(c, BOB, S("")), "address", "");
	assert_done(domain_create(c, ORG, SET("relay=mail.b.test")));
	assert_int_equal(listed(2, HOLDER_USER), 0);
	assert_done(deleted_restore(c, BOB, S("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_he_is_as_he_was),
		TEST(test_he_is_in_his_groups_again),
		TEST(test_a_mailbox_here_has_a_name_that_dovecot_takes),
		TEST(test_his_groups_know_him_by_what_is_his),
		TEST(test_only_his_one_name_deletes_him),
		TEST(test_an_old_session_is_not_his_who_comes_back),
		TEST(test_what_others_have_by_now_stays_theirs),
		TEST(test_several_of_one_name_have_numbers),
		TEST(test_what_is_erased_is_nowhere),
		TEST(test_a_domain_may_go_meanwhile),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
