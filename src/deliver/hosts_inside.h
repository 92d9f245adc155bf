/*
 * What hosts.c and places.c share: the one lock over all hosts, and what lies
 * behind it.  Facts are read without it.
 */
#ifndef DELIVER_HOSTS_INSIDE_H
#define DELIVER_HOSTS_INSIDE_H

#include <stdatomic.h>

#include "base/hash.h"
#include "deliver/hosts.h"
#include "rt/mutex.h"

enum { ROWS_OF_ONE = 4 }; /* systems that share a host, shown */

/* A loop's part of a host. */
struct part {
	/* This loop's alone; who came first is first. */
	struct guest *first[GUEST_KINDS], *last[GUEST_KINDS];
	unsigned waiting, questions; /* of them */
	unsigned askers;             /* of the questions: host_ask() let them */
	unsigned places;
	_Atomic unsigned idle;
	bool is_posted; /* a call, or a plea, is on its way */
	struct host_state *host;
	int loop;
};

struct fact {
	_Atomic unsigned value;
	_Atomic int64_t until_ms; /* now_ms() */
	int64_t since_ms;         /* wall clock */
	int64_t failed_ms;        /* host_failed_at(), the first time within a
	                             day; 0: not */
};

struct host_state {
	UT_hash_handle hh;
	struct hosts *hosts;
	unsigned held;
	struct fact facts[HOST_FACTS];
	unsigned most; /* places, when nothing is known */
	unsigned places, ready, asking;
	bool was_asked;    /* since a mail that waited had its place */
	unsigned changes;  /* how often something came free */
	unsigned silences; /* how often it was found silent */
	/* Some were sent away and nobody is served: those who are on their way
	 * will tell. */
	bool is_undecided;
	unsigned limit_before; /* of connections, while is_doubtful */
	/* The limit may be the host's end: nobody was served since it was
	 * found. */
	_Atomic bool is_doubtful;
	int64_t sent_away_ms, left_ms;
	int64_t rest_until_ms;
	_Atomic unsigned waiting; /* guests of all loops */
	struct part *parts;
	struct owner {
		char *row, *name;
	} owners[ROWS_OF_ONE];
	size_t n_owners;
	size_t key_bytes;
	char key[];
};

struct plea {
	void (*close)(void *arg, struct host_state *h);
	void *arg;
};

struct hosts {
	struct mutex lock;
	struct host_state *all; /* not held for longest first */
	struct plea *pleas;     /* of each loop */
	int64_t ahead_ms;       /* of the clock: for tests of what takes days */
};

static inline int64_t host_now_ms(const struct host_state *h)
{
	return now_ms() + h->hosts->ahead_ms;
}

void hosts_lock(struct hosts *hosts);
void hosts_unlock(struct hosts *hosts);
/* host_learn() of who has the lock. */
void host_learn_locked(struct host_state *h, enum host_fact f, unsigned value);

#endif
