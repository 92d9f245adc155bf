/*
 * Administrators: who may change what.  They have no mailbox.
 *
 * Invariants: a superadministrator has no domain, any other has one; admin0
 * stays, so that there is always a superadministrator.
 */
#include "directory/change.h"
#include "directory/password.h"

enum { NAME_BYTES = 63 };

struct admin_row {
	int64_t id, role, domain;
	struct str name, password, domain_name;
	bool ends_totp;
};

static bool find(struct changes *c, struct str name, struct admin_row *out)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT a.id, a.role, a.domain, a.name, a.password, "
		"coalesce(d.name, '') FROM admin a LEFT JOIN domain d "
		"ON d.id = a.domain WHERE a.name = ?",
		"s", name);
	enum answer a = query_next(&q);

	*out = (struct admin_row){ 0 };
	if (a == ANSWER_UNSURE)
		return broken(c);
	if (a == ANSWER_NO)
		return true;
	*out = (struct admin_row){
		query_int(&q, 0),
		query_int(&q, 1),
		query_int(&q, 2),
		query_text(&q, 3, c->arena),
		query_text(&q, 4, c->arena),
		query_text(&q, 5, c->arena),
	};
	return true;
}

static bool load(struct changes *c, struct str name, struct admin_row *out)
{
	if (!find(c, name, out))
		return false;
	return out->id ? true
		       : missing(c, "name", no_such_admin, V("name", name));
}

static bool set_password(struct changes *c, struct admin_row *r, struct str v)
{
	return value_password(c, r->name, v, &r->password);
}

static bool set_domain(struct changes *c, struct admin_row *r, struct str v)
{
	struct domain_row d;

	r->domain = 0;
	r->domain_name = S("");
	if (str_empty(v))
		return true;
	if (!domain_load(c, "domain", v, &d))
		return false;
	r->domain = d.id;
	r->domain_name = d.name;
	return true;
}

/* On is what only he himself can switch it: he has to have the secret. */
static bool set_totp(struct changes *c, struct admin_row *r, struct str v)
{
	if (!str_same_nocase(v, S("off")))
		return refuse(c, "totp", second_factor_is_his);
	r->ends_totp = true;
	return true;
}

static bool set_key(struct changes *c, struct admin_row *r,
		    const struct setting *s)
{
	static const char *const keys[] = { "role", "domain", "password",
					    "totp", NULL };

	if (is_key(s->key, "role"))
		return value_word(c, "role", s->value, role_words, &r->role);
	if (is_key(s->key, "domain"))
		return set_domain(c, r, s->value);
	if (is_key(s->key, "password"))
		return set_password(c, r, s->value);
	if (is_key(s->key, "totp"))
		return set_totp(c, r, s->value);
	return unknown_key(c, "administrator", s->key, keys);
}

static bool check_row(struct changes *c, const struct admin_row *r)
{
	if (str_same(r->name, S(ADMIN_FIRST)) && r->role != ADMIN_SUPER)
		return refuse(c, "role", first_admin_stays_super,
			      V("name", r->name));
	if (r->role == ADMIN_SUPER && r->domain)
		return refuse(c, "domain", superadmin_has_no_domain);
	if (r->role != ADMIN_SUPER && !r->domain)
		return refuse(c, "domain", admin_needs_domain,
			      V("role", role_words[r->role]));
	return true;
}

static struct str role_of(const struct admin_row *r)
{
	return str_empty(r->name) ? S("") : str_of(role_words[r->role]);
}

/* OLD without a name: there was no such administrator. */
static bool log_row(struct changes *c, const struct admin_row *old,
		    const struct admin_row *new)
{
	bool same_password = str_same(old->password, new->password);
	const struct {
		const char *field;
		struct str old, new;
	} fields[] = {
		{ "role", role_of(old), role_of(new) },
		{ "domain", old->domain_name, new->domain_name },
		{ "password", S(""), same_password ? S("") : S("set") },
	};

	for (size_t i = 0; i < array_size(fields); i++)
		if (!str_same(fields[i].old, fields[i].new) &&
		    !change_log(c, "admin", new->name, str_of(fields[i].field),
				fields[i].old, fields[i].new))
			return false;
	return true;
}

static bool end_totp(struct changes *c, const struct admin_row *r)
{
	return run(c, "DELETE FROM totp WHERE admin = ?", "i", r->id) &&
	       (sql_changes(c->sql) == 0 ||
		change_log(c, "admin", r->name, S("totp"), S("on"), S("off")));
}

/* His user's password, with which he would sign in: the console has to know
 * its hash. */
static bool check_user_hash(struct changes *c, const struct admin_row *r)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT password FROM holder WHERE login = ? AND "
			  "kind = 0 AND password <> ''",
			  "s", r->name);
	enum answer a = str_empty(r->password) ? query_next(&q) : ANSWER_NO;

	if (a == ANSWER_UNSURE)
		return broken(c);
	if (a == ANSWER_NO || password_is_ours(query_text(&q, 0, c->arena)))
		return true;
	return refuse(c, "password", hash_of_user, V("user", r->name));
}

static bool apply(struct changes *c, struct admin_row *r,
		  const struct setting *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!set_key(c, r, &s[i]))
			return false;
	return check_row(c, r);
}

/* A name to sign in with: "jane", "jane.doe", "jane@example.org". */
static bool check_name(struct changes *c, struct str name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789"
				      "-_.@";

	if (name.n > 0 && name.n <= NAME_BYTES &&
	    strspn(arena_cstr(c->arena, name), letters) == name.n)
		return true;
	return refuse(c, "name", bad_admin_name, V("given", name),
		      V("most", NAME_BYTES));
}

static bool create(struct changes *c, struct str name, const struct setting *s,
		   size_t n)
{
	struct admin_row r, none = { 0 };

	if (!check_name(c, name) || !find(c, name, &r))
		return false;
	if (r.id)
		return refuse(c, "name", admin_exists, V("name", name));
	r = (struct admin_row){ .role = ADMIN_DOMAIN, .name = name };
	return apply(c, &r, s, n) && check_user_hash(c, &r) &&
	       log_row(c, &none, &r) &&
	       run(c,
		   "INSERT INTO admin (name, role, domain, password) "
		   "VALUES (?, ?, ?, ?)",
		   "siIs", r.name, r.role, r.domain, r.password) &&
	       change_log(c, "admin", r.name, S("created"), S(""), r.name) &&
	       done(c, "The %s %.*s is created.%s", role_words[r.role],
		    STR(r.name),
		    str_empty(r.password)
			    ? " There is no password yet: see `splitmail admin "
			      "password --help`."
			    : "");
}

static bool set(struct changes *c, struct str name, const struct setting *s,
		size_t n)
{
	struct admin_row r, old;

	if (!load(c, name, &r))
		return false;
	old = r;
	return apply(c, &r, s, n) && log_row(c, &old, &r) &&
	       run(c,
		   "UPDATE admin SET role = ?, domain = ?, password = ? "
		   "WHERE id = ?",
		   "iIsi", r.role, r.domain, r.password, r.id) &&
	       (!r.ends_totp || end_totp(c, &r)) &&
	       done(c, "The administrator %.*s is changed.", STR(r.name));
}

static bool remove_admin(struct changes *c, struct str name)
{
	struct admin_row r;

	if (!load(c, name, &r))
		return false;
	if (str_same(r.name, S(ADMIN_FIRST)))
		return refuse(c, "name", first_admin_stays, V("name", r.name));
	return run(c, "DELETE FROM admin WHERE id = ?", "i", r.id) &&
	       change_log(c, "admin", r.name, S("deleted"), r.name, S("")) &&
	       done(c, "The administrator %.*s is deleted.", STR(r.name));
}

struct change admin_create(struct changes *c, struct str name,
			   const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && create(c, name, s, n));
}

struct change admin_set(struct changes *c, struct str name,
			const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && set(c, name, s, n));
}

struct change admin_delete(struct changes *c, struct str name)
{
	return change_end(c, change_begin(c) && remove_admin(c, name));
}
