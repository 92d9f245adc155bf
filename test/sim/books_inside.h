/* What books.c writes down and judge.c judges. */
#ifndef TEST_SIM_BOOKS_INSIDE_H
#define TEST_SIM_BOOKS_INSIDE_H

#include "books.h"

struct taken {
	int unit, person, taker;
	int64_t at_ms;
};

struct books {
	struct unit **units;
	struct taken *taken, *open;
	size_t n_units, n_taken, n_open;
	unsigned dsns;
};

extern struct books books;

/* As soon as it can be said. */
void judge_rcpt(const struct unit *u, int i);
void judge_end(const struct unit *u);
void judge_taken(const struct unit *u, int person, int taker, struct str bytes);

#endif
