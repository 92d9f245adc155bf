/*
 * Where a program on this machine or another one listens, as administrators
 * write it: "unix:/run/opendkim/opendkim.sock", "inet:localhost:11332".
 *
 *	endpoint = ( "unix:" / "local:" ) path
 *		 / ( "inet:" / "inet6:" ) ( host ":" port / port "@" host )
 *
 * The second halves are what filters' own configuration has, so that a line of
 * it can be taken over.  host is one of wire/hosts.h; the path is absolute.
 */
#ifndef WIRE_ENDPOINT_H
#define WIRE_ENDPOINT_H

#include "wire/hosts.h"

struct endpoint {
	bool is_unix;
	struct str path;  /* of a Unix socket */
	struct host host; /* otherwise */
};

/* False: cause() quotes what is bad.  Strings are in ARENA. */
bool endpoint_parse(struct str text, struct arena *arena,
		    struct endpoint *out) must_check;
/* Canonical: "unix:PATH" or "inet:HOST:PORT". */
struct str endpoint_text(const struct endpoint *e, struct arena *arena);

#endif
