/*
 * Named systems: other mail servers.
 */
#include "console/handlers.h"
#include "console/learnt.h"
#include "console/nouns.h"
#include "directory/lists.h"

struct shown {
	struct request *r;
	json_t *list, *object;
	bool broken;
};

/* Who may not change a system does not learn whom it trusts. */
static json_t *system_json(struct shown *s, const struct system *e)
{
	static const char *const secrets[] = { "user", "password", "trust" };
	json_t *o = show_system(s->r->d, e, s->r->arena);

	s->broken |= !o;
	for (size_t i = 0; o && !is_super(s->r) && i < array_size(secrets); i++)
		json_object_del(o, secrets[i]);
	return o;
}

static void show_one(void *arg, const struct system *e)
{
	struct shown *s = arg;

	s->object = system_json(s, e);
	if (s->list)
		json_array_append_new(s->list, s->object);
}

static enum found load(struct request *r, struct str key, json_t **out)
{
	struct shown s = { .r = r };

	if (str_empty(key))
		return FOUND_NOT;
	if (!list_systems(r->d, key, show_one, &s) || s.broken) {
		json_decref(s.object);
		return FOUND_TROUBLE;
	}
	*out = s.object;
	return s.object ? FOUND : FOUND_NOT;
}

static const struct setting_rule rules[] = {
	{ "hosts", SETTING_TEXT, NULL },
	{ "tls", SETTING_TEXT, "opportunistic" },
	{ "user", SETTING_TEXT, NULL },
	{ "password", SETTING_TEXT, NULL },
	{ "trust", SETTING_LIST, "" },
	{ "may_relay", SETTING_FLAG, "no" },
	{ "xclient", SETTING_FLAG, "no" },
	{ "smart_host", SETTING_FLAG, "no" },
	{ "when_down", SETTING_TEXT, "keep-known" },
	{ "connections", SETTING_COUNT, "" },
	{ "mails_per_connection", SETTING_COUNT, "" },
	{ "recipients_per_mail", SETTING_COUNT, "" },
	{ "mails_per_minute", SETTING_COUNT, "" },
	{ "address_family", SETTING_TEXT, "any" },
	{ "outgoing", SETTING_TEXT, "" },
	{ 0 },
};

static const struct noun noun_system = {
	"system",      rules,      load,          NULL,
	system_create, system_set, system_delete, NULL,
};

struct response on_list_systems(struct request *r)
{
	struct shown s = { .r = r, .list = json_array() };

	if (list_systems(r->d, S(""), show_one, &s) && !s.broken)
		return answer_json(200, json_pack("{s:o}", "items", s.list));
	json_decref(s.list);
	return trouble(r);
}

struct response on_get_system(struct request *r)
{
	return answer_with_learnt(r, noun_get(r, &noun_system), "name");
}

struct response on_put_system(struct request *r)
{
	return noun_put(r, &noun_system);
}

struct response on_patch_system(struct request *r)
{
	return noun_patch(r, &noun_system);
}

struct response on_delete_system(struct request *r)
{
	return noun_delete(r, &noun_system);
}
