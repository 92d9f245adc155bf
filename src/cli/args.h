/*
 * Arguments of one command, parsed by its usage line and its keys (the grammar
 * is in cli/cli.h, where the questions args_word() and args_option() are, too).
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/cli.h"

/* NULL: the arguments do not fit M, cause() says how.  The values are on loan
 * from ARGV. */
struct args *args_parse(struct arena *arena, const struct command *m, int argc,
			char **argv);

/* Setting number I, in the order they were given; false: there are fewer.
 * *KEY is NULL when the command knows none of this NAME. */
bool args_setting(const struct args *a, size_t i, const struct key **key,
		  struct str *name, struct str *value);

/* "mail-system" and "mail_system" are the same. */
bool same_name(struct str a, struct str b);
/* "mail_system" as options are written: "mail-system" */
const char *dashed(struct arena *arena, const char *name);
/* Does key K bear this name?  A list has one for one of it, too. */
bool key_is(const struct key *k, struct str name);
/* The next item of a usage line, as it stands: "[--relay HOSTS]..." */
bool usage_item(struct str *rest, struct str *item);

#endif
