/*
 * A host's disk from inside, for rt/sim only.
 *
 * Everything is there twice: as the programs see it (now), and as a power cut
 * would at least leave it (kept).  What was changed and not synced stands in
 * between, in order: changes of bytes with their file, changes of names with
 * the disk.  A sync carries over what it covers; a power cut draws what else
 * has come through.
 *
 * Invariants:
 *  1. A file's bytes survive by node_sync() of the file, its name by
 *     folder_sync() of the folder; neither does the other's work.
 *  2. Of what was not synced any part of the bytes may survive, in sectors,
 *     and of each folder's names the first so many changes.
 *  3. After a sync that failed nothing written before it survives, and the
 *     next sync says that all is well, as Linux does.
 *
 * Calls return false with errno set.  All may block (rt/sim/sim.h).
 */
#ifndef RT_SIM_DISK_INSIDE_H
#define RT_SIM_DISK_INSIDE_H

#include <sys/types.h>

#include "base/buf.h"
#include "rt/sim/world_inside.h"

enum { SECTOR_BYTES = 512, NAME_BYTES = 256 };

struct node;

struct entry {
	struct entry *next;
	struct node *node;
	char name[];
};

struct node {
	struct node *prev, *next; /* of the disk */
	struct disk *disk;
	uint64_t number;
	unsigned refs; /* entries, handles, changes of names */
	unsigned mode;
	uint64_t changed; /* larger: later */
	bool is_folder;
	struct buf now, kept; /* a file's bytes */
	struct change *changes;
	struct entry *entries, *kept_entries;
	struct sim_process *lock;    /* lock_take() */
	struct sqlite_state *sqlite; /* vfs_lock.c */
};

struct disk {
	struct sim_disk conduct;
	struct node *root, *nodes;
	struct renaming *renamings; /* not synced */
	uint64_t last_number, bytes, files;
};

/* ---- disk_conduct.c ---- */

struct disk *disk_here(void);
/* A change of the disk is about to be made: it takes time, and may fail. */
bool disk_change_begin(int64_t most_us, uint64_t fail_in);
/* It was made: power may be cut here. */
void disk_change_made(void);
bool disk_has_room(struct disk *d, uint64_t more_bytes);

/* ---- disk.c and disk_bytes.c ---- */

/* The process is on a host whose power is on, or is gone by now. */
struct node *node_find(const char *path);
/* The folder PATH is in, and its name there. */
struct node *node_folder_of(const char *path, char name[NAME_BYTES]);
struct node *node_in(struct node *folder, const char *name);
/* A file without a name; whoever has it gives it back. */
struct node *node_new(bool is_folder, unsigned mode);
void node_keep(struct node *n);
void node_release(struct node *n);

bool name_link(struct node *folder, const char *name, struct node *n);
bool name_unlink(struct node *folder, const char *name);
/* In place of what is called so there. */
bool name_move(struct node *from, const char *name, struct node *to,
	       const char *new_name);
bool folder_sync(struct node *folder);

/* How many; never -1 but for EIO. */
ssize_t node_read(struct node *n, uint64_t offset, char *to, size_t room);
bool node_write(struct node *n, uint64_t offset, const char *p, size_t bytes);
bool node_resize(struct node *n, uint64_t bytes);
bool node_sync(struct node *n);

/* ---- disk_bytes.c, for disk.c ---- */

void bytes_forget(struct node *n);
/* What a power cut leaves: none of what was not synced, all, or a draw. */
enum mercy {
	MERCY_NONE,
	MERCY_ALL,
	MERCY_DRAWN,
};
void bytes_cut(struct node *n, enum mercy mercy);

/* ---- vfs_lock.c ---- */

void sqlite_forget(struct node *n);

#endif
