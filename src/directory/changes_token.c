/*
 * Tokens: what scripts sign in with, in an administrator's name.
 *
 * Invariant: the directory holds a token's hash only.  A token is 220 random
 * bits, so a plain hash is enough.
 */
#include "directory/admins.h"
#include "directory/change.h"
#include "rt/random.h"

enum {
	NAME_BYTES = 100,
	DAYS = 3650,
	TOKENS = 100,        /* of one administrator, not expired */
	KEPT_S = 30 * 86400, /* after the end, to see why a script fails */
};

static bool find_admin(struct changes *c, struct str name, int64_t *id)
{
	*id = 0;
	if (!ask(c, id, "SELECT id FROM admin WHERE name = ?", "s", name))
		return false;
	return *id ? true : missing(c, NULL, no_such_admin, V("name", name));
}

static bool check_token(struct changes *c, int64_t admin, struct str *name,
			int64_t days)
{
	int64_t n = 0;

	if (!value_text(c, "name", *name, NAME_BYTES, name))
		return false;
	if (str_empty(*name))
		return refuse(c, "name", token_needs_a_name);
	if (days < 1 || days > DAYS)
		return refuse(c, "days", bad_token_days, V("most", DAYS));
	if (!run(c, "DELETE FROM token WHERE expires_at <= unixepoch() - ?",
		 "i", (int64_t)KEPT_S) ||
	    !ask(c, &n,
		 "SELECT count(*) FROM token WHERE admin = ? AND "
		 "expires_at > unixepoch()",
		 "i", admin))
		return false;
	return n < TOKENS ||
	       refuse(c, NULL, too_many_tokens, V("most", TOKENS));
}

static const char *const scopes[TOKEN_SCOPES] = {
	[TOKEN_READ] = "read",
	[TOKEN_WRITE] = "write",
	[TOKEN_METRICS] = "metrics",
};

const char *token_scope_name(enum token_scope s)
{
	return scopes[s];
}

bool token_scope_find(struct str name, enum token_scope *out)
{
	for (int s = 0; s < TOKEN_SCOPES; s++)
		if (str_same(name, str_of(scopes[s]))) {
			*out = (enum token_scope)s;
			return true;
		}
	return false;
}

static bool create(struct changes *c, struct str admin, struct str name,
		   enum token_scope scope, int64_t days, const char *token)
{
	char hash[TOKEN_HASH_CHARS + 1];
	int64_t id;

	if (!find_admin(c, admin, &id) || !check_token(c, id, &name, days))
		return false;
	token_hash(str_of(token), hash);
	return run(c,
		   "INSERT INTO token (admin, name, hash, scope, "
		   "expires_at) VALUES (?, ?, ?, ?, unixepoch() + ?)",
		   "istii", id, name, hash, (int64_t)scope, days * 86400) &&
	       change_log(c, "token", admin, S("created"), S(""), name) &&
	       done(c, "The token %.*s is created.", STR(name));
}

static bool load_token(struct changes *c, struct str admin, int64_t id,
		       struct str *name, struct str *owner)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT t.name, a.name FROM token t JOIN admin a ON "
			  "a.id = t.admin WHERE t.id = ?1 AND "
			  "(?2 = '' OR a.name = ?2)",
			  "is", id, admin);
	enum answer a = query_next(&q);

	if (a == ANSWER_UNSURE)
		return broken(c);
	if (a == ANSWER_NO)
		return missing(c, NULL, no_such_token);
	*name = query_text(&q, 0, c->arena);
	*owner = query_text(&q, 1, c->arena);
	return true;
}

static bool remove_token(struct changes *c, struct str admin, int64_t id)
{
	struct str name, owner;

	return load_token(c, admin, id, &name, &owner) &&
	       run(c, "DELETE FROM token WHERE id = ?", "i", id) &&
	       change_log(c, "token", owner, S("deleted"), name, S("")) &&
	       done(c, "The token %.*s is deleted.", STR(name));
}

struct change token_create(struct changes *c, struct str admin, struct str name,
			   enum token_scope scope, int64_t days,
			   char out[TOKEN_CHARS + 1])
{
	random_name(out, TOKEN_CHARS);
	return change_end(
		c, change_begin(c) && create(c, admin, name, scope, days, out));
}

struct change token_delete(struct changes *c, struct str admin, int64_t id)
{
	return change_end(c, change_begin(c) && remove_token(c, admin, id));
}
