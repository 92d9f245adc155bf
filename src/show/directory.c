/*
 * Domains, systems, filters, administrators, and who holds addresses (show.h).
 */
#include "show/show.h"

/* O, or NULL when what belongs to it could not be asked for. */
static json_t *unless(bool broken, json_t *o)
{
	if (!broken)
		return o;
	json_decref(o);
	return NULL;
}

json_t *show_domain(struct directory *d, const struct domain_entry *e,
		    struct arena *arena)
{
	const struct domain *domain = &e->domain;
	const struct str *aliases = NULL;
	size_t n = 0;

	if (list_aliases(d, domain->id, arena, &aliases, &n) == ANSWER_UNSURE)
		return NULL;
	return json_pack(
		"{s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:s,s:s,s:I,s:o,s:I,s:I,s:I,s:I,"
		"s:I}",
		"name", json_text(domain->name), "aliases",
		json_texts(aliases, n), "description",
		json_text(e->description), "relay", json_text(domain->relay),
		"forward_unknown", domain->forward_unknown, "catch_all",
		json_text(domain->catch_all), "postmaster",
		json_text(domain->postmaster), "own_senders",
		own_senders_name(domain->own_senders), "from_header",
		from_header_name(domain->from_header), "max_message_size",
		(json_int_t)domain->max_message_bytes, "outgoing",
		json_text(e->outgoing), "hosted", (json_int_t)e->hosted,
		"alternate", (json_int_t)e->alternate, "none",
		(json_int_t)e->no_mail, "groups", (json_int_t)e->groups,
		"shared", (json_int_t)e->shared);
}

/* 0: not set. */
static json_t *count_or_null(unsigned n)
{
	return n ? json_integer(n) : json_null();
}

static void add_limits(json_t *o, const struct system_limits *l,
		       struct arena *arena)
{
	json_object_set_new(o, "connections", count_or_null(l->connections));
	json_object_set_new(o, "mails_per_connection",
			    count_or_null(l->mails_per_connection));
	json_object_set_new(o, "recipients_per_mail",
			    count_or_null(l->recipients_per_mail));
	json_object_set_new(o, "mails_per_minute",
			    count_or_null(l->mails_per_minute));
	json_object_set_new(o, "address_family",
			    json_string(family_name(l->family)));
	json_object_set_new(o, "outgoing",
			    json_text(outgoing_text(&l->outgoing, arena)));
}

json_t *show_system(struct directory *d, const struct system *e,
		    struct arena *arena)
{
	const struct str *trust = NULL;
	size_t n = 0;
	json_t *o;

	if (list_trust(d, e->id, arena, &trust, &n) == ANSWER_UNSURE)
		return NULL;
	o = json_pack("{s:o,s:o,s:s,s:o,s:s,s:o,s:b,s:b,s:b,s:s}", "name",
		      json_text(e->name), "hosts", json_text(e->hosts), "tls",
		      tls_name(e->tls), "user", json_text(e->user), "password",
		      str_empty(e->password) ? "none" : "set", "trust",
		      json_texts(trust, n), "may_relay", e->may_relay,
		      "xclient", e->xclient, "smart_host", e->smart_host,
		      "when_down", when_down_name(e->when_down));
	add_limits(o, &e->limits, arena);
	return o;
}

void show_filter_now(json_t *filter, const char *trouble)
{
	json_object_set_new(filter, "answers", json_boolean(!trouble));
	json_object_set_new(filter, "trouble",
			    json_text(str_of(trouble ? trouble : "")));
}

static json_t *listeners_json(struct str rest)
{
	json_t *list = json_array();
	struct str one;

	while (str_split(&rest, ',', &one))
		json_array_append_new(list, json_text(str_trim(one)));
	return list;
}

json_t *show_filter(const struct filter *f)
{
	return json_pack("{s:o,s:o,s:o,s:s,s:s,s:I,s:b,s:I}", "name",
			 json_text(f->name), "socket", json_text(f->socket),
			 "listeners", listeners_json(f->listeners), "direction",
			 filter_direction_name(f->direction), "when_down",
			 filter_down_name(f->when_down), "timeout",
			 (json_int_t)f->step_s, "enabled", f->enabled,
			 "position", (json_int_t)f->position);
}

json_t *show_admin(const struct admin_entry *e)
{
	return json_pack("{s:o,s:s,s:o,s:s,s:s}", "name", json_text(e->name),
			 "role", role_name(e->role), "domain",
			 json_text_or_null(e->domain), "password",
			 e->has_password ? "set" : "none", "totp",
			 e->has_totp ? "on" : "off");
}

/* ---- who holds addresses ---- */

const char *const show_kinds[HOLDER_KINDS] = {
	[HOLDER_USER] = "user",
	[HOLDER_GROUP] = "group",
	[HOLDER_SHARED] = "shared",
};

struct addresses {
	json_t *list;
	const struct holder_entry *user; /* NULL: of somebody else */
};

/* Of what is remembered for both mail systems, what counts now. */
static enum home home_now(const struct holder_entry *user,
			  const struct address_entry *e)
{
	if (!user->enabled)
		return HOME_NONE;
	switch (user->mail_system) {
	case HOME_ALTERNATE:
		return e->routed ? HOME_ALTERNATE : HOME_NONE;
	case HOME_NONE:
		return HOME_NONE;
	case HOME_HOSTED:
	case HOME_BOTH:
		break;
	}
	return e->home;
}

static void add_address(void *arg, const struct address_entry *e)
{
	struct addresses *all = arg;
	json_t *a = json_pack("{s:o,s:b}", "address", json_text(e->text),
			      "default", e->is_default);

	if (all->user) {
		json_object_set_new(a, "routed", json_boolean(e->routed));
		json_object_set_new(a, "home", json_string(home_name(e->home)));
		json_object_set_new(
			a, "home_now",
			json_string(home_name(home_now(all->user, e))));
	}
	json_array_append_new(all->list, a);
}

static bool add_addresses(json_t *o, struct directory *d,
			  const struct holder_entry *e)
{
	struct addresses all = { json_array(),
				 e->kind == HOLDER_USER ? e : NULL };

	json_object_set_new(o, "addresses", all.list);
	return list_addresses(d, e->id, add_address, &all);
}

static bool add_user(json_t *o, struct directory *d,
		     const struct holder_entry *e, struct arena *arena)
{
	struct str own = e->has_own_system ? e->system : S("");
	struct str now = e->mail_system == HOME_ALTERNATE ? e->system : S("");
	const struct str *list = NULL;
	size_t n = 0;

	if (list_forwards(d, e->id, arena, &list, &n) == ANSWER_UNSURE)
		return false;
	json_object_set_new(o, "mail_system",
			    json_string(home_name(e->mail_system)));
	json_object_set_new(o, "system", json_text_or_null(own));
	json_object_set_new(o, "routed_to", json_text_or_null(now));
	json_object_set_new(o, "password",
			    json_string(e->has_password ? "set" : "none"));
	json_object_set_new(o, "forward_copy",
			    json_boolean(e->forward_keeps_copy));
	json_object_set_new(o, "forward", json_texts(list, n));
	return true;
}

static bool add_members(json_t *o, struct directory *d,
			const struct holder_entry *e, struct arena *arena)
{
	const struct str *list = NULL;
	size_t n = 0;

	if (directory_members(d, e->id, INT64_MAX, arena, &list, &n) ==
	    ANSWER_UNSURE)
		return false;
	json_object_set_new(o, "members", json_texts(list, n));
	return true;
}

static bool add_senders(json_t *o, struct directory *d,
			const struct holder_entry *e, struct arena *arena)
{
	const struct str *list = NULL;
	size_t n = 0;

	if (list_senders(d, e->id, arena, &list, &n) == ANSWER_UNSURE)
		return false;
	json_object_set_new(o, "senders", json_texts(list, n));
	return true;
}

static void add_quota(json_t *o, const struct holder_entry *e)
{
	json_object_set_new(o, "quota",
			    json_integer((json_int_t)e->quota_bytes));
}

static bool add_own(json_t *o, struct directory *d,
		    const struct holder_entry *e, struct arena *arena)
{
	switch (e->kind) {
	case HOLDER_USER:
		add_quota(o, e);
		return add_user(o, d, e, arena);
	case HOLDER_GROUP:
		return add_members(o, d, e, arena) &&
		       add_senders(o, d, e, arena);
	case HOLDER_SHARED:
		add_quota(o, e);
		json_object_set_new(o, "builtin", json_boolean(e->builtin));
		return add_senders(o, d, e, arena);
	}
	return false;
}

json_t *show_holder(struct directory *d, const struct holder_entry *e,
		    struct arena *arena)
{
	json_t *o = json_pack("{s:o,s:o,s:s,s:I,s:o,s:b}", "address",
			      json_text(e->login), "name", json_text(e->name),
			      "kind", show_kinds[e->kind], "id",
			      (json_int_t)e->id, "domain", json_text(e->domain),
			      "enabled", e->enabled);
	bool whole = add_own(o, d, e, arena) && add_addresses(o, d, e);

	return unless(!whole, o);
}

json_t *show_deleted(const struct deleted_entry *e, bool has_mail)
{
	return json_pack(
		"{s:I,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "id",
		(json_int_t)e->id, "kind", show_kinds[e->kind], "address",
		json_text(e->login), "name", json_text(e->name), "domain",
		json_text_or_null(e->domain), "deleted",
		json_time_s(e->deleted_at), "until", json_time_s(e->until),
		"deleted_by", json_text(e->deleted_by), "has_mail", has_mail);
}
