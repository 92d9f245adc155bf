/*
 * What probes.c and probe_turns.c share: an open question, and the crowd of all
 * that are open to one system on this loop.
 */
#ifndef DELIVER_PROBES_INSIDE_H
#define DELIVER_PROBES_INSIDE_H

#include "base/hash.h"
#include "deliver/probe.h"
#include "deliver/probes.h"

enum urgency {
	URGENCY_NOW,
	URGENCY_GUESS, /* of a client who was refused, or asks for many */
	URGENCY_LATER, /* nobody waits */
	URGENCY_SPENT, /* of a client who has spent his allowance */
};
enum { URGENCIES = URGENCY_SPENT + 1 };

struct line_up {
	struct open_probe *first, *last;
};

/* All that are open to one system. */
struct crowd {
	UT_hash_handle hh;
	unsigned n, n_of[URGENCIES], running;
	struct line_up lines[URGENCIES]; /* who waits for his turn */
	size_t key_bytes;
	char key[]; /* system_key() */
};

struct open_probe {
	struct open_probe *prev, *next;
	UT_hash_handle hh; /* in all->open, when it is there */
	struct probes *all;
	struct crowd *crowd;
	struct arena *arena;
	struct leg leg;         /* ours, with its strings */
	struct str system, key; /* system_key(), address_key() */
	struct str question;    /* both */
	struct inet client;     /* has_client: who caused it */
	bool has_client;
	enum urgency urgency;
	struct fiber *fiber;
	unsigned waiting;
	bool is_open;   /* others may join it */
	bool is_asleep; /* not begun: it may be begun beside it */
	bool is_running, is_over;
	bool has_taken; /* a turn of those who guess */
	bool is_lined_up;
	struct open_probe *ahead, *behind; /* in its line */
	struct gate turn, over;
};

struct probes {
	struct deliver *deliver;
	struct open_probe *first;
	struct open_probe *open;   /* by question, those that may be joined */
	struct open_probe *asleep; /* likewise, those that have not begun */
	struct crowd *crowds;
	unsigned n, n_of[URGENCIES];
	bool is_stopping;
	struct gate end;  /* one ended */
	struct gate stop; /* no more are begun */
};

/* ---- probe_turns.c ---- */

/* NULL: nothing is open to it. */
struct crowd *crowd_of(struct probes *all, struct str system);
/* P, whose system and urgency are set. */
void crowd_join(struct open_probe *p);
void crowd_leave(struct open_probe *p);

/* Until it is this one's turn; false: not before the deadline, or cancelled. */
bool waits turn_take(struct open_probe *p, int64_t deadline_ms);
/* It need not have had one. */
void turn_end(struct open_probe *p);
/* It is more urgent than it was, wherever it stands. */
void turn_hurry(struct open_probe *p, enum urgency u);

#endif
