/*
 * What an address to connect to is called, for people and in the pool.
 */
#include "deliver/hop.h"

#include "base/buf.h"
#include "rt/counter.h"
#include "rt/log.h"

struct str hop_name(const struct hop *hop, struct arena *arena)
{
	if (hop->path)
		return str_of(hop->path);
	return arena_strf(arena, "%.*s[%s]:%u", STR(hop->host),
			  inet_ip_text(&hop->at).c, hop->at.port);
}

/* What a connection was believed by: who is told otherwise has another. */
static struct str with_records(struct str key, const struct tls_dane *dane,
			       struct arena *arena)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	buf_printf(&b, "%.*s\n%s", STR(key), dane->domain ? dane->domain : "");
	for (size_t i = 0; i < dane->n; i++) {
		const struct tlsa *t = &dane->records[i];

		buf_printf(&b, " %u %u %u %zu:", t->usage, t->selector,
			   t->matching, t->data.n);
		buf_add(&b, t->data);
	}
	return arena_str(arena, buf_str(&b));
}

struct str hop_key(const struct hop *hop, struct arena *arena)
{
	struct str whose = next_hop_text(&hop->next, arena), key;

	if (hop->path)
		return arena_strf(arena, "%.*s\n%s", STR(whose), hop->path);
	key = arena_strf(arena, "%.*s\n%s %d %.*s %.*s%s", STR(whose),
			 inet_text(&hop->at).c, hop->tls, STR(hop->host),
			 STR(hop->user), hop->tells_client ? " xclient" : "");
	if (outgoing_is_set(&hop->limits.outgoing))
		key = arena_strf(
			arena, "%.*s\n%.*s", STR(key),
			STR(outgoing_text(&hop->limits.outgoing, arena)));
	return hop->dane ? with_records(key, hop->dane, arena) : key;
}

void hop_fails_test(const struct hop *hop, const char *why)
{
	count(COUNT_LEFT_IN_SPITE_OF_STS);
	log_fact("smtp",
		 "MTA-STS, which is tested, would keep mail from %.*s: %s",
		 STR(hop->host), why);
}

static const struct tls_dane *dane_copy(const struct tls_dane *dane,
					struct arena *arena)
{
	struct tls_dane *copy = arena_new(arena, struct tls_dane);
	struct tlsa *records = arena_array(arena, struct tlsa, dane->n);

	for (size_t i = 0; i < dane->n; i++) {
		records[i] = dane->records[i];
		records[i].data = arena_str(arena, dane->records[i].data);
	}
	*copy = (struct tls_dane){
		.host = arena_cstr(arena, str_of(dane->host)),
		.domain = dane->domain ? arena_cstr(arena, str_of(dane->domain))
				       : NULL,
		.records = records,
		.n = dane->n,
	};
	return copy;
}

struct hop hop_copy(const struct hop *hop, struct arena *arena)
{
	struct hop copy = *hop;

	copy.host = arena_str(arena, hop->host);
	copy.user = arena_str(arena, hop->user);
	copy.password = arena_str(arena, hop->password);
	copy.next.name = arena_str(arena, hop->next.name);
	if (hop->dane)
		copy.dane = dane_copy(hop->dane, arena);
	return copy;
}
