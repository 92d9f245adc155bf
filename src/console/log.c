/*
 * The change log: who changed what, when, from what to what.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/topics.h"
#include "directory/lists.h"

struct listing {
	json_t *list;
	int64_t last, n;
};

static void add(void *arg, const struct change_entry *e)
{
	struct listing *l = arg;

	l->n++;
	l->last = e->id;
	json_array_append_new(
		l->list,
		json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "id",
			  (json_int_t)e->id, "at", json_time_s(e->at_s), "who",
			  json_text(e->who), "noun", json_text(e->noun),
			  "subject", json_text(e->subject), "field",
			  json_text(e->field), "old", json_text(e->old), "new",
			  json_text(e->new), "can_undo", e->can_undo));
}

struct response on_list_changes(struct request *r)
{
	struct change_page page = { .domain = r->who.admin.domain_name,
				    .subject = param(r, "subject"),
				    .who = param(r, "who"),
				    .search = param(r, "search") };
	struct listing l = { .list = NULL };
	struct str before, unused;
	struct response a;
	uint64_t id = 0;

	if (!search_fits(page.search, &a) || !page_limit(r, &page.limit, &a) ||
	    !cursor_parse(r, &before, &unused, &a))
		return a;
	if (!str_empty(before) && !str_number(before, INT64_MAX, &id))
		return problem("cursor", bad_cursor);
	page.before = (int64_t)id;
	l.list = json_array();
	if (!list_changes(r->d, &page, add, &l)) {
		json_decref(l.list);
		return trouble(r);
	}
	return answer_json(
		200,
		json_pack("{s:o,s:o}", "items", l.list, "next_cursor",
			  l.n == page.limit
				  ? cursor_of(r,
					      arena_strf(r->arena, "%lld",
							 (long long)l.last),
					      S(""))
				  : json_null()));
}

static void take_last(void *arg, const struct change_entry *e)
{
	*(int64_t *)arg = e->id;
}

/* All that he may see, as the list has it. */
json_t *changes_state(struct request *r, struct str domain)
{
	struct change_page page = { .domain = r->who.admin.domain_name,
				    .limit = 1 };
	int64_t last = 0;

	(void)domain;
	if (!list_changes(r->d, &page, take_last, &last))
		return NULL;
	return json_pack("{s:I}", "last", (json_int_t)last);
}
