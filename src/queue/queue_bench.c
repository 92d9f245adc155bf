/*
 * How many messages a second are kept (by hand, not a test):
 *
 *	queue_bench FOLDER FIBERS SECONDS [BYTES] [settle]
 *
 * FOLDER is made and left behind.  With "settle" each message leaves again
 * at once, as in a queue that flows.
 */
#include <stdio.h>
#include <stdlib.h>

#include "queue/queue.h"
#include "rt/clock.h"
#include "rt/loop.h"

static struct queue *queue;
static int fibers;
static size_t bytes = 4096;
static bool settle;
static int64_t until_ms, slowest_us;
static char filling[1 << 20];

static struct message *make(void)
{
	struct message *m = message_new(queue_spool(queue));

	m->sender = S("someone@else.test");
	m->as = S("internet");
	m->helo = S("client.else.test");
	m->trace = S("Received: from client.else.test ([127.0.0.1])\r\n"
		     "\tby mx.own.test (Splitmail) with ESMTP id 2222;\r\n"
		     "\tMon, 23 Nov 2026 01:34:02 +0000\r\n");
	message_add(m, arena_strf(m->arena, "user%d@own.test",
				  (int)(m->arrived_wall_ms % 100000)))
		->next_attempt_ms = m->arrived_wall_ms + 300000;
	check(body_add(&m->body, (struct str){ filling, bytes }));
	return m;
}

static void keep_on(void *unused)
{
	while (now_ms() < until_ms) {
		struct message *m = make();
		int64_t begin = now_us(), took;

		check(queue_keep(queue, m, true, NULL, 0));
		took = now_us() - begin;
		if (took > slowest_us)
			slowest_us = took;
		m->recipients[0].state = RECIPIENT_DONE;
		if (settle)
			check(queue_settle(queue, m, NULL, 0));
		else
			queue_release(queue, m);
		message_drop(m);
	}
}

static void start(void *unused)
{
	for (int i = 0; i < fibers; i++)
		check(fiber_start("keep", keep_on, NULL));
}

int main(int argc, char **argv)
{
	int64_t begin = now_us(), us;
	uint64_t commits, kept;

	if (argc < 4)
		return 2;
	fibers = (int)strtol(argv[2], NULL, 10);
	bytes = argc > 4 ? strtoul(argv[4], NULL, 10) : bytes;
	check(bytes <= sizeof(filling));
	settle = argc > 5;
	queue = queue_open(argv[1]);
	if (!queue) {
		fprintf(stderr, "%s\n", cause());
		return 1;
	}
	printf("opened in %.1f ms\n", (double)(now_us() - begin) / 1e3);
	begin = now_us();
	until_ms = begin / 1000 + strtol(argv[3], NULL, 10) * 1000;
	loops_run(1, start, NULL);
	us = now_us() - begin;
	queue_counts(queue, &commits, &kept);
	printf("%d fibers, %zu bytes: %.0f kept/s, %.1f a commit, slowest "
	       "%.1f ms\n",
	       fibers, bytes, (double)kept * 1e6 / (double)us,
	       (double)kept / (double)commits, (double)slowest_us / 1e3);
	queue_close(queue);
	return 0;
}
