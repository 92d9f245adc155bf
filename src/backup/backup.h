/*
 * A backup of a data folder: made while that is used, looked at, and made a data
 * folder again.
 *
 *	FOLDER/manifest.json, files	what it consists of (manifest.h)
 *	FOLDER/directory.db, queue.db	each as of one moment
 *	FOLDER/spool/			the bodies that queue.db names
 *	FOLDER/splitmail.conf, tls/	as they are
 *	FOLDER/mail/			each mailbox as of one moment
 *
 * In this order: the directory first, so that each mailbox it names is copied
 * later, if it is there then; the queue next and mailboxes last, so that what goes
 * from the queue into a mailbox meanwhile is in both and not in neither.  A
 * restored queue is held: nobody gets by it what he had already.
 */
#ifndef BACKUP_BACKUP_H
#define BACKUP_BACKUP_H

#include "backup/manifest.h"

struct backup_wish {
	const char *data; /* the data folder */
	const char *to;   /* a new folder, or an empty one */
	const char *version, *hostname;
	bool without_mail, without_queue;
	bool hashed; /* messages that are linked are read, too */
};

/* In ARENA what it has become; false: cause(). */
bool backup_make(const struct backup_wish *w, struct arena *arena,
		 struct manifest *out) must_check;

/* Is the backup in FOLDER what it was made as?  WRONG is told each thing that is
 * not, as a sentence; *N: how many.  DEEP: also by reading every file.  False: it
 * is no backup, or cannot be read; cause(). */
bool backup_verify(const char *folder, bool deep, struct arena *arena,
		   void (*wrong)(void *arg, const char *sentence), void *arg,
		   struct manifest *out, uint64_t *n) must_check;

enum restored_queue {
	RESTORED_HELD, /* nothing of it is sent before somebody releases it */
	RESTORED_DROPPED,
	RESTORED_DUE /* it goes on: where nobody else has sent it since */
};

struct restore_wish {
	const char *from;                /* the backup */
	const struct manifest *manifest; /* as manifest_read() has it */
	const char *data; /* a new folder, an empty one, or one that an earlier
	                     restore of this backup has begun */
	bool is_root;
	unsigned uid, gid; /* whose it is to be */
	enum restored_queue queue;
	bool new_node; /* the server it was made of goes on */
};

/* Can be repeated when it was interrupted; until it has ended RESTORE_MARK lies in
 * the data folder.  False: cause(). */
bool restore_all(const struct restore_wish *w, struct arena *arena) must_check;
#define RESTORE_MARK "restore.unfinished"
/* In the data folder: when the last backup of it began, in ms since 1970. */
#define BACKUP_NOTE "backup.last"

/* The folder of one mailbox, FROM/mail/NAME, copied to TO, which is new, or has a
 * part of it. */
bool restore_mailbox(const char *from, const char *name, const char *to,
		     bool give, unsigned uid, unsigned gid) must_check;

#endif
