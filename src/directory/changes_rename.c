/*
 * Another name: for a user, group or shared mailbox another default address,
 * for a domain another first name.
 *
 * Everything that is written down by the old name gets the new one in the same
 * commit: logins, forwards, members, catch-alls, postmasters, administrators,
 * jobs.  Mailboxes lie under names of their own, so no mail moves.  The old
 * name stays, as an address or alias, unless told otherwise.
 */
#include "directory/renaming.h"

bool renaming_begin(struct changes *c, const char *noun, struct renaming *r)
{
	if (!change_log(c, noun, r->new, S("renamed"), r->old, r->new))
		return false;
	r->change = sql_last_id(c->sql);
	return run(c,
		   "INSERT INTO renaming (change, what, subject, old, new, "
		   "had_new, kept_old) VALUES (?, ?, ?, ?, ?, ?, ?)",
		   "iiissii", r->change, r->what, r->subject, r->old, r->new,
		   r->had_new, r->kept_old);
}

/* ---- what leads there ---- */

struct str reference_at_domain(struct changes *c, const struct reference *r,
			       struct str to)
{
	size_t at = (size_t)str_find_last(r->address, '@');

	return arena_strf(c->arena, "%.*s@%.*s",
			  STR(str_part(r->address, 0, at)), STR(to));
}

/* Quoted as it was: a detail may need it. */
struct str reference_at_local(struct changes *c, const struct reference *r,
			      struct str to)
{
	ptrdiff_t plus = str_find(r->local, '+');
	struct str detail = plus > 0 ? str_from(r->local, (size_t)plus) : S("");
	struct buf b scoped(buf) = BUF_EMPTY;
	bool quoted = str_starts(r->address, S("\""));

	if (!quoted)
		return arena_strf(c->arena, "%.*s%.*s@%.*s", STR(to),
				  STR(detail), STR(r->at));
	buf_printf(&b, "\"%.*s", STR(to));
	for (size_t i = 0; i < detail.n; i++)
		buf_printf(&b, "%s%c", strchr("\"\\", detail.p[i]) ? "\\" : "",
			   detail.p[i]);
	buf_printf(&b, "\"@%.*s", STR(r->at));
	return arena_str(c->arena, buf_str(&b));
}

/* *MERGED: it stood there already beside the old one. */
static bool write_forward(struct changes *c, const struct reference *r,
			  const struct address *a, bool *merged)
{
	if (!run(c,
		 "UPDATE OR IGNORE forward SET spelling = ?, local = ?, "
		 "domain = ? WHERE id = ?",
		 "sssi", a->spelling, a->local, a->domain, r->row))
		return false;
	*merged = sql_changes(c->sql) == 0;
	return !*merged ||
	       run(c, "DELETE FROM forward WHERE id = ?", "i", r->row);
}

static bool write_member(struct changes *c, const struct reference *r,
			 const struct address *a, bool *merged)
{
	if (!run(c,
		 "UPDATE OR IGNORE member SET spelling = ?, local = ?, "
		 "domain = ? WHERE id = ?",
		 "sssi", a->spelling, a->local, a->domain, r->row))
		return false;
	*merged = sql_changes(c->sql) == 0;
	return !*merged ||
	       run(c, "DELETE FROM member WHERE id = ?", "i", r->row);
}

static bool write_reference(struct changes *c, const struct reference *r,
			    const struct address *a, bool *merged)
{
	*merged = false;
	switch (r->kind) {
	case REFERENCE_FORWARD:
		return write_forward(c, r, a, merged);
	case REFERENCE_MEMBER:
		return write_member(c, r, a, merged);
	case REFERENCE_CATCH_ALL:
		return run(c, "UPDATE domain SET catch_all = ? WHERE id = ?",
			   "si", a->spelling, r->row);
	case REFERENCE_POSTMASTER:
		return run(c, "UPDATE domain SET postmaster = ? WHERE id = ?",
			   "si", a->spelling, r->row);
	case REFERENCE_ADMINISTRATOR:
		break; /* holder_call() */
	}
	return true;
}

bool reference_rewrite(struct changes *c, int64_t change,
		       const struct reference *r, struct str text)
{
	bool is_key = r->kind == REFERENCE_CATCH_ALL ||
		      r->kind == REFERENCE_POSTMASTER;
	struct address a;
	bool merged;

	if (!address_parse(text, c->arena, &a))
		return broken(c);
	return write_reference(c, r, &a, &merged) &&
	       (!change ||
		run(c,
		    "INSERT INTO renamed_reference (change, kind, owner, "
		    "old, new, is_merged) VALUES (?, ?, ?, ?, ?, ?)",
		    "iiissb", change, (int64_t)r->kind,
		    is_key ? r->row : r->holder, r->address, a.spelling,
		    merged));
}

/* ---- what goes by a login ---- */

static bool check_admin_name(struct changes *c, struct str name)
{
	int64_t found = 0;

	if (!ask(c, &found, "SELECT 1 FROM admin WHERE name = ?", "s", name))
		return false;
	return !found || refuse(c, "address", admin_exists, V("name", name));
}

static bool may_log_in(const struct holder_row *h)
{
	return h->kind == HOLDER_USER && h->enabled &&
	       h->mail_system == HOME_HOSTED;
}

bool holder_call(struct changes *c, const struct holder_row *h,
		 struct str login)
{
	int64_t other = 0;

	if (!ask(c, &other, "SELECT id FROM holder WHERE login = ? AND id <> ?",
		 "si", login, h->id))
		return false;
	if (other)
		return refuse(c, "address", address_reserved,
			      V("address", login));
	return check_admin_name(c, login) &&
	       (!may_log_in(h) || change_end_sessions(c, h->id, h->login)) &&
	       (h->kind != HOLDER_USER ||
		run(c, "UPDATE admin SET name = ? WHERE name = ?", "ss", login,
		    h->login)) &&
	       run(c,
		   "UPDATE holder SET login = ?, changed_at = unixepoch() "
		   "WHERE id = ?",
		   "si", login, h->id) &&
	       run(c, "UPDATE job_item SET address = ? WHERE holder = ?", "si",
		   login, h->id) &&
	       run(c, "UPDATE job_done SET address = ? WHERE holder = ?", "si",
		   login, h->id);
}

/* "bob@old" as "bob@new". */
#define CALLED "substr(login, 1, length(login) - length(?2)) || ?3 "

bool domain_call(struct changes *c, const struct domain_row *d, struct str name)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT a.name FROM admin a WHERE a.name IN "
			  "(SELECT " CALLED "FROM holder WHERE domain = ?1)",
			  "iss", d->id, d->name, name);
	enum answer a = query_next(&q);

	if (a == ANSWER_UNSURE)
		return broken(c);
	if (a == ANSWER_YES)
		return refuse(c, "name", admin_exists,
			      V("name", query_text(&q, 0, c->arena)));
	query_free(&q);
	return run(c,
		   "INSERT INTO session_end (holder, login) "
		   "SELECT id, login FROM holder WHERE domain = ? AND "
		   "kind = 0 AND enabled AND mail_system = 0",
		   "i", d->id) &&
	       run(c,
		   "UPDATE admin SET name = (SELECT " CALLED "FROM holder "
		   "WHERE login = admin.name) WHERE name IN (SELECT login "
		   "FROM holder WHERE domain = ?1 AND kind = 0)",
		   "iss", d->id, d->name, name) &&
	       run(c,
		   "UPDATE holder SET login = " CALLED ", "
		   "changed_at = unixepoch() WHERE domain = ?1",
		   "iss", d->id, d->name, name) &&
	       run(c, "UPDATE domain SET name = ? WHERE id = ?", "si", name,
		   d->id) &&
	       run(c,
		   "UPDATE deleted SET login = " CALLED "WHERE domain = ?1 "
		   "AND substr(login, -length(?2) - 1) = '@' || ?2",
		   "iss", d->id, d->name, name) &&
	       run(c,
		   "UPDATE deleted_address SET name = ? WHERE name = ? AND "
		   "deleted IN (SELECT id FROM deleted WHERE domain = ?)",
		   "ssi", name, d->name, d->id) &&
	       run(c,
		   "UPDATE job_item SET address = (SELECT login FROM holder "
		   "h WHERE h.id = holder) WHERE holder IN (SELECT id FROM "
		   "holder WHERE domain = ?)",
		   "i", d->id) &&
	       run(c,
		   "UPDATE job_done SET address = (SELECT login FROM holder "
		   "h WHERE h.id = holder) WHERE holder IN (SELECT id FROM "
		   "holder WHERE domain = ?)",
		   "i", d->id);
}

/* ---- users, groups, shared mailboxes ---- */

struct called {
	struct holder_row h;
	struct address a; /* new */
	struct place old, new;
	struct renaming r;
};

static struct str local_of(struct str login)
{
	return str_part(login, 0, (size_t)str_find_last(login, '@'));
}

static bool load_called(struct changes *c, enum holder_kind kind,
			struct str address, struct str to, struct called *k)
{
	struct domain_row d;

	if (!holder_load_kind(c, kind, address, &k->h) ||
	    !check_rank(c, &k->h) || !value_address(c, "address", to, &k->a) ||
	    !check_default_address(c, &k->a) ||
	    !domain_load(c, "address", k->a.domain, &d))
		return false;
	if (k->h.builtin)
		return refuse(c, "address", builtin_stays,
			      V("address", k->h.login));
	if (d.id != k->h.domain)
		return refuse(c, "address", other_domain,
			      V("name", k->a.domain));
	k->r = (struct renaming){
		.what = RENAMING_HOLDER,
		.subject = k->h.id,
		.old = k->h.login,
		.new = arena_strf(c->arena, "%.*s@%.*s", STR(k->a.local),
				  STR(d.name)),
	};
	k->old = (struct place){ d.id, local_of(k->r.old), S("*"), k->r.old };
	k->new = (struct place){ d.id, k->a.local, S("*"), k->r.new };
	return true;
}

static bool remember_addresses(struct changes *c, const struct called *k)
{
	return run(c,
		   "INSERT INTO renamed_address (change, holder, local, "
		   "name, is_default, routed, home) SELECT ?, holder, "
		   "local, name, is_default, routed, home FROM address "
		   "WHERE holder = ? AND local IN (?, ?)",
		   "iiss", k->r.change, k->h.id, k->old.local, k->new.local);
}

/* The new default address lives where the old one does. */
static bool set_default(struct changes *c, const struct called *k)
{
	int64_t has = 0;

	if (!run(c,
		 "DELETE FROM address WHERE holder = ? AND local = ? AND "
		 "name <> '*'",
		 "is", k->h.id, k->new.local) ||
	    !ask(c, &has,
		 "SELECT 1 FROM address WHERE holder = ? AND "
		 "local = ?",
		 "is", k->h.id, k->new.local))
		return false;
	if (!has && (!place_is_free(c, "address", &k->new) ||
		     !place_add(c, k->h.id, &k->new, false) ||
		     !run(c,
			  "UPDATE address SET (routed, home) = (SELECT "
			  "routed, home FROM address WHERE holder = ?1 AND "
			  "is_default) WHERE holder = ?1 AND local = ?2",
			  "is", k->h.id, k->new.local)))
		return false;
	return run(c,
		   "UPDATE address SET is_default = (local = ?2) "
		   "WHERE holder = ?1 AND name = '*'",
		   "is", k->h.id, k->new.local);
}

static bool take_references_along(struct changes *c, const struct called *k)
{
	struct target t = { k->h.domain, k->old.local, S("*"), 0, 0 };
	struct references all = { 0 };

	if (!references_find(c, &t, &all))
		return false;
	for (size_t i = 0; i < all.n; i++)
		if (!reference_rewrite(
			    c, k->r.change, &all.r[i],
			    reference_at_local(c, &all.r[i], k->new.local)))
			return false;
	return kept_forwards_lead(c, &t, reference_at_local, k->new.local);
}

static bool drop_old(struct changes *c, const struct called *k)
{
	return k->r.kept_old ||
	       run(c, "DELETE FROM address WHERE holder = ? AND local = ?",
		   "is", k->h.id, k->old.local);
}

/* He is relayed by the address he is written to with. */
static const char *about_other_system(const struct holder_row *h)
{
	return h->kind == HOLDER_USER && h->mail_system == HOME_ALTERNATE
		       ? " His mail system has to know the new address, too."
		       : "";
}

static bool rename_called(struct changes *c, struct called *k, bool keep_old)
{
	struct holder_row renamed = k->h;
	int64_t had_new = 0;

	renamed.login = k->r.new;
	if (str_same(k->r.old, k->r.new))
		return done(c, "%.*s has this default address already.",
			    STR(k->r.new));
	if (!check_mailbox_name(c, &renamed) ||
	    !ask(c, &had_new,
		 "SELECT 1 FROM address WHERE holder = ? AND "
		 "local = ?",
		 "is", k->h.id, k->new.local))
		return false;
	k->r.had_new = had_new;
	k->r.kept_old = keep_old;
	return renaming_begin(c, holder_noun(&k->h), &k->r) &&
	       remember_addresses(c, k) && set_default(c, k) &&
	       holder_call(c, &k->h, k->r.new) && take_references_along(c, k) &&
	       drop_old(c, k) && check_rank(c, &renamed) &&
	       done(c, "The %s %.*s is %.*s now%s.%s", kind_words[k->h.kind],
		    STR(k->r.old), STR(k->r.new),
		    keep_old ? ", and the old address stays" : "",
		    about_other_system(&k->h));
}

struct change holder_rename(struct changes *c, enum holder_kind kind,
			    struct str address, struct str to, bool keep_old)
{
	struct called k = { .a.is_utf8 = false };

	return change_end(c, change_begin(c) &&
				     load_called(c, kind, address, to, &k) &&
				     rename_called(c, &k, keep_old));
}

/* ---- domains ---- */

/* What is held on the old name alone is held on the new one, too, unless
 * somebody else has it there. */
static bool copy_addresses(struct changes *c, const struct renaming *r)
{
	return run(c,
		   "INSERT INTO renamed_address (change, holder, local, "
		   "name, is_default, routed, home) SELECT ?, holder, "
		   "local, name, is_default, routed, home FROM address "
		   "WHERE domain = ? AND name IN (?, ?)",
		   "iiss", r->change, r->subject, r->old, r->new) &&
	       run(c,
		   "INSERT INTO address (domain, local, name, holder, "
		   "routed, home) SELECT domain, local, ?3, holder, routed, "
		   "home FROM address o WHERE domain = ?1 AND name = ?2 "
		   "AND NOT EXISTS (SELECT 1 FROM address x WHERE "
		   "x.domain = o.domain AND x.local = o.local AND "
		   "x.name = ?3)",
		   "iss", r->subject, r->old, r->new) &&
	       run(c,
		   "INSERT OR IGNORE INTO local_spelling (given, address) "
		   "SELECT value, a.id FROM address a, "
		   "json_each(local_spellings(a.local)) WHERE "
		   "a.domain = ? AND a.name = ?",
		   "is", r->subject, r->new);
}

/* At the new name the same one has it: whoever, or nobody. */
static bool take_reference_along(struct changes *c, const struct renaming *r,
				 const struct reference *e)
{
	struct str text = reference_at_domain(c, e, r->new);
	struct address was, is;
	int64_t before, after;

	if (!address_parse(e->address, c->arena, &was) ||
	    !address_parse(text, c->arena, &is))
		return broken(c);
	return address_holder(c, &was, &before) &&
	       address_holder(c, &is, &after) &&
	       (before != after || reference_rewrite(c, r->change, e, text));
}

static bool take_domain_along(struct changes *c, const struct renaming *r)
{
	struct target t = { r->subject, S(""), r->old, 0, 0 };
	struct references all = { 0 };

	if (!references_find(c, &t, &all))
		return false;
	for (size_t i = 0; i < all.n; i++)
		if (!take_reference_along(c, r, &all.r[i]))
			return false;
	/* With a name that stays the old ones are as good. */
	return r->kept_old ||
	       kept_forwards_lead(c, &t, reference_at_domain, r->new);
}

static bool drop_old_name(struct changes *c, const struct domain_row *d,
			  const struct renaming *r)
{
	return r->kept_old ||
	       (run(c,
		    "DELETE FROM address WHERE domain = ?1 AND name = ?2 "
		    "AND EXISTS (SELECT 1 FROM address x WHERE "
		    "x.domain = ?1 AND x.name = ?3 AND "
		    "x.local = address.local AND "
		    "x.holder = address.holder)",
		    "iss", r->subject, r->old, r->new) &&
		domain_drop_name(c, d, r->old));
}

static const char *about_relay(const struct domain_row *d)
{
	return str_empty(d->relay) ? ""
				   : " Its alternate mail server has to accept "
				     "the new name, too.";
}

static bool rename_loaded(struct changes *c, const struct domain_row *d,
			  struct renaming *r)
{
	struct domain_row renamed = *d;
	int64_t id;

	renamed.name = r->new;
	if (str_same(r->old, r->new))
		return done(c, "The domain is called %.*s already.",
			    STR(r->new));
	if (!domain_id(c, r->new, &id))
		return false;
	r->had_new = id == d->id;
	return (r->had_new || domain_add_name(c, "name", d, r->new)) &&
	       renaming_begin(c, "domain", r) && domain_call(c, d, r->new) &&
	       copy_addresses(c, r) && take_domain_along(c, r) &&
	       drop_old_name(c, &renamed, r) &&
	       done(c, "The domain %.*s is %.*s now%s.%s", STR(r->old),
		    STR(r->new),
		    r->kept_old ? ", and the old name stays its alias" : "",
		    about_relay(d));
}

static bool rename_domain(struct changes *c, struct str name, struct str to,
			  bool keep_old)
{
	struct renaming r = { .what = RENAMING_DOMAIN, .kept_old = keep_old };
	struct domain_row d;

	if (c->role != ADMIN_SUPER)
		return refuse(c, "name", aliases_are_not_his);
	if (!domain_load(c, "name", name, &d) ||
	    !value_domain(c, "name", to, &r.new))
		return false;
	r.subject = d.id;
	r.old = d.name;
	return rename_loaded(c, &d, &r);
}

struct change domain_rename(struct changes *c, struct str name, struct str to,
			    bool keep_old)
{
	return change_end(
		c, change_begin(c) && rename_domain(c, name, to, keep_old));
}
