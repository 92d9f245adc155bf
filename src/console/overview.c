/*
 * Who lives where, what waits for whom; the same as figures for Prometheus.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/topics.h"
#include "console/waiting.h"
#include "directory/lists.h"
#include "rt/clock.h"
#include "wire/address.h"

struct shown {
	struct request *r;
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

/* One more name of the domain: the same system may be there already. */
static bool add_to(json_t *systems, const struct queue_load *l)
{
	json_t *e, *name;
	size_t i;

	json_array_foreach(systems, i, e) {
		name = json_object_get(e, "name");
		if (!str_same(str_of(json_string_value(name)), l->system))
			continue;
		json_object_set_new(e, "recipients", json_integer(
			json_integer_value(json_object_get(e, "recipients")) +
			(json_int_t)l->recipients));
		json_object_set_new(e, "held", json_integer(
			json_integer_value(json_object_get(e, "held")) +
			(json_int_t)l->held));
		return true;
	}
	return false;
}

static void add_load(void *arg, const struct queue_load *l)
{
	struct shown *s = arg;

	if (add_to(s->systems, l))
		return;
	json_array_append_new(
		s->systems,
		json_pack("{s:o,s:I,s:I,s:o,s:o}", "name", json_text(l->system),
			  "recipients", (json_int_t)l->recipients, "held",
			  (json_int_t)l->held, "last_reply",
			  json_text(reply_text(&l->reply, l->remote,
					     s->r->arena)),
			  "next_attempt",
			  l->is_held ? json_null()
				     : json_time(l->next_attempt_ms)));
}

static json_t *total_json(const struct queue_total *t)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:o}", "messages",
			 (json_int_t)t->messages, "recipients",
			 (json_int_t)t->recipients, "held", (json_int_t)t->held,
			 "bytes", (json_int_t)t->bytes, "oldest",
			 t->oldest_ms ? json_time(t->oldest_ms) : json_null());
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
	struct tools *t = r->queue ? r->queue : tools_open(
		r->console->settings->data);
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

json_t *overview_state(struct request *r, struct str domain)
{
	struct shown s = { r, json_array(), json_array() };
	struct queue_total total = { 0 };
	bool ok = count_queue(r, domain, &s, &total) &&
		  list_domains(r->d, domain, add_domain, &s);
	json_t *o = json_pack("{s:o,s:o,s:o}", "domains", s.domains, "queue",
			      total_json(&total), "systems", s.systems);

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

/* ---- /metrics, /health ---- */

struct figures {
	struct buf users, waiting, held;
};

static void count_domain(void *arg, const struct domain_entry *e)
{
	struct figures *f = arg;
	const struct { const char *home; uint64_t n; } homes[] = {
		{ "hosted", e->hosted },
		{ "alternate", e->alternate },
		{ "none", e->no_mail },
	};

	for (size_t i = 0; i < array_size(homes); i++)
		buf_printf(&f->users,
			   "splitmail_users{domain=\"%.*s\",mail_system=\"%s\"}"
			   " %llu\n", STR(e->domain.name), homes[i].home,
			   (unsigned long long)homes[i].n);
}

/* A system's name or hosts: no quotes, no backslash, no line end in them. */
static void count_load(void *arg, const struct queue_load *l)
{
	struct figures *f = arg;

	buf_printf(&f->waiting,
		   "splitmail_queue_recipients{system=\"%.*s\"} %llu\n",
		   STR(l->system), (unsigned long long)l->recipients);
	buf_printf(&f->held,
		   "splitmail_queue_held_recipients{system=\"%.*s\"} %llu\n",
		   STR(l->system), (unsigned long long)l->held);
}

static void add_gauge(struct buf *to, const char *name, const char *help,
		      struct str lines)
{
	buf_printf(to, "# HELP %s %s\n# TYPE %s gauge\n%.*s", name, help, name,
		   STR(lines));
}

static void add_number(struct buf *to, const char *name, const char *help,
		       uint64_t n)
{
	buf_printf(to, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help,
		   name, name, (unsigned long long)n);
}

static void write_metrics(struct buf *to, const struct figures *f,
			  const struct queue_total *total)
{
	uint64_t age_ms = total->oldest_ms
				? (uint64_t)(wall_ms() - total->oldest_ms) : 0;

	add_gauge(to, "splitmail_users", "Users by mail system.",
		  buf_str(&f->users));
	add_number(to, "splitmail_queue_messages", "Messages in the queue.",
		   total->messages);
	add_number(to, "splitmail_queue_bytes", "Bytes of their bodies.",
		   total->bytes);
	add_number(to, "splitmail_queue_oldest_seconds",
		   "Age of the oldest message.", age_ms / 1000);
	add_gauge(to, "splitmail_queue_recipients",
		  "Recipients that wait, by system.", buf_str(&f->waiting));
	add_gauge(to, "splitmail_queue_held_recipients",
		  "Recipients that are held, by system.", buf_str(&f->held));
}

struct response on_metrics(struct request *r)
{
	struct tools *t = tools_open(r->console->settings->data);
	struct figures f = { BUF_EMPTY, BUF_EMPTY, BUF_EMPTY };
	struct buf text scoped(buf) = BUF_EMPTY;
	struct queue_total total;
	struct response a = { .status = 200,
			    .type = "text/plain; version=0.0.4" };
	bool ok = t && tools_count(t, S(""), count_load, &f, &total) &&
		  list_domains(r->d, S(""), count_domain, &f);

	tools_close(t);
	if (ok)
		write_metrics(&text, &f, &total);
	buf_free(&f.users);
	buf_free(&f.waiting);
	buf_free(&f.held);
	a.text = arena_str(r->arena, buf_str(&text));
	return ok ? a : trouble(r);
}

/* Can we still ask the directory and the queue? */
struct response on_health(struct request *r)
{
	struct tools *t = tools_open(r->console->settings->data);
	struct node node;
	bool ok = t && directory_node(r->d, &node);

	tools_close(t);
	return ok ? answer_json(200, json_pack("{s:s}", "status", "ok"))
		  : answer_json(503, json_pack("{s:s}", "status", "trouble"));
}
