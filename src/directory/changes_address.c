/*
 * Holders (users, groups, shared mailboxes) and the addresses they hold.
 *
 * Invariants: a holder has exactly one default address, left@* of its domain,
 * and its login is that with the domain's first name.  No two rows overlap:
 * left@* stands alone among left@..., except that the builtin ones lie below
 * all others and yield to them.
 */
#include "directory/change.h"

#include "base/limits.h"

const char *const kind_words[] = { "user", "group", "shared mailbox", NULL };

/* ---- places ---- */

/* "left@*" is parsed with a stand-in name. */
static bool parse_place(struct changes *c, const char *field, struct str text,
			struct address *a, bool *all)
{
	*all = str_ends(text, S("@*"));
	if (*all)
		text = arena_strf(c->arena, "%.*s@all.invalid",
				  STR(str_part(text, 0, text.n - 2)));
	if (!value_address(c, field, text, a))
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

	if (!parse_place(c, field, text, &a, &all))
		return false;
	if (!all && !domain_id(c, a.domain, &id))
		return false;
	if (!id)
		return missing(c, field, domain_not_here,
			       V("domain", all ? S("*") : a.domain));
	if (domain && id != domain)
		return refuse(c, field, other_domain, V("name", a.domain));
	*out = (struct place){ id, a.local, all ? S("*") : a.domain, STR_NONE };
	out->text = arena_strf(c->arena, "%.*s@%.*s", STR(a.local),
			       STR(out->name));
	return true;
}

/* An exact address collides with its like and with left@*; left@* with all. */
bool place_is_free(struct changes *c, const char *field, const struct place *p)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT h.login, h.kind, a.name FROM address a "
		"JOIN holder h ON h.id = a.holder "
		"WHERE a.domain = ?1 AND a.local = ?2 AND a.builtin = 0 AND "
		"(?3 = '*' OR a.name IN (?3, '*')) ORDER BY a.name", "iss",
		p->domain, p->local, p->name);
	enum answer a = query_next(&q);
	struct str login, name, held;
	const char *kind;

	if (a == ANSWER_NO)
		return true;
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

bool place_holder(struct changes *c, int64_t domain, struct str local,
		  struct str name, bool builtin, int64_t *holder)
{
	*holder = 0;
	return ask(c, holder,
		   "SELECT holder FROM address WHERE domain = ? AND local = ? "
		   "AND name IN (?, '*') AND builtin <= ? ORDER BY builtin, "
		   "name DESC LIMIT 1", "issb", domain, local, name, builtin);
}

bool place_add(struct changes *c, int64_t holder, const struct place *p,
	       bool is_default)
{
	return run(c, "INSERT INTO address (domain, local, name, holder, "
		      "is_default) VALUES (?, ?, ?, ?, ?)", "issib",
		   p->domain, p->local, p->name, holder, is_default);
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
	if (!ask(c, &accepts, "SELECT forward_unknown OR catch_all <> '' "
			      "FROM domain WHERE id = ?", "i", domain))
		return false;
	if (accepts && strcmp(field, "catch_all"))
		return true;
	return refuse(c, field, address_nobody_has, V("address", a->spelling));
}

/* ---- holders ---- */

static bool read_holder(struct changes *c, int64_t id, struct holder_row *out)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT id, kind, domain, enabled, builtin, mail_system, "
		"system, quota_bytes, forward_keeps_copy, login, name, "
		"password FROM holder WHERE id = ?", "i", id);

	if (query_next(&q) != ANSWER_YES)
		return broken(c);
	*out = (struct holder_row){
		.id = query_int(&q, 0),
		.kind = query_int(&q, 1),
		.domain = query_int(&q, 2),
		.enabled = query_int(&q, 3),
		.builtin = query_int(&q, 4),
		.mail_system = query_int(&q, 5),
		.system = query_int(&q, 6),
		.quota_bytes = query_int(&q, 7),
		.forward_keeps_copy = query_int(&q, 8),
		.login = query_text(&q, 9, c->arena),
		.name = query_text(&q, 10, c->arena),
		.password = query_text(&q, 11, c->arena),
	};
	return true;
}

/* *ID 0: nobody. */
static bool find(struct changes *c, int64_t domain, const struct address *a,
		 int64_t *id)
{
	return place_holder(c, domain, a->local, a->domain, false, id) &&
	       (*id || ask(c, id, "SELECT id FROM holder WHERE login = ?", "s",
			   address_key(a, c->arena)));
}

bool holder_find(struct changes *c, struct str address, int64_t *id)
{
	struct address a;
	int64_t domain;

	*id = 0;
	if (!address_parse(address, c->arena, &a))
		return true;
	return domain_id(c, a.domain, &domain) &&
	       (!domain || find(c, domain, &a, id));
}

/* KIND is what he asked for, in words. */
static bool load(struct changes *c, const char *kind, struct str text,
		 struct holder_row *out)
{
	struct address a;
	int64_t domain, id = 0;

	if (!value_address(c, "address", text, &a) ||
	    !domain_id(c, a.domain, &domain))
		return false;
	if (!domain)
		return missing(c, "address", holder_of_no_domain,
			       V("domain", a.domain), V("kind", kind),
			       V("address", text));
	if (!find(c, domain, &a, &id))
		return false;
	if (!id)
		return missing(c, "address", no_such_holder, V("kind", kind),
			       V("address", text));
	return read_holder(c, id, out);
}

bool holder_load(struct changes *c, struct str address, struct holder_row *out)
{
	return load(c, "user, group or shared mailbox", address, out);
}

bool holder_load_kind(struct changes *c, enum holder_kind kind,
		      struct str address, struct holder_row *out)
{
	if (!load(c, kind_words[kind], address, out))
		return false;
	if (out->kind == (int64_t)kind)
		return true;
	return missing(c, "address", holder_of_other_kind,
		       V("wanted", kind_words[kind]), V("address", address),
		       V("kind", kind_words[out->kind]));
}

/* Letters of RFC 5321's Dot-string: what needs no quotes anywhere. */
static bool check_login(struct changes *c, const struct address *a)
{
	if (a->has_detail)
		return refuse(c, "address", default_address_has_detail,
			      V("address", arena_strf(c->arena, "%.*s@%.*s",
						      STR(a->base),
						      STR(a->domain))));
	if (str_find(a->spelling, '"') >= 0)
		return refuse(c, "address", default_address_is_quoted);
	return true;
}

bool holder_insert(struct changes *c, struct str address, struct holder_row *h)
{
	struct domain_row d;
	struct address a;
	struct place p;

	if (!value_address(c, "address", address, &a) || !check_login(c, &a) ||
	    !domain_load(c, "address", a.domain, &d))
		return false;
	h->domain = d.id;
	h->login = arena_strf(c->arena, "%.*s@%.*s", STR(a.local),
			      STR(d.name));
	p = (struct place){ d.id, a.local, S("*"), h->login };
	if (!place_is_free(c, "address", &p))
		return false;
	if (!run(c, "INSERT INTO holder (kind, domain, login) VALUES "
		    "(?, ?, ?) ON CONFLICT DO NOTHING", "iis", h->kind,
		 h->domain, h->login))
		return false;
	if (sql_changes(c->sql) == 0)
		return refuse(c, "address", address_reserved,
			      V("address", h->login));
	h->id = sql_last_id(c->sql);
	return place_add(c, h->id, &p, true);
}

/* ---- who points at an address ---- */

/*
 * Catch-all and postmaster keys are refused, naming the domain; groups simply
 * lose the member.  NAME '*' stands for every name of the domain.
 */
static bool check_not_target(struct changes *c, int64_t domain, struct str local,
			     struct str name)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT d.name, d.catch_all, d.postmaster FROM domain d "
		"WHERE d.catch_all <> '' OR d.postmaster <> ''", "");
	struct str of_domain;
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		for (int i = 1; i <= 2; i++) {
			struct str text = query_text(&q, i, c->arena);
			struct address t;
			int64_t of = 0;

			if (!address_parse(text, c->arena, &t) ||
			    !str_same(t.base, local))
				continue;
			if (!domain_id(c, t.domain, &of))
				return false;
			if (of != domain || (!str_same(name, S("*")) &&
					     !str_same(name, t.domain)))
				continue;
			of_domain = query_text(&q, 0, c->arena);
			if (i == 2)
				return refuse(c, NULL, address_is_postmaster,
					      V("address", text),
					      V("domain", of_domain));
			return refuse(c, NULL, address_is_catch_all,
				      V("address", text),
				      V("domain", of_domain));
		}
	}
	return a != ANSWER_UNSURE || broken(c);
}

static bool drop_members(struct changes *c, int64_t domain, struct str local,
			 struct str name)
{
	return run(c, "DELETE FROM member WHERE local = ?1 AND "
		      "CASE ?2 WHEN '*' THEN domain IN (SELECT name FROM "
		      "domain_name WHERE domain = ?3) ELSE domain = ?2 END",
		   "ssi", local, name, domain);
}

static bool detach(struct changes *c, int64_t domain, struct str local,
		   struct str name)
{
	return check_not_target(c, domain, local, name) &&
	       drop_members(c, domain, local, name);
}

static bool detach_all(struct changes *c, const struct holder_row *h)
{
	struct query q scoped(query) = sql_query(
		c->sql, "SELECT local, name FROM address WHERE holder = ?", "i",
		h->id);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES)
		if (!detach(c, h->domain, query_text(&q, 0, c->arena),
			    query_text(&q, 1, c->arena)))
			return false;
	return a != ANSWER_UNSURE || broken(c);
}

bool holder_delete(struct changes *c, const struct holder_row *h)
{
	const char *noun = h->kind == HOLDER_SHARED ? "shared"
						    : kind_words[h->kind];

	if (h->builtin)
		return refuse(c, "address", builtin_stays,
			      V("address", h->login));
	if (h->kind == HOLDER_USER && !change_end_sessions(c, h->id, h->login))
		return false;
	return detach_all(c, h) &&
	       run(c, "DELETE FROM holder WHERE id = ?", "i", h->id) &&
	       change_log(c, noun, h->login, S("deleted"), h->login, S("")) &&
	       done(c, "The %s %.*s is deleted.", kind_words[h->kind],
		    STR(h->login));
}

/* ---- a user's way to another system ---- */

bool check_system(struct changes *c, const char *field,
		  const struct holder_row *h)
{
	int64_t elsewhere = 0, relay = 0;

	if (h->kind != HOLDER_USER || h->system)
		return true;
	if (h->mail_system == HOME_HOSTED &&
	    !ask(c, &elsewhere, "SELECT count(*) FROM address WHERE holder = ? "
				"AND home IN (1, 2)", "i", h->id))
		return false;
	if (h->mail_system != HOME_ALTERNATE && !elsewhere)
		return true;
	if (!ask(c, &relay, "SELECT relay <> '' FROM domain WHERE id = ?", "i",
		 h->domain))
		return false;
	if (relay)
		return true;
	return refuse(c, field, user_needs_relay, V("user", h->login));
}

/* ---- address add, remove, set ---- */

static bool add(struct changes *c, struct str holder, struct str address)
{
	struct holder_row h;
	struct place p;

	return holder_load(c, holder, &h) &&
	       place_parse(c, "address", address, h.domain, &p) &&
	       place_is_free(c, "address", &p) &&
	       place_add(c, h.id, &p, false) &&
	       change_log(c, "address", h.login, S("added"), S(""), p.text) &&
	       done(c, "%.*s is an address of %.*s.", STR(p.text),
		    STR(h.login));
}

struct address_row {
	int64_t id, holder, is_default, routed, home;
	struct place place;
};

static bool read_address(struct changes *c, const struct place *p,
			 int64_t holder, struct address_row *out)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT id, holder, is_default, routed, home, name FROM address "
		"WHERE domain = ?1 AND local = ?2 AND name IN (?3, '*') AND "
		"builtin = 0 AND (?4 = 0 OR holder = ?4) "
		"ORDER BY name DESC LIMIT 1", "issi", p->domain, p->local,
		p->name, holder);
	enum answer a = query_next(&q);

	if (a == ANSWER_UNSURE)
		return broken(c);
	if (a == ANSWER_NO)
		return missing(c, "address", no_such_address,
			       V("address", p->text));
	*out = (struct address_row){ query_int(&q, 0), query_int(&q, 1),
				     query_int(&q, 2), query_int(&q, 3),
				     query_int(&q, 4), *p };
	out->place.name = query_text(&q, 5, c->arena);
	out->place.text = arena_strf(c->arena, "%.*s@%.*s", STR(p->local),
				     STR(out->place.name));
	return true;
}

/* The only domain where somebody has left@*; 0: none, or more than one. */
static bool domain_of_all(struct changes *c, struct str text, int64_t *domain)
{
	struct address a;
	bool all;

	*domain = 0;
	if (!parse_place(c, "address", text, &a, &all))
		return false;
	if (!all)
		return true;
	if (!ask(c, domain, "SELECT CASE count(*) WHEN 1 THEN max(domain) "
			    "ELSE -count(*) END FROM address WHERE local = ? "
			    "AND name = '*' AND builtin = 0", "s", a.local))
		return false;
	if (*domain > 0)
		return true;
	if (*domain == 0)
		return missing(c, "address", no_such_address,
			       V("address", text));
	return refuse(c, "address", address_of_domains, V("n", -*domain),
		      V("address", text));
}

static bool find_address(struct changes *c, struct str holder, struct str text,
			 struct holder_row *h, struct address_row *out)
{
	struct place p;

	*h = (struct holder_row){ 0 };
	if (!str_empty(holder) && !holder_load(c, holder, h))
		return false;
	if (!h->domain && !domain_of_all(c, text, &h->domain))
		return false;
	return place_parse(c, "address", text, h->domain, &p) &&
	       read_address(c, &p, h->id, out) &&
	       read_holder(c, out->holder, h);
}

/* "bob@alias.example" names the row of bob@*; removing needs its own name. */
static bool is_as_written(struct changes *c, struct str text,
			  const struct address_row *r)
{
	bool all = str_same(r->place.name, S("*"));

	if (all == str_ends(text, S("@*")))
		return true;
	return refuse(c, "address", address_on_all_aliases, V("address", text),
		      V("held", r->place.text));
}

static bool remove_address(struct changes *c, struct str holder,
			   struct str text)
{
	struct address_row r;
	struct holder_row h;

	if (!find_address(c, holder, text, &h, &r))
		return false;
	if (r.is_default)
		return refuse(c, "address", default_address_stays,
			      V("address", r.place.text),
			      V("kind", kind_words[h.kind]),
			      V("holder", h.login));
	return is_as_written(c, text, &r) &&
	       detach(c, h.domain, r.place.local, r.place.name) &&
	       run(c, "DELETE FROM address WHERE id = ?", "i", r.id) &&
	       change_log(c, "address", h.login, S("removed"), r.place.text,
			  S("")) &&
	       done(c, "%.*s is no address of %.*s any more.",
		    STR(r.place.text), STR(h.login));
}

static bool set_one(struct changes *c, const struct setting *s,
		    struct address_row *r)
{
	static const char *const keys[] = { "routed", "home", NULL };
	bool routed = false;

	if (is_key(s->key, "home"))
		return value_word(c, "home", s->value, home_words, &r->home);
	if (!is_key(s->key, "routed"))
		return unknown_key(c, "address", s->key, keys);
	if (!value_bool(c, "routed", s->value, &routed))
		return false;
	r->routed = routed;
	return true;
}

static bool log_address(struct changes *c, const struct holder_row *h,
			const struct address_row *old,
			const struct address_row *new)
{
	static const char *const routed_words[] = { "no", "yes" };
	struct str text = new->place.text;

	if (old->routed != new->routed &&
	    !change_log(c, "address", text, S("routed"),
			str_of(routed_words[old->routed]),
			str_of(routed_words[new->routed])))
		return false;
	return old->home == new->home ||
	       change_log(c, "address", text, S("home"),
			  str_of(home_words[old->home]),
			  str_of(home_words[new->home]));
}

/* What a setting for the other mail system waits for. */
static const char *in_force(const struct holder_row *h, const struct setting *s,
			    size_t n)
{
	bool routed = false, home = false;

	for (size_t i = 0; i < n; i++) {
		routed |= is_key(s[i].key, "routed");
		home |= is_key(s[i].key, "home");
	}
	if (routed && !home && h->mail_system != HOME_ALTERNATE)
		return " It counts once the user is on the alternate mail "
		       "server; now home= does.";
	if (home && !routed && h->mail_system != HOME_HOSTED)
		return " It counts once the user is hosted; now routed= does.";
	return "";
}

static bool set_address(struct changes *c, struct str text,
			const struct setting *s, size_t n)
{
	struct address_row old, r;
	struct holder_row h;

	if (!find_address(c, STR_NONE, text, &h, &old))
		return false;
	if (h.kind != HOLDER_USER)
		return refuse(c, "address", only_users_live_elsewhere,
			      V("address", text),
			      V("kind", kind_words[h.kind]),
			      V("holder", h.login));
	r = old;
	for (size_t i = 0; i < n; i++)
		if (!set_one(c, &s[i], &r))
			return false;
	return run(c, "UPDATE address SET routed = ?, home = ? WHERE id = ?",
		   "iii", r.routed, r.home, r.id) &&
	       check_system(c, "home", &h) && log_address(c, &h, &old, &r) &&
	       done(c, "%.*s of %.*s is changed.%s", STR(r.place.text),
		    STR(h.login), in_force(&h, s, n));
}

struct change address_add(struct changes *c, struct str holder,
			  struct str address)
{
	return change_end(c, change_begin(c) && add(c, holder, address));
}

struct change address_remove(struct changes *c, struct str holder,
			     struct str address)
{
	return change_end(c, change_begin(c) &&
				     remove_address(c, holder, address));
}

struct change address_set(struct changes *c, struct str address,
			  const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && set_address(c, address, s, n));
}
