/*
 * Changing many users: a job is made, and the worker told.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "console/desk.h"
#include "console/handlers.h"
#include "console/job_worker.h"
#include "console/jobs.h"
#include "console/nouns.h"
#include "console/waiting.h"
#include "directory/lists.h"

enum {
	MANY = 10000,        /* addresses; they fit into a body */
	TRIED = 1000,        /* in a preview, while the request waits: the
				writer is kept for some tenths of a second */
	REFUSALS_SHOWN = 50, /* of a preview; their number is exact */
};

static const struct setting_rule change_rules[] = {
	{ "mail_system", SETTING_TEXT, NULL },
	{ "system", SETTING_NULLABLE, NULL },
	{ "enabled", SETTING_FLAG, NULL },
	{ "quota", SETTING_SIZE, NULL },
	{ "forward_copy", SETTING_FLAG, NULL },
	{ 0 },
};

static const struct setting_rule filter_rules[] = {
	{ "domain", SETTING_TEXT, NULL },
	{ "search", SETTING_TEXT, NULL },
	{ "mail_system", SETTING_TEXT, NULL },
	{ "system", SETTING_TEXT, NULL },
	{ "enabled", SETTING_FLAG, NULL },
	{ "password", SETTING_TEXT, NULL },
	{ 0 },
};

/* ---- which users ---- */

static bool take_addresses(struct request *r, json_t *list, struct job_order *o,
			   struct response *bad)
{
	size_t n = json_array_size(list), i;
	struct str *texts;
	json_t *item;

	if (n == 0 || n > MANY) {
		*bad = problem("addresses", too_many_users, V("most", MANY));
		return false;
	}
	texts = arena_array(r->arena, struct str, n);
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item)) {
			*bad = problem("addresses", wrong_type,
				       V("key", "addresses"),
				       V("right", "a list of texts"));
			return false;
		}
		texts[i] = (struct str){ json_string_value(item),
					 json_string_length(item) };
	}
	o->addresses = texts;
	o->n = n;
	return true;
}

/* The filter's words as those of a query. */
static struct str filter_word(struct request *r, const char *name)
{
	json_t *v = json_object_get(json_object_get(r->body, "filter"), name);

	if (json_is_boolean(v))
		return json_is_true(v) ? S("true") : S("false");
	return (struct str){ json_string_value(v), json_string_length(v) };
}

/* Nobody changes more than he saw: he says how many that were. */
static bool take_expect(struct request *r, struct job_order *o,
			struct response *bad)
{
	json_t *expect = json_object_get(r->body, "expect");

	o->expect = -1;
	if (!expect && param_flag(r, "preview"))
		return true;
	if (!json_is_integer(expect) || json_integer_value(expect) < 0) {
		*bad = problem("expect", expect_needed);
		return false;
	}
	o->expect = json_integer_value(expect);
	return true;
}

static bool take_filter(struct request *r, json_t *filter, struct job_order *o,
			struct response *bad)
{
	struct holder_page *page = arena_new(r->arena, struct holder_page);
	struct settings unused;

	if (!json_is_object(filter)) {
		*bad = problem("filter", wrong_type, V("key", "filter"),
			       V("right", "an object"));
		return false;
	}
	if (!settings_read(r, filter, filter_rules, "filter", false, &unused,
			   bad) ||
	    !take_expect(r, o, bad) ||
	    !entries_filter(r, filter_word, page, bad))
		return false;
	page->kinds = 1u << HOLDER_USER;
	o->page = page;
	return true;
}

static bool take_users(struct request *r, struct job_order *o,
		       struct response *bad)
{
	json_t *list = json_object_get(r->body, "addresses");
	json_t *filter = json_object_get(r->body, "filter");

	o->expect = -1;
	if (filter && list) {
		*bad = problem("filter", addresses_and_filter);
		return false;
	}
	return filter ? take_filter(r, filter, o, bad)
		      : take_addresses(r, list, o, bad);
}

/* ---- what to change ---- */

static bool take_change(struct request *r, struct job_order *o,
			struct response *bad)
{
	json_t *change = json_object_get(r->body, "change");
	struct settings unused;
	char *text;

	if (!json_is_object(change) || json_object_size(change) == 0) {
		*bad = problem("change", nothing_to_change);
		return false;
	}
	if (!settings_read(r, change, change_rules, "bulk change", false,
			   &unused, bad))
		return false;
	text = json_dumps(change, JSON_COMPACT);
	check(text);
	o->what = arena_str(r->arena, str_of(text));
	free(text);
	return true;
}

/* ---- doing it ---- */

static struct response make(struct request *r, const struct job_order *o)
{
	struct job_made made;
	struct change change = job_create(r->c, o, &made);

	return change.outcome == CHANGE_DONE ? answer_new_job(r, made.id)
					     : refused(r, change);
}

static bool do_all(struct request *r, int64_t id, struct job *out)
{
	do {
		if (!job_work(r->c, id) ||
		    find_job(r->d, S(""), id, r->arena, out) != ANSWER_YES)
			return false;
	} while (out->state == JOB_RUNNING);
	return true;
}

/* The users a preview has changed, for what waits for them. */
struct changed {
	int64_t ids[TRIED];
	size_t n;
};

static void add_changed(void *arg, int64_t holder)
{
	struct changed *c = arg;

	if (c->n < TRIED)
		c->ids[c->n++] = holder;
}

static json_t *effects_json(const struct job_effects *e)
{
	return json_pack("{s:I,s:I,s:I,s:n}", "without_password",
			 (json_int_t)e->without_password, "left_here",
			 (json_int_t)e->left_here, "left_elsewhere",
			 (json_int_t)e->left_elsewhere, "waiting");
}

/* The job itself, done on the first of them; it is undone afterwards. */
static struct response preview(struct request *r, struct job_order *o,
			       struct changed *changed)
{
	json_t *refusals = json_array();
	struct job_effects effects;
	struct job_made made;
	struct job job;
	struct change change;

	o->at_most = TRIED;
	change = job_create(r->c, o, &made);
	if (change.outcome == CHANGE_DONE && do_all(r, made.id, &job) &&
	    list_refusals(r->d, made.id, 0, REFUSALS_SHOWN, add_refusal,
			  refusals) &&
	    job_effects(r->d, made.id, &effects) == ANSWER_YES &&
	    list_changed(r->d, made.id, add_changed, changed))
		return answer_json(
			200,
			json_pack("{s:I,s:I,s:I,s:I,s:o,s:o}", "matching",
				  (json_int_t)made.matching, "tried",
				  (json_int_t)job.total, "changed",
				  (json_int_t)job.changed, "refused",
				  (json_int_t)job.refused, "refusals", refusals,
				  "effects", effects_json(&effects)));
	json_decref(refusals);
	return change.outcome == CHANGE_DONE ? trouble(r) : refused(r, change);
}

/* ---- what waits for them ---- */

struct search {
	struct request *r;
	const struct changed *changed;
	int64_t messages; /* looked at */
	int64_t found;
};

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void look_at(void *arg, const struct message *m)
{
	struct search *s = arg;
	int64_t id;

	s->messages++;
	for (size_t i = 0; i < m->n; i++)
		if (find_holder(s->r->d, m->recipients[i].address, m->arena,
				&id) == ANSWER_YES &&
		    bsearch(&id, s->changed->ids, s->changed->n, sizeof(id),
			    by_number)) {
			s->found++;
			return;
		}
}

/* Null: more waits than is looked at while somebody waits for the answer. */
static json_t *count_waiting(struct request *r, struct changed *c)
{
	struct search s = { .r = r, .changed = c };
	struct queue_filter f = { 0 };
	const struct str *names = NULL;
	size_t n = 0;
	struct tools *t = tools_open(r->console->settings->data);
	bool ok = t && queue_names(r, S(""), &names, &n) == ANSWER_YES;

	qsort(c->ids, c->n, sizeof(c->ids[0]), by_number);
	for (size_t i = 0; ok && i < n; i++) {
		f.domain = names[i];
		ok = tools_page(t, &f, S(""),
				(size_t)(LIMIT_CONSOLE_OUTLOOK - s.messages),
				look_at, &s) &&
		     s.messages < LIMIT_CONSOLE_OUTLOOK;
	}
	tools_close(t);
	return ok ? json_integer(s.found) : json_null();
}

/* The writer is free again by then, and the request has no handle. */
static struct response say_waiting(struct request *r, struct response a,
				   struct changed *c)
{
	json_t *effects = json_object_get(a.body, "effects");

	if (!effects || c->n == 0)
		return a;
	r->d = desk_borrow(r->console->desk);
	if (r->d)
		json_object_set_new(effects, "waiting", count_waiting(r, c));
	return a;
}

struct response on_change_users(struct request *r)
{
	struct job_order o = { .admin = r->who.admin.name };
	struct response a;

	if (!take_users(r, &o, &a) || !take_change(r, &o, &a))
		return a;
	if (!change_open(r))
		return trouble(r);
	if (param_flag(r, "preview")) {
		struct changed *changed = arena_new(r->arena, struct changed);

		a = change_close(r, preview(r, &o, changed));
		return say_waiting(r, a, changed);
	}
	a = change_close(r, make(r, &o));
	if (a.status == 202)
		job_worker_wake();
	return a;
}
