/* What the engine said, and what it said a minute ago.  Clock and engine are
 * this file's. */
#include "base/test.h"

#include "console/figures.h"
#include "console/parking.h"
#include "control/control.h"
#include "rt/clock.h"

/* ---- the world ---- */

static int64_t clock_ms;
static int64_t engine_started_ms; /* 0: there is none */
static int engine_delivered;

int64_t now_ms(void)
{
	return clock_ms;
}

int64_t wall_ms(void)
{
	return clock_ms;
}

bool control_ask(const char *path, struct str question, int64_t deadline_ms,
		 struct buf *answer)
{
	assert_string_equal(path, "data/" CONTROL_SOCKET);
	if (!engine_started_ms)
		return fail("nobody is there");
	buf_printf(
		answer,
		"{\"started_ms\":%lld,\"systems\":[{\"next_hop\":\"internet\","
		"\"name\":\"\",\"delivered\":%d}]}\n",
		(long long)engine_started_ms, engine_delivered);
	return true;
}

void request_park(struct request *r)
{
}

void request_resume(struct request *r)
{
}

/* ---- what happens ---- */

static void wake(void)
{
}

static void beat(void)
{
	figures_ask("data");
	figures_remember();
}

/* A beat every five seconds; each delivers one. */
static void pass(int seconds)
{
	for (int i = 0; i < seconds; i += 5) {
		clock_ms += 5000;
		engine_delivered++;
		beat();
	}
}

/* -1: that is not known. */
static int delivered_before(void)
{
	const struct figures *f = figures_borrow_before();
	const struct hop_figures *h;
	int n = -1;

	if (f) {
		h = figures_hop(f, NEXT_HOP_INTERNET, S(""));
		n = h ? (int)h->delivered : 0;
	}
	figures_return(f);
	return n;
}

static int start(void **unused)
{
	clock_ms = 1000000000;
	engine_started_ms = clock_ms - 3600000;
	engine_delivered = 100;
	figures_open(wake);
	return 0;
}

static int end(void **unused)
{
	figures_close();
	return 0;
}

/* ---- tests ---- */

static void test_in_our_first_minute_the_last_one_is_not_known(void **unused)
{
	beat();
	assert_int_equal(delivered_before(), -1);
	pass(5);
	assert_int_equal(delivered_before(), -1);
	pass(45);
	assert_int_equal(delivered_before(), -1);
	pass(10);
	assert_int_equal(delivered_before(), 101);
	pass(600);
	assert_int_equal(delivered_before(), engine_delivered - 11);
}

static void test_beats_that_are_not_quite_regular(void **unused)
{
	beat();
	for (int i = 0; i < 100; i++) {
		clock_ms += i % 2 ? 4000 : 5900;
		engine_delivered++;
		beat();
		if (i > 12)
			assert_in_range(delivered_before(),
					engine_delivered - 13,
					engine_delivered - 11);
	}
}

static void test_a_young_engine_has_counted_from_zero(void **unused)
{
	engine_started_ms = clock_ms - 1000;
	beat();
	assert_int_equal(delivered_before(), 0);
	pass(30);
	assert_int_equal(delivered_before(), 0);
}

static void test_another_engine_says_nothing_of_the_one_before(void **unused)
{
	beat();
	pass(60);
	engine_started_ms = 0;
	pass(5);
	assert_int_equal(delivered_before(), -1);
	engine_started_ms = clock_ms;
	pass(50);
	assert_int_equal(delivered_before(), 0);
}

static void test_after_a_long_silence_a_minute_is_not_known(void **unused)
{
	beat();
	pass(60);
	clock_ms += 300000;
	beat();
	assert_int_equal(delivered_before(), -1);
}

int main(void)
{
#define FIGURES(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		FIGURES(test_in_our_first_minute_the_last_one_is_not_known),
		FIGURES(test_beats_that_are_not_quite_regular),
		FIGURES(test_a_young_engine_has_counted_from_zero),
		FIGURES(test_another_engine_says_nothing_of_the_one_before),
		FIGURES(test_after_a_long_silence_a_minute_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
