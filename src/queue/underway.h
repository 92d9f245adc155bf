/*
 * What is under way survives a death of the engine, so that no message kills
 * it for ever.
 *
 * The supervisor makes a shared memory, and the queue of each engine notes in
 * it which messages are claimed.  An engine that dies by a fault of its own
 * leaves them there, and the supervisor counts it against each of them:
 *
 *	1	it is tried again, like any other
 *	2	suspect: no other suspect is tried beside it
 *	3	the next engine holds it in the queue and says so
 *
 * Only the suspect that was begun last is charged with a third death: those
 * before it have stood their trial.  Who comes back from an attempt is
 * acquitted.  Everything else goes on meanwhile.  Nothing is on the disk: a
 * supervisor that starts anew knows of no deaths.
 *
 *	struct underway *u = underway_open(fd);
 *	if (underway_may_begin(u, number))
 *		underway_begin(u, number);
 *	...
 *	underway_end(u, number, true);
 *
 * Every call allows NULL: nobody counts.  One thread at a time.
 */
#ifndef QUEUE_UNDERWAY_H
#define QUEUE_UNDERWAY_H

#include "base/fail.h"

struct underway;

enum { FAULTS_SUSPECT = 2, FAULTS_HOLD = 3 };

/* ---- the supervisor's ---- */

/* A descriptor for the engine, or -1: cause(). */
int underway_make(void);
/* The engine has ended, by a fault of its own or otherwise. */
void underway_ended(int fd, bool by_fault);
/* How many messages were held until now: is there progress? */
uint64_t underway_held(int fd);

/* ---- the queue's ---- */

/* NULL: cause(). */
struct underway *underway_open(int fd);
void underway_close(struct underway *u);

/* Not while another suspect stands trial, nor when it has to be held. */
bool underway_may_begin(const struct underway *u, int64_t number);
void underway_begin(struct underway *u, int64_t number);
/* WAS_TRIED: it has come back from an attempt. */
void underway_end(struct underway *u, int64_t number, bool was_tried);

/* Each with deaths to its name.  HOLD says what became of it. */
enum underway_fate { UNDERWAY_STAYS, UNDERWAY_IS_HELD, UNDERWAY_IS_GONE };
void underway_judge(struct underway *u,
		    enum underway_fate (*judge)(void *arg, int64_t number,
						unsigned faults),
		    void *arg);

#endif
