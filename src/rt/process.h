/*
 * Child processes: start, watch, end.
 *
 *	struct process_plan plan = { .argv = argv, .folder = "/" };
 *	struct process *p = process_start(&plan);
 *	process_wait(p, NEVER, &status)		parks
 *
 *	process_run(&plan, 4096, after_ms(1000), &said, &status)
 *
 * A child reads /dev/null, inherits no descriptor but standard output and
 * error and what its plan names, has a process group of its own (Ctrl-C is for us), and gets SIGTERM
 * when the loop that started it is gone, even by kill -9.  When it ends, what
 * it left in its process group is killed.
 */
#ifndef RT_PROCESS_H
#define RT_PROCESS_H

#include <signal.h>

#include "base/buf.h"
#include "rt/fiber.h"

struct process;

struct process_plan {
	const char *const *argv;        /* argv[0] is a path; NULL at the end */
	const char *const *environment; /* added to ours; may be NULL */
	const char *folder;             /* to start in; may be NULL */
	int ready_fd;             /* 0, or: the child's descriptor on which
					   it writes a line when it is ready */
	int shared_fd, shared_as; /* 0, or: our descriptor, and which it
					   is in the child (rt/shared.h) */
	bool quiet;               /* stdout and stderr to /dev/null */
	const char *logged_as;    /* NULL, or: stderr into our log under
					   this name (log_pass), so that the
					   child does not wait for whoever
					   reads it; a literal */
};

struct process *process_start(const struct process_plan *plan); /* or NULL */
/* Until it ended: *STATUS is the exit code, or 128 + signal. */
enum wait_result waits process_wait(struct process *p, int64_t deadline_ms,
				    int *status);
/* Until it wrote a line on ready_fd; false: it ended or the deadline came. */
bool waits process_ready(struct process *p, int64_t deadline_ms) must_check;
void process_signal(struct process *p, int signal);
void process_signal_all(struct process *p, int signal); /* its group */
int process_id(const struct process *p);
void process_free(struct process *p); /* after it ended */

/*
 * Start, and wait for the end: *SAID gets what it wrote on its standard output,
 * also when QUIET.  False: cause(); one that writes more than MOST bytes, or
 * has not ended at the deadline, is killed.  Not for a fiber that may be
 * cancelled.
 */
bool waits process_run(const struct process_plan *plan, size_t most,
		       int64_t deadline_ms, struct buf *said,
		       int *status) must_check;

/* ---- somebody else's child, by its id ---- */

/* Signal process ID if it is one of process group GROUP: whatever else may
 * have that number by now is left alone.  False: it is not there. */
bool process_signal_member(int group, int id, int signal);
/* Signal every process whose descriptor FD is the file PATH: whoever inherited
 * it from us (lock_fd()), however long ago.  A number in a file may be anybody's
 * by now, this is not.  How many there were. */
unsigned process_signal_holders(const char *path, int fd, int signal);
/* How long ago it was started; -1: it is not there. */
int64_t process_age_ms(int id);

#endif
