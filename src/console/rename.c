/*
 * Other names for users, groups, shared mailboxes and domains, and the old
 * ones again.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "directory/lists.h"

static void take_id(void *arg, const struct change_entry *e)
{
	*(int64_t *)arg = e->id;
}

/* Of the change log's newest line; 0: there is none. */
static bool newest(struct request *r, int64_t *id)
{
	struct change_page page = { .limit = 1 };

	*id = 0;
	return list_changes(r->d, &page, take_id, id);
}

/* "keep_old", which is true unless it is said otherwise. False: *BAD. */
static bool take_keep_old(struct request *r, bool *out, struct response *bad)
{
	json_t *v = json_object_get(r->body, "keep_old");

	*out = !json_is_false(v);
	if (!v || json_is_boolean(v))
		return true;
	*bad = problem("keep_old", wrong_type, V("key", "keep_old"),
		       V("right", "true or false"));
	return false;
}

/* KEY is what the new name is called in the body. */
static bool take_name(struct request *r, const char *key, struct str *out,
		      struct response *bad)
{
	*out = body_text(r, key);
	if (out->p)
		return true;
	*bad = problem(key, not_a_text, V("key", key));
	return false;
}

/* BEFORE: the newest line there was. */
static struct response answer_renamed(struct request *r, struct change change,
				      int64_t before)
{
	int64_t after;

	if (change.outcome != CHANGE_DONE)
		return refused(r, change);
	if (!newest(r, &after))
		return trouble(r);
	return answer_json(
		200, json_pack("{s:s,s:o}", "detail", change.sentence, "change",
			       after == before || param_flag(r, "preview")
				       ? json_null()
				       : json_integer(after)));
}

/* ---- users, groups, shared mailboxes ---- */

static struct response rename_holder(struct request *r, const void *kind,
				     json_t *now)
{
	const enum holder_kind *of = kind;
	struct response bad;
	struct str to;
	bool keep_old;
	int64_t before;

	if (!precondition(r, now, &bad) ||
	    !take_name(r, "address", &to, &bad) ||
	    !take_keep_old(r, &keep_old, &bad))
		return bad;
	if (!newest(r, &before))
		return trouble(r);
	return answer_renamed(
		r, holder_rename(r->c, *of, r->args[0], to, keep_old), before);
}

struct response on_rename_user(struct request *r)
{
	static const enum holder_kind kind = HOLDER_USER;

	return change_entry(r, load_user, rename_holder, &kind);
}

struct response on_rename_group(struct request *r)
{
	static const enum holder_kind kind = HOLDER_GROUP;

	return change_entry(r, load_group, rename_holder, &kind);
}

struct response on_rename_shared(struct request *r)
{
	static const enum holder_kind kind = HOLDER_SHARED;

	return change_entry(r, load_shared, rename_holder, &kind);
}

/* ---- domains ---- */

static struct response rename_domain(struct request *r, const void *unused,
				     json_t *now)
{
	struct response bad;
	struct str to;
	bool keep_old;
	int64_t before;

	(void)unused;
	if (!precondition(r, now, &bad) || !take_name(r, "name", &to, &bad) ||
	    !take_keep_old(r, &keep_old, &bad))
		return bad;
	if (!newest(r, &before))
		return trouble(r);
	return answer_renamed(r, domain_rename(r->c, r->args[0], to, keep_old),
			      before);
}

struct response on_rename_domain(struct request *r)
{
	return change_entry(r, load_domain, rename_domain, NULL);
}

/* ---- back again ---- */

static struct response undo(struct request *r)
{
	struct change change;
	uint64_t id;

	if (!str_number(r->args[0], INT64_MAX, &id))
		return not_there(r);
	change = rename_undo(r->c, (int64_t)id);
	if (change.outcome != CHANGE_DONE)
		return refused(r, change);
	return answer_json(200, json_pack("{s:s}", "detail", change.sentence));
}

struct response on_undo_change(struct request *r)
{
	return change_open(r) ? change_close(r, undo(r)) : trouble(r);
}
