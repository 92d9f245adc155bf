/*
 * Who may administer (admins.h).
 */
#include "directory/admins.h"

#include <sodium.h>

#include "directory/sql.h"

enum answer directory_admin(struct directory *d, struct str name,
			    struct arena *arena, struct admin *out)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT a.name, a.role, a.domain, coalesce(d.name, ''), "
		"CASE a.password WHEN '' THEN coalesce(h.password, '') "
		"ELSE a.password END, coalesce(t.id, 0), "
		"(SELECT count(*) FROM recovery_code r WHERE r.totp = t.id) "
		"FROM admin a "
		"LEFT JOIN domain d ON d.id = a.domain "
		"LEFT JOIN totp t ON t.admin = a.id AND "
		"t.confirmed_at IS NOT NULL "
		"LEFT JOIN holder h ON h.login = a.name AND h.kind = 0 "
		"WHERE a.name = ? AND (h.id IS NULL OR "
		"(h.enabled = 1 AND h.mail_system = 0))",
		"s", name);
	enum answer a = query_next(&q);

	if (a != ANSWER_YES)
		return a;
	*out = (struct admin){
		.name = query_text(&q, 0, arena),
		.role = (enum admin_role)query_int(&q, 1),
		.domain = query_int(&q, 2),
		.domain_name = query_text(&q, 3, arena),
		.hash = query_text(&q, 4, arena).p, /* has its NUL */
		.totp = query_int(&q, 5),
		.recovery_codes = query_int(&q, 6),
	};
	return ANSWER_YES;
}

void token_hash(struct str token, char out[TOKEN_HASH_CHARS + 1])
{
	uint8_t hash[TOKEN_HASH_CHARS / 2];

	check(crypto_generichash(hash, sizeof(hash), (const uint8_t *)token.p,
				 token.n, NULL, 0) == 0);
	sodium_bin2hex(out, TOKEN_HASH_CHARS + 1, hash, sizeof(hash));
}

#define TOKENS \
	"SELECT t.id, t.name, a.name, t.scope, t.created_at, " \
	"t.expires_at, t.expires_at <= unixepoch() " \
	"FROM token t JOIN admin a ON a.id = t.admin WHERE "

static struct token_entry read_token(struct query *q, struct arena *arena)
{
	return (struct token_entry){
		query_int(q, 0),         query_text(q, 1, arena),
		query_text(q, 2, arena), (enum token_scope)query_int(q, 3),
		query_int(q, 4),         query_int(q, 5),
		query_int(q, 6) != 0,
	};
}

enum answer directory_token(struct directory *d, struct str token,
			    struct arena *arena, struct token_entry *out)
{
	char hash[TOKEN_HASH_CHARS + 1];
	struct query q scoped(query) = { 0 };
	enum answer a;

	token_hash(token, hash);
	q = sql_query(directory_sql(d),
		      TOKENS "t.hash = ? AND "
			     "t.expires_at > unixepoch()",
		      "t", hash);
	a = query_next(&q);
	if (a == ANSWER_YES)
		*out = read_token(&q, arena);
	return a;
}

bool list_tokens(struct directory *d, struct str admin,
		 void (*each)(void *arg, const struct token_entry *e),
		 void *arg)
{
	struct query q scoped(query) =
		sql_query(directory_sql(d),
			  TOKENS "(?1 = '' OR a.name = ?1) "
				 "ORDER BY t.id",
			  "s", admin);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct token_entry e = read_token(&q, row);

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}
