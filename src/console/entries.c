/*
 * The Directory Browser: users, groups and shared mailboxes, in pages.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "directory/lists.h"
#include "wire/address.h"

struct listed {
	struct request *r;
	json_t *list;
	struct str place, name; /* of the last one */
	int64_t limit, n;
};

static json_t *entry_json(const struct holder_entry *e)
{
	bool is_user = e->kind == HOLDER_USER;
	bool is_there = is_user && e->mail_system == HOME_ALTERNATE;

	return json_pack(
		"{s:s,s:o,s:o,s:o,s:b,s:b,s:o,s:o,s:o}", "kind",
		show_kinds[e->kind], "address", json_text(e->login), "name",
		json_text(e->name), "domain", json_text(e->domain), "enabled",
		e->enabled, "builtin", e->builtin, "mail_system",
		is_user ? json_string(home_name(e->mail_system)) : json_null(),
		"system",
		json_text_or_null(e->has_own_system ? e->system : S("")),
		"routed_to", json_text_or_null(is_there ? e->system : S("")));
}

static void list_one(void *arg, const struct holder_entry *e)
{
	struct listed *l = arg;

	if (l->n++ == l->limit)
		return;
	l->place = arena_str(l->r->arena, e->place);
	l->name = arena_str(l->r->arena, e->name);
	json_array_append_new(l->list, entry_json(e));
}

/* ---- what is asked for ---- */

/* The index of the word NAME says, among WORDS; -1: it says none. */
static bool word_of(struct str text, const char *name, const char *const *words,
		    size_t n, int *out, struct response *bad)
{
	*out = -1;
	if (str_empty(text))
		return true;
	for (size_t i = 0; i < n; i++)
		if (words[i] && str_same(text, str_of(words[i]))) {
			*out = (int)i;
			return true;
		}
	*bad = problem(name, bad_parameter, V("key", name), V("given", text));
	return false;
}

/* NO: such a domain does not exist, or not for him. */
static enum answer domain_of(struct request *r, struct str text, int64_t *id)
{
	struct str name;
	struct domain domain;
	enum answer a;

	*id = r->who.admin.domain;
	if (str_empty(text))
		return ANSWER_YES;
	if (!domain_parse(text, r->arena, &name))
		return ANSWER_NO;
	a = directory_domain(r->d, name, r->arena, &domain);
	if (a != ANSWER_YES)
		return a;
	*id = domain.id;
	return sees_domain(r, domain.id) ? ANSWER_YES : ANSWER_NO;
}

static bool take_domain(struct request *r, struct str text, int64_t *id,
			struct response *bad)
{
	switch (domain_of(r, text, id)) {
	case ANSWER_YES:
		return true;
	case ANSWER_NO:
		*bad = problem("domain", no_such_domain, V("domain", text));
		return false;
	case ANSWER_UNSURE:
		break;
	}
	*bad = trouble(r);
	return false;
}

bool entries_filter(struct request *r,
		    struct str (*text)(struct request *r, const char *name),
		    struct holder_page *out, struct response *problem_out)
{
	static const char *const systems[] = {
		[HOME_HOSTED] = "hosted",
		[HOME_ALTERNATE] = "alternate",
		[HOME_NONE] = "none",
	};
	static const char *const flags[] = { "false", "true" };
	static const char *const passwords[] = {
		[PASSWORD_SET] = "set",
		[PASSWORD_NONE] = "none",
	};
	int password;

	*out = (struct holder_page){ .kinds = ~0u,
				     .system = text(r, "system"),
				     .search = text(r, "search") };
	if (!word_of(text(r, "password"), "password", passwords,
		     array_size(passwords), &password, problem_out))
		return false;
	out->password =
		password < 0 ? PASSWORD_OR_NONE : (enum with_password)password;
	return search_fits(out->search, problem_out) &&
	       word_of(text(r, "mail_system"), "mail_system", systems,
		       array_size(systems), &out->mail_system, problem_out) &&
	       word_of(text(r, "enabled"), "enabled", flags, array_size(flags),
		       &out->enabled, problem_out) &&
	       take_domain(r, text(r, "domain"), &out->domain, problem_out);
}

static bool page_of(struct request *r, unsigned kinds, struct holder_page *p,
		    struct response *bad)
{
	static const char *const sorts[] = {
		[SORT_ADDRESS] = "address",
		[SORT_ADDRESS_DOWN] = "-address",
		[SORT_NAME] = "name",
		[SORT_NAME_DOWN] = "-name",
	};
	int kind, sort;

	if (!entries_filter(r, param, p, bad) ||
	    !word_of(param(r, "kind"), "kind", show_kinds, HOLDER_KINDS, &kind,
		     bad) ||
	    !word_of(param(r, "sort"), "sort", sorts, array_size(sorts), &sort,
		     bad) ||
	    !page_limit(r, &p->limit, bad) ||
	    !cursor_parse(r, &p->after_place, &p->after_name, bad))
		return false;
	p->kinds = kind < 0 ? kinds : kinds & 1u << kind;
	p->sort = sort < 0 ? SORT_ADDRESS : (enum holder_sort)sort;
	return true;
}

/* A search that finds a page or less has looked at everybody already: that is
 * not done twice. */
static bool count_all(struct request *r, const struct holder_page *page,
		      const struct listed *l, int64_t *out)
{
	*out = l->n;
	if (!param_flag(r, "count") ||
	    (str_empty(page->after_place) && l->n <= l->limit))
		return true;
	return count_holders(r->d, page, out) == ANSWER_YES;
}

static struct response answer_page(struct request *r, struct holder_page *page)
{
	struct listed l = { .r = r,
			    .limit = page->limit,
			    .list = json_array() };
	json_t *object = json_pack("{s:o}", "items", l.list);
	int64_t total;

	page->limit++; /* is there another one? */
	if (!list_holder_page(r->d, page, list_one, &l) ||
	    !count_all(r, page, &l, &total)) {
		json_decref(object);
		return trouble(r);
	}
	json_object_set_new(
		object, "next_cursor",
		l.n > l.limit ? cursor_of(r, l.place, l.name) : json_null());
	if (param_flag(r, "count"))
		json_object_set_new(object, "total", json_integer(total));
	return answer_json(200, object);
}

struct response entries_list(struct request *r, unsigned kinds)
{
	struct holder_page page;
	struct response bad;

	return page_of(r, kinds, &page, &bad) ? answer_page(r, &page) : bad;
}

struct response on_list_entries(struct request *r)
{
	return entries_list(r, 1u << HOLDER_USER | 1u << HOLDER_GROUP |
				       1u << HOLDER_SHARED);
}
