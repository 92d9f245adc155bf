/*
 * directory.db: long work that outlives who asked for it.
 *
 * A job changes many things, each alone: one that is refused keeps none of
 * the others back.  It is done in chunks, each one transaction together with
 * the job's progress, so that whatever dies in between, nothing is done twice
 * or left out; two processes that work at once take turns.  The users are
 * those who were meant when it was asked for: has an address become another's
 * since, he is left alone.  The rights are those its administrator has when
 * the chunk is done: has he fewer than when he asked, the job fails.
 *
 *	struct job_order o = { S("ann"), S("{\"mail_system\":\"alternate\"}"),
 *			       .page = &everybody, .expect = 4312 };
 *	job_create(c, &o, &made);
 *	while (jobs_work(worker) == ANSWER_YES)
 *		...let others write
 *
 * An ended job is a report.  It can be undone for LIMIT_UNDO_HOURS, and is
 * kept as long; then among the newest LIMIT_JOBS_ENDED of its administrator,
 * until LIMIT_JOB_DAYS have gone by.  So nobody's jobs drive out another's;
 * what bounds his own is LIMIT_JOBS_A_DAY.  Those of administrators who are
 * gone are forgotten by age alone.
 */
#ifndef DIRECTORY_JOBS_H
#define DIRECTORY_JOBS_H

#include "directory/changes.h"
#include "directory/lists.h"

enum job_kind { JOB_CHANGE_USERS, JOB_PUT_BACK };
enum job_state {
	JOB_WAITING,
	JOB_RUNNING,
	JOB_DONE,
	JOB_CANCELLED,
	JOB_FAILED,
};
enum { JOB_STATES = JOB_FAILED + 1 };

const char *job_kind_name(enum job_kind k);   /* "change-users" */
const char *job_state_name(enum job_state s); /* "waiting"... */

/* ---- asking for one ---- */

struct job_order {
	struct str admin; /* who asks */
	struct str what;  /* a JSON object: settings of user_set() */
	/* Which users: by their addresses... */
	const struct str *addresses;
	size_t n;
	/* ...or, when it is not NULL, all that match. */
	const struct holder_page *page;
	int64_t expect;  /* how many he saw; -1: never mind */
	int64_t at_most; /* only so many of them, for a trial; 0: all */
};

struct job_made {
	int64_t id;
	int64_t matching; /* more than the job's total in a trial */
};

/* Refused when WHAT fits no user at all, when another number than EXPECT
 * matches, and when he has too many jobs that wait, or of the last day. */
struct change job_create(struct changes *c, const struct job_order *o,
			 struct job_made *out);
/* A new job of ADMIN's that puts back what the ended job ID has changed, where
 * nobody has changed it since.  Refused when there is nothing to be put back:
 * it is remembered for LIMIT_UNDO_HOURS. */
struct change job_undo(struct changes *c, struct str admin, int64_t id,
		       struct job_made *out);
/* What is done stays done. One that has ended stays as it is. */
struct change job_cancel(struct changes *c, int64_t id);

/* ---- doing it ---- */

/* The next chunk of the oldest job, and commit.  YES: there may be more; NO:
 * nothing waits. */
enum answer jobs_work(struct changes *c);
/* One chunk of this job, within a batch; for trials, which are undone. */
bool job_work(struct changes *c, int64_t id) must_check;
/* Reports that are too old, and what can no longer be put back, renamings too.  To be
 * called now and then; can_undo does not wait for it. */
bool jobs_forget(struct changes *c) must_check;

/* ---- looking ---- */

/* A refusal as it is remembered (struct change). */
struct said {
	struct str sentence, reason; /* "user_needs_relay" */
	struct str values;           /* a JSON object */
};

struct job {
	int64_t id;
	enum job_kind kind;
	enum job_state state;
	struct str admin;                      /* who asked */
	struct str what;                       /* as it was ordered */
	struct said why;                       /* it failed */
	int64_t total, done, changed, refused; /* what is neither changed nor
					  refused was so already */
	int64_t created_s, started_s, ended_s; /* 0: not yet */
	int64_t undoes;                        /* 0: none */
	bool can_undo;
};

/* ADMIN empty: anybody's. */
enum answer find_job(struct directory *d, struct str admin, int64_t id,
		     struct arena *arena, struct job *out);
/* The newest first, older than BEFORE (0: from the newest). */
bool list_jobs(struct directory *d, struct str admin, int64_t before,
	       int64_t limit, void (*each)(void *arg, const struct job *j),
	       void *arg) must_check;

/* What a job has changed, counted: each user once a line. */
struct job_effects {
	int64_t without_password; /* came here, and cannot sign in yet */
	int64_t left_here;        /* their mail of before stays in the
				     mailbox, which they cannot open */
	int64_t left_elsewhere;   /* theirs stays on the other system */
};

enum answer job_effects(struct directory *d, int64_t job,
			struct job_effects *out);
/* The ids of the users it has changed. */
bool list_changed(struct directory *d, int64_t job,
		  void (*each)(void *arg, int64_t holder),
		  void *arg) must_check;

struct job_refusal {
	int64_t n;                 /* its place among all */
	struct str address, field; /* FIELD may be empty */
	struct said why;
};

bool list_refusals(struct directory *d, int64_t job, int64_t after,
		   int64_t limit,
		   void (*each)(void *arg, const struct job_refusal *e),
		   void *arg) must_check;

#endif
