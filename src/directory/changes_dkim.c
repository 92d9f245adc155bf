/*
 * Keys that sign a domain's mail: made, used, succeeded, deleted (dkim.h).
 *
 * Invariant: at most one key of each algorithm signs in a domain's name.
 */
#include "directory/dkim.h"

#include "directory/change.h"
#include "rt/signing_key.h"

enum { SELECTOR_BYTES = 63, NAME_BYTES = 253, DAY_S = 86400 };

struct key_row {
	int64_t id, algorithm, state, since_s;
	struct str selector;
};

static bool count_keys(struct changes *c, const struct domain_row *d,
		       int64_t *n)
{
	*n = 0;
	return ask(c, n, "SELECT count(*) FROM dkim_key WHERE domain = ?", "i",
		   d->id);
}

static bool no_key(struct changes *c, const struct domain_row *d,
		   struct str selector)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT selector FROM dkim_key WHERE domain = ? "
			  "ORDER BY id",
			  "i", d->id);
	struct texts names;
	int64_t n;

	if (!name_list(c, &q, &names, &n))
		return false;
	if (n == 0)
		return missing(c, "selector", no_dkim_key_at_all,
			       V("domain", d->name));
	return missing(c, "selector", no_such_dkim_key, V("n", n),
		       V("domain", d->name), V("selector", selector),
		       V("names", names));
}

static bool load(struct changes *c, const struct domain_row *d,
		 struct str selector, struct key_row *out)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT id, algorithm, state, since_s, selector FROM "
			  "dkim_key WHERE domain = ? AND selector = lower(?)",
			  "is", d->id, selector);
	enum answer a = query_next(&q);

	if (a == ANSWER_UNSURE)
		return broken(c);
	if (a == ANSWER_NO)
		return no_key(c, d, selector);
	*out = (struct key_row){
		.id = query_int(&q, 0),
		.algorithm = query_int(&q, 1),
		.state = query_int(&q, 2),
		.since_s = query_int(&q, 3),
		.selector = query_text(&q, 4, c->arena),
	};
	return true;
}

static bool note(struct changes *c, const struct domain_row *d,
		 struct str selector, const char *old, const char *new)
{
	struct str was = S(""), is = S("");

	if (old)
		was = arena_strf(c->arena, "%.*s: %s", STR(selector), old);
	if (new)
		is = arena_strf(c->arena, "%.*s: %s", STR(selector), new);
	return change_log(c, "domain", d->name, S("dkim"), was, is);
}

/* ---- a selector ---- */

static bool is_taken(struct changes *c, const struct domain_row *d,
		     struct str selector, int64_t *id)
{
	*id = 0;
	return ask(c, id,
		   "SELECT id FROM dkim_key WHERE domain = ? AND selector = ?",
		   "is", d->id, selector);
}

/* In lower case. */
static bool is_label(struct str given, struct arena *arena, struct str *out)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	char *lower = arena_cstr(arena, given);

	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	*out = str_of(lower);
	return given.n > 0 && strspn(lower, letters) == given.n &&
	       !str_starts(*out, S("-")) && !str_ends(*out, S("-"));
}

/* A label of DNS, and short enough for the record's name. */
static bool check_selector(struct changes *c, const struct domain_row *d,
			   struct str given, struct str *out)
{
	int64_t most =
		NAME_BYTES - (int64_t)S("._domainkey.").n - (int64_t)d->name.n;
	int64_t other;

	if (most > SELECTOR_BYTES)
		most = SELECTOR_BYTES;
	if (!is_label(given, c->arena, out) || (int64_t)given.n > most)
		return refuse(c, "selector", bad_selector, V("given", given),
			      V("most", most));
	if (!is_taken(c, d, *out, &other))
		return false;
	return other ? refuse(c, "selector", dkim_key_exists,
			      V("domain", d->name), V("selector", *out))
		     : true;
}

/* "rsa-202611", "rsa-202611-2"... */
static bool name_one(struct changes *c, const struct domain_row *d,
		     enum dkim_algorithm a, struct str *out)
{
	int64_t month = 0, other = 0;

	if (!ask(c, &month, "SELECT CAST(strftime('%Y%m', 'now') AS INTEGER)",
		 ""))
		return false;
	for (int i = 1; i == 1 || other; i++) {
		*out = arena_strf(c->arena, "%s-%lld", dkim_algorithm_name(a),
				  (long long)month);
		if (i > 1)
			*out = arena_strf(c->arena, "%.*s-%d", STR(*out), i);
		if (!is_taken(c, d, *out, &other))
			return false;
	}
	return true;
}

/* ---- used ---- */

static bool retire(struct changes *c, const struct domain_row *d,
		   int64_t algorithm)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT selector FROM dkim_key WHERE domain = ? AND "
			  "algorithm = ? AND state = ?",
			  "iii", d->id, algorithm, (int64_t)DKIM_ACTIVE);
	struct str selector;

	switch (query_next(&q)) {
	case ANSWER_NO:
		return true;
	case ANSWER_UNSURE:
		return broken(c);
	case ANSWER_YES:
		break;
	}
	selector = query_text(&q, 0, c->arena);
	return note(c, d, selector, "active", "old") &&
	       run(c,
		   "UPDATE dkim_key SET state = ?, since_s = unixepoch() "
		   "WHERE domain = ? AND selector = ?",
		   "iis", (int64_t)DKIM_OLD, d->id, selector);
}

static bool use(struct changes *c, const struct domain_row *d,
		const struct key_row *k)
{
	if (k->state == DKIM_ACTIVE)
		return true;
	return retire(c, d, k->algorithm) &&
	       note(c, d, k->selector,
		    dkim_state_name((enum dkim_state)k->state), "active") &&
	       run(c,
		   "UPDATE dkim_key SET state = ?, since_s = unixepoch() "
		   "WHERE id = ?",
		   "ii", (int64_t)DKIM_ACTIVE, k->id);
}

static bool use_one(struct changes *c, struct str domain, struct str selector)
{
	struct domain_row d;
	struct key_row k;

	if (!domain_load(c, "name", domain, &d))
		return false;
	if (str_empty(selector))
		return missing(c, "selector", no_new_dkim_key,
			       V("domain", d.name));
	return load(c, &d, selector, &k) && use(c, &d, &k) &&
	       done(c, "The key %.*s signs mail of %.*s.", STR(k.selector),
		    STR(d.name));
}

/* ---- made ---- */

static bool insert(struct changes *c, const struct domain_row *d,
		   struct str selector, enum dkim_algorithm a)
{
	struct str private =
		signing_key_make((enum signing_algorithm)a, c->arena);

	if (!private.p)
		return broken(c);
	return run(c,
		   "INSERT INTO dkim_key (domain, selector, algorithm, state, "
		   "private, since_s) VALUES (?, ?, ?, ?, ?, unixepoch())",
		   "isiis", d->id, selector, (int64_t)a, (int64_t)DKIM_NEW,
		   private) &&
	       note(c, d, selector, NULL, "new");
}

static bool make(struct changes *c, const struct domain_row *d,
		 struct str selector, enum dkim_algorithm a, bool is_used)
{
	struct key_row k;
	int64_t n;

	if (!count_keys(c, d, &n))
		return false;
	if (n >= DKIM_KEYS_MOST)
		return refuse(c, NULL, too_many_dkim_keys, V("domain", d->name),
			      V("most", DKIM_KEYS_MOST));
	if (str_empty(selector) ? !name_one(c, d, a, &selector)
				: !check_selector(c, d, selector, &selector))
		return false;
	if (!insert(c, d, selector, a))
		return false;
	return !is_used || (load(c, d, selector, &k) && use(c, d, &k));
}

static bool create(struct changes *c, struct str domain,
		   const struct dkim_wish *w)
{
	static const char *const words[] = { "rsa", "ed25519", NULL };
	int64_t only = DKIM_RSA;
	struct domain_row d;
	bool both = str_empty(w->algorithm) && str_empty(w->selector);

	if (!domain_load(c, "name", domain, &d))
		return false;
	if (!str_empty(w->algorithm) &&
	    !value_word(c, "algorithm", w->algorithm, words, &only))
		return false;
	for (int64_t a = 0; a < DKIM_ALGORITHMS; a++)
		if ((both || a == only) &&
		    !make(c, &d, w->selector, (enum dkim_algorithm)a,
			  w->is_used))
			return false;
	if (w->is_used)
		return done(c, "Mail of %.*s is signed with it from now on.",
			    STR(d.name));
	return done(c,
		    "Publish what `splitmail domain dkim show %.*s` shows; "
		    "`splitmail domain dkim use %.*s` signs with it then.",
		    STR(d.name), STR(d.name));
}

/* ---- succeeded ---- */

static bool check_none_waits(struct changes *c, const struct domain_row *d)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT selector FROM dkim_key WHERE domain = ? AND "
			  "state = ? ORDER BY id",
			  "ii", d->id, (int64_t)DKIM_NEW);

	switch (query_next(&q)) {
	case ANSWER_NO:
		return true;
	case ANSWER_UNSURE:
		return broken(c);
	case ANSWER_YES:
		break;
	}
	return refuse(c, NULL, dkim_key_waits,
		      V("selector", query_text(&q, 0, c->arena)));
}

static bool signs(struct changes *c, const struct domain_row *d, int64_t a,
		  int64_t *n)
{
	*n = 0;
	return ask(c, n,
		   "SELECT count(*) FROM dkim_key WHERE domain = ? AND "
		   "algorithm = ? AND state = ?",
		   "iii", d->id, a, (int64_t)DKIM_ACTIVE);
}

static bool rotate(struct changes *c, struct str domain, bool is_used)
{
	int64_t n, all = 0;
	struct domain_row d;

	if (!domain_load(c, "name", domain, &d) || !check_none_waits(c, &d))
		return false;
	for (int64_t a = 0; a < DKIM_ALGORITHMS; a++) {
		if (!signs(c, &d, a, &n))
			return false;
		all += n;
		if (n &&
		    !make(c, &d, STR_NONE, (enum dkim_algorithm)a, is_used))
			return false;
	}
	if (all == 0)
		return missing(c, NULL, no_dkim_key_at_all,
			       V("domain", d.name));
	return done(c,
		    is_used ? "Mail of %.*s is signed with other keys from now "
			      "on."
			    : "New keys of %.*s are made: publish them, and "
			      "use them.",
		    STR(d.name));
}

/* ---- deleted ---- */

static bool check_unneeded(struct changes *c, const struct domain_row *d,
			   const struct key_row *k)
{
	int64_t now = 0, left;

	if (k->state == DKIM_NEW)
		return true;
	if (k->state == DKIM_ACTIVE)
		return refuse(c, "selector", dkim_key_signs,
			      V("selector", k->selector), V("domain", d->name));
	if (!ask(c, &now, "SELECT unixepoch()", ""))
		return false;
	left = k->since_s + DKIM_KEPT_S - now;
	return left <= 0 || refuse(c, "selector", dkim_key_is_needed,
				   V("selector", k->selector),
				   V("n", (left + DAY_S - 1) / DAY_S));
}

static bool remove_key(struct changes *c, struct str domain,
		       struct str selector, bool anyway)
{
	struct domain_row d;
	struct key_row k;

	return domain_load(c, "name", domain, &d) &&
	       load(c, &d, selector, &k) &&
	       (anyway || check_unneeded(c, &d, &k)) &&
	       run(c, "DELETE FROM dkim_key WHERE id = ?", "i", k.id) &&
	       note(c, &d, k.selector,
		    dkim_state_name((enum dkim_state)k.state), NULL) &&
	       done(c, "The key %.*s of %.*s is deleted.", STR(k.selector),
		    STR(d.name));
}

struct change dkim_create(struct changes *c, struct str domain,
			  const struct dkim_wish *w)
{
	return change_end(c, change_begin(c) && create(c, domain, w));
}

struct change dkim_use(struct changes *c, struct str domain,
		       struct str selector)
{
	return change_end(c, change_begin(c) && use_one(c, domain, selector));
}

struct change dkim_not_published(struct changes *c, struct str selector,
				 struct str name, const char *found)
{
	return change_end(
		c,
		change_begin(c) && refuse(c, "selector", dkim_not_published,
					  V("selector", selector),
					  V("name", name), V("found", found)));
}

struct change dkim_rotate(struct changes *c, struct str domain, bool is_used)
{
	return change_end(c, change_begin(c) && rotate(c, domain, is_used));
}

struct change dkim_delete(struct changes *c, struct str domain,
			  struct str selector, bool anyway)
{
	return change_end(
		c, change_begin(c) && remove_key(c, domain, selector, anyway));
}
