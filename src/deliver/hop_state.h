/*
 * What this loop knows of next hops: does it answer, and how much may the queue
 * give it?  (Of single hosts: hosts.h.)
 */
#ifndef DELIVER_HOP_STATE_H
#define DELIVER_HOP_STATE_H

#include "deliver/inside.h"

/* One that fails after so long costs whoever tries it time. */
enum { HOP_SLOW_MS = 3000 };

/* Did this next hop fail to answer within the last seconds (and take long over
 * it, when ONLY_SLOW)?  Then why: on loan until the next wait. */
const struct reply *hop_resting(struct deliver *d, struct str key,
				bool only_slow);
/* None of its hosts took the mail: it rests, and all loops know. */
void hop_is_down(struct attempt *a, const struct reply *why, bool is_slow);
void hop_rest(struct deliver *d, struct str key, const struct reply *why,
	      bool is_slow);
/* It is down: why, on loan until the next wait, and when it was last tried in
 * vain (now_ms()).  NULL: it is not, as far as this loop knows. */
const struct reply *hop_failure(struct deliver *d, struct str key,
				int64_t *failed_ms);
void hop_answered(struct deliver *d, struct str key);
/* It takes mail, or answers questions: when it was down, what waits for it
 * shall not wait for its own time. */
void hop_came_back(struct deliver *d, const struct next_hop *hop,
		   struct arena *arena);
/* The engine starts, and mail waits: for whom it does, and who of them is down, is
 * not known any more.  Each is tried also with one message that is not due
 * yet, and when it takes that, what waits for it is due. */
void waits hops_recall(struct deliver *d);
/* Does any loop take it to be down? */
bool hop_is_noted_down(struct deliver *d, const struct next_hop *hop,
		       struct arena *arena);
/* An attempt from the queue begins, and ends; HAS_SETTLED something. */
void hop_retry_begins(struct deliver *d, struct str key);
void hop_retry_ends(struct deliver *d, struct str key, bool has_settled);
/* How many more the queue may begin now; one that an administrator has ordered
 * is tried even when it is down. */
unsigned hop_room(struct deliver *d, struct str key, bool is_ordered);
/* What the next hops that are known have room for, in ARENA; others have
 * hops_room_unknown. */
size_t hops_rooms(struct deliver *d, struct arena *arena,
		  const struct hop_room **out);
extern const unsigned hops_room_unknown;
/* Is one to be tried again that was down, or has one room again that had none
 * when the queue was last asked? */
/* When time alone will make that true; NEVER. */
int64_t hops_next_ms(const struct deliver *d);
bool hops_have_news(struct deliver *d);
/* None of them is down or rests. */
bool hops_are_well(const struct deliver *d);
void hops_close(struct deliver *d);

#endif
