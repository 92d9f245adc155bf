/* Jobs: in chunks, exactly once, with the rights of the moment. */
#include "directory/jobs_test.h"
#include "base/buf.h"
#include "directory/sql.h"

/* ---- the whole life ---- */

static void test_a_job_in_chunks(void **state)
{
	struct holder_page page = everybody();
	int64_t id;
	struct job j;

	make_people();
	assert_done(user_set(c, user_name(7), SET("mail_system=alternate")));
	id = make_job("admin0", "{\"mail_system\":\"alternate\"}", &page);
	assert_job(id, JOB_WAITING, 0, 0, 0);
	assert_int_equal(jobs_work(worker), ANSWER_YES);
	assert_job(id, JOB_RUNNING, 50, 49, 0);
	assert_true(look(id).started_s > 0 && look(id).ended_s == 0);
	work_to_the_end();

	/* v@z.test has no relay, u007 was there already. */
	assert_job(id, JOB_DONE, MANY + 1, MANY - 1, 1);
	j = look(id);
	assert_true(j.ended_s >= j.started_s && j.started_s >= j.created_s);
	assert_int_equal(j.total, MANY + 1);
	assert_true(str_same(j.admin, S("admin0")));
	assert_refusals(id, "121 v@z.test mail_system: The domain of v@z.test "
			    "has no relay, so there is no alternate mail "
			    "server: set it with `splitmail domain set DOMAIN "
			    "relay=HOST`, or give the user a system with "
			    "system=NAME.\n");
	assert_int_equal(logged(), MANY);
}

static void test_every_type_of_value(void **state)
{
	struct holder_page page = everybody();
	int64_t n = 0;

	make_people();
	page.search = S("u00");
	make_job("admin0",
		 "{\"enabled\":false,\"quota\":1048576,"
		 "\"forward_copy\":true,\"system\":null}",
		 &page);
	work_to_the_end();
	page.enabled = 0;
	assert_int_equal(count_holders(d, &page, &n), ANSWER_YES);
	assert_int_equal(n, 10);
}

static void test_addresses_one_by_one(void **state)
{
	const struct str list[] = { S("U001@A.test"),
				    S("nobody@a.test"),
				    S("v@z.test"),
				    S("no address"),
				    S("x@elsewhere.example"),
				    S("postmaster@a.test") };
	struct job_order o = { .admin = S("ann"),
			       .addresses = list,
			       .n = 6,
			       .what = S("{\"quota\":\"1G\"}"),
			       .expect = -1 };
	struct job_made made;

	make_people();
	assert_done(job_create(c, &o, &made));
	work_to_the_end();
	assert_job(made.id, JOB_DONE, 6, 1, 5);
	/* Another's user, and another's domain, are not there. */
	assert_refusals(made.id,
			"2 nobody@a.test address: There is no user "
			"nobody@a.test.\n"
			"3 v@z.test address: There is no user v@z.test.\n"
			"4 no address address: \"no address\" is no address "
			"such as bob@example.org: no domain after the local "
			"part in \"no address\".\n"
			"5 x@elsewhere.example address: There is no user "
			"x@elsewhere.example.\n"
			"6 postmaster@a.test address: There is no user "
			"postmaster@a.test.\n");
}

/* ---- what is refused ---- */

static void test_what_was_seen_is_what_is_changed(void **state)
{
	struct holder_page page = everybody();
	struct job_order o = { .admin = S("admin0"),
			       .page = &page,
			       .what = S("{\"enabled\":true}"),
			       .expect = MANY };
	struct job_made made;

	make_people();
	assert_refused(job_create(c, &o, &made), "expect",
		       "121 users match now, not 120");
	o.expect = MANY + 1;
	assert_done(job_create(c, &o, &made));
	/* Who comes later was not seen. */
	assert_done(user_create(c, S("late@a.test"), NOTHING));
	work_to_the_end();
	assert_int_equal(look(made.id).total, MANY + 1);
	page.search = S("nobody at all");
	o.expect = 0;
	assert_refused(job_create(c, &o, &made), NULL, "no user");
}

static void test_a_change_that_fits_nobody(void **state)
{
	struct holder_page page = everybody();
	struct job_order o = { .admin = S("admin0"),
			       .page = &page,
			       .expect = -1 };
	struct job_made made;

	make_people();
	o.what = S("{\"mail_system\":\"mars\"}");
	assert_refused(job_create(c, &o, &made), "mail_system", "one of");
	o.what = S("{\"system\":\"nosuch\"}");
	assert_not_found(job_create(c, &o, &made), "system", "nosuch");
	o.what = S("{\"colour\":\"red\"}");
	assert_refused(job_create(c, &o, &made), "colour", "no key");
	o.what = S("{\"quota\":-1}");
	assert_refused(job_create(c, &o, &made), "quota", "10G");
	o.admin = S("nobody");
	o.what = S("{\"enabled\":true}");
	assert_not_found(job_create(c, &o, &made), NULL, "nobody");
	assert_int_equal(jobs_work(worker), ANSWER_NO);
}

static void test_so_many_jobs_wait(void **state)
{
	struct holder_page page = everybody();
	struct job_order o = { .admin = S("ann"),
			       .page = &page,
			       .expect = -1,
			       .what = S("{\"enabled\":true}") };
	struct job_made made;

	make_people();
	page.search = S("u001");
	for (int i = 0; i < LIMIT_JOBS_OPEN; i++)
		make_job("ann", "{\"enabled\":true}", &page);
	assert_refused(job_create(c, &o, &made), NULL, "have not ended");
	make_job("admin0", "{\"enabled\":true}", &page);
	work_to_the_end();
	assert_done(job_create(c, &o, &made));
}

/* ---- who, and until when ---- */

static void test_the_rights_of_the_moment(void **state)
{
	struct holder_page page = everybody();
	int64_t gone, demoted, raised;

	make_people();
	assert_done(admin_create(c, S("bea"),
				 SET("domain=a.test", "role=domain-admin")));
	assert_done(admin_create(c, S("cid"),
				 SET("domain=a.test", "role=delegate")));
	page.search = S("a.test");
	gone = make_job("ann", "{\"enabled\":false}", &page);
	assert_int_equal(jobs_work(worker), ANSWER_YES);
	assert_done(admin_delete(c, S("ann")));
	/* Another one by his name is another one. */
	assert_done(admin_create(c, S("ann"),
				 SET("domain=a.test", "role=domain-admin")));
	demoted = make_job("bea", "{\"enabled\":false}", &page);
	assert_done(admin_set(c, S("bea"), SET("role=delegate")));
	raised = make_job("cid", "{\"enabled\":false}", &page);
	assert_done(admin_set(c, S("cid"), SET("role=domain-admin")));
	work_to_the_end();

	assert_job(gone, JOB_FAILED, 50, 50, 0);
	assert_string_equal(look(gone).why.sentence.p,
			    "ann, who asked for it, is no administrator any "
			    "more.");
	assert_job(demoted, JOB_FAILED, 0, 0, 0);
	assert_string_equal(look(demoted).why.sentence.p,
			    "bea, who asked for it, has fewer rights now.");
	assert_job(raised, JOB_DONE, MANY, MANY - 50, 0);
}

static void see_id(void *text, const struct job *j)
{
	buf_printf(text, "%lld ", (long long)j->id);
}

static void test_whose_jobs(void **state)
{
	struct holder_page page = everybody();
	struct buf text scoped(buf) = BUF_EMPTY;
	struct job j;

	make_people();
	make_job("ann", "{\"enabled\":true}", &page);
	make_job("admin0", "{\"enabled\":true}", &page);
	make_job("ann", "{\"enabled\":true}", &page);
	assert_true(list_jobs(d, S("ann"), 0, 10, see_id, &text));
	buf_add(&text, S("| "));
	assert_true(list_jobs(d, S(""), 3, 10, see_id, &text));
	buf_add_char(&text, '\0');
	assert_string_equal(text.p, "3 1 | 2 1 ");
	assert_int_equal(find_job(d, S("ann"), 2, arena, &j), ANSWER_NO);
	assert_int_equal(find_job(d, S("admin0"), 2, arena, &j), ANSWER_YES);
}

static void test_cancel(void **state)
{
	struct holder_page page = everybody();
	int64_t id, next;

	make_people();
	id = make_job("admin0", "{\"enabled\":false}", &page);
	next = make_job("admin0", "{\"enabled\":true}", &page);
	assert_int_equal(jobs_work(worker), ANSWER_YES);
	assert_done(job_cancel(c, id));
	work_to_the_end();
	assert_job(id, JOB_CANCELLED, 50, 50, 0);
	assert_job(next, JOB_DONE, MANY + 1, 50, 0);
	/* A second word changes nothing. */
	assert_done(job_cancel(c, next));
	assert_int_equal(look(next).state, JOB_DONE);
	assert_not_found(job_cancel(c, 99), NULL, "no such job");
}

/* ---- exactly once ---- */

/* Whoever dies within a chunk leaves it undone, progress and all. */
static void test_a_chunk_is_whole_or_not_at_all(void **state)
{
	struct holder_page page = everybody();
	int64_t id;

	make_people();
	page.search = S("a.test");
	id = make_job("admin0", "{\"mail_system\":\"alternate\"}", &page);
	assert_int_equal(jobs_work(worker), ANSWER_YES);
	assert_true(changes_begin(worker));
	assert_true(job_work(worker, id));
	changes_close(worker); /* nothing is committed */
	assert_job(id, JOB_RUNNING, 50, 50, 0);
	assert_int_equal(logged(), 50);
	worker = changes_open(test_path, "worker");
	work_to_the_end();
	assert_job(id, JOB_DONE, MANY, MANY, 0);
	assert_int_equal(logged(), MANY);
}

static void test_two_workers_take_turns(void **state)
{
	struct holder_page page = everybody();
	struct changes *other = changes_open(test_path, "other");
	int64_t id;

	make_people();
	page.search = S("a.test");
	id = make_job("admin0", "{\"mail_system\":\"alternate\"}", &page);
	while (jobs_work(worker) == ANSWER_YES &&
	       jobs_work(other) == ANSWER_YES)
		;
	assert_int_equal(jobs_work(other), ANSWER_NO);
	changes_close(other);
	assert_job(id, JOB_DONE, MANY, MANY, 0);
	assert_int_equal(logged(), MANY);
}

static void test_between_chunks_others_write(void **state)
{
	struct holder_page page = everybody();
	int64_t id;

	make_people();
	page.search = S("a.test");
	id = make_job("admin0", "{\"mail_system\":\"alternate\"}", &page);
	assert_int_equal(jobs_work(worker), ANSWER_YES);
	assert_done(user_delete(c, user_name(99)));
	assert_done(user_set(c, user_name(98), SET("mail_system=none")));
	work_to_the_end();
	assert_job(id, JOB_DONE, MANY, MANY - 1, 1);
	assert_refusals(id, "100 u099@a.test address: There is no user "
			    "u099@a.test.\n");
}

/* ---- what follows ---- */

static void add_one(void *n, int64_t holder)
{
	assert_true(holder > 0);
	++*(int *)n;
}

static void assert_effects(int64_t id, int64_t without_password,
			   int64_t left_here, int64_t left_elsewhere, int users)
{
	struct job_effects e;
	int n = 0;

	work_to_the_end();
	assert_int_equal(job_effects(d, id, &e), ANSWER_YES);
	assert_int_equal(e.without_password, without_password);
	assert_int_equal(e.left_here, left_here);
	assert_int_equal(e.left_elsewhere, left_elsewhere);
	assert_true(list_changed(d, id, add_one, &n));
	assert_int_equal(n, users);
}

/* Counted are those who are changed: neither who is so already, nor who is
 * refused. */
static void test_effects(void **state)
{
	struct holder_page page = everybody();

	make_people();
	assert_done(system_create(c, S("gw"), SET("hosts=gw.test")));
	assert_done(user_set(c, user_name(7), SET("mail_system=alternate")));
	assert_done(user_set(c, user_name(8), SET("password=long enough")));
	assert_done(user_set(c, user_name(9), SET("mail_system=none")));
	assert_effects(
		make_job("admin0", "{\"mail_system\":\"alternate\"}", &page), 0,
		MANY - 2, 0, MANY - 1);
	assert_effects(make_job("admin0",
				"{\"mail_system\":\"alternate\","
				"\"system\":\"gw\"}",
				&page),
		       0, 1, MANY, MANY + 1);
	assert_effects(
		make_job("admin0", "{\"mail_system\":\"hosted\"}", &page), MANY,
		0, MANY + 1, MANY + 1);
	assert_effects(make_job("admin0", "{\"quota\":5000}", &page), 0, 0, 0,
		       MANY + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(test_a_job_in_chunks),
		JOB_TEST(test_every_type_of_value),
		JOB_TEST(test_effects),
		JOB_TEST(test_addresses_one_by_one),
		JOB_TEST(test_what_was_seen_is_what_is_changed),
		JOB_TEST(test_a_change_that_fits_nobody),
		JOB_TEST(test_so_many_jobs_wait),
		JOB_TEST(test_the_rights_of_the_moment),
		JOB_TEST(test_whose_jobs),
		JOB_TEST(test_cancel),
		JOB_TEST(test_a_chunk_is_whole_or_not_at_all),
		JOB_TEST(test_two_workers_take_turns),
		JOB_TEST(test_between_chunks_others_write),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
