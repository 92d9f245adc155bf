/*
 * What leads to an address: forwards, members of groups, catch-alls and
 * postmasters, and the rights of administrators who sign in with it.
 *
 * Nothing that leads to an address outlives it unsaid: it would come to life
 * for whoever gets the address next.  Deleting is refused, naming what leads
 * there, or takes it away along (changes_clean()).
 */
#include "directory/change.h"

static void add(struct changes *c, struct references *to, struct reference r)
{
	if (to->n == to->room) {
		size_t room = to->room ? 2 * to->room : 16;
		struct reference *more =
			arena_array(c->arena, struct reference, room);

		if (to->n > 0)
			memcpy(more, to->r, to->n * sizeof(*more));
		to->r = more;
		to->room = room;
	}
	to->r[to->n++] = r;
}

/* ---- finding: forwards and members ---- */

#define LISTS_WHERE(condition) \
	"SELECT l.kind, l.id, h.id, h.domain, h.login, l.spelling, l.local, " \
	"l.domain FROM (SELECT 0 AS kind, * FROM forward " \
	"WHERE " condition " UNION ALL SELECT 1, * FROM member " \
	"WHERE " condition ") l JOIN holder h ON h.id = l.holder " \
	"WHERE h.id <> ?4 AND CASE ?2 WHEN '*' THEN l.domain IN " \
	"(SELECT name FROM domain_name WHERE domain = ?3) " \
	"ELSE l.domain = ?2 END "
#define IN_ORDER "ORDER BY l.kind, h.login"

/* left+detail leads to left, unless somebody has it as an address. */
static const char lists_to_address[] = LISTS_WHERE(
	"local = ?1 OR (local >= ?1 || '+' AND "
	"local < ?1 || ',')") "AND (l.local = ?1 OR NOT EXISTS (SELECT 1 FROM address a WHERE "
			      "a.domain = ?3 AND a.local = l.local AND a.name IN (l.domain, '*') "
			      "AND a.builtin = 0)) " IN_ORDER;
static const char lists_to_domain[] = LISTS_WHERE("?1 = ''") IN_ORDER;

static bool find_lists(struct changes *c, const struct target *t,
		       struct references *out)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		str_empty(t->local) ? lists_to_domain : lists_to_address,
		"ssii", t->local, t->name, t->domain, t->but_holder);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES)
		add(c, out,
		    (struct reference){
			    .kind = query_int(&q, 0) ? REFERENCE_MEMBER
						     : REFERENCE_FORWARD,
			    .row = query_int(&q, 1),
			    .holder = query_int(&q, 2),
			    .domain = query_int(&q, 3),
			    .owner = query_text(&q, 4, c->arena),
			    .address = query_text(&q, 5, c->arena),
			    .local = query_text(&q, 6, c->arena),
			    .at = query_text(&q, 7, c->arena),
		    });
	return a != ANSWER_UNSURE || broken(c);
}

/* ---- finding: catch-alls and postmasters ---- */

static bool is_at(struct changes *c, const struct target *t,
		  const struct address *a, bool *out)
{
	int64_t domain, own = 0;

	*out = false;
	if (!domain_id(c, a->domain, &domain))
		return false;
	if (domain != t->domain ||
	    (!str_same(t->name, S("*")) && !str_same(t->name, a->domain)))
		return true;
	*out = str_empty(t->local) || str_same(t->local, a->local);
	if (*out || !a->has_detail || !str_same(t->local, a->base))
		return true;
	if (!place_holder(c, domain, a->local, a->domain, false, &own))
		return false;
	*out = !own;
	return true;
}

static bool find_key(struct changes *c, const struct target *t, struct query *q,
		     enum reference_kind kind, struct references *out)
{
	struct reference r = { .kind = kind,
			       .row = query_int(q, 0),
			       .domain = query_int(q, 0),
			       .owner = query_text(q, 1, c->arena) };
	struct address a;
	bool leads;

	r.address =
		query_text(q, kind == REFERENCE_CATCH_ALL ? 2 : 3, c->arena);
	if (str_empty(r.address) || !address_parse(r.address, c->arena, &a))
		return true;
	if (!is_at(c, t, &a, &leads))
		return false;
	r.local = a.local;
	r.at = a.domain;
	if (leads)
		add(c, out, r);
	return true;
}

static bool find_keys(struct changes *c, const struct target *t,
		      struct references *out)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT id, name, catch_all, postmaster FROM domain "
			  "WHERE (catch_all <> '' OR postmaster <> '') AND "
			  "id <> ? ORDER BY name",
			  "i", t->but_domain);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES)
		if (!find_key(c, t, &q, REFERENCE_CATCH_ALL, out) ||
		    !find_key(c, t, &q, REFERENCE_POSTMASTER, out))
			return false;
	return a != ANSWER_UNSURE || broken(c);
}

bool references_find(struct changes *c, const struct target *t,
		     struct references *out)
{
	return find_lists(c, t, out) && find_keys(c, t, out);
}

bool references_find_holder(struct changes *c, const struct holder_row *h,
			    struct references *out)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT local, name FROM address WHERE holder = ? "
			  "ORDER BY id",
			  "i", h->id);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct target t = { h->domain, query_text(&q, 0, c->arena),
				    query_text(&q, 1, c->arena), h->id, 0 };

		if (!references_find(c, &t, out))
			return false;
	}
	return a != ANSWER_UNSURE || broken(c);
}

bool kept_forwards_leave(struct changes *c, const struct holder_row *h)
{
	struct query q scoped(query) = sql_query(
		c->sql, "SELECT local, name FROM address WHERE holder = ?", "i",
		h->id);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct target t = { h->domain, query_text(&q, 0, c->arena),
				    query_text(&q, 1, c->arena), 0, 0 };

		if (!kept_forwards_lead(c, &t, NULL, STR_NONE))
			return false;
	}
	return a != ANSWER_UNSURE || broken(c);
}

/* ---- forwards of deleted users, for when they come back ---- */

static bool write_kept(struct changes *c, int64_t row, struct reference *r,
		       reference_text *to, struct str name)
{
	if (!to)
		return run(c, "DELETE FROM deleted_forward WHERE id = ?", "i",
			   row);
	return run(c, "UPDATE deleted_forward SET spelling = ? WHERE id = ?",
		   "si", to(c, r, name), row);
}

bool kept_forwards_lead(struct changes *c, const struct target *t,
			reference_text *to, struct str name)
{
	struct query q scoped(query) = sql_query(
		c->sql, "SELECT id, spelling FROM deleted_forward", "");
	enum answer found;

	while ((found = query_next(&q)) == ANSWER_YES) {
		struct reference r = {
			.kind = REFERENCE_FORWARD,
			.address = query_text(&q, 1, c->arena),
		};
		struct address a;
		bool leads;

		if (!address_parse(r.address, c->arena, &a))
			continue;
		r.local = a.local;
		r.at = a.domain;
		if (!is_at(c, t, &a, &leads) ||
		    (leads && !write_kept(c, query_int(&q, 0), &r, to, name)))
			return false;
	}
	return found != ANSWER_UNSURE || broken(c);
}

/* ---- finding: administrators ---- */

static bool add_admins(struct changes *c, struct query *q,
		       struct references *out)
{
	enum answer a;

	while ((a = query_next(q)) == ANSWER_YES) {
		struct reference r = { .kind = REFERENCE_ADMINISTRATOR,
				       .row = query_int(q, 0),
				       .domain = query_int(q, 1),
				       .owner = query_text(q, 2, c->arena) };

		r.address = r.owner;
		add(c, out, r);
	}
	return a != ANSWER_UNSURE || broken(c);
}

bool references_find_admin(struct changes *c, const struct holder_row *h,
			   struct references *out)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT id, ?2, name FROM admin WHERE name = ?1 AND "
			  "?3 = 0",
			  "sii", h->login, h->domain, h->kind);

	return add_admins(c, &q, out);
}

bool references_find_admins_of(struct changes *c, int64_t domain,
			       struct references *out)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT id, domain, name FROM admin WHERE domain = ? "
			  "ORDER BY name",
			  "i", domain);

	return add_admins(c, &q, out);
}

/* ---- what he who asks is told of them ---- */

static bool say(struct changes *c, const struct references *all,
		struct str address)
{
	struct texts names = references_texts(c, all);

	if (names.n == 0)
		return refuse(c, NULL, others_elsewhere_lead_here,
			      V("n", all->n), V("address", address));
	return refuse(c, NULL, others_lead_here, V("n", all->n),
		      V("address", address), V("names", names));
}

const struct reference *changes_cleaned(const struct changes *c, size_t i)
{
	for (size_t k = 0; k < c->cleaned.n; k++)
		if (reference_is_seen(c, &c->cleaned.r[k]) && i-- == 0)
			return &c->cleaned.r[k];
	return NULL;
}

/* ---- taking them away ---- */

/* A forward is changed by who may change its user, a domain by its
 * administrators; groups lose who is no more, whoever deletes him. */
static bool may_take(struct changes *c, const struct reference *r, bool *out)
{
	struct holder_row h;

	*out = c->role == ADMIN_SUPER;
	switch (r->kind) {
	case REFERENCE_FORWARD:
		return holder_read(c, r->holder, &h) &&
		       is_outranked(c, &h, out) && (*out = !*out, true);
	case REFERENCE_MEMBER:
		*out = true;
		break;
	case REFERENCE_CATCH_ALL:
	case REFERENCE_POSTMASTER:
		*out |= c->role == ADMIN_DOMAIN && reference_is_seen(c, r);
		break;
	case REFERENCE_ADMINISTRATOR:
		break;
	}
	return true;
}

static bool take_forward(struct changes *c, const struct reference *r)
{
	struct str old, new;

	return forwards_text(c, r->holder, &old) &&
	       run(c, "DELETE FROM forward WHERE id = ?", "i", r->row) &&
	       forwards_text(c, r->holder, &new) &&
	       change_log(c, "user", r->owner, S("forward"), old, new);
}

static bool take_member(struct changes *c, struct reference *r)
{
	int64_t left = 0;

	if (!run(c, "DELETE FROM member WHERE id = ?", "i", r->row) ||
	    !ask(c, &left, "SELECT 1 FROM member WHERE holder = ? LIMIT 1", "i",
		 r->holder))
		return false;
	r->is_last = !left;
	return change_log(c, "group", r->owner, S("member"), r->address, S(""));
}

static bool take(struct changes *c, struct reference *r)
{
	switch (r->kind) {
	case REFERENCE_FORWARD:
		return take_forward(c, r);
	case REFERENCE_MEMBER:
		return take_member(c, r);
	case REFERENCE_CATCH_ALL:
		return run(c, "UPDATE domain SET catch_all = '' WHERE id = ?",
			   "i", r->row) &&
		       change_log(c, "domain", r->owner, S("catch_all"),
				  r->address, S(""));
	case REFERENCE_POSTMASTER:
		return run(c, "UPDATE domain SET postmaster = '' WHERE id = ?",
			   "i", r->row) &&
		       change_log(c, "domain", r->owner, S("postmaster"),
				  r->address, S(""));
	case REFERENCE_ADMINISTRATOR:
		return run(c, "DELETE FROM admin WHERE id = ?", "i", r->row) &&
		       change_log(c, "admin", r->owner, S("deleted"), r->owner,
				  S(""));
	}
	return false;
}

bool references_settle(struct changes *c, struct references *all,
		       struct str address)
{
	struct references not_his = { 0 };
	bool may;

	if (all->n == 0)
		return true;
	if (!c->cleans)
		return say(c, all, address);
	for (size_t i = 0; i < all->n; i++) {
		if (!may_take(c, &all->r[i], &may))
			return false;
		if (!may)
			add(c, &not_his, all->r[i]);
		else if (!take(c, &all->r[i]))
			return false;
		else
			add(c, &c->cleaned, all->r[i]);
	}
	return not_his.n == 0 || say(c, &not_his, address);
}
