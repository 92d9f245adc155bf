/*
 * Whom a proxy speaks for (wire/proxy.h): asked before anything else, since who
 * is welcome, trusted, counted and limited goes by it.
 *
 * Only who connects from one of the door's proxies is asked, and he has to say
 * it; from anybody else the same octets are no more than a bad command.
 */
#include "rt/counter.h"
#include "rt/log.h"
#include "smtp/session.h"
#include "wire/proxy.h"

static bool is_proxy(const struct smtp_door *door, const struct inet *peer)
{
	for (size_t i = 0; i < door->n_proxies; i++)
		if (inet_in_block(peer, &door->proxies[i]))
			return true;
	return false;
}

/* Not an octet beyond it is read: TLS may come next.  PROXY_PART: he is gone. */
static enum proxy_header waits hear_header(struct session *s,
					   struct proxied *for_whom)
{
	int64_t deadline_ms = after_ms(LIMIT_PROXY_MS);
	enum heard h = HEARD_LINE;
	size_t n;

	while (h == HEARD_LINE) {
		enum proxy_header what =
			proxy_header_parse(stream_bytes(s->peer), for_whom, &n);

		if (what == PROXY_CLIENT || what == PROXY_ITSELF)
			stream_skip(s->peer, n);
		if (what != PROXY_PART)
			return what;
		stream_read_at_most(s->peer, n);
		h = hear_more(s, deadline_ms);
	}
	if (h != HEARD_LATE)
		return PROXY_PART;
	fail("no PROXY header came within %d s", LIMIT_PROXY_MS / 1000);
	return PROXY_NOT;
}

bool meet(struct session *s, const struct smtp_door *door)
{
	struct proxied for_whom;
	enum proxy_header what;

	if (!is_proxy(door, stream_peer(s->peer)))
		return true;
	what = hear_header(s, &for_whom);
	stream_read_at_most(s->peer, 0);
	switch (what) {
	case PROXY_CLIENT:
		stream_speaks_for(s->peer, &for_whom.client, &for_whom.server);
		return true;
	case PROXY_ITSELF:
		return true;
	case PROXY_NOT:
		count(COUNT_CONNECTIONS_REFUSED);
		log_warn(s->part, "proxy %s: %s",
			 inet_ip_text(stream_peer(s->peer)).c, cause());
		break;
	case PROXY_PART:
		break;
	}
	s->is_lost = true;
	return false;
}
