/*
 * The frame of every change: transaction, outcome, log, values.
 *
 * Invariant: outside change_begin() .. change_end() no transaction is open,
 * unless in_batch; then none is open beyond the batch's own.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <unistr.h>

#include "base/limits.h"
#include "base/size.h"
#include "directory/change.h"
#include "directory/password.h"

struct changes *changes_open(const char *path, const char *who)
{
	struct sql *sql = directory_connect(path, SQL_WRITE);
	struct changes *c;

	if (!sql)
		return NULL;
	c = must_alloc(sizeof(*c));
	*c = (struct changes){ .sql = sql, .arena = arena_open() };
	c->who = must_alloc(strlen(who) + 1);
	memcpy(c->who, who, strlen(who) + 1);
	return c;
}

void changes_ask_as(struct changes *c, enum admin_role role, int64_t domain)
{
	c->role = role;
	c->role_domain = domain;
}

void changes_clean(struct changes *c, bool on)
{
	c->cleans = on;
}

void changes_at(struct changes *c, const char *hostname)
{
	c->hostname = hostname;
}

void changes_listeners(struct changes *c, const struct texts *names)
{
	c->listeners = names;
}

void changes_close(struct changes *c)
{
	if (!c)
		return;
	check(!c->in_change);
	directory_off(c->view);
	sql_close(c->sql);
	arena_close(c->arena);
	free(c->who);
	free(c);
}

bool changes_begin(struct changes *c)
{
	check(!c->in_batch);
	c->in_batch = sql_script(c->sql, "BEGIN IMMEDIATE");
	return c->in_batch;
}

bool changes_end(struct changes *c)
{
	check(c->in_batch);
	c->in_batch = false;
	return sql_script(c->sql, "COMMIT");
}

void changes_undo(struct changes *c)
{
	check(c->in_batch);
	c->in_batch = false;
	sql_rollback(c->sql);
}

struct directory *changes_directory(struct changes *c)
{
	if (!c->view)
		c->view = directory_on(c->sql);
	return c->view;
}

bool change_begin(struct changes *c)
{
	check(!c->in_change);
	arena_reset(c->arena);
	c->result =
		(struct change){ .outcome = CHANGE_DONE, .sentence = "Done." };
	c->cleaned = (struct references){ 0 };
	c->in_change = sql_script(
		c->sql, c->in_batch ? "SAVEPOINT change" : "BEGIN IMMEDIATE");
	return c->in_change || broken(c);
}

static void undo(struct changes *c)
{
	if (!c->in_batch)
		sql_rollback(c->sql);
	else if (!sql_script(c->sql, "ROLLBACK TO change; RELEASE change"))
		c->result.outcome = CHANGE_FAILED;
}

struct change change_end(struct changes *c, bool ok)
{
	if (!c->in_change)
		return c->result;
	c->in_change = false;
	check(ok == (c->result.outcome == CHANGE_DONE));
	if (ok &&
	    !sql_script(c->sql, c->in_batch ? "RELEASE change" : "COMMIT"))
		ok = broken(c);
	if (!ok)
		undo(c);
	return c->result;
}

/* ---- outcomes ---- */

static bool end_as(struct changes *c, enum change_outcome outcome,
		   const char *field, const char *sentence)
{
	c->result = (struct change){ outcome, field, sentence };
	return outcome == CHANGE_DONE;
}

static const struct {
	const char *name, *sentence;
} refusals[] = {
#define REFUSAL(id, text) [REFUSE_##id] = { #id, text },
#include "directory/refusals.def"
#undef REFUSAL
};

const char *refusal_name(enum refusal r)
{
	return refusals[r].name;
}

bool change_refuse(struct changes *c, enum change_outcome outcome,
		   const char *field, enum refusal reason,
		   const struct value *values)
{
	struct str text;

	values = values_keep(values, c->arena);
	text = sentence_fill(str_of(refusals[reason].sentence), values,
			     c->arena);
	end_as(c, outcome, field, arena_cstr(c->arena, text));
	c->result.reason = reason;
	c->result.values = values;
	return false;
}

/* What went along. */
static const char *with_cleaned(struct changes *c, const char *text)
{
	const struct value values[] = {
		V("text", text),
		V("n", c->cleaned.n),
		V("names", references_texts(c, &c->cleaned)),
		{ 0 },
	};

	if (c->cleaned.n == 0)
		return text;
	return arena_cstr(
		c->arena,
		sentence_fill(S("{text} Taken away with it: {names}."), values,
			      c->arena));
}

bool change_done(struct changes *c, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = arena_vprintf(c->arena, format, args);
	va_end(args);
	return end_as(c, CHANGE_DONE, NULL, with_cleaned(c, text));
}

bool change_broken(struct changes *c)
{
	return end_as(c, CHANGE_FAILED, NULL,
		      arena_printf(c->arena, "%s", cause()));
}

/* ---- the log, and what others have to do ---- */

bool change_log(struct changes *c, const char *noun, struct str subject,
		struct str field, struct str old, struct str new)
{
	return run(c,
		   "INSERT INTO change_log "
		   "(who, noun, subject, field, old, new, domain) "
		   "VALUES (?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN ?2 IN "
		   "('domain', 'user', 'address', 'group', 'shared') THEN "
		   "coalesce((SELECT domain FROM domain_name WHERE name = "
		   "CASE ?2 WHEN 'domain' THEN ?3 ELSE "
		   "substr(?3, instr(?3, '@') + 1) END), 0) ELSE 0 END)",
		   "ttssss", c->who, noun, subject, field, old, new);
}

bool change_end_sessions(struct changes *c, int64_t holder, struct str login)
{
	return run(c, "INSERT INTO session_end (holder, login) VALUES (?, ?)",
		   "is", holder, login);
}

bool name_list(struct changes *c, struct query *q, struct texts *out,
	       int64_t *n)
{
	struct str *shown = arena_array(c->arena, struct str, NAMES_SHOWN);
	enum answer a;

	for (*n = 0; (a = query_next(q)) == ANSWER_YES; ++*n)
		if (*n < NAMES_SHOWN)
			shown[*n] = query_text(q, 0, c->arena);
	query_free(q);
	*out = (struct texts){ shown,
			       *n < NAMES_SHOWN ? (size_t)*n : NAMES_SHOWN };
	return a != ANSWER_UNSURE || broken(c);
}

/* ---- values ---- */

const char *const home_words[] = { "hosted", "alternate", "both", "none",
				   NULL };
const char *const tls_words[] = { "none", "opportunistic", "required",
				  "verified", NULL };
const char *const when_down_words[] = { "keep-known", "keep-all", "defer",
					NULL };
const char *const family_words[] = { "any", "ipv4", "ipv6", NULL };
const char *const own_senders_words[] = { "accept", "refuse", "verify", NULL };
const char *const from_header_words[] = { "accept", "own", NULL };
const char *const role_words[] = { "superadmin", "domain-admin", "delegate",
				   NULL };

const char *home_name(enum home h)
{
	return home_words[h];
}

const char *tls_name(enum system_tls t)
{
	return tls_words[t];
}

const char *when_down_name(enum when_down w)
{
	return when_down_words[w];
}

const char *family_name(enum address_family f)
{
	return family_words[f];
}

const char *own_senders_name(enum own_senders o)
{
	return own_senders_words[o];
}

const char *from_header_name(enum from_header f)
{
	return from_header_words[f];
}

const char *role_name(enum admin_role r)
{
	return role_words[r];
}

bool is_key(struct str key, const char *name)
{
	return str_same(key, str_of(name));
}

struct texts words_list(struct changes *c, const char *const *words)
{
	struct str *list;
	size_t n = 0;

	while (words[n])
		n++;
	list = arena_array(c->arena, struct str, n);
	for (size_t i = 0; i < n; i++)
		list[i] = str_of(words[i]);
	return (struct texts){ list, n };
}

bool unknown_key(struct changes *c, const char *noun, struct str key,
		 const char *const *keys)
{
	return refuse(c, arena_cstr(c->arena, key), unknown_key,
		      V("noun", noun), V("key", key),
		      V("keys", words_list(c, keys)));
}

bool value_bool(struct changes *c, const char *field, struct str v, bool *out)
{
	static const char *const words[] = { "yes", "no",  "true", "false",
					     "on",  "off", "1",    "0" };

	for (size_t i = 0; i < array_size(words); i++)
		if (str_same_nocase(v, str_of(words[i]))) {
			*out = i % 2 == 0;
			return true;
		}
	return refuse(c, field, not_yes_or_no, V("key", field), V("given", v));
}

bool value_word(struct changes *c, const char *field, struct str v,
		const char *const *words, int64_t *out)
{
	for (int64_t i = 0; words[i]; i++)
		if (str_same_nocase(v, str_of(words[i]))) {
			*out = i;
			return true;
		}
	return refuse(c, field, not_one_of, V("key", field), V("given", v),
		      V("words", words_list(c, words)));
}

bool value_size(struct changes *c, const char *field, struct str v,
		int64_t *out)
{
	/* 2^50 bytes: a petabyte is a typing error. */
	uint64_t n, most = UINT64_C(1) << 50;

	if (!size_parse(v, most, &n))
		return refuse(c, field, bad_size, V("key", field),
			      V("given", v));
	*out = (int64_t)n;
	return true;
}

bool value_name(struct changes *c, struct str v, enum refusal reason,
		struct str *out)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	enum { MOST = 63 };
	char *lower = arena_cstr(c->arena, v);

	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	if (v.n == 0 || v.n > MOST || strspn(lower, letters) != v.n)
		return change_refuse(c, CHANGE_REFUSED, "name", reason,
				     VALUES(V("given", v), V("most", MOST)));
	*out = str_of(lower);
	return true;
}

struct str bytes_text(struct changes *c, int64_t bytes)
{
	return arena_strf(c->arena, "%lld", (long long)bytes);
}

bool value_count(struct changes *c, const char *field, struct str v,
		 int64_t most, int64_t *out)
{
	uint64_t n = 0;

	if (!str_empty(v) && (!str_number(v, (uint64_t)most, &n) || n == 0))
		return refuse(c, field, bad_count, V("key", field),
			      V("given", v), V("most", most));
	*out = (int64_t)n;
	return true;
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

bool value_text(struct changes *c, const char *field, struct str v, size_t max,
		struct str *out)
{
	if (v.n > max)
		return refuse(c, field, text_too_long, V("key", field),
			      V("most", max));
	if (u8_check((const uint8_t *)v.p, v.n))
		return refuse(c, field, text_not_utf8, V("key", field));
	if (has_control(v))
		return refuse(c, field, text_has_control, V("key", field));
	*out = str_trim(v);
	return true;
}

bool value_address(struct changes *c, const char *field, struct str v,
		   struct address *out)
{
	if (!address_parse_strict(v, c->arena, out))
		return refuse(c, field, bad_address, V("given", v),
			      V("cause", cause()));
	if (str_empty(out->domain))
		return refuse(c, field, address_without_domain, V("given", v));
	return true;
}

bool value_domain(struct changes *c, const char *field, struct str v,
		  struct str *out)
{
	return domain_parse(v, c->arena, out) ||
	       refuse(c, field, bad_domain_name, V("given", v),
		      V("cause", cause()));
}

bool value_hosts(struct changes *c, const char *field, struct str v,
		 struct host **out, size_t *n)
{
	if (hosts_parse(v, c->arena, out, n))
		return true;
	if (*n == LIMIT_HOSTS)
		return refuse(c, field, too_many_hosts, V("most", LIMIT_HOSTS));
	return refuse(c, field, bad_hosts, V("given", v), V("cause", cause()));
}

bool value_password(struct changes *c, struct str login, struct str v,
		    struct str *out)
{
	static const char field[] = "password";
	char hash[PASSWORD_HASH_BYTES];

	if (str_empty(v))
		return refuse(c, field, password_empty);
	if (v.n > PASSWORD_BYTES)
		return refuse(c, field, password_too_long,
			      V("most", PASSWORD_BYTES));
	if (has_control(v))
		return refuse(c, field, password_has_control);
	if (password_characters(v) < PASSWORD_LEAST)
		return refuse(c, field, password_too_short,
			      V("least", PASSWORD_LEAST));
	if (password_is_name(v, login))
		return refuse(c, field, password_is_name, V("name", login));
	if (!password_hash(v, hash))
		return broken(c);
	*out = arena_str(c->arena, str_of(hash));
	return true;
}
