/*
 * The queue's turn: what is tried again, when, and for whom; and the end of it.
 */
#include <stdio.h>

#include "base/test.h"
#include "deliver/deliver_test_world.h"
#include "deliver/hop_state.h"
#include "deliver/retry.h"
#include "queue/tools.h"
#include "rt/board.h"
#include "rt/ledger.h"
#include "rt/log.h"

enum { REASON_BYTES = 100 };

static void retry_times(void **state)
{
	struct deliver_settings s = { .retry_min_s = 300, .retry_max_s = 4000 };

	assert_int_equal(retry_time(&s, false, 0, 1000), 1000 + 300000);
	assert_int_equal(retry_time(&s, false, 0, 600000), 600000 + 600000);
	assert_int_equal(retry_time(&s, false, 0, 9000000), 9000000 + 4000000);
	assert_int_equal(retry_time(&s, false, 5000, 0), 300000);
	assert_int_equal(retry_time(&s, true, 0, 1000), 1000 + 5000);
	assert_int_equal(retry_time(&s, true, 0, 40000), 40000 + 40000);
	assert_int_equal(retry_time(&s, true, 0, 900000), 900000 + 300000);
	/* it is broken for good: no more often than others, in the end */
	assert_int_equal(retry_time(&s, true, 0, 4000000), 4000000 + 1000000);
	assert_int_equal(retry_time(&s, true, 0, 90000000), 90000000 + 4000000);
	s.retry_min_s = 1;
	assert_int_equal(retry_time(&s, true, 0, 0), 1000);
}

static void waits_while_it_is_down(struct world *w)
{
	w->a.greeting = "421 not now";
	scheduler_begin(w);
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	says(w, submit(w, "s@x.test", "eve@a.test"), "250 2.0.0 Ok: queued");
	fiber_sleep(after_ms(1500));
	w->a.greeting = NULL;
	wait_for(w, w->a.n_mails == 2);
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

/* The text of the first recipient of the only message there is. */
static void note_reason(void *to, const struct message *m)
{
	const struct recipient *r = &m->recipients[0];

	snprintf(to, REASON_BYTES, "%s %.*s", r->held ? "held" : "waits",
		 STR(r->reply.text));
}

/* Quarantine: nobody is given it before somebody says so. */
static void what_is_held_waits_for_its_release(struct world *w)
{
	struct queue_filter all = { .id = S("") };
	char reason[REASON_BYTES] = "";
	struct tools *t;
	uint64_t n;

	w->hold_why = "the filter rspamd says: spam";
	scheduler_begin(w);
	says(w, submit(w, "s@x.test", "bob@a.test x@b.test"),
	     "250 2.0.0 Ok: queued");
	fiber_sleep(after_ms(1500));
	wrong_unless(w, w->a.n_mails == 0 && w->b.n_mails == 0);
	wrong_unless(w, queued(w, NULL, 0) == 0);
	t = tools_open(w->folder);
	wrong_unless(w, t && tools_list(t, &all, note_reason, reason));
	wrong_unless(w, !strcmp(reason, "held the filter rspamd says: spam"));
	wrong_unless(w, t && tools_order(t, ORDER_RELEASE, &all, &n) && n == 2);
	tools_close(t);
	wait_for(w, w->a.n_mails == 1 && w->b.n_mails == 1);
	wrong_unless(w, is_content(&w->a, CONTENT));
}

static void time_runs_out(struct world *w)
{
	w->settings.expiry_s = 1;
	w->a.rcpt = "451 4.7.1 greylisted";
	scheduler_begin(w);
	says(w, submit(w, "s@b.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wait_for(w, w->b.n_mails == 1);
	wrong_unless(w, contains(&w->b, "Action: failed\r\n"));
	wrong_unless(w, contains(&w->b, "451 4.7.1 greylisted"));
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

static void delay_is_told_once(struct world *w)
{
	w->settings.delay_warning_s = 1;
	w->a.rcpt = "451 4.7.1 greylisted";
	scheduler_begin(w);
	says(w, submit(w, "s@b.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wait_for(w, w->b.n_mails == 1);
	wrong_unless(w, contains(&w->b, "Action: delayed\r\n"));
	fiber_sleep(after_ms(2500));
	wrong_unless(w, w->b.n_mails == 1);
}

/* What waits for it does not wait for its own time. */
static void mailboxes_that_are_back_get_theirs(struct world *w)
{
	w->settings.retry_min_s = w->settings.retry_max_s = 300;
	w->settings.down = board_open(10);
	w->box.greeting = "421 4.3.2 not now";
	for (int i = 0; i < 3; i++)
		says(w, submit(w, "s@x.test", "bob@box.test"),
		     "250 2.0.0 Ok: queued");
	w->box.greeting = NULL;
	scheduler_begin(w);
	wait_for(w, w->box.n_mails == 3);
	wait_for(w, deliver_busy(w->deliver) == 0);
	board_close(w->settings.down);
	w->settings.down = NULL;
}

/* The engine has ended meanwhile, and what it knew of A with it. */
static void who_was_down_before_the_start(struct world *w)
{
	w->settings.retry_min_s = w->settings.retry_max_s = 300;
	w->a.greeting = "421 4.3.2 not now";
	for (int i = 0; i < 3; i++)
		says(w, submit(w, "s@x.test", "bob@a.test"),
		     "250 2.0.0 Ok: queued");
	w->a.greeting = NULL;
	hops_close(w->deliver);
	w->settings.down = board_open(10);
	scheduler_begin(w);
	wait_for(w, w->a.n_mails == 3);
	wait_for(w, deliver_busy(w->deliver) == 0);
	board_close(w->settings.down);
	w->settings.down = NULL;
}

static int due_within(struct world *w, int64_t ms)
{
	struct claim_wish wish = { .now_ms = queue_now(w->queue) + ms,
				   .max = 10,
				   .room = 10,
				   .most_ms = 1000000 };
	struct message *m[10];
	int64_t next;
	size_t n;

	check(queue_claim(w->queue, &wish, m, &n, &next));
	for (size_t i = 0; i < n; i++) {
		queue_release(w->queue, m[i]);
		message_drop(m[i]);
	}
	return (int)n;
}

/* ...nor for long, when Dovecot has put off just one of them. */
static void mailboxes_are_soon_well(struct world *w)
{
	w->settings.retry_min_s = w->settings.retry_max_s = 300;
	w->box.final = "451 4.2.0 internal error";
	says(w, submit(w, "s@x.test", "bob@box.test"), "250 2.0.0 Ok: queued");
	w->a.final = "451 4.2.0 internal error";
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	w->box.final = NULL;
	says(w, submit(w, "s@x.test", "full@box.test eve@box.test"),
	     "250 2.0.0 Ok: queued");
	wrong_unless(w, due_within(w, 6000) == 1);
	wrong_unless(w, due_within(w, 290000) == 1);
	wrong_unless(w, due_within(w, 310000) == 3);
}

struct crowd {
	struct world *w;
	int left;
};

static void one_for_both(void *crowd)
{
	struct crowd *c = crowd;

	says(c->w, submit(c->w, "s@x.test", "bob@a.test bob@b.test"),
	     "250 2.0.0 Ok: queued");
	c->left--;
}

/* It came back while its message, which has a part for another, was not in the
 * queue yet. */
static void back_before_it_is_kept(struct world *w)
{
	struct crowd c = { w, 1 };

	w->settings.retry_min_s = w->settings.retry_max_s = 300;
	w->settings.down = board_open(10);
	w->a.script[0] = "X";
	w->b.final = "451 4.2.0 later";
	w->b.final_ms = LONG_MS;
	check(fiber_start("both", one_for_both, &c));
	wait_for(w, w->a.connections == 1);
	fiber_yield();
	says(w, submit(w, "s@x.test", "eve@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, c.left == 1);
	w->b.final_ms = 0;
	wait_for(w, c.left == 0);
	wrong_unless(w, due_within(w, 1000) == 1);
	wait_for(w, deliver_busy(w->deliver) == 0);
	board_close(w->settings.down);
	w->settings.down = NULL;
}

enum { CROWD = 21 }; /* more than there are connections */

static void one_of_many(void *crowd)
{
	struct crowd *c = crowd;

	says(c->w, submit(c->w, "s@x.test", "bob@box.test"), "250");
	c->left--;
}

static int state_of_mailboxes(struct world *w)
{
	struct arena *a scoped(arena) = arena_open();
	size_t n;
	struct ledger_row *rows = ledger_copy(w->settings.systems, a, &n);

	return n ? rows[0].state : SYSTEM_UNTRIED;
}

/* Who waits in vain for a connection knows nothing of it. */
static void crowd_says_nothing_of_the_mailboxes(struct world *w)
{
	struct crowd c = { w, CROWD };

	w->settings.systems = ledger_open(10);
	w->settings.reply_ms = 1000;
	w->settings.handover_ms = 20000;
	w->box.final_ms = 3000;
	for (int i = 0; i < CROWD; i++)
		check(fiber_start("one", one_of_many, &c));
	wait_for(w, c.left < CROWD);
	wrong_unless(w, state_of_mailboxes(w) == SYSTEM_UNTRIED);
	wait_for(w, c.left == 0);
	wrong_unless(w, state_of_mailboxes(w) == SYSTEM_UP);
	wait_for(w, deliver_busy(w->deliver) == 0);
	ledger_close(w->settings.systems);
	w->settings.systems = NULL;
}

enum { MANY = 25 }; /* more than the queue gives a next hop at once */

/* Each message has a part for A and one for B, which takes its time. */
static void room_at_one_is_used_while_the_other_is_slow(struct world *w)
{
	char both[100];

	w->a.rcpt = w->b.rcpt = "451 4.7.1 greylisted";
	for (int i = 0; i < MANY; i++) {
		snprintf(both, sizeof both, "r%d@a.test r%d@b.test", i, i);
		says(w, submit(w, "s@x.test", both), "250 2.0.0 Ok: queued");
	}
	w->a.rcpt = w->b.rcpt = NULL;
	w->b.rcpt_ms = LONG_MS;
	scheduler_begin(w);
	wait_for(w, w->a.n_mails == MANY);
	wrong_unless(w, w->b.n_mails == 0);
	w->b.rcpt_ms = 0;
}

static uint64_t commits(struct world *w)
{
	uint64_t n, kept;

	queue_counts(w->queue, &n, &kept);
	return n;
}

/* They wait by their own domain, and go to that of somebody who stands for them:
 * who has no room for more leaves them in peace. */
static void what_has_no_room_is_left_in_peace(struct world *w)
{
	uint64_t before;

	w->b.rcpt = "451 4.7.1 greylisted";
	for (int i = 0; i < MANY; i++)
		says(w, submit(w, "s@x.test", "stand-in@box.test"),
		     "250 2.0.0 Ok: queued");
	w->b.rcpt = NULL;
	w->b.rcpt_ms = 3000;
	scheduler_begin(w);
	fiber_sleep(after_ms(1000));
	before = commits(w);
	fiber_sleep(after_ms(1500));
	wrong_unless(w, commits(w) - before < 10);
	w->b.rcpt_ms = 0;
}

/* One mailbox that says nothing does not keep it from being written that another
 * has the message: a crash would deliver it there again. */
static void who_has_it_is_written_while_another_is_silent(struct world *w)
{
	char left[100];
	uint64_t before;

	w->settings.down = board_open(10);
	w->box.greeting = "421 4.3.2 not now";
	says(w, submit(w, "s@x.test", "al@box.test bob@box.test"),
	     "250 2.0.0 Ok: queued");
	w->box.greeting = NULL;
	w->box.script[w->box.connections] =
		"S220 box\nC\nS250 box\nC\nS250\nC\nS250\nC\nS250\nC\n"
		"S354\nD\nS250 2.0.0 he has it";
	scheduler_begin(w);
	wait_for(w, w->box.n_mails == 1);
	before = commits(w);
	wait_for(w, commits(w) > before);
	wrong_unless(w, deliver_busy(w->deliver) == 1);
	deliver_drain(w->deliver, after_ms(200));
	wrong_unless(w, queued(w, left, sizeof left) == 1);
	wrong_unless(w, strcmp(left, "bob@box.test") == 0);
	board_close(w->settings.down);
	w->settings.down = NULL;
}

/* ---- the end ---- */

static void stopping_keeps_it(struct world *w)
{
	w->settings.handover_ms = 100;
	w->a.final_ms = 1500;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	deliver_drain(w->deliver, after_ms(200));
	wrong_unless(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, queued(w, NULL, 0) == 1);
}

static void stopping_begins_nothing(struct world *w)
{
	w->settings.handover_ms = 100;
	w->a.caps = "PIPELINING LIMITS+RCPTMAX=1";
	w->a.final_ms = 1500;
	says(w, submit(w, "s@x.test", "bob@a.test eve@a.test"),
	     "250 2.0.0 Ok: queued");
	deliver_drain(w->deliver, after_ms(10000));
	wrong_unless(w, w->a.n_mails == 1);
	wrong_unless(w, queued(w, NULL, 0) == 1);
}

/* What waits for room on the disk, longer each time, is written at once. */
static void stopping_wakes_who_waits_for_the_disk(struct world *w)
{
	int64_t stop_ms;

	w->settings.handover_ms = 100;
	w->a.final_ms = 400;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	world_disk_is_full(true);
	wait_for(w, w->a.n_mails == 1);
	fiber_sleep(after_ms(3500)); /* tried thrice, then in four seconds */
	wrong_unless(w, deliver_busy(w->deliver) == 1);
	world_disk_is_full(false);
	stop_ms = now_ms();
	deliver_stop(w->deliver);
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, now_ms() - stop_ms < 3000);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

/* clang-format off */
#define TESTS(T) \
	T(waits_while_it_is_down) \
	T(what_is_held_waits_for_its_release) T(who_was_down_before_the_start) \
	T(time_runs_out) T(delay_is_told_once) \
	T(back_before_it_is_kept) \
	T(mailboxes_that_are_back_get_theirs) T(mailboxes_are_soon_well) \
	T(crowd_says_nothing_of_the_mailboxes) \
	T(room_at_one_is_used_while_the_other_is_slow) \
	T(what_has_no_room_is_left_in_peace) \
	T(who_has_it_is_written_while_another_is_silent) T(stopping_keeps_it) \
	T(stopping_begins_nothing) \
	T(stopping_wakes_who_waits_for_the_disk)
/* clang-format on */

TESTS(WORLD_TEST_RUN)

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(retry_times),
					    TESTS(WORLD_TEST_ENTRY) };

	log_open("here.test");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
