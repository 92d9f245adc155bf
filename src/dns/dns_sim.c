/* Answers from a table (dns_sim.h). */
#include "dns/dns_sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "dns/dns.h"
#include "rt/random.h"
#include "rt/sim/sim.h"
#include "wire/address.h"

struct told {
	struct told *next;
	struct sim_host *at;                      /* NULL: everywhere */
	char *name, *addresses, *mx, *tlsa, *txt; /* NULL: none was told */
	bool has_trouble;
};

struct dns {
	struct sim_host *at;
};

static struct told *table;
static struct sim_host *teller_is_at;
static bool all_have_trouble;
static int64_t latency_ms;

/* ---- the table ---- */

static struct told *find(struct str name, const struct sim_host *at)
{
	struct told *t = table;

	while (t && !(t->at == at && str_same(str_of(t->name), name)))
		t = t->next;
	return t;
}

void dns_sim_at(struct sim_host *h)
{
	teller_is_at = h;
}

static struct told *find_or_add(const char *name)
{
	struct told *t = find(str_of(name), teller_is_at);

	if (t)
		return t;
	t = must_alloc(sizeof(*t));
	*t = (struct told){ .next = table,
			    .at = teller_is_at,
			    .name = strdup(name) };
	return table = t;
}

static void tell(char **place, const char *text)
{
	free(*place);
	*place = strdup(text);
}

void dns_sim_name(const char *name, const char *addresses)
{
	tell(&find_or_add(name)->addresses, addresses);
}

void dns_sim_mx(const char *domain, const char *hosts)
{
	tell(&find_or_add(domain)->mx, hosts);
}

void dns_sim_tlsa(const char *host, const char *records)
{
	tell(&find_or_add(host)->tlsa, records);
}

void dns_sim_txt(const char *name, const char *text)
{
	tell(&find_or_add(name)->txt, text);
}

void dns_sim_trouble(const char *name, bool has_trouble)
{
	if (name)
		find_or_add(name)->has_trouble = has_trouble;
	else
		all_have_trouble = has_trouble;
}

void dns_sim_latency(int64_t ms)
{
	latency_ms = ms;
}

void dns_sim_forget(void)
{
	while (table) {
		struct told *t = table;

		table = t->next;
		free(t->name);
		free(t->addresses);
		free(t->mx);
		free(t->tlsa);
		free(t->txt);
		free(t);
	}
	all_have_trouble = false;
	teller_is_at = NULL;
	latency_ms = 0;
}

/* ---- questions ---- */

struct dns *dns_open(const struct dns_settings *settings)
{
	struct dns *d = must_alloc(sizeof(*d));

	(void)settings;
	d->at = sim_process_host(sim_process());
	return d;
}

void dns_close(struct dns *d)
{
	free(d);
}

/* DNS_FOUND: *T is what was told about the name. */
static enum dns_answer waits ask(struct dns *d, struct str name,
				 int64_t deadline_ms, const struct told **t)
{
	int64_t answer_ms = after_ms(latency_ms);
	bool late = answer_ms > deadline_ms;

	if (latency_ms > 0 &&
	    fiber_sleep(late ? deadline_ms : answer_ms) == WAIT_CANCELLED)
		late = true;
	*t = find(name, d->at);
	if (!*t)
		*t = find(name, NULL);
	if (late || all_have_trouble || (*t && (*t)->has_trouble)) {
		fail("dns: no answer about %.*s in time", STR(name));
		return DNS_TROUBLE;
	}
	return *t ? DNS_FOUND : DNS_NONE;
}

static size_t take_addresses(const struct told *t, uint16_t port,
			     struct inet *out)
{
	struct str rest = str_of(t->addresses), one;
	size_t n = 0;

	while (!str_empty(rest) && n < LIMIT_HOSTS) {
		str_split(&rest, ' ', &one);
		check(inet_parse_ip(one, port, &out[n++]));
	}
	return n;
}

enum dns_answer dns_addresses(struct dns *d, struct str name, uint16_t port,
			      int64_t deadline_ms, struct arena *arena,
			      struct inet **out, size_t *n)
{
	enum dns_answer answer;
	const struct told *t;
	struct str canonical;
	struct inet ip;

	*n = 0;
	*out = arena_array(arena, struct inet, LIMIT_HOSTS);
	if (inet_parse_ip(name, port, &ip)) {
		(*out)[(*n)++] = ip;
		return DNS_FOUND;
	}
	if (!domain_parse(name, arena, &canonical))
		return DNS_NONE;
	answer = ask(d, canonical, deadline_ms, &t);
	if (answer == DNS_FOUND)
		*n = take_addresses(t, port, *out);
	return answer == DNS_FOUND && *n == 0 ? DNS_NONE : answer;
}

/* Equal ones come in any order. */
static void put_in(struct mx *mx, size_t n, struct mx new)
{
	while (n > 0 && (mx[n - 1].preference > new.preference ||
			 (mx[n - 1].preference ==
			  new.preference &&random_below(2) == 0))) {
		mx[n] = mx[n - 1];
		n--;
	}
	mx[n] = new;
}

static size_t take_mx(struct str rest, struct arena *arena, struct mx *out)
{
	struct str preference, host;
	uint64_t number;
	size_t n = 0;

	while (!str_empty(rest) && n < LIMIT_HOSTS) {
		str_split(&rest, ' ', &preference);
		str_split(&rest, ' ', &host);
		check(str_number(preference, UINT16_MAX, &number));
		put_in(out, n++,
		       (struct mx){ (uint16_t)number, arena_str(arena, host) });
	}
	return n;
}

enum dns_answer dns_mx(struct dns *d, struct str domain, int64_t deadline_ms,
		       struct arena *arena, struct mx_list *out)
{
	enum dns_answer answer;
	const struct told *t;
	struct str canonical;

	*out = (struct mx_list){ .is_secure = true };
	if (!domain_parse(domain, arena, &canonical))
		return DNS_NONE;
	answer = ask(d, canonical, deadline_ms, &t);
	if (answer != DNS_FOUND)
		return answer;
	out->mx = arena_array(arena, struct mx, LIMIT_HOSTS);
	out->n = take_mx(str_of(t->mx), arena, out->mx);
	out->is_null = out->n == 1 && str_same(out->mx[0].name, S("."));
	if (out->n == 0 && t->addresses && t->addresses[0])
		out->mx[out->n++] = (struct mx){ 0, canonical };
	if (out->is_null)
		out->n = 0;
	return out->n > 0 ? DNS_FOUND : DNS_NONE;
}

/* Of whom nothing was told nothing is asked: it takes no time. */
enum dns_answer dns_txt(struct dns *d, struct str name, int64_t deadline_ms,
			struct arena *arena, struct txt_list *out)
{
	const struct told *t = find(name, NULL);
	enum dns_answer answer;

	*out = (struct txt_list){ 0 };
	if (!t || !t->txt)
		return DNS_NONE;
	answer = ask(d, name, deadline_ms, &t);
	if (answer != DNS_FOUND)
		return answer;
	out->texts = arena_new(arena, struct str);
	out->texts[out->n++] = arena_str(arena, str_of(t->txt));
	return DNS_FOUND;
}

static uint8_t take_number(struct str *rest)
{
	struct str word;
	uint64_t number;

	str_split(rest, ' ', &word);
	check(str_number(word, UINT8_MAX, &number));
	return (uint8_t)number;
}

static struct str take_hex(struct str *rest, struct arena *arena)
{
	struct str word;
	char *bytes;

	str_split(rest, ' ', &word);
	bytes = arena_alloc(arena, word.n / 2);
	for (size_t i = 0; i < word.n / 2; i++) {
		char pair[3] = { word.p[2 * i], word.p[2 * i + 1] };

		bytes[i] = (char)strtoul(pair, NULL, 16);
	}
	return (struct str){ bytes, word.n / 2 };
}

enum dns_answer dns_tlsa(struct dns *d, struct str host, uint16_t port,
			 int64_t deadline_ms, struct arena *arena,
			 struct tlsa_list *out)
{
	const struct told *t = find(host, NULL);
	enum dns_answer answer;
	struct str rest;

	*out = (struct tlsa_list){ .host = host };
	if (!t || !t->tlsa)
		return DNS_NONE;
	answer = ask(d, host, deadline_ms, &t);
	rest = str_of(t->tlsa);
	out->records = arena_array(arena, struct tlsa, LIMIT_TLSA);
	while (answer == DNS_FOUND && !str_empty(rest) && out->n < LIMIT_TLSA) {
		struct tlsa *r = &out->records[out->n++];

		r->usage = take_number(&rest);
		r->selector = take_number(&rest);
		r->matching = take_number(&rest);
		r->data = take_hex(&rest, arena);
	}
	return answer;
}

/* In a world nobody is told the way back. */
enum dns_answer dns_name_of(struct dns *d, const struct inet *address,
			    int64_t deadline_ms, struct arena *arena,
			    struct str *out)
{
	return DNS_NONE;
}

bool dns_can_validate(struct dns *d, int64_t deadline_ms)
{
	(void)d;
	(void)deadline_ms;
	return true;
}
