/*
 * Answers that are late, lost, out of step, or about one recipient of several:
 * nobody gets it twice, and nobody has to wait for another.
 */
#include <stdio.h>

#include "base/test.h"
#include "deliver/deliver_test_world.h"
#include "deliver/first_mails.h"
#include "rt/log.h"

/* In the queue, attempted or not. */
static size_t waits_for(struct world *w)
{
	struct arena *a scoped(arena) = arena_open();
	struct waiting list[10];
	size_t n = 0;

	wrong_unless(w, queue_look(w->queue, S(""), 0, 0, a, list,
				   array_size(list), &n));
	return n;
}

/* ---- slow, lost, out of step ---- */

static void late_answer_is_not_repeated(struct world *w)
{
	w->settings.handover_ms = 200;
	w->a.final_ms = LONG_MS;
	scheduler_begin(w);
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.n_mails == 0 && deliver_busy(w->deliver) == 1);
	fiber_sleep(after_ms(2000)); /* longer than until the first retry */
	w->a.final_ms = 0;
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, w->a.n_mails == 1);
	wrong_unless(w, queued(w, NULL, 0) == 0);
	fiber_sleep(after_ms(1500));
	wrong_unless(w, w->a.n_mails == 1);
}

/* A crash while one of them crawls gives it to none of the others again. */
static void done_leaves_the_queue(struct world *w)
{
	w->settings.handover_ms = 200;
	w->a.final_ms = LONG_MS;
	w->b.final_ms = 400;
	says(w, submit(w, "s@x.test", "bob@a.test x@b.test y@b.test"),
	     "250 2.0.0 Ok: queued");
	wrong_unless(w, waits_for(w) == 3);
	wait_for(w, waits_for(w) == 1);
	wrong_unless(w, w->b.n_mails == 1 && w->a.n_mails == 0);
	w->a.final_ms = 0;
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, waits_for(w) == 0);
	wrong_unless(w, w->a.n_mails == 1 && w->b.n_mails == 1);
}

/* ...and what there is to tell is told: the rows go with the DSNs. */
static void part_is_told(struct world *w)
{
	w->settings.handover_ms = 200;
	w->settings.retry_min_s = w->settings.retry_max_s = 300;
	w->a.final_ms = 4500;
	w->b.rcpt_ms = 150;
	scheduler_begin(w);
	says(w,
	     submit(w, "s@box.test",
		    "bob@a.test no@b.test busy@b.test x@b.test"),
	     "250 2.0.0 Ok: queued");
	wrong_unless(w, waits_for(w) == 4);
	wait_for(w, w->box.n_mails == 1);
	wrong_unless(w, w->b.n_mails == 1 && w->a.n_mails == 0);
	wrong_unless(w, contains(&w->box, "rfc822; no@b.test\r\n"));
	wait_for(w, waits_for(w) == 2);
	wrong_unless(w, w->a.n_mails == 0);
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, w->a.n_mails == 1 && w->box.n_mails == 1);
	wrong_unless(w, waits_for(w) == 1);
}

static void success_is_told_at_once(struct world *w)
{
	w->settings.handover_ms = 200;
	w->a.final_ms = 4000;
	w->b.final_ms = 400;
	w->notify = NOTIFY_SUCCESS;
	scheduler_begin(w);
	says(w, submit(w, "s@box.test", "bob@a.test x@b.test"),
	     "250 2.0.0 Ok: queued");
	wait_for(w, w->box.n_mails == 1);
	wrong_unless(w, w->a.n_mails == 0 && w->b.n_mails == 1);
	wait_for(w, w->box.n_mails == 2);
	wrong_unless(w, w->a.n_mails == 1);
	wait_for(w, waits_for(w) == 0);
}

static void late_refusal_makes_a_dsn(struct world *w)
{
	w->settings.handover_ms = 100;
	w->a.final_ms = 300;
	w->a.final = "550 5.7.1 no";
	scheduler_begin(w);
	says(w, submit(w, "s@b.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wait_for(w, w->b.n_mails == 1);
	wrong_unless(w, contains(&w->b, "Status: 5.7.1\r\n"));
}

/* What was told when the client was answered is not told again at the end. */
static void refusal_is_told_once(struct world *w)
{
	w->settings.handover_ms = 200;
	w->a.final_ms = 500;
	w->b.rcpt = "550 5.1.1 no such user";
	says(w, submit(w, "s@box.test", "bob@a.test x@b.test"),
	     "250 2.0.0 Ok: queued");
	scheduler_begin(w);
	wait_for(w, w->box.n_mails == 1);
	wait_for(w, w->a.n_mails == 1);
	wait_for(w, deliver_busy(w->deliver) == 0);
	fiber_sleep(after_ms(700));
	wrong_unless(w, w->box.n_mails == 1);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

static void no_room_on_the_disk(struct world *w)
{
	world_disk_is_full(true);
	w->settings.handover_ms = 100;
	w->a.final_ms = 300;
	/* Cannot be kept meanwhile, so the client waits for the outcome. */
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	says(w, submit(w, "s@x.test", "busy@a.test"), "45");
	says(w, submit(w, "s@b.test", "bob@a.test nobody@a.test"), "45");
	w->asker = ASKER_USER;
	says(w, submit(w, "s@x.test", "bob@net.test"), "45");
	wrong_unless(w, w->b.n_mails == 0);
	world_disk_is_full(false);
	says(w, submit(w, "s@x.test", "bob@net.test"), "250 2.0.0 Ok: queued");
	wait_for(w, w->b.n_mails == 1);
	wait_for(w, deliver_busy(w->deliver) == 0);
}

struct crowd {
	struct world *w;
	int left;
};

static void one_of_many(void *arg)
{
	struct crowd *c = arg;

	says(c->w, submit(c->w, "s@x.test", "bob@a.test"),
	     "250 2.0.0 Ok: handed");
	c->left--;
}

static void crowd_shares_connections(struct world *w)
{
	struct crowd c = { w, 50 };

	w->a.final_ms = 50;
	for (int i = 0; i < 50; i++)
		check(fiber_start("one", one_of_many, &c));
	wait_for(w, c.left == 0);
	wrong_unless(w, w->a.n_mails == 50);
	wrong_unless(w, w->a.connections == LIMIT_PER_HOP);
}

static void one_with_a_mailbox(void *arg)
{
	struct crowd *c = arg;

	says(c->w, submit(c->w, "s@x.test", "alice@box.test"),
	     "250 2.0.0 Ok: handed");
	c->left--;
}

/* Dovecot's processes are as many as the cores keep busy. */
static void crowd_for_the_mailboxes(struct world *w)
{
	struct crowd c = { w, 50 };

	w->box.final_ms = 50;
	for (int i = 0; i < 50; i++)
		check(fiber_start("one", one_with_a_mailbox, &c));
	wait_for(w, c.left == 0);
	wrong_unless(w, w->box.n_mails == 50);
	wrong_unless(w, w->box.connections == LIMIT_MAILBOXES_AT_ONCE);
}

/* It makes the mailbox; a first one that was put off has made none. */
static void first_mail_goes_alone(struct world *w)
{
	struct crowd c = { w, 10 };

	w->settings.first_mails = first_mails_open(5);
	w->box.makes_mailbox = true;
	w->box.final_ms = 50;
	w->box.final = "451 4.2.0 not yet";
	for (int i = 0; i < 2; i++)
		says(w, submit(w, "s@x.test", "alice@box.test"), "250");
	w->box.final = NULL;
	for (int i = 0; i < 10; i++)
		check(fiber_start("one", one_with_a_mailbox, &c));
	wait_for(w, c.left == 0);
	wrong_unless(w, w->box.n_mails == 10);
	wrong_unless(w, w->box.connections > 1);
	says(w,
	     submit(w, "s@x.test",
		    "full@box.test busy@box.test no@box.test"
		    " bob@box.test alice@box.test"),
	     "250");
	wrong_unless(w, w->box.n_mails == 11);
	first_mails_close(w->settings.first_mails);
	w->settings.first_mails = NULL;
}

static void one_who_is_kept(void *arg)
{
	struct crowd *c = arg;

	says(c->w, submit(c->w, "s@x.test", "bob@a.test"),
	     "250 2.0.0 Ok: queued");
	c->left--;
}

/* None is served, and they come one after the other: that is found out by the
 * first of them, and no two wait for each other. */
static void crowd_at_a_closed_door(struct world *w)
{
	struct crowd c = { w, 6 };

	w->a.greeting = "421 4.3.2 closed for lunch";
	w->a.greeting_ms = 1000;
	for (int i = 0; i < 6; i++) {
		check(fiber_start("one", one_who_is_kept, &c));
		fiber_sleep(after_ms(15));
	}
	wait_for(w, c.left == 0 && deliver_busy(w->deliver) == 0);
	wrong_unless(w, w->a.connections <= 3);
	wrong_unless(w, queued(w, NULL, 0) == 6);
}

/* ---- one recipient of several ---- */

static void gets_it(struct world *w, const char *recipients)
{
	says(w, submit(w, "s@x.test", recipients), "250");
}

/* Whatever NAME is told, whether or not the host is believed to take one
 * recipient at a time by now: the others get the mail, and get it now. */
static void one_holds_up_nobody(struct world *w, const char *name)
{
	char all[100];

	for (int i = 0; i < 2; i++) {
		snprintf(all, sizeof all, "bob@a.test %s@a.test eve@a.test",
			 name);
		gets_it(w, all);
		snprintf(all, sizeof all, "%s@a.test bob@a.test eve@a.test",
			 name);
		gets_it(w, all);
		snprintf(all, sizeof all, "bob@a.test eve@a.test %s@a.test",
			 name);
		gets_it(w, all);
	}
	wrong_unless(w, said_to(&w->a, "<bob@a.test>") == 6);
	wrong_unless(w, said_to(&w->a, "<eve@a.test>") == 6);
	wrong_unless(w, queued(w, all, sizeof all) == 6);
}

static void one_is_too_many(struct world *w)
{
	one_holds_up_nobody(w, "many");
}

static void one_ends_the_connection(struct world *w)
{
	one_holds_up_nobody(w, "end");
}

static void one_shuts_the_connection(struct world *w)
{
	one_holds_up_nobody(w, "shut");
}

static void lost_after_the_dot_is_repeated(struct world *w)
{
	w->a.drop_after_dot = true;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.n_mails == 1 && w->a.connections == 1);
	w->a.drop_after_dot = false;
	scheduler_begin(w);
	wait_for(w, w->a.n_mails == 2);
}

/* One that is silent may have it: it is tried again later, by the queue. */
static void silent_after_one_shot_is_not_repeated(struct world *w)
{
	w->a.caps = "PIPELINING CHUNKING";
	for (int i = 0; i < 2; i++)
		says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	wrong_unless(w, w->a.mails->by_bdat);
	w->settings.reply_ms = 300;
	w->a.rcpt_ms = 1000;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.connections == 1);
	wait_for(w, w->a.n_mails == 3);
}

static void dead_pooled_connection_is_replaced(struct world *w)
{
	w->a.drop_at_mail = 2;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->a.n_mails == 2 && w->a.connections == 2);
	w->a.caps = "PIPELINING CHUNKING";
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->a.n_mails == 3 && w->a.connections == 3);
}

static void kept_because(struct world *w, const char *script)
{
	int before = queued(w, NULL, 0), n = w->a.connections;

	check(n < 4);
	w->a.script[n] = script;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	if (queued(w, NULL, 0) != before + 1)
		world_wrong(w, __FILE__, __LINE__, script);
}

#define HELLO "S220 hi\nC\nS250-a\nS250 PIPELINING\n"
#define HELLO_SLOW "S220 hi\nC\nS250 a\n"

static void bad_manners(struct world *w)
{
	kept_because(w, "S220 hi\nS250 already\nX");
	kept_because(w, "Shello\nX");
	kept_because(w, HELLO "C\nC\nC\nS250 ok\nS354 go\nS354 go\nX");
	kept_because(w, HELLO "C\nC\nC\nS250 ok\nS250 ok\nS250 ok\nX");
}

static void more_bad_manners(struct world *w)
{
	kept_because(w,
		     HELLO "C\nC\nC\nS250 ok\nS250 ok\nS354 go\nS250 yes\nX");
	kept_because(w,
		     HELLO "C\nC\nC\nS250 ok\nS250 ok\nS354 go\nD\nS354 \nX");
	kept_because(w, HELLO_SLOW "C\nS250 ok\nC\nS421 going down\nX");
	kept_because(w, HELLO_SLOW "C\nS250 ok\nS250 and more\nC\nX");
}

static void in_trouble(struct world *w)
{
	kept_because(w, "S421 not now\nX");
	kept_because(w, "S554 not you\nX");
	kept_because(w, "S220 hi\nC\nS421 not now\nX");
	kept_because(w, "X");
}

static void short_replies_are_fine(struct world *w)
{
	w->a.script[0] = HELLO "C\nC\nC\nS250\nS250\nS354\nD\nS250\nX";
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
}

static void endless_reply(struct world *w)
{
	static char script[40000] = "S220 hi\nC\n";

	while (strlen(script) < 30000)
		strncat(script, "S250-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
			50);
	kept_because(w, script);
}

/* clang-format off */
#define TESTS(T) \
	T(late_answer_is_not_repeated) T(done_leaves_the_queue) \
	T(part_is_told) T(success_is_told_at_once) T(late_refusal_makes_a_dsn) \
	T(refusal_is_told_once) T(no_room_on_the_disk) \
	T(crowd_shares_connections) T(crowd_for_the_mailboxes) \
	T(first_mail_goes_alone) T(crowd_at_a_closed_door) \
	T(one_is_too_many) T(one_ends_the_connection) \
	T(one_shuts_the_connection) T(lost_after_the_dot_is_repeated) \
	T(silent_after_one_shot_is_not_repeated) \
	T(dead_pooled_connection_is_replaced) T(bad_manners) \
	T(more_bad_manners) T(in_trouble) T(short_replies_are_fine) \
	T(endless_reply)
/* clang-format on */

WORLD_TESTS(TESTS)
