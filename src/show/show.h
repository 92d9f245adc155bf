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

#include "directory/deleted.h"
#include "directory/lists.h"
#include "publish/publish.h"
#include "queue/tools.h"
#include "route/recipient.h"
#include "rt/fiber.h"
#include "show/values.h"

/* By enum holder_kind: "user", "group", "shared". */
extern const char *const show_kinds[HOLDER_KINDS];

/* NULL: a question about what belongs to it failed, cause(). */
json_t *show_domain(struct directory *d, const struct domain_entry *e,
		    struct arena *arena);
json_t *show_system(struct directory *d, const struct system *e,
		    struct arena *arena);
/*
 * What the engine has learnt of a system's hosts: the question to it
 * (control/control.h), its answer as a list, and one of the list in words.
 * NULL (JSON's): it does not answer.
 */
const char *learnt_question(const char *system, struct arena *arena);
json_t *show_learnt(struct str answer);
struct str learnt_text(const json_t *one, struct arena *arena);
/* A user, group or shared mailbox with his addresses, forwards or members. */
json_t *show_holder(struct directory *d, const struct holder_entry *e,
		    struct arena *arena);
/* Is there a mailbox of HOLDER's here, as show_holder() shows him: has he a
 * member "used"? */
bool show_has_mailbox(const json_t *holder);
/*
 * Bytes that lie in the mailbox of LOGIN, of the server whose data folder is
 * DATA: Dovecot is asked, in a process of its own.  USED_UNKNOWN: it does not
 * say until the deadline.  Not for a fiber that may be cancelled.
 */
enum { USED_UNKNOWN = -1 };
int64_t waits mailbox_used(const char *data, const char *login,
			   int64_t deadline_ms) must_check;
json_t *show_used(int64_t used); /* null: unknown */
/* One who was deleted; HAS_MAIL: something of his lies on the disk. */
json_t *show_deleted(const struct deleted_entry *e, bool has_mail);
json_t *show_filter(const struct filter *f);
/* ...and whether it takes mail now; TROUBLE: why not, NULL: it does. */
void show_filter_now(json_t *filter, const char *trouble);
json_t *show_admin(const struct admin_entry *e);

/* What PLAN's domain publishes of its mail, and should. */
json_t *show_published(const struct publish_plan *plan,
		       const struct published *p, struct arena *arena);

/* Where an address goes, and why. */
json_t *show_decision(struct str recipient, const struct decision *d,
		      struct arena *arena);

/* Where what waits would go now; ROUTER: NULL: it cannot be asked. */
struct outlook {
	const struct router *router;
	size_t left; /* so many addresses more are looked at */
};
/* R is M's, whose arena has what is said; false: it was not asked. */
bool show_now(struct outlook *o, const struct message *m,
	      const struct recipient *r, struct decision *out);

/* A message that waits, as in a list of T's; and, M being in memory, with all
 * that is known of it. */
json_t *show_queued(const struct message *m, struct tools *t,
		    struct outlook *o);
json_t *show_queued_whole(const struct message *m, struct outlook *o);
/* "451 4.4.1 down (mx.b.example[192.0.2.1]:25)", or empty. */
struct str show_last_reply(const struct reply *reply, struct str remote,
			   struct arena *arena);
/* What we put in front and what came, up to the empty line. */
struct str show_header(const struct message *m);

#endif
