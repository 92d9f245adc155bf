/*
 * The memory of hosts: limits of connections, and other facts.
 */
#include <stdio.h>

#include "base/test.h"
#include "deliver/hosts_test_story.h"
#include "rt/log.h"
#include "rt/loop.h"

static const unsigned sizes[] = { 1, 2, 7, 50, 1000 };

/* ---- limits of connections ---- */

static void story_slow_start(struct hosts *hosts, struct host_state *h)
{
	unsigned dialled = 0, ready = 0;

	(void)hosts;
	while (ready < MANY) {
		while (enters(h))
			dialled++;
		check(dialled > ready && dialled <= MANY);
		check(dialled - ready <= ready + 2);
		host_is_ready(h);
		ready++;
	}
	check(dialled == MANY);
	disconnect(h, MANY);
}

static void places_are_taken_in_slow_start(void **state)
{
	(void)state;
	tell(story_slow_start);
}

/* A connection takes a mail and is kept: the host lives. */
static void take_mail(struct host_state *h)
{
	host_idle(h, 1);
	host_idle(h, -1);
}

static void find_limit(struct host_state *h, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		check(connects(h));
	check(is_sent_away(h) == HOST_FULL);
	check(host_fact(h, HOST_CONNECTIONS) == n);
	check(!enters(h));
	take_mail(h);
}

/* Found, tried again by one after a while; sent away again, or served. */
static void limit_story(struct hosts *hosts, unsigned n)
{
	struct host_state *h = hold(hosts, n, n + 3);

	find_limit(h, n);
	later(hosts, HOUR_MS);
	check(is_sent_away(h) == HOST_FULL);
	check(host_fact(h, HOST_CONNECTIONS) == n);
	check(!enters(h));
	later(hosts, HOUR_MS);
	check(enters(h) && !enters(h)); /* one, not two */
	host_is_ready(h);
	check(host_fact(h, HOST_CONNECTIONS) == n + 1);
	check(connects(h));
	check(host_fact(h, HOST_CONNECTIONS) == n + 2);
	check(connects(h)); /* as many as there ever were */
	check(host_fact(h, HOST_CONNECTIONS) == 0);
	check(!enters(h));
	disconnect(h, n + 3);
	host_release(h);
}

static void story_limit(struct hosts *hosts, struct host_state *h)
{
	(void)h;
	for (size_t i = 0; i < array_size(sizes); i++)
		limit_story(hosts, sizes[i]);
}

static void a_limit_is_found_and_tried_again(void **state)
{
	(void)state;
	tell(story_limit);
}

/* A host that takes less than before. */
static void story_less(struct hosts *hosts, struct host_state *h)
{
	(void)hosts;
	find_limit(h, 7);
	check(host_is_full(h, true) == HOST_FULL); /* one that was served */
	host_left(h, true);
	check(host_fact(h, HOST_CONNECTIONS) == 6);
	check(!enters(h));
	take_mail(h);
	disconnect(h, 6);
	check(connect_all(h) == 6);
	disconnect(h, 6);
}

static void a_limit_may_become_less(void **state)
{
	(void)state;
	tell(story_less);
}

/* What we have closed is counted there for a moment: the limit is no lower for
 * that. */
static void story_counted(struct hosts *hosts, struct host_state *h)
{
	find_limit(h, 2);
	disconnect(h, 1);
	check(is_sent_away(h) == HOST_FULL);
	check(host_fact(h, HOST_CONNECTIONS) == 2);
	later(hosts, HOUR_MS);
	check(is_sent_away(h) == HOST_FULL);
	check(host_fact(h, HOST_CONNECTIONS) == 1);
	disconnect(h, 1);
}

static void what_was_closed_is_counted_for_a_moment(void **state)
{
	(void)state;
	tell(story_counted);
}

/* Whoever is sent away with nobody served has not found a limit. */
static void story_alone(struct hosts *hosts, struct host_state *h)
{
	check(is_sent_away(h) == HOST_IN_TROUBLE);
	check(enters(h)); /* another that is not ready either */
	check(is_sent_away(h) == HOST_FULL);
	check(host_fact(h, HOST_CONNECTIONS) == 0);
	host_is_ready(h);
	host_left(h, true); /* the other side may count it still */
	check(is_sent_away(h) == HOST_COUNTS);
	later(hosts, HOUR_MS);
	check(is_sent_away(h) == HOST_IN_TROUBLE);
	check(host_fact(h, HOST_CONNECTIONS) == 0);
}

static void nobody_served_is_no_limit(void **state)
{
	(void)state;
	tell(story_alone);
}

/* It was no limit, when all that were served are gone as well; with BEFORE one
 * that was known. */
static void end_story(struct hosts *hosts, unsigned before)
{
	struct host_state *h = hold(hosts, 1000 + before, MANY);

	if (before) {
		find_limit(h, before);
		disconnect(h, before);
		check(host_fact(h, HOST_CONNECTIONS) == before);
		later(hosts, HOUR_MS);
	}
	check(connects(h) && connects(h));
	check(is_sent_away(h) == HOST_FULL);
	check(host_fact(h, HOST_CONNECTIONS) == 2);
	disconnect(h, 2);
	check(host_fact(h, HOST_CONNECTIONS) == before);
	host_release(h);
}

static void story_end(struct hosts *hosts, struct host_state *h)
{
	(void)h;
	end_story(hosts, 0);
	end_story(hosts, 3);
	end_story(hosts, 7);
}

static void a_host_that_ends_has_no_limit(void **state)
{
	(void)state;
	tell(story_end);
}

/* Of whom an administrator has set how many. */
static bool enters_of(struct host_state *h, unsigned most)
{
	struct guest g = { .kind = GUEST_MAIL, .most = most };

	return host_enter(h, &g);
}

/* N are served, and MOST are set. */
static void set_story(struct hosts *hosts, unsigned n, unsigned most)
{
	struct host_state *h = hold(hosts, 3000 + n, MANY);
	unsigned taken = n;

	find_limit(h, n);
	check(!enters_of(h, most)); /* nobody dials in vain at once */
	later(hosts, HOUR_MS / 60);
	while (enters_of(h, most)) {
		taken++;
		host_is_ready(h);
	}
	check(taken == (most > n ? most : n));
	check(!enters(h)); /* for whom nothing is set, that is the limit */
	disconnect(h, taken);
	host_release(h);
}

static void story_set(struct hosts *hosts, struct host_state *h)
{
	(void)h;
	for (size_t i = 0; i < array_size(sizes); i++)
		for (unsigned n = 1; n < MANY - 1; n++)
			set_story(hosts, n, sizes[i]);
}

static void what_is_set_wins_over_what_is_learnt(void **state)
{
	(void)state;
	tell(story_set);
}

/* ---- facts ---- */

static void story_lower(struct hosts *hosts, struct host_state *h)
{
	static const enum host_fact facts[] = { HOST_CONNECTIONS, HOST_MAILS,
						HOST_RECIPIENTS };

	(void)hosts;
	for (size_t i = 0; i < array_size(facts); i++) {
		check(host_fact(h, facts[i]) == 0);
		host_lower(h, facts[i], 0);
		check(host_fact(h, facts[i]) == 0);
		host_lower(h, facts[i], 7);
		host_lower(h, facts[i], 50);
		check(host_fact(h, facts[i]) == 7);
		host_lower(h, facts[i], 2);
		check(host_fact(h, facts[i]) == 2);
		host_forget(h, facts[i]);
		check(host_fact(h, facts[i]) == 0);
	}
}

static void a_limit_is_lowered_only(void **state)
{
	(void)state;
	tell(story_lower);
}

static size_t listed(struct hosts *hosts)
{
	struct arena *arena = arena_open();
	size_t n;

	check(hosts_list(hosts, arena, &n));
	arena_close(arena);
	return n;
}

static void see_again(struct host_state *h)
{
	host_lower(h, HOST_RECIPIENTS, 5);
}

static void waits story_day(struct hosts *hosts, struct host_state *h)
{
	host_learn(h, HOST_NO_CHUNKING, 1);
	see_again(h);
	check(listed(hosts) == 2);
	later(hosts, DAY_MS - HOUR_MS);
	elsewhere(see_again, h);
	check(host_fact(h, HOST_NO_CHUNKING) == 1);
	later(hosts, 2 * HOUR_MS);
	check(host_fact(h, HOST_NO_CHUNKING) == 0);
	check(host_fact(h, HOST_RECIPIENTS) == 5);
	check(listed(hosts) == 1);
	later(hosts, DAY_MS);
	check(host_fact(h, HOST_RECIPIENTS) == 0);
	check(listed(hosts) == 0);
	host_lower(h, HOST_RECIPIENTS, 7); /* more than what was forgotten */
	check(host_fact(h, HOST_RECIPIENTS) == 7);
}

static void a_fact_is_forgotten_after_a_day(void **state)
{
	(void)state;
	tell(story_day);
}

/* A moment's failures, of many connections at once, are one accident; what
 * fails again minutes later is a fact. */
static void story_works(struct hosts *hosts, struct host_state *h)
{
	host_works_at(h, HOST_NO_TLS, HOST_TLS);
	for (int i = 0; i < 20; i++)
		host_failed_at(h, HOST_NO_TLS, HOST_TLS);
	check(host_fact(h, HOST_NO_TLS) == 0);
	later(hosts, MINUTES_MS);
	host_works_at(h, HOST_NO_TLS, HOST_TLS);
	later(hosts, MINUTES_MS);
	host_failed_at(h, HOST_NO_TLS, HOST_TLS);
	check(host_fact(h, HOST_NO_TLS) == 0);
	later(hosts, MINUTES_MS);
	host_failed_at(h, HOST_NO_TLS, HOST_TLS);
	later(hosts, DAY_MS - 1);
	check(host_fact(h, HOST_NO_TLS) == 1);
	later(hosts, 1);
	check(host_fact(h, HOST_NO_TLS) == 0);
}

static void what_has_worked_may_fail_once(void **state)
{
	(void)state;
	tell(story_works);
}

/* Where nobody knows that it ever worked it is left alone, for minutes. */
static void story_never(struct hosts *hosts, struct host_state *h)
{
	for (int i = 0; i < 20; i++)
		host_failed_at(h, HOST_NO_TLS, HOST_TLS);
	check(host_fact(h, HOST_NO_TLS) == 1);
	later(hosts, MINUTES_MS);
	check(host_fact(h, HOST_NO_TLS) == 0);
	host_failed_at(h, HOST_NO_TLS, HOST_TLS);
	later(hosts, DAY_MS - 1);
	check(host_fact(h, HOST_NO_TLS) == 1);
	host_works_at(h, HOST_NO_TLS, HOST_TLS);
	check(host_fact(h, HOST_NO_TLS) == 0);
	later(hosts, DAY_MS);
	host_failed_at(h, HOST_NO_TLS, HOST_TLS);
	later(hosts, MINUTES_MS);
	check(host_fact(h, HOST_NO_TLS) == 0);
}

static void what_fails_first_is_left_alone_for_minutes(void **state)
{
	(void)state;
	tell(story_never);
}

static void story_rests(struct hosts *hosts, struct host_state *h)
{
	bool look;

	check(!host_is_resting(h, &look));
	for (int slowly = 0; slowly < 2; slowly++) {
		host_was_silent(h, slowly);
		check(host_is_resting(h, &look) && !look);
		later(hosts, HOUR_MS);
		/* One tries it, or looks, and the others wait for that. */
		check(host_is_resting(h, &look) == (bool)slowly &&
		      look == (bool)slowly);
		check(host_is_resting(h, &look) && !look);
		host_answered(h);
		check(!host_is_resting(h, &look));
	}
}

static void who_is_silent_is_looked_at_by_one(void **state)
{
	(void)state;
	tell(story_rests);
}

/* However many there are, so many are remembered; who is used is not
 * forgotten, and of the others who was longest ago is. */
static void story_many(struct hosts *hosts, struct host_state *used)
{
	unsigned most, first = 100000;
	struct host_state *h, *next, *last = NULL;

	host_learn(used, HOST_TLS, 3);
	for (unsigned i = 0; i < 12000; i++) {
		h = hold(hosts, first + i, 1);
		host_learn(h, HOST_TLS, 1 + i);
		host_release(h);
	}
	most = HASH_COUNT(hosts->all);
	check(most >= 1000 && most <= 10000);
	check(host_fact(used, HOST_TLS) == 3);
	HASH_ITER (hh, hosts->all, h, next) {
		check(h == used || !last || last == used ||
		      host_fact(h, HOST_TLS) > host_fact(last, HOST_TLS));
		last = h;
	}
	check(host_fact(last, HOST_TLS) == 12000);
}

static void hosts_are_bounded(void **state)
{
	(void)state;
	tell(story_many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_taken_in_slow_start),
		cmocka_unit_test(a_limit_is_found_and_tried_again),
		cmocka_unit_test(a_limit_may_become_less),
		cmocka_unit_test(what_was_closed_is_counted_for_a_moment),
		cmocka_unit_test(nobody_served_is_no_limit),
		cmocka_unit_test(a_host_that_ends_has_no_limit),
		cmocka_unit_test(what_is_set_wins_over_what_is_learnt),
		cmocka_unit_test(a_limit_is_lowered_only),
		cmocka_unit_test(a_fact_is_forgotten_after_a_day),
		cmocka_unit_test(what_has_worked_may_fail_once),
		cmocka_unit_test(what_fails_first_is_left_alone_for_minutes),
		cmocka_unit_test(who_is_silent_is_looked_at_by_one),
		cmocka_unit_test(hosts_are_bounded),
	};

	log_open("here.test");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
