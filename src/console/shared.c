/*
 * Shared mailboxes.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/used.h"

static bool set_addresses(struct request *r, struct str key, json_t *now,
			  struct response *out)
{
	json_t *list = json_object_get(r->body, "addresses"), *box = NULL;
	bool good;

	(void)now;
	if (!list)
		return true;
	if (load_shared(r, key, &box) != FOUND) {
		*out = trouble(r);
		return false;
	}
	good = addresses_set(r, key, box, list, true, out);
	json_decref(box);
	return good;
}

static const struct setting_rule rules[] = {
	{ "name", SETTING_TEXT, "" },       { "enabled", SETTING_FLAG, "yes" },
	{ "senders", SETTING_LIST, "" },    { "quota", SETTING_SIZE, "0" },
	{ "addresses", SETTING_OWN, NULL }, { 0 },
};

static const struct noun noun_shared = {
	"shared mailbox", rules,      load_shared,   holder_may_create,
	shared_create,    shared_set, shared_delete, set_addresses,
};

struct response on_list_shared(struct request *r)
{
	return entries_list(r, 1u << HOLDER_SHARED);
}

struct response on_get_shared(struct request *r)
{
	return answer_with_used(r, noun_get(r, &noun_shared));
}

struct response on_put_shared(struct request *r)
{
	return noun_put(r, &noun_shared);
}

struct response on_patch_shared(struct request *r)
{
	return noun_patch(r, &noun_shared);
}

struct response on_delete_shared(struct request *r)
{
	return noun_delete(r, &noun_shared);
}
