/*
 * Whom a header field names: From, Sender, Resent-From, Resent-Sender
 * (RFC 5322 3.4, 3.6.2).
 *
 *	authors_parse(S("Ann <a@x.test>, team: b@x.test;"), arena, &list, &n)
 *		"a@x.test", "b@x.test"
 *
 * Stricter than mailboxes.h, which takes what it can find for somebody who wants
 * to write: here it decides what somebody may say.
 *
 * Display names are not looked into, encoded or not; but what stands there
 * unquoted and has an '@' is named, too: clients differ in which of the two they
 * show.  Comments and white space are left out, old source routes too.
 */
#ifndef WIRE_AUTHORS_H
#define WIRE_AUTHORS_H

#include "base/arena.h"
#include "base/fail.h"

/* VALUE is unfolded (header_next()).  The addresses in ARENA, in order, as
 * they are written: for address_parse().  False: it cannot be told, or there
 * are more than LIMIT_AUTHORS; cause(). */
bool authors_parse(struct str value, struct arena *arena,
		   const struct str **out, size_t *n) must_check;

#endif
