/*
 * The SPF record: one for all systems.  Who has to pass by it is this server and
 * each of the others (parties); what is proposed is the record that is there
 * with what it lacks, or a new one.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "publish/spf_walk.h"

struct party {
	struct str name;           /* empty: this server */
	struct str *terms;         /* that let it pass */
	struct inet_block *blocks; /* from where it sends */
	size_t n_terms, n_blocks;
	struct str include; /* of its provider; or empty */
	bool is_unknown;    /* from where it sends */
};

/* ---- asking ---- */

static void waits ask_system(struct look *l, void *system)
{
	const struct publish_system *s = system;
	size_t i = (size_t)(s - l->plan->systems);
	struct together t = { 0 };

	l->system_hosts[i] =
		arena_array(l->arena, struct named_host, s->n_hosts + 1);
	for (size_t k = 0; k < s->n_hosts; k++) {
		l->system_hosts[i][k].name = s->hosts[k].name;
		if (!s->hosts[k].is_ip)
			look_also(l, &t, look_host, &l->system_hosts[i][k]);
	}
	look_wait(&t);
}

void waits ask_systems(struct look *l, void *unused)
{
	struct together t = { 0 };

	(void)unused;
	l->system_hosts = arena_array(l->arena, struct named_host *,
				      l->plan->n_systems + 1);
	for (size_t i = 0; i < l->plan->n_systems; i++)
		look_also(l, &t, ask_system, (void *)&l->plan->systems[i]);
	look_wait(&t);
}

/* Of all texts of the domain, those that are SPF records. */
static size_t spf_records(const struct look *l, struct str *first)
{
	size_t n = 0;

	for (size_t i = 0; i < l->txt.records.n; i++) {
		if (!spf_is_record(l->txt.records.p[i].text))
			continue;
		if (n++ == 0)
			*first = l->txt.records.p[i].text;
	}
	return n;
}

/* All that several records allow, in one; those that are malformed are lost. */
static struct str join(struct look *l)
{
	struct buf all scoped(buf) = BUF_EMPTY;

	buf_add(&all, S("v=spf1"));
	for (size_t i = 0; i < l->txt.records.n; i++) {
		struct spf_record r;

		if (!spf_parse(l->txt.records.p[i].text, l->arena, &r))
			continue;
		for (size_t k = 0; k < r.n; k++)
			if (r.terms[k].kind != SPF_ALL)
				buf_printf(&all, " %.*s", STR(r.terms[k].text));
	}
	return arena_str(l->arena, buf_str(&all));
}

void waits ask_spf(struct look *l, void *unused)
{
	struct str text;
	size_t n;

	(void)unused;
	look_ask(l, l->plan->domain, DNS_TXT, &l->txt);
	n = spf_records(l, &text);
	if (n == 1)
		l->spf = spf_walk(l, l->plan->domain, text);
	else if (n > 1)
		l->joined = spf_walk(l, l->plan->domain, join(l));
}

/* ---- parties ---- */

static void needs_block(struct party *p, struct look *l,
			const struct inet_block *block, struct str text)
{
	struct inet at = { 0 };

	memcpy(at.ip, block->ip, sizeof(at.ip));
	if (!is_public(&at) || p->n_blocks == LIMIT_SPF_TERMS)
		return;
	p->blocks[p->n_blocks++] = *block;
	p->terms[p->n_terms++] =
		arena_strf(l->arena, "%s:%.*s", inet_is_v4(&at) ? "ip4" : "ip6",
			   STR(text));
}

static void needs_address(struct party *p, struct look *l,
			  const struct inet *at)
{
	struct inet_block block = { .bits = 128 };

	memcpy(block.ip, at->ip, sizeof(block.ip));
	needs_block(p, l, &block,
		    arena_strf(l->arena, "%s", inet_ip_text(at).c));
}

static void needs_name(struct party *p, struct look *l,
		       const struct named_host *h)
{
	struct inet *at;
	size_t n = addresses_of(h, l->arena, &at), terms = p->n_terms;

	for (size_t i = 0; i < n; i++)
		needs_address(p, l, &at[i]);
	/* Those in private networks send from elsewhere. */
	if (p->n_terms == terms && n > 0)
		return;
	p->n_terms = terms;
	p->terms[p->n_terms++] = arena_strf(l->arena, "a:%.*s", STR(h->name));
}

static struct party party_new(struct look *l, struct str name)
{
	return (struct party){
		.name = name,
		.terms = arena_array(l->arena, struct str, LIMIT_SPF_TERMS + 1),
		.blocks = arena_array(l->arena, struct inet_block,
				      LIMIT_SPF_TERMS),
	};
}

static struct party this_server(struct look *l)
{
	struct party p = party_new(l, S(""));

	for (size_t i = 0; i < l->plan->n_own; i++)
		needs_address(&p, l, &l->plan->own[i]);
	if (p.n_terms == 0)
		needs_name(&p, l, &l->own);
	/* Behind a translation of addresses only others see where it is. */
	p.is_unknown = p.n_blocks == 0;
	if (p.n_terms == 0)
		p.terms[p.n_terms++] =
			arena_strf(l->arena, "a:%.*s", STR(l->own.name));
	return p;
}

static bool needs_provider(struct party *p, struct look *l, struct str host)
{
	struct str include = provider_include(host);

	if (str_empty(include))
		return false;
	p->include = include;
	p->terms[p->n_terms++] =
		arena_strf(l->arena, "include:%.*s", STR(include));
	return true;
}

/* By its provider, or by the networks it is trusted at, or by its hosts. */
static struct party party_of(struct look *l, size_t i)
{
	const struct publish_system *s = &l->plan->systems[i];
	struct party p = party_new(l, s->name);

	for (size_t k = 0; k < s->n_hosts; k++)
		if (needs_provider(&p, l, s->hosts[k].name))
			return p;
	for (size_t k = 0; k < s->n_trust; k++) {
		struct inet_block block;

		if (inet_block_parse(s->trust[k], &block))
			needs_block(&p, l, &block, s->trust[k]);
	}
	for (size_t k = 0; k < s->n_hosts && p.n_blocks == 0; k++) {
		if (s->hosts[k].is_ip)
			needs_address(&p, l, &s->hosts[k].ip);
		else
			needs_name(&p, l, &l->system_hosts[i][k]);
	}
	p.is_unknown = p.n_terms == 0;
	return p;
}

/* A provider that takes the domain's mail, and is no system here. */
static bool of_mx(struct look *l, size_t i, const struct party *others,
		  size_t n, struct party *out)
{
	*out = party_new(l, l->mx_hosts[i].name);
	if (!needs_provider(out, l, l->mx_hosts[i].name))
		return false;
	for (size_t k = 0; k < n; k++)
		if (str_same(others[k].include, out->include))
			return false;
	return true;
}

static size_t parties(struct look *l, struct party **out)
{
	size_t n = 0, mx = l->mx.records.n;

	*out = arena_array(l->arena, struct party, 1 + l->plan->n_systems + mx);
	(*out)[n++] = this_server(l);
	for (size_t i = 0; i < l->plan->n_systems; i++)
		(*out)[n++] = party_of(l, i);
	for (size_t i = 0; i < mx; i++)
		n += of_mx(l, i, *out, n, &(*out)[n]);
	return n;
}

static bool has_term(const struct spf_record *r, struct str text)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_same_nocase(r->terms[i].text, text))
			return true;
	return false;
}

static bool passes(const struct spf_walk *w, const struct party *p)
{
	size_t good = 0;

	for (size_t i = 0; i < p->n_terms; i++)
		good += has_term(&w->record, p->terms[i]);
	if (good == p->n_terms)
		return true;
	if (!str_empty(p->include))
		return spf_includes(w, p->include);
	for (size_t i = 0; i < p->n_blocks; i++)
		if (!spf_passes(w, &p->blocks[i]))
			return false;
	return p->n_blocks > 0;
}

/* ---- what is there ---- */

static void judge_end(struct look *l, const struct spf_walk *w)
{
	const struct spf_term *all = spf_all(&w->record);

	if (all && all->qualifier == '+')
		remark(l, spf_passes_all, V("domain", l->plan->domain));
	else if (all ? all->qualifier == '?' : str_empty(w->record.redirect))
		remark(l, spf_is_neutral);
	for (size_t i = 0; i < w->record.n; i++)
		if (w->record.terms[i].kind == SPF_PTR) {
			remark(l, spf_ptr);
			break;
		}
}

static void judge_costs(struct look *l, const struct spf_walk *w)
{
	struct texts voids = { w->voids, w->n_voids };

	if (w->lookups > SPF_LOOKUPS)
		remark(l, spf_too_many, V("n", w->lookups));
	else
		remark(l, spf_lookups, V("n", w->lookups));
	if (w->n_voids > SPF_VOID_LOOKUPS)
		remark(l, spf_too_many_void, V("n", w->n_voids),
		       V("names", voids));
	else if (w->n_voids)
		remark(l, spf_void, V("names", voids));
	if (w->mx_many.n)
		remark(l, spf_too_many_mx, V("name", w->mx_many.name),
		       V("n", w->mx_many.n));
}

static void judge_included(struct look *l, const struct spf_walk *w)
{
	for (size_t i = 0; i < w->n_wrong; i++) {
		if (str_empty(w->wrong[i].cause))
			remark(l, spf_include_missing,
			       V("name", w->wrong[i].name));
		else
			remark(l, spf_include_bad, V("name", w->wrong[i].name),
			       V("cause", w->wrong[i].cause));
	}
}

static void lacks(struct look *l, const struct party *p)
{
	struct texts terms = { p->terms, p->n_terms };

	if (str_empty(p->name))
		remark(l, spf_lacks_here, V("terms", terms));
	else
		remark(l, spf_lacks, V("system", p->name), V("terms", terms));
}

/* What could not be asked may let it pass. */
static void judge_parties(struct look *l, const struct spf_walk *w,
			  const struct party *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!p[i].is_unknown && !w->is_partly_unknown &&
		    !w->has_secrets && !passes(w, &p[i]))
			lacks(l, &p[i]);
}

static void judge_record(struct look *l, struct publish_row *r,
			 const struct spf_walk *w, const struct party *p,
			 size_t n)
{
	if (w->is_malformed) {
		remark(l, spf_malformed, V("cause", w->malformed));
		return;
	}
	if (w->is_partly_unknown) {
		r->state = PUBLISH_UNKNOWN;
		remark(l, not_asked, V("cause", w->unknown));
	}
	judge_parties(l, w, p, n);
	judge_costs(l, w);
	judge_included(l, w);
	judge_end(l, w);
}

/* ---- what is proposed ---- */

struct proposal {
	struct buf text;
	const struct spf_walk *flat; /* whose hosts become addresses; or NULL */
};

static void add(struct proposal *to, struct str term)
{
	if (str_empty(term))
		return;
	buf_add_char(&to->text, ' ');
	buf_add(&to->text, term);
}

static bool add_flat(struct proposal *to, struct str term)
{
	for (size_t i = 0; to->flat && i < to->flat->n_hosts; i++) {
		const struct spf_hosts *h = &to->flat->hosts[i];

		if (!h->is_plain || h->n == 0 || !str_same(h->text, term))
			continue;
		for (size_t k = 0; k < h->n; k++)
			buf_printf(&to->text, " %s:%s",
				   inet_is_v4(&h->at[k]) ? "ip4" : "ip6",
				   inet_ip_text(&h->at[k]).c);
		return true;
	}
	return false;
}

static void add_once(struct proposal *to, struct str term)
{
	struct str all = buf_str(&to->text), each;

	while (str_split(&all, ' ', &each))
		if (str_same_nocase(each, term))
			return;
	if (!add_flat(to, term))
		add(to, term);
}

/* Of what is there: names that have no record cannot stay. */
static void add_present(struct proposal *to, const struct spf_walk *w)
{
	for (size_t i = 0; i < w->record.n; i++) {
		const struct spf_term *t = &w->record.terms[i];
		bool is_wrong = t->kind == SPF_ALL || t->kind == SPF_PTR;

		for (size_t k = 0; k < w->n_wrong; k++)
			is_wrong |= t->kind == SPF_INCLUDE &&
				    str_same(t->name, w->wrong[k].name);
		for (size_t k = 0; k < w->n_voids; k++)
			is_wrong |= (t->kind == SPF_A || t->kind == SPF_MX) &&
				    str_same(t->name, w->voids[k]);
		if (!is_wrong)
			add_once(to, t->text);
	}
	if (!str_empty(w->record.redirect) && !spf_all(&w->record))
		buf_printf(&to->text, " include:%.*s", STR(w->record.redirect));
}

static struct str end_of(const struct spf_walk *w)
{
	const struct spf_term *all = w ? spf_all(&w->record) : NULL;

	return all && (all->qualifier == '-') ? S("-all") : S("~all");
}

static struct str compose(struct look *l, const struct party *p, size_t n,
			  const struct spf_walk *flat)
{
	const struct spf_walk *now = l->spf ? l->spf : l->joined;
	struct proposal to = { .flat = flat };
	struct str text;

	if (now && now->is_malformed)
		now = NULL;
	buf_add(&to.text, S("v=spf1"));
	if (now)
		add_present(&to, now);
	for (size_t i = 0; i < n; i++) {
		bool is_there = now && passes(now, &p[i]);

		for (size_t k = 0; k < p[i].n_terms && !is_there; k++)
			add_once(&to, p[i].terms[k]);
	}
	add(&to, end_of(now));
	text = arena_str(l->arena, buf_str(&to.text));
	buf_free(&to.text);
	return text;
}

/* With too many look-ups names of hosts become addresses, which cost none. */
static struct str waits propose(struct look *l, const struct party *p, size_t n)
{
	struct str text = compose(l, p, n, NULL);
	struct spf_walk *w = spf_walk(l, l->plan->domain, text);

	if (w->lookups <= SPF_LOOKUPS)
		return text;
	text = compose(l, p, n, w);
	w = spf_walk(l, l->plan->domain, text);
	if (w->lookups > SPF_LOOKUPS)
		remark(l, spf_needs_too_many, V("n", w->lookups));
	return text;
}

/* ---- the row ---- */

static void say_unknown(struct look *l, const struct party *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].is_unknown && !str_empty(p[i].name))
			remark(l, spf_sender_unknown, V("system", p[i].name));
}

void waits judge_spf(struct look *l)
{
	struct publish_row *r =
		look_row(l, "spf", "TXT", l->plan->domain, true);
	struct heard h = l->txt;
	struct party *p;
	struct str text;
	size_t n = parties(l, &p), records = spf_records(l, &text);

	/* Other texts of the domain are nobody's business here. */
	h.records.n = 0;
	if (h.answer == DNS_FOUND && records == 0)
		h.answer = DNS_NONE;
	row_heard(l, &h);
	for (size_t i = 0; i < l->txt.records.n; i++)
		if (spf_is_record(l->txt.records.p[i].text))
			row_found(l, l->txt.records.p[i].text);
	if (records > 1)
		remark(l, spf_several, V("n", records));
	else if (l->spf)
		judge_record(l, r, l->spf, p, n);
	say_unknown(l, p, n);
	l->spf_works = r->state == PUBLISH_RIGHT;
	r->value = l->spf_works ? text : propose(l, p, n);
}
