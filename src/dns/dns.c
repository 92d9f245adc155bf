/*
 * Questions to libunbound, which asks in a thread of its own, one per loop
 * (resolver.h).
 *
 *	fiber ── ub_resolve_async ──▶ libunbound's thread ── the network
 *	  ▲                                   │
 *	  └─ gate ◀─ ub_process ◀─ watch ◀────┘ descriptor becomes readable
 *
 * The descriptor is watched while a question is open.  A fiber that gives up
 * takes its question back (question.h).
 */
#include "dns/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <unbound.h>

#include "base/limits.h"
#include "dns/question.h"
#include "dns/records.h"
#include "rt/random.h"
#include "wire/address.h"

enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_PTR = 12,
	TYPE_MX = 15,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	TYPE_TLSA = 52
};

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
	size_t n4 = question_count(v4), n6 = question_count(v6), n = 0;

	for (size_t i = 0; i < n4 || i < n6; i++) {
		if (i < n4 && n < LIMIT_HOSTS)
			n += take_address(v4, i, port, &out[n]);
		if (i < n6 && n < LIMIT_HOSTS)
			n += take_address(v6, i, port, &out[n]);
	}
	return n;
}

struct addresses {
	struct inet *at; /* with room for LIMIT_HOSTS */
	size_t n;
	bool is_secure;                     /* DNSSEC vouches for them */
	char owner[LIMIT_DOMAIN_BYTES + 2]; /* where an alias leads */
};

/* Where there is none, that needs nobody to vouch for it. */
static bool is_vouched_for(const struct question *q)
{
	return !question_count(q) || q->result->secure;
}

static void take_owner(const struct question *q, struct addresses *out)
{
	if (question_count(q) && q->result->canonname)
		snprintf(out->owner, sizeof(out->owner), "%s",
			 q->result->canonname);
}

static enum dns_answer waits ask_addresses(struct dns *d, const char *name,
					   uint16_t port, int64_t deadline,
					   struct addresses *out)
{
	struct question v4, v6 = { 0 };
	bool sure;

	if (!question_ask(d, &v4, name, TYPE_A))
		return DNS_TROUBLE;
	if (!question_ask(d, &v6, name, TYPE_AAAA)) {
		question_end(&v4);
		return DNS_TROUBLE;
	}
	/* No short cut: both are asked, and one is enough. */
	sure = question_await(&v6, name, deadline);
	sure &= question_await(&v4, name, deadline);
	out->n = take_turns(&v4, &v6, port, out->at);
	out->is_secure = is_vouched_for(&v4) && is_vouched_for(&v6);
	out->owner[0] = '\0';
	take_owner(&v6, out);
	take_owner(&v4, out);
	question_end(&v4);
	question_end(&v6);
	if (out->n > 0)
		return DNS_FOUND;
	return sure ? DNS_NONE : DNS_TROUBLE;
}

/* ANSWER was given to what was asked at ASKED_MS. */
static bool waits is_of_before(struct dns *d, enum dns_answer answer,
			       int64_t asked_ms, int64_t deadline_ms)
{
	return answer != DNS_FOUND && now_ms() < deadline_ms &&
	       resolver_is_newer(d, asked_ms);
}

enum dns_answer waits dns_addresses(struct dns *d, struct str name,
				    uint16_t port, int64_t deadline_ms,
				    struct arena *arena, struct inet **out,
				    size_t *n)
{
	struct addresses found;
	enum dns_answer answer;
	struct str canonical;
	struct inet ip;
	int64_t asked_ms;

	*n = 0;
	if (inet_parse_ip(name, port, &ip)) {
		*out = arena_new(arena, struct inet);
		**out = ip;
		*n = 1;
		return DNS_FOUND;
	}
	if (!domain_parse(name, arena, &canonical))
		return DNS_NONE;
	found.at = arena_array(arena, struct inet, LIMIT_HOSTS);
	do {
		asked_ms = now_ms();
		answer = ask_addresses(d, arena_cstr(arena, canonical), port,
				       deadline_ms, &found);
	} while (is_of_before(d, answer, asked_ms, deadline_ms));
	*out = found.at;
	*n = answer == DNS_FOUND ? found.n : 0;
	return answer;
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

static void take_all_mx(const struct question *q, struct arena *arena,
			struct mx_list *out)
{
	size_t room = question_count(q), n = 0;

	out->mx = arena_array(arena, struct mx, room);
	for (size_t i = 0; i < room; i++)
		n += take_mx(q->result, i, arena, &out->mx[n]);
	out->is_null = n == 1 && str_same(out->mx[0].name, S("."));
	put_in_order(out->mx, n);
	out->n = n < LIMIT_HOSTS ? n : LIMIT_HOSTS;
}

/* Is there an address instead? */
static enum dns_answer waits implicit_mx(struct dns *d, const char *name,
					 int64_t deadline, struct arena *arena,
					 struct mx_list *out)
{
	struct inet ip[LIMIT_HOSTS];
	struct addresses found = { .at = ip };
	enum dns_answer answer = ask_addresses(d, name, 0, deadline, &found);

	if (answer != DNS_FOUND)
		return answer;
	out->mx = arena_new(arena, struct mx);
	out->mx->name = str_of(name);
	out->n = 1;
	return DNS_FOUND;
}

static enum dns_answer waits ask_mx(struct dns *d, const char *name,
				    int64_t deadline_ms, struct arena *arena,
				    struct mx_list *out)
{
	struct question q;
	bool sure, exists, has_mx;

	*out = (struct mx_list){ 0 };
	if (!question_ask(d, &q, name, TYPE_MX))
		return DNS_TROUBLE;
	sure = question_await(&q, name, deadline_ms);
	has_mx = question_count(&q) > 0;
	exists = sure && !q.result->nxdomain;
	if (sure && has_mx)
		take_all_mx(&q, arena, out);
	out->is_secure = sure && q.result->secure;
	question_end(&q);
	if (!sure)
		return DNS_TROUBLE;
	if (out->is_null || !exists) {
		out->n = 0;
		return DNS_NONE;
	}
	if (out->n > 0)
		return DNS_FOUND;
	if (has_mx) {
		fail("dns: no MX of %s is a host name", name);
		return DNS_TROUBLE;
	}
	return implicit_mx(d, name, deadline_ms, arena, out);
}

enum dns_answer waits dns_mx(struct dns *d, struct str domain,
			     int64_t deadline_ms, struct arena *arena,
			     struct mx_list *out)
{
	enum dns_answer answer;
	struct str canonical;
	int64_t asked_ms;

	*out = (struct mx_list){ 0 };
	if (!domain_parse(domain, arena, &canonical))
		return DNS_NONE;
	do {
		asked_ms = now_ms();
		answer = ask_mx(d, arena_cstr(arena, canonical), deadline_ms,
				arena, out);
	} while (is_of_before(d, answer, asked_ms, deadline_ms));
	return answer;
}

/* ---- TXT ---- */

enum dns_answer waits dns_txt(struct dns *d, struct str name,
			      int64_t deadline_ms, struct arena *arena,
			      struct txt_list *out)
{
	const char *c = arena_cstr(arena, name);
	struct question q;
	bool sure;

	*out = (struct txt_list){ 0 };
	if (!question_ask(d, &q, c, TYPE_TXT))
		return DNS_TROUBLE;
	sure = question_await(&q, c, deadline_ms);
	if (sure && question_count(&q)) {
		out->texts = arena_array(arena, struct str, LIMIT_TXT);
		while (out->n < LIMIT_TXT && out->n < question_count(&q)) {
			out->texts[out->n] = question_text(&q, out->n, arena);
			out->n++;
		}
	}
	question_end(&q);
	if (!sure)
		return DNS_TROUBLE;
	return out->n ? DNS_FOUND : DNS_NONE;
}

/* ---- names of addresses ---- */

static enum dns_answer waits ask_name(struct dns *d, const char *reverse,
				      int64_t deadline_ms, struct arena *arena,
				      struct str *out)
{
	struct question q;
	bool sure, found;

	if (!question_ask(d, &q, reverse, TYPE_PTR))
		return DNS_TROUBLE;
	sure = question_await(&q, reverse, deadline_ms);
	found = sure && question_count(&q) > 0 &&
		take_name((const uint8_t *)q.result->data[0],
			  (size_t)q.result->len[0], arena, out);
	question_end(&q);
	return found ? DNS_FOUND : sure ? DNS_NONE : DNS_TROUBLE;
}

enum dns_answer waits dns_name_of(struct dns *d, const struct inet *address,
				  int64_t deadline_ms, struct arena *arena,
				  struct str *out)
{
	enum dns_answer answer =
		ask_name(d, arena_cstr(arena, dns_reverse_name(address, arena)),
			 deadline_ms, arena, out);
	struct inet *back;
	size_t n;

	if (answer == DNS_FOUND)
		answer = dns_addresses(d, *out, address->port, deadline_ms,
				       arena, &back, &n);
	if (answer != DNS_FOUND)
		return answer;
	for (size_t i = 0; i < n; i++)
		if (inet_same_ip(&back[i], address))
			return DNS_FOUND;
	return DNS_NONE;
}

/* ---- is DNSSEC there? ---- */

/* The root is signed.  That it cannot be asked now says nothing of that. */
bool waits dns_can_validate(struct dns *d, int64_t deadline_ms)
{
	struct question q;
	bool is_forged;

	if (!question_ask(d, &q, ".", TYPE_NS))
		return fiber_cancelled();
	(void)!question_await(&q, ".", deadline_ms);
	is_forged = q.result && q.result->bogus;
	question_end(&q);
	return !is_forged;
}

/* ---- TLSA ---- */

static void take_all_tlsa(const struct question *q, struct arena *arena,
			  struct tlsa_list *out)
{
	const struct ub_result *r = q->result;
	size_t room = question_count(q);

	out->records = arena_array(arena, struct tlsa, room);
	for (size_t i = 0; i < room && out->n < LIMIT_TLSA; i++) {
		struct str data = { r->data[i], (size_t)r->len[i] };

		out->n += tlsa_parse(arena_str(arena, data),
				     &out->records[out->n]);
	}
}

static enum dns_answer waits ask_tlsa(struct dns *d, uint16_t port,
				      int64_t deadline_ms, struct arena *arena,
				      struct tlsa_list *out)
{
	const char *name =
		arena_printf(arena, "_%u._tcp.%.*s", port, STR(out->host));
	enum dns_answer answer = DNS_NONE;
	struct question q;

	if (!question_ask(d, &q, name, TYPE_TLSA))
		return DNS_TROUBLE;
	if (!question_await(&q, name, deadline_ms)) {
		answer = DNS_TROUBLE;
	} else if (question_count(&q) && q.result->secure) {
		answer = DNS_FOUND;
		take_all_tlsa(&q, arena, out);
	}
	question_end(&q);
	return answer;
}

/* Where the alias leads, if it is one, and that is a name of a host. */
static bool leads_on(const struct addresses *a, struct str name,
		     struct arena *arena, struct str *to)
{
	struct str owner = str_of(a->owner);

	if (str_ends(owner, S(".")))
		owner.n--;
	return domain_parse(owner, arena, to) && !str_same(*to, name);
}

enum dns_answer waits dns_tlsa(struct dns *d, struct str host, uint16_t port,
			       int64_t deadline_ms, struct arena *arena,
			       struct tlsa_list *out)
{
	struct inet ip[LIMIT_HOSTS];
	struct addresses found = { .at = ip };
	enum dns_answer answer;
	struct str name;

	*out = (struct tlsa_list){ 0 };
	if (!domain_parse(host, arena, &name))
		return DNS_NONE;
	answer = ask_addresses(d, arena_cstr(arena, name), port, deadline_ms,
			       &found);
	if (answer != DNS_FOUND)
		return answer;
	if (!found.is_secure)
		return DNS_NONE;
	if (leads_on(&found, name, arena, &out->host))
		answer = ask_tlsa(d, port, deadline_ms, arena, out);
	if (out->n || answer == DNS_TROUBLE)
		return answer;
	out->host = name;
	return ask_tlsa(d, port, deadline_ms, arena, out);
}
