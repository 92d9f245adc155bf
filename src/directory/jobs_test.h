/*
 * For the tests of jobs: MANY users, and a worker.
 */
#ifndef DIRECTORY_JOBS_TEST_H
#define DIRECTORY_JOBS_TEST_H

#include "base/buf.h"
#include "base/limits.h"
#include "directory/directory_test.h"
#include "directory/jobs.h"

enum { MANY = 120 }; /* three chunks */

static struct changes *worker;

static inline struct str user_name(int i)
{
	return arena_strf(arena, "u%03d@a.test", i);
}

static inline void make_people(void)
{
	assert_done(domain_create(c, S("a.test"), SET("relay=b.test")));
	assert_done(domain_create(c, S("z.test"), NOTHING));
	assert_true(changes_begin(c));
	for (int i = 0; i < MANY; i++)
		assert_done(user_create(c, user_name(i), NOTHING));
	assert_done(user_create(c, S("v@z.test"), NOTHING));
	assert_true(changes_end(c));
	assert_done(admin_create(c, S("ann"),
				 SET("domain=a.test", "role=domain-admin")));
	worker = changes_open(test_path, "worker");
	assert_non_null(worker);
}

static inline int test_end_jobs(void **state)
{
	changes_close(worker);
	worker = NULL;
	return test_end(state);
}

static inline struct holder_page everybody(void)
{
	return (struct holder_page){ .kinds = 1u << HOLDER_USER,
				     .mail_system = -1,
				     .enabled = -1 };
}

static inline int64_t make_job(const char *admin, const char *what,
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

static inline struct job look(int64_t id)
{
	struct job j;

	assert_int_equal(find_job(d, S(""), id, arena, &j), ANSWER_YES);
	return j;
}

static inline void assert_job(int64_t id, enum job_state state, int64_t done,
			      int64_t changed, int64_t refused)
{
	struct job j = look(id);

	assert_int_equal(j.state, state);
	assert_int_equal(j.done, done);
	assert_int_equal(j.changed, changed);
	assert_int_equal(j.refused, refused);
}

static inline void work_to_the_end(void)
{
	enum answer a;

	while ((a = jobs_work(worker)) == ANSWER_YES)
		;
	assert_int_equal(a, ANSWER_NO);
}

static inline void count_change(void *n, const struct change_entry *e)
{
	if (str_same(e->field, S("mail_system"))) {
		assert_true(str_same(e->who, S("test")));
		++*(int *)n;
	}
}

/* Every change to a mail system there ever was, by the asker. */
static inline int logged(void)
{
	struct change_page page = { .limit = 10000 };
	int n = 0;

	assert_true(list_changes(d, &page, count_change, &n));
	return n;
}

static inline void see_refusal(void *text, const struct job_refusal *e)
{
	buf_printf(text, "%lld %.*s %.*s: %.*s\n", (long long)e->n,
		   STR(e->address), STR(e->field), STR(e->why.sentence));
}

static inline void assert_refusals(int64_t id, const char *want)
{
	struct buf text scoped(buf) = BUF_EMPTY;

	assert_true(list_refusals(d, id, 0, 100, see_refusal, &text));
	buf_add_char(&text, '\0');
	assert_string_equal(text.p, want);
}

#define JOB_TEST(f) \
	cmocka_unit_test_setup_teardown(f, test_begin, test_end_jobs)

#endif
