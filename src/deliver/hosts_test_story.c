/*
 * How stories of hosts are told (hosts_test_story.h).
 */
#include "deliver/hosts_test_story.h"

#include <stdio.h>

#include "base/test.h"
#include "rt/loop.h"

struct story {
	void (*main)(struct hosts *hosts, struct host_state *h);
	struct hosts *hosts;
};

struct host_state *hold(struct hosts *hosts, unsigned number, unsigned places)
{
	char key[40];

	snprintf(key, sizeof key, "192.0.2.1:%u", number);
	return host_hold(hosts, str_of(key),
			 (struct host_owner){ S("system gw"), S("mx.test") },
			 places);
}

static void story_main(void *arg)
{
	struct story *story = arg;
	struct host_state *h;

	if (loop_index() != 0)
		return;
	hosts_on_plea(story->hosts, NULL, NULL);
	h = hold(story->hosts, 25, MANY);
	story->main(story->hosts, h);
	host_release(h);
}

void tell(void (*main)(struct hosts *hosts, struct host_state *h))
{
	struct story story = { main, hosts_open() };

	loops_run(2, story_main, &story);
	for (struct host_state *h = story.hosts->all; h; h = h->hh.next)
		assert_int_equal(h->held, 0);
	hosts_close(story.hosts);
}

/* Something that is done on loop 1, in a fiber. */
struct errand {
	void (*run)(struct host_state *h);
	struct host_state *h;
	struct gate done;
	bool is_done;
};

static void errand_ended(void *arg)
{
	struct errand *e = arg;

	e->is_done = true;
	gate_open(&e->done);
}

static void errand_main(void *arg)
{
	struct errand *e = arg;

	e->run(e->h);
	loop_post(0, errand_ended, e);
}

static void errand_begin(void *arg)
{
	check(fiber_start("errand", errand_main, arg));
}

void waits elsewhere(void (*run)(struct host_state *h), struct host_state *h)
{
	struct errand e = { .run = run, .h = h };

	loop_post(1, errand_begin, &e);
	while (!e.is_done)
		check(gate_wait(&e.done, after_ms(SOON_MS)) == WAIT_DONE);
}

void later(struct hosts *hosts, int64_t ms)
{
	hosts_lock(hosts);
	hosts->ahead_ms += ms;
	hosts_unlock(hosts);
}

/* Is there a place for a mail?  Then it is taken. */
bool enters(struct host_state *h)
{
	struct guest g = { .kind = GUEST_MAIL };

	return host_enter(h, &g);
}

/* A connection that is served, or none. */
bool connects(struct host_state *h)
{
	if (!enters(h))
		return false;
	host_is_ready(h);
	return true;
}

unsigned connect_all(struct host_state *h)
{
	unsigned n = 0;

	while (connects(h))
		n++;
	return n;
}

void disconnect(struct host_state *h, unsigned n)
{
	while (n-- > 0)
		host_left(h, true);
}

/* One more is dialled and sent away. */
enum host_fullness is_sent_away(struct host_state *h)
{
	enum host_fullness full;

	check(enters(h));
	full = host_is_full(h, false);
	host_left(h, false);
	return full;
}
