/*
 * Groups and their members.
 */
#include "console/handlers.h"
#include "console/nouns.h"

static struct str item_text(json_t *item)
{
	return (struct str){ json_string_value(item),
			     json_string_length(item) };
}

static bool is_in(json_t *list, struct str text)
{
	json_t *item;
	size_t i;

	json_array_foreach(
		list, i,
		item) if (str_same_nocase(item_text(item), text)) return true;
	return false;
}

/* Those of LIST that OTHERS lacks. */
static struct change
change_members(struct request *r, struct str key, json_t *list, json_t *others,
	       struct change (*change)(struct changes *c, struct str group,
				       const struct str *members, size_t n))
{
	struct str *members =
		arena_array(r->arena, struct str, json_array_size(list) + 1);
	json_t *item;
	size_t i, n = 0;

	json_array_foreach(list, i, item) if (!is_in(others, item_text(item)))
		members[n++] = item_text(item);
	return change(r->c, key, members, n);
}

static bool are_texts(json_t *list)
{
	json_t *item;
	size_t i;

	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i,
			   item) if (!json_is_string(item)) return false;
	return true;
}

static bool set_members(struct request *r, struct str key, json_t *group,
			json_t *list, struct response *out)
{
	json_t *have = json_object_get(group, "members");
	struct change change;

	if (!are_texts(list)) {
		*out = problem("members", wrong_type, V("key", "members"),
			       V("right", "a list of addresses"));
		return false;
	}
	change = change_members(r, key, have, list, group_remove);
	if (change.outcome == CHANGE_DONE)
		change = change_members(r, key, list, have, group_add);
	if (change.outcome == CHANGE_DONE)
		return true;
	*out = refused(r, change);
	if (out->status == 422)
		json_object_set_new(out->body, "field", json_string("members"));
	return false;
}

static bool set_lists(struct request *r, struct str key, json_t *now,
		      struct response *out)
{
	json_t *members = json_object_get(r->body, "members");
	json_t *addresses = json_object_get(r->body, "addresses");
	json_t *group = NULL;
	bool good;

	(void)now;
	if (!members && !addresses)
		return true;
	if (load_group(r, key, &group) != FOUND) {
		*out = trouble(r);
		return false;
	}
	good = (!addresses ||
		addresses_set(r, key, group, addresses, true, out)) &&
	       (!members || set_members(r, key, group, members, out));
	json_decref(group);
	return good;
}

static const struct setting_rule rules[] = {
	{ "name", SETTING_TEXT, "" },       { "enabled", SETTING_FLAG, "yes" },
	{ "senders", SETTING_LIST, "" },    { "members", SETTING_OWN, NULL },
	{ "addresses", SETTING_OWN, NULL }, { 0 },
};

static const struct noun noun_group = {
	"group",      rules,     load_group,   holder_may_create,
	group_create, group_set, group_delete, set_lists,
};

struct response on_list_groups(struct request *r)
{
	return entries_list(r, 1u << HOLDER_GROUP);
}

struct response on_get_group(struct request *r)
{
	return noun_get(r, &noun_group);
}

struct response on_put_group(struct request *r)
{
	return noun_put(r, &noun_group);
}

struct response on_patch_group(struct request *r)
{
	return noun_patch(r, &noun_group);
}

struct response on_delete_group(struct request *r)
{
	return noun_delete(r, &noun_group);
}

/* ---- one member ---- */

static struct response add_one(struct request *r, const void *unused,
			       json_t *group)
{
	bool is_new = !is_in(json_object_get(group, "members"), r->args[1]);
	struct response a;

	(void)unused;
	if (!precondition(r, group, &a))
		return a;
	if (is_new) {
		struct change change =
			group_add(r->c, r->args[0], &r->args[1], 1);

		if (change.outcome != CHANGE_DONE)
			return refused(r, change);
	}
	a = noun_get(r, &noun_group);
	if (a.status == 200 && is_new)
		a.status = 201;
	return a;
}

static struct response remove_one(struct request *r, const void *unused,
				  json_t *group)
{
	struct change change;
	struct response a;

	(void)unused;
	if (!precondition(r, group, &a))
		return a;
	if (!is_in(json_object_get(group, "members"), r->args[1]))
		return not_there(r);
	change = group_remove(r->c, r->args[0], &r->args[1], 1);
	return change.outcome == CHANGE_DONE ? answer_empty()
					     : refused(r, change);
}

struct response on_put_member(struct request *r)
{
	return change_entry(r, load_group, add_one, NULL);
}

struct response on_delete_member(struct request *r)
{
	return change_entry(r, load_group, remove_one, NULL);
}
