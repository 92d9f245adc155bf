/*
 * Named systems: other mail servers, how they are reached, what they may do.
 *
 * Invariants: `verified` has names to verify; a password is only given over
 * TLS; a block of addresses is trusted as one system; one smart host at most;
 * the address family, and where mail leaves from, leave a host to connect to.
 */
#include "base/inet.h"
#include "base/limits.h"
#include "directory/change.h"
#include "wire/hosts.h"
#include "wire/outgoing.h"

enum {
	CREDENTIAL_BYTES = 512,
	TRUSTS = 100, /* blocks of one system */
};

/* struct system_limits, as numbers: what is beyond these is a typing error. */
enum {
	CONNECTIONS,
	MAILS_PER_CONNECTION,
	RECIPIENTS_PER_MAIL,
	MAILS_PER_MINUTE,
	COUNTS
};

static const struct {
	const char *key;
	int64_t most;
} counts[COUNTS] = {
	[CONNECTIONS] = { "connections", 1000 },
	[MAILS_PER_CONNECTION] = { "mails_per_connection", 10000 },
	[RECIPIENTS_PER_MAIL] = { "recipients_per_mail", LIMIT_RECIPIENTS },
	[MAILS_PER_MINUTE] = { "mails_per_minute", 60000 },
};

struct system_row {
	int64_t id, tls, may_relay, smart_host, when_down, family;
	int64_t xclient;
	int64_t count[COUNTS]; /* 0: not set */
	struct str name, hosts, user, password, outgoing;
	bool has_ip;         /* among the hosts */
	bool has_v4, has_v6; /* ...or a name, which may have either */
};

static bool read_row(struct changes *c, int64_t id, struct system_row *out)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT id, tls, may_relay, smart_host, when_down, "
			  "name, hosts, user, password, address_family, "
			  "connections, mails_per_connection, "
			  "recipients_per_mail, mails_per_minute, outgoing, "
			  "xclient "
			  "FROM system WHERE id = ?",
			  "i", id);

	if (query_next(&q) != ANSWER_YES)
		return broken(c);
	*out = (struct system_row){
		.id = query_int(&q, 0),
		.tls = query_int(&q, 1),
		.may_relay = query_int(&q, 2),
		.smart_host = query_int(&q, 3),
		.when_down = query_int(&q, 4),
		.name = query_text(&q, 5, c->arena),
		.hosts = query_text(&q, 6, c->arena),
		.user = query_text(&q, 7, c->arena),
		.password = query_text(&q, 8, c->arena),
		.family = query_int(&q, 9),
		.xclient = query_int(&q, 11 + COUNTS),
	};
	for (int i = 0; i < COUNTS; i++)
		out->count[i] = query_int(&q, 10 + i);
	out->outgoing = query_text(&q, 10 + COUNTS, c->arena);
	return true;
}

struct str system_name_of(struct changes *c, int64_t id)
{
	struct system_row s;

	if (!id || !read_row(c, id, &s))
		return S("");
	return s.name;
}

static bool find_id(struct changes *c, struct str name, int64_t *id)
{
	*id = 0;
	return ask(c, id, "SELECT id FROM system WHERE name = lower(?)", "s",
		   name);
}

bool system_id(struct changes *c, const char *field, struct str name,
	       int64_t *id)
{
	struct query q scoped(query) = { 0 };
	struct texts names;
	int64_t n;

	if (!find_id(c, name, id))
		return false;
	if (*id)
		return true;
	q = sql_query(c->sql, "SELECT name FROM system ORDER BY name", "");
	if (!name_list(c, &q, &names, &n))
		return false;
	if (n == 0)
		return missing(c, field, no_system_at_all, V("system", name));
	return missing(c, field, no_such_system, V("n", n), V("system", name),
		       V("names", names));
}

/* ---- settings ---- */

static bool parse_hosts(struct changes *c, struct system_row *r, struct str v,
			bool is_new)
{
	struct host *hosts;
	size_t n;

	if (str_empty(str_trim(v)))
		return refuse(c, "hosts", system_needs_hosts);
	if (!value_hosts(c, "hosts", v, &hosts, &n) ||
	    (is_new && !check_hosts_are_others(c, "hosts", hosts, n)))
		return false;
	r->has_ip = r->has_v4 = r->has_v6 = false;
	for (size_t i = 0; i < n; i++) {
		r->has_ip |= hosts[i].is_ip;
		r->has_v4 |= !hosts[i].is_ip || inet_is_v4(&hosts[i].ip);
		r->has_v6 |= !hosts[i].is_ip || !inet_is_v4(&hosts[i].ip);
	}
	r->hosts = hosts_text(hosts, n, c->arena);
	return true;
}

static bool set_hosts(struct changes *c, struct system_row *r, struct str v)
{
	return parse_hosts(c, r, v, true);
}

static bool set_flag(struct changes *c, const char *field, struct str v,
		     int64_t *out)
{
	bool on = false;

	if (!value_bool(c, field, v, &on))
		return false;
	*out = on;
	return true;
}

/* SMTP AUTH takes any bytes; a NUL would end one field early (RFC 4616). */
static bool set_credential(struct changes *c, const char *field, struct str v,
			   struct str *out)
{
	if (v.n > CREDENTIAL_BYTES || str_find(v, '\0') >= 0)
		return refuse(c, field, bad_credential, V("key", field),
			      V("most", CREDENTIAL_BYTES));
	*out = v;
	return true;
}

static bool set_key(struct changes *c, struct system_row *r,
		    const struct setting *s)
{
	static const char *const keys[] = { "hosts",
					    "tls",
					    "user",
					    "password",
					    "trust",
					    "may_relay",
					    "xclient",
					    "smart_host",
					    "when_down",
					    "connections",
					    "mails_per_connection",
					    "recipients_per_mail",
					    "mails_per_minute",
					    "address_family",
					    "outgoing",
					    NULL };

	for (int i = 0; i < COUNTS; i++)
		if (is_key(s->key, counts[i].key))
			return value_count(c, counts[i].key, s->value,
					   counts[i].most, &r->count[i]);
	if (is_key(s->key, "hosts"))
		return set_hosts(c, r, s->value);
	if (is_key(s->key, "tls"))
		return value_word(c, "tls", s->value, tls_words, &r->tls);
	if (is_key(s->key, "user"))
		return set_credential(c, "user", s->value, &r->user);
	if (is_key(s->key, "password"))
		return set_credential(c, "password", s->value, &r->password);
	if (is_key(s->key, "may_relay"))
		return set_flag(c, "may_relay", s->value, &r->may_relay);
	if (is_key(s->key, "xclient"))
		return set_flag(c, "xclient", s->value, &r->xclient);
	if (is_key(s->key, "smart_host"))
		return set_flag(c, "smart_host", s->value, &r->smart_host);
	if (is_key(s->key, "when_down"))
		return value_word(c, "when_down", s->value, when_down_words,
				  &r->when_down);
	if (is_key(s->key, "address_family"))
		return value_word(c, "address_family", s->value, family_words,
				  &r->family);
	if (is_key(s->key, "outgoing"))
		return value_outgoing(c, r->outgoing, s->value, &r->outgoing);
	if (is_key(s->key, "trust"))
		return true; /* set_trust() */
	return unknown_key(c, "system", s->key, keys);
}

/* ---- what has to hold ---- */

static bool check_smart_host(struct changes *c, const struct system_row *r)
{
	int64_t other = 0;

	if (!r->smart_host)
		return true;
	if (!ask(c, &other,
		 "SELECT id FROM system WHERE smart_host = 1 AND "
		 "id <> ?",
		 "i", r->id))
		return false;
	if (!other)
		return true;
	return refuse(c, "smart_host", smart_host_taken,
		      V("system", system_name_of(c, other)));
}

/* Of a name nobody knows here which addresses it will have. */
static bool check_family(struct changes *c, const struct system_row *r)
{
	if ((r->family != FAMILY_IPV4 || r->has_v4) &&
	    (r->family != FAMILY_IPV6 || r->has_v6))
		return true;
	return refuse(c, "address_family", no_host_of_family,
		      V("family", family_words[r->family]),
		      V("hosts", r->hosts));
}

/* An address of one family connects to that alone. */
static bool check_outgoing(struct changes *c, const struct system_row *r)
{
	struct outgoing from;

	check(outgoing_parse(r->outgoing, &from));
	if (!outgoing_is_set(&from) ||
	    (from.has_v4 && r->has_v4 && r->family != FAMILY_IPV6) ||
	    (from.has_v6 && r->has_v6 && r->family != FAMILY_IPV4))
		return true;
	return refuse(c, "outgoing", no_host_of_outgoing,
		      V("outgoing", r->outgoing), V("hosts", r->hosts));
}

static bool check_row(struct changes *c, struct system_row *r)
{
	if (!parse_hosts(c, r, r->hosts, false) || !check_family(c, r) ||
	    !check_outgoing(c, r))
		return false;
	if (r->tls == SYSTEM_TLS_VERIFIED && r->has_ip)
		return refuse(c, "tls", ip_not_verified, V("hosts", r->hosts));
	if (str_empty(r->user) != str_empty(r->password))
		return refuse(c, str_empty(r->user) ? "user" : "password",
			      user_and_password);
	if (!str_empty(r->user) && r->tls == SYSTEM_TLS_NONE)
		return refuse(c, "tls", password_needs_tls);
	return check_smart_host(c, r);
}

static bool write_row(struct changes *c, const struct system_row *r)
{
	return run(c,
		   "UPDATE system SET hosts = ?, tls = ?, user = ?, "
		   "password = ?, may_relay = ?, smart_host = ?, "
		   "when_down = ?, address_family = ?, connections = ?, "
		   "mails_per_connection = ?, recipients_per_mail = ?, "
		   "mails_per_minute = ?, outgoing = ?, xclient = ? "
		   "WHERE id = ?",
		   "sissiiiiiiiisii", r->hosts, r->tls, r->user, r->password,
		   r->may_relay, r->smart_host, r->when_down, r->family,
		   r->count[CONNECTIONS], r->count[MAILS_PER_CONNECTION],
		   r->count[RECIPIENTS_PER_MAIL], r->count[MAILS_PER_MINUTE],
		   r->outgoing, r->xclient, r->id);
}

/* ---- trust ---- */

static bool add_trust(struct changes *c, const struct system_row *r,
		      struct str text)
{
	struct inet_block block;
	int64_t other = 0;

	if (!inet_block_parse(text, &block))
		return refuse(c, "trust", bad_block, V("given", text));
	if (block.bits == 0 || (block.bits == 96 && str_find(text, ':') < 0))
		return refuse(c, "trust", block_is_internet, V("block", text));
	if (!ask(c, &other, "SELECT system FROM trust WHERE block = ?", "s",
		 text))
		return false;
	if (other && other != r->id)
		return refuse(c, "trust", block_taken, V("block", text),
			      V("system", system_name_of(c, other)));
	return run(c,
		   "INSERT INTO trust (block, system) VALUES (?, ?) "
		   "ON CONFLICT DO NOTHING",
		   "si", text, r->id);
}

static bool load_trust(struct changes *c, int64_t id, struct str *out)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT coalesce(group_concat(block, ', '), '') FROM "
			  "(SELECT block FROM trust WHERE system = ? "
			  "ORDER BY block)",
			  "i", id);

	if (query_next(&q) != ANSWER_YES)
		return broken(c);
	*out = query_text(&q, 0, c->arena);
	return true;
}

static bool set_trust(struct changes *c, const struct system_row *r,
		      struct str text)
{
	struct str part, old, new;
	size_t n = 0;

	if (!load_trust(c, r->id, &old) ||
	    !run(c, "DELETE FROM trust WHERE system = ?", "i", r->id))
		return false;
	while (str_split(&text, ',', &part)) {
		part = str_trim(part);
		if (str_empty(part))
			continue;
		if (++n > TRUSTS)
			return refuse(c, "trust", too_many_blocks,
				      V("most", TRUSTS));
		if (!add_trust(c, r, part))
			return false;
	}
	return load_trust(c, r->id, &new) &&
	       (str_same(old, new) ||
		change_log(c, "system", r->name, S("trust"), old, new));
}

/* ---- the changes ---- */

static struct str yes_no(int64_t on)
{
	return on ? S("yes") : S("no");
}

/* As it is set: empty is not set. */
static struct str count_text(struct changes *c, int64_t n)
{
	return n ? arena_strf(c->arena, "%lld", (long long)n) : S("");
}

static bool log_counts(struct changes *c, const struct system_row *old,
		       const struct system_row *new)
{
	for (int i = 0; i < COUNTS; i++)
		if (old->count[i] != new->count[i] &&
		    !change_log(c, "system", new->name, str_of(counts[i].key),
				count_text(c, old->count[i]),
				count_text(c, new->count[i])))
			return false;
	return true;
}

/* set_trust() does the same for the blocks. */
static bool log_row(struct changes *c, const struct system_row *old,
		    const struct system_row *new)
{
	bool same_password = str_same(old->password, new->password);
	const struct {
		const char *field;
		struct str old, new;
	} fields[] = {
		{ "hosts", old->hosts, new->hosts },
		{ "tls", str_of(tls_words[old->tls]),
		  str_of(tls_words[new->tls]) },
		{ "user", old->user, new->user },
		{ "password", S(""), same_password ? S("") : S("set") },
		{ "may_relay", yes_no(old->may_relay), yes_no(new->may_relay) },
		{ "xclient", yes_no(old->xclient), yes_no(new->xclient) },
		{ "smart_host", yes_no(old->smart_host),
		  yes_no(new->smart_host) },
		{ "when_down", str_of(when_down_words[old->when_down]),
		  str_of(when_down_words[new->when_down]) },
		{ "address_family", str_of(family_words[old->family]),
		  str_of(family_words[new->family]) },
		{ "outgoing", old->outgoing, new->outgoing },
	};

	for (size_t i = 0; i < array_size(fields); i++)
		if (!str_same(fields[i].old, fields[i].new) &&
		    !change_log(c, "system", new->name, str_of(fields[i].field),
				fields[i].old, fields[i].new))
			return false;
	return log_counts(c, old, new);
}

static bool apply(struct changes *c, struct system_row *r,
		  const struct setting *s, size_t n)
{
	const struct system_row old = *r;

	for (size_t i = 0; i < n; i++)
		if (!set_key(c, r, &s[i]))
			return false;
	if (!check_row(c, r) || !write_row(c, r) || !log_row(c, &old, r))
		return false;
	for (size_t i = 0; i < n; i++)
		if (is_key(s[i].key, "trust") && !set_trust(c, r, s[i].value))
			return false;
	return true;
}

static bool create(struct changes *c, struct str text, const struct setting *s,
		   size_t n)
{
	struct system_row r = { .tls = SYSTEM_TLS_OPPORTUNISTIC };

	/* Without a dot or colon: a relay that has no name is called by its hosts,
	 * and must not be taken for a system that has rights. */
	if (!value_name(c, text, REFUSE_bad_system_name, &r.name) ||
	    !find_id(c, r.name, &r.id))
		return false;
	if (r.id)
		return refuse(c, "name", system_exists, V("system", r.name));
	if (!run(c,
		 "INSERT INTO system (name, hosts, tls, when_down) VALUES "
		 "(?, '', 1, 0)",
		 "s", r.name))
		return false;
	r.id = sql_last_id(c->sql);
	return change_log(c, "system", r.name, S("created"), S(""), r.name) &&
	       apply(c, &r, s, n) &&
	       done(c, "The system %.*s is created.", STR(r.name));
}

static bool set(struct changes *c, struct str name, const struct setting *s,
		size_t n)
{
	struct system_row r;
	int64_t id;

	return system_id(c, "name", name, &id) && read_row(c, id, &r) &&
	       apply(c, &r, s, n) &&
	       done(c, "The system %.*s is changed.", STR(r.name));
}

static bool remove_system(struct changes *c, struct str name)
{
	struct query q scoped(query) = { 0 };
	struct system_row r;
	struct texts names;
	int64_t id, n;

	if (!system_id(c, "name", name, &id) || !read_row(c, id, &r))
		return false;
	q = sql_query(c->sql,
		      "SELECT login FROM holder WHERE system = ? "
		      "ORDER BY id",
		      "i", id);
	if (!name_list(c, &q, &names, &n))
		return false;
	if (n > 0)
		return refuse(c, NULL, system_in_use, V("n", n),
			      V("system", r.name), V("names", names));
	return run(c, "DELETE FROM system WHERE id = ?", "i", id) &&
	       change_log(c, "system", r.name, S("deleted"), r.name, S("")) &&
	       done(c, "The system %.*s is deleted.", STR(r.name));
}

struct change system_create(struct changes *c, struct str name,
			    const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && create(c, name, s, n));
}

struct change system_set(struct changes *c, struct str name,
			 const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && set(c, name, s, n));
}

struct change system_delete(struct changes *c, struct str name)
{
	return change_end(c, change_begin(c) && remove_system(c, name));
}
