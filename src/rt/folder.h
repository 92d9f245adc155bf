/*
 * Folders, and who may use one: for starting up and for plain programs.
 * These calls block; inside a fiber use rt/file.h.
 *
 *	struct lock *l = lock_take("/var/lib/splitmail/queue.lock");
 *	if (!l)
 *		return fail("%s", cause());	another engine runs on it
 */
#ifndef RT_FOLDER_H
#define RT_FOLDER_H

#include "base/fail.h"

/* Make PATH, for its owner only, and make that survive a power cut.  One that
 * is there already is fine. */
bool folder_make(const char *path) must_check;
/* Make an empty file that only its owner can read, for libraries that would
 * make it themselves and for everybody.  One that is there already is fine. */
bool folder_make_file(const char *path) must_check;
/* Remove a file; one that is gone already is fine. */
bool folder_remove(const char *folder, const char *name) must_check;
/* Files that can still be made on FOLDER's file system; UINT64_MAX: it does
 * not count them. */
uint64_t folder_free_files(const char *folder);

/* One holder at a time, of all processes; it ends with its process at the
 * latest. */
struct lock;

/* NULL: somebody holds it, or it cannot be made; cause(). */
struct lock *lock_take(const char *path);
void lock_drop(struct lock *l);		/* NULL is allowed */

#endif
