/* Watchers: what a slow one gets, when one is parked, and when it ends.  The
 * server is played by this file. */
#include "base/test.h"

#include <microhttpd.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "console/parking.h"
#include "console/watchers.h"

static union MHD_ConnectionInfo connection;
static const char *session;
static unsigned parked, resumed, added;

const union MHD_ConnectionInfo *
MHD_get_connection_info(struct MHD_Connection *c,
			enum MHD_ConnectionInfoType type, ...)
{
	return &connection;
}

struct credentials credentials_of(struct request *r)
{
	return (struct credentials){ .session = session };
}

void request_park(struct request *r)
{
	parked++;
}

void request_resume(struct request *r)
{
	resumed++;
}

static void is_added(void)
{
	added++;
}

static int start(void **unused)
{
	parked = resumed = added = 0;
	session = "somebody";
	connection.connect_fd = -1;
	watchers_open();
	return 0;
}

static struct watcher *watch(struct request *r)
{
	struct watcher *w = watcher_new(r, 1u << TOPIC_queue, S("a.test"),
					letter_new(S("hello ")));

	return watcher_add(w, is_added) == WATCHER_ADDED ? w : NULL;
}

static void say(struct watcher *w, enum topic t, struct str text)
{
	struct letter *l = letter_new(text);

	watcher_put(w, &w->waiting[t], l);
	letter_drop(l);
}

static void assert_reads(struct watcher *w, size_t room, const char *want)
{
	char text[100];
	size_t n;

	assert_true(watcher_read(w, text, room, &n));
	assert_int_equal(n, strlen(want));
	assert_memory_equal(text, want, n);
}

static void test_a_slow_one_gets_the_latest(void **unused)
{
	struct request r = { .arena = NULL };
	struct watcher *w = watch(&r);

	assert_reads(w, 100, "hello ");
	for (int i = 0; i < 1000; i++)
		say(w, TOPIC_queue, S("old"));
	say(w, TOPIC_overview, S("overview"));
	say(w, TOPIC_queue, S("the latest"));
	assert_reads(w, 100, "overview");
	/* What was begun is finished; the one after it is the newest. */
	assert_reads(w, 4, "the ");
	say(w, TOPIC_queue, S("not this"));
	say(w, TOPIC_queue, S("newer"));
	assert_reads(w, 100, "latest");
	assert_reads(w, 100, "newer");
	assert_int_equal(parked, 0);
	watcher_forget(&r);
}

static void test_it_is_parked_until_there_is_something(void **unused)
{
	struct request r = { .arena = NULL };
	struct watcher *w = watch(&r);

	assert_reads(w, 100, "hello ");
	assert_reads(w, 100, "");
	assert_int_equal(parked, 1);
	say(w, TOPIC_queue, S("one"));
	say(w, TOPIC_queue, S("two"));
	assert_int_equal(resumed, 1);
	assert_reads(w, 100, "two");
	watcher_forget(&r);
	assert_int_equal(added, 1);
}

static void test_an_end_is_an_end(void **unused)
{
	struct request r = { .arena = NULL };
	struct watcher *w = watch(&r);
	char text[100];
	size_t n;

	assert_reads(w, 100, "hello ");
	assert_reads(w, 100, "");
	watcher_end(w);
	watcher_end(w);
	assert_int_equal(resumed, 1);
	say(w, TOPIC_queue, S("too late"));
	assert_false(watcher_read(w, text, sizeof(text), &n));
	watcher_forget(&r);
}

static void test_one_that_is_held_outlives_its_request(void **unused)
{
	struct arena *arena = arena_open();
	struct request r = { .arena = NULL };
	struct watcher *w = watch(&r), **list;
	size_t n;

	list = watchers_hold(arena, &n);
	assert_int_equal(n, 1);
	assert_ptr_equal(list[0], w);
	watcher_forget(&r);
	assert_null(r.watcher);
	say(w, TOPIC_queue, S("to nobody"));
	watcher_end(w);
	assert_int_equal(resumed, 0);
	watchers_let_go(list, n);
	watchers_hold(arena, &n);
	assert_int_equal(n, 0);
	arena_close(arena);
}

static void test_one_that_hung_up_is_noticed(void **unused)
{
	struct arena *arena = arena_open();
	struct request r = { .arena = NULL };
	struct watcher **list;
	int ends[2];
	size_t n;

	check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	connection.connect_fd = ends[0];
	assert_non_null(watch(&r));
	list = watchers_hold(arena, &n);
	assert_int_equal(n, 1);
	watchers_let_go(list, n);
	close(ends[1]);
	watchers_hold(arena, &n);
	assert_int_equal(n, 0);
	watcher_forget(&r);
	close(ends[0]);
	arena_close(arena);
}

static void test_places(void **unused)
{
	static struct request r[LIMIT_CONSOLE_WATCHERS + 1];
	static char names[LIMIT_CONSOLE_WATCHERS + 1][20];
	size_t n = 0;

	while (n < LIMIT_CONSOLE_WATCHERS_EACH)
		assert_non_null(watch(&r[n++]));
	assert_null(watch(&r[n]));
	while (n < LIMIT_CONSOLE_WATCHERS) {
		snprintf(names[n], sizeof(names[n]), "%zu", n);
		session = names[n];
		assert_non_null(watch(&r[n++]));
	}
	session = "one more";
	assert_null(watch(&r[n]));
	watchers_end();
	watcher_forget(&r[0]);
	assert_null(watch(&r[n])); /* there is room, but we stop */
	for (size_t i = 1; i < n; i++)
		watcher_forget(&r[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_a_slow_one_gets_the_latest, start),
		cmocka_unit_test_setup(
			test_it_is_parked_until_there_is_something, start),
		cmocka_unit_test_setup(test_an_end_is_an_end, start),
		cmocka_unit_test_setup(
			test_one_that_is_held_outlives_its_request, start),
		cmocka_unit_test_setup(test_one_that_hung_up_is_noticed, start),
		cmocka_unit_test_setup(test_places, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
