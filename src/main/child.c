/*
 * Children of the supervisor (child.h).
 */
#include "main/child.h"

#include "queue/underway.h"
#include "rt/log.h"

enum {
	READY_MS = 60000,
	ANSWER_MS = 50, /* between two questions */
	RESTART_MIN_MS = 100,
	RESTART_MAX_MS = 10000,
	STEADY_MS = 10000, /* ran that long: the next fall is new */
	STOP_AGAIN_MS = 1000,
	FALLS_AT_ONCE = 8, /* faults in a row that cost no rest */
};

static void waits await_ready(struct child *c)
{
	int64_t deadline = after_ms(READY_MS);
	int status;

	if (c->tells_ready) {
		c->is_ready = process_ready(c->process, deadline);
	} else {
		while (!c->is_ready && now_ms() < deadline) {
			c->is_ready = c->is_answering(c->arg);
			if (!c->is_ready &&
			    process_wait(c->process, after_ms(ANSWER_MS),
					 &status) != WAIT_DEADLINE)
				break;
		}
	}
	gate_open(c->news);
}

/* Not by a kill, a stop or the power. */
static bool is_fault(int status)
{
	static const int faults[] = { SIGSEGV, SIGABRT, SIGBUS, SIGILL,
				      SIGFPE };

	for (size_t i = 0; i < array_size(faults); i++)
		if (status == 128 + faults[i])
			return true;
	return false;
}

static bool waits run_once(struct child *c)
{
	struct process_plan plan = {
		.argv = c->argv,
		.ready_fd = c->tells_ready ? CHILD_READY_FD : 0,
		.shared_fd = c->shared_fd,
		.shared_as = c->shared_as,
		.logged_as = c->logged_as,
	};

	if (c->underway_fd) {
		plan.shared_fd = c->underway_fd;
		plan.shared_as = CHILD_UNDERWAY_FD;
	}
	c->process = process_start(&plan);
	if (!c->process) {
		log_error("serve", "start %s: %s", c->name, cause());
		return false;
	}
	if (!c->is_ready)
		await_ready(c);
	process_wait(c->process, NEVER, &c->status);
	if (!*c->stopping)
		log_error("serve", "%s ended with status %d%s", c->name,
			  c->status,
			  is_fault(c->status) ? ", by a fault of its own" : "");
	process_free(c->process);
	c->process = NULL;
	return true;
}

/* Before the next start; not when there will be none. */
static void waits rest(struct child *c, int64_t deadline)
{
	while (!*c->stopping && now_ms() < deadline)
		gate_wait(c->news, deadline);
}

/* A message in the queue may have killed it before it was ready. */
static bool may_come_up(const struct child *c)
{
	return c->underway_fd && is_fault(c->status) &&
	       c->falls < 2 * FALLS_AT_ONCE;
}

/* It has just ended, after RAN_MS: how long to rest.  Faults cost none as long
 * as there is hope that what causes them is found. */
static int64_t pause_after(struct child *c, int64_t ran_ms)
{
	uint64_t held = c->underway_fd ? underway_held(c->underway_fd) : 0;
	int64_t pause;

	if (ran_ms > STEADY_MS || held != c->held) {
		c->falls = 0;
		c->pause_ms = RESTART_MIN_MS;
	}
	c->held = held;
	if (c->underway_fd && is_fault(c->status) &&
	    ++c->falls <= FALLS_AT_ONCE)
		return 0;
	pause = c->pause_ms;
	c->pause_ms = pause * 2 < RESTART_MAX_MS ? pause * 2 : RESTART_MAX_MS;
	return pause;
}

void child_keep(void *child)
{
	struct child *c = child;

	c->pause_ms = RESTART_MIN_MS;
	while (!*c->stopping) {
		int64_t begun = now_ms();
		bool ran;

		c->status = 0;
		ran = run_once(c);

		if (!c->is_ready && !c->may_fail && !may_come_up(c))
			break;
		c->has_failed |= !c->is_ready && !may_come_up(c);
		gate_open(c->news);
		if (c->underway_fd)
			underway_ended(c->underway_fd, is_fault(c->status));
		rest(c, after_ms(pause_after(c, ran ? now_ms() - begun : 0)));
	}
	c->has_ended = true;
	gate_open(c->news);
}

static void waits await_end(struct child *c, int64_t deadline)
{
	while (!c->has_ended && now_ms() < deadline)
		gate_wait(c->news, deadline);
}

/* To all of its processes: Dovecot's master alone would wait for the clients of
 * its children to go.  And again, for it loses what comes while it starts. */
void child_stop(struct child *c, int64_t within_ms)
{
	int64_t deadline = after_ms(within_ms);

	while (!c->has_ended && now_ms() < deadline) {
		if (c->process)
			process_signal_all(c->process, SIGTERM);
		await_end(c, after_ms(STOP_AGAIN_MS));
	}
	if (c->has_ended)
		return;
	log_warn("serve", "%s does not stop: killed", c->name);
	if (c->process)
		process_signal_all(c->process, SIGKILL);
	await_end(c, NEVER);
}

void child_signal(struct child *c, int signal)
{
	if (c->process)
		process_signal(c->process, signal);
}
