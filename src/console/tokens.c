/*
 * Bearer tokens for scripts.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/proof.h"

/* Whose tokens does he see?  Empty: everybody's. */
static struct str owner(struct request *r)
{
	return is_super(r) ? S("") : r->who.admin.name;
}

static json_t *token_json(const struct token_entry *t)
{
	return json_pack("{s:I,s:o,s:o,s:s,s:o,s:o,s:b}", "id",
			 (json_int_t)t->id, "name", json_text(t->name),
			 "administrator", json_text(t->admin), "scope",
			 token_scope_name(t->scope), "created_at",
			 json_time_s(t->created_s), "expires_at",
			 json_time_s(t->expires_s), "expired", t->is_expired);
}

static void list_one(void *list, const struct token_entry *t)
{
	json_array_append_new(list, token_json(t));
}

struct response on_list_tokens(struct request *r)
{
	json_t *list = json_array();

	if (list_tokens(r->d, owner(r), list_one, list))
		return answer_json(200, json_pack("{s:o}", "items", list));
	json_decref(list);
	return trouble(r);
}

static struct response create(struct request *r, struct str name,
			      enum token_scope scope, int64_t days)
{
	char token[TOKEN_CHARS + 1];
	struct token_entry t;
	json_t *shown;
	struct change change =
		token_create(r->c, r->who.admin.name, name, scope, days, token);

	if (change.outcome != CHANGE_DONE)
		return refused(r, change);
	if (directory_token(r->d, str_of(token), r->arena, &t) != ANSWER_YES)
		return trouble(r);
	shown = token_json(&t);
	json_object_set_new(shown, "token", json_string(token));
	return answer_json(201, shown);
}

/* A token outlives the session: one that was left open does not make any. */
static bool proves_himself(struct request *r, struct response *out)
{
	return own_password(r, "password", out) &&
	       (!r->who.admin.totp || own_code(r, out));
}

struct response on_create_token(struct request *r)
{
	enum { DAYS = 90 };
	struct str name = body_text(r, "name"), word = body_text(r, "scope");
	enum token_scope scope;
	json_t *days = json_object_get(r->body, "days");
	struct response a;

	if (!word.p)
		return no_text(r, "scope");
	if (!token_scope_find(word, &scope))
		return problem("scope", wrong_type, V("key", "scope"),
			       V("right", "read, write or metrics"));
	if (days && !json_is_integer(days))
		return problem("days", wrong_type, V("key", "days"),
			       V("right", "a number"));
	if (!proves_himself(r, &a))
		return a;
	if (!change_open(r))
		return trouble(r);
	return change_close(r, create(r, name, scope,
				      days ? json_integer_value(days) : DAYS));
}

struct response on_delete_token(struct request *r)
{
	struct change change;
	uint64_t id;

	if (!str_number(r->args[0], INT64_MAX, &id))
		return not_there(r);
	if (!change_open(r))
		return trouble(r);
	change = token_delete(r->c, owner(r), (int64_t)id);
	if (change.outcome == CHANGE_NOT_FOUND)
		return change_close(r, not_there(r));
	return change_close(r, change.outcome == CHANGE_DONE
				       ? answer_empty()
				       : refused(r, change));
}
