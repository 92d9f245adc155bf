/*
 * Who lives where, what waits for whom, which systems take mail, and how much.
 */
#include "console/handlers.h"
#include "console/history.h"
#include "console/nouns.h"
#include "console/tested.h"
#include "console/topics.h"
#include "console/waiting.h"
#include "directory/lists.h"

struct shown {
	struct request *r;
	const struct figures *now, *before; /* BEFORE: may be NULL */
	bool is_all;                        /* not one domain's only */
	json_t *domains, *systems;
};

static void add_domain(void *arg, const struct domain_entry *e)
{
	struct shown *s = arg;

	if (!sees_domain(s->r, e->domain.id))
		return;
	json_array_append_new(
		s->domains,
		json_pack("{s:o,s:o,s:b,s:I,s:I,s:I,s:I,s:I}", "name",
			  json_text(e->domain.name), "relay",
			  json_text(e->domain.relay), "forward_unknown",
			  e->domain.forward_unknown, "hosted",
			  (json_int_t)e->hosted, "alternate",
			  (json_int_t)e->alternate, "none",
			  (json_int_t)e->no_mail, "groups",
			  (json_int_t)e->groups, "shared",
			  (json_int_t)e->shared));
}

/* ---- systems ---- */

static void set(json_t *o, const char *key, json_t *value)
{
	check(json_object_set_new(o, key, value) == 0);
}

static bool is_hop(const json_t *e, const struct next_hop *h)
{
	const char *its = json_string_value(json_object_get(e, "next_hop"));

	return !strcmp(its, next_hop_word(h->kind)) &&
	       str_same(str_of(json_string_value(json_object_get(e, "name"))),
			h->name);
}

/* Mail of other domains goes there, too.  A hop without figures has had no
 * mail, unless hops were left out. */
static json_t *last_minute(const struct shown *s, const struct hop_figures *now,
			   const struct hop_figures *before)
{
	if (!s->is_all || !s->before || (!now && s->now->hops_left_out > 0) ||
	    (!before && s->before->hops_left_out > 0))
		return json_null();
	return json_integer((json_int_t)((now ? now->delivered : 0) -
					 (before ? before->delivered : 0)));
}

/* As the engine knows it: no word yet, or no engine, is "unknown". */
static void set_state(const struct shown *s, json_t *e,
		      const struct next_hop *next)
{
	const struct hop_figures *h =
		s->now->is_up ? figures_hop(s->now, next->kind, next->name)
			      : NULL;
	const struct hop_figures *before =
		s->before ? figures_hop(s->before, next->kind, next->name)
			  : NULL;

	set(e, "state", json_text(h ? h->state : S("unknown")));
	set(e, "since", json_text_or_null(h ? h->since : S("")));
	set(e, "problem", json_text(h ? h->problem : S("")));
	set(e, "last_minute", last_minute(s, h, before));
}

static json_t *tested_json(struct str hosts)
{
	struct tested t;

	if (str_empty(hosts) || !tested_find(hosts, &t))
		return json_null();
	return json_pack("{s:o,s:b}", "at", json_time(t.at_wall_ms), "good",
			 t.is_good);
}

static json_t *hop_new(const struct shown *s, const struct next_hop *h,
		       struct str hosts)
{
	json_t *e = json_pack(
		"{s:s,s:s,s:o,s:o,s:i,s:i,s:s,s:n}", "kind", show_hop_kind(h),
		"next_hop", next_hop_word(h->kind), "name", json_text(h->name),
		"hosts", json_text(hosts), "recipients", 0, "held", 0,
		"last_reply", "", "next_attempt");

	set_state(s, e, h);
	set(e, "tested", tested_json(hosts));
	json_array_append_new(s->systems, e);
	return e;
}

/* Mail may wait for one that is no longer in the directory. */
static json_t *hop_of(const struct shown *s, const struct next_hop *h)
{
	json_t *e;
	size_t i;

	json_array_foreach(s->systems, i, e) if (is_hop(e, h)) return e;
	return hop_new(s, h, h->name);
}

static void add_hop(void *arg, const struct next_hop *h, struct str hosts)
{
	hop_new(arg, h, hosts);
}

static void add_to(json_t *e, const char *key, uint64_t n)
{
	set(e, key,
	    json_integer(json_integer_value(json_object_get(e, key)) +
			 (json_int_t)n));
}

/* Where it is not decided yet stands with the Internet. */
static void add_load(void *arg, const struct queue_load *l)
{
	struct shown *s = arg;
	struct next_hop h = l->next_hop;
	json_t *e;
	bool is_first;

	if (h.kind == NEXT_HOP_UNDECIDED)
		h.kind = NEXT_HOP_INTERNET;
	e = hop_of(s, &h);
	is_first = json_integer_value(json_object_get(e, "recipients")) == 0;
	add_to(e, "recipients", l->recipients);
	add_to(e, "held", l->held);
	if (!is_first)
		return;
	set(e, "last_reply",
	    json_text(show_last_reply(&l->reply, l->remote, s->r->arena)));
	set(e, "next_attempt",
	    l->is_held ? json_null() : json_time(l->next_attempt_ms));
}

static json_t *total_json(const struct queue_total *t)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:o}", "messages",
			 (json_int_t)t->messages, "recipients",
			 (json_int_t)t->recipients, "held", (json_int_t)t->held,
			 "bytes", (json_int_t)t->bytes, "oldest",
			 json_time_or_null(t->oldest_ms));
}

static void add_total(struct queue_total *to, const struct queue_total *t)
{
	to->messages += t->messages;
	to->recipients += t->recipients;
	to->held += t->held;
	to->bytes += t->bytes;
	if (t->oldest_ms && (!to->oldest_ms || t->oldest_ms < to->oldest_ms))
		to->oldest_ms = t->oldest_ms;
}

static bool count_queue(struct request *r, struct str domain, struct shown *s,
			struct queue_total *sum)
{
	struct tools *t =
		r->queue ? r->queue : tools_open(r->console->settings->data);
	const struct str *names = NULL;
	size_t n = 0;
	bool ok = t && queue_names(r, domain, &names, &n) == ANSWER_YES;

	for (size_t i = 0; ok && i < n; i++) {
		struct queue_total total;

		ok = tools_count(t, names[i], add_load, s, &total);
		add_total(sum, &total);
	}
	if (t != r->queue)
		tools_close(t);
	return ok;
}

/* ---- the engine ---- */

/* Those of other people's domains are among them. */
static json_t *certificates_json(const struct request *r,
				 const struct figures *now)
{
	json_t *list = json_deep_copy(is_super(r) ? now->certificates : NULL);
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one) json_object_del(one, "ends_ms");
	return list ? list : json_array();
}

static json_t *engine_json(const struct request *r, const struct shown *s)
{
	bool is_up = s->now->is_up;

	return json_pack(
		"{s:b,s:o,s:o,s:o,s:o}", "up", is_up, "certificates",
		certificates_json(r, s->now), "since",
		json_time(s->now->since_wall_ms), "certificate_ends",
		json_text_or_null(s->now->certificate_ends), "sessions",
		is_up && s->is_all ? json_integer((json_int_t)s->now->sessions)
				   : json_null());
}

/* ---- the whole ---- */

/* *ID is 0 for all, and -1 for one that has gone meanwhile. */
static bool find_domain(struct request *r, struct str name, int64_t *id)
{
	struct domain domain;

	*id = 0;
	if (str_empty(name))
		return true;
	switch (directory_domain(r->d, name, r->arena, &domain)) {
	case ANSWER_YES:
		*id = domain.id;
		return true;
	case ANSWER_NO:
		*id = -1;
		return true;
	case ANSWER_UNSURE:
		break;
	}
	return false;
}

static bool list_all(struct shown *s, struct str domain, int64_t id,
		     struct queue_total *total)
{
	static const struct next_hop mailboxes = { .kind = NEXT_HOP_MAILBOXES };
	static const struct next_hop internet = { .kind = NEXT_HOP_INTERNET };

	hop_new(s, &mailboxes, S(""));
	if (s->is_all && figures_hop(s->now, NEXT_HOP_INTERNET, S("")))
		hop_new(s, &internet, S(""));
	return list_next_systems(s->r->d, id, add_hop, s) &&
	       count_queue(s->r, domain, s, total) &&
	       list_domains(s->r->d, domain, add_domain, s);
}

/* What is wrong with the server is the superadministrator's to mend; that no
 * mail comes in concerns everybody. */
static json_t *trouble_json(const struct request *r, const struct figures *now)
{
	json_t *all = figures_trouble(now, is_super(r));

	for (size_t i = json_array_size(all); !is_super(r) && i > 0; i--) {
		json_t *one = json_array_get(all, i - 1);

		if (!json_is_true(json_object_get(one, "stops_mail")))
			json_array_remove(all, i - 1);
	}
	return all;
}

json_t *overview_state(struct request *r, struct str domain)
{
	struct shown s = { r,
			   figures_borrow(),
			   figures_borrow_before(),
			   str_empty(domain),
			   json_array(),
			   json_array() };
	struct queue_total total = { 0 };
	int64_t id = 0;
	bool ok =
		find_domain(r, domain, &id) && list_all(&s, domain, id, &total);
	json_t *o =
		json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "trouble",
			  trouble_json(r, s.now), "domains", s.domains, "queue",
			  total_json(&total), "engine", engine_json(r, &s),
			  "systems", s.systems, "history", history_json(id));

	figures_return(s.now);
	figures_return(s.before);
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

struct response on_get_overview(struct request *r)
{
	struct response a;
	struct str domain;
	json_t *o;

	if (!domain_asked(r, &domain, &a))
		return a;
	o = overview_state(r, domain);
	return o ? answer_json(200, o) : trouble(r);
}
