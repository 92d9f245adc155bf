/*
 * Requests and answers (request.h).
 */
#include "console/request.h"

#include <microhttpd.h>
#include <sodium.h>
#include <stdlib.h>

#include "base/limits.h"
#include "console/handlers.h"
#include "console/server.h"
#include "rt/log.h"
#include "wire/address.h"

/* ---- answers ---- */

struct response answer_json(int status, json_t *object)
{
	return (struct response){ .status = status, .body = object };
}

struct response answer_empty(void)
{
	return (struct response){ .status = 204 };
}

struct response answer_entity(struct request *r, int status, json_t *object)
{
	struct response a = answer_json(status, object);

	a.etag = etag_of(r, object);
	return a;
}

static const struct {
	int status;
	const char *kind, *title;
} problems[] = {
	{ 400, "malformed", "Malformed request" },
	{ 401, "not-signed-in", "Not signed in" },
	{ 403, "forbidden", "No right to do so" },
	{ 404, "not-found", "Not found" },
	{ 405, "method", "Method not allowed" },
	{ 412, "precondition", "Changed meanwhile" },
	{ 413, "too-large", "Too large" },
	{ 415, "media-type", "Unsupported media type" },
	{ 421, "host", "Unknown host name" },
	{ 422, "refused", "Refused" },
	{ 429, "too-many", "Too many attempts" },
	{ 503, "trouble", "Our own trouble" },
};

static void say(json_t *o, const char *sentence, const char *field,
		const char *reason, const struct value *values)
{
	json_object_set_new(o, "detail", json_text(str_of(sentence)));
	if (field)
		json_object_set_new(o, "field", json_text(str_of(field)));
	json_object_set_new(o, "reason", json_id(str_of(reason)));
	json_object_set_new(o, "values", json_values(values));
}

void say_refusal(json_t *o, struct change change)
{
	say(o, change.sentence, change.field, refusal_name(change.reason),
	    change.values);
}

/* Without what say() adds. */
static struct response problem_of(int status)
{
	for (size_t i = 0; i < array_size(problems); i++) {
		json_t *body;

		if (problems[i].status != status)
			continue;
		body = json_pack("{s:s+,s:s,s:i}", "type",
				 "urn:splitmail:problem:", problems[i].kind,
				 "title", problems[i].title, "status", status);
		return (struct response){ .status = status,
					  .body = body,
					  .type = "application/problem+json" };
	}
	check(!"a status of problems[]");
	return (struct response){ 0 };
}

static const struct {
	int status;
	const char *name, *sentence;
} own_problems[] = {
#define PROBLEM(id, status, text) [PROBLEM_##id] = { status, #id, text },
#include "console/problems.def"
#undef PROBLEM
};

struct response problem_say(const char *field, enum problem p,
			    const struct value *values)
{
	struct arena *arena scoped(arena) = arena_open();
	struct response a = problem_of(own_problems[p].status);
	struct str text;

	values = values_keep(values, arena);
	text = sentence_fill(str_of(own_problems[p].sentence), values, arena);
	say(a.body, arena_cstr(arena, text), field, own_problems[p].name,
	    values);
	return a;
}

/* What a name in a path is of, by the word in front of it. */
static const char *kind_of(struct str collection)
{
	static const struct {
		const char *collection, *kind;
	} kinds[] = {
		{ "domains", "domain" },
		{ "users", "user" },
		{ "addresses", "address" },
		{ "groups", "group" },
		{ "members", "member" },
		{ "shared", "shared mailbox" },
		{ "systems", "system" },
		{ "filters", "filter" },
		{ "administrators", "administrator" },
		{ "tokens", "token" },
		{ "jobs", "job" },
		{ "queue", "message in the queue" },
		{ "changes", "change" },
		{ "kept", "deleted entry" },
	};

	for (size_t i = 0; i < array_size(kinds); i++)
		if (str_same(collection, str_of(kinds[i].collection)))
			return kinds[i].kind;
	return "entry";
}

/* "user bob@b.example", "address b@b.example of the user bob@b.example" */
static struct str what_was_asked(struct request *r)
{
	struct str rest = str_of(r->route ? r->route->path : ""), part;
	struct str before = S(""), what = S("");
	size_t n = 0;

	while (str_split(&rest, '/', &part)) {
		const char *of = str_empty(what) ? "" : " of the ";

		if (str_starts(part, S("{")))
			what = arena_strf(r->arena, "%s %.*s%s%.*s",
					  kind_of(before), STR(r->args[n]), of,
					  STR(what));
		n += str_starts(part, S("{"));
		before = part;
	}
	if (str_empty(what))
		what = arena_strf(r->arena,
				  "%.*s here; GET /api/docs shows "
				  "what there is",
				  STR(str_cut(r->path, 200)));
	return what;
}

struct response not_there(struct request *r)
{
	return problem(NULL, not_found, V("what", what_was_asked(r)));
}

struct response no_text(struct request *r, const char *key)
{
	return json_object_get(r->body, key)
		       ? problem(key, not_a_text, V("key", key))
		       : problem(key, key_missing, V("key", key));
}

/* What broke is for the log: it may name files. */
struct response trouble(struct request *r)
{
	log_error("console", "%s %s: %s", r->method,
		  log_safe(r->arena, r->path, 200), cause());
	return problem(NULL, trouble);
}

struct response refused(struct request *r, struct change change)
{
	struct response a;

	switch (change.outcome) {
	case CHANGE_REFUSED:
	case CHANGE_NOT_FOUND:
		a = problem_of(422);
		say_refusal(a.body, change);
		return a;
	case CHANGE_FAILED:
		fail("%s", change.sentence);
		break;
	case CHANGE_DONE:
		check(!"a change that was refused");
	}
	return trouble(r);
}

/* ---- ETag ---- */

/* What changes without anybody changing it. */
static const char *const figures[] = { "hosted", "alternate", "none",
				       "groups", "shared",    "routed_to",
				       "learnt", "used",      "answers",
				       "trouble" };

const char *etag_of(struct request *r, json_t *object)
{
	json_t *shown = json_copy(object);
	uint8_t hash[16];
	char hex[2 * sizeof(hash) + 1], *text;

	for (size_t i = 0; i < array_size(figures); i++)
		json_object_del(shown, figures[i]);
	text = json_dumps(shown, JSON_COMPACT | JSON_SORT_KEYS);
	check(text &&
	      crypto_generichash(hash, sizeof(hash), (const uint8_t *)text,
				 strlen(text), NULL, 0) == 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	free(text);
	json_decref(shown);
	return arena_printf(r->arena, "\"%s\"", hex);
}

/* ---- what was asked ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool decode(struct str s, struct arena *arena, struct str *out)
{
	char *p = arena_alloc(arena, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int high, low;

		if (s.p[i] != '%') {
			p[n++] = s.p[i];
			continue;
		}
		high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
		low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return fail("\"%.*s\" is not encoded well.", STR(s));
		p[n++] = (char)(high << 4 | low);
		i += 2;
	}
	*out = (struct str){ p, n };
	return true;
}

/* In a query, '+' is a space. */
static bool decode_query(struct str s, struct arena *arena, struct str *out)
{
	char *copy = arena_cstr(arena, s);

	for (size_t i = 0; i < s.n; i++)
		if (copy[i] == '+')
			copy[i] = ' ';
	return decode((struct str){ copy, s.n }, arena, out);
}

bool param_value(struct request *r, const char *name, struct str *out)
{
	struct str rest = r->query, pair, key;

	*out = STR_NONE;
	while (str_split(&rest, '&', &pair)) {
		if (!str_split(&pair, '=', &key) ||
		    !str_same(key, str_of(name)))
			continue;
		return decode_query(pair, r->arena, out);
	}
	return true;
}

struct str param(struct request *r, const char *name)
{
	struct str value;

	if (!param_value(r, name, &value) || !value.p)
		return S("");
	return value;
}

bool param_flag(struct request *r, const char *name)
{
	return str_same(param(r, name), S("true"));
}

bool is_write(const struct request *r)
{
	return strcmp(r->method, "GET") && strcmp(r->method, "HEAD");
}

const char *header(struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
					   name);
}

struct str body_text(struct request *r, const char *name)
{
	json_t *v = json_object_get(r->body, name);

	if (!json_is_string(v))
		return STR_NONE;
	return (struct str){ json_string_value(v), json_string_length(v) };
}

/* ---- rights ---- */

bool is_super(const struct request *r)
{
	return r->who.admin.role == ADMIN_SUPER;
}

bool sees_domain(const struct request *r, int64_t domain)
{
	return is_super(r) || r->who.admin.domain == domain;
}

bool sees_domain_named(const struct request *r, struct str name)
{
	return is_super(r) || str_same(r->who.admin.domain_name, name);
}

bool domain_asked(struct request *r, struct str *out,
		  struct response *problem_out)
{
	struct str text = param(r, "domain"), name;
	struct domain domain = { .id = 0 };
	enum answer a = ANSWER_NO;

	*out = r->who.admin.domain_name;
	if (str_empty(text))
		return true;
	if (domain_parse(text, r->arena, &name))
		a = directory_domain(r->d, name, r->arena, &domain);
	if (a == ANSWER_YES && sees_domain(r, domain.id)) {
		*out = domain.name;
		return true;
	}
	*problem_out = a == ANSWER_UNSURE ? trouble(r)
					  : problem("domain", no_such_domain,
						    V("domain", text));
	return false;
}

/* ---- pages of lists ---- */

bool search_fits(struct str search, struct response *problem_out)
{
	size_t characters = 0;

	for (size_t i = 0; i < search.n; i++)
		characters += ((unsigned char)search.p[i] & 0xc0) != 0x80;
	if (characters <= LIMIT_CONSOLE_SEARCH_CHARS &&
	    search.n <= 4 * LIMIT_CONSOLE_SEARCH_CHARS)
		return true;
	*problem_out = problem("search", search_too_long,
			       V("most", LIMIT_CONSOLE_SEARCH_CHARS));
	return false;
}

bool page_limit(struct request *r, int64_t *out, struct response *problem_out)
{
	struct str text = param(r, "limit");
	uint64_t n = PAGE_ITEMS;

	if (!str_empty(text) &&
	    (!str_number(text, PAGE_ITEMS_MAX, &n) || n == 0)) {
		*problem_out =
			problem("limit", bad_limit, V("most", PAGE_ITEMS_MAX));
		return false;
	}
	*out = (int64_t)n;
	return true;
}

/* Begins every cursor, inside its base64: what does not was not made here,
 * and is not to be taken for the end of a list. */
#define CURSOR_MARK "at\n"

json_t *cursor_of(struct request *r, struct str a, struct str b)
{
	struct str plain =
		arena_strf(r->arena, CURSOR_MARK "%.*s\n%.*s", STR(a), STR(b));
	size_t room = sodium_base64_ENCODED_LEN(
		plain.n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = arena_alloc(r->arena, room);

	sodium_bin2base64(text, room, (const uint8_t *)plain.p, plain.n,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return json_string(text);
}

/* The two texts of a cursor as it was made; false: it is none of ours. */
static bool cursor_read(struct str plain, struct str *a, struct str *b)
{
	if (!str_starts(plain, S(CURSOR_MARK)))
		return false;
	plain = str_from(plain, sizeof(CURSOR_MARK) - 1);
	if (str_find(plain, '\n') < 0)
		return false;
	str_split(&plain, '\n', a);
	*b = plain;
	return true;
}

bool cursor_parse(struct request *r, struct str *a, struct str *b,
		  struct response *problem_out)
{
	struct str text = param(r, "cursor");
	uint8_t *bytes = arena_alloc(r->arena, text.n + 1);
	size_t n = 0;

	*a = *b = S("");
	if (str_empty(text))
		return true;
	if (sodium_base642bin(bytes, text.n, text.p, text.n, NULL, &n, NULL,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 &&
	    cursor_read((struct str){ (const char *)bytes, n }, a, b))
		return true;
	*problem_out = problem("cursor", bad_cursor);
	return false;
}

const struct aliases *aliases_now(struct request *r)
{
	const struct console_settings *s = r->console->settings;

	return s->read_aliases ? s->read_aliases(s->aliases, r->arena) : NULL;
}
