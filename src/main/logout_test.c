/* Who is put out, and who is left alone.  Clock, outbox, Dovecot and its
 * sessions are this file's. */
#include "base/test.h"

#include "main/logout.h"
#include "rt/log.h"
#include "rt/process.h"

enum { DOVECOT = 7, MANY = 200 };

/* ---- the world ---- */

static int64_t clock_ms;

static struct {
	const char *login;
	int64_t began_ms;
	bool is_ended;
} sessions[MANY];
static size_t n_sessions;

static struct {
	const char *login;
	bool is_struck;
} rows[MANY];
static size_t n_rows; /* an entry's id is its place, from 1 on */
static bool outbox_is_broken, outbox_is_full, dovecot_is_deaf;
static const char *heading, *address; /* of Dovecot's answer */

#define HEADING_23 "username\tproto\tpid\tip\n"
#define HEADING_24 "username\tservice\tpid\tip\tdest_ip\n"

int64_t now_ms(void)
{
	return clock_ms;
}

void log_fact(const char *part, const char *format, ...)
{
}

bool process_run(const struct process_plan *plan, size_t most,
		 int64_t deadline_ms, struct buf *said, int *status)
{
	buf_add(said, str_of(heading));
	for (size_t i = 0; i < n_sessions; i++)
		if (!sessions[i].is_ended)
			buf_printf(said, "%s\timap\t%zu\t%s\n",
				   sessions[i].login, i + 1, address);
	*status = dovecot_is_deaf ? 1 : 0;
	return true;
}

int64_t process_age_ms(int id)
{
	return clock_ms - sessions[id - 1].began_ms;
}

bool process_signal_member(int group, int id, int signal)
{
	assert_int_equal(group, DOVECOT);
	assert_int_equal(signal, SIGTERM);
	sessions[id - 1].is_ended = true;
	return true;
}

bool outbox_newest(struct outbox *o, int64_t *id)
{
	*id = (int64_t)n_rows;
	return !outbox_is_broken || fail("broken");
}

bool outbox_each(struct outbox *o, int64_t after, int64_t upto,
		 void (*each)(void *arg, struct str login), void *arg)
{
	for (int64_t id = after + 1; id <= upto; id++)
		if (!rows[id - 1].is_struck)
			each(arg, str_of(rows[id - 1].login));
	return true;
}

bool outbox_strike_out(struct outbox *o, int64_t upto)
{
	for (int64_t id = 1; id <= upto && !outbox_is_full; id++)
		rows[id - 1].is_struck = true;
	return !outbox_is_full || fail("disk full");
}

/* ---- what happens ---- */

static struct logout logout;

/* The supervisor looks four times a second. */
static void pass_to(int64_t second)
{
	for (; clock_ms < second * 1000; clock_ms += 250)
		if (!logout_look(&logout, DOVECOT))
			assert_true(outbox_is_broken || outbox_is_full ||
				    dovecot_is_deaf);
}

static void change(const char *login)
{
	rows[n_rows++].login = login;
}

static size_t logs_in(const char *login)
{
	sessions[n_sessions].login = login;
	sessions[n_sessions].began_ms = clock_ms;
	return n_sessions++;
}

static bool is_ended(size_t session)
{
	return sessions[session].is_ended;
}

static bool is_struck(size_t id)
{
	return rows[id - 1].is_struck;
}

static int start(void **unused)
{
	static const char *const who[] = { "doveadm", NULL };

	clock_ms = 0;
	heading = HEADING_23;
	address = "127.0.0.1";
	memset(sessions, 0, sizeof(sessions));
	memset(rows, 0, sizeof(rows));
	n_sessions = n_rows = 0;
	outbox_is_broken = outbox_is_full = dovecot_is_deaf = false;
	logout = (struct logout){ .who = who };
	return 0;
}

/* ---- tests ---- */

static void test_of_those_named_all_sessions_end_and_no_other(void **unused)
{
	size_t one = logs_in("a"), two = logs_in("a"), other = logs_in("a*");

	pass_to(1);
	change("a");
	pass_to(2);
	assert_true(is_ended(one) && is_ended(two));
	assert_false(is_ended(other));
	assert_false(is_struck(1));
	pass_to(12);
	assert_true(is_struck(1));
	assert_false(is_ended(other));
	assert_int_equal(logout.n_marks, 0);
}

static void test_dovecot_24_is_understood(void **unused)
{
	size_t one = logs_in("a"), other = logs_in("b");

	heading = HEADING_24;
	address = "127.0.0.1\t127.0.0.2";
	change("a");
	pass_to(1);
	assert_true(is_ended(one));
	assert_false(is_ended(other));
}

static void test_another_answer_ends_nobody(void **unused)
{
	size_t one = logs_in("a");

	heading = "username\tpid\tip\n";
	change("a");
	assert_false(logout_look(&logout, DOVECOT));
	assert_false(is_ended(one));
}

static void test_who_was_just_coming_in_is_found_later(void **unused)
{
	size_t late;

	change("a");
	pass_to(1);
	late = logs_in("a");
	sessions[late].began_ms = 0;
	pass_to(10);
	assert_false(is_ended(late));
	pass_to(11);
	assert_true(is_ended(late));
}

static void test_each_of_many_changes_has_a_time_of_its_own(void **unused)
{
	size_t proper, late;

	change("x");
	pass_to(1);
	change("a");
	pass_to(3);
	proper = logs_in("a"); /* with the new password */
	late = logs_in("a");   /* was let in before the change */
	sessions[late].began_ms = 1500;
	pass_to(9);
	change("y");
	pass_to(10);
	assert_false(is_struck(1));
	pass_to(11);
	assert_true(is_struck(1));
	assert_false(is_struck(2) || is_ended(late));
	pass_to(12); /* ten seconds after its first look */
	assert_true(is_struck(2) && is_ended(late));
	pass_to(19);
	assert_false(is_struck(3));
	pass_to(20);
	assert_true(is_struck(3));
	assert_false(is_ended(proper));
}

static void test_changes_without_a_pause(void **unused)
{
	size_t proper;

	change("a");
	pass_to(2);
	proper = logs_in("a");
	for (int64_t second = 2; second < 40; second++) {
		change("b");
		pass_to(second + 1);
	}
	assert_false(is_ended(proper));
	assert_true(is_struck(28));
	assert_false(is_struck(31));
	pass_to(52);
	assert_true(is_struck(n_rows));
}

static void test_what_cannot_be_struck_out_fills_nothing(void **unused)
{
	size_t proper, old;

	change("a");
	pass_to(2);
	proper = logs_in("a");
	outbox_is_full = true;
	for (int64_t second = 2; second < 2 + 2 * LOGOUT_MARKS; second++) {
		change("b");
		pass_to(second + 1);
	}
	old = logs_in("c");
	change("c");
	pass_to(clock_ms / 1000 + 1);
	assert_true(is_ended(old));
	assert_false(is_ended(proper));
	assert_int_equal(logout.n_marks, LOGOUT_MARKS);
	outbox_is_full = false;
	pass_to(clock_ms / 1000 + 12);
	assert_true(is_struck(n_rows));
	assert_false(is_ended(proper));
	assert_int_equal(logout.n_marks, 0);
}

static void test_what_cannot_be_asked_waits(void **unused)
{
	size_t alice = logs_in("a");

	dovecot_is_deaf = true;
	change("a");
	pass_to(30);
	assert_false(is_ended(alice) || is_struck(1));
	dovecot_is_deaf = false;
	outbox_is_broken = true;
	pass_to(60);
	assert_false(is_ended(alice) || is_struck(1));
	outbox_is_broken = false;
	pass_to(61);
	assert_true(is_ended(alice));
	assert_false(is_struck(1));
	pass_to(71);
	assert_true(is_struck(1));
}

int main(void)
{
#define LOGOUT(name) cmocka_unit_test_setup(name, start)
	const struct CMUnitTest tests[] = {
		LOGOUT(test_of_those_named_all_sessions_end_and_no_other),
		LOGOUT(test_dovecot_24_is_understood),
		LOGOUT(test_another_answer_ends_nobody),
		LOGOUT(test_who_was_just_coming_in_is_found_later),
		LOGOUT(test_each_of_many_changes_has_a_time_of_its_own),
		LOGOUT(test_changes_without_a_pause),
		LOGOUT(test_what_cannot_be_struck_out_fills_nothing),
		LOGOUT(test_what_cannot_be_asked_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
