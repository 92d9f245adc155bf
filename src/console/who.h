/*
 * Who makes a request: what it shows of him, who that is, and what he may by his
 * role.
 */
#ifndef CONSOLE_WHO_H
#define CONSOLE_WHO_H

#include "console/handlers.h"

/* What a request shows of who makes it: its session's cookie, or a token. */
struct credentials {
	const char *session; /* or NULL */
	struct str token;
	bool is_unattended; /* no sign of a person: the session's idle
				   time goes on */
};

/* On loan from R. */
struct credentials credentials_of(struct request *r);
/* NO: nobody, or nobody any more.  What OUT points to is in ARENA. */
enum answer who_shows(const struct console *c, struct directory *d,
		      const struct credentials *shown, struct arena *arena,
		      struct who *out);
/* By role only. */
bool has_right(const struct who *who, enum right right);

#endif
