/*
 * Users and shared mailboxes that were deleted: listed, had back, erased.
 */
#include "directory/deleted.h"

#include <unistd.h>

#include "console/console.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "wire/address.h"

struct listed {
	struct request *r;
	json_t *list;
};

static bool has_mail(struct request *r, struct str mailbox)
{
	return access(arena_printf(r->arena, "%s/mail/%.*s",
				   r->console->settings->data, STR(mailbox)),
		      F_OK) == 0;
}

/* Those of a domain that is gone are the superadministrator's. */
static void list_one(void *arg, const struct deleted_entry *e)
{
	struct listed *l = arg;

	if (str_empty(e->domain) ? is_super(l->r)
				 : sees_domain_named(l->r, e->domain))
		json_array_append_new(
			l->list, show_deleted(e, has_mail(l->r, e->mailbox)));
}

static bool list(struct request *r, const struct deleted_filter *f, json_t *out)
{
	struct listed l = { r, out };

	return list_deleted(r->d, f, list_one, &l);
}

/* Of one domain, and with one address, as far as they are given. */
static bool filter_of(struct request *r, struct deleted_filter *f,
		      struct response *bad)
{
	struct str address = param(r, "address"), name;
	struct domain domain;
	struct address a;

	*f = (struct deleted_filter){ .kind = -1 };
	if (!domain_asked(r, &name, bad))
		return false;
	if (!str_empty(param(r, "domain")) &&
	    directory_domain(r->d, name, r->arena, &domain) == ANSWER_YES)
		f->domain = domain.id;
	if (str_empty(address))
		return true;
	if (!address_parse(address, r->arena, &a)) {
		*bad = problem("address", bad_address, V("given", address),
			       V("cause", cause()));
		return false;
	}
	f->login = address_key(&a, r->arena);
	return true;
}

struct response on_list_deleted(struct request *r)
{
	struct deleted_filter f;
	struct response bad;
	json_t *all;

	if (!filter_of(r, &f, &bad))
		return bad;
	all = json_array();
	if (list(r, &f, all))
		return answer_json(200, json_pack("{s:o}", "items", all));
	json_decref(all);
	return trouble(r);
}

/* Shared mailboxes are a domain-admin's business, as when they are made. */
static bool may_have(struct request *r, const json_t *one)
{
	const char *kind = json_string_value(json_object_get(one, "kind"));

	return r->who.admin.role != ADMIN_DELEGATE ||
	       !strcmp(kind ? kind : "", "user");
}

/* 0: it is not there, or not his to see; OUT is what to answer. */
static int64_t find(struct request *r, struct response *out)
{
	json_t *found = json_array();
	uint64_t id = 0;

	if (!str_number(r->args[0], INT64_MAX, &id) || !id)
		*out = not_there(r);
	else if (!list(r,
		       &(struct deleted_filter){ .id = (int64_t)id,
						 .kind = -1 },
		       found))
		*out = trouble(r);
	else if (json_array_size(found) != 1 ||
		 !may_have(r, json_array_get(found, 0)))
		*out = not_there(r);
	else
		*out = (struct response){ 0 };
	json_decref(found);
	return out->status ? 0 : (int64_t)id;
}

static struct response answer(struct request *r, struct change change)
{
	return change.outcome == CHANGE_DONE ? answer_empty()
					     : refused(r, change);
}

struct response on_restore_deleted(struct request *r)
{
	json_t *given = json_object_get(r->body, "address");
	struct str address = given ? body_text(r, "address") : S("");
	struct response a;

	if (given && !address.p)
		return no_text(r, "address");
	if (!str_empty(address) && !holder_may_create(r, address))
		return not_there(r);
	if (!find(r, &a))
		return a;
	if (!change_open(r))
		return trouble(r);
	return change_close(
		r, answer(r, deleted_restore(r->c, r->args[0], address)));
}

struct response on_erase_deleted(struct request *r)
{
	struct response a;

	if (!find(r, &a))
		return a;
	if (!change_open(r))
		return trouble(r);
	return change_close(r, answer(r, deleted_erase(r->c, r->args[0])));
}
