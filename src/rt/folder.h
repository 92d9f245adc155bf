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
/* The same of one that is not there yet; false: cause(), FAIL_HELD if it is. */
bool folder_make_new_file(const char *path) must_check;
/* Is anything of that name there? */
bool folder_is_there(const char *path);
/* Remove a file; one that is gone already is fine. */
bool folder_remove(const char *folder, const char *name) must_check;
/* Remove NAME with all that is in it, without following links; what is gone
 * already is fine.  It blocks for as long as that takes. */
bool folder_erase(const char *folder, const char *name) must_check;
/* Move a file; FROM and TO are on one file system. */
bool folder_move(const char *from, const char *name, const char *to) must_check;
/* A sealed file is for reading only, and so says something of itself.  False:
 * it is not there, or it cannot be done; cause(). */
bool folder_seal(const char *folder, const char *name, bool sealed) must_check;
bool folder_is_sealed(const char *folder, const char *name);
/* The bytes of a file that can be read; false: cause(). */
bool folder_readable(const char *folder, const char *name,
		     uint64_t *bytes) must_check;
/* A file of a few bytes, whole or not at all.  Reading: up to ROOM with the
 * NUL; false: it is not there, or cause(). */
bool folder_note(const char *folder, const char *name,
		 const char *text) must_check;
bool folder_noted(const char *folder, const char *name, char *text,
		  size_t room) must_check;
/* Files that can still be made on FOLDER's file system; UINT64_MAX: it does
 * not count them. */
uint64_t folder_free_files(const char *folder);
/* Can its file system only be read? */
bool folder_is_read_only(const char *folder);
/* What SQLite calls the disk that folders are on (a VFS); NULL: the one it has
 * by itself. */
const char *folder_vfs(void);

/* One holder at a time, of all processes; it ends with its process at the
 * latest. */
struct lock;

/* NULL: somebody holds it, or it cannot be made; cause(). */
struct lock *lock_take(const char *path);
/* The same of a folder itself, which stays when files in it are replaced. */
struct lock *lock_take_folder(const char *path);
void lock_drop(struct lock *l); /* NULL is allowed */
/* A program that inherits this descriptor holds the lock, too, and so do the
 * programs it starts. */
int lock_fd(const struct lock *l);

#endif
