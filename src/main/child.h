/*
 * A program that the supervisor keeps running: started again when it dies, slower
 * when it falls at once, ended when all is to end.
 *
 *	struct child c = { .name = "engine", .news = &gate, .stopping = &stop,
 *			   .tells_ready = true };
 *	memcpy(c.argv, argv, sizeof(argv));
 *	fiber_start(c.name, child_keep, &c);
 *	...
 *	stop = true;
 *	child_stop(&c, 60000);
 *
 * One that never came up ends the whole, unless it may fail: its reason is on
 * stderr and a restart will not mend it.
 */
#ifndef MAIN_CHILD_H
#define MAIN_CHILD_H

#include "main/config.h"
#include "rt/fiber.h"
#include "rt/process.h"

struct child {
	const char *name;
	const char *argv[12];            /* argv[0] NULL: there is none */
	struct gate *news;               /* it became ready or ended */
	const bool *stopping;            /* not started again; opens NEWS */
	bool tells_ready;                /* writes a line on CHILD_READY_FD */
	bool (*is_answering)(void *arg); /* instead: asked until it is */
	void *arg;
	bool may_fail;            /* the others do without it */
	const char *logged_as;    /* its stderr is for our log (rt/process.h) */
	int shared_fd, shared_as; /* for it; 0: none */
	int underway_fd;          /* notes of what it has under way, shared
					   with it (queue/underway.h); 0: none */
	/* Zero at first: */
	struct process *process; /* while it runs */
	bool is_ready, has_ended;
	bool has_failed; /* at least once, before it was ready */
	int status;      /* of its last end */
	unsigned falls;  /* in a row */
	int64_t pause_ms;
	uint64_t held; /* messages, as of the last fall */
};

enum { CHILD_READY_FD = 3, CHILD_UNDERWAY_FD = 4 };

/* A fiber's: until *STOPPING, or it does not come up. */
void waits child_keep(void *child);
/* To all of its processes SIGTERM, and what has not ended after WITHIN_MS is
 * killed. */
void waits child_stop(struct child *c, int64_t within_ms);
/* When it runs. */
void child_signal(struct child *c, int signal);

#endif
