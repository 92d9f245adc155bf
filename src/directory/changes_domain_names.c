/*
 * The names of a domain: its first one and its aliases.
 */
#include "directory/change.h"

enum { ALIASES = 1000 }; /* of one domain */

/* For those who log in (spelling.h). */
static bool domain_spell(struct changes *c, struct str name)
{
	return run(c,
		   "INSERT OR IGNORE INTO domain_spelling (given, name) "
		   "SELECT value, ?1 FROM json_each(domain_spellings(?1))",
		   "s", name);
}

bool domain_add_name(struct changes *c, const char *field,
		     const struct domain_row *d, struct str name)
{
	struct domain_row other;
	int64_t id;

	if (!domain_id(c, name, &id))
		return false;
	if (id && (!domain_read(c, id, &other)))
		return false;
	if (id && str_same(other.name, name))
		return refuse(c, field, domain_exists, V("domain", name));
	if (id)
		return refuse(c, field, domain_is_alias, V("alias", name),
			      V("domain", other.name));
	return run(c, "INSERT INTO domain_name (name, domain) VALUES (?, ?)",
		   "si", name, d->id) &&
	       domain_spell(c, name);
}

/* An alias with addresses of its own stays until they are gone. */
static bool detach_name(struct changes *c, const struct domain_row *d,
			struct str name)
{
	struct target t = { d->id, S(""), name, 0, 0 };
	struct references all = { 0 };

	return references_find(c, &t, &all) &&
	       references_settle(c, &all,
				 arena_strf(c->arena, "@%.*s", STR(name))) &&
	       kept_forwards_lead(c, &t, NULL, STR_NONE);
}

bool domain_drop_name(struct changes *c, const struct domain_row *d,
		      struct str name)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT a.local || '@' || a.name || ' (' || h.login || ')' "
		"FROM address a JOIN holder h ON h.id = a.holder "
		"WHERE a.domain = ? AND a.name = ? ORDER BY a.local",
		"is", d->id, name);
	struct texts addresses;
	int64_t n;

	if (!name_list(c, &q, &addresses, &n))
		return false;
	if (n > 0)
		return refuse(c, "aliases", alias_in_use, V("n", n),
			      V("alias", name), V("addresses", addresses));
	return detach_name(c, d, name) &&
	       run(c, "DELETE FROM domain_name WHERE name = ?", "s", name);
}

struct names {
	struct str n[ALIASES];
	size_t count;
};

static bool has_name(const struct names *set, struct str name)
{
	for (size_t i = 0; i < set->count; i++)
		if (str_same(set->n[i], name))
			return true;
	return false;
}

/* "a.example, b.example" */
static bool parse_names(struct changes *c, struct str text, struct names *out)
{
	struct str part, name;

	out->count = 0;
	while (str_split(&text, ',', &part)) {
		part = str_trim(part);
		if (str_empty(part))
			continue;
		if (!value_domain(c, "aliases", part, &name))
			return false;
		if (has_name(out, name))
			continue;
		if (out->count == ALIASES)
			return refuse(c, "aliases", too_many_aliases,
				      V("most", ALIASES));
		out->n[out->count++] = name;
	}
	return true;
}

static bool load_aliases(struct changes *c, const struct domain_row *d,
			 struct names *out)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT name FROM domain_name WHERE domain = ? AND "
			  "name <> ? ORDER BY name",
			  "is", d->id, d->name);
	enum answer a;

	out->count = 0;
	while ((a = query_next(&q)) == ANSWER_YES && out->count < ALIASES)
		out->n[out->count++] = query_text(&q, 0, c->arena);
	return a != ANSWER_UNSURE || broken(c);
}

static struct str names_text(struct changes *c, const struct names *set)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < set->count; i++)
		buf_printf(&b, "%s%.*s", i ? ", " : "", STR(set->n[i]));
	return arena_str(c->arena, buf_str(&b));
}

bool domain_set_aliases(struct changes *c, const struct domain_row *d,
			struct str text)
{
	struct names *have = arena_new(c->arena, struct names);
	struct names *want = arena_new(c->arena, struct names);

	if (!load_aliases(c, d, have) || !parse_names(c, text, want))
		return false;
	if (has_name(want, d->name))
		return refuse(c, "aliases", own_name_as_alias,
			      V("domain", d->name));
	for (size_t i = 0; i < have->count; i++)
		if (!has_name(want, have->n[i]) &&
		    !domain_drop_name(c, d, have->n[i]))
			return false;
	for (size_t i = 0; i < want->count; i++)
		if (!has_name(have, want->n[i]) &&
		    !domain_add_name(c, "aliases", d, want->n[i]))
			return false;
	return change_log(c, "domain", d->name, S("aliases"),
			  names_text(c, have), names_text(c, want));
}
