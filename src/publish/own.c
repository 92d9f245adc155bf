/*
 * This server: its host name leads to its addresses, and each of them has a name
 * that leads back (what most receivers ask for).
 */
#include "base/limits.h"
#include "publish/inside.h"

static void waits ask_back(struct look *l, void *reverse)
{
	struct reverse *r = reverse;

	look_ask(l, dns_reverse_name(&r->at, l->arena), DNS_PTR, &r->name);
	if (r->name.answer != DNS_FOUND)
		return;
	r->back.name = r->name.records.p[0].name;
	look_host(l, &r->back);
}

/* The machine's own, or else those its name has. */
static size_t outgoing(struct look *l, struct inet **out)
{
	size_t n = l->plan->n_own;

	if (n == 0)
		return addresses_of(&l->own, l->arena, out);
	*out = arena_array(l->arena, struct inet, n);
	memcpy(*out, l->plan->own, n * sizeof(**out));
	return n;
}

void waits ask_own(struct look *l, void *unused)
{
	struct together t = { 0 };
	struct inet *at;

	(void)unused;
	l->own.name = l->plan->server.hostname;
	look_host(l, &l->own);
	l->n_reverse = outgoing(l, &at);
	if (l->n_reverse > LIMIT_HOSTS)
		l->n_reverse = LIMIT_HOSTS;
	l->reverse = arena_array(l->arena, struct reverse, l->n_reverse);
	for (size_t i = 0; i < l->n_reverse; i++) {
		l->reverse[i].at = at[i];
		look_also(l, &t, ask_back, &l->reverse[i]);
	}
	look_wait(&t);
}

/* ---- addresses ---- */

static struct str text_of(const struct look *l, const struct inet *a)
{
	return arena_strf(l->arena, "%s", inet_ip_text(a).c);
}

/* The host's of the family. */
static const struct inet *own_of(const struct look *l, bool v4)
{
	for (size_t i = 0; i < l->plan->n_host; i++)
		if (inet_is_v4(&l->plan->host[i]) == v4)
			return &l->plan->host[i];
	return NULL;
}

static void judge_address(struct look *l, const struct inet *found,
			  const struct inet *own, const struct heard *h)
{
	if (!is_public(found))
		remark(l, address_is_private, V("address", text_of(l, found)));
	else if (own && !has_address(&l->own, own))
		remark(l, address_is_another, V("host", l->own.name),
		       V("address", text_of(l, found)),
		       V("own", text_of(l, own)));
	if (!str_empty(h->records.owner))
		remark(l, address_is_alias, V("host", l->own.name),
		       V("owner", h->records.owner));
}

static void judge_family(struct look *l, bool v4)
{
	const struct heard *h = v4 ? &l->own.v4 : &l->own.v6;
	const struct heard *other = v4 ? &l->own.v6 : &l->own.v4;
	const struct inet *own = own_of(l, v4);
	struct publish_row *r;

	/* Of IPv6 nothing is said where there is none, and of IPv4 where there
	 * is IPv6 alone. */
	if (!own && h->answer == DNS_NONE &&
	    (!v4 || other->answer == DNS_FOUND))
		return;
	r = look_row(l, "address", v4 ? "A" : "AAAA", l->own.name, true);
	row_heard(l, h);
	if (h->answer == DNS_FOUND)
		judge_address(l, &h->records.p[0].ip, own, h);
	if (own)
		r->value = text_of(l, own);
	else if (r->state == PUBLISH_RIGHT)
		r->value = h->records.p[0].text;
	else
		remark(l, address_is_not_known);
}

/* ---- names ---- */

static void judge_name(struct look *l, const struct reverse *r)
{
	struct str address = text_of(l, &r->at);

	if (r->name.answer == DNS_NONE)
		remark(l, ptr_by_provider, V("address", address));
	if (r->name.answer != DNS_FOUND)
		return;
	if (!is_known(&r->back))
		remark(l, not_asked,
		       V("cause", str_empty(r->back.v4.cause)
					  ? r->back.v6.cause
					  : r->back.v4.cause));
	else if (!has_address(&r->back, &r->at))
		remark(l, ptr_not_back, V("address", address),
		       V("name", r->back.name));
	else if (!str_same_nocase(r->back.name, l->own.name))
		remark(l, ptr_is_another, V("address", address),
		       V("name", r->back.name));
}

/* Does the host name lead to it, or will it? */
static bool is_hosts(const struct look *l, const struct inet *at)
{
	for (size_t i = 0; i < l->plan->n_host; i++)
		if (inet_same_ip(&l->plan->host[i], at))
			return true;
	return has_address(&l->own, at);
}

static void judge_reverse(struct look *l, const struct reverse *r)
{
	struct publish_row *row;

	if (!is_public(&r->at))
		return;
	row = look_row(l, "ptr", "PTR", dns_reverse_name(&r->at, l->arena),
		       true);
	row_heard(l, &r->name);
	judge_name(l, r);
	if (row->state == PUBLISH_RIGHT)
		row->value = r->name.records.p[0].text;
	else if (is_hosts(l, &r->at))
		row->value = dotted(l->own.name, l->arena);
	else
		remark(l, ptr_needs_name, V("address", text_of(l, &r->at)));
}

void judge_own(struct look *l)
{
	judge_family(l, true);
	judge_family(l, false);
	for (size_t i = 0; i < l->n_reverse; i++)
		judge_reverse(l, &l->reverse[i]);
}
