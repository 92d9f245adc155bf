/*
 * The memory of hosts, and the facts about them (hosts.h); the places are in
 * places.c.  One lock over all of it; facts are read without.
 *
 * A host is forgotten only while nobody holds it.
 */
#include "deliver/hosts_inside.h"

#include <stdlib.h>

#include "base/limits.h"
#include "rt/log.h"
#include "rt/loop.h"

enum {
	HOSTS_REMEMBERED = 10000,
	FACT_MS = 86400000, /* a day */
	ACCIDENT_MS = 300000,
	REST_MS = 5000,
	REST_SLOW_MS = 30000, /* asking costs seconds */
};

/* Values of HOST_SILENT. */
enum { SILENT_AT_ONCE = 1, SILENT_SLOWLY };

void hosts_lock(struct hosts *hosts)
{
	mutex_take(&hosts->lock);
}

void hosts_unlock(struct hosts *hosts)
{
	mutex_give(&hosts->lock);
}

struct hosts *hosts_open(void)
{
	struct hosts *hosts = must_alloc(sizeof *hosts);

	memset(hosts, 0, sizeof *hosts);
	mutex_open(&hosts->lock);
	return hosts;
}

static void drop(struct host_state *h)
{
	HASH_DEL(h->hosts->all, h);
	for (size_t i = 0; i < h->n_owners; i++) {
		free(h->owners[i].row);
		free(h->owners[i].name);
	}
	free(h->parts);
	free(h);
}

void hosts_close(struct hosts *hosts)
{
	struct host_state *h, *next;

	if (!hosts)
		return;
	HASH_ITER (hh, hosts->all, h, next)
		drop(h);
	mutex_close(&hosts->lock);
	free(hosts->pleas);
	free(hosts);
}

size_t hosts_places(struct hosts *hosts)
{
	struct host_state *h, *next;
	size_t n = 0;

	if (!hosts)
		return 0;
	hosts_lock(hosts);
	HASH_ITER (hh, hosts->all, h, next)
		n += h->places;
	hosts_unlock(hosts);
	return n;
}

/* ---- one of them ---- */

static void make_room(struct hosts *hosts)
{
	struct host_state *h, *next;

	HASH_ITER (hh, hosts->all, h, next)
		if (!h->held) {
			drop(h);
			return;
		}
}

static struct part *parts_new(struct host_state *h)
{
	int n = loop_count();
	struct part *parts = must_alloc((size_t)n * sizeof parts[0]);

	memset(parts, 0, (size_t)n * sizeof parts[0]);
	for (int i = 0; i < n; i++) {
		parts[i].host = h;
		parts[i].loop = i;
	}
	return parts;
}

static struct host_state *make(struct hosts *hosts, struct str key,
			       unsigned places)
{
	struct host_state *h = must_alloc(sizeof *h + key.n);

	if (HASH_COUNT(hosts->all) >= HOSTS_REMEMBERED)
		make_room(hosts);
	memset(h, 0, sizeof *h);
	h->left_ms = INT64_MIN / 2; /* never, by the youngest clock, too */
	h->hosts = hosts;
	h->most = places;
	h->parts = parts_new(h);
	h->key_bytes = key.n;
	memcpy(h->key, key.p, key.n);
	return h;
}

static char *copy_of(struct str s)
{
	char *copy = must_alloc(s.n + 1);

	if (s.n)
		memcpy(copy, s.p, s.n);
	copy[s.n] = '\0';
	return copy;
}

/* It has the name by which its owner had it last. */
static void note_owner(struct host_state *h, struct host_owner owner)
{
	size_t i = 0;

	while (i < h->n_owners &&
	       !str_same(str_of(h->owners[i].row), owner.row))
		i++;
	if (i == ROWS_OF_ONE)
		return;
	if (i == h->n_owners)
		h->owners[h->n_owners++] =
			(struct owner){ copy_of(owner.row),
					copy_of(owner.name) };
	if (str_same(str_of(h->owners[i].name), owner.name))
		return;
	free(h->owners[i].name);
	h->owners[i].name = copy_of(owner.name);
}

struct host_state *host_hold(struct hosts *hosts, struct str key,
			     struct host_owner owner, unsigned places)
{
	struct host_state *h;

	hosts_lock(hosts);
	HASH_FIND(hh, hosts->all, key.p, key.n, h);
	if (h)
		HASH_DEL(hosts->all, h);
	else
		h = make(hosts, key, places);
	HASH_ADD_KEYPTR(hh, hosts->all, h->key, h->key_bytes, h);
	note_owner(h, owner);
	h->held++;
	hosts_unlock(hosts);
	return h;
}

void host_release(struct host_state *h)
{
	struct hosts *hosts = h->hosts;

	hosts_lock(hosts);
	h->held--;
	hosts_unlock(hosts);
}

/* ---- facts ---- */

unsigned host_fact(const struct host_state *h, enum host_fact f)
{
	const struct fact *fact = &h->facts[f];
	unsigned value =
		atomic_load_explicit(&fact->value, memory_order_relaxed);

	if (!value)
		return 0;
	return host_now_ms(h) < atomic_load_explicit(&fact->until_ms,
						     memory_order_relaxed)
		       ? value
		       : 0;
}

static const char *const fact_names[HOST_FACTS] = {
	[HOST_CONNECTIONS] = "connections",
	[HOST_MAILS] = "mails_per_connection",
	[HOST_RECIPIENTS] = "recipients_per_mail",
	[HOST_NO_TLS] = "no_tls",
	[HOST_NO_CHUNKING] = "no_chunking",
	[HOST_NO_XCLIENT] = "no_xclient",
	[HOST_NO_PARAMETERS] = "no_parameters",
	[HOST_BANS] = "bans",
	[HOST_SORT] = "refusals",
	[HOST_SILENT] = "silent",
};

const char *host_fact_name(enum host_fact f)
{
	return fact_names[f];
}

const char *host_sort_name(enum host_sort s)
{
	switch (s) {
	case SORT_REFUSES:
		return "at_rcpt";
	case SORT_ACCEPTS:
		return "accepts_all";
	case SORT_WHOLE:
		return "whole_message";
	case SORT_UNKNOWN:
		break;
	}
	return "unknown";
}

/* For who reads the log; a host that falls silent or is back again and again
 * is told elsewhere. */
static void tell(const struct host_state *h, enum host_fact f, unsigned value)
{
	if (!fact_names[f] || f == HOST_SILENT)
		return;
	if (f == HOST_SORT)
		log_fact("smtp", "%.*s: learnt %s=%s", (int)h->key_bytes,
			 h->key, fact_names[f],
			 host_sort_name((enum host_sort)value));
	else
		log_fact("smtp", "%.*s: learnt %s=%u", (int)h->key_bytes,
			 h->key, fact_names[f], value);
}

static void learn_for(struct host_state *h, enum host_fact f, unsigned value,
		      int64_t ms)
{
	struct fact *fact = &h->facts[f];

	if (host_fact(h, f) != value) {
		fact->since_ms = wall_ms();
		tell(h, f, value);
	}
	atomic_store_explicit(&fact->value, value, memory_order_relaxed);
	atomic_store_explicit(&fact->until_ms, host_now_ms(h) + ms,
			      memory_order_relaxed);
}

void host_learn_locked(struct host_state *h, enum host_fact f, unsigned value)
{
	learn_for(h, f, value, FACT_MS);
}

void host_learn(struct host_state *h, enum host_fact f, unsigned value)
{
	hosts_lock(h->hosts);
	host_learn_locked(h, f, value);
	hosts_unlock(h->hosts);
}

void host_lower(struct host_state *h, enum host_fact f, unsigned value)
{
	unsigned known;

	hosts_lock(h->hosts);
	known = host_fact(h, f);
	if (value && (!known || value <= known))
		host_learn_locked(h, f, value);
	hosts_unlock(h->hosts);
}

void host_forget(struct host_state *h, enum host_fact f)
{
	if (atomic_load_explicit(&h->facts[f].value, memory_order_relaxed))
		atomic_store(&h->facts[f].value, 0);
}

/* How long it is to be believed that it does not work. */
static int64_t failed_for(struct fact *fact, int64_t now_ms)
{
	int64_t since_ms = fact->failed_ms ? now_ms - fact->failed_ms : FACT_MS;

	if (since_ms >= FACT_MS)
		fact->failed_ms = now_ms;
	return since_ms >= ACCIDENT_MS && since_ms < FACT_MS ? FACT_MS
							     : ACCIDENT_MS;
}

void host_failed_at(struct host_state *h, enum host_fact f,
		    enum host_fact works)
{
	int64_t ms;

	hosts_lock(h->hosts);
	ms = failed_for(&h->facts[f], host_now_ms(h));
	if (ms == FACT_MS || !host_fact(h, works))
		learn_for(h, f, 1, ms);
	hosts_unlock(h->hosts);
}

void host_works_at(struct host_state *h, enum host_fact f, enum host_fact works)
{
	hosts_lock(h->hosts);
	h->facts[f].failed_ms = 0;
	host_forget(h, f);
	host_learn_locked(h, works, 1);
	hosts_unlock(h->hosts);
}

void host_was_silent(struct host_state *h, bool slowly)
{
	hosts_lock(h->hosts);
	h->silences++;
	h->rest_until_ms = host_now_ms(h) + (slowly ? REST_SLOW_MS : REST_MS);
	host_learn_locked(h, HOST_SILENT,
			  slowly ? SILENT_SLOWLY : SILENT_AT_ONCE);
	hosts_unlock(h->hosts);
}

void host_answered(struct host_state *h)
{
	host_forget(h, HOST_SILENT);
}

bool host_is_resting(struct host_state *h, bool *look)
{
	unsigned silent = host_fact(h, HOST_SILENT);
	bool is_over;

	*look = false;
	if (!silent)
		return false;
	hosts_lock(h->hosts);
	is_over = h->rest_until_ms <= host_now_ms(h);
	if (is_over) /* this one finds out, and the others wait for it */
		h->rest_until_ms =
			host_now_ms(h) +
			(silent == SILENT_SLOWLY ? REST_SLOW_MS : REST_MS);
	hosts_unlock(h->hosts);
	*look = is_over && silent == SILENT_SLOWLY;
	return !is_over || *look;
}

static size_t list_one(struct host_state *h, struct arena *arena,
		       struct host_note *out)
{
	size_t n = 0;

	for (size_t f = 0; f < HOST_FACTS; f++)
		for (size_t i = 0; i < h->n_owners; i++) {
			unsigned value = host_fact(h, f);

			if (!value || !fact_names[f])
				continue;
			out[n++] = (struct host_note){
				.host = arena_str(
					arena,
					(struct str){ h->key, h->key_bytes }),
				.row = arena_str(arena,
						 str_of(h->owners[i].row)),
				.name = arena_str(arena,
						  str_of(h->owners[i].name)),
				.fact = f,
				.value = value,
				.since_ms = h->facts[f].since_ms,
				.until_ms = wall_ms() + h->facts[f].until_ms -
					    host_now_ms(h),
			};
		}
	return n;
}

static size_t count_notes(struct hosts *hosts)
{
	struct host_state *h, *next;
	size_t n = 0;

	HASH_ITER (hh, hosts->all, h, next)
		for (size_t f = 0; f < HOST_FACTS; f++)
			n += host_fact(h, f) ? h->n_owners : 0;
	return n;
}

struct host_note *hosts_list(struct hosts *hosts, struct arena *arena,
			     size_t *n)
{
	struct host_note *out;
	struct host_state *h, *next;

	*n = 0;
	hosts_lock(hosts);
	out = arena_array(arena, struct host_note, count_notes(hosts) + 1);
	HASH_ITER (hh, hosts->all, h, next)
		*n += list_one(h, arena, out + *n);
	hosts_unlock(hosts);
	return out;
}
