/*
 * Who may ask what: which route a request takes, who makes it, and whether he
 * may.
 */
#ifndef CONSOLE_ADMISSION_H
#define CONSOLE_ADMISSION_H

#include "console/handlers.h"

/* May it be made?  Asked at its head; r->route and r->who are known then.
 * False: *OUT. */
bool admit_request(struct request *r, struct response *out) must_check;
/* A body may have taken its time: who asks is asked again. */
bool admit_request_again(struct request *r, struct response *out) must_check;

/* What a request shows of who makes it: its session's cookie, or a token. */
struct credentials {
	const char *session;		/* or NULL */
	struct str token;
	bool is_unattended;	/* no sign of a person: the session's idle
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
bool is_write(const struct request *r);

#endif
