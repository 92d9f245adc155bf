/*
 * A ledger: rows by name, written by all loops: a few numbers that only grow,
 * and a state with its reason and since when it has been so.
 *
 *	ledger_count(l, S("system b"), SYSTEM_DELIVERED, 1);
 *	ledger_say(l, S("system b"), SYSTEM_DOWN, S("connection refused"));
 *	rows = ledger_copy(l, arena, &n);
 *
 * For figures that people and monitors read.  Names are ours (what an
 * administrator has named), never a peer's.  When all rows are taken a new
 * name is not noted.  rt keeps the lock, for as long as it takes to add or to
 * copy; each call is whole by itself.
 */
#ifndef RT_LEDGER_H
#define RT_LEDGER_H

#include "base/arena.h"

enum { LEDGER_NUMBERS = 7, LEDGER_NOTE_BYTES = 256 };

struct ledger;

struct ledger_row {
	struct str name;
	uint64_t n[LEDGER_NUMBERS];
	int state;        /* 0 at first */
	int64_t since_ms; /* wall clock; 0: nothing was said yet */
	struct str note;  /* of what was said last */
	uint64_t used;    /* larger: counted or said later */
};

struct ledger *ledger_open(size_t most);
void ledger_close(struct ledger *l); /* NULL is allowed */
/* L may be NULL: nobody wants to know. */
void ledger_count(struct ledger *l, struct str name, size_t which, uint64_t n);
/* NOTE is cut at LEDGER_NOTE_BYTES, at a character. */
void ledger_say(struct ledger *l, struct str name, int state, struct str note);
/* All rows, in order of their first mention. */
struct ledger_row *ledger_copy(struct ledger *l, struct arena *arena,
			       size_t *n);

#endif
