/*
 * Administrators: who may change what.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "directory/lists.h"

struct shown {
	json_t *list, *object;
	struct str wanted; /* empty: all */
};

static void show_one(void *arg, const struct admin_entry *e)
{
	struct shown *s = arg;
	json_t *o;

	if (!str_empty(s->wanted) && !str_same(e->name, s->wanted))
		return;
	o = show_admin(e);
	if (s->list)
		json_array_append_new(s->list, o);
	else
		s->object = o;
}

static enum found load(struct request *r, struct str key, json_t **out)
{
	struct shown s = { .wanted = key };

	if (str_empty(key))
		return FOUND_NOT;
	if (!list_admins(r->d, show_one, &s)) {
		json_decref(s.object);
		return FOUND_TROUBLE;
	}
	*out = s.object;
	return s.object ? FOUND : FOUND_NOT;
}

static const struct setting_rule rules[] = {
	{ "role", SETTING_TEXT, "domain-admin" },
	{ "domain", SETTING_NULLABLE, "" },
	{ "password", SETTING_TEXT, NULL },
	{ "totp", SETTING_TEXT, NULL },
	{ 0 },
};

static const struct noun noun_administrator = {
	"administrator", rules,     load,         NULL,
	admin_create,    admin_set, admin_delete, NULL,
};

struct response on_list_administrators(struct request *r)
{
	struct shown s = { .list = json_array() };

	if (list_admins(r->d, show_one, &s))
		return answer_json(200, json_pack("{s:o}", "items", s.list));
	json_decref(s.list);
	return trouble(r);
}

struct response on_get_administrator(struct request *r)
{
	return noun_get(r, &noun_administrator);
}

/*
 * The own password and second factor are changed under /session, with the
 * present ones: a session that somebody left open, or a token, is not enough.
 * Against a superadministrator's it protects only himself: he may make others.
 */
static bool is_own_proof(struct request *r, struct response *out)
{
	if (!str_same(r->args[0], r->who.admin.name))
		return false;
	if (json_object_get(r->body, "totp"))
		*out = problem("totp", own_second_factor);
	else if (json_object_get(r->body, "password"))
		*out = problem("password", own_password);
	else
		return false;
	return true;
}

struct response on_put_administrator(struct request *r)
{
	struct response a;

	return is_own_proof(r, &a) ? a : noun_put(r, &noun_administrator);
}

struct response on_patch_administrator(struct request *r)
{
	struct response a;

	return is_own_proof(r, &a) ? a : noun_patch(r, &noun_administrator);
}

struct response on_delete_administrator(struct request *r)
{
	return noun_delete(r, &noun_administrator);
}
