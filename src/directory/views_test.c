/* What Dovecot sees: who logs in, as whom, with which mailbox. */
#include "directory/directory_test_split.h"

#include <sqlite3.h>

#include "directory/admins.h"
#include "directory/lists.h"
#include "directory/sql.h"

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

#define PASSWORD \
	"SELECT password FROM dovecot_login WHERE local || '@' || " \
	"domain = "
#define MAILBOX "SELECT quota_rule FROM dovecot_mailbox WHERE user = "

static void test_dovecot_sees_hosted_users_only(void **state)
{
	make_split_with_logins();
	assert_string_equal(look(PASSWORD "'alice@example.org'"), HASH_A);
	assert_string_equal(look(PASSWORD "'al@example.org'"), HASH_A);
	assert_string_equal(look(PASSWORD "'alice@example.net'"), HASH_A);
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
	assert_string_equal(look(PASSWORD "'bob@example.org'"), HASH_B);
	assert_done(user_set(c, BOB, SET("enabled=no")));
	assert_string_equal(look(MAILBOX "'bob@example.org'"), "");
	assert_done(user_set(c, ALICE, SET("password_hash=")));
	assert_string_equal(look(PASSWORD "'alice@example.org'"), "");
}

static const char *mailbox_of(const char *login)
{
	return look(arena_printf(arena,
				 "SELECT mailbox FROM dovecot_mailbox "
				 "WHERE user = '%s'",
				 login));
}

/* Not even when the same id is given by another directory.db. */
static void test_a_mailbox_is_nobody_elses(void **state)
{
	char alice[64], shared[64];

	make_split_with_logins();
	assert_done(shared_create(c, S("info@example.org"), NOTHING));
	snprintf(alice, sizeof(alice), "%s", mailbox_of("alice@example.org"));
	snprintf(shared, sizeof(shared), "%s", mailbox_of("info@example.org"));
	assert_true(strlen(alice) > 20 && strlen(shared) > 20);
	test_end(state);
	test_begin(state);
	make_split_with_logins();
	assert_done(shared_create(c, S("info@example.org"), NOTHING));
	assert_string_not_equal(mailbox_of("alice@example.org"), alice);
	assert_string_not_equal(mailbox_of("info@example.org"), shared);
}

static void test_mailboxes_of_before_stay_where_they_are(void **state)
{
	test_begin_at(5, "INSERT INTO domain (name) VALUES ('example.org');"
			 "INSERT INTO domain_name VALUES ('example.org', 1);"
			 "INSERT INTO holder (id, kind, domain, login) VALUES "
			 "(7, 0, 1, 'eve@example.org'), "
			 "(9, 2, 1, 'info@example.org')");
	assert_string_equal(mailbox_of("eve@example.org"), "7");
	assert_string_equal(mailbox_of("info@example.org"), "9");
	assert_done(user_create(c, S("new@example.org"), NOTHING));
	assert_string_equal(mailbox_of("eve@example.org"), "7");
	assert_string_not_equal(mailbox_of("new@example.org"), "10");
}

#define USER \
	"SELECT user FROM dovecot_login WHERE local = '%s' AND " \
	"domain = '%s'"

static const char *user_of(const char *local, const char *domain)
{
	return look(arena_printf(arena, USER, local, domain));
}

/* By any of his addresses, wherever its mail goes, and always as the one. */
static void test_each_own_address_is_a_login(void **state)
{
	make_split_with_logins();
	assert_done(shared_create(c, S("info@example.org"), NOTHING));
	assert_done(group_create(c, S("team@example.org"),
				 SET("member=alice@example.org")));
	assert_done(address_add(c, ALICE, S("net@example.net")));
	assert_done(address_set(c, S("al@example.org"), SET("home=alternate")));
	assert_string_equal(user_of("alice", "example.org"),
			    "alice@example.org");
	assert_string_equal(user_of("al", "example.net"), "alice@example.org");
	assert_string_equal(user_of("net", "example.net"), "alice@example.org");
	assert_string_equal(user_of("net", "example.org"), "");
	assert_string_equal(user_of("alice", ""), "");
	assert_string_equal(user_of("bob", "example.org"), "");
	assert_string_equal(user_of("info", "example.org"), "");
	assert_string_equal(user_of("team", "example.org"), "");
	assert_string_equal(user_of("postmaster", "example.org"), "");
	assert_done(address_remove(c, STR_NONE, S("net@example.net")));
	assert_string_equal(user_of("net", "example.net"), "");
}

static const char *domain_of(const char *given)
{
	return look(arena_printf(arena,
				 "SELECT name FROM domain_spelling "
				 "WHERE given = '%s'",
				 given));
}

static const char *local_of(const char *given)
{
	return look(arena_printf(arena,
				 "SELECT local FROM dovecot_local "
				 "WHERE given = '%s'",
				 given));
}

#define MUELLER "xn--mller-kva.example"

/* As Dovecot has it: ASCII letters are small. */
static void test_spellings_that_are_not_ascii(void **state)
{
	assert_done(domain_create(c, S("müller.example"),
				  SET("aliases=ölmühle.example")));
	assert_done(
		user_create(c, S("info@müller.example"),
			    SET("password_hash=" HASH_A, "address=élodie@*")));
	assert_string_equal(domain_of("müller.example"), MUELLER);
	assert_string_equal(domain_of("mÜller.example"), MUELLER);
	assert_string_equal(domain_of("mu\xcc\x88ller.example"), MUELLER);
	assert_string_equal(domain_of("Ölmühle.example"),
			    domain_of("ölmühle.example"));
	assert_string_equal(domain_of("ÖlmÜhle.example"),
			    domain_of("o\xcc\x88lmu\xcc\x88hle.example"));
	assert_string_not_equal(domain_of("ölmühle.example"), "");
	assert_string_equal(domain_of("muller.example"), "");
	assert_string_equal(domain_of(MUELLER), "");
	assert_string_equal(local_of("Élodie"), "élodie");
	assert_string_equal(local_of("e\xcc\x81lodie"), "élodie");
	assert_string_equal(local_of("elodie"), "");
	assert_done(address_remove(c, STR_NONE, S("élodie@*")));
	assert_string_equal(local_of("Élodie"), "");
	assert_done(domain_set(c, S("müller.example"), SET("aliases=")));
	assert_string_equal(domain_of("Ölmühle.example"), "");
	assert_string_equal(domain_of("mÜller.example"), MUELLER);
}

static const char *alices_right(void)
{
	return look("SELECT login_right FROM dovecot_login WHERE "
		    "local = 'alice' AND domain = 'example.org'");
}

static enum answer holds(const char *right)
{
	return directory_login_holds(d, ALICE, str_of(right));
}

static void test_a_login_holds_as_long_as_the_right(void **state)
{
	const char *first, *second;

	make_split_with_logins();
	first = alices_right();
	assert_int_equal(holds(first), ANSWER_YES);
	assert_int_equal(holds(""), ANSWER_NO);
	assert_done(
		user_set(c, ALICE, SET("quota=1G", "password_hash=" HASH_A)));
	assert_int_equal(holds(first), ANSWER_YES);
	assert_done(user_set(c, ALICE, SET("enabled=no")));
	assert_int_equal(holds(first), ANSWER_NO);
	assert_done(user_set(c, ALICE, SET("enabled=yes")));
	assert_done(user_set(c, ALICE, SET("mail_system=alternate")));
	assert_int_equal(holds(first), ANSWER_NO);
	assert_done(user_set(
		c, ALICE, SET("mail_system=hosted", "password_hash=" HASH_B)));
	second = alices_right();
	assert_int_equal(holds(first), ANSWER_NO);
	assert_int_equal(holds(second), ANSWER_YES);
	assert_done(user_delete(c, ALICE));
	assert_int_equal(holds(second), ANSWER_NO);
	assert_done(user_create(c, ALICE, SET("password_hash=" HASH_B)));
	assert_int_equal(holds(first), ANSWER_NO);
	assert_int_equal(holds(second), ANSWER_NO);
}

/* An id is never given twice: what names a deleted user names nobody. */
static void test_ids_are_not_used_again(void **state)
{
	char *first;

	make_split_with_logins();
	assert_done(user_create(c, S("eve@example.org"), NOTHING));
	first = arena_printf(arena, "%s", look("SELECT max(id) FROM holder"));
	assert_done(user_delete(c, S("eve@example.org")));
	assert_done(user_create(c, S("eve@example.org"), NOTHING));
	assert_string_not_equal(look("SELECT max(id) FROM holder"), first);
}

static void test_the_log_holds_no_password(void **state)
{
	make_split_with_logins();
	assert_done(user_set(c, ALICE, SET("password=very-secret")));
	assert_done(system_create(
		c, S("gw"),
		SET("hosts=a.test", "user=u", "password=very-secret")));
	assert_string_equal(look("SELECT count(*) FROM change_log WHERE "
				 "old || new LIKE '%secret%'"),
			    "0");
	assert_string_equal(look("SELECT new FROM change_log WHERE "
				 "field = 'password' AND noun = 'user' "
				 "ORDER BY id DESC LIMIT 1"),
			    "set");
	assert_string_equal(look("SELECT who FROM change_log LIMIT 1"), "test");
}

/* Whose names are not ASCII can log in as he writes his. */
static void test_spellings_of_before(void **state)
{
	test_begin_at(6, "INSERT INTO domain (id, name) "
			 "VALUES (1, '" MUELLER "');"
			 "INSERT INTO domain_name VALUES ('" MUELLER "', 1);"
			 "INSERT INTO holder (id, kind, domain, login) "
			 "VALUES (1, 0, 1, 'a@" MUELLER "');"
			 "INSERT INTO address (domain, local, name, holder) "
			 "VALUES (1, 'élodie', '*', 1)");
	assert_string_equal(domain_of("mÜller.example"), MUELLER);
	assert_string_equal(local_of("Élodie"), "élodie");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dovecot_sees_hosted_users_only),
		TEST(test_a_mailbox_is_nobody_elses),
		TEST(test_mailboxes_of_before_stay_where_they_are),
		TEST(test_each_own_address_is_a_login),
		TEST(test_spellings_that_are_not_ascii),
		TEST(test_spellings_of_before),
		TEST(test_a_login_holds_as_long_as_the_right),
		TEST(test_ids_are_not_used_again),
		TEST(test_the_log_holds_no_password),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
