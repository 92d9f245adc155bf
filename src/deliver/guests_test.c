/*
 * Who waits for a place at a host, with two loops: whose turn it is, and that
 * neither mail nor questions starve.
 */
#include <stdio.h>

#include "base/test.h"
#include "deliver/hosts_test_story.h"
#include "rt/log.h"
#include "rt/loop.h"

static const unsigned sizes[] = { 1, 2, 7, 50, 1000 };

/* ---- who waits ---- */

/* Somebody who needs a connection, in a fiber. */
struct caller {
	struct host_state *h;
	struct guest g;
	struct fiber *fiber;
	bool is_waiting, has_place, is_gone;
};

static void waits caller_main(void *arg)
{
	struct caller *c = arg;
	bool goes_on = true;

	while (goes_on && !c->has_place) {
		c->has_place =
			(c->g.kind == GUEST_MAIL || host_ask(c->h, &c->g)) &&
			host_enter(c->h, &c->g);
		c->is_waiting = !c->has_place;
		if (c->is_waiting)
			goes_on = host_wait(c->h, &c->g, after_ms(SOON_MS));
	}
	host_seated(c->h, &c->g);
	if (c->has_place)
		host_is_ready(c->h);
	else if (c->g.is_asking)
		host_asked(c->h);
	c->is_waiting = false;
	c->is_gone = true;
}

static void waits call(struct caller *c, struct host_state *h,
		       enum guest_kind kind)
{
	*c = (struct caller){ .h = h, .g = { .kind = kind } };
	c->fiber = fiber_start("caller", caller_main, c);
	check(c->fiber);
	while (!c->is_waiting && !c->is_gone)
		fiber_yield();
}

static void waits until(const bool *is_so)
{
	int64_t deadline = after_ms(SOON_MS);

	while (!*is_so) {
		check(now_ms() < deadline);
		fiber_sleep(after_ms(1));
	}
}

/* Who came first is served first. */
static void waits story_order(struct hosts *hosts, struct host_state *h)
{
	struct caller c[7];
	unsigned n = connect_all(h);

	(void)hosts;
	check(n == MANY);
	for (size_t i = 0; i < array_size(c); i++)
		call(&c[i], h, GUEST_MAIL);
	for (size_t i = 0; i < array_size(c); i++) {
		check(!c[i].is_gone);
		disconnect(h, 1);
		until(&c[i].is_gone);
		check(c[i].has_place);
	}
	disconnect(h, MANY);
	check(h->places == 0 && h->waiting == 0);
}

static void who_came_first_is_served_first(void **state)
{
	(void)state;
	tell(story_order);
}

/* Who is called when he has just been cancelled passes it on. */
static void waits story_cancelled(struct hosts *hosts, struct host_state *h)
{
	struct caller first, second;

	(void)hosts;
	check(connect_all(h) == MANY);
	call(&first, h, GUEST_MAIL);
	call(&second, h, GUEST_MAIL);
	fiber_cancel(first.fiber);
	host_left(h, true); /* the first is called all the same */
	check(first.g.is_called && !second.g.is_called);
	until(&first.is_gone);
	check(!first.has_place);
	until(&second.is_gone);
	check(second.has_place && h->places == MANY && h->waiting == 0);
	disconnect(h, MANY);
}

static void who_is_cancelled_passes_it_on(void **state)
{
	(void)state;
	tell(story_cancelled);
}

static struct caller there; /* on loop 1 */

static void waits call_there(struct host_state *h)
{
	call(&there, h, GUEST_MAIL);
}

static void waits until_there_is_served(struct host_state *h)
{
	until(&there.is_gone);
	check(there.has_place);
	host_left(h, true);
}

/* Also to another loop. */
static void waits story_cancelled_elsewhere(struct hosts *hosts,
					    struct host_state *h)
{
	struct caller here;

	(void)hosts;
	check(connect_all(h) == MANY);
	call(&here, h, GUEST_MAIL);
	fiber_cancel(here.fiber);
	elsewhere(call_there, h);
	until(&here.is_gone);
	check(!there.is_gone);
	host_left(h, true);
	elsewhere(until_there_is_served, h);
	disconnect(h, MANY - 1);
	check(h->places == 0 && h->waiting == 0);
}

static void another_loop_is_called(void **state)
{
	(void)state;
	tell(story_cancelled_elsewhere);
}

static struct host_state *pled_for; /* on loop 1 */

static void close_idle(void *arg, struct host_state *h)
{
	(void)arg;
	host_idle(h, -1);
	host_left(h, true);
	pled_for = h;
}

static void keep_idle_there(struct host_state *h)
{
	hosts_on_plea(h->hosts, close_idle, NULL);
	check(connect_all(h) == 1);
	host_idle(h, 1);
}

static void forget_pleas(struct host_state *h)
{
	check(pled_for == h);
	hosts_on_plea(h->hosts, NULL, NULL);
}

/* An idle connection of another loop is closed for who needs its place. */
static void waits story_plea(struct hosts *hosts, struct host_state *many)
{
	struct host_state *h = hold(hosts, 1, 1);
	struct caller c;

	(void)many;
	pled_for = NULL;
	elsewhere(keep_idle_there, h);
	check(!enters(h));
	call(&c, h, GUEST_MAIL);
	until(&c.is_gone);
	check(c.has_place);
	elsewhere(forget_pleas, h);
	disconnect(h, 1);
	host_release(h);
}

static void an_idle_connection_gives_way(void **state)
{
	(void)state;
	tell(story_plea);
}

/* ---- questions ---- */

static bool asks(struct host_state *h)
{
	struct guest g = { .kind = GUEST_QUESTION };

	return host_ask(h, &g);
}

static void waits share_story(struct hosts *hosts, unsigned places)
{
	struct host_state *h = hold(hosts, 2000 + places, places);
	unsigned share = places / 4 ? places / 4 : 1;
	struct caller c;

	for (unsigned i = 0; i < share; i++)
		check(asks(h));
	check(!asks(h));
	call(&c, h, GUEST_QUESTION);
	check(c.is_waiting && connects(h)); /* mail is not in their way */
	disconnect(h, 1);
	host_asked(h);
	until(&c.is_gone);
	check(c.has_place);
	disconnect(h, 1);
	while (share-- > 0)
		host_asked(h);
	check(h->asking == 0);
	host_release(h);
}

static void waits story_share(struct hosts *hosts, struct host_state *h)
{
	(void)h;
	for (size_t i = 0; i < array_size(sizes); i++)
		share_story(hosts, sizes[i]);
}

static void questions_have_a_share(void **state)
{
	(void)state;
	tell(story_share);
}

/* ---- strangers who never stop asking ---- */

static _Atomic unsigned mails_left;

static void waits use_connection(struct host_state *h, enum guest_kind kind)
{
	struct guest g = { .kind = kind };
	bool served;

	do
		served = (kind == GUEST_MAIL || host_ask(h, &g)) &&
			 host_enter(h, &g);
	while (!served && host_wait(h, &g, after_ms(SOON_MS)));
	check(served);
	host_seated(h, &g);
	host_is_ready(h);
	fiber_yield();
	if (kind == GUEST_QUESTION)
		host_asked(h);
	host_left(h, true);
}

static void waits questioner_main(void *arg)
{
	while (atomic_load(&mails_left) > 0) {
		use_connection(arg, GUEST_QUESTION);
		fiber_yield();
	}
	host_release(arg);
}

static void waits mailer_main(void *arg)
{
	use_connection(arg, GUEST_MAIL);
	atomic_fetch_sub(&mails_left, 1);
	host_release(arg);
}

static void some(struct host_state *h, void (*main)(void *))
{
	for (size_t i = 0; i < 7; i++) {
		hosts_lock(h->hosts);
		h->held++;
		hosts_unlock(h->hosts);
		check(fiber_start("some", main, h));
	}
}

static void some_questions(struct host_state *h)
{
	some(h, questioner_main);
}

static void some_mails(struct host_state *h)
{
	some(h, mailer_main);
}

static void waits all_mails_go(void)
{
	int64_t deadline = after_ms(SOON_MS);

	while (atomic_load(&mails_left) > 0) {
		check(now_ms() < deadline);
		fiber_sleep(after_ms(1));
	}
}

/* At a host that takes one connection, from the same loop and the other. */
static void waits story_turns(struct hosts *hosts, struct host_state *many)
{
	for (unsigned places = 1; places <= 3; places++)
		for (unsigned loops = 0; loops < 4; loops++) {
			struct host_state *h =
				hold(hosts, 4000 + places, places);

			mails_left = 7;
			if (loops & 1)
				elsewhere(some_questions, h);
			else
				some_questions(h);
			fiber_yield();
			if (loops & 2)
				elsewhere(some_mails, h);
			else
				some_mails(h);
			all_mails_go();
			host_release(h);
		}
	(void)many;
}

static void questions_and_mail_take_turns(void **state)
{
	(void)state;
	tell(story_turns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_came_first_is_served_first),
		cmocka_unit_test(who_is_cancelled_passes_it_on),
		cmocka_unit_test(another_loop_is_called),
		cmocka_unit_test(an_idle_connection_gives_way),
		cmocka_unit_test(questions_have_a_share),
		cmocka_unit_test(questions_and_mail_take_turns),
	};

	log_open("here.test");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
