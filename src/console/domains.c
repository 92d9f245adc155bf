/*
 * Domains and how they are split.
 */
#include "console/handlers.h"
#include "console/learnt.h"
#include "console/nouns.h"
#include "directory/lists.h"
#include "wire/address.h"

struct shown {
	struct request *r;
	json_t *list;                   /* of a list; else NULL */
	json_t *object;                 /* the last one */
	struct str after, search, last; /* of a list */
	struct str spelled; /* the search as a domain's name is written */
	int64_t limit, n;
	bool broken, is_more;
};

static json_t *domain_json(struct shown *s, const struct domain_entry *e)
{
	json_t *o = show_domain(s->r->d, e, s->r->arena);

	s->broken |= !o;
	return o;
}

static void show_one(void *arg, const struct domain_entry *e)
{
	struct shown *s = arg;

	if (sees_domain(s->r, e->domain.id))
		s->object = domain_json(s, e);
}

enum found load_domain(struct request *r, struct str key, json_t **out)
{
	struct shown s = { .r = r };
	struct str name;

	if (!domain_parse(key, r->arena, &name))
		return FOUND_NOT;
	if (!list_domains(r->d, name, show_one, &s) || s.broken) {
		json_decref(s.object);
		return FOUND_TROUBLE;
	}
	*out = s.object;
	return s.object ? FOUND : FOUND_NOT;
}

static const struct setting_rule rules[] = {
	{ "aliases", SETTING_LIST, "" },
	{ "description", SETTING_TEXT, "" },
	{ "relay", SETTING_TEXT, "" },
	{ "forward_unknown", SETTING_FLAG, "no" },
	{ "catch_all", SETTING_TEXT, "" },
	{ "postmaster", SETTING_TEXT, "" },
	{ "own_senders", SETTING_TEXT, "accept" },
	{ "from_header", SETTING_TEXT, "accept" },
	{ "max_message_size", SETTING_SIZE, "0" },
	{ "outgoing", SETTING_TEXT, "" },
	{ 0 },
};

static const struct noun noun_domain = {
	"domain",      rules,      load_domain,   NULL,
	domain_create, domain_set, domain_delete, NULL,
};

struct response on_get_domain(struct request *r)
{
	return answer_with_learnt(r, noun_get(r, &noun_domain), "relay");
}

struct response on_put_domain(struct request *r)
{
	return noun_put(r, &noun_domain);
}

/* Whoever gave a domain another name would get that name's mail. */
static bool is_another_name(struct request *r)
{
	json_t *wanted = json_object_get(r->body, "aliases"), *now = NULL;
	bool is_other;

	if (is_super(r) || !wanted || load_domain(r, r->args[0], &now) != FOUND)
		return false;
	is_other = !json_equal(wanted, json_object_get(now, "aliases"));
	json_decref(now);
	return is_other;
}

struct response on_patch_domain(struct request *r)
{
	if (is_another_name(r))
		return problem("aliases", aliases_are_not_his);
	return noun_patch(r, &noun_domain);
}

struct response on_delete_domain(struct request *r)
{
	return noun_delete(r, &noun_domain);
}

/* ---- list ---- */

/* In part, or as a whole in any spelling: NAME may be an IDN. */
static bool is_found(const struct shown *s, struct str name)
{
	return strcasestr(arena_cstr(s->r->arena, name), s->search.p) ||
	       str_same(name, s->spelled);
}

static bool has_such_alias(struct shown *s, const struct domain_entry *e)
{
	const struct str *aliases;
	size_t n;

	if (list_aliases(s->r->d, e->domain.id, s->r->arena, &aliases, &n) !=
	    ANSWER_YES) {
		s->broken = true;
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (is_found(s, aliases[i]))
			return true;
	return false;
}

static bool is_wanted(struct shown *s, const struct domain_entry *e)
{
	struct arena *a = s->r->arena;

	if (!sees_domain(s->r, e->domain.id) ||
	    (!str_empty(s->after) &&
	     str_compare(e->domain.name, s->after) <= 0))
		return false;
	return str_empty(s->search) || is_found(s, e->domain.name) ||
	       strcasestr(arena_cstr(a, e->description), s->search.p) ||
	       has_such_alias(s, e);
}

static void list_one(void *arg, const struct domain_entry *e)
{
	struct shown *s = arg;

	if (s->is_more || !is_wanted(s, e))
		return;
	if (s->n++ == s->limit) {
		s->is_more = true;
		return;
	}
	s->last = arena_str(s->r->arena, e->domain.name);
	json_array_append_new(s->list, domain_json(s, e));
}

struct response on_list_domains(struct request *r)
{
	struct shown s = { .r = r };
	struct str unused;
	struct response a;

	s.search = str_of(arena_cstr(r->arena, param(r, "search")));
	if (!page_limit(r, &s.limit, &a) || !search_fits(s.search, &a) ||
	    !cursor_parse(r, &s.after, &unused, &a))
		return a;
	if (!domain_parse(s.search, r->arena, &s.spelled))
		s.spelled = STR_NONE;
	s.list = json_array();
	if (!list_domains(r->d, S(""), list_one, &s) || s.broken) {
		json_decref(s.list);
		return trouble(r);
	}
	return answer_json(
		200, json_pack("{s:o,s:o}", "items", s.list, "next_cursor",
			       s.is_more ? cursor_of(r, s.last, S(""))
					 : json_null()));
}
