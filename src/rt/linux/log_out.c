/*
 * Lines on their way out: a ring that a thread of its own empties.
 *
 * A reader that stops (Ctrl-S in a terminal, a pager, a journal that hangs)
 * stops this thread and nobody else.  What then has no room in the ring is
 * counted, and said as soon as there is room again: nothing goes in between
 * what was lost and the line that says so.  A file has no reader, and is
 * written at once.  Of the journal each line is a datagram.
 *
 * A crash writes what is there as far as the reader takes it, whoever has the
 * lock: he may be the one that died.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "rt/linux/journal.h"
#include "rt/log.h"
#include "rt/log_inside.h"
#include "rt/privileges.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"

enum {
	/* A pipe takes no more at once without others' lines in between. */
	WRITE_BYTES = 4096,
	NOTICE_BYTES = 512,
	CRASH_MS = 500, /* for the lock, and for a reader to make room */
	END_MS = 2000,
};

static struct {
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t filled, ended;
	pthread_t thread;
	bool started, ending, is_ended;
	size_t n, at; /* bytes that wait; where the first is */
	unsigned long lost;
	char bytes[LIMIT_LOG_BYTES];
} ring = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.filled = PTHREAD_COND_INITIALIZER,
	.ended = PTHREAD_COND_INITIALIZER,
};

/* Where lines go instead of stderr; under the lock until the thread has it. */
static struct journal journal = { .fd = -1 };

/* The thread has lines in hand. */
static _Atomic bool writing;

/* ---- writing ---- */

/* When stderr is gone lines are lost: mail matters more. */
static void write_stderr(const char *p, size_t n)
{
	while (n > 0) {
		struct pollfd out = { STDERR_FILENO, POLLOUT, 0 };
		ssize_t done = write(STDERR_FILENO, p, n);

		if (done < 0 && errno == EAGAIN)
			poll(&out, 1, -1);
		else if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
}

/* Entry by entry.  False: those from *P on are not taken. */
static bool send_entries(const char **p, size_t *n, int most_ms)
{
	struct str rest = { *p, *n }, line;

	while (str_split(&rest, '\n', &line)) {
		if (line.n > 0 && !journal_send(&journal, line, most_ms))
			return false;
		*p = rest.p;
		*n = rest.n;
	}
	return true;
}

/* What the journal does not take for other reasons than that it is slow is for
 * stderr, which it reads, too. */
static void write_all(const char *p, size_t n)
{
	if (journal.fd < 0 || !send_entries(&p, &n, -1))
		write_stderr(p, n);
}

/* ---- the ring, locked ---- */

static void ring_add(const char *p, size_t n)
{
	size_t at = (ring.at + ring.n) % LIMIT_LOG_BYTES;
	size_t first = n < LIMIT_LOG_BYTES - at ? n : LIMIT_LOG_BYTES - at;

	memcpy(ring.bytes + at, p, first);
	memcpy(ring.bytes, p + first, n - first);
	ring.n += n;
}

static size_t ring_room(void)
{
	return LIMIT_LOG_BYTES - ring.n;
}

static void say_lost(void)
{
	char line[NOTICE_BYTES];

	if (!ring.lost || ring_room() < NOTICE_BYTES)
		return;
	ring_add(line,
		 log_make_line(line, sizeof(line),
			       "%lu lines of this log were lost: whoever reads "
			       "it was too slow",
			       ring.lost));
	ring.lost = 0;
}

/* The first lines that wait, as many as fit into one write. */
static size_t take_lines(char to[WRITE_BYTES])
{
	size_t n = ring.n < WRITE_BYTES ? ring.n : WRITE_BYTES;
	size_t first = LIMIT_LOG_BYTES - ring.at;

	first = n < first ? n : first;
	memcpy(to, ring.bytes + ring.at, first);
	memcpy(to + first, ring.bytes, n - first);
	if (n == WRITE_BYTES)
		while (n > 0 && to[n - 1] != '\n')
			n--;
	n = n ? n : WRITE_BYTES;
	ring.at = (ring.at + n) % LIMIT_LOG_BYTES;
	ring.n -= n;
	return n;
}

static unsigned long count_lines(const char *p, size_t n)
{
	unsigned long lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	return lines;
}

/* ---- the thread ---- */

static void *log_thread(void *arg)
{
	char lines[WRITE_BYTES];
	size_t n;

	pthread_setname_np(pthread_self(), "log");
	/* Capabilities are a thread's, and this one needs none. */
	if (!privileges_drop())
		log_warn("rt", "%s", cause());
	pthread_mutex_lock(&ring.lock);
	for (;;) {
		while (!ring.n && !ring.ending)
			pthread_cond_wait(&ring.filled, &ring.lock);
		if (!ring.n)
			break;
		atomic_store(&writing, true);
		n = take_lines(lines);
		pthread_mutex_unlock(&ring.lock);
		write_all(lines, n);
		pthread_mutex_lock(&ring.lock);
		atomic_store(&writing, false);
		say_lost();
	}
	ring.is_ended = true;
	pthread_cond_signal(&ring.ended);
	pthread_mutex_unlock(&ring.lock);
	return NULL;
}

void log_out(const char *lines, size_t n)
{
	pthread_mutex_lock(&ring.lock);
	if (!ring.started) {
		write_all(lines, n);
	} else {
		say_lost();
		if (ring.lost || n > ring_room())
			ring.lost += count_lines(lines, n);
		else
			ring_add(lines, n);
		pthread_cond_signal(&ring.filled);
	}
	pthread_mutex_unlock(&ring.lock);
}

/* ---- a crash ---- */

static bool try_lock(void)
{
	for (int ms = 0; ms < CRASH_MS; ms++) {
		if (!atomic_load(&writing) &&
		    pthread_mutex_trylock(&ring.lock) == 0)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

/* False: the reader does not take it. */
static bool write_last(const char *p, size_t n)
{
	struct pollfd out = { STDERR_FILENO, POLLOUT, 0 };

	if (journal.fd >= 0)
		return send_entries(&p, &n, CRASH_MS);
	while (n > 0) {
		ssize_t done = -1;

		if (poll(&out, 1, CRASH_MS) == 1)
			done = write(STDERR_FILENO, p,
				     n < WRITE_BYTES ? n : WRITE_BYTES);
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static void on_crash(int number)
{
	char lines[WRITE_BYTES];
	const char *gathered;
	size_t n = log_gathered(&gathered);
	bool ok = true;

	(void)!try_lock();
	while (ok && ring.n > 0)
		ok = write_last(lines, take_lines(lines));
	if (ok)
		write_last(gathered, n);
	raise(number); /* SA_RESETHAND: now it has its effect */
}

/* Whoever has handlers of his own, such as a sanitizer, keeps them. */
static void watch_crashes(void)
{
	static const int crashes[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL,
				       SIGFPE };
	struct sigaction ours = { .sa_handler = on_crash,
				  .sa_flags = SA_RESETHAND | SA_NODEFER },
			 old;

	for (size_t i = 0; i < array_size(crashes); i++)
		if (sigaction(crashes[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_DFL)
			sigaction(crashes[i], &ours, NULL);
}

/* ---- begin and end ---- */

/* "dev:inode" of what it gave us as stderr: who got another one since, as from a
 * shell or a test, is not read by it. */
static bool stderr_is_journal(void)
{
	const char *said = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return said && sscanf(said, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
	       st.st_ino == inode;
}

bool log_finds_journal(void)
{
	bool is_journal = stderr_is_journal();

	journal_close(&journal);
	if (is_journal &&
	    !journal_open(&journal, JOURNAL_SOCKET, SYSLOG_SOCKET))
		journal.fd = -1; /* it reads stderr, too */
	return is_journal;
}

int log_process(void)
{
	return (int)getpid();
}

static bool is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

void log_start(void)
{
	check(!ring.started);
	watch_crashes();
	if (journal.fd < 0 && is_file(STDERR_FILENO))
		return;
	ring.ending = ring.is_ended = false;
	if (pthread_create(&ring.thread, NULL, log_thread, NULL) != 0)
		return;
	pthread_mutex_lock(&ring.lock);
	ring.started = true;
	pthread_mutex_unlock(&ring.lock);
}

void log_end(void)
{
	struct timespec until;
	int late = 0;

	log_flush();
	pthread_mutex_lock(&ring.lock);
	if (ring.started) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += END_MS / 1000;
		ring.ending = true;
		pthread_cond_signal(&ring.filled);
		while (!ring.is_ended && !late)
			late = pthread_cond_clockwait(&ring.ended, &ring.lock,
						      CLOCK_MONOTONIC, &until);
		ring.started = !ring.is_ended;
	}
	pthread_mutex_unlock(&ring.lock);
	if (!late && ring.is_ended)
		pthread_join(ring.thread, NULL);
	ring.is_ended = false;
}
