/*
 * A board: notes by key that all loops write and read; the oldest go.
 *
 *	board_write(b, key, S("what was said"));
 *	if (board_read(b, key, arena, &note)) ...
 *
 * For what one loop learns and another should know.  Each call is whole by
 * itself; between a read and a write somebody else may have written.  Peers
 * choose the keys: the hash is keyed (SipHash).  rt keeps the lock.
 */
#ifndef RT_BOARD_H
#define RT_BOARD_H

#include "base/arena.h"

struct board;

/* At most MOST notes: the one that was not used for longest makes room. */
struct board *board_open(size_t most);
void board_close(struct board *b); /* NULL is allowed */
/* A copy in ARENA; false: there is none. */
bool board_read(struct board *b, struct str key, struct arena *arena,
		struct str *note);
void board_write(struct board *b, struct str key, struct str note);
void board_erase(struct board *b, struct str key);
size_t board_notes(struct board *b);
/* Each note in turn, the one not used for longest first.  Under the lock: EACH
 * is quick and calls no board. */
void board_each(struct board *b,
		void (*each)(void *arg, struct str key, struct str note),
		void *arg);
/* The same, and they are taken off.  What is written meanwhile stays for the
 * next time; EACH may take as long as it likes. */
void board_drain(struct board *b,
		 void (*each)(void *arg, struct str key, struct str note),
		 void *arg);

#endif
