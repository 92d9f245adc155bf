/* What books.c writes down and judge*.c judge. */
#ifndef TEST_SIM_BOOKS_INSIDE_H
#define TEST_SIM_BOOKS_INSIDE_H

#include "books.h"

struct taken {
	int unit, person, taker;
	int hop; /* where its first Splitmail sent it:
					   see struct said_leg */
	int64_t at_ms;
};

struct books {
	struct unit **units;
	struct taken *taken, *open;
	size_t n_units, n_taken, n_open;
	unsigned dsns;
};

enum { PASSED = 16 };

extern struct books books;

/* What was put in front of a unit's text; false: it is not there as it was. */
bool unit_head(const struct unit *u, struct str bytes, struct str *head);
/* The Splitmails whose traces are in HEAD, the first one first. */
int splitmails_passed(struct str head, int passed[], int most);
/* The taker to whom the first of them handed it, as far as it left a trace; -1:
 * none. */
int taker_behind_the_first(struct str head);

/* As soon as it can be said. */
void judge_rcpt(const struct unit *u, int i);
void judge_end(const struct unit *u);
void judge_taken(const struct taken *t, struct str bytes);
void judge_warning(const struct unit *u, int person);
void judge_praise(const struct unit *u, int person);
/* FRONT is what a notice says before it names PERSON. */
void judge_orcpt(const struct unit *u, int person, struct str front);
void judge_envid(const struct unit *u, struct str notice);

#endif
