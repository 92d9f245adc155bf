/*
 * sendmail -bs: SMTP on standard input and output, as mail programs such as
 * pine and msmtp's users have it.  The engine speaks; here bytes only pass.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "main/main.h"
#include "main/programs.h"

static int dial(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool write_whole(int to, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t written = write(to, p, n);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		p += written;
		n -= (size_t)written;
	}
	return true;
}

/* Bytes that are there, from FROM to TO.  False: FROM has ended. */
static bool pass(int from, int to)
{
	char bytes[16384];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n < 0 && errno == EINTR)
		return true;
	return n > 0 && write_whole(to, bytes, (size_t)n);
}

/* Until the engine has said its last: what the caller said before he went is
 * answered. */
static void pass_all(int engine)
{
	struct pollfd ends[] = { { .fd = engine, .events = POLLIN },
				 { .fd = STDIN_FILENO, .events = POLLIN } };

	while (poll(ends, array_size(ends), -1) > 0 || errno == EINTR) {
		if (ends[0].revents && !pass(engine, STDOUT_FILENO))
			return;
		if (ends[1].revents && !pass(STDIN_FILENO, engine)) {
			shutdown(engine, SHUT_WR);
			ends[1].fd = -1;
		}
	}
}

int sendmail_talk(const struct call *c)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *path = programs_socket(c->data, arena);
	int engine = dial(path);

	if (engine < 0)
		return call_fail(EX_TEMPFAIL,
				 "sendmail: %s: %m; is `splitmail serve` "
				 "running?",
				 path);
	pass_all(engine);
	close(engine);
	return EX_OK;
}
