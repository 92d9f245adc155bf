/*
 * What the nouns of the directory share: its handles, settings from words and
 * options, outcomes as exit status, names in JSON.
 */
#ifndef CLI_STORE_H
#define CLI_STORE_H

#include "cli/cli.h"
#include "directory/changes.h"
#include "directory/lists.h"
#include "show/show.h"

/* ---- settings for a change ---- */

struct settings {
	struct setting *s;
	size_t n, room;
};

#define SETTINGS_NONE { NULL, 0, 0 }

void settings_add(struct cli *c, struct settings *to, const char *key,
		  struct str value);
/* Each value of --OPTION as KEY; a flag as KEY=yes. */
void settings_option(struct cli *c, struct settings *to, const struct args *a,
		     const char *option, const char *key);
/* All values of --OPTION as one KEY, ", " between; nothing when not given. */
void settings_joined(struct cli *c, struct settings *to, const struct args *a,
		     const char *option, const char *key);
/* Words from FROM on, KEY=VALUE each. False: cause(). */
bool settings_words(struct cli *c, struct settings *to, const struct args *a,
		    size_t from) must_check;
/* With --password-stdin: KEY from standard input. False: cause(). */
bool settings_password(struct cli *c, struct settings *to,
		       const struct args *a, const char *key) must_check;

/* ---- running changes ---- */

/* CHANGE is an expression that uses the handle H. */
#define CLI_CHANGE(c, h, change) \
	do { \
		struct changes *h = cli_changes(c); \
		return h ? cli_outcome(c, h, change) \
			 : cli_refuse(c, "%s", cause()); \
	} while (0)

/* NULL: cause(). */
struct changes *cli_changes(struct cli *c);
/* Says what became of it and closes H. */
int cli_outcome(struct cli *c, struct changes *h, struct change r);

/* ---- looking ---- */

/* NULL: cause(). */
struct directory *cli_directory(struct cli *c);
/* "Our own trouble": cause(), and close D. */
int cli_trouble(struct cli *c, struct directory *d);

/* ---- users, groups, shared mailboxes: what their nouns share ---- */

/* One holder by address, as JSON with its addresses. */
int cli_show_holder(struct cli *c, enum holder_kind kind, const char *address);

#endif
