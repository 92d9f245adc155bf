/*
 * Filters: programs that mail passes before it is accepted.
 */
#include "console/errands.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "directory/lists.h"
#include "filter/filter.h"

enum { ANSWER_MS = 5000 };

static void show_one(void *object, const struct filter *f)
{
	*(json_t **)object = show_filter(f);
}

static void show_each(void *list, const struct filter *f)
{
	json_array_append_new(list, show_filter(f));
}

static enum found load(struct request *r, struct str key, json_t **out)
{
	*out = NULL;
	if (str_empty(key))
		return FOUND_NOT;
	if (!list_filters(r->d, key, show_one, out)) {
		json_decref(*out);
		return FOUND_TROUBLE;
	}
	return *out ? FOUND : FOUND_NOT;
}

static const struct setting_rule rules[] = {
	{ "socket", SETTING_TEXT, NULL },
	{ "listeners", SETTING_LIST, "" },
	{ "direction", SETTING_TEXT, "both" },
	{ "when_down", SETTING_TEXT, "later" },
	{ "timeout", SETTING_COUNT, "" },
	{ "enabled", SETTING_FLAG, "yes" },
	{ "position", SETTING_COUNT, NULL },
	{ 0 },
};

static const struct noun noun_filter = {
	"filter",      rules,      load,          NULL,
	filter_create, filter_set, filter_delete, NULL,
};

struct response on_list_filters(struct request *r)
{
	json_t *list = json_array();

	if (list_filters(r->d, S(""), show_each, list))
		return answer_json(200, json_pack("{s:o}", "items", list));
	json_decref(list);
	return trouble(r);
}

/* As the user that the engine runs as, too. */
static void waits knock(struct request *r)
{
	if (!filter_answers(r->console->settings->dns, str_of(r->socket),
			    after_ms(ANSWER_MS)))
		r->trouble = arena_printf(r->arena, "%s", cause());
}

struct response on_get_filter(struct request *r)
{
	struct response a = noun_get(r, &noun_filter);
	const char *socket;

	if (a.status != 200)
		return a;
	if (!r->errand_ended) {
		socket = json_string_value(json_object_get(a.body, "socket"));
		r->socket = arena_cstr(r->arena, str_of(socket));
		json_decref(a.body);
		return errand_begin(r, knock);
	}
	show_filter_now(a.body, r->trouble);
	return a;
}

struct response on_put_filter(struct request *r)
{
	return noun_put(r, &noun_filter);
}

struct response on_patch_filter(struct request *r)
{
	return noun_patch(r, &noun_filter);
}

struct response on_delete_filter(struct request *r)
{
	return noun_delete(r, &noun_filter);
}
