/*
 * Listeners, and who meets whom: addresses and paths of a host.
 *
 * Each loop of a process may open its own listener of one address; a seeded
 * draw spreads the connections.
 */
#include <stdlib.h>
#include <utlist.h>

#include "rt/sim/stream_inside.h"

struct listener {
	struct held held;
	struct listener *prev, *next; /* of the host */
	struct sim_process *process;
	struct sim_host *host;
	struct inet at;
	struct socket_path *path; /* NULL: an address */
	struct end **queue;       /* connections that wait */
	size_t n, room;
	struct fiber *acceptor;
	bool is_expected; /* an acceptor that has not begun */
	bool closed;
};

/* A socket's file: it stays when its listener is gone. */
struct socket_path {
	struct socket_path *next;
	struct listener *listener;
	char name[];
};

enum { OUT_OF_DESCRIPTORS_MS = 200 };

void sim_backlog(struct sim_host *h, size_t n)
{
	h->backlog = n;
}

/* ---- opening ---- */

bool inet6_is_there(void)
{
	return true;
}

/* Its queue is reset, nobody is accepted any more. */
static void stop_listening(struct listener *l)
{
	l->closed = true;
	if (l->path)
		l->path->listener = NULL;
	DL_DELETE(l->host->listeners, l);
	for (size_t i = 0; i < l->n; i++)
		end_close(l->queue[i], true);
	free(l->queue);
	l->queue = NULL;
	l->n = 0;
}

static void lose(struct held *h)
{
	struct listener *l = (struct listener *)h;

	stop_listening(l);
	free(l);
}

static struct listener *listener_new(const struct inet *at)
{
	struct listener *l = must_alloc(sizeof(*l));

	*l = (struct listener){ .host = host_here() };
	if (at)
		l->at = *at;
	l->process = hold(&l->held, lose);
	DL_APPEND(l->host->listeners, l);
	return l;
}

static bool is_same(const struct listener *l, const struct inet *at)
{
	return !l->path && l->at.port == at->port &&
	       inet_is_v4(&l->at) == inet_is_v4(at) &&
	       (inet_same_ip(&l->at, at) || inet_is_unspecified(&l->at) ||
		inet_is_unspecified(at));
}

/* Another process's, or one of ours that is not the very same. */
static bool is_taken(struct sim_host *h, const struct inet *at)
{
	struct listener *l;

	DL_FOREACH (h->listeners, l)
		if (is_same(l, at) &&
		    (l->process != process_here() || !inet_same_ip(&l->at, at)))
			return true;
	return false;
}

static uint16_t free_port(struct sim_host *h, const struct inet *at)
{
	struct inet a = *at;

	do {
		h->last_port = h->last_port < 60999 ? h->last_port + 1 : 32769;
		a.port = h->last_port;
	} while (is_taken(h, &a));
	return a.port;
}

struct listener *listener_open(const struct inet *at)
{
	struct sim_host *h = host_here();
	struct inet bound = *at;

	if (host_of(h, at) != h) {
		fail("listen on %s: Cannot assign requested address",
		     inet_text(at).c);
		return NULL;
	}
	if (at->port == 0)
		bound.port = free_port(h, at);
	else if (is_taken(h, at)) {
		fail("listen on %s: Address already in use", inet_text(at).c);
		return NULL;
	}
	if (!descriptor_take("socket"))
		return NULL;
	return listener_new(&bound);
}

static struct socket_path *path_of(struct sim_host *h, const char *name)
{
	struct socket_path *p;

	LL_FOREACH (h->paths, p)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

bool path_is_there(struct sim_host *h, const char *name)
{
	return path_of(h, name) != NULL;
}

struct listener *listener_open_path(const char *path, unsigned mode)
{
	struct sim_host *h = host_here();
	struct socket_path *p = path_of(h, path);
	size_t n = strlen(path) + 1;
	struct listener *l;

	(void)mode;
	if (!descriptor_take("socket")) {
		add_cause("listen on %s", path);
		return NULL;
	}
	if (!p) {
		p = must_alloc(sizeof(*p) + n);
		p->listener = NULL;
		memcpy(p->name, path, n);
		LL_PREPEND(h->paths, p);
	}
	if (p->listener)
		p->listener->path = NULL; /* nobody finds it any more */
	l = listener_new(NULL);
	l->path = p;
	p->listener = l;
	return l;
}

void host_listeners_close(struct sim_host *h)
{
	struct socket_path *p, *next;

	check(!h->listeners); /* their processes are gone */
	LL_FOREACH_SAFE(h->paths, p, next)
	free(p);
	h->paths = NULL;
}

/* ---- meeting ---- */

static struct listener *listener_at(struct sim_host *h, const struct inet *at)
{
	struct listener *l, *found = NULL;
	uint64_t n = 0;

	DL_FOREACH (h->listeners, l)
		if (is_same(l, at) && draw(++n) == 0)
			found = l;
	return found;
}

static enum meeting meet(struct listener *l, struct connection *c,
			 struct end **made)
{
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 8;
		l->queue =
			must_realloc(l->queue, l->room * sizeof(struct end *));
	}
	l->queue[l->n++] = &c->ends[1];
	*made = &c->ends[0];
	if (l->acceptor)
		fiber_wake(l->acceptor);
	return MEETING_DONE;
}

enum meeting listener_meet(struct sim_host *host, const struct inet *at,
			   struct sim_host *client, const struct inet *from,
			   struct end **made)
{
	struct listener *l = listener_at(host, at);
	struct connection *c;

	if (!l)
		return MEETING_REFUSED;
	if (l->n >= host->backlog)
		return MEETING_FULL;
	c = connection_new(CARRIED_BY_TCP, client, host);
	c->ends[0].address = *from;
	c->ends[1].address = *at;
	sim_tell("connection %llu from %s to %s", (unsigned long long)c->number,
		 inet_text(from).c, inet_text(at).c);
	return meet(l, c, made);
}

enum meeting listener_meet_path(struct sim_host *host, const char *path,
				struct end **made)
{
	struct socket_path *p = path_of(host, path);

	if (!p || !p->listener)
		return MEETING_REFUSED;
	if (p->listener->n >= host->backlog)
		return MEETING_FULL;
	return meet(p->listener, connection_new(CARRIED_BY_PAIR, host, host),
		    made);
}

/* ---- accepting ---- */

static struct stream *take_first(struct listener *l)
{
	struct end *e = l->queue[0];

	memmove(l->queue, l->queue + 1, --l->n * sizeof(struct end *));
	return stream_of_end(e);
}

static enum wait_result acceptor_park(struct listener *l, const char *why,
				      int64_t deadline_ms)
{
	enum wait_result r;

	l->acceptor = fiber_self();
	r = fiber_park(why, deadline_ms);
	l->acceptor = NULL;
	return r;
}

/* The last one out frees it. */
static struct stream *leave(struct listener *l)
{
	if (l->closed)
		free(l);
	else
		fail("cancelled");
	return NULL;
}

void listener_expect(struct listener *l)
{
	l->is_expected = true;
}

struct stream *listener_accept(struct listener *l)
{
	l->is_expected = false;
	for (;;) {
		if (l->closed)
			return leave(l);
		if (l->n > 0 && descriptor_take("accept"))
			return take_first(l);
		if (acceptor_park(l, "connection",
				  l->n ? after_ms(OUT_OF_DESCRIPTORS_MS)
				       : NEVER) == WAIT_CANCELLED)
			return leave(l);
	}
}

void listener_close(struct listener *l)
{
	if (!l || l->closed)
		return;
	hold_end(l->process, &l->held);
	descriptor_give(l->process);
	stop_listening(l);
	if (l->acceptor)
		fiber_wake(l->acceptor);
	else if (!l->is_expected)
		free(l);
}

const struct inet *listener_address(const struct listener *l)
{
	return &l->at;
}
