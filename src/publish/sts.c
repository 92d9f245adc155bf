/*
 * MTA-STS (RFC 8461): the record and the policy it announces; and where reports
 * on TLS go (RFC 8460).
 */
#include "wire/mta_sts.h"

#include "base/buf.h"
#include "base/limits.h"
#include "publish/inside.h"
#include "rt/https.h"
#include "wire/tags.h"

static struct str below(struct look *l, const char *label)
{
	return arena_strf(l->arena, "%s.%.*s", label, STR(l->plan->domain));
}

static void waits ask_policy(struct look *l)
{
	struct named_host h = { .name = below(l, "mta-sts") };
	struct https_question q = {
		.host = arena_cstr(l->arena, h.name),
		.path = "/.well-known/mta-sts.txt",
		.type = "text/plain",
		.most = LIMIT_STS_BYTES,
	};
	struct inet *at;

	look_host(l, &h);
	q.n_at = addresses_of(&h, l->arena, &at);
	q.at = at;
	q.time_ms = l->deadline_ms - now_ms();
	if (q.n_at == 0)
		l->policy_cause =
			is_known(&h) ? arena_strf(l->arena, "%s has no address",
						  q.host)
				     : h.v4.cause;
	else if (q.time_ms <= 0)
		l->policy_cause = S("no time was left");
	else if (https_get(&q, l->arena, &l->policy))
		l->has_policy = true;
	else
		l->policy_cause = arena_strf(l->arena, "%s", cause());
}

static bool announces(const struct heard *h)
{
	struct str texts[LIMIT_TXT], id;

	for (size_t i = 0; i < h->records.n; i++)
		texts[i] = h->records.p[i].text;
	return sts_record_parse(texts, h->records.n, &id);
}

static void waits ask_tls_reports(struct look *l, void *unused)
{
	(void)unused;
	look_ask(l, below(l, "_smtp._tls"), DNS_TXT, &l->tls_reports);
}

void waits ask_sts(struct look *l, void *unused)
{
	struct together t = { 0 };

	look_also(l, &t, ask_tls_reports, unused);
	look_ask(l, below(l, "_mta-sts"), DNS_TXT, &l->sts);
	if (announces(&l->sts))
		ask_policy(l);
	look_wait(&t);
}

/* ---- judging ---- */

/* "testing" at first; the hosts of MX as they are, or as they will be. */
static struct str proposed_policy(struct look *l)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	bool is_named = false;

	buf_add(&b, S("version: STSv1\nmode: testing\n"));
	for (size_t i = 0; i < l->mx.records.n; i++) {
		struct str name = l->mx_hosts[i].name;

		if (!mx_is_here(l, i) && !mx_system(l, i))
			continue;
		buf_printf(&b, "mx: %.*s\n", STR(name));
		is_named |= str_same(name, l->plan->server.hostname);
	}
	if (!is_named && l->mx.records.n == 0)
		buf_printf(&b, "mx: %.*s\n", STR(l->plan->server.hostname));
	buf_add(&b, S("max_age: 86400\n"));
	return arena_str(l->arena, buf_str(&b));
}

/* The same policy has the same id. */
static struct str proposed_record(struct look *l, struct str policy)
{
	uint64_t id = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < policy.n; i++)
		id = (id ^ (uint8_t)policy.p[i]) * 1099511628211u;
	return arena_strf(l->arena, "v=STSv1; id=%016llx",
			  (unsigned long long)id);
}

static void judge_policy(struct look *l)
{
	struct sts_policy p;

	if (!l->has_policy) {
		remark(l, sts_policy_is_missing, V("cause", l->policy_cause));
		return;
	}
	if (!sts_policy_parse(l->policy, l->arena, &p)) {
		remark(l, sts_policy_is_none, V("cause", cause()));
		return;
	}
	for (size_t i = 0; i < l->mx.records.n && p.mode != STS_NONE; i++)
		if (!sts_allows(&p, l->mx_hosts[i].name))
			remark(l, sts_policy_lacks,
			       V("host", l->mx_hosts[i].name));
}

static struct str without_cr(struct look *l, struct str text)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r')
			buf_add_char(&b, text.p[i]);
	return arena_str(l->arena, buf_str(&b));
}

static void judge_mta_sts(struct look *l)
{
	struct publish_row *record =
		look_row(l, "mta-sts", "TXT", below(l, "_mta-sts"), false);
	struct str policy = proposed_policy(l);
	struct publish_row *r;

	row_heard(l, &l->sts);
	if (l->sts.answer == DNS_FOUND && !announces(&l->sts))
		remark(l, sts_is_none);
	record->value = record->state == PUBLISH_RIGHT
				? record->found[0]
				: proposed_record(l, policy);
	r = look_row(l, "policy", "HTTPS",
		     arena_strf(l->arena,
				"https://mta-sts.%.*s/.well-known/mta-sts.txt",
				STR(l->plan->domain)),
		     false);
	if (record->state == PUBLISH_RIGHT) {
		r->state = PUBLISH_RIGHT;
		l->policy = without_cr(l, l->policy);
		if (l->has_policy)
			row_found(l, l->policy);
		judge_policy(l);
	} else {
		r->state = record->state == PUBLISH_UNKNOWN ? PUBLISH_UNKNOWN
							    : PUBLISH_ABSENT;
		remark(l, sts_needs_server, V("host", below(l, "mta-sts")));
	}
	r->value = r->state == PUBLISH_RIGHT ? l->policy : policy;
}

static bool has_tls_reports(const struct heard *h)
{
	size_t n = 0;
	bool good = false;

	for (size_t i = 0; i < h->records.n; i++) {
		struct str text = h->records.p[i].text, rua;

		if (!tags_begin(text, S("TLSRPTv1")))
			continue;
		n++;
		good = tags_find(text, S("rua"), &rua) &&
		       (str_starts(rua, S("mailto:")) ||
			str_starts(rua, S("https:")));
	}
	return n == 1 && good;
}

static void judge_tls_reports(struct look *l)
{
	struct publish_row *r = look_row(l, "tls-reports", "TXT",
					 below(l, "_smtp._tls"), false);

	row_heard(l, &l->tls_reports);
	if (l->tls_reports.answer == DNS_FOUND &&
	    !has_tls_reports(&l->tls_reports))
		remark(l, tls_reports_none);
	r->value = r->state == PUBLISH_RIGHT
			   ? r->found[0]
			   : arena_strf(l->arena, "v=TLSRPTv1; rua=mailto:%.*s",
					STR(l->plan->postmaster));
}

void judge_sts(struct look *l)
{
	judge_mta_sts(l);
	judge_tls_reports(l);
}
