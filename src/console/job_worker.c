/*
 * The worker of jobs (job_worker.h).
 *
 * Invariant: while a call is off the loop, the fiber waits for it, so that
 * the handle has one thread at a time.
 */
#include "console/job_worker.h"

#include <stdio.h>

#include "directory/jobs.h"
#include "rt/clock.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/worker.h"

enum {
	PAUSE_MIN_MS = 10,  /* others look every few milliseconds whether
			       the writer is free */
	PAUSE_MAX_MS = 200, /* a chunk that took longer waited itself */
	TROUBLE_MS = 5000,  /* a full disk will still be full at once */
	FORGET_MS = 3600000,
	PATH_BYTES = 4096,
};

static struct {
	char path[PATH_BYTES];
	struct changes *c;   /* open while there is work */
	enum answer did;     /* what came of the last chunk */
	struct fiber *fiber; /* NULL: it does not run */
	bool is_news, stopping;
	struct gate news, ended;
} worker;

/* Off the loop. */
static bool do_chunk(void *unused)
{
	(void)unused;
	worker.did = ANSWER_UNSURE;
	if (!worker.c)
		worker.c = changes_open(worker.path, "console");
	if (worker.c)
		worker.did = jobs_work(worker.c);
	return worker.did != ANSWER_UNSURE;
}

/* Off the loop, after do_chunk(). */
static bool forget(void *unused)
{
	(void)unused;
	return jobs_forget(worker.c);
}

static void waits pause_after(int64_t took_ms)
{
	int64_t pause = took_ms;

	if (pause < PAUSE_MIN_MS)
		pause = PAUSE_MIN_MS;
	if (pause > PAUSE_MAX_MS)
		pause = PAUSE_MAX_MS;
	fiber_sleep(after_ms(pause));
}

static void waits await_news(int64_t deadline)
{
	while (!worker.is_news && !worker.stopping)
		if (gate_wait(&worker.news, deadline) != WAIT_DONE)
			break;
}

static void waits work(void *unused)
{
	(void)unused;
	while (!worker.stopping) {
		int64_t began_us = now_us();

		worker.is_news = false;
		if (!offload(do_chunk, NULL))
			log_error("console", "a job has to wait: %s", cause());
		switch (worker.did) {
		case ANSWER_YES:
			pause_after((now_us() - began_us) / 1000);
			break;
		case ANSWER_NO:
			if (!offload(forget, NULL))
				log_error("console", "old jobs stay: %s",
					  cause());
			changes_close(worker.c);
			worker.c = NULL;
			await_news(after_ms(FORGET_MS));
			break;
		case ANSWER_UNSURE:
			await_news(after_ms(TROUBLE_MS));
			break;
		}
	}
	changes_close(worker.c);
	worker.c = NULL;
	worker.fiber = NULL;
	gate_open(&worker.ended);
}

bool job_worker_start(const struct console_settings *s)
{
	int n = snprintf(worker.path, sizeof(worker.path), "%s/directory.db",
			 s->data);

	if (n < 0 || (size_t)n >= sizeof(worker.path))
		return fail("%s is too long a path", s->data);
	worker.stopping = false;
	worker.fiber = fiber_start("jobs", work, NULL);
	return worker.fiber != NULL;
}

/* On the loop. */
static void take_news(void *unused)
{
	(void)unused;
	worker.is_news = true;
	gate_open(&worker.news);
}

void job_worker_wake(void)
{
	loop_post(0, take_news, NULL);
}

void job_worker_stop(void)
{
	worker.stopping = true;
	gate_open(&worker.news);
	while (worker.fiber)
		gate_wait(&worker.ended, NEVER);
}
