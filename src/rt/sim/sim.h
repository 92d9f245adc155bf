/*
 * Simulated worlds: rt's second implementation, chosen when linking.
 *
 *	sim_open(seed);
 *	struct sim_host *mx = sim_host("mx", "192.0.2.1");
 *	struct sim_host *relay = sim_host("relay", "192.0.2.9");
 *	sim_link(mx, relay)->latency_us = 20000;
 *	p = sim_start(mx, "engine", engine_program, &engine);
 *	sim_run(after_ms(60000));
 *	sim_power_cut(mx);
 *	...
 *	printf("%016" PRIx64 "\n", sim_trace());
 *	sim_close();
 *
 * A world is hosts with disks and clocks, the links between them, processes on
 * the hosts, and one clock that jumps to the next thing that happens when
 * nobody can run.  All of it is one thread.  Whatever could come one way or
 * the other (who runs next, how long a piece of bytes takes, what a power cut
 * leaves of what was not synced) is drawn from the seed: two runs of one seed
 * are equal, and sim_trace() says so.
 *
 * A process is what a program has on Linux: a first fiber (its main thread),
 * lanes (loops_run()), workers, connections, open files, locks.  Whoever is in
 * no process, such as a unit test's main(), is in one on the host "localhost".
 *
 * With seed 0 fibers run in the order in which they became ready.
 *
 * What a killed process had on its heap is not given back.
 */
#ifndef RT_SIM_SIM_H
#define RT_SIM_SIM_H

#include <stdint.h>

#include "base/inet.h"
#include "base/str.h"

struct sim_host;
struct sim_process;

/* ---- a world ---- */

/* One at a time. */
void sim_open(uint64_t seed);
void sim_close(void);
/* For decisions of the world: 0..n-1. */
uint64_t sim_draw(uint64_t n);
/* One in N, N being 0: never. */
bool sim_chance(uint64_t n);

/* ---- what happened ---- */

/* All that was told so far, in 64 bits. */
uint64_t sim_trace(void);
/* A line of the trace. */
void sim_tell(const char *format, ...) printf_like(1, 2);
/* HEAR gets each line from now on ("12.000345 mx: ..."); NULL: nobody. */
void sim_hear(void (*hear)(void *arg, const char *line), void *arg);
/* Log lines go there instead of to standard error. */
void sim_hear_log(void (*hear)(void *arg, struct sim_host *h, struct str lines),
		  void *arg);

/* ---- the web ---- */

/* What there is by HTTPS at HOST from now on, whatever the path and the world's
 * time; NULL: nothing, nowhere. */
void sim_https(const char *host, const char *text);

/* ---- time ---- */

enum sim_end {
	SIM_IDLE, /* nothing will ever happen by itself */
	SIM_TIME, /* the instant has come */
};

/* Until UNTIL_MS of now_ms(), or until nothing more can happen.  Not from a
 * fiber. */
enum sim_end sim_run(int64_t until_ms);
/* One fiber, or one jump of the clock to an instant not after UNTIL_US. */
bool sim_step(int64_t until_us);
/* The machines of this world, when it begins: their clock has gone so long.  Told
 * are instants of the story, which begins at 0. */
void sim_have_been_up(int64_t ms);
int64_t sim_story_ms(void);
/* From now on its wall clock says this. */
void sim_set_wall(struct sim_host *h, int64_t wall_ms);
/* It stands, or goes on from where it stood. */
void sim_hold_wall(struct sim_host *h, bool stands);
/* What a call that blocks does: another thread sleeps, a lane holds up all. */
void sim_block_us(int64_t us);

/* ---- hosts ---- */

/* ADDRESSES are separated by blanks; there are 127.0.0.0/8 and ::1 besides. */
struct sim_host *sim_host(const char *name, const char *addresses);
/* By its name; NULL: there is none. */
struct sim_host *sim_host_named(const char *name);
const char *sim_host_name(const struct sim_host *h);
/* All its processes are gone at once, peers hear nothing of it, and of the disk
 * what was synced is left, and some of the rest. */
void sim_power_cut(struct sim_host *h);
/* Nothing reaches it, or leaves it, until it is on again. */
void sim_power_on(struct sim_host *h);
bool sim_is_on(const struct sim_host *h);

/* ---- processes ---- */

/* PROGRAM(ARG) is its first fiber; with it the process ends. */
struct sim_process *sim_start(struct sim_host *h, const char *name,
			      void (*program)(void *), void *arg);
bool sim_has_ended(const struct sim_process *p);
/* kill -9: no further line of it runs; the kernel closes its connections. */
void sim_kill(struct sim_process *p);
/* A signal, for signal_wait(); one that nobody watches has no effect. */
void sim_signal(struct sim_process *p, int number);
/* The process in which we are. */
struct sim_process *sim_process(void);
struct sim_host *sim_process_host(struct sim_process *p);
/* At most N descriptors (streams, listeners, files), as RLIMIT_NOFILE. */
void sim_limit_descriptors(struct sim_process *p, size_t n);
/* How many it has open. */
size_t sim_descriptors(const struct sim_process *p);

/* What process_run() does: RUN answers for the program. */
struct buf;
struct process_plan;
void sim_programs(bool (*run)(void *arg, const struct process_plan *plan,
			      struct buf *said, int *status),
		  void *arg);
/* COMES_BY is called at each place that rt/fault.h names, in the fiber that
 * comes by: it may kill the process, or cut the power, there. */
void sim_watch_places(void (*comes_by)(void *arg, const char *place,
				       struct str what),
		      void *arg);

/* ---- the network ---- */

/* How a link carries what one host sends to another; each direction has its
 * own.  All zero: at once and whole, as on one machine. */
struct sim_link {
	int64_t latency_us, jitter_us;
	uint64_t bytes_per_s; /* 0: as many as there are */
	size_t piece_bytes;   /* at most at once; 0: whole */
	uint64_t reset_in;    /* one piece in so many resets */
	uint64_t hang_in;     /* or hangs the connection for good */
	bool is_down;         /* nothing passes; TCP tries again */
	bool is_refused;      /* new connections are, at once */
};

struct sim_link *sim_link(struct sim_host *from, struct sim_host *to);
/* For links that nobody has asked for yet. */
struct sim_link *sim_link_default(void);
/* All connections between the two are reset. */
void sim_reset_between(struct sim_host *a, struct sim_host *b);
/* Connections that wait to be accepted; beyond, SYNs go unanswered. */
void sim_backlog(struct sim_host *h, size_t n);
/* Connections that are open, of all hosts. */
size_t sim_connections(void);

/* ---- disks ---- */

struct sim_disk {
	uint64_t room_bytes; /* ENOSPC beyond */
	uint64_t room_files;
	int64_t read_us, write_us, sync_us; /* how long each takes at most */
	uint64_t fail_write_in;             /* one in so many fails with EIO */
	uint64_t fail_sync_in;
	uint64_t fail_read_in;
	bool is_read_only;  /* EROFS */
	uint64_t cut_after; /* power is cut at the so manieth change
					   of the disk; 0: not */
	uint64_t changes;   /* writes, syncs, names: so far */
};

struct sim_disk *sim_disk(struct sim_host *h);
/* What is used of it. */
uint64_t sim_disk_bytes(struct sim_host *h);

#endif
