/*
 * For tests: route() as a specification.
 *
 * The world is a real directory.db, made through directory/changes.h as the
 * command line makes it.  Each line of a table asks one question and writes
 * the whole answer in one line:
 *
 *	deliver alice+x			the mailbox of alice, detail x
 *	relay b.example(bob@own.test)	system, and the recipient it is given
 *	relay mx:ext.test(...)		the Internet
 *	expand ... ...			legs in order; "*" before split shares
 *	refuse 550 5.1.1
 *	ask b.example(...)		relay, but that system is to be asked
 *	ask later b.example(...)	relay; asked in the background
 */
#ifndef ROUTE_TEST_WORLD_H
#define ROUTE_TEST_WORLD_H

#include "base/test.h"
#include "directory/changes.h"
#include "route/guard.h"
#include "route/route.h"

typedef struct change make_function(struct changes *c, struct str name,
				    const struct setting *s, size_t n);

/* One command: make(name, "key=value key=value"). */
struct line {
	make_function *make;
	const char *name, *settings;
};

extern struct changes *changes;
extern struct router router;
extern struct guard *guard;
extern struct arena *arena;

/* Group set-up and tear-down. */
int world_open(void **unused);
int world_close(void **unused);
const char *world_file(void); /* directory.db */

void make(const struct line *l);

struct address address_of(const char *mailbox);
struct asker asker_of(const char *text);
/* Ask Q for RECIPIENT, expect the line, fail with the reasons. */
struct decision decide(const struct question *q, const char *recipient,
		       const char *expected);
void expect(const char *asker, const char *recipient, const char *expected);

struct answer_line {
	const char *asker, *recipient, *expected;
};

void expect_all(const struct answer_line *l, size_t n);

#define EXPECT_ALL(...) \
	do { \
		static const struct answer_line lines[] = { __VA_ARGS__ }; \
		expect_all(lines, array_size(lines)); \
	} while (0)

#endif
