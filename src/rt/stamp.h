/*
 * Whether a file is the one it was: by its number, size and times.
 *
 *	struct stamp now = stamp_of(path);
 *
 *	if (!stamp_same(&now, &seen))
 *		...read it, and keep NOW as SEEN
 *
 * Times alone do not tell: a clock of the kernel's may tick only each four
 * milliseconds.  Taken before the file is read: what changes meanwhile is seen at
 * the next look.
 */
#ifndef RT_STAMP_H
#define RT_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

struct stamp {
	bool is_there;
	dev_t device;
	ino_t number;
	off_t bytes;
	struct timespec written, changed;
};

/* PATH NULL: of no file. */
struct stamp stamp_of(const char *path);
bool stamp_same(const struct stamp *a, const struct stamp *b);

#endif
