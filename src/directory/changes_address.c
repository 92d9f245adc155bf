/*
 * Holders (users, groups, shared mailboxes) come and go, and the addresses they
 * hold.
 *
 * Invariants: a holder has exactly one default address, left@* of its domain,
 * and its login is that with the domain's first name.
 */
#include "directory/change.h"

#include "base/limits.h"
#include "directory/deleted.h"

/* ---- holders ---- */

/* Letters of RFC 5321's Dot-string: what needs no quotes anywhere. */
bool check_default_address(struct changes *c, const struct address *a)
{
	if (a->has_detail)
		return refuse(
			c, "address", default_address_has_detail,
			V("address", arena_strf(c->arena, "%.*s@%.*s",
						STR(a->base), STR(a->domain))));
	if (str_find(a->spelling, '"') >= 0)
		return refuse(c, "address", default_address_is_quoted);
	return true;
}

bool holder_insert(struct changes *c, struct str address, struct holder_row *h)
{
	struct domain_row d;
	struct address a;
	struct place p;

	if (!value_address(c, "address", address, &a) ||
	    !check_default_address(c, &a) ||
	    !domain_load(c, "address", a.domain, &d))
		return false;
	h->domain = d.id;
	h->login = arena_strf(c->arena, "%.*s@%.*s", STR(a.local), STR(d.name));
	p = (struct place){ d.id, a.local, S("*"), h->login };
	if (!place_is_free(c, "address", &p))
		return false;
	if (!run(c,
		 "INSERT INTO holder (kind, domain, login, sort_key) "
		 "VALUES (?1, ?2, ?3, sort_key(?3)) ON CONFLICT DO NOTHING",
		 "iis", h->kind, h->domain, h->login))
		return false;
	if (sql_changes(c->sql) == 0)
		return refuse(c, "address", address_reserved,
			      V("address", h->login));
	h->id = sql_last_id(c->sql);
	return place_add(c, h->id, &p, true);
}

/* ---- deleting ---- */

static bool detach(struct changes *c, const struct holder_row *h)
{
	struct references all = { 0 };

	return references_find_holder(c, h, &all) &&
	       references_find_admin(c, h, &all) && deleted_keep(c, h, &all) &&
	       references_settle(c, &all, h->login) &&
	       kept_forwards_leave(c, h);
}

bool holder_delete(struct changes *c, const struct holder_row *h)
{
	const char *noun =
		h->kind == HOLDER_SHARED ? "shared" : kind_words[h->kind];

	if (h->builtin)
		return refuse(c, "address", builtin_stays,
			      V("address", h->login));
	if (h->kind == HOLDER_USER && !change_end_sessions(c, h->id, h->login))
		return false;
	if (!detach(c, h) ||
	    !run(c, "DELETE FROM holder WHERE id = ?", "i", h->id) ||
	    !change_log(c, noun, h->login, S("deleted"), h->login, S("")))
		return false;
	if (h->kind == HOLDER_GROUP)
		return done(c, "The group %.*s is deleted.", STR(h->login));
	return done(c,
		    "The %s %.*s is deleted. For %d days `splitmail %s "
		    "restore %.*s` brings back what was here.",
		    kind_words[h->kind], STR(h->login), KEPT_DAYS, noun,
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
	    !ask(c, &elsewhere,
		 "SELECT count(*) FROM address WHERE holder = ? "
		 "AND home IN (1, 2)",
		 "i", h->id))
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
	       place_take_in(c, &h, &p) && place_is_free(c, "address", &p) &&
	       place_add(c, h.id, &p, false) && check_rank(c, &h) &&
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
		"ORDER BY name DESC LIMIT 1",
		"issi", p->domain, p->local, p->name, holder);
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
	if (!value_place(c, "address", text, &a, &all))
		return false;
	if (!all)
		return true;
	if (!ask(c, domain,
		 "SELECT CASE count(*) WHEN 1 THEN max(domain) "
		 "ELSE -count(*) END FROM address WHERE local = ? "
		 "AND name = '*' AND builtin = 0",
		 "s", a.local))
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
	       holder_read(c, out->holder, h);
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

static bool detach_address(struct changes *c, const struct place *p)
{
	struct target t = { p->domain, p->local, p->name, 0, 0 };
	struct references all = { 0 };

	return references_find(c, &t, &all) &&
	       references_settle(c, &all, p->text) &&
	       kept_forwards_lead(c, &t, NULL, STR_NONE);
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
	return check_rank(c, &h) && is_as_written(c, text, &r) &&
	       detach_address(c, &r.place) &&
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
			      V("address", text), V("kind", kind_words[h.kind]),
			      V("holder", h.login));
	if (!check_rank(c, &h))
		return false;
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
	return change_end(
		c, change_begin(c) && remove_address(c, holder, address));
}

struct change address_set(struct changes *c, struct str address,
			  const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && set_address(c, address, s, n));
}
