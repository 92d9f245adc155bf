/*
 * Works off the directory's jobs (directory/jobs.h), one at a time, oldest
 * first, from where the last process left them.
 *
 * A fiber of the console's loop does a chunk off the loop, then leaves the
 * directory's one writer to others for as long as that took.  When nothing is
 * left to be done, and every hour, it forgets what is too old.
 */
#ifndef CONSOLE_JOB_WORKER_H
#define CONSOLE_JOB_WORKER_H

#include "console/console.h"

/* On the loop.  False: cause(). */
bool job_worker_start(const struct console_settings *s) must_check;
/* There is a new job.  From any thread, while the loop runs. */
void job_worker_wake(void);
/* On the loop: the chunk that is being done ends, and no other begins.  Does
 * nothing when it does not run. */
void waits job_worker_stop(void);

#endif
