/*
 * The queue: what waits, and what is done about it.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "console/handlers.h"
#include "console/look.h"
#include "console/nouns.h"
#include "console/topics.h"
#include "console/waiting.h"
#include "directory/lists.h"
#include "rt/log.h"
#include "wire/address.h"

/* ---- which ---- */

enum answer queue_names(struct request *r, struct str domain,
			const struct str **out, size_t *n)
{
	struct domain found;
	const struct str *aliases;
	struct str name = STR_NONE, *names;
	enum answer a = ANSWER_NO;

	if (str_empty(domain))
		domain = r->who.admin.domain_name;
	if (domain_parse(domain, r->arena, &name))
		a = directory_domain(r->d, name, r->arena, &found);
	if (a == ANSWER_YES && !sees_domain(r, found.id))
		return ANSWER_NO;
	if (a == ANSWER_YES)
		a = list_aliases(r->d, found.id, r->arena, &aliases, n);
	if (a == ANSWER_YES) {
		names = arena_array(r->arena, struct str, *n + 1);
		names[0] = found.name;
		for (size_t i = 0; i < *n; i++)
			names[i + 1] = aliases[i];
		*out = names;
		++*n;
		return ANSWER_YES;
	}
	if (a == ANSWER_UNSURE || !is_super(r))
		return a;
	/* All, or a domain that is none of ours. */
	names = arena_new(r->arena, struct str);
	*names = domain;
	*out = names;
	*n = 1;
	return ANSWER_YES;
}

json_t *queue_state(struct request *r, struct str domain)
{
	const struct str *names = NULL;
	const char *mark, *marks = "";
	size_t n = 0;

	if (str_empty(domain))
		return json_pack(
			"{s:o}", "mark",
			json_text(arena_strf(
				r->arena, "%llu",
				(unsigned long long)tools_version(r->queue))));
	if (queue_names(r, domain, &names, &n) != ANSWER_YES)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (!tools_mark(r->queue, names[i], r->arena, &mark))
			return NULL;
		marks = arena_printf(r->arena, "%s%s%s", marks, i ? "-" : "",
				     mark);
	}
	return json_pack("{s:s}", "mark", marks);
}

/* The same filter for each name of the domain. */
struct filters {
	struct queue_filter f;
	const struct str *names;
	size_t n;
};

static bool is_domain(struct request *r, const struct queue_filter *f)
{
	struct str name;

	return str_empty(f->domain) || domain_parse(f->domain, r->arena, &name);
}

static bool is_next_hop(const struct queue_filter *f)
{
	enum next_hop_kind kind;

	return str_empty(f->next_hop) || next_hop_kind_of(f->next_hop, &kind);
}

static bool filters_of(struct request *r, const struct queue_filter *f,
		       struct filters *out, struct response *bad)
{
	out->f = *f;
	if (!is_domain(r, f)) {
		*bad = problem("domain", bad_domain_name, V("given", f->domain),
			       V("cause", cause()));
		return false;
	}
	switch (queue_names(r, f->domain, &out->names, &out->n)) {
	case ANSWER_YES:
		return true;
	case ANSWER_NO:
		*bad = problem("domain", no_such_domain,
			       V("domain", f->domain));
		return false;
	case ANSWER_UNSURE:
		break;
	}
	*bad = trouble(r);
	return false;
}

/* ---- list ---- */

/* The engine's questions, by the console's own handle. */
static struct router router_of(struct request *r)
{
	return (struct router){
		.directory = r->d,
		.guard = r->console->guard,
		.hostname = str_of(r->console->settings->hostname),
		.aliases = aliases_now(r),
		.sees = r->who.admin.domain,
	};
}

struct listing {
	struct tools *tools;
	struct outlook outlook;
	json_t *list;
	int64_t n;
};

static json_t *entry_of(json_t *list, const char *id)
{
	json_t *e;
	size_t i;

	json_array_foreach(
		list, i,
		e) if (!strcmp(json_string_value(json_object_get(e, "id")),
			       id)) return e;
	return NULL;
}

/* A message with recipients on several names of the domain comes once a name;
 * a page of one name cannot hold it twice. */
static void add(void *arg, const struct message *m)
{
	struct listing *l = arg;
	json_t *new = show_queued(m, l->tools, &l->outlook);
	json_t *old = entry_of(l->list, m->id);

	l->n++;
	if (!old) {
		json_array_append_new(l->list, new);
		return;
	}
	json_array_extend(json_object_get(old, "recipients"),
			  json_object_get(new, "recipients"));
	json_decref(new);
}

static int by_id(const void *a, const void *b)
{
	const json_t *x = json_object_get(*(json_t *const *)a, "id");
	const json_t *y = json_object_get(*(json_t *const *)b, "id");

	return strcmp(json_string_value(x), json_string_value(y));
}

/* The first LIMIT of LIST, the oldest first. */
static json_t *oldest(struct request *r, json_t *list, size_t limit)
{
	size_t n = json_array_size(list);
	json_t **sorted = arena_array(r->arena, json_t *, n + 1);
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		sorted[i] = json_array_get(list, i);
	qsort(sorted, n, sizeof(*sorted), by_id);
	for (size_t i = 0; i < n && i < limit; i++)
		json_array_append(out, sorted[i]);
	json_decref(list);
	return out;
}

static struct response answer_list(struct request *r, json_t *list, bool more)
{
	size_t n = json_array_size(list);
	json_t *last =
		n ? json_object_get(json_array_get(list, n - 1), "id") : NULL;

	return answer_json(
		200,
		json_pack(
			"{s:o,s:o}", "items", list, "next_cursor",
			more && last
				? cursor_of(r, str_of(json_string_value(last)),
					    S(""))
				: json_null()));
}

static struct response list_page(struct request *r, struct filters *f,
				 struct str after, int64_t limit)
{
	struct tools *t = tools_open(r->console->settings->data);
	struct router router = router_of(r);
	struct listing l = { .tools = t,
			     .outlook = { &router, LIMIT_CONSOLE_OUTLOOK },
			     .list = json_array() };
	bool ok = t != NULL, more = false;

	for (size_t i = 0; ok && i < f->n; i++) {
		l.n = 0;
		f->f.domain = f->names[i];
		ok = tools_page(t, &f->f, after, (size_t)limit, add, &l);
		more |= l.n == limit;
	}
	tools_close(t);
	if (!ok) {
		json_decref(l.list);
		return trouble(r);
	}
	more |= json_array_size(l.list) > (size_t)limit;
	return answer_list(r, oldest(r, l.list, (size_t)limit), more);
}

struct response on_list_queue(struct request *r)
{
	struct queue_filter f = { param(r, "id"), param(r, "recipient"),
				  param(r, "system"), param(r, "domain"),
				  param(r, "next_hop") };
	struct str after, unused;
	struct filters filters;
	struct response bad;
	int64_t limit;

	if (!page_limit(r, &limit, &bad) ||
	    !cursor_parse(r, &after, &unused, &bad))
		return bad;
	if (!is_domain(r, &f))
		return problem("domain", bad_parameter, V("key", "domain"),
			       V("given", f.domain));
	if (!is_next_hop(&f))
		return problem("next_hop", bad_parameter, V("key", "next_hop"),
			       V("given", f.next_hop));
	if (!filters_of(r, &f, &filters, &bad))
		return bad;
	return list_page(r, &filters, after, limit);
}

/* ---- one ---- */

/* Recipients of other domains are nobody's business but theirs.  False: none
 * is left. */
static bool keep_his(struct request *r, json_t *message)
{
	json_t *list = json_object_get(message, "recipients");

	for (size_t i = json_array_size(list); i > 0; i--) {
		json_t *e = json_array_get(list, i - 1);
		json_t *text = json_object_get(e, "address");
		struct address a;
		struct domain domain;

		if (!is_super(r) &&
		    (!address_parse(str_of(json_string_value(text)), r->arena,
				    &a) ||
		     directory_domain(r->d, a.domain, r->arena, &domain) !=
			     ANSWER_YES ||
		     !sees_domain(r, domain.id)))
			json_array_remove(list, i - 1);
	}
	return json_array_size(list) > 0;
}

static struct response show(struct request *r, const struct message *m)
{
	struct router router = router_of(r);
	struct outlook outlook = { &router, LIMIT_CONSOLE_OUTLOOK };
	json_t *o = show_queued_whole(m, &outlook);

	if (!keep_his(r, o)) {
		json_decref(o);
		return not_there(r);
	}
	return answer_json(200, o);
}

struct response on_get_queued(struct request *r)
{
	struct tools *t = tools_open(r->console->settings->data);
	enum tools_found found = TOOLS_TROUBLE;
	struct message *m = NULL;
	struct response a = { 0 };

	if (t)
		found = tools_show(t, r->args[0], &m);
	if (m)
		a = show(r, m);
	message_drop(m);
	tools_close(t);
	switch (found) {
	case TOOLS_FOUND:
		return a;
	case TOOLS_NOT_THERE:
		return not_there(r);
	case TOOLS_TROUBLE:
		break;
	}
	return trouble(r);
}

/* ---- orders ---- */

static const char *const orders[] = {
	[ORDER_RETRY] = "retry",     [ORDER_HOLD] = "hold",
	[ORDER_RELEASE] = "release", [ORDER_DELETE] = "delete",
	[ORDER_BOUNCE] = "bounce",
};

static bool order_of(struct request *r, enum order *out)
{
	struct str text = body_text(r, "order");

	for (size_t i = 0; i < array_size(orders); i++)
		if (str_same(text, str_of(orders[i]))) {
			*out = (enum order)i;
			return true;
		}
	return false;
}

/* An empty filter would match everything: a script's unset variable must not
 * empty the queue. */
static bool filter_of(struct request *r, struct queue_filter *f,
		      struct response *bad)
{
	const struct {
		const char *key;
		struct str *to;
	} keys[] = {
		{ "id", &f->id },
		{ "recipient", &f->recipient },
		{ "system", &f->system },
		{ "domain", &f->domain },
		{ "next_hop", &f->next_hop },
	};
	bool any = false;

	*f = (struct queue_filter){ 0 };
	for (size_t i = 0; i < array_size(keys); i++) {
		if (!json_object_get(r->body, keys[i].key))
			continue;
		*keys[i].to = body_text(r, keys[i].key);
		any = true;
		if (!str_empty(*keys[i].to))
			continue;
		*bad = problem(keys[i].key, wrong_type, V("key", keys[i].key),
			       V("right", "a text that is not empty"));
		return false;
	}
	if (any || json_is_true(json_object_get(r->body, "all")))
		return true;
	*bad = problem("all", no_messages_named);
	return false;
}

static const char *shown(struct request *r, struct str s)
{
	return log_safe(r->arena, s, 300);
}

/* The queue is no part of the directory, nor of its change log. */
static void log_order(struct request *r, const struct queue_filter *f,
		      uint64_t recipients)
{
	log_fact("console",
		 "who=<%s>, order=%s, id=<%s>, recipient=<%s>, system=<%s>, "
		 "next_hop=<%s>, domain=<%s>: %llu recipients",
		 shown(r, r->who.admin.name), shown(r, body_text(r, "order")),
		 shown(r, f->id), shown(r, f->recipient), shown(r, f->system),
		 shown(r, f->next_hop), shown(r, body_text(r, "domain")),
		 (unsigned long long)recipients);
}

static struct response give(struct request *r, enum order order,
			    struct filters *f)
{
	struct tools *t = tools_open(r->console->settings->data);
	uint64_t n = 0, sum = 0;
	bool ok = t != NULL;

	for (size_t i = 0; ok && i < f->n; i++) {
		f->f.domain = f->names[i];
		ok = tools_order(t, order, &f->f, &n);
		sum += n;
	}
	tools_close(t);
	if (!ok)
		return trouble(r);
	engine_looks(r);
	log_order(r, &f->f, sum);
	return answer_json(200,
			   json_pack("{s:I}", "recipients", (json_int_t)sum));
}

struct response on_order_queue(struct request *r)
{
	struct filters filters;
	struct queue_filter f;
	struct response bad;
	enum order order;

	if (!order_of(r, &order))
		return problem("order", wrong_type, V("key", "order"),
			       V("right", "retry, hold, release, delete or "
					  "bounce"));
	if (!filter_of(r, &f, &bad))
		return bad;
	if (!is_next_hop(&f))
		return problem("next_hop", wrong_type, V("key", "next_hop"),
			       V("right", "undecided, mailboxes, system, relay "
					  "or internet"));
	if (!filters_of(r, &f, &filters, &bad))
		return bad;
	return give(r, order, &filters);
}
