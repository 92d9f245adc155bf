/*
 * Where a leg leads: the addresses to connect to, in the order to be tried.
 *
 *	system		its hosts, literally, in the order configured; A and
 *AAAA only, never MX Internet	the hosts of the domain's MX, up to where we
 *stand in it ourselves (RFC 5321 5.1)
 *
 * One that did not answer within the last seconds is tried last, so the first
 * is preferred again soon after it is back.
 */
#include "deliver/remote.h"

#include "base/limits.h"
#include "wire/hosts.h"

enum { MAX_MX = 10 };

struct str hop_name(const struct hop *hop, struct arena *arena)
{
	if (hop->path)
		return str_of(hop->path);
	return arena_strf(arena, "%.*s[%s]:%u", STR(hop->host),
	                  inet_ip_text(&hop->at).c, hop->at.port);
}

struct str hop_key(const struct hop *hop, struct arena *arena)
{
	if (hop->path)
		return arena_strf(arena, "mailboxes\n%s", hop->path);
	return arena_strf(arena, "%s%.*s\n%s %d %.*s %.*s",
	                  hop->is_internet ? "internet" : "system ",
	                  STR(hop->system), inet_text(&hop->at).c, hop->tls,
	                  STR(hop->host), STR(hop->user));
}

struct hop_list {
	struct hop *hop;
	size_t n;
	struct arena *arena;
};

static void add_hops(struct hop_list *list, const struct hop *like,
                     struct str host, const struct inet *at, size_t n)
{
	for (size_t i = 0; i < n && list->n < LIMIT_HOSTS; i++) {
		static const uint8_t any_v4[16] = { [10] = 0xff, [11] = 0xff };
		static const uint8_t any_v6[16];
		struct hop *hop = &list->hop[list->n];

		if (!memcmp(at[i].ip, any_v4, 16) ||
		    !memcmp(at[i].ip, any_v6, 16))
			continue;
		*hop = *like;
		hop->host = host;
		hop->at = at[i];
		list->n++;
	}
}

static bool waits host_found(const struct host *h, int64_t deadline_ms,
                             struct arena *arena, struct inet **at, size_t *n)
{
	switch (dns_addresses(h->name, h->port, deadline_ms, arena, at, n)) {
	case DNS_FOUND:
		return true;
	case DNS_NONE:
		return fail("%.*s has no address", STR(h->name));
	case DNS_TROUBLE:
		break;
	}
	return false;
}

/* Configured hosts, literally: never their MX. */
static bool hops_of_system(const struct leg *leg, int64_t deadline_ms,
                           struct hop_list *list, struct trouble *trouble)
{
	const struct system *sys = &leg->system;
	struct hop like = {
		.tls = sys->tls,
		.user = sys->user,
		.password = sys->password,
		.system = sys->name,
	};
	struct host *hosts;
	size_t n;

	fail("no host is configured");
	if (!hosts_parse(sys->hosts, list->arena, &hosts, &n))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		struct inet *at = &hosts[i].ip;
		size_t n_at = 1;

		if (hosts[i].is_ip)
			at->port = hosts[i].port;
		else if (!host_found(&hosts[i], deadline_ms, list->arena, &at,
		                     &n_at))
			continue;
		add_hops(list, &like, hosts[i].name, at, n_at);
	}
	if (list->n)
		return true;
	return trouble_ours(trouble, own_reply(list->arena, 451, "4.4.3",
	                                       "looking up %.*s: %s",
	                                       STR(sys->name), cause()));
}

/* RFC 5321 5.1: where we stand in the list, those behind are no way on. */
static bool mx_is_us(const struct deliver *d, struct str name)
{
	return str_same_nocase(name, str_of(d->settings->hostname));
}

bool loops_back(struct trouble *trouble, struct arena *arena)
{
	return trouble_ours(trouble,
	                    own_reply(arena, 550, "5.4.6",
	                              "mail for this domain loops back to "
	                              "this server"));
}

static bool no_mx(enum dns_answer answer, struct str domain, bool null_mx,
                  struct arena *arena, struct trouble *trouble)
{
	if (answer == DNS_TROUBLE)
		return trouble_ours(trouble, own_reply(arena, 451, "4.4.3",
		                                       "looking up %.*s: %s",
		                                       STR(domain), cause()));
	if (null_mx)
		return trouble_ours(trouble,
		                    own_reply(arena, 556, "5.1.10",
		                              "%.*s takes no mail (null MX)",
		                              STR(domain)));
	return trouble_ours(trouble,
	                    own_reply(arena, 550, "5.1.2",
	                              "no such domain: %.*s", STR(domain)));
}

/* There are mail servers, with no address of the kind one can connect to. */
static bool no_address(struct str domain, struct arena *arena,
                       struct trouble *trouble)
{
	return trouble_ours(trouble,
	                    own_reply(arena, 550, "5.4.4",
	                              "no mail server of %.*s has an address",
	                              STR(domain)));
}

static bool hops_of_internet(const struct deliver *d, const struct leg *leg,
                             int64_t deadline_ms, struct hop_list *list,
                             struct trouble *trouble)
{
	struct hop like = { .tls = SYSTEM_TLS_OPPORTUNISTIC,
		            .is_internet = true };
	enum dns_answer answer, worst = DNS_NONE;
	struct str domain = leg->domain;
	struct mx *mx;
	size_t n;
	bool null_mx = false;

	answer = dns_mx(domain, deadline_ms, list->arena, &mx, &n, &null_mx);
	if (answer != DNS_FOUND)
		return no_mx(answer, domain, null_mx, list->arena, trouble);
	for (size_t i = 0; i < n; i++)
		if (mx_is_us(d, mx[i].name)) {
			while (i > 0 &&
			       mx[i - 1].preference == mx[i].preference)
				i--;
			n = i;
			if (!n)
				return loops_back(trouble, list->arena);
		}
	for (size_t i = 0; i < n && i < MAX_MX; i++) {
		struct inet *at;
		size_t n_at;

		answer = dns_addresses(mx[i].name, d->settings->internet_port,
		                       deadline_ms, list->arena, &at, &n_at);
		if (answer == DNS_FOUND)
			add_hops(list, &like, mx[i].name, at, n_at);
		else if (answer == DNS_TROUBLE)
			worst = DNS_TROUBLE;
	}
	if (list->n)
		return true;
	return worst == DNS_TROUBLE
	               ? no_mx(worst, domain, false, list->arena, trouble)
	               : no_address(domain, list->arena, trouble);
}

/* Those that did not answer a moment ago go to the end. */
static void put_resting_last(struct deliver *d, struct hop_list *list)
{
	struct hop *sorted = arena_array(list->arena, struct hop, list->n);
	size_t n = 0;

	for (int resting = 0; resting < 2; resting++)
		for (size_t i = 0; i < list->n; i++) {
			struct str key = hop_key(&list->hop[i], list->arena);

			if (!!hop_resting(d, key, false) == resting)
				sorted[n++] = list->hop[i];
		}
	list->hop = sorted;
}

bool hops_find(struct deliver *d, const struct leg *leg, int64_t deadline_ms,
               struct arena *arena, struct hop **out, size_t *n,
               struct trouble *trouble)
{
	struct hop_list list = {
		.hop = arena_array(arena, struct hop, LIMIT_HOSTS),
		.arena = arena,
	};
	bool found =
	        leg->kind == LEG_SYSTEM
	                ? hops_of_system(leg, deadline_ms, &list, trouble)
	                : hops_of_internet(d, leg, deadline_ms, &list, trouble);

	if (!found)
		return false;
	if (list.n > 1)
		put_resting_last(d, &list);
	*out = list.hop;
	*n = list.n;
	return true;
}
