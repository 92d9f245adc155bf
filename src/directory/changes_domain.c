/*
 * Domains: names, aliases, and what is done with addresses nobody has here.
 *
 * Invariants of a committed domain: it forwards unknown addresses only with a
 * relay and without a catch-all; no user depends on a relay that is not there;
 * its catch-all and postmaster lead somewhere; it has its builtin shared
 * mailbox, which holds postmaster@* and abuse@* for want of a better.
 */
#include "directory/change.h"
#include "wire/hosts.h"

enum {
	DESCRIPTION_BYTES = 1000,
	ALIASES = 1000,		/* of one domain */
};

/* ---- loading ---- */

bool domain_id(struct changes *c, struct str name, int64_t *id)
{
	*id = 0;
	return ask(c, id, "SELECT domain FROM domain_name WHERE name = ?", "s",
		   name);
}

static bool read_row(struct changes *c, int64_t id, struct domain_row *out)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT id, name, description, relay, forward_unknown, "
		"catch_all, postmaster, own_senders, max_message_bytes "
		"FROM domain WHERE id = ?", "i", id);

	if (query_next(&q) != ANSWER_YES)
		return broken(c);
	*out = (struct domain_row){
		.id = query_int(&q, 0),
		.name = query_text(&q, 1, c->arena),
		.description = query_text(&q, 2, c->arena),
		.relay = query_text(&q, 3, c->arena),
		.forward_unknown = query_int(&q, 4),
		.catch_all = query_text(&q, 5, c->arena),
		.postmaster = query_text(&q, 6, c->arena),
		.own_senders = query_int(&q, 7),
		.max_message_bytes = query_int(&q, 8),
	};
	return true;
}

bool domain_load(struct changes *c, const char *field, struct str name,
		 struct domain_row *out)
{
	struct str canonical;
	int64_t id;

	if (!value_domain(c, field, name, &canonical) ||
	    !domain_id(c, canonical, &id))
		return false;
	if (!id)
		return missing(c, field, no_such_domain,
			       V("domain", canonical));
	return read_row(c, id, out);
}

/* ---- settings ---- */

static bool set_relay(struct changes *c, struct domain_row *d, struct str v)
{
	struct host *hosts;
	size_t n;

	d->relay = S("");
	if (str_empty(str_trim(v)))
		return true;
	if (!value_hosts(c, "relay", v, &hosts, &n))
		return false;
	d->relay = hosts_text(hosts, n, c->arena);
	return true;
}

static bool set_forward_unknown(struct changes *c, struct domain_row *d,
				struct str v)
{
	bool on = false;

	if (!value_bool(c, "forward_unknown", v, &on))
		return false;
	d->forward_unknown = on;
	return true;
}

static bool set_address(struct changes *c, const char *field, struct str v,
			struct str *out)
{
	struct address a;

	*out = S("");
	if (str_empty(v))
		return true;
	if (!value_address(c, field, v, &a))
		return false;
	*out = a.spelling;
	return true;
}

static bool set_catch_all(struct changes *c, struct domain_row *d,
			  struct str v)
{
	return set_address(c, "catch_all", v, &d->catch_all);
}

static bool set_postmaster(struct changes *c, struct domain_row *d,
			   struct str v)
{
	return set_address(c, "postmaster", v, &d->postmaster);
}

static bool set_own_senders(struct changes *c, struct domain_row *d,
			    struct str v)
{
	return value_word(c, "own_senders", v, own_senders_words,
			  &d->own_senders);
}

static bool set_description(struct changes *c, struct domain_row *d,
			    struct str v)
{
	return value_text(c, "description", v, DESCRIPTION_BYTES,
			  &d->description);
}

static bool set_max_message_size(struct changes *c, struct domain_row *d,
				 struct str v)
{
	return value_size(c, "max_message_size", v, &d->max_message_bytes);
}

static struct str get_relay(struct changes *c, const struct domain_row *d)
{
	return d->relay;
}

static struct str get_forward_unknown(struct changes *c,
				      const struct domain_row *d)
{
	return d->forward_unknown ? S("yes") : S("no");
}

static struct str get_catch_all(struct changes *c, const struct domain_row *d)
{
	return d->catch_all;
}

static struct str get_postmaster(struct changes *c, const struct domain_row *d)
{
	return d->postmaster;
}

static struct str get_own_senders(struct changes *c,
				  const struct domain_row *d)
{
	return str_of(own_senders_words[d->own_senders]);
}

static struct str get_description(struct changes *c,
				  const struct domain_row *d)
{
	return d->description;
}

static struct str get_max_message_size(struct changes *c,
				       const struct domain_row *d)
{
	return size_text(c, d->max_message_bytes);
}

static const struct key {
	const char *name;
	bool (*set)(struct changes *c, struct domain_row *d, struct str v);
	struct str (*get)(struct changes *c, const struct domain_row *d);
} keys[] = {
	{ "relay", set_relay, get_relay },
	{ "forward_unknown", set_forward_unknown, get_forward_unknown },
	{ "catch_all", set_catch_all, get_catch_all },
	{ "postmaster", set_postmaster, get_postmaster },
	{ "own_senders", set_own_senders, get_own_senders },
	{ "description", set_description, get_description },
	{ "max_message_size", set_max_message_size, get_max_message_size },
};

static bool set_key(struct changes *c, struct domain_row *d,
		    const struct setting *s)
{
	const char *names[array_size(keys) + 2] = { "aliases" };

	if (is_key(s->key, "aliases"))
		return true;	/* set_aliases() */
	for (size_t i = 0; i < array_size(keys); i++) {
		if (is_key(s->key, keys[i].name))
			return keys[i].set(c, d, s->value);
		names[i + 1] = keys[i].name;
	}
	return unknown_key(c, "domain", s->key, names);
}

static bool log_keys(struct changes *c, const struct domain_row *old,
		     const struct domain_row *new)
{
	for (size_t i = 0; i < array_size(keys); i++) {
		struct str before = keys[i].get(c, old);
		struct str after = keys[i].get(c, new);

		if (!str_same(before, after) &&
		    !change_log(c, "domain", new->name, str_of(keys[i].name),
				before, after))
			return false;
	}
	return true;
}

/* ---- what has to hold ---- */

/* Users whose mail would have nowhere to go without the relay. */
static bool check_nobody_needs_relay(struct changes *c,
				     const struct domain_row *d)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT login, id FROM holder WHERE domain = ?1 AND kind = 0 "
		"AND mail_system <> 0 AND mail_system = 1 AND system IS NULL "
		"UNION SELECT h.login, h.id FROM address a JOIN holder h "
		"ON h.id = a.holder WHERE a.domain = ?1 AND a.home <> 0 AND "
		"a.home IN (1, 2) AND h.mail_system = 0 AND h.system IS NULL "
		"ORDER BY 2", "i", d->id);
	struct texts names;
	int64_t n;

	if (!name_list(c, &q, &names, &n))
		return false;
	if (n == 0)
		return true;
	return refuse(c, "relay", relay_in_use, V("n", n),
		      V("domain", d->name), V("names", names));
}

static bool check_leads(struct changes *c, const char *field,
			struct str spelling)
{
	struct address a;

	if (str_empty(spelling))
		return true;
	return value_address(c, field, spelling, &a) &&
	       address_leads(c, field, &a);
}

static bool check_row(struct changes *c, const struct domain_row *old,
		      const struct domain_row *d)
{
	if (d->forward_unknown && str_empty(d->relay) && old->forward_unknown)
		return refuse(c, "relay", relay_needed_to_forward,
			      V("domain", d->name));
	if (d->forward_unknown && str_empty(d->relay))
		return refuse(c, "forward_unknown", forward_needs_relay,
			      V("domain", d->name));
	if (d->forward_unknown && !str_empty(d->catch_all))
		return refuse(c, str_empty(old->catch_all) ? "catch_all"
							   : "forward_unknown",
			      catch_all_or_forward, V("domain", d->name));
	if (str_empty(d->relay) && !str_empty(old->relay) &&
	    !check_nobody_needs_relay(c, d))
		return false;
	return check_leads(c, "catch_all", d->catch_all) &&
	       check_leads(c, "postmaster", d->postmaster);
}

static bool write_row(struct changes *c, const struct domain_row *d)
{
	return run(c, "UPDATE domain SET description = ?, relay = ?, "
		      "forward_unknown = ?, catch_all = ?, postmaster = ?, "
		      "own_senders = ?, max_message_bytes = ? WHERE id = ?",
		   "ssissiii", d->description, d->relay, d->forward_unknown,
		   d->catch_all, d->postmaster, d->own_senders,
		   d->max_message_bytes, d->id);
}

/* ---- names ---- */

static bool add_name(struct changes *c, const char *field,
		     const struct domain_row *d, struct str name)
{
	struct domain_row other;
	int64_t id;

	if (!domain_id(c, name, &id))
		return false;
	if (id && (!read_row(c, id, &other)))
		return false;
	if (id && str_same(other.name, name))
		return refuse(c, field, domain_exists, V("domain", name));
	if (id)
		return refuse(c, field, domain_is_alias, V("alias", name),
			      V("domain", other.name));
	return run(c, "INSERT INTO domain_name (name, domain) VALUES (?, ?)",
		   "si", name, d->id);
}

/* An alias with addresses of its own stays until they are gone. */
static bool drop_name(struct changes *c, const struct domain_row *d,
		      struct str name)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT a.local || '@' || a.name || ' (' || h.login || ')' "
		"FROM address a JOIN holder h ON h.id = a.holder "
		"WHERE a.domain = ? AND a.name = ? ORDER BY a.local", "is",
		d->id, name);
	struct texts addresses;
	int64_t n;

	if (!name_list(c, &q, &addresses, &n))
		return false;
	if (n > 0)
		return refuse(c, "aliases", alias_in_use, V("n", n),
			      V("alias", name), V("addresses", addresses));
	return run(c, "DELETE FROM domain_name WHERE name = ?", "s", name);
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
	struct query q scoped(query) = sql_query(
		c->sql, "SELECT name FROM domain_name WHERE domain = ? AND "
			"name <> ? ORDER BY name", "is", d->id, d->name);
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

static bool set_aliases(struct changes *c, const struct domain_row *d,
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
		if (!has_name(want, have->n[i]) && !drop_name(c, d, have->n[i]))
			return false;
	for (size_t i = 0; i < want->count; i++)
		if (!has_name(have, want->n[i]) &&
		    !add_name(c, "aliases", d, want->n[i]))
			return false;
	return change_log(c, "domain", d->name, S("aliases"),
			  names_text(c, have), names_text(c, want));
}

/* ---- the changes ---- */

static bool apply(struct changes *c, const struct domain_row *old,
		  const struct setting *s, size_t n)
{
	struct domain_row d = *old;

	for (size_t i = 0; i < n; i++)
		if (!set_key(c, &d, &s[i]))
			return false;
	/* Names first: a catch-all may be on a new one. */
	for (size_t i = 0; i < n; i++)
		if (is_key(s[i].key, "aliases") &&
		    !set_aliases(c, &d, s[i].value))
			return false;
	return check_row(c, old, &d) && write_row(c, &d) && log_keys(c, old, &d);
}

/*
 * postmaster@ and abuse@ are always deliverable.  Nobody writes to its login;
 * it only names the mailbox.
 */
static bool add_builtin(struct changes *c, const struct domain_row *d)
{
	int64_t id;

	if (!run(c, "INSERT INTO holder (kind, domain, login, name, builtin) "
		    "VALUES (2, ?, ?, 'Postmaster', 1)", "is", d->id,
		 arena_strf(c->arena, "postmaster-builtin@%.*s",
			    STR(d->name))))
		return false;
	id = sql_last_id(c->sql);
	return run(c, "INSERT INTO address (domain, local, name, builtin, "
		      "holder) VALUES (?1, 'postmaster', '*', 1, ?2), "
		      "(?1, 'abuse', '*', 1, ?2)", "ii", d->id, id);
}

static bool create(struct changes *c, struct str text, const struct setting *s,
		   size_t n)
{
	struct domain_row d = { 0 };

	if (!value_domain(c, "name", text, &d.name))
		return false;
	if (!run(c, "INSERT OR IGNORE INTO domain (name) VALUES (?)", "s",
		 d.name))
		return false;
	d.id = sql_last_id(c->sql);
	if (!add_name(c, "name", &d, d.name) || !read_row(c, d.id, &d))
		return false;
	return add_builtin(c, &d) && apply(c, &d, s, n) &&
	       change_log(c, "domain", d.name, S("created"), S(""), d.name) &&
	       done(c, "The domain %.*s is created.", STR(d.name));
}

static bool set(struct changes *c, struct str name, const struct setting *s,
		size_t n)
{
	struct domain_row d;

	return domain_load(c, "name", name, &d) && apply(c, &d, s, n) &&
	       done(c, "The domain %.*s is changed.", STR(d.name));
}

static bool check_empty(struct changes *c, const struct domain_row *d)
{
	struct query q scoped(query) = sql_query(
		c->sql, "SELECT login FROM holder WHERE domain = ? AND "
			"NOT builtin ORDER BY login", "i", d->id);
	struct texts names;
	int64_t n;

	if (!name_list(c, &q, &names, &n))
		return false;
	if (n == 0)
		return true;
	return refuse(c, NULL, domain_in_use, V("n", n), V("domain", d->name),
		      V("names", names));
}

static bool remove_domain(struct changes *c, struct str name)
{
	struct domain_row d;
	struct str canonical;

	if (!domain_load(c, "name", name, &d))
		return false;
	check(domain_parse(name, c->arena, &canonical));
	if (!str_same(d.name, canonical))
		return refuse(c, "name", alias_not_deleted, V("alias", name),
			      V("domain", d.name));
	return check_empty(c, &d) &&
	       run(c, "DELETE FROM domain WHERE id = ?", "i", d.id) &&
	       change_log(c, "domain", d.name, S("deleted"), d.name, S("")) &&
	       done(c, "The domain %.*s is deleted.", STR(d.name));
}

struct change domain_create(struct changes *c, struct str name,
			    const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && create(c, name, s, n));
}

struct change domain_set(struct changes *c, struct str name,
			 const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && set(c, name, s, n));
}

struct change domain_delete(struct changes *c, struct str name)
{
	return change_end(c, change_begin(c) && remove_domain(c, name));
}
