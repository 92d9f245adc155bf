/*
 * "Did you mean ...": the nearest of some words, and what the rest of the
 * field calls our commands (guesses.def).
 *
 *	struct guesses g = guesses_begin(S("relais"));
 *	guesses_try(&g, "relay");
 *	guesses_end(&g)			"relay"; NULL: none is near
 */
#ifndef CLI_GUESS_H
#define CLI_GUESS_H

#include "base/str.h"

struct guesses {
	struct str word;
	const char *best;
	unsigned distance;
};

struct guesses guesses_begin(struct str word);
/* CANDIDATE stays as long as the guesses. */
void guesses_try(struct guesses *g, const char *candidate);
const char *guesses_end(const struct guesses *g);

/* What FIRST (and SECOND, which may be NULL) stand for: "queue list", or a
 * sentence; both NULL: nothing known. */
struct meant {
	const char *command, *sentence;
};
struct meant guess_command(const char *first, const char *second);
/* The verb that VERB stands for elsewhere; NULL: none. Call with I from 0 on,
 * since "add" may be "create" or "set". */
const char *guess_verb(const char *verb, size_t i);

#endif
