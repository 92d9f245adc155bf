/*
 * Who is deleted is written down with all he had, can be had back, and is
 * forgotten when his mail is gone (deleted.h).
 *
 * Invariant: a mailbox is in at most one of the tables holder and deleted.
 */
#include "base/limits.h"
#include "directory/change.h"
#include "directory/deleted.h"

enum {
	/* What was on its way into a mailbox has come by then: longer than an
	 * LMTP transaction may take. */
	LATE_S = 900,
};

/* ---- whom ---- */

struct deleted_row {
	int64_t id;
	struct holder_row was;
	struct str mailbox;
};

static bool read_row(struct changes *c, int64_t id, struct deleted_row *out)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT id, kind, login, name, mailbox, mail_system, "
		"coalesce(system, 0), enabled, password, quota_bytes, "
		"forward_keeps_copy FROM deleted WHERE id = ?",
		"i", id);

	if (query_next(&q) != ANSWER_YES)
		return broken(c);
	*out = (struct deleted_row){
		.id = query_int(&q, 0),
		.was = {
			.kind = query_int(&q, 1),
			.login = query_text(&q, 2, c->arena),
			.name = query_text(&q, 3, c->arena),
			.mail_system = query_int(&q, 5),
			.system = query_int(&q, 6),
			.enabled = query_int(&q, 7),
			.password = query_text(&q, 8, c->arena),
			.quota_bytes = query_int(&q, 9),
			.forward_keeps_copy = query_int(&q, 10),
		},
		.mailbox = query_text(&q, 4, c->arena),
	};
	return true;
}

/* "3 (2026-11-02), 7 (2026-11-28)" */
static bool several(struct changes *c, struct str login)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT id || ' (' || datetime(deleted_at, 'unixepoch') "
		"|| ')' FROM deleted WHERE login = ? AND is_erased = 0 "
		"ORDER BY id",
		"s", login);
	struct texts names;
	int64_t n;

	return name_list(c, &q, &names, &n) &&
	       refuse(c, "address", deleted_several, V("address", login),
		      V("n", n), V("numbers", names));
}

static bool find(struct changes *c, struct str who, struct deleted_row *out)
{
	struct address a;
	struct str login = who;
	int64_t id = 0, n = 0;
	uint64_t number;

	if (str_number(who, INT64_MAX, &number)) {
		if (!ask(c, &id,
			 "SELECT id FROM deleted WHERE id = ? AND "
			 "is_erased = 0",
			 "i", (int64_t)number))
			return false;
	} else {
		if (!value_address(c, "address", who, &a))
			return false;
		login = address_key(&a, c->arena);
		if (!ask(c, &n,
			 "SELECT count(*) FROM deleted WHERE login = ? "
			 "AND is_erased = 0",
			 "s", login))
			return false;
		if (n > 1)
			return several(c, login);
		if (!ask(c, &id,
			 "SELECT id FROM deleted WHERE login = ? AND "
			 "is_erased = 0",
			 "s", login))
			return false;
	}
	if (!id)
		return missing(c, "address", no_such_deleted, V("who", who));
	return read_row(c, id, out);
}

/* ---- back ---- */

/* Those that somebody else has by now stay with him. */
static bool give_addresses(struct changes *c, const struct deleted_row *r,
			   const struct holder_row *h)
{
	return run(c,
		   "INSERT INTO address (domain, local, name, holder, "
		   "routed, home) SELECT ?1, t.local, t.name, ?2, t.routed, "
		   "t.home FROM deleted_address t WHERE t.deleted = ?3 AND "
		   "(t.name = '*' OR EXISTS (SELECT 1 FROM domain_name n "
		   "WHERE n.domain = ?1 AND n.name = t.name)) AND NOT EXISTS "
		   "(SELECT 1 FROM address a WHERE a.domain = ?1 AND "
		   "a.local = t.local AND a.builtin = 0 AND (t.name = '*' OR "
		   "a.name IN (t.name, '*')))",
		   "iii", h->domain, h->id, r->id) &&
	       run(c,
		   "UPDATE address SET (routed, home) = (SELECT routed, "
		   "home FROM deleted_address t WHERE t.deleted = ?2 AND "
		   "t.local = address.local AND t.name = address.name) "
		   "WHERE holder = ?1 AND is_default AND EXISTS (SELECT 1 "
		   "FROM deleted_address t WHERE t.deleted = ?2 AND t.local "
		   "= address.local AND t.name = address.name)",
		   "ii", h->id, r->id) &&
	       addresses_spell(c, h->id);
}

static bool give_forward(struct changes *c, const struct holder_row *h,
			 struct str spelling)
{
	struct address a;
	int64_t domain, holder = 0;

	if (!address_parse(spelling, c->arena, &a) ||
	    !domain_id(c, a.domain, &domain))
		return true;
	if (domain &&
	    !place_holder(c, domain, a.local, a.domain, true, &holder))
		return false;
	if ((domain && !holder) || holder == h->id)
		return true;
	return run(c,
		   "INSERT INTO forward (holder, spelling, local, domain) "
		   "VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
		   "isss", h->id, a.spelling, a.local, a.domain);
}

static bool give_forwards(struct changes *c, const struct deleted_row *r,
			  const struct holder_row *h)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT spelling FROM deleted_forward WHERE deleted = ? "
		"ORDER BY id",
		"i", r->id);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES)
		if (!give_forward(c, h, query_text(&q, 0, c->arena)))
			return false;
	return a != ANSWER_UNSURE || broken(c);
}

/* G, a group or shared mailbox, is changed by who might do so otherwise. */
static bool load_as_changer(struct changes *c, int64_t id, struct holder_row *g,
			    bool *may)
{
	bool is_above;

	if (!holder_read(c, id, g) || !is_outranked(c, g, &is_above))
		return false;
	*may = !is_above;
	return true;
}

/* As he was in it, or by the address he has now. */
static bool member_spelling(struct changes *c, const struct holder_row *h,
			    struct str was, struct address *out)
{
	int64_t holder = 0;

	if (address_parse(was, c->arena, out) &&
	    !address_holder(c, out, &holder))
		return false;
	return holder == h->id || address_parse(h->login, c->arena, out) ||
	       broken(c);
}

static bool give_group(struct changes *c, const struct holder_row *h,
		       int64_t group, struct str was)
{
	struct holder_row g;
	struct address a;
	bool may;

	if (!load_as_changer(c, group, &g, &may) ||
	    !member_spelling(c, h, was, &a))
		return false;
	if (!may)
		return true;
	if (!run(c,
		 "INSERT INTO member (holder, spelling, local, domain) "
		 "SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM member "
		 "WHERE holder = ?1) < ?5 ON CONFLICT DO NOTHING",
		 "isssi", g.id, a.spelling, a.local, a.domain,
		 (int64_t)LIMIT_EXPANSION))
		return false;
	return sql_changes(c->sql) == 0 ||
	       change_log(c, "group", g.login, S("member"), S(""), a.spelling);
}

static bool give_groups(struct changes *c, const struct deleted_row *r,
			const struct holder_row *h)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT holder, spelling FROM deleted_member WHERE "
			  "deleted = ? ORDER BY id",
			  "i", r->id);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES)
		if (!give_group(c, h, query_int(&q, 0),
				query_text(&q, 1, c->arena)))
			return false;
	return a != ANSWER_UNSURE || broken(c);
}

/* WHO may send as the group or shared mailbox AS. */
static bool give_right(struct changes *c, int64_t as, int64_t who)
{
	struct holder_row g;
	struct str old, new;
	bool may;

	if (!load_as_changer(c, as, &g, &may))
		return false;
	if (!may)
		return true;
	return senders_load(c, as, &old) &&
	       run(c,
		   "INSERT INTO sender (holder, who) VALUES (?, ?) "
		   "ON CONFLICT DO NOTHING",
		   "ii", as, who) &&
	       senders_load(c, as, &new) &&
	       (str_same(old, new) || change_log(c, holder_noun(&g), g.login,
						 S("senders"), old, new));
}

static bool give_rights(struct changes *c, const struct deleted_row *r,
			const struct holder_row *h)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT coalesce(holder, ?2), coalesce(who, ?2) FROM "
			  "deleted_sender WHERE deleted = ?1 ORDER BY id",
			  "ii", r->id, h->id);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES)
		if (!give_right(c, query_int(&q, 0), query_int(&q, 1)))
			return false;
	return a != ANSWER_UNSURE || broken(c);
}

/* His mailbox leaves the one table before it is in the other.  A session that
 * was begun before he was deleted is not his by now. */
static bool give_settings(struct changes *c, const struct deleted_row *r,
			  const struct holder_row *h)
{
	return run(c, "DELETE FROM deleted WHERE id = ?", "i", r->id) &&
	       run(c,
		   "UPDATE holder SET name = ?, mailbox = ?, mail_system = "
		   "?, system = ?, enabled = ?, password = ?, quota_bytes = "
		   "?, forward_keeps_copy = ?, password_changes = "
		   "unixepoch() WHERE id = ?",
		   "ssiIisiii", r->was.name, r->mailbox, r->was.mail_system,
		   r->was.system, r->was.enabled, r->was.password,
		   r->was.quota_bytes, r->was.forward_keeps_copy, h->id);
}

static bool restore(struct changes *c, struct str who, struct str address)
{
	struct deleted_row r;
	struct holder_row h;
	const char *noun;

	if (!find(c, who, &r))
		return false;
	noun = r.was.kind == HOLDER_SHARED ? "shared" : kind_words[r.was.kind];
	h = r.was;
	if (str_empty(address))
		address = r.was.login;
	if (!check_rank(c, &r.was) || !holder_insert(c, address, &h) ||
	    !check_rank(c, &h) || !check_mailbox_name(c, &h) ||
	    !give_addresses(c, &r, &h) || !give_forwards(c, &r, &h) ||
	    !give_groups(c, &r, &h) || !give_rights(c, &r, &h) ||
	    !give_settings(c, &r, &h) || !check_system(c, "address", &h))
		return false;
	/* With all he has again: a superior may forward to it. */
	return check_rank(c, &h) &&
	       change_log(c, noun, h.login, S("restored"), r.was.login,
			  h.login) &&
	       done(c, "The %s %.*s is back, with the mail that was kept.",
		    kind_words[h.kind], STR(h.login));
}

/* ---- gone ---- */

/* What is known of him goes at once, his mail within seconds. */
static bool erase_row(struct changes *c, const struct deleted_row *r)
{
	return run(c, "DELETE FROM deleted_address WHERE deleted = ?", "i",
		   r->id) &&
	       run(c, "DELETE FROM deleted_forward WHERE deleted = ?", "i",
		   r->id) &&
	       run(c, "DELETE FROM deleted_member WHERE deleted = ?", "i",
		   r->id) &&
	       run(c, "DELETE FROM deleted_sender WHERE deleted = ?", "i",
		   r->id) &&
	       run(c,
		   "UPDATE deleted SET is_erased = 1, until = unixepoch(), "
		   "login = '', name = '', password = '' WHERE id = ?",
		   "i", r->id) &&
	       change_log(c, r->was.kind == HOLDER_SHARED ? "shared" : "user",
			  r->was.login, S("erased"), r->was.login, S("")) &&
	       done(c, "The mail of %.*s is erased, for good.",
		    STR(r->was.login));
}

static bool erase(struct changes *c, struct str who)
{
	struct deleted_row r;

	return find(c, who, &r) && check_rank(c, &r.was) && erase_row(c, &r);
}

static bool delete_and_erase(struct changes *c, enum holder_kind kind,
			     struct str address)
{
	struct deleted_row r;
	struct holder_row h;
	int64_t id = 0;

	return holder_load_named(c, kind, address, &h) && check_rank(c, &h) &&
	       holder_delete(c, &h) &&
	       ask(c, &id, "SELECT max(id) FROM deleted", "") &&
	       read_row(c, id, &r) && erase_row(c, &r);
}

struct change deleted_restore(struct changes *c, struct str who,
			      struct str address)
{
	return change_end(c, change_begin(c) && restore(c, who, address));
}

struct change deleted_erase(struct changes *c, struct str who)
{
	return change_end(c, change_begin(c) && erase(c, who));
}

struct change holder_erase(struct changes *c, enum holder_kind kind,
			   struct str address)
{
	return change_end(
		c, change_begin(c) && delete_and_erase(c, kind, address));
}

/* ---- for who removes the mail ---- */

bool deleted_due(struct changes *c, bool only_erased, struct arena *arena,
		 struct deleted_due **out, size_t *n)
{
	enum { AT_ONCE = 100 };
	enum answer a;

	if (!sql_run(c->sql,
		     "UPDATE deleted SET is_erased = 1 WHERE until <= "
		     "unixepoch() AND ?1 = 0",
		     "b", only_erased))
		return false;
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT id, mailbox FROM deleted WHERE is_erased AND "
			  "until <= unixepoch() ORDER BY id LIMIT ?",
			  "i", (int64_t)AT_ONCE);

	*out = arena_array(arena, struct deleted_due, AT_ONCE);
	*n = 0;
	while ((a = query_next(&q)) == ANSWER_YES)
		(*out)[(*n)++] = (struct deleted_due){
			query_int(&q, 0),
			arena_cstr(arena, query_text(&q, 1, arena)),
		};
	return a == ANSWER_NO;
}

bool deleted_is_gone(struct changes *c, int64_t id)
{
	return sql_run(c->sql,
		       "UPDATE deleted SET until = deleted_at + ?2 "
		       "WHERE id = ?1 AND deleted_at + ?2 > "
		       "unixepoch()",
		       "ii", id, (int64_t)LATE_S) &&
	       (sql_changes(c->sql) > 0 ||
		sql_run(c->sql, "DELETE FROM deleted WHERE id = ?", "i", id));
}
