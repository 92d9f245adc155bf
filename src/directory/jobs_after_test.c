/* Jobs, afterwards: what is put back and what is not, trials, and how long a
 * report is kept. */
#include "base/buf.h"
#include "directory/jobs_test.h"
#include "directory/sql.h"

/* ---- putting back ---- */

static struct str mail_system_of(struct str login)
{
	struct holder_page page = everybody();
	int64_t n = 0;

	page.search = login;
	for (page.mail_system = HOME_HOSTED; page.mail_system <= HOME_NONE;
	     page.mail_system++) {
		assert_int_equal(count_holders(d, &page, &n), ANSWER_YES);
		if (n > 0)
			return str_of(home_name((enum home)page.mail_system));
	}
	fail_msg("no user %.*s", STR(login));
	return STR_NONE;
}

static void assert_lives(int user, const char *mail_system)
{
	assert_true(
		str_same(mail_system_of(user_name(user)), str_of(mail_system)));
}

static void test_put_back_exactly_what_was_changed(void **state)
{
	struct holder_page page = everybody();
	struct job_made back, again;
	int64_t id;

	make_people();
	assert_done(system_create(c, S("third"), SET("hosts=c.test")));
	assert_done(
		user_set(c, user_name(1), SET("mail_system=none", "quota=1G")));
	assert_done(user_set(c, user_name(2),
			     SET("mail_system=alternate", "system=third")));
	page.search = S("a.test");
	id = make_job("admin0",
		      "{\"mail_system\":\"alternate\","
		      "\"system\":\"third\",\"quota\":0}",
		      &page);
	assert_false(look(id).can_undo);
	assert_refused(job_undo(c, S("admin0"), id, &back), NULL,
		       "nothing to be put back");
	work_to_the_end();
	assert_job(id, JOB_DONE, MANY, MANY - 1, 0);
	assert_true(look(id).can_undo);
	/* Since then: one was changed, one is gone, one has another quota. */
	assert_done(user_set(c, user_name(3), SET("mail_system=none")));
	assert_done(user_delete(c, user_name(4)));
	assert_done(user_set(c, user_name(5), SET("name=Eve", "quota=5G")));

	assert_done(job_undo(c, S("admin0"), id, &back));
	assert_int_equal(back.matching, MANY - 1);
	assert_int_equal(look(back.id).undoes, id);
	assert_int_equal(look(back.id).kind, JOB_PUT_BACK);
	work_to_the_end();
	assert_job(back.id, JOB_DONE, MANY - 1, MANY - 3, 2);
	assert_refusals(back.id, "3 u003@a.test mail_system: Somebody has "
				 "changed this user since: he stays as he is.\n"
				 "4 u004@a.test address: There is no user "
				 "u004@a.test.\n");
	assert_lives(0, "hosted");
	assert_lives(1, "none");
	assert_lives(2, "alternate");
	assert_lives(3, "none");
	assert_lives(5, "hosted");

	/* What was put back can be put back. */
	assert_done(job_undo(c, S("admin0"), back.id, &again));
	work_to_the_end();
	assert_job(again.id, JOB_DONE, MANY - 3, MANY - 3, 0);
	assert_lives(0, "alternate");
	assert_lives(1, "alternate");
}

static void test_put_back_what_was_done_before_the_stop(void **state)
{
	struct holder_page page = everybody();
	struct job_made back;
	int64_t id;

	make_people();
	page.search = S("a.test");
	id = make_job("admin0", "{\"enabled\":false}", &page);
	assert_int_equal(jobs_work(worker), ANSWER_YES);
	assert_done(job_cancel(c, id));
	assert_done(job_undo(c, S("ann"), id, &back));
	work_to_the_end();
	assert_job(back.id, JOB_DONE, 50, 50, 0);
	page.enabled = 0;
	assert_int_equal(count_holders(d, &page, &id), ANSWER_YES);
	assert_int_equal(id, 0);
}

/* ---- an address that has become another's ---- */

/* User 0 goes; his address is user 1's then. */
static void give_away_address(void)
{
	assert_done(user_delete(c, user_name(0)));
	assert_done(address_add(c, user_name(1), S("u000@a.test")));
}

/* User 0 goes, and somebody new gets his address. */
static void make_anew(void)
{
	assert_done(user_delete(c, user_name(0)));
	assert_done(user_create(c, user_name(0), SET("mail_system=alternate")));
}

#define OF_ANOTHER \
	"1 u000@a.test address: u000@a.test has become another user's since: " \
	"he stays as he is.\n"

static void test_undo_leaves_who_has_the_address_now(void **state)
{
	struct holder_page page = everybody();
	struct job_made back;
	int64_t id;

	make_people();
	assert_done(user_set(c, user_name(1), SET("mail_system=alternate")));
	page.search = S("u00");
	id = make_job("admin0", "{\"mail_system\":\"alternate\"}", &page);
	work_to_the_end();
	give_away_address();
	assert_done(job_undo(c, S("admin0"), id, &back));
	work_to_the_end();
	assert_job(back.id, JOB_DONE, 9, 8, 1);
	assert_refusals(back.id, OF_ANOTHER);
	assert_lives(1, "alternate");
	assert_lives(2, "hosted");
}

static void test_undo_leaves_who_was_made_anew(void **state)
{
	struct holder_page page = everybody();
	struct job_made back;
	int64_t id;

	make_people();
	page.search = S("u00");
	id = make_job("admin0", "{\"mail_system\":\"alternate\"}", &page);
	work_to_the_end();
	make_anew();
	assert_done(job_undo(c, S("admin0"), id, &back));
	/* While it waits, too. */
	assert_done(user_delete(c, user_name(9)));
	assert_done(address_add(c, user_name(10), user_name(9)));
	work_to_the_end();
	assert_job(back.id, JOB_DONE, 10, 8, 2);
	assert_refusals(back.id,
			OF_ANOTHER "10 u009@a.test address: u009@a.test has "
				   "become another user's since: he stays as "
				   "he is.\n");
	assert_lives(0, "alternate");
}

static void test_who_matched_is_who_is_changed(void **state)
{
	struct holder_page page = everybody();
	int64_t id;

	make_people();
	page.search = S("u000");
	id = make_job("admin0", "{\"mail_system\":\"none\"}", &page);
	give_away_address();
	work_to_the_end();
	assert_job(id, JOB_DONE, 1, 0, 1);
	assert_refusals(id, OF_ANOTHER);
	assert_lives(1, "hosted");
}

static void test_who_had_the_address_is_who_is_changed(void **state)
{
	const struct str list[] = { S("U000@A.test"), S("alias@a.test"),
				    S("late@a.test") };
	struct job_order o = { .admin = S("admin0"),
			       .addresses = list,
			       .n = 3,
			       .what = S("{\"mail_system\":\"none\"}"),
			       .expect = -1 };
	struct job_made made, back;

	make_people();
	assert_done(address_add(c, user_name(2), S("alias@a.test")));
	assert_done(job_create(c, &o, &made));
	make_anew();
	/* Nobody had it. */
	assert_done(user_create(c, S("late@a.test"), NOTHING));
	work_to_the_end();
	assert_job(made.id, JOB_DONE, 3, 1, 2);
	assert_refusals(made.id,
			"1 U000@A.test address: U000@A.test has become another "
			"user's since: he stays as he is.\n"
			"3 late@a.test address: late@a.test has become another "
			"user's since: he stays as he is.\n");
	assert_lives(0, "alternate");
	assert_lives(2, "none");
	/* Put back is who was changed, whoever has the alias by now. */
	assert_done(address_remove(c, STR_NONE, S("alias@a.test")));
	assert_done(address_add(c, user_name(3), S("alias@a.test")));
	assert_done(job_undo(c, S("admin0"), made.id, &back));
	work_to_the_end();
	assert_job(back.id, JOB_DONE, 1, 1, 0);
	assert_lives(2, "hosted");
}

/* ---- trials, and forgetting ---- */

static void test_a_trial_leaves_nothing(void **state)
{
	struct holder_page page = everybody();
	struct job_order o = { .admin = S("admin0"),
			       .page = &page,
			       .what = S("{\"mail_system\":\"alternate\"}"),
			       .expect = -1,
			       .at_most = 60 };
	struct job_made made;
	struct job j;

	make_people();
	assert_true(changes_begin(c));
	assert_done(job_create(c, &o, &made));
	assert_int_equal(made.matching, MANY + 1);
	do {
		assert_true(job_work(c, made.id));
		assert_int_equal(find_job(changes_directory(c), S(""), made.id,
					  arena, &j),
				 ANSWER_YES);
	} while (j.state == JOB_RUNNING);
	assert_int_equal(j.changed, 60);
	changes_undo(c);
	assert_int_equal(find_job(d, S(""), made.id, arena, &j), ANSWER_NO);
	assert_int_equal(logged(), 0);
}

/* So much time goes by for every job that has ended. */
static void pass_hours(int64_t hours)
{
	struct sql *s = directory_connect(test_path, SQL_WRITE);

	assert_true(sql_run(s,
			    "UPDATE job SET ended_at = ended_at - ? * 3600 "
			    "WHERE state >= 2",
			    "i", hours));
	sql_close(s);
}

static bool is_kept(int64_t id)
{
	struct job j;
	enum answer a = find_job(d, S(""), id, arena, &j);

	assert_int_not_equal(a, ANSWER_UNSURE);
	return a == ANSWER_YES;
}

static void test_a_report_is_kept_a_month(void **state)
{
	struct holder_page page = everybody();
	int64_t hers, his;

	make_people();
	page.search = S("u001");
	hers = make_job("ann", "{\"enabled\":false}", &page);
	his = make_job("admin0", "{\"enabled\":true}", &page);
	work_to_the_end();
	assert_done(admin_delete(c, S("ann")));
	pass_hours(LIMIT_JOB_DAYS * 24 - 1);
	assert_true(jobs_forget(worker));
	assert_true(is_kept(hers) && is_kept(his));
	pass_hours(2);
	assert_true(jobs_forget(worker));
	assert_false(is_kept(hers) || is_kept(his));
}

static void test_nobody_drives_out_anothers_reports(void **state)
{
	struct holder_page page = everybody();
	int64_t first = 0, his, of_who_is_gone;

	make_people();
	assert_done(admin_create(c, S("bea"),
				 SET("domain=a.test", "role=delegate")));
	page.search = S("u001");
	his = make_job("admin0", "{\"enabled\":false}", &page);
	of_who_is_gone = make_job("bea", "{\"enabled\":true}", &page);
	work_to_the_end();
	assert_done(admin_delete(c, S("bea")));
	for (int i = 0; i < LIMIT_JOBS_ENDED + 3; i++) {
		int64_t id = make_job("ann", "{\"enabled\":true}", &page);

		first = first ? first : id;
		work_to_the_end();
	}
	/* None of today's goes, and none of another's. */
	assert_true(jobs_forget(worker));
	assert_true(is_kept(first));
	assert_true(look(his).can_undo && look(of_who_is_gone).can_undo);
	pass_hours(LIMIT_UNDO_HOURS + 1);
	assert_true(jobs_forget(worker));
	assert_true(is_kept(his) && is_kept(of_who_is_gone));
	assert_false(is_kept(first + 2));
	assert_true(is_kept(first + 3));
	/* Those who are gone have no number in common. */
	assert_done(admin_delete(c, S("ann")));
	assert_true(jobs_forget(worker));
	assert_true(is_kept(of_who_is_gone));
}

static void test_so_many_jobs_a_day(void **state)
{
	struct holder_page page = everybody();
	struct job_order o = { .admin = S("ann"),
			       .page = &page,
			       .expect = -1,
			       .what = S("{\"enabled\":true}") };
	struct job_made made;

	make_people();
	page.search = S("u001");
	for (int i = 0; i < LIMIT_JOBS_A_DAY; i++) {
		assert_done(job_create(c, &o, &made));
		work_to_the_end();
	}
	assert_refused(job_create(c, &o, &made), NULL,
		       "200 jobs within 24 hours");
	make_job("admin0", "{\"enabled\":true}", &page);
	pass_hours(LIMIT_UNDO_HOURS + 1);
	assert_done(job_create(c, &o, &made));
}

static void test_undo_ends_after_a_day(void **state)
{
	struct holder_page page = everybody();
	struct sql *s = directory_connect(test_path, SQL_WRITE);
	const char *rows = "SELECT count(*) FROM job_done";
	struct job_made back;
	int64_t id, n = 0;

	make_people();
	page.search = S("u00");
	id = make_job("admin0", "{\"enabled\":false}", &page);
	work_to_the_end();
	pass_hours(LIMIT_UNDO_HOURS - 1);
	assert_true(jobs_forget(worker));
	assert_true(look(id).can_undo);
	/* It is so at once, whenever the rows go. */
	pass_hours(2);
	assert_false(look(id).can_undo);
	assert_refused(job_undo(c, S("admin0"), id, &back), NULL,
		       "ended more than 24 hours ago");
	assert_int_equal(sql_int(s, &n, rows, ""), ANSWER_YES);
	assert_int_equal(n, 10);
	assert_true(jobs_forget(worker));
	assert_int_equal(sql_int(s, &n, rows, ""), ANSWER_YES);
	assert_int_equal(n, 0);
	assert_true(is_kept(id));
	sql_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(test_put_back_exactly_what_was_changed),
		JOB_TEST(test_put_back_what_was_done_before_the_stop),
		JOB_TEST(test_undo_leaves_who_has_the_address_now),
		JOB_TEST(test_undo_leaves_who_was_made_anew),
		JOB_TEST(test_who_matched_is_who_is_changed),
		JOB_TEST(test_who_had_the_address_is_who_is_changed),
		JOB_TEST(test_a_trial_leaves_nothing),
		JOB_TEST(test_a_report_is_kept_a_month),
		JOB_TEST(test_nobody_drives_out_anothers_reports),
		JOB_TEST(test_so_many_jobs_a_day),
		JOB_TEST(test_undo_ends_after_a_day),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
