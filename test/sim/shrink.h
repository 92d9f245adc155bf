/*
 * A world that is wrong, made small: fewer clients, mishaps, systems, mails,
 * addresses, and less that is out of the common, as long as what is wrong first
 * is of the same kind.
 */
#ifndef TEST_SIM_SHRINK_H
#define TEST_SIM_SHRINK_H

#include "base/buf.h"
#include "one_world.h"

struct shrunk {
	struct buf without;     /* names, for --without */
	struct outcome outcome; /* of the small world */
	size_t entries, left;   /* of the plan, and of the small one */
	unsigned tried;         /* worlds */
	double seconds;
	bool is_done; /* less cannot be left out one by one */
};

/* The kind of what is wrong: the sentence without its numbers and names. */
void verdict_kind(const char *verdict, char *to, size_t room);
/* In about so many seconds.  shrunk_free() afterwards. */
void shrink(uint64_t seed, const struct outcome *wrong, double seconds,
	    struct shrunk *s);
void shrunk_free(struct shrunk *s);

#endif
