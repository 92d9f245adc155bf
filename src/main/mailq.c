/*
 * mailq: what waits.  Who may read the queue reads it, whether there is a
 * server or not; everybody else asks the engine (smtp/listing.c).
 */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "deliver/peer.h"
#include "main/main.h"
#include "main/programs.h"
#include "rt/fiber.h"
#include "rt/loop.h"

struct inquiry {
	const char *socket;
	struct arena *arena;
	int status;
};

bool mailq_reads_queue(const struct call *c)
{
	struct arena *arena scoped(arena) = arena_open();

	return access(arena_printf(arena, "%s/queue.db", c->data), R_OK) == 0;
}

/* The lines of the reply as they come, without its code.  False: it ended badly. */
static bool waits copy_reply(struct stream *s, int64_t deadline_ms)
{
	for (;;) {
		struct str in = stream_bytes(s), line = in;
		ptrdiff_t end = str_find(in, '\n');

		if (end < 0) {
			if (stream_fill(s, deadline_ms) != STREAM_MORE)
				return fail("the engine went away: %s",
					    cause());
			continue;
		}
		line.n = (size_t)end;
		if (str_ends(line, S("\r")))
			line.n--;
		if (line.n < 4 || !str_starts(line, S("250")))
			return fail("%.*s", STR(line));
		printf("%.*s\n", STR(str_from(line, 4)));
		end++;
		if (line.p[3] == ' ')
			return true;
		stream_skip(s, (size_t)end);
	}
}

static bool waits ask(struct inquiry *q, struct peer *p)
{
	int64_t deadline_ms = after_ms(LIMIT_LISTING_MS);
	struct reply r;

	if (!peer_flush(p, deadline_ms) ||
	    !peer_reply(p, q->arena, &r, deadline_ms))
		return fail("the engine went away: %s", cause());
	if (r.code != 220)
		return fail("%.*s", STR(reply_line(&r, q->arena)));
	if (!peer_ask(p, q->arena, S("EHLO mailq\r\n"), &r, deadline_ms))
		return fail("the engine went away: %s", cause());
	stream_say(p->stream, S("XQUEUE\r\n"));
	return stream_flush(p->stream, deadline_ms) &&
	       copy_reply(p->stream, deadline_ms);
}

static void waits inquire(void *inquiry)
{
	struct inquiry *q = inquiry;
	struct stream *s =
		stream_dial_path(q->socket, after_ms(LIMIT_COMMAND_MS));
	struct peer *p;

	if (!s) {
		q->status = call_fail(EX_TEMPFAIL,
				      "mailq: %s; is `splitmail serve` "
				      "running?",
				      cause());
		return;
	}
	p = peer_new(s, "the engine", false);
	if (!ask(q, p))
		q->status = call_fail(EX_TEMPFAIL, "mailq: %s", cause());
	peer_close(p);
}

int mailq_main(const struct call *c)
{
	struct arena *arena scoped(arena) = arena_open();
	struct inquiry q = { .arena = arena,
			     .socket = programs_socket(c->data, arena) };

	if (mailq_reads_queue(c))
		return c->command((char *[]){ "queue", "list", NULL });
	loops_run(1, inquire, &q);
	return q.status;
}
