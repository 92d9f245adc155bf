/*
 * Arguments of one command, parsed by its usage line (the grammar is in
 * cli/cli.h, where the questions args_word() and args_option() are, too).
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/cli.h"

/* NULL: the arguments do not fit USAGE, cause() says how.  The values are on
 * loan from ARGV. */
struct args *args_parse(struct arena *arena, const char *usage, int argc,
			char **argv);

#endif
