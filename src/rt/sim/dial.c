/*
 * Connections this side begins.
 *
 * A call travels to the other host and its answer back.  What gets no answer
 * (nobody has that address, the host or the link is down, the backlog is full)
 * is tried again after 1, 2, 4... seconds, as TCP does, for two minutes.
 */
#include <stdlib.h>

#include "rt/sim/stream_inside.h"

enum {
	RETRY_US = SECOND,
	GIVE_UP_US = 127 * SECOND, /* tcp_syn_retries */
	FULL_MS = 20,              /* a Unix listener without room */
};

struct call {
	struct held held;
	struct inet from, to;
	struct sim_host *client, *host; /* host NULL: nobody */
	int64_t begun_us, retry_us;
	struct event *next;
	struct fiber *caller;
	struct end *made;
	const char *trouble;
	bool done;
};

static void end_call(struct call *c, const char *trouble)
{
	c->next = NULL;
	c->trouble = trouble;
	c->done = true;
	if (c->caller)
		fiber_wake(c->caller);
}

static void on_answer(void *call)
{
	end_call(call, NULL);
}

static void on_refusal(void *call)
{
	end_call(call, "Connection refused");
}

static void on_call(void *arg);

static void call_again(struct call *c)
{
	if (now_us() - c->begun_us + c->retry_us > GIVE_UP_US) {
		end_call(c, "Connection timed out");
		return;
	}
	c->next = event_own_at(now_us() + c->retry_us, on_call, c);
	c->retry_us *= 2;
}

static bool is_reachable(const struct call *c)
{
	return c->host && !c->host->is_off &&
	       !link_of(c->client, c->host)->is_down &&
	       !link_of(c->host, c->client)->is_down;
}

static enum meeting meet(struct call *c)
{
	if (!is_reachable(c))
		return MEETING_FULL;
	if (link_of(c->client, c->host)->is_refused)
		return MEETING_REFUSED;
	return listener_meet(c->host, &c->to, c->client, &c->from, &c->made);
}

static void on_call(void *arg)
{
	struct call *c = arg;
	int64_t back_us = 0;

	c->next = NULL;
	if (c->host)
		back_us = link_delay(link_of(c->host, c->client), 0);
	switch (meet(c)) {
	case MEETING_DONE:
		c->next = event_own_at(now_us() + back_us, on_answer, c);
		c->made->last_us = now_us() + back_us;
		break;
	case MEETING_REFUSED:
		c->next = event_own_at(now_us() + back_us, on_refusal, c);
		break;
	case MEETING_FULL:
		call_again(c);
		break;
	}
}

/* ---- the address it comes from ---- */

static bool own_address(struct sim_host *h, const struct inet *peer,
			struct inet *out)
{
	if (inet_is_loopback(peer) || inet_is_unspecified(peer)) {
		check(inet_parse_ip(
			str_of(inet_is_v4(peer) ? "127.0.0.1" : "::1"), 0,
			out));
		return true;
	}
	for (size_t i = 0; i < h->n_addresses; i++)
		if (inet_is_v4(&h->addresses[i]) == inet_is_v4(peer)) {
			*out = h->addresses[i];
			return true;
		}
	return fail("Network is unreachable");
}

static bool bind_source(struct sim_host *h, const struct inet *bind,
			const struct inet *peer, struct inet *out)
{
	if (!bind)
		return own_address(h, peer, out);
	if (inet_is_v4(bind) != inet_is_v4(peer))
		return fail("bind to %s: Invalid argument",
			    inet_ip_text(bind).c);
	if (host_of(h, bind) != h)
		return fail_kind(FAIL_FOREIGN,
				 "%s is no address of this machine",
				 inet_ip_text(bind).c);
	*out = *bind;
	return inet_is_unspecified(bind) ? own_address(h, peer, out) : true;
}

bool stream_may_come_from(const struct inet *bind)
{
	struct inet from;

	return bind_source(host_here(), bind, bind, &from);
}

static void next_port(struct sim_host *h, struct inet *from)
{
	h->last_port = h->last_port < 60999 ? h->last_port + 1 : 32769;
	from->port = h->last_port;
}

/* ---- waiting ---- */

/* Whatever comes of a call that was given up is reset. */
static bool give_up(struct call *c, const char *why)
{
	event_forget(c->next);
	if (c->made)
		end_close(c->made, true);
	return fail("%s", why);
}

static void lose(struct held *h)
{
	struct call *c = (struct call *)h;

	if (c->made)
		end_close(c->made, true);
}

static bool call_wait(struct call *c, int64_t deadline_ms)
{
	struct sim_process *p = hold(&c->held, lose);
	enum wait_result r = WAIT_DONE;

	c->caller = fiber_self();
	while (!c->done && r == WAIT_DONE)
		r = fiber_park("connection", deadline_ms);
	c->caller = NULL;
	hold_end(p, &c->held);
	if (!c->done)
		return give_up(c,
			       r == WAIT_DEADLINE ? "timed out" : "cancelled");
	return c->trouble ? fail("%s", c->trouble) : true;
}

static void call_begin(struct call *c)
{
	c->begun_us = now_us();
	c->retry_us = RETRY_US;
	if (c->host == c->client)
		on_call(c);
	else
		c->next = event_own_at(
			now_us() + (c->host ? link_delay(link_of(c->client,
								 c->host),
							 0)
					    : 0),
			on_call, c);
}

struct stream *stream_dial(const struct inet *peer, const struct inet *bind,
			   int64_t deadline_ms)
{
	struct call c = { .client = host_here(), .to = *peer };

	if (!descriptor_take("socket"))
		return NULL;
	c.host = host_of(c.client, peer);
	if (bind_source(c.client, bind, peer, &c.from)) {
		if (c.from.port == 0)
			next_port(c.client, &c.from);
		call_begin(&c);
		if (call_wait(&c, deadline_ms))
			return stream_of_end(c.made);
	}
	descriptor_give(process_here());
	return NULL;
}

static bool pause_until(int64_t until_ms, int64_t deadline_ms)
{
	if (until_ms >= deadline_ms)
		return fail("timed out: nobody takes connections there");
	return fiber_sleep(until_ms) == WAIT_DEADLINE || fail("cancelled");
}

static bool meet_path(const char *path, int64_t deadline_ms, struct end **made)
{
	struct sim_host *h = host_here();

	if (!path_is_there(h, path))
		return fail("No such file or directory");
	for (;;)
		switch (listener_meet_path(h, path, made)) {
		case MEETING_DONE:
			return true;
		case MEETING_REFUSED:
			return fail("Connection refused");
		case MEETING_FULL:
			if (!pause_until(after_ms(FULL_MS), deadline_ms))
				return false;
		}
}

struct stream *stream_dial_path(const char *path, int64_t deadline_ms)
{
	struct end *made;

	if (!descriptor_take("socket"))
		return NULL;
	if (meet_path(path, deadline_ms, &made))
		return stream_of_end(made);
	add_cause("connect to %s", path);
	descriptor_give(process_here());
	return NULL;
}
