/*
 * Child processes by fork and exec, watched through a pidfd.
 *
 * A child gets: standard input from /dev/null, our standard output and error
 * (or /dev/null, or the end of a socket whose other end a fiber reads), ready_fd, shared_fd, and no other descriptor; default signals; a
 * process group of its own, so that Ctrl-C reaches the supervisor only; and
 * SIGTERM when the thread that started it dies, however that dies.
 *
 * Between fork and exec only async-signal-safe calls are made: everything
 * that allocates is done before.
 */
#include "rt/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rt/linux/loop_inside.h"
#include "rt/linux/stream_inside.h"
#include "rt/log.h"

enum { ABOVE_GIVEN = 100 }; /* descriptors a plan names are below */

struct process {
	uv_poll_t poll; /* of the pidfd: readable when it ended */
	pid_t id;
	int pidfd;
	struct stream *heard; /* what it writes on ready_fd; or NULL */
	int errors_fd;        /* hear_errors() reads it until it ends; or -1 */
	bool ended;
	int status; /* exit code, or 128 + signal */
	struct gate over;
};

/* What the child needs, all made before the fork. */
struct birth {
	const struct process_plan *plan;
	const char **environment;
	int ready[2];   /* ours, the child's; -1: none */
	int errors[2];  /* likewise */
	int trouble[2]; /* the child's errno; closed by exec */
	int nothing;    /* /dev/null */
	pid_t parent;
};

/* ---- the environment ---- */

static size_t count_of(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static bool names_same(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return n == strcspn(b, "=") && memcmp(a, b, n) == 0;
}

static bool is_replaced(const char *ours, const char *const *added)
{
	for (; added && *added; added++)
		if (names_same(ours, *added))
			return true;
	return false;
}

static const char **environment_made(const char *const *added)
{
	const char *const *ours = (const char *const *)environ;
	const char **all = must_alloc((count_of(ours) + count_of(added) + 1) *
				      sizeof(*all));
	size_t n = 0;

	for (; *ours; ours++)
		if (!is_replaced(*ours, added))
			all[n++] = *ours;
	for (; added && *added; added++)
		all[n++] = *added;
	all[n] = NULL;
	return all;
}

/* ---- in the child ---- */

static void signals_default(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < SIGRTMIN; i++)
		sigaction(i, &plain, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* What the child is to have, and as which descriptor. */
struct gift {
	int from, as;
};

/* First out of each other's way: any of them may be where another goes, also
 * among 0, 1 and 2 when we have none of these ourselves. */
static bool give(struct gift *gifts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		gifts[i].from =
			fcntl(gifts[i].from, F_DUPFD_CLOEXEC, ABOVE_GIVEN);
		if (gifts[i].from < 0)
			return false;
	}
	if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (dup2(gifts[i].from, gifts[i].as) < 0)
			return false;
	return true;
}

/* No descriptor but 0, 1, 2, ready_fd and shared_as gets through exec. */
static bool descriptors_set(const struct birth *b)
{
	const struct process_plan *plan = b->plan;
	struct gift gifts[6];
	size_t n = 0;

	gifts[n++] = (struct gift){ b->nothing, STDIN_FILENO };
	if (plan->quiet) {
		gifts[n++] = (struct gift){ b->nothing, STDOUT_FILENO };
		gifts[n++] = (struct gift){ b->nothing, STDERR_FILENO };
	}
	if (b->errors[1] >= 0)
		gifts[n++] = (struct gift){ b->errors[1], STDERR_FILENO };
	if (plan->shared_as)
		gifts[n++] = (struct gift){ plan->shared_fd, plan->shared_as };
	if (plan->ready_fd)
		gifts[n++] = (struct gift){ b->ready[1], plan->ready_fd };
	return give(gifts, n);
}

_Noreturn static void child(struct birth *b)
{
	int trouble = fcntl(b->trouble[1], F_DUPFD_CLOEXEC, ABOVE_GIVEN);

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != b->parent)
		_exit(127);
	setpgid(0, 0);
	signals_default();
	if (descriptors_set(b) &&
	    (!b->plan->folder || chdir(b->plan->folder) == 0))
		execve(b->plan->argv[0], (char *const *)b->plan->argv,
		       (char *const *)b->environment);
	if (write(trouble, &errno, sizeof(errno)) != sizeof(errno))
		_exit(126);
	_exit(127);
}

/* ---- in the parent ---- */

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void birth_free(struct birth *b)
{
	free(b->environment);
	close_one(&b->ready[0]);
	close_one(&b->ready[1]);
	close_one(&b->errors[0]);
	close_one(&b->errors[1]);
	close_one(&b->trouble[0]);
	close_one(&b->trouble[1]);
	close_one(&b->nothing);
}

static bool pair_open(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 ||
	       fail("socketpair: %m");
}

static bool birth_prepare(struct birth *b)
{
	b->environment = environment_made(b->plan->environment);
	b->nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (b->nothing < 0)
		return fail("/dev/null: %m");
	if (pipe2(b->trouble, O_CLOEXEC) != 0)
		return fail("pipe: %m");
	check(b->plan->shared_as < ABOVE_GIVEN);
	if (b->plan->logged_as && !pair_open(b->errors))
		return false;
	if (b->plan->ready_fd == 0)
		return true;
	check(b->plan->ready_fd > STDIN_FILENO &&
	      b->plan->ready_fd < ABOVE_GIVEN);
	return pair_open(b->ready);
}

/* With all signals blocked, so that none of our handlers runs in the child. */
static pid_t fork_quietly(struct birth *b)
{
	sigset_t all, before;
	pid_t id;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	id = fork();
	if (id == 0)
		child(b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return id;
}

/* Blocks until the child has executed its program, a matter of milliseconds. */
static bool has_started(struct birth *b, pid_t id)
{
	int trouble = 0;
	ssize_t n;

	close_one(&b->trouble[1]);
	do
		n = read(b->trouble[0], &trouble, sizeof(trouble));
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return true;
	while (waitpid(id, NULL, 0) < 0 && errno == EINTR)
		;
	return fail("%s", strerror(n > 0 ? trouble : errno));
}

/* Its process group outlives the child while that is a zombie: the moment to
 * end those it left behind. */
static void end_orphans(struct process *p)
{
	kill(-p->id, SIGKILL);
}

/* Also when nobody waits: an ended child is never left a zombie.  Somebody
 * who waits for its word learns that there will be none, even while a
 * grandchild holds the other end. */
static void on_end(uv_poll_t *poll, int status, int events)
{
	struct process *p = poll->data;
	int how;

	(void)status;
	(void)events;
	if (p->ended)
		return;
	end_orphans(p);
	if (waitpid(p->id, &how, WNOHANG) != p->id)
		return;
	uv_poll_stop(poll);
	p->ended = true;
	p->status = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
	if (p->heard)
		shutdown(p->heard->fd, SHUT_RD);
	if (p->errors_fd >= 0)
		shutdown(p->errors_fd, SHUT_RD);
	gate_open(&p->over);
}

struct errors {
	struct stream *stream;
	const char *name; /* under which they are logged */
};

/* Whole lines; ALL: also what is left when there will be no more. */
static void pass_lines(const struct errors *e, bool all)
{
	struct str have = stream_bytes(e->stream);
	ptrdiff_t end;

	while ((end = str_find(have, '\n')) >= 0) {
		log_pass(e->name, str_part(have, 0, (size_t)end));
		have = str_from(have, (size_t)end + 1);
	}
	if (all && have.n > 0) {
		log_pass(e->name, have);
		have.n = 0;
	}
	stream_skip(e->stream, stream_bytes(e->stream).n - have.n);
}

/* A fiber's main: what a child writes on its standard error, to the end. */
static void waits hear_errors(void *errors)
{
	struct errors e = *(struct errors *)errors;
	enum stream_state now;

	free(errors);
	do {
		now = stream_fill(e.stream, NEVER);
		pass_lines(&e, now != STREAM_MORE);
	} while (now == STREAM_MORE || now == STREAM_FULL);
	stream_close(e.stream);
}

/* A second descriptor of it ends the reading when the child has ended. */
static void hear_from_now_on(struct process *p, int *errors, const char *name)
{
	struct errors *e;

	if (*errors < 0)
		return;
	p->errors_fd = fcntl(*errors, F_DUPFD_CLOEXEC, 0);
	fcntl(*errors, F_SETFL, O_NONBLOCK);
	e = must_alloc(sizeof(*e));
	*e = (struct errors){ stream_new(*errors, NULL), name };
	*errors = -1;
	if (!fiber_start("errors", hear_errors, e)) {
		stream_close(e->stream);
		free(e);
	}
}

static struct process *process_new(pid_t id, struct birth *b)
{
	struct process *p = must_alloc(sizeof(*p));

	*p = (struct process){ .id = id, .errors_fd = -1 };
	p->pidfd = (int)syscall(SYS_pidfd_open, id, 0);
	check(p->pidfd >= 0);
	check(uv_poll_init(loop_uv(), &p->poll, p->pidfd) == 0);
	p->poll.data = p;
	check(uv_poll_start(&p->poll, UV_READABLE, on_end) == 0);
	if (b->ready[0] >= 0) {
		fcntl(b->ready[0], F_SETFL, O_NONBLOCK);
		p->heard = stream_new(b->ready[0], NULL);
		b->ready[0] = -1;
	}
	hear_from_now_on(p, &b->errors[0], b->plan->logged_as);
	return p;
}

struct process *process_start(const struct process_plan *plan)
{
	struct birth b = {
		.plan = plan,
		.ready = { -1, -1 },
		.errors = { -1, -1 },
		.trouble = { -1, -1 },
		.nothing = -1,
		.parent = getpid(),
	};
	struct process *p = NULL;
	pid_t id;

	if (birth_prepare(&b)) {
		id = fork_quietly(&b);
		if (id < 0)
			fail("fork: %m");
		else if (has_started(&b, id))
			p = process_new(id, &b);
	}
	if (!p)
		add_cause("start %s", plan->argv[0]);
	birth_free(&b);
	return p;
}

/* ---- watching ---- */

enum wait_result process_wait(struct process *p, int64_t deadline_ms,
			      int *status)
{
	enum wait_result r = WAIT_DONE;

	while (!p->ended && r == WAIT_DONE)
		r = gate_wait(&p->over, deadline_ms);
	if (r == WAIT_DONE)
		*status = p->status;
	return r;
}

bool process_ready(struct process *p, int64_t deadline_ms)
{
	check(p->heard);
	while (str_find(stream_bytes(p->heard), '\n') < 0) {
		enum stream_state s = stream_fill(p->heard, deadline_ms);

		if (s == STREAM_END)
			return fail("it ended before it was ready");
		if (s == STREAM_FULL)
			return fail("it says too much");
		if (s != STREAM_MORE)
			return false;
	}
	return true;
}

void process_signal(struct process *p, int signal)
{
	if (!p->ended)
		syscall(SYS_pidfd_send_signal, p->pidfd, signal, NULL, 0);
}

void process_signal_all(struct process *p, int signal)
{
	if (!p->ended)
		kill(-p->id, signal);
}

int process_id(const struct process *p)
{
	return p->id;
}

static void on_closed(uv_handle_t *poll)
{
	free(poll->data);
}

void process_free(struct process *p)
{
	if (!p)
		return;
	check(p->ended && !p->over.first);
	stream_close(p->heard);
	close_one(&p->errors_fd);
	uv_close((uv_handle_t *)&p->poll, on_closed);
	close(p->pidfd);
}

/* ---- from start to end ---- */

static bool hear_all(struct process *p, size_t most, int64_t deadline_ms,
		     struct buf *said)
{
	for (;;) {
		enum stream_state s = stream_fill(p->heard, deadline_ms);
		struct str more = stream_bytes(p->heard);

		if (s == STREAM_END)
			return true;
		if (s != STREAM_MORE)
			return false;
		if (more.n > most - said->n)
			return fail("it writes more than %zu bytes", most);
		buf_add(said, more);
		stream_skip(p->heard, more.n);
	}
}

bool process_run(const struct process_plan *plan, size_t most,
		 int64_t deadline_ms, struct buf *said, int *status)
{
	struct process_plan heard = *plan;
	struct process *p;
	bool ended;

	heard.ready_fd = STDOUT_FILENO;
	buf_clear(said);
	p = process_start(&heard);
	if (!p)
		return false;
	ended = hear_all(p, most, deadline_ms, said);
	if (ended && process_wait(p, deadline_ms, status) != WAIT_DONE)
		ended = fail("timed out");
	if (!ended) {
		add_cause("%s", plan->argv[0]);
		process_signal_all(p, SIGKILL);
		process_wait(p, NEVER, status);
	}
	process_free(p);
	return ended;
}

/* ---- somebody else's child ---- */

/* The descriptor first: once it is there the number cannot change hands
 * between the question and the signal. */
bool process_signal_member(int group, int id, int signal)
{
	int pidfd = (int)syscall(SYS_pidfd_open, id, 0);
	bool sent;

	if (pidfd < 0)
		return false;
	sent = getpgid(id) == group &&
	       syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0;
	close(pidfd);
	return sent;
}

static bool holds(int id, int fd, const struct stat *file)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", id, fd);
	return stat(path, &st) == 0 && st.st_dev == file->st_dev &&
	       st.st_ino == file->st_ino;
}

static bool signal_holder(int id, int fd, const struct stat *file, int signal)
{
	int pidfd = (int)syscall(SYS_pidfd_open, id, 0);
	bool sent;

	if (pidfd < 0)
		return false;
	sent = holds(id, fd, file) &&
	       syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0;
	close(pidfd);
	return sent;
}

unsigned process_signal_holders(const char *path, int fd, int signal)
{
	DIR *all = opendir("/proc");
	struct stat file;
	struct dirent *e;
	unsigned n = 0;
	uint64_t id;

	if (all && stat(path, &file) == 0)
		while ((e = readdir(all)) != NULL)
			if (str_number(str_of(e->d_name), INT32_MAX, &id) &&
			    holds((int)id, fd, &file))
				n += signal_holder((int)id, fd, &file, signal);
	if (all)
		closedir(all);
	return n;
}

/* proc(5): field 22 of /proc/PID/stat, in clock ticks since the boot; the name
 * in field 2 ends with the last parenthesis. */
static bool started_at(int id, unsigned long long *ticks)
{
	char path[64], line[1024] = "";
	const char *name_end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", id);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	name_end = strrchr(line, ')');
	return name_end &&
	       sscanf(name_end,
		      ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		      "%*s %*s %*s %*s %*s %*s %llu",
		      ticks) == 1;
}

int64_t process_age_ms(int id)
{
	struct timespec now;
	unsigned long long ticks;

	if (!started_at(id, &ticks))
		return -1;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 -
	       (int64_t)ticks * 1000 / sysconf(_SC_CLK_TCK);
}
