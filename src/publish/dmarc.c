/*
 * The DMARC record: of the domain, or of one it is a part of (RFC 7489 6.6.3).
 * Reports for an address elsewhere are sent when that domain says so (7.1).
 */
#include "wire/dmarc.h"

#include "base/limits.h"
#include "publish/inside.h"
#include "wire/tags.h"

static struct str name_at(struct look *l, struct str domain)
{
	return arena_strf(l->arena, "_dmarc.%.*s", STR(domain));
}

static size_t records_of(const struct heard *h, struct str *first)
{
	size_t n = 0;

	for (size_t i = 0; i < h->records.n; i++) {
		if (!dmarc_is_record(h->records.p[i].text))
			continue;
		if (n++ == 0)
			*first = h->records.p[i].text;
	}
	return n;
}

static bool is_part_of(struct str name, struct str whole)
{
	return str_same(name, whole) ||
	       (str_ends(name, whole) && name.n > whole.n &&
		name.p[name.n - whole.n - 1] == '.');
}

/* ---- asking ---- */

/* One label is a registry's. */
static void waits ask_parents(struct look *l)
{
	struct str name = l->plan->domain, label, text;
	struct heard h = { 0 };

	while (str_split(&name, '.', &label) && str_find(name, '.') >= 0) {
		look_ask(l, name_at(l, name), DNS_TXT, &h);
		if (h.answer != DNS_TROUBLE && records_of(&h, &text) == 0)
			continue;
		l->dmarc = h; /* it, or that nobody can say */
		if (h.answer == DNS_FOUND)
			l->dmarc_parent = name;
		return;
	}
}

static void waits ask_address(struct look *l, struct str address,
			      struct str owner)
{
	struct str domain =
		str_from(address, (size_t)str_find_last(address, '@') + 1);
	struct str name = arena_strf(l->arena, "%.*s._report._dmarc.%.*s",
				     STR(owner), STR(domain));
	struct heard h = { 0 };
	struct str text;

	if (is_part_of(domain, owner) || is_part_of(owner, domain))
		return;
	look_ask(l, name, DNS_TXT, &h);
	if (h.answer == DNS_TROUBLE || records_of(&h, &text) > 0)
		return;
	l->unwanted = address;
	l->unwanted_name = name;
}

void waits ask_dmarc(struct look *l, void *unused)
{
	struct str owner = l->plan->domain, text;
	struct dmarc_record r;

	(void)unused;
	look_ask(l, name_at(l, owner), DNS_TXT, &l->dmarc);
	if (l->dmarc.answer != DNS_TROUBLE && records_of(&l->dmarc, &text) == 0)
		ask_parents(l);
	if (!str_empty(l->dmarc_parent))
		owner = l->dmarc_parent;
	if (records_of(&l->dmarc, &text) != 1 ||
	    !dmarc_parse(text, l->arena, &r))
		return;
	for (size_t i = 0; i < r.n_rua; i++)
		ask_address(l, r.rua[i], owner);
}

/* ---- judging ---- */

static void judge_next(struct look *l, enum dmarc_policy now)
{
	bool is_proven = l->spf_works && l->dkim_works;

	if (is_proven && now != DMARC_REJECT)
		remark(l, dmarc_could_go, V("policy", dmarc_words[now + 1]));
	else if (!l->spf_works && !l->dkim_works && now != DMARC_NONE)
		remark(l, dmarc_without_proof, V("policy", dmarc_words[now]),
		       V("domain", l->plan->domain));
	else if (!l->spf_works && !l->dkim_works)
		remark(l, dmarc_alone);
	else if (!is_proven && now == DMARC_NONE)
		remark(l, dmarc_stays);
}

static void judge_record(struct look *l, struct str text)
{
	bool inherits = !str_empty(l->dmarc_parent);
	struct dmarc_record d;

	if (!dmarc_parse(text, l->arena, &d)) {
		remark(l, dmarc_malformed, V("cause", cause()));
		return;
	}
	if (inherits)
		remark(l, dmarc_is_inherited, V("parent", l->dmarc_parent),
		       V("domain", l->plan->domain));
	if (d.n_rua == 0)
		remark(l, dmarc_has_no_reports);
	if (!str_empty(l->unwanted))
		remark(l, dmarc_reports_unwanted, V("address", l->unwanted),
		       V("name", l->unwanted_name));
	judge_next(l, inherits ? d.of_subdomains : d.policy);
}

/* A policy that is there, and can be borne, stays. */
static struct str proposed(struct look *l, struct str now)
{
	enum dmarc_policy policy = DMARC_NONE;
	struct dmarc_record d;

	if ((l->spf_works || l->dkim_works) && !str_empty(now) &&
	    dmarc_parse(now, l->arena, &d))
		policy = d.policy;
	return arena_strf(l->arena, "v=DMARC1; p=%s; rua=mailto:%.*s",
			  dmarc_words[policy], STR(l->plan->postmaster));
}

void judge_dmarc(struct look *l)
{
	struct publish_row *r =
		look_row(l, "dmarc", "TXT", name_at(l, l->plan->domain), true);
	struct heard h = l->dmarc;
	struct str text;
	size_t n = records_of(&h, &text);

	if (h.answer == DNS_FOUND && n == 0)
		h.answer = DNS_NONE;
	row_heard(l, &h);
	if (n > 1)
		remark(l, dmarc_several, V("n", n));
	else if (n == 1)
		judge_record(l, text);
	r->value = r->state == PUBLISH_RIGHT && str_empty(l->dmarc_parent)
			   ? text
			   : proposed(l, n == 1 ? text : S(""));
}
