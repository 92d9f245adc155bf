/*
 * What there is, as JSON: the same members with the same names in the command
 * line (--json) and in the HTTP API (openapi.json).  Who shows it may add to
 * it or take away what the reader has no right to.
 *
 *	json_t *o = show_domain(d, entry, arena);
 *
 *	if (!o)
 *		...our own trouble: cause()
 *
 * Objects are new references.  Passwords are never in them, only whether
 * there is one.
 */
#ifndef SHOW_SHOW_H
#define SHOW_SHOW_H

#include "directory/lists.h"
#include "queue/message.h"
#include "route/route.h"
#include "show/values.h"

/* By enum holder_kind: "user", "group", "shared". */
extern const char *const show_kinds[HOLDER_KINDS];

/* NULL: a question about what belongs to it failed, cause(). */
json_t *show_domain(struct directory *d, const struct domain_entry *e,
		    struct arena *arena);
json_t *show_system(struct directory *d, const struct system *e,
		    struct arena *arena);
/* A user, group or shared mailbox with his addresses, forwards or members. */
json_t *show_holder(struct directory *d, const struct holder_entry *e,
		    struct arena *arena);
json_t *show_admin(const struct admin_entry *e);

/* Where an address goes, and why. */
json_t *show_decision(struct str recipient, const struct decision *d,
		      struct arena *arena);

/* A message that waits, as in a list; and with all that is known of it. */
json_t *show_queued(const struct message *m);
json_t *show_queued_whole(const struct message *m);
/* "451 4.4.1 down (mx.b.example[192.0.2.1]:25)", or empty. */
struct str show_last_reply(const struct reply *reply, struct str remote,
			   struct arena *arena);
/* What we put in front and what came, up to the empty line. */
struct str show_header(const struct message *m);

#endif
