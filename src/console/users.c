/*
 * Users, one by his address.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/used.h"

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
	if (load_user(r, key, &user) != FOUND) {
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
	"user",      rules,    load_user,   holder_may_create,
	user_create, user_set, user_delete, set_addresses,
};

struct response on_list_users(struct request *r)
{
	return entries_list(r, 1u << HOLDER_USER);
}

struct response on_get_user(struct request *r)
{
	return answer_with_used(r, noun_get(r, &noun_user));
}

/* By any of his addresses.  His password is what he signs in with here: the
 * own one is changed with the present one. */
static bool is_own_password(struct request *r)
{
	json_t *user = NULL, *login;
	bool is_own;

	if ((!json_object_get(r->body, "password") &&
	     !json_object_get(r->body, "password_hash")) ||
	    load_user(r, r->args[0], &user) != FOUND)
		return false;
	login = json_object_get(user, "address");
	is_own = str_same(r->who.admin.name,
			  (struct str){ json_string_value(login),
					json_string_length(login) });
	json_decref(user);
	return is_own;
}

struct response on_put_user(struct request *r)
{
	return is_own_password(r) ? problem("password", own_password)
				  : noun_put(r, &noun_user);
}

struct response on_patch_user(struct request *r)
{
	return is_own_password(r) ? problem("password", own_password)
				  : noun_patch(r, &noun_user);
}

struct response on_delete_user(struct request *r)
{
	return noun_delete(r, &noun_user);
}
