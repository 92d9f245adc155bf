/*
 * Inside directory/ only: what jobs.c and jobs_work.c share.
 *
 * Invariant: the items of a job are numbered 1..total; those up to `done` are
 * gone from job_item in the transaction that did them.  A job that has ended
 * has none.  Items that were changed are in job_done with their lines of the
 * change log, which say what to put back.  Both keep who is meant, by an id
 * that is never given twice: an address may be another's by the time.
 */
#ifndef DIRECTORY_JOBS_INSIDE_H
#define DIRECTORY_JOBS_INSIDE_H

#include "directory/change.h"
#include "directory/jobs.h"

struct job_settings {
	struct setting *s;
	size_t n;
};

/* The members of WHAT; true and false are 1 and 0, null is empty. */
bool job_settings_read(struct changes *c, struct str what, struct arena *arena,
		       struct job_settings *out) must_check;
/* One that has ended already stays as it is. */
bool job_end(struct changes *c, int64_t id, enum job_state state) must_check;

#endif
