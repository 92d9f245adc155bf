/*
 * Users and shared mailboxes that were deleted: what lies in their mailboxes is
 * kept for KEPT_DAYS, and so are they.
 *
 *	user_delete(c, S("bob@example.org"))
 *	deleted_restore(c, S("bob@example.org"), S(""))		he is back
 *	deleted_erase(c, S("bob@example.org"))			for good, now
 *
 * Whom is said by the address he had, or by the number in the list when several
 * had it.  Whoever removes the mail (`splitmail user sweep`) asks what is due,
 * removes the folders and says so:
 *
 *	deleted_due(c, false, arena, &all, &n)
 *	...
 *	deleted_is_gone(c, all[i].id)
 *
 * A row whose mailbox is being removed is never restored: it is marked in a
 * commit of its own first.
 */
#ifndef DIRECTORY_DELETED_H
#define DIRECTORY_DELETED_H

#include "directory/changes.h"

enum { KEPT_DAYS = 30 };

struct deleted_entry {
	int64_t id;
	enum holder_kind kind;
	struct str login, name;
	struct str domain;  /* its name by now; empty: it is gone */
	struct str mailbox; /* the folder below mail/, which may be missing */
	struct str deleted_by;
	int64_t deleted_at, until; /* seconds since 1970 */
};

struct deleted_filter {
	int64_t id;       /* 0: all */
	int64_t domain;   /* 0: all, those whose domain is gone too */
	int kind;         /* enum holder_kind; -1: all */
	struct str login; /* empty: all */
};

/* The youngest first; none that is erased. */
bool list_deleted(struct directory *d, const struct deleted_filter *f,
		  void (*each)(void *arg, const struct deleted_entry *e),
		  void *arg) must_check;
/* Is there anything to be removed? */
enum answer deleted_is_due(struct directory *d, bool only_erased);
/* The folder below mail/ of a holder, or empty. */
struct str holder_mailbox(struct directory *d, int64_t holder,
			  struct arena *arena);

/* To ADDRESS; empty: his own.  Other addresses and forwards come back as far as
 * they are still free and lead somewhere, and he is again in the groups he was
 * in, and sends as whom he might.  What led to him otherwise stays away. */
struct change deleted_restore(struct changes *c, struct str who,
			      struct str address);
struct change deleted_erase(struct changes *c, struct str who);
/* Deletes and erases who is there still. */
struct change holder_erase(struct changes *c, enum holder_kind kind,
			   struct str address);

struct deleted_due {
	int64_t id;
	const char *mailbox;
};
/* Marks them, so that nobody gets them back any more.  ONLY_ERASED: not those
 * whose time is over. */
bool deleted_due(struct changes *c, bool only_erased, struct arena *arena,
		 struct deleted_due **out, size_t *n) must_check;
/* One that was deleted a moment ago is due once more, for mail that was on its
 * way into it. */
bool deleted_is_gone(struct changes *c, int64_t id) must_check;

#endif
