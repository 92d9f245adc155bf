/*
 * Users, groups and shared mailboxes as they are shown.
 */
#include "console/nouns.h"
#include "directory/lists.h"
#include "wire/address.h"

struct shown {
	struct request *r;
	json_t *object;		/* NULL until it was found */
	bool is_user, broken;
};

static void add_address(void *arg, const struct address_entry *e)
{
	struct shown *s = arg;
	json_t *a = json_object();

	json_object_set_new(a, "address", json_text(e->text));
	json_object_set_new(a, "default", json_boolean(e->is_default));
	if (s->is_user) {
		json_object_set_new(a, "routed", json_boolean(e->routed));
		json_object_set_new(a, "home", json_string(home_name(e->home)));
	}
	json_array_append_new(json_object_get(s->object, "addresses"), a);
}

static void add_list(struct shown *s, const char *key, const struct str *list,
		     size_t n, enum answer a)
{
	if (a == ANSWER_UNSURE)
		s->broken = true;
	else
		json_object_set_new(s->object, key, json_texts(list, n));
}

static void add_user(struct shown *s, const struct holder_entry *e)
{
	const struct str *list = NULL;
	size_t n = 0;
	enum answer a = list_forwards(s->r->d, e->id, s->r->arena, &list, &n);
	json_t *o = s->object;

	json_object_set_new(o, "mail_system",
			    json_string(home_name(e->mail_system)));
	json_object_set_new(o, "system", json_text_or_null(e->has_own_system
							      ? e->system
							      : S("")));
	json_object_set_new(o, "routed_to",
			    json_text_or_null(e->mail_system == HOME_ALTERNATE
						 ? e->system : S("")));
	json_object_set_new(o, "password",
			    json_string(e->has_password ? "set" : "none"));
	json_object_set_new(o, "forward_copy",
			    json_boolean(e->forward_keeps_copy));
	add_list(s, "forward", list, n, a);
}

static void add_members(struct shown *s, const struct holder_entry *e)
{
	const struct str *list = NULL;
	size_t n = 0;
	enum answer a = directory_members(s->r->d, e->id, s->r->arena, &list,
					  &n);

	add_list(s, "members", list, n, a);
}

static const char *const kind_names[] = {
	[HOLDER_USER] = "user", [HOLDER_GROUP] = "group",
	[HOLDER_SHARED] = "shared",
};

static void show_one(void *arg, const struct holder_entry *e)
{
	struct shown *s = arg;
	json_t *o;

	if (!sees_domain_named(s->r, e->domain))
		return;
	o = s->object = json_object();
	json_object_set_new(o, "kind", json_string(kind_names[e->kind]));
	json_object_set_new(o, "id", json_integer(e->id));
	json_object_set_new(o, "address", json_text(e->login));
	json_object_set_new(o, "name", json_text(e->name));
	json_object_set_new(o, "domain", json_text(e->domain));
	json_object_set_new(o, "enabled", json_boolean(e->enabled));
	if (e->kind == HOLDER_USER)
		add_user(s, e);
	if (e->kind == HOLDER_SHARED)
		json_object_set_new(o, "builtin", json_boolean(e->builtin));
	if (e->kind == HOLDER_GROUP)
		add_members(s, e);
	else
		json_object_set_new(o, "quota",
				    json_integer((json_int_t)e->quota_bytes));
	json_object_set_new(o, "addresses", json_array());
	s->is_user = e->kind == HOLDER_USER;
	if (!list_addresses(s->r->d, e->id, add_address, s))
		s->broken = true;
}

enum found holder_show(struct request *r, enum holder_kind kind,
		       struct str address, json_t **out)
{
	struct shown s = { .r = r };
	struct holder_filter one = { .kind = kind, .mail_system = -1 };
	enum answer a = find_holder(r->d, address, r->arena, &one.id);

	if (a == ANSWER_UNSURE ||
	    (a == ANSWER_YES && !list_holders(r->d, &one, show_one, &s)) ||
	    s.broken) {
		json_decref(s.object);
		return FOUND_TROUBLE;
	}
	*out = s.object;
	return s.object ? FOUND : FOUND_NOT;
}

/* In a domain that he sees.  What is no address at all gets its sentence from
 * the change. */
bool holder_may_create(struct request *r, struct str address)
{
	struct domain domain;
	struct address a;

	if (!address_parse(address, r->arena, &a))
		return true;
	return directory_domain(r->d, a.domain, r->arena, &domain) ==
		       ANSWER_YES &&
	       sees_domain(r, domain.id);
}
