/* Files that SQLite has open, for rt/sim only. */
#ifndef RT_SIM_VFS_INSIDE_H
#define RT_SIM_VFS_INSIDE_H

#include <sqlite3.h>

#include "rt/sim/disk_inside.h"

enum { PATH_BYTES = 512, SHM_LOCKS = 8 };

struct sqlite_file {
	sqlite3_file base;
	struct held held;
	struct sim_process *process;
	struct node *node;
	int lock; /* SQLITE_LOCK_NONE... */
	bool has_shm;
	uint8_t shm_shared, shm_exclusive; /* its locks of the index, as bits */
	bool folder_is_due; /* to be synced with the first sync */
	bool delete_on_close;
	char path[PATH_BYTES];
};

int sqlite_lock(sqlite3_file *file, int lock);
int sqlite_unlock(sqlite3_file *file, int lock);
int sqlite_is_reserved(sqlite3_file *file, int *yes);
int sqlite_shm_map(sqlite3_file *file, int page, int bytes, int extend,
		   void volatile **at);
int sqlite_shm_lock(sqlite3_file *file, int first, int n, int flags);
void sqlite_shm_barrier(sqlite3_file *file);
int sqlite_shm_unmap(sqlite3_file *file, int delete_it);
/* All its locks, and its part of the index. */
void sqlite_leave(struct sqlite_file *f);

#endif
