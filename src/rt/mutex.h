/*
 * Who of several threads goes first, for a few lines that do not wait; and what
 * the first of them makes for all.
 *
 *	mutex_take(&h->lock);
 *	h->n++;
 *	mutex_give(&h->lock);
 *
 *	static struct once made = ONCE;
 *	once_do(&made, make_table);
 */
#ifndef RT_MUTEX_H
#define RT_MUTEX_H

#include <pthread.h>

struct mutex {
	pthread_mutex_t m;
};

void mutex_open(struct mutex *m);
void mutex_close(struct mutex *m);
void mutex_take(struct mutex *m);
void mutex_give(struct mutex *m);

struct once {
	pthread_once_t o;
};

#define ONCE \
	{ \
		PTHREAD_ONCE_INIT \
	}

/* When it returns, CALL has returned, here or on another thread. */
void once_do(struct once *o, void (*call)(void));

#endif
