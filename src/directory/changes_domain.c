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

enum { DESCRIPTION_BYTES = 1000 };

/* ---- settings ---- */

/* One that is there already may stay whatever it is. */
static bool set_relay(struct changes *c, struct domain_row *d, struct str v)
{
	struct str old = d->relay;
	struct host *hosts;
	size_t n;

	d->relay = S("");
	if (str_empty(str_trim(v)))
		return true;
	if (!value_hosts(c, "relay", v, &hosts, &n))
		return false;
	d->relay = hosts_text(hosts, n, c->arena);
	if (str_same(old, d->relay))
		return true;
	d->relay_is_elsewhere = c->role != ADMIN_SUPER;
	return check_hosts_are_others(c, "relay", hosts, n);
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

static bool set_catch_all(struct changes *c, struct domain_row *d, struct str v)
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

static bool set_from_header(struct changes *c, struct domain_row *d,
			    struct str v)
{
	return value_word(c, "from_header", v, from_header_words,
			  &d->from_header);
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

static bool set_outgoing(struct changes *c, struct domain_row *d, struct str v)
{
	return value_outgoing(c, d->outgoing, v, &d->outgoing);
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

static struct str get_own_senders(struct changes *c, const struct domain_row *d)
{
	return str_of(own_senders_words[d->own_senders]);
}

static struct str get_from_header(struct changes *c, const struct domain_row *d)
{
	return str_of(from_header_words[d->from_header]);
}

static struct str get_description(struct changes *c, const struct domain_row *d)
{
	return d->description;
}

static struct str get_max_message_size(struct changes *c,
				       const struct domain_row *d)
{
	return bytes_text(c, d->max_message_bytes);
}

static struct str get_outgoing(struct changes *c, const struct domain_row *d)
{
	return d->outgoing;
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
	{ "from_header", set_from_header, get_from_header },
	{ "description", set_description, get_description },
	{ "max_message_size", set_max_message_size, get_max_message_size },
	{ "outgoing", set_outgoing, get_outgoing },
};

static bool set_key(struct changes *c, struct domain_row *d,
		    const struct setting *s)
{
	const char *names[array_size(keys) + 2] = { "aliases" };

	if (is_key(s->key, "aliases"))
		return true; /* set_aliases() */
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
		"ORDER BY 2",
		"i", d->id);
	struct texts names;
	int64_t n;

	if (!name_list(c, &q, &names, &n))
		return false;
	if (n == 0)
		return true;
	return refuse(c, "relay", relay_in_use, V("n", n), V("domain", d->name),
		      V("names", names));
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
		return refuse(c,
			      str_empty(old->catch_all) ? "catch_all"
							: "forward_unknown",
			      catch_all_or_forward, V("domain", d->name));
	return !str_empty(d->relay) || str_empty(old->relay) ||
	       check_nobody_needs_relay(c, d);
}

/* As they are by now: a name that was taken away may have taken them along. */
static bool check_targets(struct changes *c, int64_t domain)
{
	struct domain_row d;

	return domain_read(c, domain, &d) &&
	       check_leads(c, "catch_all", d.catch_all) &&
	       check_leads(c, "postmaster", d.postmaster);
}

/* Where a superior's mail goes is not changed by who has fewer rights. */
static bool check_rights(struct changes *c, const struct domain_row *old,
			 const struct domain_row *d)
{
	if (!str_same(old->catch_all, d->catch_all) &&
	    (!check_rank_of_target(c, "catch_all", old->catch_all) ||
	     !check_rank_of_target(c, "catch_all", d->catch_all)))
		return false;
	if (!str_same(old->postmaster, d->postmaster) &&
	    (!check_rank_of_target(c, "postmaster", old->postmaster) ||
	     !check_rank_of_target(c, "postmaster", d->postmaster)))
		return false;
	return str_same(old->relay, d->relay) ||
	       check_rank_of_relayed(c, d->id);
}

static bool write_row(struct changes *c, const struct domain_row *d)
{
	return run(c,
		   "UPDATE domain SET description = ?, relay = ?, "
		   "forward_unknown = ?, catch_all = ?, postmaster = ?, "
		   "own_senders = ?, from_header = ?, "
		   "max_message_bytes = ?, relay_is_elsewhere = ?, "
		   "outgoing = ? WHERE id = ?",
		   "ssissiiiisi", d->description, d->relay, d->forward_unknown,
		   d->catch_all, d->postmaster, d->own_senders, d->from_header,
		   d->max_message_bytes, d->relay_is_elsewhere, d->outgoing,
		   d->id);
}

/* ---- the changes ---- */

static bool apply(struct changes *c, const struct domain_row *old,
		  const struct setting *s, size_t n)
{
	struct domain_row d = *old;

	for (size_t i = 0; i < n; i++)
		if (!set_key(c, &d, &s[i]))
			return false;
	if (!check_row(c, old, &d) || !check_rights(c, old, &d) ||
	    !write_row(c, &d) || !log_keys(c, old, &d))
		return false;
	for (size_t i = 0; i < n; i++)
		if (is_key(s[i].key, "aliases") &&
		    !domain_set_aliases(c, &d, s[i].value))
			return false;
	/* Names before: a catch-all may be on a new one. */
	return check_targets(c, d.id);
}

/*
 * postmaster@ and abuse@ are always deliverable.  Nobody writes to its login;
 * it only names the mailbox.
 */
static bool add_builtin(struct changes *c, const struct domain_row *d)
{
	int64_t id;

	if (!run(c,
		 "INSERT INTO holder (kind, domain, login, sort_key, name, "
		 "builtin) VALUES (2, ?1, ?2, sort_key(?2), 'Postmaster', "
		 "1)",
		 "is", d->id,
		 arena_strf(c->arena, "postmaster-builtin@%.*s", STR(d->name))))
		return false;
	id = sql_last_id(c->sql);
	return run(c,
		   "INSERT INTO address (domain, local, name, builtin, "
		   "holder) VALUES (?1, 'postmaster', '*', 1, ?2), "
		   "(?1, 'abuse', '*', 1, ?2)",
		   "ii", d->id, id);
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
	if (!domain_add_name(c, "name", &d, d.name) ||
	    !domain_read(c, d.id, &d))
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
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT login FROM holder WHERE domain = ? AND "
			  "NOT builtin ORDER BY login",
			  "i", d->id);
	struct texts names;
	int64_t n;

	if (!name_list(c, &q, &names, &n))
		return false;
	if (n == 0)
		return true;
	return refuse(c, NULL, domain_in_use, V("n", n), V("domain", d->name),
		      V("names", names));
}

static bool detach_domain(struct changes *c, const struct domain_row *d)
{
	struct target t = { d->id, S(""), S("*"), 0, d->id };
	struct references all = { 0 };

	return references_find(c, &t, &all) &&
	       references_find_admins_of(c, d->id, &all) &&
	       references_settle(c, &all,
				 arena_strf(c->arena, "@%.*s", STR(d->name))) &&
	       kept_forwards_lead(c, &t, NULL, STR_NONE);
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
	return check_empty(c, &d) && detach_domain(c, &d) &&
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
