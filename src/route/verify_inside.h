/*
 * What verify.c and verify_kept.c share: how a verdict lies on its board.
 */
#ifndef ROUTE_VERIFY_INSIDE_H
#define ROUTE_VERIFY_INSIDE_H

#include "base/limits.h"
#include "route/verify.h"

enum { CONFIRMED_MS = 7 * 24 * 3600 * 1000 };

/* As it lies on the board; the reply's text follows. */
struct told {
	enum verdict verdict; /* the last one */
	enum verdict answer;  /* the last yes or no */
	int code;
	char status[12];
	int64_t at_ms;
	bool was_confirmed, is_saved;
	int64_t confirmed_ms, saved_ms;
	size_t system_bytes; /* of the key */
};

struct verification {
	struct board *confirmed, *detailed, *rest, *news;
	struct board *said; /* when RCPT was, of open questions */
	struct tally *open;
};

/* SYSTEM and ADDRESS as one key, on the stack. */
struct key {
	char c[LIMIT_PATH_BYTES + 1024];
	size_t n, system_bytes;
};

struct str verify_key(struct key *k, struct str system, struct str address);
/* Of those that were confirmed: where ADDRESS lies. */
struct board *verify_board(struct verification *v, struct str address);

static inline struct str note_of(const struct told *t)
{
	return (struct str){ (const char *)t, sizeof(*t) };
}

#endif
