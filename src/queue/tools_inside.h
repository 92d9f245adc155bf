/*
 * What the files of tools.h share: tools.c (the statements, and what a filter
 * finds), tools_list.c (messages), tools_count.c (figures, and noticing),
 * tools_order.c (orders).
 *
 * Everything goes in pages of messages, each in a transaction of its own: a
 * long list does not keep the engine's log from being checkpointed, and orders
 * for a million messages do not keep the engine waiting.
 */
#ifndef QUEUE_TOOLS_INSIDE_H
#define QUEUE_TOOLS_INSIDE_H

#include "queue/store.h"
#include "queue/tools.h"

enum { TOOLS_PAGE = 500, MOST_NAMED = 10 }; /* messages */

enum statement {
	BEGIN,
	LOOK,
	COMMIT,
	NEXT_BY_DOMAIN,
	NEXT_BY_ID,
	NEXT_OF_ALL,
	NEXT_OF_MESSAGES,
	MESSAGE,
	RECIPIENTS,
	BODY,
	HEAD,
	LOADS,
	TOTAL,
	VERSION,
	CLOCK,
	MARK,
	DOMAINS,
	DEADLY,
	BODIES,
	ORDERS,
	RETRY = ORDERS + ORDER_RETRY,
	HOLD = ORDERS + ORDER_HOLD,
	RELEASE = ORDERS + ORDER_RELEASE,
	DELETE = ORDERS + ORDER_DELETE,
	BOUNCE = ORDERS + ORDER_BOUNCE,
	END_MESSAGE,
	END_BODY,
	STATEMENTS
};

struct tools {
	struct sql *sql; /* NULL: there is no queue yet */
	struct query st[STATEMENTS];
	struct spool spool;
	int64_t ahead_ms; /* the wall clock, of the queue's time */
	bool is_damaged;  /* was why the last statement failed */
	unsigned n_left_out;
	char left_out[MOST_NAMED * (ID_LETTERS + 2)]; /* their ids */
};

/* A filter as the statements take it. */
struct match {
	int64_t number; /* 0: any */
	struct str recipient, system, domain;
	bool has_next_hop;
	enum next_hop_kind next_hop;
	enum statement next;
};

struct page {
	int64_t number[TOOLS_PAGE];
	size_t n;
	bool is_last;
};

/* ---- statements: false: cause() ---- */

/* One that returns no row. */
bool tools_run(struct tools *t, enum statement which) must_check;
/* One that returns rows: *ROW says whether one came; the caller resets. */
bool tools_next_row(struct tools *t, enum statement which,
		    bool *row) must_check;
/* M, and the first two parameters; the others are unbound. */
struct query *tools_bind(struct tools *t, enum statement which,
			 const struct match *m, int64_t number, int64_t second);
/* A reading transaction begins; it, or one that writes, ends in vain. */
bool tools_look(struct tools *t) must_check;
void tools_undo(struct tools *t);
/* People read the wall clock; 0, by an order, is now. */
int64_t tools_as_wall(const struct tools *t, int64_t queue_ms);

/* ---- filters ---- */

/* F's strings stay F's, others are in ARENA.  *NONE: nothing can match.  False:
 * it is no filter, cause(). */
bool tools_match(const struct queue_filter *f, struct arena *arena,
		 struct match *out, bool *none) must_check;
/* The messages after LAST that match; where queue.db is damaged also such as do
 * not. */
bool tools_next_page(struct tools *t, const struct match *m, int64_t last,
		     struct page *page) must_check;

/* ---- damage ---- */

/* What is said of the last ones is forgotten. */
void tools_begin(struct tools *t);
/* Was damage why the last statement failed?  Then message NUMBER is noted as
 * left out. */
bool tools_leave_out(struct tools *t, int64_t number);

#endif
