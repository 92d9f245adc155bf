/*
 * Files that hold bodies: written and synced off the loop.
 *
 *	struct file *f = file_spool("/var/lib/splitmail/spool");  has no name
 *	file_add(f, bytes)					  parks
 *	file_keep(f, "q4f2a9.eml")				  synced, named
 *	file_close(f);
 *
 * An unnamed file vanishes when it is closed or the process dies.
 */
#ifndef RT_FILE_H
#define RT_FILE_H

#include "base/buf.h"
#include "rt/fiber.h"

struct file;

struct file *waits file_spool(const char *folder); /* O_TMPFILE */
struct file *waits file_open(const char *path);    /* to read */
struct file *waits file_create(const char *path);  /* made, or emptied */
void file_close(struct file *f);

bool waits file_add(struct file *f, struct str bytes) must_check;
/* Up to ROOM bytes from OFFSET; -1: cause(); 0: the end. */
ptrdiff_t waits file_read(struct file *f, uint64_t offset, char *to,
			  size_t room) must_check;
uint64_t file_bytes(const struct file *f);
/* Sync the bytes, give the file NAME in its folder, sync the folder.  True
 * means: it is there after a power cut.  Never retried after EIO. */
bool waits file_keep(struct file *f, const char *name) must_check;
bool waits file_remove(const char *folder, const char *name) must_check;
/* What was added is there after a power cut. */
bool waits file_sync(struct file *f) must_check;
/* The file FROM of FOLDER is called TO from now on, in place of what was. */
bool waits file_rename(const char *folder, const char *from,
		       const char *to) must_check;
/* The whole of a file of the system, MOST bytes at most, behind what is in TO;
 * from any thread, blocks: at start, or by offload(). */
bool file_text(const char *path, size_t most, struct buf *to) must_check;
/* Names in FOLDER, each passed to EACH; from any thread, blocks: at start. */
bool folder_list(const char *folder, void (*each)(void *, const char *),
		 void *arg) must_check;
/* Free bytes of the file system FOLDER is on; 0: it is not there. */
uint64_t folder_free_bytes(const char *folder);

#endif
