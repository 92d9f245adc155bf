/*
 * XQUEUE: what waits, for mailq(1) of a user who may not read the queue.  On the
 * Unix sockets only.
 *
 *	XQUEUE
 *	250-----Queue ID---- ...
 *	250 -- 3 Kbytes in 2 Requests.
 *
 * Each line is one of the text.  A queue may be long and its reader slow: the
 * text is made and sent a page at a time, by one deadline for all of it.
 */
#include "rt/log.h"
#include "rt/worker.h"
#include "show/mailq.h"
#include "smtp/session.h"

/* The lines of TEXT but the last, which is the reply's. */
static struct str say_lines(struct session *s, struct str text, bool is_last)
{
	struct str line = S("");

	while (str_split(&text, '\n', &line)) {
		if (is_last && str_empty(text))
			return line;
		stream_sayf(s->peer, "250-%.*s\r\n", STR(line));
	}
	return S("");
}

/* False: the peer is gone, or too slow. */
static bool waits say_page(struct session *s, const struct mailq *q,
			   int64_t deadline_ms, struct str *last)
{
	*last = say_lines(s, buf_str(q->to), q->ended);
	if (q->ended)
		*last = arena_str(s->line, *last);
	if (stream_flush(s->peer, deadline_ms))
		return true;
	s->is_lost = true;
	return false;
}

static struct reply waits list(struct session *s)
{
	struct buf text scoped(buf) = BUF_EMPTY;
	struct mailq q = { .data = s->server->settings->data, .to = &text };
	int64_t deadline_ms = after_ms(LIMIT_LISTING_MS);
	struct str last = S("");

	if (!say_all(s))
		return SILENCE;
	while (!q.ended) {
		buf_clear(&text);
		if (!offload(mailq_page, &q)) {
			log_error(s->part, "list the queue: %s", cause());
			return SAY(s, trouble);
		}
		if (!say_page(s, &q, deadline_ms, &last))
			return SILENCE;
	}
	return (struct reply){ .code = 250, .text = last };
}

struct reply on_queue(struct session *s, struct str arguments)
{
	const struct smtp_settings *settings = s->server->settings;
	struct reply r;

	if (!is_local(s) || !settings->data)
		return SAY(s, unknown_command);
	if (settings->queue_is_private && s->kind == SMTP_SENDMAIL &&
	    strcmp(s->user, "0") != 0)
		return SAY(s, queue_is_private);
	if (s->server->listings >= LIMIT_LISTINGS)
		return SAY(s, server_busy);
	s->server->listings++;
	r = list(s);
	s->server->listings--;
	return r;
}
