/*
 * The way of every change (nouns.h).
 */
#include "console/nouns.h"

#include "console/desk.h"
#include "console/look.h"
#include "wire/address.h"

/* ---- settings ---- */

static bool wrong_type(const struct setting_rule *rule, const char *what,
		       struct response *out)
{
	*out = problem(rule->key, wrong_type, V("key", rule->key),
		       V("right", what));
	return false;
}

/* Commas separate the items, so none may be inside one. */
static bool join(struct request *r, const struct setting_rule *rule,
		 json_t *list, struct str *out, struct response *trouble_out)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	json_t *item;
	size_t i;

	if (!json_is_array(list))
		return wrong_type(rule, "a list of texts", trouble_out);
	json_array_foreach(list, i, item)
	{
		struct str text = { json_string_value(item),
				    json_string_length(item) };

		if (!json_is_string(item) || str_find(text, ',') >= 0)
			return wrong_type(rule,
					  "a list of texts without "
					  "commas",
					  trouble_out);
		buf_printf(&b, "%s%.*s", i ? ", " : "", STR(text));
	}
	*out = arena_str(r->arena, buf_str(&b));
	return true;
}

static bool value_of(struct request *r, const struct setting_rule *rule,
		     json_t *v, struct str *out, struct response *trouble_out)
{
	bool is_text = json_is_string(v);

	*out = (struct str){ is_text ? json_string_value(v) : "",
			     json_string_length(v) };
	switch (rule->type) {
	case SETTING_TEXT:
		return is_text || wrong_type(rule, "a text", trouble_out);
	case SETTING_NULLABLE:
		return is_text || json_is_null(v) ||
		       wrong_type(rule, "a text or null", trouble_out);
	case SETTING_FLAG:
		*out = json_is_true(v) ? S("yes") : S("no");
		return json_is_boolean(v) ||
		       wrong_type(rule, "true or false", trouble_out);
	case SETTING_SIZE:
		if (json_is_integer(v))
			*out = arena_strf(r->arena, "%" JSON_INTEGER_FORMAT,
					  json_integer_value(v));
		return is_text || json_is_integer(v) ||
		       wrong_type(rule, "a number of bytes", trouble_out);
	case SETTING_COUNT:
		if (json_is_integer(v))
			*out = arena_strf(r->arena, "%" JSON_INTEGER_FORMAT,
					  json_integer_value(v));
		return is_text || json_is_null(v) || json_is_integer(v) ||
		       wrong_type(rule, "a whole number or null", trouble_out);
	case SETTING_LIST:
		return join(r, rule, v, out, trouble_out);
	case SETTING_OWN:
		break;
	}
	return true;
}

static const struct setting_rule *rule_of(const struct setting_rule *rules,
					  const char *key)
{
	for (; rules->key; rules++)
		if (!strcmp(rules->key, key))
			return rules;
	return NULL;
}

static void add(struct settings *to, const char *key, struct str value)
{
	to->s[to->n++] = (struct setting){ str_of(key), value };
}

static bool unknown(struct request *r, const struct setting_rule *rules,
		    const char *noun, const char *key, struct response *out)
{
	struct str *keys;
	size_t n = 0;

	while (rules[n].key)
		n++;
	keys = arena_array(r->arena, struct str, n);
	for (size_t i = 0; i < n; i++)
		keys[i] = str_of(rules[i].key);
	*out = problem(key, unknown_key, V("noun", noun), V("key", key),
		       V("keys", ((struct texts){ keys, n })));
	return false;
}

bool settings_read(struct request *r, json_t *body,
		   const struct setting_rule *rules, const char *noun,
		   bool fill, struct settings *out,
		   struct response *problem_out)
{
	const struct setting_rule *rule;
	const char *key;
	struct str value;
	json_t *v;
	size_t n = 0;

	for (rule = rules; rule->key; rule++)
		n++;
	*out = (struct settings){ arena_array(r->arena, struct setting, n), 0 };
	json_object_foreach(body, key, v)
	{
		rule = rule_of(rules, key);
		if (!rule)
			return unknown(r, rules, noun, key, problem_out);
		if (!value_of(r, rule, v, &value, problem_out))
			return false;
		if (rule->type != SETTING_OWN)
			add(out, rule->key, value);
	}
	for (rule = rules; fill && rule->key; rule++)
		if (rule->initial && !json_object_get(body, rule->key))
			add(out, rule->key, str_of(rule->initial));
	return true;
}

/* ---- the frame ---- */

/* ?references=remove: what leads to something that goes, goes along. */
static bool takes_references(struct request *r)
{
	return str_same(param(r, "references"), S("remove"));
}

static bool check_references(struct request *r, struct response *out)
{
	struct str given = param(r, "references");

	if (str_empty(given) || takes_references(r))
		return true;
	*out = problem("references", bad_parameter, V("key", "references"),
		       V("given", given));
	return false;
}

bool change_open(struct request *r)
{
	const char *path = arena_printf(r->arena, "%s/directory.db",
					r->console->settings->data);

	r->c = changes_open(path, arena_printf(r->arena, "console:%.*s",
					       STR(r->who.admin.name)));
	if (!r->c)
		return false;
	changes_ask_as(r->c, r->who.admin.role, r->who.admin.domain);
	changes_at(r->c, r->console->settings->hostname);
	changes_listeners(r->c, &r->console->settings->listeners);
	changes_clean(r->c, takes_references(r));
	if (!changes_begin(r->c)) {
		changes_close(r->c);
		r->c = NULL;
		return false;
	}
	desk_return(r->console->desk, r->d);
	r->d = changes_directory(r->c);
	return true;
}

struct response change_close(struct request *r, struct response a)
{
	bool keep = a.status < 300 && !param_flag(r, "preview");

	if (!keep) {
		changes_undo(r->c);
	} else if (!changes_end(r->c)) {
		json_decref(a.body);
		a = trouble(r);
	} else {
		engine_looks(r);
	}
	r->d = NULL;
	changes_close(r->c);
	r->c = NULL;
	return a;
}

static struct response change_loaded(struct request *r, loader *load,
				     changer *each, const void *arg,
				     bool may_be_new)
{
	json_t *now = NULL;
	struct response a = { 0 };

	if (!change_open(r))
		return trouble(r);
	switch (load(r, r->args[0], &now)) {
	case FOUND:
		a = each(r, arg, now);
		break;
	case FOUND_NOT:
		a = may_be_new ? each(r, arg, NULL) : not_there(r);
		break;
	case FOUND_TROUBLE:
		break;
	}
	json_decref(now);
	return change_close(r, a.status ? a : trouble(r));
}

struct response change_entry(struct request *r, loader *load, changer *each,
			     const void *arg)
{
	return change_loaded(r, load, each, arg, false);
}

struct response change_entry_or_new(struct request *r, loader *load,
				    changer *each, const void *arg)
{
	return change_loaded(r, load, each, arg, true);
}

/* Is TAG among those of the header? RFC 9110 13.1.1. */
static bool has_tag(const char *list, const char *tag)
{
	struct str rest = str_of(list), part;

	while (str_split(&rest, ',', &part))
		if (str_same(str_trim(part), str_of(tag)))
			return true;
	return false;
}

bool precondition(struct request *r, json_t *now, struct response *problem_out)
{
	const char *match = header(r, "If-Match");
	const char *none = header(r, "If-None-Match");

	if (!check_references(r, problem_out))
		return false;
	if (none && now &&
	    (!strcmp(none, "*") || has_tag(none, etag_of(r, now)))) {
		*problem_out = problem(NULL, exists_already);
		return false;
	}
	if (!match)
		return true;
	if (now && (!strcmp(match, "*") || has_tag(match, etag_of(r, now))))
		return true;
	*problem_out = now ? problem(NULL, changed_meanwhile)
			   : problem(NULL, gone_meanwhile);
	return false;
}

/* ---- GET, PUT, PATCH, DELETE ---- */

struct response noun_get(struct request *r, const struct noun *n)
{
	json_t *shown = NULL;

	switch (n->load(r, r->args[0], &shown)) {
	case FOUND:
		return answer_entity(r, 200, shown);
	case FOUND_NOT:
		return not_there(r);
	case FOUND_TROUBLE:
		break;
	}
	return trouble(r);
}

static struct response show_again(struct request *r, const struct noun *n,
				  int status)
{
	struct response a = noun_get(r, n);

	if (a.status == 200)
		a.status = status;
	return a;
}

/* NOW: what is there, or NULL. */
static struct response apply(struct request *r, const struct noun *n,
			     json_t *now, bool fill)
{
	struct settings s;
	struct change change;
	struct response a;

	if (!precondition(r, now, &a) ||
	    !settings_read(r, r->body, n->rules, n->name, fill && now, &s, &a))
		return a;
	change = now ? n->set(r->c, r->args[0], s.s, s.n)
		     : n->create(r->c, r->args[0], s.s, s.n);
	if (change.outcome != CHANGE_DONE)
		return refused(r, change);
	if (n->lists && !n->lists(r, r->args[0], now, &a))
		return a;
	return show_again(r, n, now ? 200 : 201);
}

/* Of an address in no domain that he sees: it is the domain that is missing. */
static struct response no_domain(struct request *r)
{
	struct address a;

	if (!address_parse(r->args[0], r->arena, &a))
		return not_there(r);
	return problem(NULL, no_such_domain, V("domain", a.domain));
}

static struct response put(struct request *r, const void *noun, json_t *now)
{
	const struct noun *n = noun;

	if (!now && n->may_create && !n->may_create(r, r->args[0]))
		return no_domain(r);
	return apply(r, n, now, true);
}

static struct response patch(struct request *r, const void *noun, json_t *now)
{
	return apply(r, noun, now, false);
}

struct response noun_put(struct request *r, const struct noun *n)
{
	return change_entry_or_new(r, n->load, put, n);
}

struct response noun_patch(struct request *r, const struct noun *n)
{
	return change_entry(r, n->load, patch, n);
}

struct response answer_deleted(struct request *r)
{
	const struct reference *e;
	json_t *list;

	if (!takes_references(r))
		return answer_empty();
	list = json_array();
	for (size_t i = 0; (e = changes_cleaned(r->c, i)); i++)
		json_array_append_new(
			list, json_pack("{s:s,s:o,s:o}", "kind",
					reference_kind_name(e->kind), "owner",
					json_text(e->owner), "address",
					json_text(e->address)));
	return answer_json(200, json_pack("{s:o}", "removed", list));
}

static struct response remove_one(struct request *r, const void *noun,
				  json_t *now)
{
	const struct noun *n = noun;
	struct change change;
	struct response a;

	if (!precondition(r, now, &a))
		return a;
	change = n->delete (r->c, r->args[0]);
	return change.outcome == CHANGE_DONE ? answer_deleted(r)
					     : refused(r, change);
}

struct response noun_delete(struct request *r, const struct noun *n)
{
	return change_entry(r, n->load, remove_one, n);
}
