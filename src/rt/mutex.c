/* Mutexes: the kernel's, which all threads of one world find free. */
#include "rt/mutex.h"

#include "base/check.h"

void mutex_open(struct mutex *m)
{
	check(pthread_mutex_init(&m->m, NULL) == 0);
}

void mutex_close(struct mutex *m)
{
	pthread_mutex_destroy(&m->m);
}

void mutex_take(struct mutex *m)
{
	pthread_mutex_lock(&m->m);
}

void mutex_give(struct mutex *m)
{
	pthread_mutex_unlock(&m->m);
}

void once_do(struct once *o, void (*call)(void))
{
	pthread_once(&o->o, call);
}
