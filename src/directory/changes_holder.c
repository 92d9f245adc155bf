/*
 * Users, groups, shared mailboxes: what they share, and where a user's mail
 * lives.
 *
 * Invariant: whoever stops being hosted and enabled here, is deleted, or gets
 * another password, has his open sessions ended (session_end).
 */
#include "directory/change.h"
#include "directory/password.h"
#include "directory/password_import.h"

enum {
	NAME_BYTES = 250,
	FORWARDS = 50, /* of one user */
};

/* ---- settings ---- */

static bool set_mail_system(struct changes *c, struct holder_row *h,
			    struct str v)
{
	static const char *const words[] = { "hosted", "alternate", "none",
					     NULL };
	static const enum home homes[] = { HOME_HOSTED, HOME_ALTERNATE,
					   HOME_NONE };
	int64_t i = 0;

	if (!value_word(c, "mail_system", v, words, &i))
		return false;
	h->mail_system = homes[i];
	return true;
}

static bool set_system(struct changes *c, struct holder_row *h, struct str v)
{
	h->system = 0;
	return str_empty(v) || system_id(c, "system", v, &h->system);
}

static bool set_enabled(struct changes *c, struct holder_row *h, struct str v)
{
	bool on = false;

	if (!value_bool(c, "enabled", v, &on))
		return false;
	h->enabled = on;
	return true;
}

static bool set_name(struct changes *c, struct holder_row *h, struct str v)
{
	return value_text(c, "name", v, NAME_BYTES, &h->name);
}

static bool set_quota(struct changes *c, struct holder_row *h, struct str v)
{
	return value_size(c, "quota", v, &h->quota_bytes);
}

static bool set_forward_copy(struct changes *c, struct holder_row *h,
			     struct str v)
{
	bool on = false;

	if (!value_bool(c, "forward_copy", v, &on))
		return false;
	h->forward_keeps_copy = on;
	return true;
}

static bool set_password(struct changes *c, struct holder_row *h, struct str v)
{
	return value_password(c, h->login, v, &h->password);
}

static bool check_hash(struct changes *c, struct str v)
{
	static const char field[] = "password_hash";
	struct imported_hash h = imported_hash_judge(v, c->arena);
	struct str scheme = arena_strf(c->arena, "{%.*s}", STR(h.scheme));

	switch (h.verdict) {
	case HASH_GOOD:
		return true;
	case HASH_MALFORMED:
		break;
	case HASH_READABLE:
		return refuse(c, field, hash_is_readable, V("scheme", scheme));
	case HASH_UNKNOWN:
		return refuse(c, field, hash_scheme_unknown,
			      V("scheme", scheme),
			      V("schemes", imported_hash_schemes(c->arena)));
	case HASH_OF_A_NAME:
		return refuse(c, field, hash_of_a_name, V("scheme", scheme));
	case HASH_MISSHAPEN:
		return refuse(c, field, hash_misshapen, V("scheme", scheme),
			      V("shape", h.shape));
	case HASH_COSTLY:
		return refuse(c, field, hash_too_costly, V("scheme", scheme));
	}
	return refuse(c, field, bad_password_hash, V("shape", "{SCHEME}hash"));
}

static bool set_password_hash(struct changes *c, struct holder_row *h,
			      struct str v)
{
	h->password = v;
	return str_empty(v) || check_hash(c, v);
}

static struct str get_mail_system(struct changes *c, const struct holder_row *h)
{
	return str_of(home_words[h->mail_system]);
}

static struct str get_system(struct changes *c, const struct holder_row *h)
{
	return system_name_of(c, h->system);
}

static struct str get_enabled(struct changes *c, const struct holder_row *h)
{
	return h->enabled ? S("yes") : S("no");
}

static struct str get_name(struct changes *c, const struct holder_row *h)
{
	return h->name;
}

static struct str get_quota(struct changes *c, const struct holder_row *h)
{
	return bytes_text(c, h->quota_bytes);
}

static struct str get_forward_copy(struct changes *c,
				   const struct holder_row *h)
{
	return h->forward_keeps_copy ? S("yes") : S("no");
}

/* KINDS says for whom the key is, 1 << enum holder_kind. */
enum {
	USER = 1 << HOLDER_USER,
	GROUP = 1 << HOLDER_GROUP,
	SHARED = 1 << HOLDER_SHARED
};

static const struct key {
	const char *name;
	unsigned kinds;
	bool (*set)(struct changes *c, struct holder_row *h, struct str v);
	struct str (*get)(struct changes *c, const struct holder_row *h);
} keys[] = {
	{ "mail_system", USER, set_mail_system, get_mail_system },
	{ "system", USER, set_system, get_system },
	{ "enabled", USER | GROUP | SHARED, set_enabled, get_enabled },
	{ "name", USER | GROUP | SHARED, set_name, get_name },
	{ "quota", USER | SHARED, set_quota, get_quota },
	{ "forward_copy", USER, set_forward_copy, get_forward_copy },
	{ "password", USER, set_password, NULL },
	{ "password_hash", USER, set_password_hash, NULL },
};

/* Keys that are lists, with tables of their own. */
static bool is_list(const struct holder_row *h, struct str key, bool creating)
{
	if (is_key(key, h->kind == HOLDER_USER ? "forward" : "senders"))
		return true;
	if (!creating)
		return false;
	return is_key(key, "address") ||
	       (h->kind == HOLDER_GROUP && is_key(key, "member"));
}

static bool set_key(struct changes *c, struct holder_row *h,
		    const struct setting *s, bool creating)
{
	const char *names[array_size(keys) + 2] = { NULL };
	size_t n = 0;

	if (is_list(h, s->key, creating))
		return true;
	names[n++] = h->kind == HOLDER_USER ? "forward" : "senders";
	for (size_t i = 0; i < array_size(keys); i++) {
		if (!(keys[i].kinds & 1u << h->kind))
			continue;
		if (is_key(s->key, keys[i].name))
			return keys[i].set(c, h, s->value);
		names[n++] = keys[i].name;
	}
	return unknown_key(c, kind_words[h->kind], s->key, names);
}

const char *holder_noun(const struct holder_row *h)
{
	return h->kind == HOLDER_SHARED ? "shared" : kind_words[h->kind];
}

static bool log_keys(struct changes *c, const struct holder_row *old,
		     const struct holder_row *new)
{
	for (size_t i = 0; i < array_size(keys); i++) {
		struct str before, after;

		if (!keys[i].get)
			continue;
		before = keys[i].get(c, old);
		after = keys[i].get(c, new);
		if (!str_same(before, after) &&
		    !change_log(c, holder_noun(new), new->login,
				str_of(keys[i].name), before, after))
			return false;
	}
	return str_same(old->password, new->password) ||
	       change_log(c, holder_noun(new), new->login, S("password"), S(""),
			  str_empty(new->password) ? S("removed") : S("set"));
}

/* ---- forwards ---- */

static bool add_forward(struct changes *c, const struct holder_row *h,
			struct str text)
{
	struct address a;
	int64_t domain, holder = 0;

	if (!value_address(c, "forward", text, &a) ||
	    !address_leads(c, "forward", &a) ||
	    !domain_id(c, a.domain, &domain))
		return false;
	if (domain &&
	    !place_holder(c, domain, a.local, a.domain, false, &holder))
		return false;
	if (holder == h->id)
		return refuse(c, "forward", forward_to_himself,
			      V("address", a.spelling));
	return run(c,
		   "INSERT INTO forward (holder, spelling, local, domain) "
		   "VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		   "isss", h->id, a.spelling, a.local, a.domain);
}

static bool set_forwards(struct changes *c, const struct holder_row *h,
			 struct str text)
{
	struct str part, old, new;
	size_t n = 0;

	if (!forwards_text(c, h->id, &old) ||
	    !run(c, "DELETE FROM forward WHERE holder = ?", "i", h->id))
		return false;
	while (str_split(&text, ',', &part)) {
		part = str_trim(part);
		if (str_empty(part))
			continue;
		if (++n > FORWARDS)
			return refuse(c, "forward", too_many_forwards,
				      V("most", FORWARDS));
		if (!add_forward(c, h, part))
			return false;
	}
	return forwards_text(c, h->id, &new) &&
	       (str_same(old, new) ||
		change_log(c, "user", h->login, S("forward"), old, new));
}

/* ---- addresses given at creation ---- */

static bool add_address(struct changes *c, const struct holder_row *h,
			struct str text)
{
	struct place p;

	return place_parse(c, "address", text, h->domain, &p) &&
	       place_is_free(c, "address", &p) &&
	       place_add(c, h->id, &p, false) &&
	       change_log(c, "address", h->login, S("added"), S(""), p.text);
}

static bool set_lists(struct changes *c, const struct holder_row *h,
		      const struct setting *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_key(s[i].key, "address") &&
		    !add_address(c, h, s[i].value))
			return false;
		if (is_key(s[i].key, "forward") &&
		    !set_forwards(c, h, s[i].value))
			return false;
		if (is_key(s[i].key, "senders") &&
		    !senders_set(c, h, s[i].value))
			return false;
		if (is_key(s[i].key, "member") && !member_add(c, h, s[i].value))
			return false;
	}
	return true;
}

/* ---- the changes ---- */

static bool write_row(struct changes *c, const struct holder_row *h)
{
	return run(c,
		   "UPDATE holder SET name = ?, enabled = ?, "
		   "mail_system = ?, system = ?, password = ?, "
		   "quota_bytes = ?, forward_keeps_copy = ?, "
		   "changed_at = unixepoch() WHERE id = ?",
		   "siiIsiii", h->name, h->enabled, h->mail_system, h->system,
		   h->password, h->quota_bytes, h->forward_keeps_copy, h->id);
}

static bool may_log_in(const struct holder_row *h)
{
	return h->kind == HOLDER_USER && h->enabled &&
	       h->mail_system == HOME_HOSTED;
}

static bool end_old_sessions(struct changes *c, const struct holder_row *old,
			     const struct holder_row *new)
{
	if (!may_log_in(old))
		return true;
	if (may_log_in(new) && str_same(old->password, new->password))
		return true;
	return change_end_sessions(c, new->id, new->login);
}

bool check_mailbox_name(struct changes *c, const struct holder_row *h)
{
	if (h->kind == HOLDER_GROUP ||
	    (h->kind == HOLDER_USER && h->mail_system != HOME_HOSTED))
		return true;
	for (size_t i = 0; i < h->login.n; i++)
		if (h->login.p[i] & 0x80)
			return refuse(c, "address", default_address_not_ascii,
				      V("address", h->login));
	return true;
}

/* An administrator without a password of his own signs in with his user's, and
 * the console knows hashes of ours only. */
static bool check_own_hash(struct changes *c, const struct holder_row *old,
			   const struct holder_row *h)
{
	int64_t is_admin = 0;

	if (h->kind != HOLDER_USER || str_empty(h->password) ||
	    str_same(old->password, h->password) ||
	    password_is_ours(h->password))
		return true;
	if (!ask(c, &is_admin,
		 "SELECT 1 FROM admin WHERE name = ? AND "
		 "password = ''",
		 "s", h->login))
		return false;
	return !is_admin || refuse(c, "password_hash", hash_of_administrator,
				   V("user", h->login));
}

static bool apply(struct changes *c, struct holder_row *h,
		  const struct setting *s, size_t n, bool creating)
{
	const struct holder_row old = *h;

	for (size_t i = 0; i < n; i++)
		if (!set_key(c, h, &s[i], creating))
			return false;
	return check_mailbox_name(c, h) && check_own_hash(c, &old, h) &&
	       write_row(c, h) && set_lists(c, h, s, n) &&
	       check_system(c, "mail_system", h) && log_keys(c, &old, h) &&
	       (creating || end_old_sessions(c, &old, h));
}

static bool lacks_password(const struct holder_row *h)
{
	return h->kind == HOLDER_USER && h->mail_system == HOME_HOSTED &&
	       str_empty(h->password);
}

/* Said once, when it has become so. */
static const char *about_login(struct changes *c, bool lacked_password,
			       const struct holder_row *now)
{
	if (lacked_password || !lacks_password(now))
		return "";
	return arena_printf(c->arena,
			    " He has no password, and cannot log in until one "
			    "is set: `splitmail user password %.*s`.",
			    STR(now->login));
}

/* What has led to one of his addresses before anybody had it: as a domain that
 * forwards unknown addresses lets it. */
static const char *about_references(struct changes *c,
				    const struct holder_row *made)
{
	struct references all = { 0 };
	struct str text = S(" {n} other leads to it already: {names}.|"
			    " {n} others lead to it already: {names}.");

	if (!references_find_holder(c, made, &all) || all.n == 0)
		return "";
	text = sentence_fill(
		text,
		VALUES(V("n", all.n), V("names", references_texts(c, &all))),
		c->arena);
	return arena_cstr(c->arena, text);
}

static bool create(struct changes *c, enum holder_kind kind, struct str address,
		   const struct setting *s, size_t n)
{
	struct holder_row h = { .kind = kind,
				.enabled = true,
				.forward_keeps_copy = true };

	/* With all his addresses, one of which a superior may forward to. */
	return holder_insert(c, address, &h) &&
	       change_log(c, holder_noun(&h), h.login, S("created"), S(""),
			  h.login) &&
	       apply(c, &h, s, n, true) && check_rank(c, &h) &&
	       done(c, "The %s %.*s is created.%s%s", kind_words[kind],
		    STR(h.login), about_login(c, false, &h),
		    about_references(c, &h));
}

static bool set_loaded(struct changes *c, const struct holder_row *h,
		       const struct setting *s, size_t n)
{
	struct holder_row now = *h;

	if (h->builtin)
		for (size_t i = 0; i < n; i++)
			if (is_key(s[i].key, "enabled"))
				return refuse(c, "enabled",
					      builtin_stays_enabled);
	return check_rank(c, h) && apply(c, &now, s, n, false) &&
	       done(c, "The %s %.*s is changed.%s", kind_words[h->kind],
		    STR(h->login), about_login(c, lacks_password(h), &now));
}

static bool set(struct changes *c, enum holder_kind kind, struct str address,
		const struct setting *s, size_t n)
{
	struct holder_row h;

	return holder_load_kind(c, kind, address, &h) &&
	       set_loaded(c, &h, s, n);
}

/* One sentence for all who are not there: it does not say what another domain
 * has. */
static bool load_meant(struct changes *c, const struct user_meant *u,
		       struct holder_row *out)
{
	bool found = holder_load(c, u->address, out);

	if (!found && c->result.outcome != CHANGE_NOT_FOUND)
		return false;
	if (!found || out->kind != HOLDER_USER ||
	    (u->domain && out->domain != u->domain))
		return missing(c, "address", no_such_holder, V("kind", "user"),
			       V("address", u->address));
	return out->id == u->id || refuse(c, "address", address_of_another,
					  V("address", u->address));
}

static bool set_meant(struct changes *c, const struct user_meant *u,
		      const struct setting *s, size_t n)
{
	struct holder_row h;

	return load_meant(c, u, &h) && set_loaded(c, &h, s, n);
}

static bool is_still(struct changes *c, const struct holder_row *h,
		     const struct former *f)
{
	for (size_t i = 0; i < array_size(keys); i++)
		if (keys[i].get && is_key(f->key, keys[i].name))
			return str_same(keys[i].get(c, h), f->new) ||
			       refuse(c, keys[i].name, user_changed_since);
	return refuse(c, NULL, cannot_be_put_back, V("key", f->key));
}

static bool put_back(struct changes *c, const struct user_meant *u,
		     const struct former *list, size_t n)
{
	struct setting *s = arena_array(c->arena, struct setting, n + 1);
	struct holder_row h;

	if (!load_meant(c, u, &h))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_still(c, &h, &list[i]))
			return false;
		s[i] = (struct setting){ list[i].key, list[i].old };
	}
	return set_loaded(c, &h, s, n);
}

bool user_settings_check(struct changes *c, const struct setting *s, size_t n)
{
	struct holder_row any = { .kind = HOLDER_USER };

	for (size_t i = 0; i < n; i++)
		if (!set_key(c, &any, &s[i], false))
			return false;
	return true;
}

static bool delete (struct changes *c, enum holder_kind kind,
		    struct str address)
{
	struct holder_row h;

	return holder_load_named(c, kind, address, &h) && check_rank(c, &h) &&
	       holder_delete(c, &h);
}

#define CREATE(c, kind, address, s, n) \
	change_end(c, change_begin(c) && create(c, kind, address, s, n))
#define SET(c, kind, address, s, n) \
	change_end(c, change_begin(c) && set(c, kind, address, s, n))
#define DELETE(c, kind, address) \
	change_end(c, change_begin(c) && delete (c, kind, address))

struct change user_create(struct changes *c, struct str address,
			  const struct setting *s, size_t n)
{
	return CREATE(c, HOLDER_USER, address, s, n);
}

struct change user_set(struct changes *c, struct str address,
		       const struct setting *s, size_t n)
{
	return SET(c, HOLDER_USER, address, s, n);
}

struct change user_set_meant(struct changes *c, const struct user_meant *u,
			     const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && set_meant(c, u, s, n));
}

struct change user_put_back(struct changes *c, const struct user_meant *u,
			    const struct former *list, size_t n)
{
	return change_end(c, change_begin(c) && put_back(c, u, list, n));
}

struct change user_delete(struct changes *c, struct str address)
{
	return DELETE(c, HOLDER_USER, address);
}

struct change group_create(struct changes *c, struct str address,
			   const struct setting *s, size_t n)
{
	return CREATE(c, HOLDER_GROUP, address, s, n);
}

struct change group_set(struct changes *c, struct str address,
			const struct setting *s, size_t n)
{
	return SET(c, HOLDER_GROUP, address, s, n);
}

struct change group_delete(struct changes *c, struct str address)
{
	return DELETE(c, HOLDER_GROUP, address);
}

struct change shared_create(struct changes *c, struct str address,
			    const struct setting *s, size_t n)
{
	return CREATE(c, HOLDER_SHARED, address, s, n);
}

struct change shared_set(struct changes *c, struct str address,
			 const struct setting *s, size_t n)
{
	return SET(c, HOLDER_SHARED, address, s, n);
}

struct change shared_delete(struct changes *c, struct str address)
{
	return DELETE(c, HOLDER_SHARED, address);
}
