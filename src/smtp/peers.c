/*
 * Is it the other system that calls?
 *
 * A stranger whose address is among the A and AAAA of the system a recipient
 * would be relayed to, is that system: it has no more rights for it, but what
 * it hands us is not handed back (architecture: the guard against loops).
 * Loopback and our own address say nothing: several servers may live there.
 *
 * Names are resolved once a minute and loop; the answers lie in a ring.
 */
#include "smtp/peers.h"

#include <stdlib.h>

#include "wire/hosts.h"

enum { FRESH_MS = 60000, RESOLVE_MS = 5000 };

static struct known_system *find(struct smtp_memory *memory, struct str hosts)
{
	for (size_t i = 0; i < KNOWN_SYSTEMS; i++) {
		struct known_system *k = &memory->systems[i];

		if (k->until_ms > now_ms() && str_same(str_of(k->hosts), hosts))
			return k;
	}
	return NULL;
}

static void add_addresses(struct known_system *k, const struct inet *a,
                          size_t n)
{
	for (size_t i = 0; i < n && k->n < KNOWN_ADDRESSES; i++)
		k->addresses[k->n++] = a[i];
}

/* A name that cannot be resolved now is nobody's address: the mail goes on,
 * and the trail still guards it. */
static void waits resolve(struct known_system *k, const struct host *h,
                          struct arena *arena)
{
	struct inet *found;
	size_t n;

	if (h->is_ip)
		add_addresses(k, &h->ip, 1);
	else if (dns_addresses(h->name, h->port, after_ms(RESOLVE_MS), arena,
	                       &found, &n) == DNS_FOUND)
		add_addresses(k, found, n);
}

static void waits resolve_all(struct known_system *k, struct str hosts,
                              struct arena *arena)
{
	struct host *h;
	size_t n;

	k->n = 0;
	k->until_ms = after_ms(FRESH_MS);
	memcpy(k->hosts, hosts.p, hosts.n);
	k->hosts[hosts.n] = 0;
	if (!hosts_parse(hosts, arena, &h, &n))
		return;
	for (size_t i = 0; i < n; i++)
		resolve(k, &h[i], arena);
}

struct smtp_memory *smtp_memory(struct smtp_server *server)
{
	if (!server->memory) {
		server->memory = must_alloc(sizeof(*server->memory));
		memset(server->memory, 0, sizeof(*server->memory));
	}
	return server->memory;
}

void smtp_close(struct smtp_server *server)
{
	free(server->memory);
	server->memory = NULL;
}

bool peer_is_among(struct session *s, struct str hosts)
{
	const struct inet *peer = stream_peer(s->peer);
	struct smtp_memory *memory = smtp_memory(s->server);
	struct known_system *k, fresh;

	if (inet_is_loopback(peer) ||
	    inet_same_ip(peer, stream_local(s->peer)) ||
	    hosts.n >= sizeof(k->hosts))
		return false;
	k = find(memory, hosts);
	if (!k) {
		resolve_all(&fresh, hosts, s->line);
		k = &memory->systems[memory->next++ % KNOWN_SYSTEMS];
		*k = fresh;
	}
	for (size_t i = 0; i < k->n; i++)
		if (inet_same_ip(peer, &k->addresses[i]))
			return true;
	return false;
}
