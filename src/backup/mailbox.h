/*
 * One mailbox, as it was at one moment, while Dovecot and its owner use it.
 */
#ifndef BACKUP_MAILBOX_H
#define BACKUP_MAILBOX_H

#include "backup/manifest.h"

struct mailbox_wish {
	const char *from, *to; /* the mailbox's folder; where it is put, new */
	const char *name;      /* what TO is called in the manifest */
	bool hashed;           /* messages are read, too */
};

/* *STEADY: it is of one moment.  False: cause(). */
bool mailbox_copy(const struct mailbox_wish *w, struct manifest_writer *to,
		  bool *steady) must_check;

#endif
