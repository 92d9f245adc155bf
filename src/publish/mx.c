/* Where mail for the domain comes to (RFC 5321 5.1, RFC 7505). */
#include "base/limits.h"
#include "publish/inside.h"

void waits ask_mx(struct look *l, void *unused)
{
	struct together t = { 0 };

	(void)unused;
	look_ask(l, l->plan->domain, DNS_MX, &l->mx);
	l->mx_hosts =
		arena_array(l->arena, struct named_host, l->mx.records.n + 1);
	for (size_t i = 0; i < l->mx.records.n; i++) {
		l->mx_hosts[i].name = l->mx.records.p[i].name;
		look_also(l, &t, look_host, &l->mx_hosts[i]);
	}
	l->bare.name = l->plan->domain;
	if (l->mx.answer == DNS_NONE)
		look_host(l, &l->bare);
	look_wait(&t);
}

static bool shares_address(const struct named_host *a,
			   const struct named_host *b)
{
	for (size_t i = 0; i < b->v4.records.n; i++)
		if (has_address(a, &b->v4.records.p[i].ip))
			return true;
	for (size_t i = 0; i < b->v6.records.n; i++)
		if (has_address(a, &b->v6.records.p[i].ip))
			return true;
	return false;
}

bool mx_is_here(const struct look *l, size_t i)
{
	const struct named_host *h = &l->mx_hosts[i];

	if (str_same_nocase(h->name, l->plan->server.hostname) ||
	    shares_address(h, &l->own))
		return true;
	for (size_t k = 0; k < l->plan->n_host; k++)
		if (has_address(h, &l->plan->host[k]))
			return true;
	return false;
}

static bool is_of_system(const struct look *l, size_t i, size_t system)
{
	const struct publish_system *s = &l->plan->systems[system];
	const struct named_host *h = &l->mx_hosts[i];

	for (size_t k = 0; k < s->n_hosts; k++) {
		struct str provider = provider_include(s->hosts[k].name);

		if (str_same_nocase(s->hosts[k].name, h->name) ||
		    (!str_empty(provider) &&
		     str_same(provider, provider_include(h->name))))
			return true;
		if (s->hosts[k].is_ip
			    ? has_address(h, &s->hosts[k].ip)
			    : shares_address(h, &l->system_hosts[system][k]))
			return true;
	}
	for (size_t k = 0; k < s->n_trust; k++) {
		struct inet_block block;
		struct inet *at;
		size_t n = addresses_of(h, l->arena, &at);

		while (inet_block_parse(s->trust[k], &block) && n-- > 0)
			if (inet_in_block(&at[n], &block))
				return true;
	}
	return false;
}

const struct publish_system *mx_system(const struct look *l, size_t i)
{
	for (size_t k = 0; k < l->plan->n_systems; k++)
		if (is_of_system(l, i, k))
			return &l->plan->systems[k];
	return NULL;
}

static void judge_name(struct look *l, size_t i)
{
	struct named_host *h = &l->mx_hosts[i];
	struct inet ip;

	if (str_same(h->name, S("."))) {
		remark(l, mx_is_null, V("domain", l->plan->domain));
		return;
	}
	if (inet_parse_ip(h->name, 0, &ip)) {
		remark(l, mx_is_address, V("host", h->name));
		return;
	}
	if (!str_empty(h->v4.records.owner) || !str_empty(h->v6.records.owner))
		remark(l, mx_is_alias, V("host", h->name),
		       V("owner", str_empty(h->v4.records.owner)
					  ? h->v6.records.owner
					  : h->v4.records.owner));
	if (h->v4.answer == DNS_NONE && h->v6.answer == DNS_NONE)
		remark(l, mx_has_no_address, V("host", h->name));
}

static void judge_whose(struct look *l, size_t i)
{
	struct named_host *h = &l->mx_hosts[i];
	const struct publish_system *s;
	struct inet ip;

	if (str_same(h->name, S(".")) || inet_parse_ip(h->name, 0, &ip) ||
	    mx_is_here(l, i))
		return;
	s = mx_system(l, i);
	if (s)
		remark(l, mx_is_another, V("host", h->name),
		       V("system", s->name));
	else if (is_known(h))
		remark(l, mx_is_stranger, V("host", h->name),
		       V("domain", l->plan->domain));
	else
		remark(l, not_asked, V("cause", h->v4.cause));
}

/* Those that are right stay as they are. */
static struct str proposed(struct look *l, const struct publish_row *r)
{
	if (r->state == PUBLISH_RIGHT && l->mx.records.n == 1)
		return l->mx.records.p[0].text;
	return arena_strf(l->arena, "10 %.*s.", STR(l->plan->server.hostname));
}

void judge_mx(struct look *l)
{
	struct publish_row *r = look_row(l, "mx", "MX", l->plan->domain, true);

	row_heard(l, &l->mx);
	for (size_t i = 0; i < l->mx.records.n && i < LIMIT_HOSTS; i++) {
		judge_name(l, i);
		judge_whose(l, i);
	}
	if (l->mx.answer == DNS_NONE &&
	    (l->bare.v4.answer == DNS_FOUND || l->bare.v6.answer == DNS_FOUND))
		remark(l, mx_by_address, V("domain", l->plan->domain));
	if (!l->plan->server.takes_mail)
		remark(l, mx_is_not_heard);
	r->value = proposed(l, r);
}
