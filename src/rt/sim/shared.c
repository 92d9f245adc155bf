/* Shared memory of a host: it outlives its processes, not a power cut. */
#include "rt/shared.h"

#include <stdlib.h>
#include <utlist.h>

#include "rt/sim/world_inside.h"

struct shared_memory {
	struct shared_memory *next;
	int fd;
	size_t bytes;
	char *c;
};

int shared_make(const char *name, size_t bytes)
{
	struct sim_host *h = host_here();
	struct shared_memory *m = must_alloc(sizeof(*m));

	(void)name;
	*m = (struct shared_memory){ .fd = h->shared ? h->shared->fd + 1 : 10,
				     .bytes = bytes,
				     .c = calloc(1, bytes) };
	check(m->c);
	LL_PREPEND(h->shared, m);
	return m->fd;
}

void *shared_map(int fd, size_t bytes)
{
	struct shared_memory *m;

	LL_FOREACH (host_here()->shared, m)
		if (m->fd == fd && m->bytes >= bytes)
			return m->c;
	fail("descriptor %d is no shared memory of %zu bytes", fd, bytes);
	return NULL;
}

void shared_unmap(void *p, size_t bytes)
{
	(void)p;
	(void)bytes;
}

void shared_close(struct sim_host *h)
{
	struct shared_memory *m, *next;

	LL_FOREACH_SAFE(h->shared, m, next)
	{
		free(m->c);
		free(m);
	}
	h->shared = NULL;
}
