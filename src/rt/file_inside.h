/*
 * Files from inside rt: what both implementations share, and what each of them
 * does on a thread that may wait for the disk.  The struct is that of whichever
 * is built.
 */
#ifndef RT_FILE_INSIDE_H
#define RT_FILE_INSIDE_H

#ifdef RT_SIM
#include "rt/sim/file_inside.h"
#else
#include "rt/linux/file_inside.h"
#endif

/* A write or a sync has failed: whoever comes later fails for the same reason.
 * Always false. */
bool file_spoil(struct file *f);

/* ---- of each implementation ---- */

struct transfer {
	struct file *file;
	struct str bytes;
	char *to;
	size_t room;
	uint64_t offset;
	ptrdiff_t got;
};

bool file_add_now(void *transfer);
bool file_read_now(void *transfer);

struct naming {
	struct file *file;
	const char *folder, *name;
	const char *to; /* its new name */
};

bool file_keep_now(void *naming);
bool file_remove_now(void *naming);
bool file_rename_now(void *naming);

bool file_sync_now(void *file);

#endif
