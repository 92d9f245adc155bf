/* Links, and connections as pieces of bytes that travel on them. */
#include <stdlib.h>
#include <utlist.h>

#include "base/limits.h"
#include "rt/sim/net_inside.h"

enum {
	RETRY_US = 200 * MS,          /* TCP sends again after that, then */
	RETRY_MOST_US = 120 * SECOND, /* after twice as long, at most this */
	GIVE_UP_US = 924 * SECOND,    /* tcp_retries2 */
	CLOSE_READS = 65536, /* unread bytes that close() puts up with */
};

struct way {
	struct way *next;
	struct sim_host *from, *to;
	struct sim_link link;
};

struct net {
	struct way *ways;
	struct sim_link usual;
	struct connection *all;
	size_t n;
	uint64_t last_number;
};

enum piece_kind {
	PIECE_BYTES,
	PIECE_END,
	PIECE_RESET,
};

struct piece {
	enum piece_kind kind;
	struct end *to;
	uint64_t number; /* of its direction */
	int64_t sent_us, retry_us;
	size_t n;
	char c[];
};

static struct net net;

/* ---- links ---- */

struct sim_link *link_of(struct sim_host *from, struct sim_host *to)
{
	struct way *w;

	LL_FOREACH (net.ways, w)
		if (w->from == from && w->to == to)
			return &w->link;
	w = must_alloc(sizeof(*w));
	*w = (struct way){ .from = from, .to = to };
	if (from != to)
		w->link = net.usual;
	LL_PREPEND(net.ways, w);
	return &w->link;
}

struct sim_link *sim_link(struct sim_host *from, struct sim_host *to)
{
	return link_of(from, to);
}

struct sim_link *sim_link_default(void)
{
	return &net.usual;
}

int64_t link_delay(const struct sim_link *l, size_t n)
{
	int64_t us = l->latency_us;

	if (l->jitter_us > 0)
		us += (int64_t)draw((uint64_t)l->jitter_us);
	if (l->bytes_per_s > 0)
		us += (int64_t)(n * SECOND / l->bytes_per_s);
	return us;
}

/* ---- connections ---- */

struct connection *connection_new(enum carrier carrier, struct sim_host *a,
				  struct sim_host *b)
{
	struct connection *c = must_alloc(sizeof(*c));

	*c = (struct connection){ .number = ++net.last_number,
				  .carrier = carrier };
	c->ends[0] = (struct end){ c, .host = a, .is_open = true };
	c->ends[1] = (struct end){ c, .host = b, .is_open = true };
	if (carrier == CARRIED_BY_TCP) {
		c->ends[0].link = link_of(a, b);
		c->ends[1].link = link_of(b, a);
	}
	DL_APPEND(net.all, c);
	net.n++;
	return c;
}

static void connection_free(struct connection *c)
{
	buf_free(&c->ends[0].arrived);
	buf_free(&c->ends[1].arrived);
	DL_DELETE(net.all, c);
	net.n--;
	free(c);
}

static void free_if_over(struct connection *c)
{
	if (c->uses == 0 && !c->ends[0].is_open && !c->ends[1].is_open)
		connection_free(c);
}

struct end *end_other(struct end *e)
{
	struct connection *c = e->connection;

	return e == &c->ends[0] ? &c->ends[1] : &c->ends[0];
}

size_t sim_connections(void)
{
	return net.n;
}

static void stir(struct end *e)
{
	if (e->stream)
		e->stir(e->stream);
}

static void break_off(struct end *e, const char *trouble)
{
	if (!e->trouble)
		e->trouble = trouble;
	stir(e);
}

/* ---- pieces ---- */

static void piece_send(struct end *from, enum piece_kind kind, const char *p,
		       size_t n);

static void arrive_bytes(struct end *to, const char *p, size_t n)
{
	to->in_flight -= n;
	if (!to->is_open) {
		piece_send(to, PIECE_RESET, NULL, 0);
		return;
	}
	buf_add(&to->arrived, (struct str){ p, n });
	trace_bytes("bytes to", to->connection->number, p, n);
	stir(to);
}

static void arrive(struct end *to, enum piece_kind kind, const char *p,
		   size_t n)
{
	switch (kind) {
	case PIECE_BYTES:
		arrive_bytes(to, p, n);
		break;
	case PIECE_END:
		to->has_end = true;
		stir(to);
		break;
	case PIECE_RESET:
		if (to->is_open)
			break_off(to, "Connection reset by peer");
		break;
	}
}

static void piece_end(struct piece *p)
{
	struct connection *c = p->to->connection;

	free(p);
	c->uses--;
	free_if_over(c);
}

static void on_piece(void *arg);

/* It is sent again, and at last the sender gives up. */
static void piece_is_lost(struct piece *p)
{
	struct end *from = end_other(p->to);

	if (now_us() - p->sent_us > GIVE_UP_US) {
		from->is_dead = true;
		break_off(from, "Connection timed out");
	}
	if (from->is_dead) {
		piece_end(p);
		return;
	}
	p->retry_us = p->retry_us ? 2 * p->retry_us : RETRY_US;
	if (p->retry_us > RETRY_MOST_US)
		p->retry_us = RETRY_MOST_US;
	from->last_us = now_us() + p->retry_us;
	event_at(from->last_us, on_piece, p);
}

/* ---- keepalive ---- */

struct keepalive {
	struct end *end; /* whose other end says nothing any more */
	unsigned probes; /* sent in vain */
};

static void on_keepalive(void *arg);

static void keepalive_next(struct keepalive *k, int64_t seconds)
{
	event_at(now_us() + seconds * SECOND, on_keepalive, k);
}

static bool answers_keepalive(struct end *e)
{
	return !end_other(e)->host->is_off && !e->link->is_down &&
	       !e->connection->hangs;
}

static void on_keepalive(void *arg)
{
	struct keepalive *k = arg;
	struct end *e = k->end;
	struct connection *c = e->connection;

	if (e->is_open && !e->trouble) {
		if (answers_keepalive(e)) {
			break_off(e, "Connection reset by peer");
		} else if (++k->probes <= KEEPALIVE_PROBES) {
			keepalive_next(k, KEEPALIVE_INTERVAL_S);
			return;
		} else {
			e->is_dead = true;
			break_off(e, "Connection timed out");
		}
	}
	free(k);
	c->uses--;
	free_if_over(c);
}

/* The other end says nothing any more: its host has lost power, or what is
 * between them swallows everything. */
static void keepalive_begin(struct end *e)
{
	struct keepalive *k;

	if (!e->is_open || !e->link)
		return;
	k = must_alloc(sizeof(*k));
	*k = (struct keepalive){ .end = e };
	e->connection->uses++;
	keepalive_next(k, KEEPALIVE_IDLE_S);
}

/* ---- the way of a piece ---- */

static void on_piece(void *arg)
{
	struct piece *p = arg;
	struct end *to = p->to, *from = end_other(to);

	if (p->number > from->came + 1 && !from->is_dead) {
		/* One before it was lost, and comes first. */
		event_at(from->last_us + 1, on_piece, p);
	} else if (from->link->is_down || to->host->is_off ||
		   to->connection->hangs || p->number > from->came + 1) {
		piece_is_lost(p);
	} else {
		from->came++;
		arrive(to, p->kind, p->c, p->n);
		piece_end(p);
	}
}

static int64_t arrival_us(struct end *from, size_t n)
{
	int64_t at = now_us() + link_delay(from->link, n);

	if (at < from->last_us)
		at = from->last_us;
	return from->last_us = at;
}

static bool is_local(struct end *e)
{
	return !e->link || (e->host == end_other(e)->host &&
			    e->sent == e->came && e->link->latency_us == 0 &&
			    !e->link->is_down && e->link->bytes_per_s == 0);
}

static void piece_send(struct end *from, enum piece_kind kind, const char *p,
		       size_t n)
{
	struct piece *piece;

	if (is_local(from)) {
		arrive(end_other(from), kind, p, n);
		return;
	}
	piece = must_alloc(sizeof(*piece) + n);
	*piece = (struct piece){ .kind = kind,
				 .to = end_other(from),
				 .number = ++from->sent,
				 .sent_us = now_us(),
				 .n = n };
	if (n > 0)
		memcpy(piece->c, p, n);
	from->connection->uses++;
	event_at(arrival_us(from, n), on_piece, piece);
}

/* ---- an end's doings ---- */

static size_t room_of(struct end *e)
{
	struct end *to = end_other(e);
	size_t used = to->arrived.n + to->in_flight;

	return used < WINDOW_BYTES ? WINDOW_BYTES - used : 0;
}

bool end_has_room(struct end *e)
{
	return e->trouble || room_of(e) > 0 ||
	       (!e->link && !end_other(e)->is_open);
}

/* The next piece may be the one at which the link fails. */
static void meet_trouble(struct end *e)
{
	struct connection *c = e->connection;

	if (!e->link || c->hangs)
		return;
	if (sim_chance(e->link->hang_in)) {
		sim_tell("connection %llu hangs",
			 (unsigned long long)c->number);
		c->hangs = true;
		keepalive_begin(e);
		keepalive_begin(end_other(e));
	} else if (sim_chance(e->link->reset_in)) {
		sim_tell("connection %llu is reset on its way",
			 (unsigned long long)c->number);
		piece_send(e, PIECE_RESET, NULL, 0);
		piece_send(end_other(e), PIECE_RESET, NULL, 0);
	}
}

ptrdiff_t end_send(struct end *e, const char *p, size_t n)
{
	size_t room = room_of(e);

	if (!e->link && !end_other(e)->is_open)
		e->trouble = "Broken pipe";
	if (e->trouble) {
		fail("connection lost: %s", e->trouble);
		return -1;
	}
	n = n < room ? n : room;
	if (e->link && e->link->piece_bytes > 0 && n > 0) {
		size_t most = 1 + (size_t)draw(e->link->piece_bytes);

		n = n < most ? n : most;
	}
	if (n == 0)
		return 0;
	meet_trouble(e);
	end_other(e)->in_flight += n;
	piece_send(e, PIECE_BYTES, p, n);
	return (ptrdiff_t)n;
}

size_t end_receive(struct end *e, char *to, size_t room)
{
	size_t n = e->arrived.n < room ? e->arrived.n : room;

	if (n == 0)
		return 0;
	memcpy(to, e->arrived.p, n);
	buf_take(&e->arrived, n);
	stir(end_other(e));
	return n;
}

void end_close(struct end *e, bool reset)
{
	struct end *other = end_other(e);
	struct connection *c = e->connection;

	check(e->is_open);
	e->is_open = false;
	e->stream = NULL;
	c->uses++;
	if (e->host->is_off) {
		e->is_dead = true; /* nobody is told, nothing sent again */
		keepalive_begin(other);
	} else if (reset || e->arrived.n > CLOSE_READS) {
		piece_send(e, PIECE_RESET, NULL, 0);
	} else if (!e->trouble) {
		piece_send(e, PIECE_END, NULL, 0);
	}
	stir(other); /* who waits for room learns of it, on one machine */
	c->uses--;
	free_if_over(c);
}

void sim_reset_between(struct sim_host *a, struct sim_host *b)
{
	struct connection *c;

	DL_FOREACH (net.all, c)
		for (int i = 0; i < 2; i++)
			if (c->ends[i].host == a && c->ends[!i].host == b) {
				arrive(&c->ends[0], PIECE_RESET, NULL, 0);
				arrive(&c->ends[1], PIECE_RESET, NULL, 0);
				break;
			}
}

/* ---- begin and end ---- */

void net_open(struct world *w)
{
	net = (struct net){ .n = 0 };
	w->net = &net;
}

void net_close(struct world *w)
{
	struct way *way, *next;

	LL_FOREACH_SAFE(net.ways, way, next)
	free(way);
	while (net.all)
		connection_free(net.all);
	w->net = NULL;
}
