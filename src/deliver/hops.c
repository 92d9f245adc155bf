/*
 * Where a leg leads: the addresses to connect to, in the order to be tried.
 *
 *	system		its hosts, literally, in the order configured: A and
 *			AAAA only, never MX, and of its address family
 *	Internet	the hosts of the domain's MX, up to where we stand in it
 *			ourselves (RFC 5321 5.1), with the TLS each is owed
 *			(dane.h, sts.h)
 *
 * One that did not answer within the last seconds is tried last, so the first
 * is preferred again soon after it is back.
 */
#include "deliver/hops.h"

#include "base/limits.h"
#include "base/mutants.h"
#include "deliver/dane.h"
#include "deliver/line.h"
#include "deliver/sts.h"
#include "wire/hosts.h"

enum { MAX_MX = 10 };

struct hop_list {
	struct hop *hop;
	size_t n;
	size_t n_unfit; /* addresses mail is not to leave by */
	struct arena *arena;
};

static bool is_of_family(const struct inet *at, enum address_family f)
{
	switch (f) {
	case FAMILY_ANY:
		return true;
	case FAMILY_IPV4:
		return inet_is_v4(at);
	case FAMILY_IPV6:
		return !inet_is_v4(at);
	}
	return false;
}

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
		if (!is_of_family(&at[i], like->limits.family) ||
		    !outgoing_reaches(&like->limits.outgoing, &at[i])) {
			list->n_unfit++;
			continue;
		}
		*hop = *like;
		hop->host = host;
		hop->at = at[i];
		list->n++;
	}
}

static bool waits host_found(struct dns *dns, const struct host *h,
			     int64_t deadline_ms, struct arena *arena,
			     struct inet **at, size_t *n)
{
	switch (dns_addresses(dns, h->name, h->port, deadline_ms, arena, at,
			      n)) {
	case DNS_FOUND:
		return true;
	case DNS_NONE:
		return fail("%.*s has no address", STR(h->name));
	case DNS_TROUBLE:
		break;
	}
	return false;
}

/* Without those of AT that are this machine's or link-local. */
static bool keep_others(const struct host *h, struct inet *at, size_t *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		if (!inet_is_loopback(&at[i]) && !inet_is_unspecified(&at[i]) &&
		    !inet_is_link_local(&at[i]))
			at[kept++] = at[i];
	*n = kept;
	return kept > 0 ||
	       fail("%.*s is this machine or has a link-local address, which "
		    "only a superadministrator names as a relay",
		    STR(h->name));
}

/* Configured hosts, literally: never their MX. */
bool hops_of_system(struct dns *dns, const struct system *sys,
		    int64_t deadline_ms, struct arena *arena, struct hop **out,
		    size_t *n_out)
{
	struct hop_list list = {
		.hop = arena_array(arena, struct hop, LIMIT_HOSTS),
		.arena = arena,
	};
	struct hop like = {
		.tls = sys->tls,
		.user = sys->user,
		.password = sys->password,
		.limits = sys->limits,
		.next = system_next_hop(sys),
	};
	struct host *hosts;
	size_t n;

	fail(sys->limits.family == FAMILY_ANY &&
			     !outgoing_is_set(&sys->limits.outgoing)
		     ? "no host is configured"
		     : "no host has an address of the family that is set");
	if (!hosts_parse(sys->hosts, arena, &hosts, &n))
		n = 0;
	for (size_t i = 0; i < n; i++) {
		struct inet *at = &hosts[i].ip;
		size_t n_at = 1;

		if (hosts[i].is_ip)
			at->port = hosts[i].port;
		else if (!host_found(dns, &hosts[i], deadline_ms, arena, &at,
				     &n_at) ||
			 (sys->is_elsewhere &&
			  !keep_others(&hosts[i], at, &n_at)))
			continue;
		add_hops(&list, &like, hosts[i].name, at, n_at);
	}
	*out = list.hop;
	*n_out = list.n;
	return list.n > 0;
}

static bool look_up_system(struct deliver *d, const struct leg *leg,
			   int64_t deadline_ms, struct hop_list *list,
			   struct trouble *trouble)
{
	const struct system *sys = &leg->system;

	if (hops_of_system(d->settings->dns, sys, deadline_ms, list->arena,
			   &list->hop, &list->n))
		return true;
	return trouble_ours(trouble, own_reply(list->arena, 451, "4.4.3",
					       "looking up %.*s: %s",
					       STR(sys->name), cause()));
}

/* RFC 5321 5.1: where we stand in the list, those behind and beside us are no way
 * on.  How many are before. */
static size_t mx_before_us(const struct deliver *d, const struct mx_list *found)
{
	struct str us = str_of(d->settings->hostname);
	const struct mx *mx = found->mx;
	size_t n = found->n, i = 0;

	while (i < n && !str_same_nocase(mx[i].name, us))
		i++;
	if (i == n || MUTANT(own_mx_is_a_way))
		return n;
	while (i > 0 && mx[i - 1].preference == mx[i].preference)
		i--;
	return i;
}

static bool no_mx(enum dns_answer answer, struct str domain, bool null_mx,
		  struct arena *arena, struct trouble *trouble)
{
	if (answer == DNS_TROUBLE)
		return trouble_ours(trouble, own_reply(arena, 451, "4.4.3",
						       "looking up %.*s: %s",
						       STR(domain), cause()));
	if (null_mx)
		return trouble_ours(
			trouble,
			own_reply(arena, 556, "5.1.10",
				  "%.*s takes no mail (null MX)", STR(domain)));
	return trouble_ours(
		trouble, own_reply(arena, 550, "5.1.2", "no such domain: %.*s",
				   STR(domain)));
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

/* They have, and mail is not to go by it: until that is set otherwise. */
static bool unfit_address(const struct leg *leg, struct arena *arena,
			  struct trouble *trouble)
{
	struct str from = outgoing_text(&leg->outgoing, arena);

	trouble_ours(trouble,
		     own_reply(arena, 451, "4.3.5",
			       "no mail server of %.*s has an address of the "
			       "family that mail is to leave by%s%.*s",
			       STR(leg->domain), from.n ? ", from " : "",
			       STR(from)));
	trouble->is_unfit = true;
	return false;
}

/* What is to be known of DOMAIN before its mail leaves. */
struct destination {
	const struct deliver *deliver;
	const struct leg *leg;
	struct str domain;
	struct mx_list mx;
	int64_t deadline_ms;
	bool was_asked;           /* for its policy */
	struct sts_policy policy; /* of MTA-STS; STS_NONE: it has none */
};

static const struct sts_policy *waits policy_of(struct destination *to,
						struct arena *arena)
{
	struct sts *sts = to->deliver->settings->sts;

	if (!to->was_asked && sts &&
	    !sts_find(sts, to->domain, to->deadline_ms, arena, &to->policy))
		to->policy.mode = STS_NONE;
	to->was_asked = true;
	return &to->policy;
}

/* What DOMAIN asks of its host by MTA-STS.  False: it is none of its hosts,
 * *TROUBLE. */
static bool waits sts_demand(struct destination *to, struct hop *hop,
			     struct arena *arena, struct trouble *trouble)
{
	const struct sts_policy *policy = policy_of(to, arena);
	bool is_named = sts_allows(policy, hop->host);

	switch (policy->mode) {
	case STS_NONE:
		return true;
	case STS_TESTING:
		hop->is_tested = true;
		if (!is_named)
			hop_fails_test(hop, "the policy does not name it");
		return true;
	case STS_ENFORCE:
		break;
	}
	hop->demander = "MTA-STS";
	hop->tls = SYSTEM_TLS_VERIFIED;
	if (is_named)
		return true;
	return trouble_ours(trouble,
			    own_reply(arena, 451, "4.7.5",
				      "the MTA-STS policy of %.*s does not "
				      "name its host %.*s",
				      STR(to->domain), STR(hop->host)));
}

/* The host's addresses, with the TLS it is owed.  What DNSSEC says goes before the
 * domain's policy (RFC 8461 2).  *TROUBLE: why it is not one to go to. */
static void waits add_host(struct destination *to, struct str host,
			   struct hop_list *list, struct trouble *trouble)
{
	const struct deliver_settings *set = to->deliver->settings;
	struct hop like = { .host = host,
			    .tls = SYSTEM_TLS_OPPORTUNISTIC,
			    .limits = { .family = set->internet_family,
					.outgoing = to->leg->outgoing },
			    .next = { .kind = NEXT_HOP_INTERNET } };
	struct inet *at;
	size_t n_at;
	enum dns_answer answer =
		dns_addresses(set->dns, host, set->internet_port,
			      to->deadline_ms, list->arena, &at, &n_at);

	if (answer == DNS_NONE)
		return;
	if (answer == DNS_FOUND && to->mx.is_secure &&
	    !dane_demand(set->dns, to->domain, set->internet_port,
			 to->deadline_ms, list->arena, &like))
		answer = DNS_TROUBLE;
	if (answer == DNS_TROUBLE)
		no_mx(answer, to->domain, false, list->arena, trouble);
	else if (like.dane || sts_demand(to, &like, list->arena, trouble))
		add_hops(list, &like, host, at, n_at);
}

static bool hops_of_internet(const struct deliver *d, const struct leg *leg,
			     int64_t deadline_ms, struct hop_list *list,
			     struct trouble *trouble)
{
	struct destination to = { .deliver = d,
				  .leg = leg,
				  .domain = leg->domain,
				  .deadline_ms = deadline_ms };
	enum dns_answer answer = dns_mx(d->settings->dns, to.domain,
					deadline_ms, list->arena, &to.mx);

	if (answer != DNS_FOUND)
		return no_mx(answer, to.domain, to.mx.is_null, list->arena,
			     trouble);
	if (to.mx.n && !(to.mx.n = mx_before_us(d, &to.mx)))
		return loops_back(trouble, list->arena);
	for (size_t i = 0; i < to.mx.n && i < MAX_MX; i++)
		add_host(&to, to.mx.mx[i].name, list, trouble);
	if (!trouble->reply.code && !list->n && list->n_unfit)
		unfit_address(leg, list->arena, trouble);
	else if (!trouble->reply.code && !list->n)
		no_address(to.domain, list->arena, trouble);
	return list->n > 0;
}

/* It was silent lately: others are to be tried first.  Whether it is back is
 * looked at by a fiber of its own, for which no mail waits. */
static bool is_resting(struct deliver *d, const struct hop *hop,
		       struct arena *arena)
{
	struct host_state *host = host_of_hop(d, hop, arena);
	bool look, rests = host_is_resting(host, &look);

	host_release(host);
	if (look)
		look_begin(d, hop);
	return rests;
}

/* Those that did not answer a moment ago go to the end. */
static void put_resting_last(struct deliver *d, struct hop_list *list)
{
	struct hop *sorted = arena_array(list->arena, struct hop, list->n);
	bool rests[LIMIT_HOSTS];
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		rests[i] = is_resting(d, &list->hop[i], list->arena);
	for (int resting = 0; resting < 2; resting++)
		for (size_t i = 0; i < list->n; i++) {
			if (rests[i] == resting)
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
	bool found;

	*trouble = (struct trouble){ 0 };
	found = leg->kind == LEG_SYSTEM
			? look_up_system(d, leg, deadline_ms, &list, trouble)
			: hops_of_internet(d, leg, deadline_ms, &list, trouble);

	if (!found)
		return false;
	if (list.n > 1)
		put_resting_last(d, &list);
	*out = list.hop;
	*n = list.n;
	return true;
}
