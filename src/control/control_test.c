/* The control socket: a question is answered, and bad callers are bounded. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "control/control.h"
#include "rt/loop.h"

static char path[] = "/tmp/splitmail-control-XXXXXX/socket";

struct world {
	struct control control;
	struct listener *listener;
	unsigned asked;
	void (*test)(struct world *w);
};

static bool answer(void *arg, struct str question, struct buf *out)
{
	struct world *w = arg;

	w->asked++;
	if (str_same(question, S("status")))
		buf_add(out, S("{\"up\":true}"));
	else if (str_same(question, S("large")))
		for (int i = 0; i < 100000; i++)
			buf_add(out, S("0123456789"));
	else
		return false;
	return true;
}

struct call {
	struct world *w;
	struct stream *peer;
};

static void waits serve_one(void *arg)
{
	struct call c = *(struct call *)arg;

	free(arg);
	control_serve(&c.w->control, c.peer);
}

static void waits accept_all(void *arg)
{
	struct world *w = arg;
	struct stream *peer;

	while ((peer = listener_accept(w->listener))) {
		struct call *c = must_alloc(sizeof(*c));

		*c = (struct call){ w, peer };
		check(fiber_start("control", serve_one, c));
	}
}

static void waits in_loop(void *arg)
{
	struct world *w = arg;

	w->listener = listener_open_path(path, 0600);
	check(w->listener);
	check(fiber_start("acceptor", accept_all, w));
	w->test(w);
	listener_close(w->listener);
}

static void run(void (*test)(struct world *w))
{
	struct world w = { .control = { .answer = answer }, .test = test };

	w.control.arg = &w;
	loops_run(1, in_loop, &w);
	assert_int_equal(w.control.open, 0);
}

static bool waits ask(struct str question, struct buf *out)
{
	buf_clear(out);
	return control_ask(path, question, after_ms(10000), out);
}

static void waits questions(struct world *w)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	check(ask(S("status"), &b));
	check(str_same(buf_str(&b), S("{\"up\":true}\n")));
	check(ask(S("weather"), &b));
	check(str_starts(buf_str(&b), S("{\"error\":")));
	check(ask(S("large"), &b));
	check(b.n == 1000001);
	check(w->asked == 3);
}

static void test_questions(void **unused)
{
	run(questions);
}

static void waits bad_callers(struct world *w)
{
	struct stream *stalled[LIMIT_CONTROL_CONNECTIONS];
	struct buf b scoped(buf) = BUF_EMPTY;
	struct stream *s = stream_dial_path(path, after_ms(60000));

	/* A line without an end. */
	for (int i = 0; i < LIMIT_CONTROL_LINE_BYTES; i++)
		stream_say(s, S("x"));
	check(stream_flush(s, after_ms(60000)));
	check(stream_fill(s, after_ms(10000)) != STREAM_LATE);
	stream_close(s);
	/* Those who say nothing: all places are taken, for a while. */
	for (size_t i = 0; i < array_size(stalled); i++) {
		stalled[i] = stream_dial_path(path, after_ms(60000));
		check(stalled[i]);
	}
	check(!ask(S("status"), &b));
	check(w->asked == 0);
	for (size_t i = 0; i < array_size(stalled); i++) {
		check(stream_fill(stalled[i], after_ms(20000)) == STREAM_END);
		stream_close(stalled[i]);
	}
	check(ask(S("status"), &b));
	/* One who asks and is gone. */
	s = stream_dial_path(path, after_ms(60000));
	stream_say(s, S("large\n"));
	check(stream_flush(s, after_ms(60000)));
	stream_reset(s);
	check(ask(S("status"), &b));
}

static void test_bad_callers(void **unused)
{
	run(bad_callers);
}

static void waits nobody(void *unused)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	check(!control_ask("/nonexistent/control", S("status"), after_ms(60000),
			   &b));
	check(strstr(cause(), "/nonexistent/control"));
}

static void test_nobody_is_there(void **unused)
{
	loops_run(1, nobody, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_bad_callers),
		cmocka_unit_test(test_nobody_is_there),
	};
	char *name = strrchr(path, '/');
	int failed;

	*name = 0;
	check(mkdtemp(path));
	*name = '/';
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	*name = 0;
	rmdir(path);
	return failed;
}
