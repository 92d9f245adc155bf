/*
 * What waits, as mailq(1) shows it (mailq.h).
 */
#include "show/mailq.h"

#include "base/limits.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "show/show.h"

enum { PAGE = 200 }; /* messages */

const char mailq_headings[] =
	"----Queue ID---- ----Size---- ----Arrival Time--- "
	"-Sender/Recipient-------\n";

static const char *safe(const struct message *m, struct str text)
{
	return log_safe(m->arena, text, LIMIT_REPLY_BYTES);
}

void mailq_add_message(struct buf *to, const struct message *m)
{
	buf_printf(to, "%-16s %12llu %-20s %s\n", m->id,
		   (unsigned long long)m->body.bytes,
		   date_iso(m->arrived_wall_ms).c,
		   str_empty(m->sender) ? "MAILER-DAEMON" : safe(m, m->sender));
}

static void add_recipient(struct buf *to, const struct message *m,
			  const struct recipient *r)
{
	struct str reply = show_last_reply(&r->reply, r->remote, m->arena);

	if (!str_empty(reply))
		buf_printf(to, "%18s(%s)\n", "", safe(m, reply));
	buf_printf(to, "%48s%s%s\n", "", safe(m, r->address),
		   r->held ? " (held)" : "");
}

void mailq_add_end(struct buf *to, uint64_t messages, uint64_t bytes)
{
	if (!messages)
		buf_add(to, S("Mail queue is empty\n"));
	else
		buf_printf(to,
			   "%16sTotal requests: %llu\n"
			   "-- %llu Kbytes in %llu Request%s.\n",
			   "", (unsigned long long)messages,
			   (unsigned long long)(bytes + 1023) / 1024,
			   (unsigned long long)messages,
			   messages == 1 ? "" : "s");
}

static void add(void *mailq, const struct message *m)
{
	struct mailq *q = mailq;

	if (!q->messages++)
		buf_add(q->to, str_of(mailq_headings));
	q->bytes += m->body.bytes;
	memcpy(q->after, m->id, sizeof(q->after));
	mailq_add_message(q->to, m);
	for (size_t i = 0; i < m->n; i++)
		add_recipient(q->to, m, &m->recipients[i]);
	buf_add_char(q->to, '\n');
}

bool mailq_page(void *mailq)
{
	static const struct queue_filter all = { 0 };
	struct mailq *q = mailq;
	uint64_t before = q->messages;
	struct tools *t = tools_open(q->data);
	bool ok = t && tools_page(t, &all, str_of(q->after), PAGE, add, q);

	tools_close(t);
	q->ended = q->messages - before < PAGE;
	if (ok && q->ended)
		mailq_add_end(q->to, q->messages, q->bytes);
	return ok;
}
