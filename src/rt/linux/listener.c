/*
 * Listeners: every loop opens one of its own on the same address, and the
 * kernel spreads the connections (SO_REUSEPORT).
 *
 * SO_REUSEPORT also lets any process of the same user join.  So whoever opens
 * an address first in this process tries a bind without it, which fails while
 * anybody else listens there.
 *
 * A listener outlives listener_close() until the fiber that waits in it has
 * noticed.
 */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "rt/fiber_inside.h"
#include "rt/linux/loop_inside.h"
#include "rt/linux/stream_inside.h"
#include "rt/log.h"

enum { BACKLOG = 1024, OUT_OF_DESCRIPTORS_MS = 200 };

struct listener {
	struct listener *prev, *next; /* of the process */
	uv_poll_t poll;
	int fd;
	bool armed;
	bool ready;
	bool closed;
	bool handle_closed;
	bool complained; /* of missing descriptors, once */
	struct fiber *acceptor;
	bool is_expected; /* an acceptor that has not begun */
	struct inet at;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct listener *all; /* under the lock */

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;

	(void)events;
	if (status < 0)
		l->armed = false;
	l->ready = true;
	if (l->acceptor) {
		fiber_wake(l->acceptor);
	} else if (l->armed) {
		uv_poll_stop(poll);
		l->armed = false;
	}
}

static struct listener *listener_new(int fd, const struct inet *at)
{
	struct listener *l = must_alloc(sizeof(*l));

	*l = (struct listener){ .fd = fd };
	if (at)
		l->at = *at;
	check(uv_poll_init(loop_uv(), &l->poll, fd) == 0);
	l->poll.data = l;
	pthread_mutex_lock(&lock);
	DL_APPEND(all, l);
	pthread_mutex_unlock(&lock);
	return l;
}

static int open_socket(const struct inet *at, const struct sockaddr_place *to,
		       bool shared)
{
	int fd = socket(to->a.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0) {
		fail("socket: %m");
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	set_tcp_manners(fd); /* connections inherit them */
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (!inet_is_v4(at))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&to->a, to->n) != 0) {
		fail("listen on %s: %m", inet_text(at).c);
		close(fd);
		return -1;
	}
	return fd;
}

static bool is_ours(const struct inet *at)
{
	struct listener *l;
	bool ours = false;

	pthread_mutex_lock(&lock);
	DL_FOREACH (all, l)
		if (l->at.port == at->port && inet_same_ip(&l->at, at))
			ours = true;
	pthread_mutex_unlock(&lock);
	return ours;
}

bool inet6_is_there(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* False: somebody else listens there. */
static bool is_vacant(const struct inet *at, const struct sockaddr_place *to)
{
	int fd = open_socket(at, to, false);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static struct inet bound_address(int fd)
{
	struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(a);

	check(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	return inet_from_kernel(&a);
}

/* Two loops may open the same address at the same moment. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

static struct listener *open_address(const struct inet *at)
{
	struct sockaddr_place to = inet_to_kernel(at);
	struct inet bound;
	int fd;

	if (at->port != 0 && !is_ours(at) && !is_vacant(at, &to))
		return NULL;
	fd = open_socket(at, &to, true);
	if (fd < 0)
		return NULL;
	if (listen(fd, BACKLOG) != 0) {
		fail("listen on %s: %m", inet_text(at).c);
		close(fd);
		return NULL;
	}
	bound = bound_address(fd);
	return listener_new(fd, &bound);
}

struct listener *listener_open(const struct inet *at)
{
	struct listener *l;

	pthread_mutex_lock(&opening);
	l = open_address(at);
	pthread_mutex_unlock(&opening);
	return l;
}

/* Never wider than MODE, not even between bind() and chmod(). */
static bool bind_path(int fd, const char *path, unsigned mode)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(un.sun_path))
		return fail("the path is too long");
	memcpy(un.sun_path, path, strlen(path) + 1);
	if (unlink(path) != 0 && errno != ENOENT)
		return fail("remove the old socket: %m");
	if (fchmod(fd, mode) != 0)
		return fail("fchmod: %m");
	if (bind(fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		return fail("bind: %m");
	if (chmod(path, mode) != 0)
		return fail("chmod: %m");
	if (listen(fd, BACKLOG) != 0)
		return fail("listen: %m");
	return true;
}

struct listener *listener_open_path(const char *path, unsigned mode)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		fail("listen on %s: socket: %m", path);
		return NULL;
	}
	if (!bind_path(fd, path, mode)) {
		add_cause("listen on %s", path);
		close(fd);
		return NULL;
	}
	return listener_new(fd, NULL);
}

/* ---- accepting ---- */

static enum wait_result connection_wait(struct listener *l)
{
	enum wait_result r;

	if (!l->armed) {
		check(uv_poll_start(&l->poll, UV_READABLE, on_connection) == 0);
		l->armed = true;
	}
	l->acceptor = fiber_self();
	r = fiber_park("connection", NEVER);
	l->acceptor = NULL;
	return r;
}

/* The kernel keeps the connection in its queue meanwhile; the poll is stopped
 * because it would report it all the time. */
static void descriptors_wait(struct listener *l)
{
	if (!l->complained)
		log_error("listener", "accept on %s: %s", inet_text(&l->at).c,
			  strerror(errno));
	l->complained = true;
	uv_poll_stop(&l->poll);
	l->armed = false;
	l->acceptor = fiber_self();
	fiber_park("descriptors", after_ms(OUT_OF_DESCRIPTORS_MS));
	l->acceptor = NULL;
}

/* -1: none.  Level-triggered: whoever else waits makes the next event, so one
 * connection a turn is taken and no call is wasted on finding none. */
static int accept_one(struct listener *l, struct inet *peer)
{
	struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
	socklen_t n = sizeof(from);
	int fd = accept4(l->fd, (struct sockaddr *)&from, &n,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	l->ready = false;
	if (fd >= 0) {
		*peer = inet_from_kernel(&from);
		l->complained = false;
		return fd;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
	    errno == ENOMEM)
		descriptors_wait(l);
	return -1;
}

/* The last one out frees it. */
static struct stream *leave(struct listener *l)
{
	if (l->handle_closed)
		free(l);
	else if (!l->closed)
		fail("cancelled");
	return NULL;
}

void listener_expect(struct listener *l)
{
	l->is_expected = true;
}

struct stream *listener_accept(struct listener *l)
{
	struct inet peer = { .port = 0 };
	struct stream *s;
	int fd = -1;

	l->is_expected = false;
	while (fd < 0) {
		if (!l->closed && !l->ready &&
		    connection_wait(l) == WAIT_CANCELLED)
			return leave(l);
		if (l->closed)
			return leave(l);
		fd = accept_one(l, &peer);
	}
	s = stream_new(fd, &peer);
	stream_note_local(s);
	return s;
}

static void on_closed(uv_handle_t *poll)
{
	struct listener *l = poll->data;

	l->handle_closed = true;
	if (!l->acceptor && !l->is_expected)
		free(l);
}

void listener_close(struct listener *l)
{
	if (!l || l->closed)
		return;
	l->closed = true;
	pthread_mutex_lock(&lock);
	DL_DELETE(all, l);
	pthread_mutex_unlock(&lock);
	if (l->acceptor)
		fiber_wake(l->acceptor);
	uv_close((uv_handle_t *)&l->poll, on_closed);
	close(l->fd);
}

const struct inet *listener_address(const struct listener *l)
{
	return &l->at;
}
