/*
 * A renaming undone: the old name, and all that was rewritten with it, as far
 * as nobody has changed it since.
 */
#include "base/limits.h"
#include "directory/renaming.h"

static bool load(struct changes *c, int64_t change, struct renaming *r)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT r.what, r.subject, r.old, r.new, r.had_new, "
			  "r.kept_old FROM renaming r JOIN change_log l ON "
			  "l.id = r.change WHERE r.change = ? AND "
			  "l.at > unixepoch() - ? * 3600",
			  "ii", change, (int64_t)LIMIT_UNDO_HOURS);
	enum answer a = query_next(&q);

	if (a == ANSWER_UNSURE)
		return broken(c);
	if (a == ANSWER_NO)
		return missing(c, NULL, no_change_to_undo,
			       V("hours", LIMIT_UNDO_HOURS));
	*r = (struct renaming){
		change,
		query_int(&q, 0),
		query_int(&q, 1),
		query_text(&q, 2, c->arena),
		query_text(&q, 3, c->arena),
		query_int(&q, 4),
		query_int(&q, 5),
	};
	return true;
}

/* ---- what led there ---- */

struct rewritten {
	int64_t kind, owner;
	struct str old, new;
};

/* The row that is still as the renaming left it; 0: somebody has changed it. */
static bool find_row(struct changes *c, const struct rewritten *w, int64_t *row)
{
	*row = 0;
	switch ((enum reference_kind)w->kind) {
	case REFERENCE_FORWARD:
		return ask(c, row,
			   "SELECT id FROM forward WHERE holder = ? "
			   "AND spelling = ?",
			   "is", w->owner, w->new);
	case REFERENCE_MEMBER:
		return ask(c, row,
			   "SELECT id FROM member WHERE holder = ? "
			   "AND spelling = ?",
			   "is", w->owner, w->new);
	case REFERENCE_CATCH_ALL:
		return ask(c, row,
			   "SELECT id FROM domain WHERE id = ? AND "
			   "catch_all = ?",
			   "is", w->owner, w->new);
	case REFERENCE_POSTMASTER:
		return ask(c, row,
			   "SELECT id FROM domain WHERE id = ? AND "
			   "postmaster = ?",
			   "is", w->owner, w->new);
	case REFERENCE_ADMINISTRATOR:
		break;
	}
	return true;
}

/* One that stood beside the new address before, and fell together with it. */
static bool add_again(struct changes *c, const struct rewritten *w)
{
	struct address a;

	if (!address_parse(w->old, c->arena, &a))
		return broken(c);
	if (w->kind == REFERENCE_FORWARD)
		return run(c,
			   "INSERT OR IGNORE INTO forward (holder, "
			   "spelling, local, domain) VALUES (?, ?, ?, ?)",
			   "isss", w->owner, a.spelling, a.local, a.domain);
	return w->kind != REFERENCE_MEMBER ||
	       run(c,
		   "INSERT OR IGNORE INTO member (holder, spelling, local, "
		   "domain) VALUES (?, ?, ?, ?)",
		   "isss", w->owner, a.spelling, a.local, a.domain);
}

static bool put_back(struct changes *c, const struct rewritten *w,
		     bool is_merged)
{
	struct reference r = { .kind = (enum reference_kind)w->kind,
			       .holder = w->owner,
			       .address = w->new };

	if (!find_row(c, w, &r.row) || !r.row)
		return c->result.outcome == CHANGE_DONE;
	return is_merged ? add_again(c, w)
			 : reference_rewrite(c, 0, &r, w->old);
}

static bool put_references_back(struct changes *c, int64_t change)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT kind, owner, old, new, is_merged "
			  "FROM renamed_reference WHERE change = ? ORDER BY id",
			  "i", change);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct rewritten w = {
			query_int(&q, 0),
			query_int(&q, 1),
			query_text(&q, 2, c->arena),
			query_text(&q, 3, c->arena),
		};

		if (!put_back(c, &w, query_int(&q, 4)))
			return false;
	}
	return a != ANSWER_UNSURE || broken(c);
}

/* What was led to the new name since goes to the old one. */
static bool lead_to_old(struct changes *c, const struct target *t,
			struct str to)
{
	struct references all = { 0 };
	bool by_domain = str_empty(t->local);

	if (!references_find(c, t, &all))
		return false;
	for (size_t i = 0; i < all.n; i++) {
		struct reference *e = &all.r[i];

		if (!reference_rewrite(c, 0, e,
				       by_domain
					       ? reference_at_domain(c, e, to)
					       : reference_at_local(c, e, to)))
			return false;
	}
	return kept_forwards_lead(
		c, t, by_domain ? reference_at_domain : reference_at_local, to);
}

static bool forget(struct changes *c, int64_t change)
{
	return run(c, "DELETE FROM renaming WHERE change = ?", "i", change);
}

/* ---- users, groups, shared mailboxes ---- */

static struct str local_of(struct str login)
{
	return str_part(login, 0, (size_t)str_find_last(login, '@'));
}

/* The addresses of the two names, as they were. */
static bool put_addresses_back(struct changes *c, const struct renaming *r,
			       int64_t domain)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT local, name, is_default, routed, home "
			  "FROM renamed_address WHERE change = ? ORDER BY id",
			  "i", r->change);
	enum answer a;

	if (!run(c, "DELETE FROM address WHERE holder = ? AND local IN (?, ?)",
		 "iss", r->subject, local_of(r->old), local_of(r->new)))
		return false;
	while ((a = query_next(&q)) == ANSWER_YES) {
		struct place p = { domain, query_text(&q, 0, c->arena),
				   query_text(&q, 1, c->arena), STR_NONE };

		p.text = arena_strf(c->arena, "%.*s@%.*s", STR(p.local),
				    STR(p.name));
		if (!place_is_free(c, "address", &p) ||
		    !place_add(c, r->subject, &p, query_int(&q, 2)) ||
		    !run(c,
			 "UPDATE address SET routed = ?, home = ? WHERE "
			 "holder = ? AND local = ? AND name = ?",
			 "iiiss", query_int(&q, 3), query_int(&q, 4),
			 r->subject, p.local, p.name))
			return false;
	}
	return a != ANSWER_UNSURE || broken(c);
}

static bool load_holder(struct changes *c, const struct renaming *r,
			struct holder_row *h)
{
	int64_t found = 0;

	if (!ask(c, &found,
		 "SELECT id FROM holder WHERE id = ? AND "
		 "(?2 = 0 OR domain = ?2)",
		 "ii", r->subject, c->role_domain))
		return false;
	if (!found)
		return missing(c, NULL, no_change_to_undo,
			       V("hours", LIMIT_UNDO_HOURS));
	if (!holder_read(c, r->subject, h))
		return false;
	return str_same(h->login, r->new) ||
	       refuse(c, NULL, renamed_since, V("name", r->new));
}

/* By the domain's name now. */
static bool undo_holder(struct changes *c, struct renaming *r)
{
	struct target t = { 0, local_of(r->new), S("*"), 0, 0 };
	struct holder_row h, was;

	if (!load_holder(c, r, &h) || !check_rank(c, &h))
		return false;
	t.domain = h.domain;
	was = h;
	was.login = r->old;
	return check_mailbox_name(c, &was) &&
	       put_references_back(c, r->change) &&
	       (r->had_new || lead_to_old(c, &t, local_of(r->old))) &&
	       put_addresses_back(c, r, h.domain) &&
	       holder_call(c, &h, r->old) && check_rank(c, &was) &&
	       change_log(c, holder_noun(&h), r->old, S("renamed"), r->new,
			  r->old) &&
	       forget(c, r->change) &&
	       done(c, "The %s %.*s is %.*s again.", kind_words[h.kind],
		    STR(r->new), STR(r->old));
}

/* ---- domains ---- */

static bool put_domain_addresses_back(struct changes *c,
				      const struct renaming *r)
{
	/* The renaming's own copies, then what it moved. */
	return run(c,
		   "DELETE FROM address WHERE domain = ?2 AND name = ?3 AND "
		   "NOT EXISTS (SELECT 1 FROM renamed_address k WHERE "
		   "k.change = ?1 AND k.name = ?3 AND "
		   "k.local = address.local) AND EXISTS (SELECT 1 FROM "
		   "renamed_address k WHERE k.change = ?1 AND k.name = ?4 "
		   "AND k.local = address.local AND "
		   "k.holder = address.holder)",
		   "iiss", r->change, r->subject, r->new, r->old) &&
	       run(c,
		   "INSERT OR IGNORE INTO address (domain, local, name, "
		   "holder, is_default, routed, home) SELECT ?2, k.local, "
		   "k.name, k.holder, k.is_default, k.routed, k.home FROM "
		   "renamed_address k JOIN holder h ON h.id = k.holder "
		   "WHERE k.change = ?1 AND k.name = ?3 AND NOT EXISTS "
		   "(SELECT 1 FROM address x WHERE x.domain = ?2 AND "
		   "x.local = k.local AND x.name IN (k.name, '*') AND "
		   "NOT x.builtin)",
		   "iis", r->change, r->subject, r->old) &&
	       run(c,
		   "INSERT OR IGNORE INTO local_spelling (given, address) "
		   "SELECT value, a.id FROM address a, "
		   "json_each(local_spellings(a.local)) WHERE "
		   "a.domain = ? AND a.name = ?",
		   "is", r->subject, r->old);
}

/* What came to the new name since is held on the old one. */
static bool drop_new_name(struct changes *c, const struct domain_row *d,
			  const struct renaming *r)
{
	struct target t = { d->id, S(""), r->new, 0, 0 };

	return r->had_new || (lead_to_old(c, &t, r->old) &&
			      run(c,
				  "UPDATE OR IGNORE address SET name = ? WHERE "
				  "domain = ? AND name = ?",
				  "sis", r->old, d->id, r->new) &&
			      domain_drop_name(c, d, r->new));
}

static bool undo_domain(struct changes *c, const struct renaming *r)
{
	struct domain_row d, was;
	int64_t id;

	if (c->role != ADMIN_SUPER)
		return refuse(c, NULL, aliases_are_not_his);
	if (!domain_id(c, r->new, &id))
		return false;
	if (id != r->subject || !domain_load(c, NULL, r->new, &d) ||
	    !str_same(d.name, r->new))
		return c->result.outcome == CHANGE_FAILED
			       ? false
			       : refuse(c, NULL, renamed_since,
					V("name", r->new));
	if (!domain_id(c, r->old, &id))
		return false;
	was = d;
	was.name = r->old;
	return (id == d.id || domain_add_name(c, "name", &d, r->old)) &&
	       domain_call(c, &d, r->old) &&
	       put_references_back(c, r->change) &&
	       put_domain_addresses_back(c, r) && drop_new_name(c, &was, r) &&
	       change_log(c, "domain", r->old, S("renamed"), r->new, r->old) &&
	       forget(c, r->change) &&
	       done(c, "The domain %.*s is %.*s again.", STR(r->new),
		    STR(r->old));
}

static bool undo(struct changes *c, int64_t change)
{
	struct renaming r = { 0 };

	if (!load(c, change, &r))
		return false;
	return r.what == RENAMING_DOMAIN ? undo_domain(c, &r)
					 : undo_holder(c, &r);
}

struct change rename_undo(struct changes *c, int64_t change)
{
	return change_end(c, change_begin(c) && undo(c, change));
}
