/*
 * What a backup consists of.
 *
 *	FOLDER/files		a line for each file: how it was made, SHA-256
 *				(or "-"), bytes, path
 *	FOLDER/manifest.json	of what, when, how much, and the hash of `files`;
 *				written last, so that a folder without it is no
 *				backup
 *
 * A path has "\n" and "\\" for a line feed and a backslash.
 */
#ifndef BACKUP_MANIFEST_H
#define BACKUP_MANIFEST_H

#include <stdio.h>

#include "backup/files.h"

struct manifest {
	char id[33];         /* of this backup, hexadecimal */
	const char *version; /* of the Splitmail that made it */
	const char *hostname, *node;
	int64_t made_ms; /* wall clock: when it began */
	bool has_mail, has_queue;
	uint64_t files, bytes;        /* all in `files` */
	uint64_t mailboxes, messages; /* folders of mail/; in the queue */
	uint64_t unsteady; /* mailboxes that changed all the time: theirs is of
	                      several moments */
	char list_hash[SHA256_HEX + 1];
};

struct manifest_writer {
	const char *folder;
	FILE *list;
	uint64_t files, bytes;
};

bool manifest_begin(struct manifest_writer *w, const char *folder) must_check;
bool manifest_add(struct manifest_writer *w, const char *path,
		  const struct file_made *made) must_check;
/* The rest of M is the caller's. */
bool manifest_end(struct manifest_writer *w, struct manifest *m) must_check;

/* False: it is no backup, or not a whole one; cause().  In ARENA. */
bool manifest_read(const char *folder, struct arena *arena,
		   struct manifest *out) must_check;
/* Each file of it. False: EACH said so, or cause(). */
bool manifest_each(const char *folder,
		   bool (*each)(void *arg, const char *path,
				const struct file_made *made),
		   void *arg) must_check;

#endif
