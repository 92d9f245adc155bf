/*
 * Users, groups and shared mailboxes as they are shown.
 */
#include "console/nouns.h"
#include "directory/lists.h"
#include "wire/address.h"

struct shown {
	struct request *r;
	json_t *object; /* NULL until it was found */
	bool broken;
};

static void show_one(void *arg, const struct holder_entry *e)
{
	struct shown *s = arg;

	if (!sees_domain_named(s->r, e->domain))
		return;
	s->object = show_holder(s->r->d, e, s->r->arena);
	s->broken = !s->object;
}

enum found holder_show(struct request *r, enum holder_kind kind,
		       struct str address, json_t **out)
{
	struct shown s = { .r = r };
	struct holder_filter one = { .kind = kind, .mail_system = -1 };
	enum answer a = find_holder(r->d, address, r->arena, &one.id);

	if (a == ANSWER_UNSURE ||
	    (a == ANSWER_YES && !list_holders(r->d, &one, show_one, &s)) ||
	    s.broken)
		return FOUND_TROUBLE;
	*out = s.object;
	return s.object ? FOUND : FOUND_NOT;
}

enum found load_user(struct request *r, struct str key, json_t **out)
{
	return holder_show(r, HOLDER_USER, key, out);
}

enum found load_group(struct request *r, struct str key, json_t **out)
{
	return holder_show(r, HOLDER_GROUP, key, out);
}

enum found load_shared(struct request *r, struct str key, json_t **out)
{
	return holder_show(r, HOLDER_SHARED, key, out);
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
