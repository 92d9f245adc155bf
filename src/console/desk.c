/*
 * Directory handles, lent and kept for the next (desk.h).
 */
#include "console/desk.h"

#include <pthread.h>
#include <stdlib.h>

enum { KEPT = 16 };

struct desk {
	const char *path;
	pthread_mutex_t lock;
	struct directory *kept[KEPT];
	size_t n;
};

struct desk *desk_open(const char *path)
{
	struct desk *d = must_alloc(sizeof(*d));

	*d = (struct desk){ .path = path };
	check(pthread_mutex_init(&d->lock, NULL) == 0);
	return d;
}

void desk_close(struct desk *d)
{
	if (!d)
		return;
	while (d->n > 0)
		directory_close(d->kept[--d->n]);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

struct directory *desk_borrow(struct desk *d)
{
	struct directory *handle = NULL;

	pthread_mutex_lock(&d->lock);
	if (d->n > 0)
		handle = d->kept[--d->n];
	pthread_mutex_unlock(&d->lock);
	return handle ? handle : directory_open(d->path);
}

void desk_return(struct desk *d, struct directory *handle)
{
	if (!handle)
		return;
	pthread_mutex_lock(&d->lock);
	if (d->n < KEPT) {
		d->kept[d->n++] = handle;
		handle = NULL;
	}
	pthread_mutex_unlock(&d->lock);
	directory_close(handle);
}
