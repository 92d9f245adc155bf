/*
 * What the names of systems' hosts stand for.
 *
 * Invariant: at most LIMIT_CALLER_NAMES names; who came first goes first.
 */
#include "route/callers.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "dns/dns.h"
#include "rt/clock.h"
#include "wire/hosts.h"

enum { FRESH_MS = 60000 };

struct name {
	UT_hash_handle hh;
	struct inet addresses[LIMIT_HOSTS];
	size_t n;
	int64_t until_ms;
	size_t bytes;
	char text[];
};

struct callers {
	struct dns *dns;
	struct name *names; /* oldest first */
};

struct callers *callers_open(struct dns *dns)
{
	struct callers *c = must_alloc(sizeof(*c));

	*c = (struct callers){ .dns = dns };
	return c;
}

static void forget(struct callers *c, struct name *name)
{
	HASH_DEL(c->names, name);
	free(name);
}

void callers_close(struct callers *c)
{
	while (c && c->names)
		forget(c, c->names);
	free(c);
}

static struct name *find(struct callers *c, struct str text)
{
	struct name *name;

	HASH_FIND(hh, c->names, text.p, text.n, name);
	return name;
}

static struct name *find_or_add(struct callers *c, struct str text)
{
	struct name *name = find(c, text);

	if (name)
		return name;
	if (HASH_COUNT(c->names) == LIMIT_CALLER_NAMES)
		forget(c, c->names);
	name = must_alloc(sizeof(*name) + text.n);
	memset(name, 0, sizeof(*name));
	name->bytes = text.n;
	memcpy(name->text, text.p, text.n);
	HASH_ADD_KEYPTR(hh, c->names, name->text, name->bytes, name);
	return name;
}

static bool is_fresh(const struct name *name)
{
	return name && now_ms() < name->until_ms;
}

static enum caller is_host(struct callers *c, const struct inet *peer,
			   const struct host *h)
{
	const struct name *name;

	if (h->is_ip)
		return inet_same_ip(peer, &h->ip) ? CALLER_YES : CALLER_NO;
	if (!c)
		return CALLER_NO;
	name = find(c, h->name);
	if (!is_fresh(name))
		return CALLER_UNRESOLVED;
	for (size_t i = 0; i < name->n; i++)
		if (inet_same_ip(peer, &name->addresses[i]))
			return CALLER_YES;
	return CALLER_NO;
}

enum caller callers_among(struct callers *c, const struct inet *peer,
			  struct str hosts, struct arena *arena)
{
	enum caller found = CALLER_NO;
	struct host *h;
	size_t n;

	if (!hosts_parse(hosts, arena, &h, &n))
		return CALLER_NO;
	for (size_t i = 0; i < n; i++)
		switch (is_host(c, peer, &h[i])) {
		case CALLER_YES:
			return CALLER_YES;
		case CALLER_UNRESOLVED:
			found = CALLER_UNRESOLVED;
			break;
		case CALLER_NO:
			break;
		}
	return found;
}

static void waits resolve(struct callers *c, const struct host *h,
			  struct arena *arena, int64_t deadline_ms)
{
	struct inet *found;
	size_t n = 0;
	enum dns_answer a = dns_addresses(c->dns, h->name, h->port, deadline_ms,
					  arena, &found, &n);
	struct name *name = find_or_add(c, h->name);

	name->until_ms = after_ms(FRESH_MS);
	if (a == DNS_TROUBLE)
		return;
	name->n = a == DNS_FOUND ? n : 0;
	check(name->n <= array_size(name->addresses));
	for (size_t i = 0; i < name->n; i++)
		name->addresses[i] = found[i];
}

void callers_resolve(struct callers *c, struct str hosts, int64_t deadline_ms)
{
	struct arena *arena scoped(arena) = arena_open();
	struct host *h;
	size_t n;

	if (!hosts_parse(hosts, arena, &h, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (!h[i].is_ip && !is_fresh(find(c, h[i].name)))
			resolve(c, &h[i], arena, deadline_ms);
}
