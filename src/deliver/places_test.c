/* Places of a host: who waits is called, whatever happens meanwhile. */
#include "deliver/hosts.h"

#include <stdatomic.h>

#include "base/test.h"
#include "rt/log.h"
#include "rt/loop.h"

static struct hosts *hosts;
static struct host_state *host;
static _Atomic int wrong_line; /* the first */

static void note_wrong(int line)
{
	int none = 0;

	atomic_compare_exchange_strong(&wrong_line, &none, line);
}

#define must(x) ((x) ? (void)0 : note_wrong(__LINE__))

static void hold(unsigned places)
{
	hosts_on_plea(hosts, NULL, NULL);
	host = host_hold(hosts, S("192.0.2.1:25"),
			 (struct host_owner){ S("system A"), S("") }, places);
}

/* A connection that is ready. */
static void connect_one(void)
{
	struct guest g = { .kind = GUEST_MAIL };

	must(host_enter(host, &g));
	host_is_ready(host);
}

/* ---- what comes free between a look and the wait ---- */

static void place_came_free(void *arg)
{
	struct guest g = { .kind = GUEST_MAIL };

	hold(1);
	connect_one();
	must(!host_enter(host, &g));
	host_left(host, true); /* as another loop may */
	must(host_wait(host, &g, after_ms(60000)));
	must(host_enter(host, &g));
	must(hosts_places(hosts) == 1);
	host_seated(host, &g);
	host_left(host, false);
	must(hosts_places(hosts) == 0);
	host_release(host);
}

static void turn_came_free(void *arg)
{
	struct guest first = { .kind = GUEST_QUESTION }, g = first;

	hold(4);
	must(host_ask(host, &first));
	must(!host_ask(host, &g));
	host_asked(host);
	must(host_wait(host, &g, after_ms(60000)));
	must(host_ask(host, &g));
	host_seated(host, &g);
	host_asked(host);
	host_release(host);
}

static void nothing_came_free(void *arg)
{
	struct guest g = { .kind = GUEST_MAIL };

	hold(1);
	connect_one();
	must(!host_enter(host, &g));
	must(!host_wait(host, &g, after_ms(20)));
	host_seated(host, &g);
	host_left(host, true);
	host_release(host);
}

/* ---- sent away ---- */

/* While some are on their way nobody else dials; when none of them is served
 * who waits has nothing to wait for. */
static void nobody_is_served(void *arg)
{
	struct guest first = { .kind = GUEST_MAIL }, second = first, g = first;

	hold(20);
	must(host_enter(host, &first));
	must(host_enter(host, &second));
	must(!host_enter(host, &g));
	must(host_is_full(host, false) == HOST_FULL);
	host_left(host, false);
	must(!host_enter(host, &g));
	must(!host_wait(host, &g, after_ms(20)));
	must(host_is_full(host, false) == HOST_IN_TROUBLE);
	host_was_silent(host, false);
	host_left(host, false);
	must(!host_wait(host, &g, after_ms(1000)));
	host_seated(host, &g);
	must(host_enter(host, &g)); /* who comes now tries again */
	host_left(host, false);
	host_release(host);
}

static void one_is_served(void *arg)
{
	struct guest first = { .kind = GUEST_MAIL }, second = first;

	hold(20);
	must(host_enter(host, &first));
	must(host_enter(host, &second));
	must(host_is_full(host, false) == HOST_FULL);
	host_left(host, false);
	second.was_sent_away = true;
	must(!host_enter(host, &second));
	host_is_ready(host);
	must(host_wait(host, &second, after_ms(60000)));
	must(host_enter(host, &second));
	must(host_is_full(host, false) == HOST_FULL);
	must(host_fact(host, HOST_CONNECTIONS) == 1);
	host_seated(host, &second);
	host_left(host, false);
	host_left(host, true);
	host_release(host);
}

static void waits_for_mail(void *arg)
{
	struct guest g = { .kind = GUEST_MAIL };

	must(!host_enter(host, &g));
	must(host_wait(host, &g, after_ms(60000)));
	host_seated(host, &g);
}

/* With one place questions and mail take turns, however many questions wait. */
static void mail_has_its_turn(void *arg)
{
	struct guest first = { .kind = GUEST_QUESTION }, second = first;

	hold(1);
	must(host_ask(host, &first));
	connect_one();
	must(fiber_start("mail", waits_for_mail, NULL));
	fiber_sleep(after_ms(1));
	host_asked(host);
	must(host_may_keep(host, NULL, 0));
	must(!host_ask(host, &second));
	fiber_sleep(after_ms(1));
	must(host_ask(host, &second));
	host_asked(host);
	host_left(host, true);
	host_release(host);
}

/* Its limit is not known yet: where nothing but questions is served, mail has
 * the next connection though more could be asked, and then a question again. */
static bool came[2]; /* a question; mail */

static void waits_for_turn(void *arg)
{
	struct guest g = { .kind = arg ? GUEST_MAIL : GUEST_QUESTION };

	if (!arg)
		must(host_ask(host, &g));
	g.is_patient = true;
	must(!host_enter(host, &g));
	must(host_wait(host, &g, after_ms(60000)));
	came[arg != NULL] = true;
	host_seated(host, &g);
}

static void mail_is_not_asked_away(void *arg)
{
	struct guest asks = { .kind = GUEST_QUESTION };

	hold(20);
	came[0] = came[1] = false;
	must(host_ask(host, &asks));
	connect_one();
	connect_one();
	must(fiber_start("question", waits_for_turn, NULL));
	must(fiber_start("mail", waits_for_turn, &asks));
	fiber_sleep(after_ms(1));
	host_asked(host);
	must(host_may_keep(host, NULL, 0));
	fiber_sleep(after_ms(1));
	must(came[1]);
	must(host_may_keep(host, NULL, 0));
	fiber_sleep(after_ms(1));
	must(came[0]);
	host_asked(host);
	host_left(host, true);
	host_left(host, true);
	host_release(host);
}

/* Who guesses leaves room for who does not, while none is ready. */
static void guesses_dial_one_by_one(void *arg)
{
	struct guest guess = { .kind = GUEST_QUESTION, .is_guess = true };
	struct guest mail = { .kind = GUEST_MAIL };

	hold(20);
	must(host_enter(host, &guess));
	must(!host_enter(host, &guess));
	must(host_enter(host, &mail));
	must(!host_enter(host, &mail));
	host_is_ready(host);
	must(!host_enter(host, &guess));
	host_is_ready(host);
	must(host_enter(host, &guess));
	for (int i = 0; i < 2; i++)
		host_left(host, true);
	host_left(host, false);
	host_release(host);
}

/* ---- two loops ---- */

static _Atomic int waiting;
static _Atomic bool mail_is_served, mail_is_over;

static void await(bool (*is_so)(void))
{
	while (!is_so())
		fiber_sleep(after_ms(1));
}

static bool both_wait(void)
{
	return waiting == 2;
}

static bool mail_is_back(void)
{
	return mail_is_over;
}

static void mail_main(void *arg)
{
	struct guest g = { .kind = GUEST_MAIL };

	must(!host_enter(host, &g));
	waiting++;
	mail_is_served =
		host_wait(host, &g, after_ms(60000)) && host_enter(host, &g);
	host_seated(host, &g);
	if (mail_is_served)
		host_left(host, false);
	mail_is_over = true;
}

static void question_that_may_not_ask(void)
{
	struct guest g = { .kind = GUEST_QUESTION };

	while (!waiting)
		fiber_sleep(after_ms(1));
	must(!host_ask(host, &g));
	waiting++;
	while (!host_ask(host, &g))
		must(host_wait(host, &g, after_ms(60000)));
	host_seated(host, &g);
	host_asked(host);
	host_release(host);
}

/* A place that comes free is not kept for a question that has to wait for its
 * turn, though its loop has the fewest. */
static void place_is_for_who_can_use_it(void *arg)
{
	struct guest asks = { .kind = GUEST_QUESTION };

	if (loop_index() == 1) {
		question_that_may_not_ask();
		return;
	}
	hold(4);
	must(host_ask(host, &asks));
	for (int i = 0; i < 4; i++)
		connect_one();
	must(fiber_start("mail", mail_main, NULL));
	await(both_wait);
	host_left(host, true);
	await(mail_is_back);
	host_asked(host);
	for (int i = 0; i < 3; i++)
		host_left(host, true);
}

/* With one place, and a question that waits for mail to have its turn: the
 * connection that is free on its loop is given up for the mail of another. */
static void question_that_waits(void *arg)
{
	struct guest g = { .kind = GUEST_QUESTION };

	must(!host_ask(host, &g));
	waiting++;
	while (!host_ask(host, &g))
		must(host_wait(host, &g, after_ms(60000)));
	must(mail_is_served);
	host_seated(host, &g);
	host_asked(host);
	host_release(host);
}

static void what_is_of_no_use_here(void *arg)
{
	struct guest asks = { .kind = GUEST_QUESTION };

	if (loop_index() == 1) {
		while (!waiting)
			fiber_sleep(after_ms(1));
		mail_main(NULL);
		return;
	}
	hold(1);
	must(host_ask(host, &asks));
	connect_one();
	must(fiber_start("question", question_that_waits, NULL));
	await(both_wait);
	host_asked(host);
	/* The other loop said that it waits a moment before it did. */
	while (host_may_keep(host, NULL, 0))
		fiber_sleep(after_ms(1));
	host_left(host, true);
	await(mail_is_back);
}

/* ---- all ---- */

static void run_on(int loops, void (*test)(void *))
{
	hosts = hosts_open();
	wrong_line = 0;
	loops_run(loops, test, NULL);
	hosts_close(hosts);
	if (wrong_line)
		fail_msg("line %d", wrong_line);
}

#define ONE_LOOP(test) \
	static void run_##test(void **state) \
	{ \
		run_on(1, test); \
	}
/* clang-format off */
#define TESTS(T) \
	T(place_came_free) T(turn_came_free) T(nothing_came_free) \
	T(nobody_is_served) T(one_is_served) T(mail_has_its_turn) \
	T(mail_is_not_asked_away) T(guesses_dial_one_by_one)
#define ENTRY(test) cmocka_unit_test(run_##test),
/* clang-format on */

TESTS(ONE_LOOP)

static void run_two_loops(void **state)
{
	run_on(2, place_is_for_who_can_use_it);
	assert_true(mail_is_served);
	waiting = 0;
	mail_is_served = mail_is_over = false;
	run_on(2, what_is_of_no_use_here);
	assert_true(mail_is_served);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TESTS(ENTRY) cmocka_unit_test(
		run_two_loops) };

	log_open("here.test");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
