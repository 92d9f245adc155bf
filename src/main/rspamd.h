/*
 * A private Rspamd, run like Dovecot: while there is an enabled filter that
 * listens at rspamd_socket() (filter/rspamd.h; `splitmail filter enable rspamd`
 * makes it), from the second on in which somebody says so.
 *
 *	/etc/rspamd/		the rules of the package
 *	DATA/rspamd/local.d/	what is wanted otherwise here, as Rspamd's manual has
 *				it; a first word of it is written once
 *	DATA/rspamd/override.d/	ours: sockets, the log, name servers, what it signs
 *	DATA/rspamd/dkim/	ours: keys (rspamd_dkim.h)
 *	DATA/rspamd/db, run/	Rspamd's own
 *
 * Mail does not wait for it to come up: until then, and without the package, the
 * filter is down, and its when_down says what that means.
 */
#ifndef MAIN_RSPAMD_H
#define MAIN_RSPAMD_H

#include "main/child.h"
#include "rt/privileges.h"

struct rspamd {
	const struct config *config;
	const char *self;
	const struct person *person;
	const bool *engine_ended; /* which may still ask it */
	/* Zero at first: */
	struct gate news;
	struct child child;
	/* Of the directory, as the files of keys are. */
	uint64_t keys_version, keys_mark;
	bool has_keys; /* those files, of this start */
	bool is_wanted, ends, has_none, has_no_keys;
};

/* A fiber's: until *ENGINE_ENDED, and it has, too. */
void waits rspamd_run(void *rspamd);

#endif
