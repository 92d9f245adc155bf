/*
 * The processes of one Splitmail: subcommands that are not nouns.
 *
 * Each takes the arguments behind its own name and returns the exit status.
 */
#ifndef MAIN_MAIN_H
#define MAIN_MAIN_H

#include "main/config.h"

struct call {
	const char *data; /* the data folder */
	const char *self; /* path of our own binary */
	bool json;
	int argc;
	char **argv; /* argv[0] is the subcommand */
	/* A command that is none of these: its WORDS, NULL at the end. */
	int (*command)(char **words);
};

int init_main(const struct call *c);     /* make a data folder */
int backup_main(const struct call *c);   /* a copy of all that there is */
int restore_main(const struct call *c);  /* ...becomes a data folder */
int serve_main(const struct call *c);    /* supervise engine and Dovecot */
int engine_main(const struct call *c);   /* the data plane */
int console_main(const struct call *c);  /* the API and the web pages */
int is_made_main(const struct call *c);  /* has `init` been here? */
int as_user_main(const struct call *c);  /* become the user, exec the rest */
int convert_main(const struct call *c);  /* mailboxes of before */
int sendmail_main(const struct call *c); /* a message from stdin */
int sendmail_talk(const struct call *c); /* ...or SMTP from there */
/* mailq, sendmail -bp: what waits, for any user. */
int mailq_main(const struct call *c);
/* May he who calls read the queue himself? */
bool mailq_reads_queue(const struct call *c);
/* newaliases, sendmail -bi: what is wrong with the file of aliases. */
int newaliases_main(const struct call *c);

/* ---- call.c ---- */

/* The value of --NAME in the call, NULL when it is not there. */
const char *call_option(const struct call *c, const char *name);
/* A sentence on stderr; returns STATUS. */
int call_fail(int status, const char *format, ...) printf_like(2, 3);

#endif
