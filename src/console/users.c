/*
 * Users: one by his address, and many at once.
 */
#include "console/handlers.h"
#include "console/nouns.h"

static enum found load(struct request *r, struct str key, json_t **out)
{
	return holder_show(r, HOLDER_USER, key, out);
}

/* The whole list, when the body has one.  A new user's is read anew: he has
 * his default address by now. */
static bool set_addresses(struct request *r, struct str key, json_t *now,
			  struct response *out)
{
	json_t *list = json_object_get(r->body, "addresses"), *user = NULL;
	bool good;

	if (!list)
		return true;
	if (now)
		return addresses_set(r, key, now, list, true, out);
	if (load(r, key, &user) != FOUND) {
		*out = trouble(r);
		return false;
	}
	good = addresses_set(r, key, user, list, true, out);
	json_decref(user);
	return good;
}

static const struct setting_rule rules[] = {
	{ "name", SETTING_TEXT, "" },
	{ "enabled", SETTING_FLAG, "yes" },
	{ "mail_system", SETTING_TEXT, "hosted" },
	{ "system", SETTING_NULLABLE, "" },
	{ "quota", SETTING_SIZE, "0" },
	{ "forward", SETTING_LIST, "" },
	{ "forward_copy", SETTING_FLAG, "yes" },
	{ "password", SETTING_TEXT, NULL },
	{ "password_hash", SETTING_TEXT, NULL },
	{ "addresses", SETTING_OWN, NULL },
	{ 0 },
};

static const struct noun noun_user = {
	"user", rules, load, holder_may_create,
	user_create, user_set, user_delete, set_addresses,
};

struct response on_list_users(struct request *r)
{
	return entries_list(r, 1u << HOLDER_USER);
}

struct response on_get_user(struct request *r)
{
	return noun_get(r, &noun_user);
}

struct response on_put_user(struct request *r)
{
	return noun_put(r, &noun_user);
}

struct response on_patch_user(struct request *r)
{
	return noun_patch(r, &noun_user);
}

struct response on_delete_user(struct request *r)
{
	return noun_delete(r, &noun_user);
}

/* ---- many ---- */

enum { MANY = 1000 };

static const struct setting_rule bulk_rules[] = {
	{ "mail_system", SETTING_TEXT, NULL },
	{ "system", SETTING_NULLABLE, NULL },
	{ "enabled", SETTING_FLAG, NULL },
	{ "quota", SETTING_SIZE, NULL },
	{ "forward_copy", SETTING_FLAG, NULL },
	{ 0 },
};

static json_t *report_of(struct str address, struct change change)
{
	json_t *o = json_object();

	json_object_set_new(o, "address", json_text(address));
	say_refusal(o, change);
	return o;
}

static const struct change nobody = { CHANGE_NOT_FOUND, NULL,
				      "There is no such user.",
				      REFUSE_no_such_user, NULL };

/* Alone: a user who is refused keeps none of the others back. */
static struct change set_one(struct request *r, struct str address,
			     const struct settings *s)
{
	json_t *user = NULL;
	enum found found = load(r, address, &user);

	json_decref(user);
	return found == FOUND ? user_set(r->c, address, s->s, s->n) : nobody;
}

static struct response set_all(struct request *r, json_t *list,
			     const struct settings *s)
{
	json_t *refusals = json_array(), *item;
	json_int_t changed = 0;
	size_t i;

	json_array_foreach(list, i, item) {
		struct str address = { json_string_value(item),
				       json_string_length(item) };
		struct change change = set_one(r, address, s);

		if (change.outcome == CHANGE_FAILED) {
			json_decref(refusals);
			return refused(r, change);
		}
		if (change.outcome == CHANGE_DONE)
			changed++;
		else
			json_array_append_new(refusals,
					      report_of(address, change));
	}
	return answer_json(200, json_pack("{s:I,s:o}", "changed", changed,
					  "refused", refusals));
}

static bool are_texts(json_t *list)
{
	json_t *item;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > MANY)
		return false;
	json_array_foreach(list, i, item)
		if (!json_is_string(item))
			return false;
	return true;
}

struct response on_change_users(struct request *r)
{
	json_t *list = json_object_get(r->body, "addresses");
	json_t *change = json_object_get(r->body, "change");
	struct settings s;
	struct response a;

	if (!are_texts(list))
		return problem("addresses", too_many_users, V("most", MANY));
	if (!json_is_object(change) || json_object_size(change) == 0)
		return problem("change", nothing_to_change);
	if (!settings_read(r, change, bulk_rules, "bulk change", false, &s, &a))
		return a;
	if (!change_open(r))
		return trouble(r);
	return change_close(r, set_all(r, list, &s));
}
