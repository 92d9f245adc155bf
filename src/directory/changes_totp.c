/*
 * The second factor of administrators: codes by time, and recovery codes for
 * who has lost his phone.
 *
 * Invariants: a code is taken once, and no older one after it (RFC 6238 5.2);
 * of a recovery code there is a hash only.  It has 60 random bits, so a plain
 * hash is enough.
 */
#include "directory/admins.h"
#include "directory/change.h"
#include "directory/totp.h"
#include "rt/random.h"

struct factor {
	int64_t admin, id; /* ID 0: none, not even begun */
	struct str name, secret;
	bool is_on;
	int64_t last_step;
};

static bool load(struct changes *c, struct str name, struct factor *out)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT a.id, t.id, coalesce(t.secret, ''), "
		"t.confirmed_at IS NOT NULL, t.last_step FROM admin a "
		"LEFT JOIN totp t ON t.admin = a.id WHERE a.name = ?",
		"s", name);
	enum answer a = query_next(&q);

	if (a == ANSWER_UNSURE)
		return broken(c);
	if (a == ANSWER_NO)
		return missing(c, "name", no_such_admin, V("name", name));
	*out = (struct factor){
		.admin = query_int(&q, 0),
		.id = query_int(&q, 1),
		.name = name,
		.secret = query_text(&q, 2, c->arena),
		.is_on = query_int(&q, 3) != 0,
		.last_step = query_int(&q, 4),
	};
	return true;
}

static bool wrong_code(struct changes *c)
{
	return refuse(c, "code", code_wrong);
}

/* As it was typed: "123 456", "ABCD-efgh-ijkl". */
static struct str plain(struct changes *c, struct str code)
{
	char *p = arena_cstr(c->arena, code);
	size_t n = 0;

	for (size_t i = 0; i < code.n; i++) {
		char letter = code.p[i];

		if (letter == ' ' || letter == '-')
			continue;
		if (letter >= 'A' && letter <= 'Z')
			letter |= 0x20;
		p[n++] = letter;
	}
	return (struct str){ p, n };
}

/* ---- codes by time ---- */

static bool take_code(struct changes *c, const struct factor *f,
		      struct str code, int64_t now_s)
{
	int64_t step = 0;

	switch (totp_step(f->secret, code, now_s, &step)) {
	case ANSWER_YES:
		break;
	case ANSWER_NO:
		return wrong_code(c);
	case ANSWER_UNSURE:
		return broken(c);
	}
	if (step <= f->last_step)
		return refuse(c, "code", code_used);
	return run(c, "UPDATE totp SET last_step = ? WHERE id = ?", "ii", step,
		   f->id);
}

/* ---- recovery codes ---- */

/* "abcdefghijkl" -> "abcd-efgh-ijkl" */
static void make_recovery_code(char out[RECOVERY_CODE_CHARS + 1])
{
	random_name(out, RECOVERY_CODE_CHARS);
	out[4] = out[9] = '-';
}

static bool add_recovery_codes(struct changes *c, const struct factor *f,
			       struct recovery_codes *out)
{
	char hash[TOKEN_HASH_CHARS + 1];

	for (size_t i = 0; i < RECOVERY_CODES; i++) {
		make_recovery_code(out->c[i]);
		token_hash(plain(c, str_of(out->c[i])), hash);
		if (!run(c,
			 "INSERT INTO recovery_code (totp, hash) "
			 "VALUES (?, ?)",
			 "it", f->id, hash))
			return false;
	}
	return true;
}

static bool take_recovery_code(struct changes *c, const struct factor *f,
			       struct str code)
{
	char hash[TOKEN_HASH_CHARS + 1];

	token_hash(code, hash);
	if (!run(c, "DELETE FROM recovery_code WHERE totp = ? AND hash = ?",
		 "it", f->id, hash))
		return false;
	if (sql_changes(c->sql) == 0)
		return wrong_code(c);
	return change_log(c, "admin", f->name, S("recovery_code"), S(""),
			  S("used"));
}

/* ---- the changes ---- */

static bool begin(struct changes *c, struct str admin, const char *secret)
{
	struct factor f;

	if (!load(c, admin, &f))
		return false;
	if (f.is_on)
		return refuse(c, NULL, second_factor_is_on);
	return run(c, "DELETE FROM totp WHERE admin = ?", "i", f.admin) &&
	       run(c, "INSERT INTO totp (admin, secret) VALUES (?, ?)", "it",
		   f.admin, secret) &&
	       done(c, "The second factor is on when a code is given.");
}

static bool confirm(struct changes *c, struct str admin, struct str code,
		    int64_t now_s, struct recovery_codes *out)
{
	struct factor f;

	if (!load(c, admin, &f))
		return false;
	if (f.is_on)
		return refuse(c, NULL, second_factor_is_on);
	if (!f.id)
		return refuse(c, NULL, second_factor_not_begun);
	return take_code(c, &f, plain(c, code), now_s) &&
	       run(c,
		   "UPDATE totp SET confirmed_at = unixepoch() "
		   "WHERE id = ?",
		   "i", f.id) &&
	       add_recovery_codes(c, &f, out) &&
	       change_log(c, "admin", f.name, S("totp"), S(""), S("on")) &&
	       done(c, "The second factor of %.*s is on.", STR(f.name));
}

static bool load_on(struct changes *c, struct str admin, struct factor *out)
{
	return load(c, admin, out) &&
	       (out->is_on ||
		missing(c, NULL, no_second_factor_of, V("name", admin)));
}

static bool renew(struct changes *c, struct str admin,
		  struct recovery_codes *out)
{
	struct factor f;

	return load_on(c, admin, &f) &&
	       run(c, "DELETE FROM recovery_code WHERE totp = ?", "i", f.id) &&
	       add_recovery_codes(c, &f, out) &&
	       change_log(c, "admin", f.name, S("recovery_code"), S(""),
			  S("new")) &&
	       done(c, "%.*s has new recovery codes.", STR(f.name));
}

static bool use(struct changes *c, struct str admin, struct str code,
		int64_t now_s)
{
	struct str typed = plain(c, code);
	struct factor f;

	if (!load_on(c, admin, &f))
		return false;
	return (typed.n == TOTP_DIGITS ? take_code(c, &f, typed, now_s)
				       : take_recovery_code(c, &f, typed)) &&
	       done(c, "The code is right.");
}

struct change totp_begin(struct changes *c, struct str admin,
			 char secret[TOTP_SECRET_CHARS + 1])
{
	return change_end(c, change_begin(c) &&
				     (totp_secret(secret) || broken(c)) &&
				     begin(c, admin, secret));
}

struct change totp_confirm(struct changes *c, struct str admin, struct str code,
			   int64_t now_s, struct recovery_codes *out)
{
	return change_end(
		c, change_begin(c) && confirm(c, admin, code, now_s, out));
}

struct change totp_renew(struct changes *c, struct str admin,
			 struct recovery_codes *out)
{
	return change_end(c, change_begin(c) && renew(c, admin, out));
}

struct change totp_use(struct changes *c, struct str admin, struct str code,
		       int64_t now_s)
{
	return change_end(c, change_begin(c) && use(c, admin, code, now_s));
}
