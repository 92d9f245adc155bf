/* Another name takes everything along, and one undo gives it all back. */
#include <sqlite3.h>

#include "base/buf.h"
#include "directory/directory_test.h"
#include "directory/jobs.h"
#include "directory/lists.h"

#define MARY S("mary@a.test")
#define MARRIED S("mary.miller@a.test")
#define TEAM S("team@b.test")
#define HER S("her@b.test")

/* ---- all there is, as text ---- */

static void add_rows(struct buf *out, sqlite3 *db, const char *sql)
{
	sqlite3_stmt *q;

	check(sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(q); i++)
			buf_printf(out, "%s ",
				   (const char *)sqlite3_column_text(q, i));
		buf_printf(out, "\n");
	}
	sqlite3_finalize(q);
}

/* What an administrator decides; lists in the order of their rows. */
static char *everything(void)
{
	static const char *const tables[] = {
		"SELECT name, catch_all, postmaster FROM domain ORDER BY id",
		"SELECT name, domain FROM domain_name ORDER BY 1",
		"SELECT login, name, password, mailbox FROM holder ORDER BY id",
		"SELECT holder, local, name, is_default, routed, home "
		"FROM address ORDER BY 1, 2, 3",
		"SELECT holder, spelling, local, domain FROM forward "
		"ORDER BY 1, 2",
		"SELECT holder, spelling, local, domain FROM member "
		"ORDER BY 1, 2",
		"SELECT name, role, domain, password FROM admin ORDER BY id",
		"SELECT holder, address FROM job_done ORDER BY 1",
	};
	struct buf out scoped(buf) = BUF_EMPTY;
	sqlite3 *db;

	check(sqlite3_open(test_path, &db) == SQLITE_OK);
	for (size_t i = 0; i < array_size(tables); i++)
		add_rows(&out, db, tables[i]);
	sqlite3_close(db);
	return arena_cstr(arena, buf_str(&out));
}

static void take_entry(void *arg, const struct change_entry *e)
{
	struct change_entry *out = arg;

	*out = *e;
	out->subject = arena_str(arena, e->subject);
	out->field = arena_str(arena, e->field);
	out->old = arena_str(arena, e->old);
	out->new = arena_str(arena, e->new);
}

static struct change_entry last_change(void)
{
	struct change_page page = { .limit = 1 };
	struct change_entry e = { 0 };

	assert_true(list_changes(d, &page, take_entry, &e));
	return e;
}

/* ---- what there is ---- */

static void make_domains(void)
{
	assert_done(domain_create(c, S("a.test"),
				  SET("aliases=a2.test", "relay=x.test")));
	assert_done(domain_create(c, S("b.test"), NOTHING));
	assert_done(user_create(c, MARY,
				SET("password=12345678", "address=m@a.test",
				    "address=sales@a2.test")));
	assert_done(
		user_create(c, S("bob@a.test"), SET("mail_system=alternate")));
	assert_done(user_create(c, HER,
				SET("forward=mary+x@a.test,"
				    "m@a.test,bob@a2.test")));
	assert_done(group_create(
		c, TEAM, SET("member=Mary@A.test", "member=bob@a.test")));
	assert_done(domain_set(c, S("b.test"),
			       SET("catch_all=mary@a2.test",
				   "postmaster=\"mary+o o\"@a.test")));
	assert_done(admin_create(c, MARY,
				 SET("role=domain-admin", "domain=a.test")));
}

static bool logs_in(struct str login)
{
	struct buf out scoped(buf) = BUF_EMPTY;
	sqlite3 *db;

	check(sqlite3_open(test_path, &db) == SQLITE_OK);
	add_rows(&out, db,
		 arena_printf(arena,
			      "SELECT user FROM dovecot_login WHERE "
			      "local || '@' || domain = '%.*s'",
			      STR(login)));
	sqlite3_close(db);
	return out.n > 0;
}

static bool says(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

/* ---- users ---- */

static void test_a_user_is_renamed(void **state)
{
	struct change_entry before, after;
	char *all, *now;

	make_domains();
	all = everything();
	before = last_change();
	assert_done(holder_rename(c, HOLDER_USER, MARY,
				  S("Mary.Miller@A2.test"), true));
	after = last_change();
	assert_int_equal(after.id, before.id + 1);
	assert_true(str_same(after.subject, MARRIED));
	assert_true(str_same(after.field, S("renamed")));
	assert_true(str_same(after.old, MARY));
	assert_true(after.can_undo);
	now = everything();
	assert_true(says(now, "mary.miller+x@a.test mary.miller+x a.test"));
	assert_true(says(now, " mary.miller@a.test mary.miller a.test"));
	assert_true(says(now, "b.test mary.miller@a2.test "
			      "\"mary.miller+o o\"@a.test"));
	assert_true(says(now, "mary.miller@a.test 1 1")); /* her rights */
	assert_true(logs_in(MARRIED) && logs_in(MARY));
	assert_done(rename_undo(c, after.id));
	assert_string_equal(everything(), all);
	assert_int_equal(last_change().id, after.id + 1);
	assert_not_found(rename_undo(c, after.id), NULL, "no such change");
}

/* One of her addresses becomes the default one, even of one name only. */
static void test_to_an_address_of_hers(void **state)
{
	static const struct str to[] = {
		{ "m@a.test", 8 },
		{ "sales@a.test", 12 },
		{ "m@a2.test", 9 },
	};
	char *all;

	make_domains();
	assert_done(group_add(
		c, TEAM,
		(const struct str[]){ S("m@a.test"), S("sales@a2.test") }, 2));
	all = everything();
	for (size_t i = 0; i < array_size(to); i++) {
		assert_done(holder_rename(c, HOLDER_USER, MARY, to[i], true));
		assert_true(logs_in(MARY) && logs_in(to[i]));
		assert_done(rename_undo(c, last_change().id));
		assert_string_equal(everything(), all);
	}
}

static void test_the_old_address_goes_when_told(void **state)
{
	char *all;

	make_domains();
	all = everything();
	assert_done(holder_rename(c, HOLDER_USER, MARY, MARRIED, false));
	assert_false(logs_in(MARY));
	assert_false(says(everything(), "mary+x@a.test"));
	assert_done(user_create(c, MARY, NOTHING));
	assert_refused(rename_undo(c, last_change().id - 1), "address",
		       "is taken");
	assert_done(user_delete(c, MARY));
	assert_done(rename_undo(c, last_change().id - 2));
	assert_string_equal(everything(), all);
}

/* What was led to the new address since is led to her still. */
static void test_what_came_since_stays_hers(void **state)
{
	int64_t change;

	make_domains();
	assert_done(holder_rename(c, HOLDER_USER, MARY, MARRIED, true));
	change = last_change().id;
	assert_done(user_create(c, S("new@b.test"),
				SET("forward=mary.miller+y@a.test")));
	assert_done(user_set(c, HER, SET("forward=bob@a.test")));
	assert_done(rename_undo(c, change));
	assert_true(says(everything(), " mary+y@a.test mary+y a.test"));
	assert_false(says(everything(), "miller"));
}

static void test_refusals(void **state)
{
	struct str u = S("user@a.test");
	int64_t change;

	make_domains();
	assert_done(user_create(c, u, SET("address=one@a.test")));
	assert_refused(holder_rename(c, HOLDER_USER, u, MARY, true), "address",
		       "is taken");
	assert_refused(holder_rename(c, HOLDER_USER, MARY, S("one@*"), true),
		       "address", "");
	assert_refused(
		holder_rename(c, HOLDER_USER, MARY, S("x+y@a.test"), true),
		"address", "no \"+\"");
	assert_refused(holder_rename(c, HOLDER_USER, MARY, S("x@b.test"), true),
		       "address", "same domain");
	assert_refused(holder_rename(c, HOLDER_USER, MARY,
				     S("m\xc3\xa4ry@a.test"), true),
		       "address", "ASCII");
	assert_refused(
		holder_rename(c, HOLDER_SHARED, S("postmaster-builtin@a.test"),
			      S("x@a.test"), true),
		"address", "stays with it");
	assert_not_found(
		holder_rename(c, HOLDER_GROUP, MARY, S("x@a.test"), true),
		"address", "it is a user");
	assert_refused(holder_rename(c, HOLDER_USER, u,
				     S("postmaster-builtin@a.test"), true),
		       "address", "reserved");
	/* Nobody becomes an administrator by his name. */
	assert_done(admin_create(c, S("chief@a.test"), SET("role=superadmin")));
	assert_refused(
		holder_rename(c, HOLDER_USER, u, S("chief@a.test"), true),
		"address", "exists already");
	assert_done(holder_rename(c, HOLDER_USER, u, S("v@a.test"), true));
	change = last_change().id;
	assert_done(holder_rename(c, HOLDER_USER, S("v@a.test"), S("w@a.test"),
				  true));
	assert_refused(rename_undo(c, change), NULL, "another name since");
}

static void test_rank(void **state)
{
	struct domain a, b;
	int64_t change;

	make_domains();
	assert_int_equal(directory_domain(d, S("a.test"), arena, &a),
			 ANSWER_YES);
	assert_int_equal(directory_domain(d, S("b.test"), arena, &b),
			 ANSWER_YES);
	changes_ask_as(c, ADMIN_DELEGATE, a.id);
	assert_refused(holder_rename(c, HOLDER_USER, MARY, MARRIED, true), NULL,
		       "more rights");
	assert_refused(domain_rename(c, S("a.test"), S("a2.test"), true),
		       "name", "superadministrator");
	changes_ask_as(c, ADMIN_SUPER, 0);
	assert_done(holder_rename(c, HOLDER_USER, MARY, MARRIED, true));
	change = last_change().id;
	changes_ask_as(c, ADMIN_DELEGATE, a.id);
	assert_refused(rename_undo(c, change), NULL, "more rights");
	changes_ask_as(c, ADMIN_DOMAIN, b.id);
	assert_not_found(rename_undo(c, change), NULL, "no such change");
	changes_ask_as(c, ADMIN_DOMAIN, a.id);
	assert_done(rename_undo(c, change));
}

static void test_groups_and_shared_mailboxes_too(void **state)
{
	char *all;

	make_domains();
	assert_done(group_create(c, S("g@a.test"), SET("member=bob@a.test")));
	assert_done(shared_create(c, S("s@a.test"), NOTHING));
	assert_done(group_add(
		c, TEAM, (const struct str[]){ S("g@a.test"), S("s@a.test") },
		2));
	all = everything();
	assert_done(holder_rename(c, HOLDER_GROUP, S("g@a.test"), S("h@a.test"),
				  true));
	assert_done(holder_rename(c, HOLDER_SHARED, S("s@a.test"),
				  S("t@a.test"), false));
	assert_true(says(everything(), "h@a.test h a.test"));
	assert_done(rename_undo(c, last_change().id));
	assert_done(rename_undo(c, last_change().id - 2));
	assert_string_equal(everything(), all);
}

/* A job finds whom it was asked for, and its undo does. */
static void test_jobs_know_them_by_the_new_name(void **state)
{
	const struct str whom[] = { S("bob@a.test"), MARY };
	struct job_order o = { S("admin0"), S("{\"enabled\":false}"), whom, 2,
			       .expect = -1 };
	struct job_made made;
	struct job job;

	make_domains();
	assert_done(job_create(c, &o, &made));
	assert_done(holder_rename(c, HOLDER_USER, MARY, MARRIED, false));
	while (jobs_work(c) == ANSWER_YES)
		;
	assert_int_equal(find_job(d, S(""), made.id, arena, &job), ANSWER_YES);
	assert_int_equal(job.changed, 2);
	assert_done(domain_rename(c, S("a.test"), S("new.test"), false));
	assert_done(job_undo(c, S("admin0"), made.id, &made));
	while (jobs_work(c) == ANSWER_YES)
		;
	assert_int_equal(find_job(d, S(""), made.id, arena, &job), ANSWER_YES);
	assert_int_equal(job.changed, 2);
}

/* ---- domains ---- */

static void try_domain(struct str to, bool keep_old)
{
	char *all = everything(), *now;
	struct change_entry before = last_change(), after;

	assert_done(domain_rename(c, S("a.test"), to, keep_old));
	after = last_change();
	assert_int_equal(after.id, before.id + 1);
	assert_true(str_same(after.subject, to) && after.can_undo);
	now = everything();
	assert_false(says(now, "@a.test"));
	assert_true(
		says(now, arena_printf(arena, "mary+x@%.*s mary+x", STR(to))));
	assert_true(
		says(now, arena_printf(arena, "\"mary+o o\"@%.*s", STR(to))));
	assert_int_equal(logs_in(S("mary@a.test")), keep_old);
	assert_true(logs_in(arena_strf(arena, "mary@%.*s", STR(to))));
	assert_true(logs_in(arena_strf(arena, "m@%.*s", STR(to))));
	assert_true(says(now, arena_printf(arena, "mary@%.*s 1 1", STR(to))));
	assert_true(logs_in(S("sales@a2.test")));
	assert_done(rename_undo(c, after.id));
	assert_string_equal(everything(), all);
	assert_int_equal(last_change().id, after.id + 1);
}

static void test_a_domain_is_renamed(void **state)
{
	make_domains();
	try_domain(S("new.test"), true);
	try_domain(S("new.test"), false);
	try_domain(S("a2.test"), true);
	try_domain(S("a2.test"), false);
	try_domain(S("xn--mller-kva.test"), true);
}

/* On the other name somebody else has it: each keeps what is his. */
static void test_an_address_of_two(void **state)
{
	char *all;

	make_domains();
	assert_done(address_add(c, S("bob@a.test"), S("sales@a.test")));
	assert_done(user_set(c, HER,
			     SET("forward=sales@a.test,"
				 "sales@a2.test")));
	all = everything();
	assert_done(domain_rename(c, S("a.test"), S("a2.test"), true));
	assert_true(says(everything(), "sales@a.test sales a.test"));
	assert_done(rename_undo(c, last_change().id));
	assert_string_equal(everything(), all);
	assert_refused(domain_rename(c, S("a.test"), S("a2.test"), false),
		       "aliases", "sales@a.test");
}

static void test_what_came_to_a_domain_since(void **state)
{
	char *now;

	make_domains();
	assert_done(domain_rename(c, S("a.test"), S("new.test"), true));
	assert_done(
		user_create(c, S("late@new.test"), SET("address=l@new.test")));
	assert_done(user_set(c, HER, SET("forward=late@new.test")));
	assert_done(domain_set(c, S("new.test"), SET("catch_all=l@new.test")));
	assert_done(rename_undo(c, last_change().id - 4));
	now = everything();
	assert_false(says(now, "new.test"));
	assert_true(says(now, "late@a.test late a.test"));
	assert_true(says(now, "a.test l@a.test"));
	assert_true(logs_in(S("late@a.test")) == false); /* no password */
}

static void test_refusals_of_domains(void **state)
{
	make_domains();
	assert_refused(domain_rename(c, S("a.test"), S("b.test"), true), "name",
		       "exists already");
	assert_done(domain_set(c, S("b.test"), SET("aliases=b2.test")));
	assert_refused(domain_rename(c, S("a.test"), S("b2.test"), true),
		       "name", "alias of the domain b.test");
	assert_refused(domain_rename(c, S("a.test"), S("no name"), true),
		       "name", "");
	assert_done(domain_rename(c, S("a.test"), S("a.test"), true));
	assert_done(domain_rename(c, S("a.test"), S("c.test"), false));
	assert_done(domain_create(c, S("a.test"), NOTHING));
	assert_refused(rename_undo(c, last_change().id - 1), "name",
		       "exists already");
}

static void count_entry(void *arg, const struct change_entry *e)
{
	++*(int *)arg;
}

static int count_changes(struct change_page page)
{
	int n = 0;

	page.limit = 100;
	assert_true(list_changes(d, &page, count_entry, &n));
	return n;
}

/* Its history is found by the new name, and is nobody else's. */
static void test_history_goes_along(void **state)
{
	int of_mary, of_domain;

	make_domains();
	of_mary = count_changes((struct change_page){ .subject = MARY });
	of_domain =
		count_changes((struct change_page){ .domain = S("a.test") });
	assert_true(of_mary > 0 && of_domain > of_mary);
	assert_done(holder_rename(c, HOLDER_USER, MARY, MARRIED, false));
	assert_int_equal(
		count_changes((struct change_page){ .subject = MARRIED }),
		of_mary + 1);
	assert_done(domain_rename(c, S("a.test"), S("new.test"), false));
	assert_int_equal(count_changes((struct change_page){
				 .subject = S("mary.miller@new.test") }),
			 of_mary + 1);
	assert_int_equal(
		count_changes((struct change_page){ .domain = S("new.test") }),
		of_domain + 2);
	assert_done(domain_create(c, S("a.test"), NOTHING));
	assert_int_equal(
		count_changes((struct change_page){ .domain = S("a.test") }),
		1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_user_is_renamed),
		TEST(test_to_an_address_of_hers),
		TEST(test_the_old_address_goes_when_told),
		TEST(test_what_came_since_stays_hers),
		TEST(test_refusals),
		TEST(test_rank),
		TEST(test_groups_and_shared_mailboxes_too),
		TEST(test_jobs_know_them_by_the_new_name),
		TEST(test_a_domain_is_renamed),
		TEST(test_an_address_of_two),
		TEST(test_what_came_to_a_domain_since),
		TEST(test_refusals_of_domains),
		TEST(test_history_goes_along),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
