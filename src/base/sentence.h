/*
 * A sentence and its values, apart: what is said here in English can be said
 * in any language by whoever gets the values.
 *
 *	struct str s = sentence_fill(
 *		S("{n} user of {domain} waits.|{n} users of {domain} wait."),
 *		VALUES(V("n", n), V("domain", name)), arena);
 *
 * {name} stands for a value of that name; "one|other" is chosen by {n}.  A
 * list is said as "a, b", and as "a, b and 31 more" where {n} counts more than
 * the list has.  `./dev lint` checks that the values of a call are those of
 * its sentence (directory/refusals.def and its like).
 */
#ifndef BASE_SENTENCE_H
#define BASE_SENTENCE_H

#include "base/arena.h"

struct texts {
	const struct str *p;
	size_t n;
};

enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_LIST };

struct value {
	const char *name; /* NULL behind the last one */
	enum value_kind kind;
	union {
		struct str text;
		int64_t number;
		struct texts list;
	};
};

/* V("name", a string, a number or a list) */
#define V(name, v) \
	_Generic((v), struct str: value_str, char *: value_cstr, \
		 const char *: value_cstr, struct texts: value_texts, \
		 int: value_number, unsigned: value_number, \
		 long: value_number, unsigned long: value_number, \
		 long long: value_number, unsigned long long: value_number) \
	(name, v)
#define VALUES(...) \
	((const struct value[]){ __VA_ARGS__ __VA_OPT__(, ){ .name = NULL } })

static inline struct value value_str(const char *name, struct str v)
{
	return (struct value){ name, VALUE_TEXT, { .text = v } };
}

static inline struct value value_cstr(const char *name, const char *v)
{
	return value_str(name, str_of(v));
}

static inline struct value value_texts(const char *name, struct texts v)
{
	return (struct value){ name, VALUE_LIST, { .list = v } };
}

static inline struct value value_number(const char *name, int64_t v)
{
	return (struct value){ name, VALUE_NUMBER, { .number = v } };
}

/* NULL when there is none of this name. */
const struct value *value_find(const struct value *values, const char *name);
/* A copy with all it points at (of NULL: an empty one); texts are cut at
 * LIMIT_VALUE_BYTES. */
const struct value *values_keep(const struct value *values, struct arena *a);

/* A value that the sentence lacks aborts: it is a bug of ours. */
struct str sentence_fill(struct str sentence, const struct value *values,
			 struct arena *a);

#endif
