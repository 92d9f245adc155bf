/*
 * What the nouns of the directory share: its handles, settings from words and
 * options, outcomes as exit status, names in JSON.
 */
#ifndef CLI_STORE_H
#define CLI_STORE_H

#include "cli/cli.h"
#include "directory/changes.h"
#include "directory/lists.h"
#include "route/guard.h"
#include "show/show.h"

/* ---- settings for a change ---- */

struct settings {
	struct setting *s;
	size_t n, room;
};

#define SETTINGS_NONE \
	{ \
		NULL, 0, 0 \
	}

void settings_add(struct cli *c, struct settings *to, const char *key,
		  struct str value);
/* All that was given, --password-stdin included. False: cause(). */
bool settings_given(struct cli *c, struct settings *to,
		    const struct args *a) must_check;

/* Has `init` made a directory that whoever calls may use?  False: cause(), with
 * what to do. */
bool cli_is_there(struct cli *c) must_check;

/* ---- running changes ---- */

/* CHANGE is an expression that uses the handle H. */
#define CLI_CHANGE(c, h, change) \
	do { \
		struct changes *h = cli_changes(c); \
		return h ? cli_outcome(c, h, change) \
			 : cli_refuse(c, "%s", cause()); \
	} while (0)

/* With --clean what leads to something that is deleted goes along:
 * CLI_CHANGE(c, h, (cli_cleans(h, a), user_delete(h, ...))) */
#define CLI_CLEAN_HELP \
	"What leads there (forwards, groups, catch-alls, rights of an " \
	"administrator) is named and keeps it; --clean takes that away along."
void cli_cleans(struct changes *h, const struct args *a);
/* NULL: cause(). */
struct changes *cli_changes(struct cli *c);
/* Says what became of it and closes H. */
int cli_outcome(struct cli *c, struct changes *h, struct change r);

/* RENAME OLD NEW [--drop-old]: words 0 and 1. */
int cli_rename(struct cli *c, enum holder_kind kind, const struct args *a);
#define CLI_RENAME_HELP \
	"Forwards, groups, catch-alls and administrators take the new address; " \
	"mail, password and groups stay; open sessions end. --drop-old: mail to " \
	"the old address is refused from then on, also what waits in the " \
	"queue. Back again: `splitmail change undo`."

/* ---- looking ---- */

/* NULL: cause(). */
struct directory *cli_directory(struct cli *c);
/* "Our own trouble": cause(), and close D. */
int cli_trouble(struct cli *c, struct directory *d);

/* What asks route() in the server's place; it knows nothing of what other
 * systems said. */
struct cli_router {
	struct router router;
	struct guard *guard;
};
/* False: cause(), and there is nothing to close. */
bool cli_router_open(struct cli *c, struct cli_router *r) must_check;
void cli_router_close(struct cli_router *r);

/* ---- domains and systems: what their nouns share ---- */

/* OBJECT (taken over), and what the engine has learnt of the hosts or the system
 * that its member KEY names. */
int cli_show_learnt(struct cli *c, json_t *object, const char *key);

/* ---- users, groups, shared mailboxes: what their nouns share ---- */

/* One holder by address, as JSON with its addresses. */
int cli_show_holder(struct cli *c, enum holder_kind kind, const char *address);

/* ---- users and shared mailboxes that were deleted ---- */

/* WHO [--clean] [--erase], asked on a terminal and told what becomes of the
 * mail. */
int cli_delete(struct cli *c, enum holder_kind kind, const struct args *a);
int cli_deleted(struct cli *c, enum holder_kind kind);
int cli_restore(struct cli *c, const struct args *a); /* WHO [--as ADDRESS] */
int cli_erase(struct cli *c, const struct args *a);   /* WHO */
#define CLI_DELETED_HELP \
	"WHO is the address, or the number in the list when several had it. " \
	"Group memberships do not come back; addresses and forwards do as far " \
	"as they are still free and lead somewhere."
/* Remove the mail of those whose time is over; ONLY_ERASED: not theirs. */
int cli_sweep(struct cli *c, bool only_erased);

#endif
