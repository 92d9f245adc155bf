/*
 * Contexts of libunbound, one per loop (resolver.h).
 *
 * libunbound's preparations put 64 KiB on the stack: a fiber's is no larger.
 * They are made on the loop's own, and so is the end of a context, which must
 * not come inside a call of its own.
 */
#include "dns/resolver.h"

#include <stdlib.h>
#include <unbound.h>

#include "rt/loop.h"
#include "rt/stamp.h"
#include "rt/watch.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define HOSTS "/etc/hosts"
#define ROOT_ANCHOR "/usr/share/dns/root.key"

enum { LOOPS_MOST = 256, LOOK_MS = 200, FILES = 3 };

struct place {
	const struct dns_settings *settings;
	struct resolver *now;
	struct stamp stamps[FILES]; /* that it was made from */
	int64_t looked_ms, made_ms;
	struct gate looked;
	struct failure trouble;
};

struct dns {
	/* one per loop, filled at its first question */
	struct place places[LOOPS_MOST];
};

struct dns *dns_open(const struct dns_settings *settings)
{
	struct dns *d = calloc(1, sizeof(*d));

	check(d);
	for (int i = 0; i < LOOPS_MOST; i++)
		d->places[i].settings = settings;
	return d;
}

static void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	ub_ctx_delete(r->ub);
	free(r);
}

void dns_close(struct dns *d)
{
	for (int i = 0; d && i < LOOPS_MOST; i++)
		resolver_free(d->places[i].now);
	free(d);
}

/* ---- libunbound's options ---- */

static bool worked(int error, const char *what)
{
	return error == 0 || fail("dns: %s: %s", what, ub_strerror(error));
}

static bool has_servers(const struct dns_settings *s)
{
	return s->servers && s->servers[0];
}

static const char *trust_anchor(const struct dns_settings *s)
{
	return s->trust_anchor ? s->trust_anchor : ROOT_ANCHOR;
}

static bool set_options(struct ub_ctx *ub, const struct dns_settings *s)
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
	if (s->dnssec)
		return worked(ub_ctx_add_ta_file(ub, trust_anchor(s)),
			      trust_anchor(s));
	return worked(ub_ctx_set_option(ub, "module-config:", "iterator"),
		      "module-config");
}

/* Names for tests and for nobody are the configured servers' business. */
static bool use_servers(struct ub_ctx *ub, const char *const *servers)
{
	for (const char *const *s = servers; *s; s++)
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

static bool configure(struct ub_ctx *ub, const struct dns_settings *s)
{
	if (!worked(ub_ctx_async(ub, 1), "thread") || !set_options(ub, s))
		return false;
	/* Either file may be missing: then the root servers are asked. */
	ub_ctx_hosts(ub, s->hosts_file);
	if (has_servers(s))
		return use_servers(ub, s->servers) && finish(ub);
	ub_ctx_resolvconf(ub, NULL);
	return finish(ub);
}

static struct resolver *make(const struct dns_settings *s)
{
	struct ub_ctx *ub = ub_ctx_create();
	struct resolver *r;

	if (!ub) {
		fail("dns: no resolver");
		return NULL;
	}
	if (!configure(ub, s)) {
		ub_ctx_delete(ub);
		return NULL;
	}
	r = must_alloc(sizeof(*r));
	*r = (struct resolver){ .ub = ub };
	return r;
}

/* ---- the files ---- */

static void stamp_all(const struct dns_settings *s, struct stamp to[FILES])
{
	to[0] = stamp_of(s->hosts_file ? s->hosts_file : HOSTS);
	to[1] = stamp_of(has_servers(s) ? NULL : RESOLV_CONF);
	to[2] = stamp_of(s->dnssec ? trust_anchor(s) : NULL);
}

static bool is_up_to_date(const struct place *p, const struct stamp now[FILES])
{
	for (int i = 0; i < FILES; i++)
		if (!stamp_same(&p->stamps[i], &now[i]))
			return false;
	return p->now != NULL;
}

/* ---- taking turns; on the loop's stack ---- */

static void end_replaced(void *resolver)
{
	resolver_free(resolver);
}

static void replace(struct place *p, struct resolver *with)
{
	struct resolver *old = p->now;

	p->now = with;
	if (!old)
		return;
	old->is_replaced = true;
	if (old->open == 0)
		resolver_free(old);
}

/* The stamps first: what changes meanwhile is seen at the next look.  Without a
 * new one the old one goes on, and is tried to be replaced again. */
static void look(void *arg)
{
	struct place *p = arg;
	struct stamp now[FILES];
	struct resolver *made;

	stamp_all(p->settings, now);
	if (!is_up_to_date(p, now)) {
		made = make(p->settings);
		if (made) {
			memcpy(p->stamps, now, sizeof(now));
			replace(p, made);
			p->made_ms = now_ms();
		} else {
			failure_save(&p->trouble);
		}
	}
	gate_open(&p->looked);
}

static struct place *place_here(struct dns *d)
{
	check(loop_index() < LOOPS_MOST);
	return &d->places[loop_index()];
}

static bool waits take_a_look(struct place *p)
{
	p->looked_ms = now_ms();
	loop_post(loop_index(), look, p);
	return gate_wait(&p->looked, NEVER) == WAIT_DONE ||
	       fail("dns: cancelled");
}

/* Once for all who were told no at the same moment. */
bool waits resolver_is_newer(struct dns *d, int64_t asked_ms)
{
	struct place *p = place_here(d);

	if (p->looked_ms <= asked_ms && !take_a_look(p))
		return false;
	return p->made_ms >= asked_ms;
}

struct resolver *waits resolver_take(struct dns *d)
{
	struct place *p = place_here(d);

	if ((!p->now || now_ms() >= p->looked_ms + LOOK_MS) && !take_a_look(p))
		return NULL;
	if (!p->now) {
		fail_again(&p->trouble);
		return NULL;
	}
	p->now->open++;
	return p->now;
}

void resolver_give_back(struct resolver *r)
{
	if (--r->open > 0)
		return;
	watch_close(r->watch);
	r->watch = NULL;
	if (r->is_replaced)
		loop_post(loop_index(), end_replaced, r);
}
