/*
 * Help, made of the tables that commands are parsed by.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/cli.h"

/* In the order of nouns.def; one with the noun NULL begins a group, NAME is its
 * title.  Ends with both NULL. */
struct listed_noun {
	const struct noun *noun;
	const char *title;
};
extern const struct listed_noun cli_nouns[];

const struct noun *find_noun(const char *name);
const struct command *find_command(const struct noun *n, const char *verb);
/* "token", "create" -> the command "token create" */
const struct command *find_command_of_two(const struct noun *n,
					  const char *first,
					  const char *second);
const struct process *find_process(const struct cli *c, const char *name);

/* "splitmail user set USER SETTING...", no line longer than 80 characters;
 * BEFORE stands in front of it. */
void help_usage(FILE *to, const char *before, const struct noun *n,
		const struct command *m);
void help_command(FILE *to, const struct noun *n, const struct command *m);
void help_noun(FILE *to, const struct noun *n);

#endif
