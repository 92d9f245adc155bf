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
void board_close(struct board *b);	/* NULL is allowed */
/* A copy in ARENA; false: there is none. */
bool board_read(struct board *b, struct str key, struct arena *arena,
		struct str *note);
void board_write(struct board *b, struct str key, struct str note);
void board_erase(struct board *b, struct str key);
size_t board_notes(struct board *b);

#endif
