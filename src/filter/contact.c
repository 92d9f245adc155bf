/* Connections to filters (contact.h). */
#include "filter/contact.h"

#include <stdlib.h>

#include "base/limits.h"
#include "rt/ledger.h"
#include "wire/endpoint.h"

enum { KEPT_ANSWERS_MS = 1000 };

/* Where a filter listens.  There are as many as administrators have named. */
struct place {
	struct place *next;
	char *socket;
	struct contact *kept;
	unsigned n_kept;
	int64_t rests_until_ms; /* it let somebody wait; 0: it did not */
};

struct filters {
	struct dns *dns;
	struct ledger *figures; /* or NULL */
	struct place *places;
};

/* ---- all of a loop ---- */

struct filters *filters_open(struct dns *dns, struct ledger *figures)
{
	struct filters *f = must_alloc(sizeof(*f));

	*f = (struct filters){ .dns = dns, .figures = figures };
	return f;
}

void filters_count(struct filters *f, struct str filter,
		   enum filter_figure which, uint64_t n)
{
	ledger_count(f->figures, filter, which, n);
}

void filters_met(struct filters *f, struct str filter, enum filter_state state,
		 struct str why)
{
	ledger_say(f->figures, filter, state, why);
}

static struct contact *take_kept(struct place *p)
{
	struct contact *c = p->kept;

	if (!c)
		return NULL;
	p->kept = c->next;
	p->n_kept--;
	return c;
}

void filters_close(struct filters *f)
{
	struct place *p;

	if (!f)
		return;
	while ((p = f->places) != NULL) {
		f->places = p->next;
		while (p->kept)
			contact_close(take_kept(p));
		free(p->socket);
		free(p);
	}
	free(f);
}

static struct place *place_of(struct filters *f, struct str socket)
{
	struct place *p;

	for (p = f->places; p; p = p->next)
		if (str_same(str_of(p->socket), socket))
			return p;
	p = must_alloc(sizeof(*p));
	*p = (struct place){ .next = f->places,
			     .socket = must_alloc(socket.n + 1) };
	memcpy(p->socket, socket.p, socket.n);
	p->socket[socket.n] = '\0';
	f->places = p;
	return p;
}

/* ---- one ---- */

void contact_close(struct contact *c)
{
	if (!c)
		return;
	stream_close(c->peer);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

bool contact_send(struct contact *c, int64_t deadline_ms)
{
	stream_say(c->peer, buf_str(&c->out));
	buf_clear(&c->out);
	return stream_flush(c->peer, deadline_ms);
}

static bool waits hear_more(struct contact *c, int64_t deadline_ms)
{
	struct str bytes;

	switch (stream_fill(c->peer, deadline_ms)) {
	case STREAM_MORE:
	case STREAM_FULL:
		break;
	case STREAM_END:
		return fail("it closed the connection");
	case STREAM_LATE:
		return fail_kind(FAIL_LATE, "it does not answer");
	case STREAM_BROKEN:
		return false;
	}
	bytes = stream_bytes(c->peer);
	buf_add(&c->in, bytes);
	stream_skip(c->peer, bytes.n);
	return true;
}

bool contact_hear(struct contact *c, struct arena *arena,
		  struct milter_answer *out, int64_t deadline_ms)
{
	if (!contact_send(c, deadline_ms))
		return false;
	buf_take(&c->in, c->used);
	c->used = 0;
	for (;;) {
		switch (milter_parse(buf_str(&c->in), arena, out, &c->used)) {
		case MILTER_WHOLE:
			return true;
		case MILTER_BAD:
			return false;
		case MILTER_PART:
			break;
		}
		if (!hear_more(c, deadline_ms))
			return false;
	}
}

static bool waits negotiate(struct contact *c, int64_t deadline_ms)
{
	struct arena *arena scoped(arena) = arena_open();
	struct milter_answer a;

	milter_say_options(&c->out);
	if (!contact_hear(c, arena, &a, deadline_ms))
		return false;
	if (a.kind != MILTER_NEGOTIATED)
		return fail("it answers '%c' to the negotiation", (char)a.kind);
	c->agreed = a.options;
	return true;
}

/* ---- opening ---- */

static struct stream *waits dial_name(struct filters *f, const struct host *h,
				      struct arena *arena, int64_t deadline_ms)
{
	struct stream *peer = NULL;
	struct inet *a;
	size_t n = 0;

	switch (dns_addresses(f->dns, h->name, h->port, deadline_ms, arena, &a,
			      &n)) {
	case DNS_FOUND:
		break;
	case DNS_NONE:
		fail("%.*s has no address", STR(h->name));
		return NULL;
	case DNS_TROUBLE:
		return NULL;
	}
	for (size_t i = 0; i < n && !peer; i++)
		peer = stream_dial(&a[i], NULL, deadline_ms);
	return peer;
}

static struct stream *waits dial(struct filters *f, struct str socket,
				 int64_t deadline_ms)
{
	struct arena *arena scoped(arena) = arena_open();
	struct endpoint e;

	if (!endpoint_parse(socket, arena, &e))
		return NULL;
	if (e.is_unix)
		return stream_dial_path(arena_cstr(arena, e.path), deadline_ms);
	if (e.host.is_ip)
		return stream_dial(&e.host.ip, NULL, deadline_ms);
	return dial_name(f, &e.host, arena, deadline_ms);
}

static struct contact *waits open_new(struct filters *f, struct place *p,
				      int64_t deadline_ms)
{
	struct stream *peer = dial(f, str_of(p->socket), deadline_ms);
	struct contact *c;

	if (!peer)
		return NULL;
	c = must_alloc(sizeof(*c));
	*c = (struct contact){ .place = p, .peer = peer };
	if (negotiate(c, deadline_ms))
		return c;
	contact_close(c);
	return NULL;
}

/* One that was kept; NULL: none is good for another mail.  Whoever does not answer
 * at once on it is not waited for: he may on a new one. */
static struct contact *waits open_kept(struct place *p, int64_t deadline_ms)
{
	int64_t soon_ms = after_ms(KEPT_ANSWERS_MS);
	struct contact *c;

	if (soon_ms < deadline_ms)
		deadline_ms = soon_ms;
	while ((c = take_kept(p)) != NULL) {
		if (now_ms() - c->kept_ms < LIMIT_FILTER_IDLE_MS &&
		    stream_is_quiet(c->peer) && negotiate(c, deadline_ms))
			return c;
		contact_close(c);
	}
	return NULL;
}

struct contact *contact_open(struct filters *f, struct str socket,
			     int64_t deadline_ms)
{
	struct place *p = place_of(f, socket);
	struct contact *c;

	if (p->rests_until_ms > now_ms()) {
		fail("it let another mail wait a moment ago");
		return NULL;
	}
	c = open_kept(p, deadline_ms);
	if (!c)
		c = open_new(f, p, deadline_ms);
	if (!c && now_ms() >= deadline_ms)
		p->rests_until_ms = after_ms(LIMIT_FILTER_REST_MS);
	return c;
}

/* ---- keeping ---- */

/* Nothing that was not asked for is left of the mail before. */
static bool is_clean(const struct contact *c)
{
	return c->used == c->in.n && stream_is_quiet(c->peer);
}

void contact_keep(struct contact *c, int64_t deadline_ms)
{
	struct place *p = c->place;
	bool goes_on = milter_is_reusable(&c->agreed) && is_clean(c) &&
		       p->n_kept < LIMIT_FILTER_IDLE;

	milter_say(&c->out, goes_on ? MILTER_QUIT_NEXT : MILTER_QUIT, S(""));
	if (!contact_send(c, deadline_ms) || !goes_on) {
		contact_close(c);
		return;
	}
	buf_free(&c->in);
	buf_free(&c->out);
	c->used = 0;
	c->kept_ms = now_ms();
	c->next = p->kept;
	p->kept = c;
	p->n_kept++;
}
