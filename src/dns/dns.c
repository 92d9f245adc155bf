/*
 * Questions to libunbound, which asks in a thread of its own, one per loop.
 *
 *	fiber ── ub_resolve_async ──▶ libunbound's thread ── the network
 *	  ▲                                   │
 *	  └─ gate ◀─ ub_process ◀─ watch ◀────┘ descriptor becomes readable
 *
 * The descriptor is watched while a question is open.  A fiber that gives up
 * takes its question back, so a question may live on the fiber's stack.
 *
 * libunbound's preparations put 64 KiB on the stack: a fiber's is no larger.
 * They are made on the loop's own.
 */
#include "dns/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <unbound.h>

#include "base/limits.h"
#include "rt/loop.h"
#include "rt/random.h"
#include "rt/watch.h"
#include "wire/address.h"

#define ROOT_KEY "/usr/share/dns/root.key"

enum { TYPE_A = 1, TYPE_MX = 15, TYPE_AAAA = 28, CLASS_IN = 1, NXDOMAIN = 3 };

struct resolver {
	struct ub_ctx *ub;
	struct watch *watch; /* while open > 0 */
	unsigned open;
	struct gate tried; /* to make ub */
	char trouble[FAIL_SLOT_BYTES];
};

struct question {
	struct resolver *resolver;
	int id;
	bool is_open;
	int error;                /* libunbound's, 0: none */
	struct ub_result *result; /* ours, when answered without error */
	struct gate answered;
};

static struct dns_settings settings;
static struct resolver *resolvers; /* one per loop, made at its first
                                      question */
enum { LOOPS_MOST = 256 };

void dns_open(const struct dns_settings *s)
{
	settings = *s;
	check(!resolvers);
	resolvers = calloc(LOOPS_MOST, sizeof(*resolvers));
	check(resolvers);
}

void dns_close(void)
{
	for (int i = 0; resolvers && i < LOOPS_MOST; i++)
		if (resolvers[i].ub)
			ub_ctx_delete(resolvers[i].ub);
	free(resolvers);
	resolvers = NULL;
}

/* ---- libunbound's options ---- */

static bool worked(int error, const char *what)
{
	return error == 0 || fail("dns: %s: %s", what, ub_strerror(error));
}

static bool set_options(struct ub_ctx *ub)
{
	static const char *const options[][2] = {
		{ "do-not-query-localhost:", "no" },
		{ "unblock-lan-zones:", "yes" },
		{ "insecure-lan-zones:", "yes" },
		{ "infra-keep-probing:", "yes" }, /* a server that was away is
		                                     soon asked again */
		{ "cache-max-negative-ttl:", "300" },
	};

	for (size_t i = 0; i < array_size(options); i++)
		if (!worked(ub_ctx_set_option(ub, options[i][0], options[i][1]),
		            options[i][0]))
			return false;
	if (settings.dnssec)
		return worked(ub_ctx_add_ta_file(ub, ROOT_KEY), ROOT_KEY);
	return worked(ub_ctx_set_option(ub, "module-config:", "iterator"),
	              "module-config");
}

/* Names for tests and for nobody are the configured servers' business. */
static bool use_servers(struct ub_ctx *ub)
{
	for (const char *const *s = settings.servers; *s; s++)
		if (!worked(ub_ctx_set_fwd(ub, *s), *s))
			return false;
	return worked(ub_ctx_zone_remove(ub, "test."), "test.") &&
	       worked(ub_ctx_zone_remove(ub, "invalid."), "invalid.");
}

/* Any change of zones ends the configuration, which the first question would
 * do otherwise, on the stack of the fiber that asks. */
static bool finish(struct ub_ctx *ub)
{
	return worked(ub_ctx_zone_remove(ub, "none.invalid."), "none.invalid.");
}

static bool configure(struct ub_ctx *ub)
{
	if (!worked(ub_ctx_async(ub, 1), "thread") || !set_options(ub))
		return false;
	/* Either file may be missing: then the root servers are asked. */
	ub_ctx_hosts(ub, settings.hosts_file);
	if (settings.servers && settings.servers[0])
		return use_servers(ub) && finish(ub);
	ub_ctx_resolvconf(ub, NULL);
	return finish(ub);
}

static bool make(struct resolver *r)
{
	if (r->ub)
		return true;
	r->ub = ub_ctx_create();
	if (!r->ub)
		return fail("dns: no resolver");
	if (configure(r->ub))
		return true;
	ub_ctx_delete(r->ub);
	r->ub = NULL;
	return false;
}

static void make_it(void *arg)
{
	struct resolver *r = arg;

	if (!make(r))
		snprintf(r->trouble, sizeof(r->trouble), "%s", cause());
	gate_open(&r->tried);
}

static struct resolver *waits resolver_here(void)
{
	struct resolver *r;

	check(resolvers && loop_index() < LOOPS_MOST);
	r = &resolvers[loop_index()];
	if (r->ub)
		return r;
	loop_post(loop_index(), make_it, r);
	if (gate_wait(&r->tried, NEVER) != WAIT_DONE) {
		fail("dns: cancelled");
		return NULL;
	}
	if (r->ub)
		return r;
	fail("%s", r->trouble);
	return NULL;
}

/* ---- one question ---- */

static void on_readable(void *arg)
{
	struct resolver *r = arg;

	ub_process(r->ub);
}

static void end_question(struct question *q)
{
	struct resolver *r = q->resolver;

	q->is_open = false;
	if (--r->open > 0)
		return;
	watch_close(r->watch);
	r->watch = NULL;
}

static void on_answer(void *arg, int error, struct ub_result *result)
{
	struct question *q = arg;

	q->error = error;
	q->result = result;
	end_question(q);
	gate_open(&q->answered);
}

static bool waits ask(struct question *q, const char *name, int type)
{
	struct resolver *r = resolver_here();

	*q = (struct question){ .resolver = r };
	if (!r)
		return false;
	if (!worked(ub_resolve_async(r->ub, name, type, CLASS_IN, q, on_answer,
	                             &q->id),
	            name))
		return false;
	q->is_open = true;
	if (r->open++ == 0)
		r->watch = watch_open(ub_fd(r->ub), on_readable, r);
	return true;
}

static void take_back(struct question *q)
{
	if (!q->is_open)
		return;
	ub_cancel(q->resolver->ub, q->id);
	end_question(q);
}

/* Everything that is not an answer is trouble; cause(). */
static bool waits await(struct question *q, const char *name, int64_t deadline)
{
	while (q->is_open) {
		if (gate_wait(&q->answered, deadline) == WAIT_DONE)
			continue;
		take_back(q);
		return fail("dns: no answer about %s in time", name);
	}
	if (!worked(q->error, name))
		return false;
	if (q->result->bogus)
		return fail("dns: the answer about %s is forged (DNSSEC): %s",
		            name,
		            q->result->why_bogus ? q->result->why_bogus : "");
	if (!q->result->havedata && q->result->rcode != 0 &&
	    q->result->rcode != NXDOMAIN)
		return fail("dns: the servers cannot say about %s (rcode %d)",
		            name, q->result->rcode);
	return true;
}

static void end(struct question *q)
{
	take_back(q);
	ub_resolve_free(q->result);
	q->result = NULL;
}

static size_t data_count(const struct question *q)
{
	size_t n = 0;

	if (!q->result || !q->result->havedata)
		return 0;
	while (q->result->data[n])
		n++;
	return n;
}

/* ---- addresses ---- */

static bool take_address(const struct question *q, size_t i, uint16_t port,
                         struct inet *out)
{
	const struct ub_result *r = q->result;

	*out = (struct inet){ .port = port };
	if (r->qtype == TYPE_A && r->len[i] == 4) {
		out->ip[10] = out->ip[11] = 0xff;
		memcpy(out->ip + 12, r->data[i], 4);
		return true;
	}
	if (r->qtype == TYPE_AAAA && r->len[i] == 16) {
		memcpy(out->ip, r->data[i], 16);
		return true;
	}
	return false;
}

static size_t take_turns(const struct question *v4, const struct question *v6,
                         uint16_t port, struct inet *out)
{
	size_t n4 = data_count(v4), n6 = data_count(v6), n = 0;

	for (size_t i = 0; i < n4 || i < n6; i++) {
		if (i < n4 && n < LIMIT_HOSTS)
			n += take_address(v4, i, port, &out[n]);
		if (i < n6 && n < LIMIT_HOSTS)
			n += take_address(v6, i, port, &out[n]);
	}
	return n;
}

static enum dns_answer waits ask_addresses(const char *name, uint16_t port,
                                           int64_t deadline, struct inet *out,
                                           size_t *n)
{
	struct question v4, v6 = { 0 };
	bool sure;

	if (!ask(&v4, name, TYPE_A))
		return DNS_TROUBLE;
	if (!ask(&v6, name, TYPE_AAAA)) {
		end(&v4);
		return DNS_TROUBLE;
	}
	/* No short cut: both are asked, and one is enough. */
	sure = await(&v6, name, deadline);
	sure &= await(&v4, name, deadline);
	*n = take_turns(&v4, &v6, port, out);
	end(&v4);
	end(&v6);
	if (*n > 0)
		return DNS_FOUND;
	return sure ? DNS_NONE : DNS_TROUBLE;
}

enum dns_answer waits dns_addresses(struct str name, uint16_t port,
                                    int64_t deadline_ms, struct arena *arena,
                                    struct inet **out, size_t *n)
{
	struct str canonical;
	struct inet ip;

	*n = 0;
	if (inet_parse_ip(name, port, &ip)) {
		*out = arena_new(arena, struct inet);
		**out = ip;
		*n = 1;
		return DNS_FOUND;
	}
	if (!domain_parse(name, arena, &canonical))
		return DNS_NONE;
	*out = arena_array(arena, struct inet, LIMIT_HOSTS);
	return ask_addresses(arena_cstr(arena, canonical), port, deadline_ms,
	                     *out, n);
}

/* ---- MX ---- */

/* A name on the wire (RFC 1035 3.1), uncompressed: labels, then a zero. */
static bool take_name(const uint8_t *p, size_t n, struct arena *arena,
                      struct str *out)
{
	char text[LIMIT_DOMAIN_BYTES + 1];
	size_t used = 0, i = 0;

	while (i < n && p[i] != 0) {
		size_t label = p[i++];

		if (label > LIMIT_LABEL_BYTES || i + label > n ||
		    used + label + 1 > sizeof(text))
			return false;
		for (size_t k = 0; k < label; k++)
			if (p[i + k] == '.' || p[i + k] == 0)
				return false;
		memcpy(text + used, p + i, label);
		used += label;
		text[used++] = '.';
		i += label;
	}
	if (i >= n)
		return false;
	if (used == 0) {
		*out = S(".");
		return true;
	}
	return domain_parse((struct str){ text, used - 1 }, arena, out);
}

static bool take_mx(const struct ub_result *r, size_t i, struct arena *arena,
                    struct mx *out)
{
	const uint8_t *p = (const uint8_t *)r->data[i];

	if (r->len[i] < 3)
		return false;
	out->preference = (uint16_t)(p[0] << 8 | p[1]);
	return take_name(p + 2, (size_t)r->len[i] - 2, arena, &out->name);
}

static int by_preference(const void *a, const void *b)
{
	const struct mx *x = a, *y = b;

	return (x->preference > y->preference) -
	       (x->preference < y->preference);
}

/* Shuffled first, so equal ones come in any order (RFC 5321 5.1). */
static void put_in_order(struct mx *mx, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = random_below(i);
		struct mx swap = mx[i - 1];

		mx[i - 1] = mx[k];
		mx[k] = swap;
	}
	qsort(mx, n, sizeof(*mx), by_preference);
}

static size_t take_all_mx(const struct question *q, struct arena *arena,
                          struct mx **out, bool *null_mx)
{
	size_t room = data_count(q), n = 0;

	*out = arena_array(arena, struct mx, room);
	for (size_t i = 0; i < room; i++)
		n += take_mx(q->result, i, arena, &(*out)[n]);
	*null_mx = n == 1 && str_same((*out)[0].name, S("."));
	put_in_order(*out, n);
	return n < LIMIT_HOSTS ? n : LIMIT_HOSTS;
}

/* Is there an address instead? */
static enum dns_answer waits implicit_mx(const char *name, int64_t deadline,
                                         struct arena *arena, struct mx **out,
                                         size_t *n)
{
	struct inet ip[LIMIT_HOSTS];
	size_t ips;
	enum dns_answer answer = ask_addresses(name, 0, deadline, ip, &ips);

	if (answer != DNS_FOUND)
		return answer;
	*out = arena_new(arena, struct mx);
	(*out)->name = str_of(name);
	*n = 1;
	return DNS_FOUND;
}

enum dns_answer waits dns_mx(struct str domain, int64_t deadline_ms,
                             struct arena *arena, struct mx **out, size_t *n,
                             bool *null_mx)
{
	struct question q;
	struct str canonical;
	const char *name;
	bool sure, exists, has_mx;

	*n = 0;
	*null_mx = false;
	if (!domain_parse(domain, arena, &canonical))
		return DNS_NONE;
	name = arena_cstr(arena, canonical);
	if (!ask(&q, name, TYPE_MX))
		return DNS_TROUBLE;
	sure = await(&q, name, deadline_ms);
	has_mx = data_count(&q) > 0;
	exists = sure && !q.result->nxdomain;
	if (sure && has_mx)
		*n = take_all_mx(&q, arena, out, null_mx);
	end(&q);
	if (!sure)
		return DNS_TROUBLE;
	if (*null_mx || !exists) {
		*n = 0;
		return DNS_NONE;
	}
	if (*n > 0)
		return DNS_FOUND;
	if (has_mx) {
		fail("dns: no MX of %s is a host name", name);
		return DNS_TROUBLE;
	}
	return implicit_mx(name, deadline_ms, arena, out, n);
}
