/* A whole SPF record (spf_walk.h): the terms of each record at the same time. */
#include "publish/spf_walk.h"

#include "base/limits.h"

struct step { /* one term that asks, or the redirect */
	struct spf_walk *walk;
	struct str domain; /* whose record it stands in */
	struct spf_term term;
	bool passes;
	bool is_first; /* in the first record */
};

static void waits walk_record(struct spf_walk *w, struct str name,
			      const struct spf_record *r, bool passes);

static bool is_full(const struct spf_walk *w)
{
	return w->lookups > LIMIT_SPF_ASKED;
}

static void note_unknown(struct spf_walk *w, struct str cause)
{
	w->is_partly_unknown = true;
	if (str_empty(w->unknown))
		w->unknown = cause;
}

static void note_void(struct spf_walk *w, struct str name)
{
	if (w->n_voids < LIMIT_SPF_TERMS)
		w->voids[w->n_voids++] = name;
}

static void note_wrong(struct spf_walk *w, struct str name, struct str cause)
{
	if (w->n_wrong < LIMIT_SPF_TERMS)
		w->wrong[w->n_wrong++] = (struct spf_wrong){ name, cause };
}

static void note_block(struct spf_walk *w, struct inet_block block)
{
	if (w->n_blocks < LIMIT_SPF_BLOCKS)
		w->blocks[w->n_blocks++] = block;
}

static struct str name_of(const struct step *s)
{
	return str_empty(s->term.name) ? s->domain : s->term.name;
}

/* ---- a, mx ---- */

static void note_addresses(struct step *s, const struct named_host *h,
			   struct spf_hosts *to)
{
	struct inet *at;
	size_t n = addresses_of(h, s->walk->look->arena, &at);

	for (size_t i = 0; i < n; i++) {
		bool v4 = inet_is_v4(&at[i]);
		struct inet_block block;

		memcpy(block.ip, at[i].ip, sizeof(block.ip));
		block.bits = v4 ? (uint8_t)(96 + s->term.bits4) : s->term.bits6;
		if (s->passes)
			note_block(s->walk, block);
		if (to->n < LIMIT_SPF_TERMS)
			to->at[to->n++] = at[i];
	}
	if (!is_known(h))
		note_unknown(s->walk, str_empty(h->v4.cause) ? h->v6.cause
							     : h->v4.cause);
}

static struct spf_hosts *hosts_begin(struct step *s)
{
	struct spf_walk *w = s->walk;
	struct spf_hosts *to =
		s->is_first && w->n_hosts < LIMIT_SPF_TERMS
			? &w->hosts[w->n_hosts++]
			: arena_new(w->look->arena, struct spf_hosts);

	*to = (struct spf_hosts){
		.text = s->term.text,
		.at = arena_array(w->look->arena, struct inet, LIMIT_SPF_TERMS),
		.is_plain = s->term.bits4 == 32 && s->term.bits6 == 128 &&
			    s->term.qualifier == '+',
	};
	return to;
}

static void waits walk_a(struct step *s)
{
	struct spf_hosts *to = hosts_begin(s);
	struct named_host h = { .name = name_of(s) };

	look_host(s->walk->look, &h);
	if (h.v4.answer == DNS_NONE && h.v6.answer == DNS_NONE)
		note_void(s->walk, h.name);
	note_addresses(s, &h, to);
}

enum { MX_MOST = 10 };

static void waits walk_mx(struct step *s)
{
	struct look *l = s->walk->look;
	struct spf_hosts *to = hosts_begin(s);
	struct named_host hosts[MX_MOST] = { 0 };
	struct together t = { 0 };
	struct heard mx = { 0 };
	size_t n;

	look_ask(l, name_of(s), DNS_MX, &mx);
	if (mx.answer == DNS_NONE)
		note_void(s->walk, name_of(s));
	if (mx.answer == DNS_TROUBLE)
		note_unknown(s->walk, mx.cause);
	n = mx.records.n < MX_MOST ? mx.records.n : MX_MOST;
	if (mx.records.n > MX_MOST)
		s->walk->mx_many =
			(struct spf_mx_many){ name_of(s), mx.records.n };
	for (size_t i = 0; i < n; i++) {
		hosts[i].name = mx.records.p[i].name;
		look_also(l, &t, look_host, &hosts[i]);
	}
	look_wait(&t);
	for (size_t i = 0; i < n; i++)
		note_addresses(s, &hosts[i], to);
}

/* ---- include, redirect ---- */

static size_t records_of(const struct heard *h, struct str *first)
{
	size_t n = 0;

	for (size_t i = 0; i < h->records.n; i++) {
		if (!spf_is_record(h->records.p[i].text))
			continue;
		if (n++ == 0)
			*first = h->records.p[i].text;
	}
	return n;
}

static void waits walk_include(struct step *s)
{
	struct spf_walk *w = s->walk;
	struct str name = name_of(s), text;
	struct spf_record r;
	struct heard h = { 0 };
	size_t n;

	look_ask(w->look, name, DNS_TXT, &h);
	if (h.answer == DNS_TROUBLE) {
		note_unknown(w, h.cause);
		return;
	}
	if (h.answer == DNS_NONE)
		note_void(w, name);
	n = records_of(&h, &text);
	if (n != 1)
		note_wrong(w, name, n ? S("it has several") : S(""));
	else if (!spf_parse(text, w->look->arena, &r))
		note_wrong(w, name, arena_strf(w->look->arena, "%s", cause()));
	else
		walk_record(w, name, &r, s->passes);
}

/* ---- one record ---- */

static void waits walk_step(struct look *l, void *step)
{
	struct step *s = step;

	(void)l;
	if (s->term.has_macro) {
		s->walk->has_secrets = true;
		return;
	}
	switch (s->term.kind) {
	case SPF_A:
		walk_a(s);
		break;
	case SPF_MX:
		walk_mx(s);
		break;
	case SPF_INCLUDE:
		walk_include(s);
		break;
	case SPF_PTR:
	case SPF_EXISTS:
		s->walk->has_secrets = true;
		break;
	case SPF_ALL:
	case SPF_IP4:
	case SPF_IP6:
		break;
	}
}

static struct step *step_new(struct spf_walk *w, struct str domain,
			     const struct spf_term *term, bool passes)
{
	struct step *s = arena_new(w->look->arena, struct step);

	*s = (struct step){ .walk = w,
			    .domain = domain,
			    .term = *term,
			    .passes = passes && term->qualifier == '+' };
	return s;
}

static void waits walk_record(struct spf_walk *w, struct str name,
			      const struct spf_record *r, bool passes)
{
	struct together t = { 0 };
	const struct spf_term *all = spf_all(r);
	struct spf_term leads = { .qualifier = '+',
				  .kind = SPF_INCLUDE,
				  .name = r->redirect,
				  .has_macro = r->redirect_has_macro };

	if (passes && w->n_names < LIMIT_SPF_TERMS)
		w->names[w->n_names++] = name;
	for (size_t i = 0; i < r->n && &r->terms[i] != all; i++) {
		const struct spf_term *term = &r->terms[i];
		struct step *s;

		if (passes && term->qualifier == '+' &&
		    (term->kind == SPF_IP4 || term->kind == SPF_IP6))
			note_block(w, term->block);
		if (!spf_asks(term) || is_full(w))
			continue;
		w->lookups++;
		s = step_new(w, name, term, passes);
		s->is_first = r == &w->record;
		look_also(w->look, &t, walk_step, s);
	}
	if (!all && !str_empty(r->redirect) && !is_full(w)) {
		w->lookups++;
		look_also(w->look, &t, walk_step,
			  step_new(w, name, &leads, passes));
	}
	look_wait(&t);
}

struct spf_walk *waits spf_walk(struct look *l, struct str name,
				struct str text)
{
	struct spf_walk *w = arena_new(l->arena, struct spf_walk);
	struct arena *a = l->arena;

	*w = (struct spf_walk){
		.look = l,
		.blocks = arena_array(a, struct inet_block, LIMIT_SPF_BLOCKS),
		.names = arena_array(a, struct str, LIMIT_SPF_TERMS),
		.voids = arena_array(a, struct str, LIMIT_SPF_TERMS),
		.wrong = arena_array(a, struct spf_wrong, LIMIT_SPF_TERMS),
		.hosts = arena_array(a, struct spf_hosts, LIMIT_SPF_TERMS),
	};
	if (!spf_parse(text, a, &w->record)) {
		w->is_malformed = true;
		w->malformed = arena_strf(a, "%s", cause());
		return w;
	}
	walk_record(w, name, &w->record, true);
	return w;
}

/* ---- who passes ---- */

static bool passes_address(const struct spf_walk *w, const struct inet *a)
{
	for (size_t i = 0; i < w->n_blocks; i++)
		if (inet_in_block(a, &w->blocks[i]))
			return true;
	return false;
}

bool spf_passes(const struct spf_walk *w, const struct inet_block *block)
{
	struct inet first = { 0 }, end;

	memcpy(first.ip, block->ip, sizeof(first.ip));
	for (unsigned i = block->bits; i < 128; i++)
		first.ip[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	end = first;
	for (unsigned i = block->bits; i < 128; i++)
		end.ip[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return passes_address(w, &first) && passes_address(w, &end);
}

bool spf_includes(const struct spf_walk *w, struct str name)
{
	for (size_t i = 0; i < w->n_names; i++)
		if (str_same_nocase(w->names[i], name))
			return true;
	return false;
}
