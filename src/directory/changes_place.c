/*
 * Places: addresses as rows, left@name or left@*.
 *
 * Invariant: no two overlap: left@* stands alone among left@..., except that the
 * builtin ones lie below all others and yield to them.
 */
#include "directory/change.h"

#define STAND_IN "@all.invalid"

/* "left@*" is parsed with a stand-in name, which nobody gets to see. */
static bool parse_wild(struct changes *c, const char *field, struct str text,
		       struct address *a)
{
	struct str left = str_part(text, 0, text.n - 2), why, before;
	ptrdiff_t at;

	if (address_parse_strict(
		    arena_strf(c->arena, "%.*s" STAND_IN, STR(left)), c->arena,
		    a))
		return true;
	why = arena_str(c->arena, str_of(cause()));
	at = str_search(why, S(STAND_IN));
	if (at >= 0) {
		before = str_part(why, 0, (size_t)at);
		why = arena_strf(
			c->arena, "%.*s@*%.*s", STR(before),
			STR(str_from(why, before.n + sizeof(STAND_IN) - 1)));
	}
	return refuse(c, field, bad_address, V("given", text), V("cause", why));
}

bool value_place(struct changes *c, const char *field, struct str text,
		 struct address *a, bool *all)
{
	*all = str_ends(text, S("@*"));
	if (*all ? !parse_wild(c, field, text, a)
		 : !value_address(c, field, text, a))
		return false;
	if (str_same(a->local, S("*")))
		return refuse(c, field, address_is_wild_card);
	return true;
}

bool place_parse(struct changes *c, const char *field, struct str text,
		 int64_t domain, struct place *out)
{
	struct address a;
	int64_t id = domain;
	bool all;

	if (!value_place(c, field, text, &a, &all))
		return false;
	if (!all && !domain_id(c, a.domain, &id))
		return false;
	if (!id)
		return missing(c, field, domain_not_here,
			       V("domain", all ? S("*") : a.domain));
	if (domain && id != domain)
		return refuse(c, field, other_domain, V("name", a.domain));
	*out = (struct place){ id, a.local, all ? S("*") : a.domain, STR_NONE };
	out->text =
		arena_strf(c->arena, "%.*s@%.*s", STR(a.local), STR(out->name));
	return true;
}

/* What is sent to left+detail is left's: nobody takes a part of a superior's
 * mail with an address like that. */
static bool check_detail(struct changes *c, const char *field,
			 const struct place *p)
{
	ptrdiff_t plus = str_find(p->local, '+');
	struct holder_row h;
	int64_t id = 0;

	if (plus <= 0)
		return true;
	if (!ask(c, &id,
		 "SELECT holder FROM address WHERE domain = ?1 AND "
		 "local = ?2 AND (?3 = '*' OR name IN (?3, '*')) AND "
		 "builtin = 0",
		 "iss", p->domain, str_part(p->local, 0, (size_t)plus),
		 p->name))
		return false;
	return !id ||
	       (holder_read(c, id, &h) && check_rank_as(c, &h, field, p->text));
}

/* An exact address collides with its like and with left@*; left@* with all. */
bool place_is_free(struct changes *c, const char *field, const struct place *p)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT h.login, h.kind, a.name FROM address a "
		"JOIN holder h ON h.id = a.holder "
		"WHERE a.domain = ?1 AND a.local = ?2 AND a.builtin = 0 AND "
		"(?3 = '*' OR a.name IN (?3, '*')) ORDER BY a.name",
		"iss", p->domain, p->local, p->name);
	enum answer a = query_next(&q);
	struct str login, name, held;
	const char *kind;

	if (a == ANSWER_NO)
		return check_detail(c, field, p);
	if (a == ANSWER_UNSURE)
		return broken(c);
	login = query_text(&q, 0, c->arena);
	kind = kind_words[query_int(&q, 1)];
	name = query_text(&q, 2, c->arena);
	held = arena_strf(c->arena, "%.*s@%.*s", STR(p->local), STR(name));
	if (str_same(name, S("*")))
		return refuse(c, field, address_taken_everywhere,
			      V("address", p->text), V("kind", kind),
			      V("holder", login), V("held", held));
	return refuse(c, field, address_taken, V("address", p->text),
		      V("kind", kind), V("holder", login), V("held", held));
}

bool place_take_in(struct changes *c, const struct holder_row *h,
		   const struct place *p)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"DELETE FROM address WHERE holder = ?1 AND local = ?2 "
		"AND ?3 = '*' AND name <> '*' AND NOT builtin "
		"RETURNING local || '@' || name",
		"iss", h->id, p->local, p->name);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES)
		if (!change_log(c, "address", h->login, S("removed"),
				query_text(&q, 0, c->arena), S("")))
			return false;
	return a != ANSWER_UNSURE || broken(c);
}

bool addresses_spell(struct changes *c, int64_t holder)
{
	return run(c,
		   "INSERT OR IGNORE INTO local_spelling (given, address) "
		   "SELECT value, a.id FROM address a, "
		   "json_each(local_spellings(a.local)) WHERE a.holder = ?",
		   "i", holder);
}

/* For those who log in (spelling.h). */
static bool local_spell(struct changes *c, int64_t address)
{
	return run(c,
		   "INSERT INTO local_spelling (given, address) "
		   "SELECT value, a.id FROM address a, "
		   "json_each(local_spellings(a.local)) WHERE a.id = ?",
		   "i", address);
}

bool place_add(struct changes *c, int64_t holder, const struct place *p,
	       bool is_default)
{
	return run(c,
		   "INSERT INTO address (domain, local, name, holder, "
		   "is_default) VALUES (?, ?, ?, ?, ?)",
		   "issib", p->domain, p->local, p->name, holder, is_default) &&
	       local_spell(c, sql_last_id(c->sql));
}

bool address_leads(struct changes *c, const char *field,
		   const struct address *a)
{
	int64_t domain, holder, accepts = 0;

	if (!domain_id(c, a->domain, &domain))
		return false;
	if (!domain)
		return true;
	if (!place_holder(c, domain, a->local, a->domain, true, &holder))
		return false;
	if (!holder && a->has_detail &&
	    !place_holder(c, domain, a->base, a->domain, true, &holder))
		return false;
	if (holder)
		return true;
	if (!ask(c, &accepts,
		 "SELECT forward_unknown OR catch_all <> '' "
		 "FROM domain WHERE id = ?",
		 "i", domain))
		return false;
	if (accepts && strcmp(field, "catch_all"))
		return true;
	return refuse(c, field, address_nobody_has, V("address", a->spelling));
}
