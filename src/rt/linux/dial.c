/* Connections this side begins. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "rt/stream_inside.h"

/* How long a listener that has no room is left alone. */
enum { FULL_FIRST_MS = 5, FULL_MOST_MS = 100 };

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

static int open_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		fail("socket: %m");
	return fd;
}

static bool is_foreign(const struct inet *from)
{
	return fail_kind(FAIL_FOREIGN, "%s is no address of this machine",
			 inet_ip_text(from).c);
}

/* The source port is chosen at connect(), so that ports are not used up by
 * connections to other peers. */
static bool bind_source(int fd, const struct inet *from)
{
	struct sockaddr_place at = inet_to_kernel(from);
	int on = 1;

	if (from->port == 0)
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
			   sizeof(on));
	if (bind(fd, (struct sockaddr *)&at.a, at.n) == 0)
		return true;
	return errno == EADDRNOTAVAIL
		       ? is_foreign(from)
		       : fail("bind to %s: %m", inet_ip_text(from).c);
}

bool stream_may_come_from(const struct inet *bind)
{
	struct inet from = *bind;
	int fd = open_socket(inet_to_kernel(bind).a.ss_family);
	bool may;

	if (fd < 0)
		return errno != EAFNOSUPPORT || is_foreign(bind);
	from.port = 0;
	may = bind_source(fd, &from) || cause_kind() != FAIL_FOREIGN;
	close(fd);
	return may;
}

static bool pause_until(int64_t until_ms, int64_t deadline_ms)
{
	if (until_ms >= deadline_ms)
		return fail_kind(FAIL_LATE, "timed out: nobody takes "
					    "connections there");
	return fiber_sleep(until_ms) == WAIT_DEADLINE || fail("cancelled");
}

/* The listener of a Unix socket has as many as it may have that were not taken
 * yet: the kernel says so at once, and nothing when there is room again. */
static bool connect_when_there_is_room(struct stream *s,
				       const struct sockaddr_place *to,
				       int64_t deadline_ms)
{
	int64_t pause_ms = FULL_FIRST_MS;

	while (connect(s->fd, (const struct sockaddr *)&to->a, to->n) != 0) {
		if (errno != EAGAIN)
			return fail("%m");
		if (!pause_until(after_ms(pause_ms), deadline_ms))
			return false;
		pause_ms = pause_ms * 2 < FULL_MOST_MS ? pause_ms * 2
						       : FULL_MOST_MS;
	}
	return true;
}

static bool connect_wait(struct stream *s, const struct sockaddr_place *to,
			 int64_t deadline_ms)
{
	int trouble = 0;
	socklen_t n = sizeof(trouble);

	if (to->a.ss_family == AF_UNIX)
		return connect_when_there_is_room(s, to, deadline_ms);
	if (connect(s->fd, (const struct sockaddr *)&to->a, to->n) == 0)
		return true;
	if (errno != EINPROGRESS)
		return fail("%m");
	if (!stream_wait_or_fail(s, UV_WRITABLE, deadline_ms))
		return false;
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &trouble, &n) != 0)
		return fail("getsockopt: %m");
	return trouble ? fail("%s", strerror(trouble)) : true;
}

struct stream *stream_dial(const struct inet *peer, const struct inet *bind,
			   int64_t deadline_ms)
{
	struct sockaddr_place to = inet_to_kernel(peer);
	int fd = open_socket(to.a.ss_family);
	struct stream *s;

	if (fd < 0)
		return NULL;
	set_tcp_manners(fd);
	if (bind && !bind_source(fd, bind)) {
		close(fd);
		return NULL;
	}
	s = stream_new(fd, peer);
	if (!connect_wait(s, &to, deadline_ms)) {
		stream_reset(s);
		return NULL;
	}
	stream_note_local(s);
	return s;
}

struct stream *stream_dial_path(const char *path, int64_t deadline_ms)
{
	struct sockaddr_place to = { .n = sizeof(struct sockaddr_un) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stream *s;
	int fd;

	if (strlen(path) >= sizeof(un.sun_path)) {
		fail("connect to %s: the path is too long", path);
		return NULL;
	}
	memcpy(un.sun_path, path, strlen(path) + 1);
	memcpy(&to.a, &un, sizeof(un));
	fd = open_socket(AF_UNIX);
	if (fd < 0)
		return NULL;
	s = stream_new(fd, NULL);
	if (!connect_wait(s, &to, deadline_ms)) {
		add_cause("connect to %s", path);
		stream_reset(s);
		return NULL;
	}
	return s;
}
