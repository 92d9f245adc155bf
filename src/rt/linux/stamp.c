/* Files that are what they were (stamp.h). */
#include "rt/stamp.h"

struct stamp stamp_of(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st) != 0)
		return (struct stamp){ .is_there = false };
	return (struct stamp){ true,       st.st_dev,  st.st_ino,
			       st.st_size, st.st_mtim, st.st_ctim };
}

static bool time_same(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool stamp_same(const struct stamp *a, const struct stamp *b)
{
	return a->is_there == b->is_there && a->device == b->device &&
	       a->number == b->number && a->bytes == b->bytes &&
	       time_same(a->written, b->written) &&
	       time_same(a->changed, b->changed);
}
