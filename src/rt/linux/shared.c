/* Shared memory on Linux: a memfd (shared.h). */
#include "rt/shared.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* Above those that a child is given by number. */
enum { LEAST_FD = 10 };

int shared_make(const char *name, size_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC), high;

	if (fd < 0) {
		fail("make shared memory: %m");
		return -1;
	}
	high = fcntl(fd, F_DUPFD_CLOEXEC, LEAST_FD);
	close(fd);
	if (high >= 0 && ftruncate(high, (off_t)bytes) == 0)
		return high;
	fail("make shared memory: %m");
	if (high >= 0)
		close(high);
	return -1;
}

void *shared_map(int fd, size_t bytes)
{
	off_t there = lseek(fd, 0, SEEK_END);
	void *p;

	if (there < (off_t)bytes) {
		fail("descriptor %d is no shared memory of %zu bytes", fd,
		     bytes);
		return NULL;
	}
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		return p;
	fail("map shared memory: %m");
	return NULL;
}

void shared_unmap(void *p, size_t bytes)
{
	if (p)
		munmap(p, bytes);
}
