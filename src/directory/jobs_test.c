/* Jobs: in chunks, exactly once, with the rights of the moment. */
#include "base/buf.h"
#include "base/limits.h"
#include "directory/directory_test.h"
#include "directory/jobs.h"
#include "directory/sql.h"

enum { MANY = 120 }; /* three chunks */

static struct changes *worker;

static struct str user_name(int i)
{
	return arena_strf(arena, "u%03d@a.test", i);
}

static void make_people(void)
{
	assert_done(domain_create(c, S("a.test"), SET("relay=b.test")));
	assert_done(domain_create(c, S("z.test"), NOTHING));
	assert_true(changes_begin(c));
	for (int i = 0; i < MANY; i++)
		assert_done(user_create(c, user_name(i), NOTHING));
	assert_done(user_create(c, S("u@z.test"), NOTHING));
	assert_true(changes_end(c));
	assert_done(admin_create(c, S("ann"),
				 SET("domain=a.test", "role=domain-admin")));
	worker = changes_open(test_path, "worker");
	assert_non_null(worker);
}

static int test_end_jobs(void **state)
{
	changes_close(worker);
	worker = NULL;
	return test_end(state);
}

static struct holder_page everybody(void)
{
	return (struct holder_page){ .kinds = 1u << HOLDER_USER,
				     .mail_system = -1,
				     .enabled = -1 };
}

static int64_t make_job(const char *admin, const char *what,
			const struct holder_page *page)
{
	struct job_order o = { .admin = str_of(admin),
			       .what = str_of(what),
			       .page = page,
			       .expect = -1 };
	struct job_made made;

	assert_done(job_create(c, &o, &made));
	return made.id;
}

static struct job look(int64_t id)
{
	struct job j;

	assert_int_equal(find_job(d, S(""), id, arena, &j), ANSWER_YES);
	return j;
}

static void assert_job(int64_t id, enum job_state state, int64_t done,
		       int64_t changed, int64_t refused)
{
	struct job j = look(id);

	assert_int_equal(j.state, state);
	assert_int_equal(j.done, done);
	assert_int_equal(j.changed, changed);
	assert_int_equal(j.refused, refused);
}

static void work_to_the_end(void)
{
	enum answer a;

	while ((a = jobs_work(worker)) == ANSWER_YES)
		;
	assert_int_equal(a, ANSWER_NO);
}

static void count_change(void *n, const struct change_entry *e)
{
	if (str_same(e->field, S("mail_system"))) {
		assert_true(str_same(e->who, S("test")));
		++*(int *)n;
	}
}

/* Every change to a mail system there ever was, by the asker. */
static int logged(void)
{
	struct change_page page = { .limit = 10000 };
	int n = 0;

	assert_true(list_changes(d, &page, count_change, &n));
	return n;
}

static void see_refusal(void *text, const struct job_refusal *e)
{
	buf_printf(text, "%lld %.*s %.*s: %.*s\n", (long long)e->n,
		   STR(e->address), STR(e->field), STR(e->why.sentence));
}

static void assert_refusals(int64_t id, const char *want)
{
	struct buf text scoped(buf) = BUF_EMPTY;

	assert_true(list_refusals(d, id, 0, 100, see_refusal, &text));
	buf_add_char(&text, '\0');
	assert_string_equal(text.p, want);
}

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

	/* u@z.test has no relay, u007 was there already. */
	assert_job(id, JOB_DONE, MANY + 1, MANY - 1, 1);
	j = look(id);
	assert_true(j.ended_s >= j.started_s && j.started_s >= j.created_s);
	assert_int_equal(j.total, MANY + 1);
	assert_true(str_same(j.admin, S("admin0")));
	assert_refusals(id, "121 u@z.test mail_system: The domain of u@z.test "
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
				    S("u@z.test"),
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
			"3 u@z.test address: There is no user u@z.test.\n"
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
	assert_true(str_same(mail_system_of(user_name(user)),
			     str_of(mail_system)));
}

static void test_put_back_exactly_what_was_changed(void **state)
{
	struct holder_page page = everybody();
	struct job_made back, again;
	int64_t id;

	make_people();
	assert_done(system_create(c, S("third"), SET("hosts=c.test")));
	assert_done(user_set(c, user_name(1), SET("mail_system=none",
						  "quota=1G")));
	assert_done(user_set(c, user_name(2), SET("mail_system=alternate",
						  "system=third")));
	page.search = S("a.test");
	id = make_job("admin0", "{\"mail_system\":\"alternate\","
				"\"system\":\"third\",\"quota\":0}", &page);
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
	struct sql *s = sql_open(test_path, SQL_WRITE);

	assert_true(sql_run(s,
			    "UPDATE job SET ended_at = ended_at - ? * 3600 "
			    "WHERE state >= 2", "i", hours));
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
	struct sql *s = sql_open(test_path, SQL_WRITE);
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

#define JOB_TEST(f)                                                            \
	cmocka_unit_test_setup_teardown(f, test_begin, test_end_jobs)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOB_TEST(test_a_job_in_chunks),
		JOB_TEST(test_every_type_of_value),
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
