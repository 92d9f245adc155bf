/*
 * What a filter may ask by name: macros, as sendmail and Postfix call them.
 *
 * Filters ask for more of them than for others with some steps (SETSYMLIST); all
 * that are known by then go with the first step that has them, and libmilter
 * finds what was said before.
 */
#ifndef FILTER_MACROS_H
#define FILTER_MACROS_H

#include "filter/filter.h"
#include "wire/milter.h"

/* The mail at hand, as far as it has come. */
struct filter_mail {
	const struct filter_client *client;
	struct str id, sender, recipient;
};

void macros_say(struct buf *to, enum milter_command step,
		const struct filter_mail *mail);
/* Its host, as a filter is told: "mx.b.example", "[192.0.2.1]", "localhost". */
struct str client_host(const struct filter_client *c, struct arena *arena);
/* Its address: a program of this machine has one, too. */
struct inet client_address(const struct filter_client *c);

#endif
