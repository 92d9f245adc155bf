/*
 * The queue: what waits, and what is done about it.
 */
#include "base/limits.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/waiting.h"
#include "rt/clock.h"
#include "wire/address.h"

struct str reply_text(const struct reply *reply, struct str remote,
		      struct arena *a)
{
	struct str text = reply->code ? reply_line(reply, a) : reply->text;

	if (str_empty(remote) || str_empty(text))
		return text;
	return arena_strf(a, "%.*s (%.*s)", STR(text), STR(remote));
}

static json_t *recipient_json(const struct recipient *e, struct arena *a)
{
	return json_pack("{s:o,s:o,s:s,s:I,s:o,s:o}", "address",
			 json_text(e->address), "system", json_text(e->system),
			 "state", e->held ? "held" : "waiting", "attempts",
			 (json_int_t)e->attempts, "next_attempt",
			 e->held ? json_null() : json_time(e->next_attempt_ms),
			 "last_reply",
			 json_text(reply_text(&e->reply, e->remote, a)));
}

static json_t *message_json(const struct message *m)
{
	json_t *recipients = json_array();

	for (size_t i = 0; i < m->n; i++)
		json_array_append_new(recipients,
				      recipient_json(&m->recipients[i],
						     m->arena));
	return json_pack("{s:s,s:o,s:I,s:o,s:o}", "id", m->id, "sender",
			 json_text(m->sender), "size",
			 (json_int_t)m->body.bytes, "arrived",
			 json_time(m->arrived_wall_ms), "recipients",
			 recipients);
}

/* ---- which ---- */

/* A domain administrator's filter is his domain, whatever he asks for.
 * ANSWER_NO: another domain's. */
static enum answer limit_to_domain(struct request *r, struct queue_filter *f)
{
	struct str name;
	struct domain domain;
	enum answer a;

	if (is_super(r))
		return ANSWER_YES;
	if (str_empty(f->domain)) {
		f->domain = r->who.admin.domain_name;
		return ANSWER_YES;
	}
	if (!domain_parse(f->domain, r->arena, &name))
		return ANSWER_NO;
	a = directory_domain(r->d, name, r->arena, &domain);
	if (a == ANSWER_YES && !sees_domain(r, domain.id))
		a = ANSWER_NO;
	return a;
}

struct listing {
	struct request *r;
	json_t *list;
	const char *last;
	int64_t n;
};

static void add(void *arg, const struct message *m)
{
	struct listing *l = arg;

	l->n++;
	l->last = arena_cstr(l->r->arena, str_of(m->id));
	json_array_append_new(l->list, message_json(m));
}

static struct response list_page(struct request *r, const struct queue_filter *f,
			       struct str after, int64_t limit)
{
	struct listing l = { .r = r, .list = json_array() };
	struct tools *t = tools_open(r->console->settings->data);
	bool ok = t && tools_page(t, f, after, (size_t)limit, add, &l);

	tools_close(t);
	if (!ok) {
		json_decref(l.list);
		return trouble(r);
	}
	return answer_json(200, json_pack("{s:o,s:o}", "items", l.list,
					  "next_cursor",
					  l.n == limit
						  ? cursor_of(r,
							      str_of(l.last),
							      S(""))
						  : json_null()));
}

static bool is_domain(struct request *r, const struct queue_filter *f)
{
	struct str name;

	return str_empty(f->domain) || domain_parse(f->domain, r->arena, &name);
}

struct response on_list_queue(struct request *r)
{
	struct queue_filter f = { param(r, "id"),
				  param(r, "recipient"),
				  param(r, "system"),
				  param(r, "domain") };
	struct str after, unused;
	struct response a;
	int64_t limit;

	if (!page_limit(r, &limit, &a) ||
	    !cursor_parse(r, &after, &unused, &a))
		return a;
	if (!is_domain(r, &f))
		return problem(400, "domain", "%s", cause());
	switch (limit_to_domain(r, &f)) {
	case ANSWER_YES:
		return list_page(r, &f, after, limit);
	case ANSWER_NO:
		return problem(404, "domain", "There is no such domain.");
	case ANSWER_UNSURE:
		break;
	}
	return trouble(r);
}

/* ---- one ---- */

/* What we put in front and what came, up to the empty line. */
static struct str header_of(const struct message *m)
{
	struct str body = body_in_memory(&m->body);
	ptrdiff_t end;

	body = str_part(body, 0, LIMIT_HEADER_BYTES);
	end = str_search(body, S("\r\n\r\n"));
	if (str_starts(body, S("\r\n")))
		end = 0;
	return arena_strf(m->arena, "%.*s%.*s", STR(m->trace),
			  end < 0 ? (int)body.n : (int)end, body.p);
}

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

/* Header fields are not always UTF-8: what is not becomes '?'. */
static json_t *header_json(const struct message *m)
{
	struct str header = header_of(m);
	json_t *text = json_stringn(header.p, header.n);
	char *p;

	if (text)
		return text;
	p = arena_cstr(m->arena, header);
	for (size_t i = 0; i < header.n; i++)
		if ((unsigned char)p[i] >= 0x80)
			p[i] = '?';
	return json_text((struct str){ p, header.n });
}

static struct response show(struct request *r, const struct message *m)
{
	json_t *o = message_json(m);

	if (!keep_his(r, o)) {
		json_decref(o);
		return not_there(r);
	}
	json_object_set_new(o, "as", json_text(m->as));
	json_object_set_new(o, "client", json_string(inet_text(&m->client).c));
	json_object_set_new(o, "helo", json_text(m->helo));
	json_object_set_new(o, "envid", json_text(m->envid));
	json_object_set_new(o, "header", header_json(m));
	return answer_json(200, o);
}

struct response on_get_queued(struct request *r)
{
	struct tools *t = tools_open(r->console->settings->data);
	enum tools_found found = TOOLS_TROUBLE;
	struct message *m = NULL;
	struct response a;

	if (t)
		found = tools_show(t, r->args[0], &m);
	tools_close(t);
	switch (found) {
	case TOOLS_FOUND:
		a = show(r, m);
		message_drop(m);
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
	const struct { const char *key; struct str *to; } keys[] = {
		{ "id", &f->id },	{ "recipient", &f->recipient },
		{ "system", &f->system }, { "domain", &f->domain },
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
		*bad = problem(422, keys[i].key, "%s is empty.", keys[i].key);
		return false;
	}
	if (any || json_is_true(json_object_get(r->body, "all")))
		return true;
	*bad = problem(422, "all", "Say which: id, recipient, system or "
				   "domain; or all.");
	return false;
}

static struct response give(struct request *r, enum order order,
			  const struct queue_filter *f)
{
	struct tools *t = tools_open(r->console->settings->data);
	uint64_t n = 0;
	bool ok = t && tools_order(t, order, f, &n);

	tools_close(t);
	if (!ok)
		return trouble(r);
	return answer_json(200, json_pack("{s:I}", "recipients",
					  (json_int_t)n));
}

struct response on_order_queue(struct request *r)
{
	struct queue_filter f;
	struct response bad;
	enum order order;

	if (!order_of(r, &order))
		return problem(422, "order", "order is retry, hold, release, "
					     "delete or bounce.");
	if (!filter_of(r, &f, &bad))
		return bad;
	if (!is_domain(r, &f))
		return problem(422, "domain", "%s", cause());
	switch (limit_to_domain(r, &f)) {
	case ANSWER_YES:
		return give(r, order, &f);
	case ANSWER_NO:
		return problem(404, "domain", "There is no such domain.");
	case ANSWER_UNSURE:
		break;
	}
	return trouble(r);
}
