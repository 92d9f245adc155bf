/*
 * aliases(5): who reads the mail of a host's own names, root and the like.
 *
 *	# comment
 *	postmaster: root
 *	root:       admin@example.org, "bob roe"@example.org,
 *		carol			a line that begins with a blank goes on
 *
 *	line   = name ":" target *("," target)
 *	target = address / name / unfit
 *	unfit  = "|" program / "/" file / ":include:" file / "\" name
 *
 * There is nothing here that could run a program, write into a file or deliver
 * to a user of the host: what is unfit is kept, for whoever has to say so.
 *
 *	aliases_parse(text, arena, &all, say_trouble, arg)
 *	const struct alias *a = aliases_find(&all, S("root"));
 *
 * Linear, whatever it is given; a few more bytes than TEXT has.
 */
#ifndef WIRE_ALIASES_H
#define WIRE_ALIASES_H

#include "base/arena.h"

struct alias {
	struct str name; /* lower case */
	const struct str *targets;
	size_t n;
	struct str unfit; /* the first such target; empty: none */
	size_t line;
};

struct aliases {
	struct alias *list; /* by name */
	size_t n;
};

/* All of it in ARENA.  TROUBLE hears of each line that is left out, and of each
 * target that is unfit. */
void aliases_parse(struct str text, struct arena *arena, struct aliases *out,
		   void (*trouble)(void *arg, size_t line, const char *what),
		   void *arg);
/* NAME in lower case.  NULL: there is none. */
const struct alias *aliases_find(const struct aliases *a, struct str name);

#endif
