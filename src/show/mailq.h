/*
 * What waits as Postfix's mailq(1) shows it, for whoever may not read the queue
 * himself: a page at a time, in constant memory.
 *
 *	struct mailq m = { .data = "/var/lib/splitmail", .to = &text };
 *	while (m.more ...)
 *		if (!offload(mailq_page, &m))
 *			...cause()
 *		...send *m.to, and clear it
 *
 * Its last lines are those that Nagios' check_mailq counts by, Sendmail's and
 * Postfix's.
 */
#ifndef SHOW_MAILQ_H
#define SHOW_MAILQ_H

#include "queue/tools.h"

struct mailq {
	const char *data; /* the data folder */
	struct buf *to;   /* lines, with LF */
	char after[sizeof(((struct message *)0)->id)];
	uint64_t messages, bytes;
	bool ended; /* there is no more */
};

/* Blocks.  MAILQ is a struct mailq; false: cause(). */
bool mailq_page(void *mailq);

/* The parts, for who shows more of each. */
extern const char mailq_headings[];
/* "ID size time sender"; control
 * characters are shown as such. */
void mailq_add_message(struct buf *to, const struct message *m);
/* "-- 3 Kbytes in 2 Requests." */
void mailq_add_end(struct buf *to, uint64_t messages, uint64_t bytes);

#endif
