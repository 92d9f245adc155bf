/* Worlds in processes beside this one (workers.h). */
#include "workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Killed processes leave their heaps behind: not too many in one. */
enum { BATCH = 20, SECONDS_EACH = 120 };

struct worker {
	pid_t pid; /* 0: there is none */
	int fd;    /* what it says comes out here */
	uint64_t seeds[BATCH];
	int n, answered, begun; /* begun: answered by those before it */
};

struct crew {
	const struct work *work;
	struct worker workers[JOBS];
	int n;
};

/* ---- in the worker ---- */

static void say(int fd, const struct outcome *o)
{
	if (write(fd, o, sizeof(*o)) != sizeof(*o))
		_exit(1);
}

static void work_off(const struct worker *w, int fd)
{
	signal(SIGINT, SIG_IGN); /* the one who gave the work decides */
	for (int i = w->answered; i < w->n; i++) {
		struct outcome o = { 0 };

		if (i > w->answered && one_world_begins_anew(w->seeds[i]))
			break;
		alarm(SECONDS_EACH);
		one_world(&(struct one_world){ .seed = w->seeds[i] }, &o);
		say(fd, &o);
	}
	_exit(0);
}

/* ---- what it says ---- */

/* False: it has ended before it could say all of it. */
static bool hear(int fd, struct outcome *o)
{
	char *to = (char *)o;
	size_t n = 0;

	while (n < sizeof(*o)) {
		ssize_t got = read(fd, to + n, sizeof(*o) - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	return true;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		check(errno == EINTR);
	return status;
}

static void note_death(int status, struct outcome *o)
{
	*o = (struct outcome){ .is_bad = true };
	if (!WIFSIGNALED(status))
		snprintf(o->verdict, sizeof(o->verdict), "ended with status %d",
			 WEXITSTATUS(status));
	else if (WTERMSIG(status) == SIGALRM)
		snprintf(o->verdict, sizeof(o->verdict), "does not end");
	else
		snprintf(o->verdict, sizeof(o->verdict), "died by signal %d",
			 WTERMSIG(status));
}

/* The parent's half of a pipe, and the child: 0 in the child, where FD is the
 * other half. */
static pid_t begin(int *fd)
{
	int ends[2];
	pid_t pid;

	fflush(stdout);
	check(pipe2(ends, O_CLOEXEC) == 0);
	pid = fork();
	check(pid >= 0);
	close(ends[pid == 0 ? 0 : 1]);
	*fd = ends[pid == 0 ? 1 : 0];
	return pid;
}

/* ---- many ---- */

static void start(struct worker *w)
{
	int fd;
	pid_t pid = begin(&fd);

	if (pid == 0)
		work_off(w, fd);
	w->pid = pid;
	w->fd = fd;
	w->begun = w->answered;
}

/* False: there is nothing for it to do. */
static bool give_batch(struct crew *c, struct worker *w)
{
	w->n = w->answered = 0;
	while (w->n < BATCH && c->work->next(c->work->arg, &w->seeds[w->n]))
		w->n++;
	if (w->n == 0)
		return false;
	start(w);
	return true;
}

static void answer(struct crew *c, struct worker *w, const struct outcome *o)
{
	c->work->ended(c->work->arg, w->seeds[w->answered++], o);
}

static void bury(struct crew *c, struct worker *w)
{
	struct outcome o;
	int status = wait_for(w->pid);

	close(w->fd);
	w->pid = 0;
	if (w->answered == w->n)
		return;
	if (status != 0 || w->answered == w->begun) {
		note_death(status, &o);
		answer(c, w, &o);
	}
	if (w->answered < w->n)
		start(w);
}

static void listen_to(struct crew *c, struct worker *w)
{
	struct outcome o;

	if (w->answered < w->n && hear(w->fd, &o))
		answer(c, w, &o);
	else
		bury(c, w);
}

static void listen_to_all(struct crew *c)
{
	struct pollfd p[JOBS];
	int n = c->n;

	for (int i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = c->workers[i].pid
						      ? c->workers[i].fd
						      : -1,
					.events = POLLIN };
	if (poll(p, (nfds_t)n, -1) < 0)
		return;
	for (int i = 0; i < n; i++)
		if (p[i].fd >= 0 && p[i].revents)
			listen_to(c, &c->workers[i]);
}

void workers_run(const struct work *w)
{
	struct crew c = { .work = w, .n = w->jobs };
	int busy;

	check(w->jobs >= 1 && w->jobs <= JOBS);
	do {
		busy = 0;
		for (int i = 0; i < c.n; i++)
			busy += c.workers[i].pid ||
				give_batch(&c, &c.workers[i]);
		if (busy)
			listen_to_all(&c);
	} while (busy);
}

/* ---- one ---- */

static void be_quiet(void)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	check(nowhere >= 0);
	dup2(nowhere, STDOUT_FILENO);
	dup2(nowhere, STDERR_FILENO);
}

void world_alone(const struct one_world *w, unsigned seconds, bool quiet,
		 struct outcome *o)
{
	int fd, status;
	pid_t pid = begin(&fd);

	if (pid == 0) {
		struct outcome mine = { 0 };

		if (quiet)
			be_quiet();
		alarm(seconds);
		one_world(w, &mine);
		say(fd, &mine);
		fflush(stdout);
		_exit(0);
	}
	if (!hear(fd, o)) {
		status = wait_for(pid);
		note_death(status, o);
	} else {
		wait_for(pid);
	}
	close(fd);
}
