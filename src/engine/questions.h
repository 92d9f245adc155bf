/*
 * What the engine answers on its control socket (control/control.h).
 *
 *	struct questions q = { .status = {...}, .n_lanes = 2,
 *			       .look_at_lane = look_at_lane, .arg = engine };
 *	struct control c = { .answer = questions_answer, .arg = &q };
 *
 * "status" (status.h): a round through all lanes asks each for what it alone
 * knows; the answer is written off the loop, since it may be long.
 * "pulse": the same round, and nothing of what the disk has to be asked for,
 * {"sessions": 3}.  Who gets no answer knows that a lane hangs.
 * "learnt NAME", of a system or of a relay's hosts: what is known of its hosts
 * (deliver/hosts.h), {"learnt": [{host, name, what, value, since, until}]}.
 * "wake NAME": a destination of the Internet that rests is tried now; the answer has
 * "woken", true or false.
 * "look": somebody has changed the queue or the directory, and what waits is
 * looked at now and not in its time, {}.
 */
#ifndef ENGINE_QUESTIONS_H
#define ENGINE_QUESTIONS_H

#include "engine/status.h"
#include "rt/fiber.h"

struct hosts;

struct questions {
	struct hosts *hosts;
	struct health *health;
	struct status status; /* what no lane has to be asked for */
	int n_lanes;
	/* On the lane's own loop: its sessions, and EACH of its next hops with
	 * connections. */
	void (*look_at_lane)(void *arg, int lane,
			     struct smtp_sessions *sessions,
			     void (*each)(void *each_arg, struct str name,
					  unsigned in_use, unsigned idle),
			     void *each_arg);
	void (*look_now)(void *arg);
	/* False: there is none of that name that rests. */
	bool (*wake)(void *arg, struct str destination);
	void *arg;
};

/* On loop 0.  False: there is no such question. */
bool waits questions_answer(void *questions, struct str question,
			    struct buf *out);

#endif
