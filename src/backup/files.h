/*
 * Files that are copied, whole and hashed on the way.  Nothing is synced file by
 * file, of which there are very many: disk_sync() when all are there.  These calls
 * block: for plain programs.
 */
#ifndef BACKUP_FILES_H
#define BACKUP_FILES_H

#include "base/arena.h"
#include "base/fail.h"

enum { SHA256_HEX = 64 };

enum file_kind {
	FILE_COPIED = 'c', /* its hash is known */
	FILE_LINKED = 'h', /* the same file under another name: only its size */
	FILE_SYMLINK = 'l' /* the hash is of where it leads */
};

struct file_made {
	enum file_kind kind;
	uint64_t bytes;
	char hash[SHA256_HEX + 1]; /* empty: it was not read */
};

/* What became of it. */
enum file_done {
	FILE_MADE,
	FILE_GONE,   /* there is none of that name (any more) */
	FILE_TROUBLE /* cause() */
};

/* The new file TO has what FROM has; a file of that name is replaced, at once. */
enum file_done file_copy(const char *from, const char *to,
			 struct file_made *out);
/* The same; it is one file where the file system allows it, else a copy.  HASHED:
 * it is read, too. */
enum file_done file_link(const char *from, const char *to, bool hashed,
			 struct file_made *out);
/* A symbolic link that leads to the same text. */
enum file_done file_link_text(const char *from, const char *to,
			      struct file_made *out);
/* Of the file or symbolic link at PATH: what it has. */
enum file_done file_read_hash(const char *path, struct file_made *out);

/* All that is in FOLDER and what it is called from there ("a/b"), folders before
 * what is in them and not themselves.  What comes and goes meanwhile may or may
 * not be among it.  False: EACH said so, or cause(). */
enum tree_kind { TREE_FOLDER, TREE_FILE, TREE_SYMLINK };
struct stat;
struct tree_entry {
	const char *path, *name; /* whole; from FOLDER */
	enum tree_kind kind;
	const struct stat *status;
};
bool tree_walk(const char *folder,
	       bool (*each)(void *arg, const struct tree_entry *e),
	       void *arg) must_check;
/* Make folder PATH, for its owner only; one that is there is fine. */
bool folder_new(const char *path) must_check;
/* All that was written to the disk that FOLDER is on is there after a power
 * cut. */
bool disk_sync(const char *folder) must_check;

#endif
