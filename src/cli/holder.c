/*
 * One user, group or shared mailbox, with everything that belongs to it.
 */
#include "cli/store.h"

struct shown {
	struct cli *cli;
	struct directory *d;
	json_t *object;		/* NULL until it was found */
	bool is_user;
	bool broken;
};

static void add_address(void *arg, const struct address_entry *e)
{
	struct shown *s = arg;
	json_t *a = json_object();

	json_object_set_new(a, "address", json_of(e->text));
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
		json_object_set_new(s->object, key, json_of_list(list, n));
}

static void add_user(struct shown *s, const struct holder_entry *e)
{
	const struct str *list = NULL;
	size_t n = 0;
	enum answer a = list_forwards(s->d, e->id, s->cli->arena, &list, &n);

	json_object_set_new(s->object, "mail_system",
			    json_string(home_name(e->mail_system)));
	json_object_set_new(s->object, "system", json_or_null(e->system));
	json_object_set_new(s->object, "password",
			    json_string(e->has_password ? "set" : "none"));
	add_list(s, "forward", list, n, a);
	json_object_set_new(s->object, "forward_copy",
			    json_boolean(e->forward_keeps_copy));
}

static void add_members(struct shown *s, const struct holder_entry *e)
{
	const struct str *list = NULL;
	size_t n = 0;
	enum answer a = directory_members(s->d, e->id, s->cli->arena, &list,
					  &n);

	add_list(s, "members", list, n, a);
}

static void show_one(void *arg, const struct holder_entry *e)
{
	struct shown *s = arg;

	s->object = json_object();
	json_object_set_new(s->object, "address", json_of(e->login));
	json_object_set_new(s->object, "id", json_integer(e->id));
	json_object_set_new(s->object, "domain", json_of(e->domain));
	json_object_set_new(s->object, "name", json_of(e->name));
	json_object_set_new(s->object, "enabled", json_boolean(e->enabled));
	if (e->kind == HOLDER_USER)
		add_user(s, e);
	if (e->kind == HOLDER_GROUP)
		add_members(s, e);
	else
		json_object_set_new(s->object, "quota",
				    json_integer((json_int_t)e->quota_bytes));
	json_object_set_new(s->object, "addresses", json_array());
	s->is_user = e->kind == HOLDER_USER;
	if (!list_addresses(s->d, e->id, add_address, s))
		s->broken = true;
}

static const char *noun_name(enum holder_kind kind)
{
	switch (kind) {
	case HOLDER_USER:
		return "user";
	case HOLDER_GROUP:
		return "group";
	case HOLDER_SHARED:
		return "shared mailbox";
	}
	return "";
}

int cli_show_holder(struct cli *c, enum holder_kind kind, const char *address)
{
	struct shown s = { .cli = c, .d = cli_directory(c) };
	struct holder_filter one = { .kind = kind, .mail_system = -1 };
	enum answer a;

	if (!s.d)
		return cli_refuse(c, "%s", cause());
	a = find_holder(s.d, str_of(address), c->arena, &one.id);
	if (a == ANSWER_UNSURE ||
	    (a == ANSWER_YES && !list_holders(s.d, &one, show_one, &s)) ||
	    s.broken) {
		json_decref(s.object);
		return cli_trouble(c, s.d);
	}
	directory_close(s.d);
	if (!s.object)
		return cli_refuse(c, "There is no %s %s.", noun_name(kind),
				  address);
	return cli_show(c, s.object);
}
