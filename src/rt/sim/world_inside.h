/*
 * A world from inside, for rt/sim only.
 *
 *	event_at(at_us, call, arg)	CALL runs in the loop, outside any fiber;
 *					ARG is freed if the world ends first
 *	event_own_at(...)		the same, unless our process is gone
 *	draw(n)				0..n-1, of the world's seed
 *
 * A fiber's home is a place: a lane of a process, or its threads.  What the
 * kernel would take back when a process ends is a held thing.
 */
#ifndef RT_SIM_WORLD_INSIDE_H
#define RT_SIM_WORLD_INSIDE_H

#include "rt/fiber_inside.h"
#include "rt/own_inside.h"
#include "rt/sim/sim.h"

enum { SIM_SIGNALS = 8, SIM_ADDRESSES = 8, MS = 1000, SECOND = 1000000 };

struct event;

struct dice {
	uint64_t state;
};

struct held {
	struct held *prev, *next;
	/* The process is gone: the thing forgets it, but is not freed where
	 * the process's memory points at it. */
	void (*lose)(struct held *h);
};

struct place {
	struct sim_process *process;
	int index;          /* of the lane; -1: a thread, which may block */
	struct post *posts; /* loop.c */
	bool begun;
};

struct sim_process {
	struct sim_process *next;
	struct sim_host *host;
	const char *name;
	int number;
	void (*program)(void *);
	void *arg;
	struct place thread;
	struct place *lanes;
	int n_lanes;
	int kept;             /* fibers and posted calls of the lanes */
	struct fiber *runner; /* waits for the lanes to end */
	struct held *held;
	size_t descriptors, most_descriptors;
	int signals[SIM_SIGNALS];
	bool arrived[SIM_SIGNALS];
	int n_signals;
	struct fiber *signal_waiter;
	struct errands *pool; /* worker.c */
	struct dice dice;
	struct own own;
	bool ended, killed;
};

struct sim_host {
	struct sim_host *next;
	const char *name;
	struct inet addresses[SIM_ADDRESSES];
	size_t n_addresses;
	int64_t wall_less_now_ms;
	int64_t wall_stands_ms; /* 0: it goes */
	int64_t booted_us;
	unsigned boots;
	bool is_off;
	size_t backlog;
	uint16_t last_port;
	struct disk *disk;
	struct listener *listeners;
	struct socket_path *paths;    /* listener.c */
	struct shared_memory *shared; /* shared.c */
};

struct world {
	bool is_open;
	uint64_t seed;
	struct dice dice;
	int64_t now_us, began_us; /* the story's first */
	struct sim_host *hosts, *localhost;
	struct sim_process *processes, *outside;
	int processes_made;
	bool somebody_died;
	struct net *net;
	/* The power of the host we are on goes now; does not come back to a
	 * fiber of it. */
	void (*cut_power)(void);
};

/* ---- here.c ---- */

extern struct world sim_world; /* one at a time */

bool world_is_there(void);
/* Since it began. */
int64_t story_us(void);
struct world *world_here(void);
struct place *place_here(void);
struct sim_process *process_here(void);
struct sim_host *host_here(void);
/* The host a process or world is on that says ADDRESS; NULL: nobody. */
struct sim_host *host_of(struct sim_host *from, const struct inet *address);

uint64_t dice_next(struct dice *d);
uint64_t dice_below(struct dice *d, uint64_t n);
uint64_t draw(uint64_t n);

/* False: too many descriptors; cause(). */
bool descriptor_take(const char *what);
void descriptor_give(struct sim_process *p);
struct sim_process *hold(struct held *h, void (*lose)(struct held *));
void hold_end(struct sim_process *p, struct held *h);

/* ---- trace.c ---- */

void trace_open(uint64_t seed);
void trace_bytes(const char *what, uint64_t number, const char *p, size_t n);

/* ---- events.c ---- */

struct event *event_at(int64_t at_us, void (*call)(void *), void *arg);
struct event *event_own_at(int64_t at_us, void (*call)(void *), void *arg);
/* It has not come yet, and does not. */
void event_forget(struct event *e);
/* CALL(ARG) as the place WHERE. */
struct event *event_of_place(struct place *where, int64_t at_us,
			     void (*call)(void *), void *arg);
void events_close(void);
/* INT64_MAX: none. */
int64_t events_next(void);
/* Those that are due. */
void events_run(int64_t now_us);

/* ---- turn.c ---- */

/* The fibers of P are. */
void drop_dead(struct sim_process *p);
/* Those of all who were killed; between two steps. */
void bury(void);

/* ---- of the parts, when a world opens and closes ---- */

void net_open(struct world *w);
void net_close(struct world *w);
void host_listeners_close(struct sim_host *h);
void disk_open(struct sim_host *h);
void disk_close(struct sim_host *h);
void disk_cut(struct sim_host *h);
void shared_close(struct sim_host *h);
void errands_close(struct sim_process *p);
void vfs_open(void);
void tls_open(void);
void libraries_open(struct world *w);

#endif
