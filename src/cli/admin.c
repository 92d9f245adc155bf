/*
 * splitmail admin: who may change what.
 */
#include "cli/store.h"
#include "directory/admins.h"

static int create(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, admin_create(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int set(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;

	if (!settings_given(c, &s, a))
		return cli_refuse(c, "%s", cause());
	CLI_CHANGE(c, h, admin_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int password(struct cli *c, const struct args *a)
{
	struct settings s = SETTINGS_NONE;
	const char *line = cli_read_secret(c, "New password");

	if (!line)
		return cli_refuse(c, "%s", cause());
	settings_add(c, &s, "password", str_of(line));
	CLI_CHANGE(c, h, admin_set(h, str_of(args_word(a, 0)), s.s, s.n));
}

static int delete (struct cli *c, const struct args *a)
{
	int asked =
		cli_confirm(c, "Delete the administrator %s", args_word(a, 0));

	if (asked != CLI_DONE)
		return asked;
	CLI_CHANGE(c, h, admin_delete(h, str_of(args_word(a, 0))));
}

static void list_one(void *rows, const struct admin_entry *e)
{
	rows_add(rows, show_admin(e));
}

static int list(struct cli *c, const struct args *a)
{
	static const struct column columns[] = {
		{ "ADMINISTRATOR", "name", 24 }, { "ROLE", "role", 12 },
		{ "PASSWORD", "password", 8 },   { "TOTP", "totp", 4 },
		{ "DOMAIN", "domain", 0 },
	};
	struct directory *d = cli_directory(c);
	struct rows rows;

	if (!d)
		return cli_refuse(c, "%s", cause());
	rows = rows_begin(c, columns, array_size(columns));
	if (!list_admins(d, list_one, &rows))
		return cli_trouble(c, d);
	directory_close(d);
	return rows_end(&rows);
}

/* ---- tokens: what scripts sign in to the API with ---- */

enum { TOKEN_DAYS = 90 };

static int say_token(struct cli *c, const char *token, const char *sentence)
{
	if (c->json)
		cli_json(c, json_pack("{s:b,s:s,s:s}", "done", 1, "text",
				      sentence, "token", token));
	else
		fprintf(c->out, "%s\n", token);
	return CLI_DONE;
}

static int make_token(struct cli *c, const struct args *a,
		      enum token_scope scope, uint64_t days)
{
	struct changes *h = cli_changes(c);
	char token[TOKEN_CHARS + 1];
	struct change r;
	int status;

	if (!h)
		return cli_refuse(c, "%s", cause());
	r = token_create(h, str_of(args_word(a, 0)), str_of(args_word(a, 1)),
			 scope, (int64_t)days, token);
	if (r.outcome != CHANGE_DONE)
		return cli_outcome(c, h, r);
	status = say_token(c, token, cli_clean(c, r.sentence));
	changes_close(h);
	return status;
}

static int create_token(struct cli *c, const struct args *a)
{
	const char *name = args_option(a, "scope");
	enum token_scope scope = TOKEN_READ;
	const char *text = args_option(a, "days");
	uint64_t days = TOKEN_DAYS;

	if (name && !token_scope_find(str_of(name), &scope))
		return cli_usage(c,
				 "--scope is read, write or metrics, not "
				 "\"%s\".",
				 name);
	if (text && !str_number(str_of(text), 100000, &days))
		return cli_usage(c, "--days is a number, not \"%s\".", text);
	return make_token(c, a, scope, days);
}

static void list_token(void *rows, const struct token_entry *t)
{
	rows_add(rows, json_pack("{s:I,s:o,s:o,s:s,s:o,s:o,s:b}", "id",
				 (json_int_t)t->id, "name", json_text(t->name),
				 "administrator", json_text(t->admin), "scope",
				 token_scope_name(t->scope), "created_at",
				 json_time_s(t->created_s), "expires_at",
				 json_time_s(t->expires_s), "expired",
				 t->is_expired));
}

static int list_all_tokens(struct cli *c, const struct args *a)
{
	static const struct column columns[] = {
		{ "ID", "id", 4 },
		{ "ADMINISTRATOR", "administrator", 16 },
		{ "SCOPE", "scope", 5 },
		{ "EXPIRES", "expires_at", 20 },
		{ "EXPIRED", "expired", 7 },
		{ "FOR", "name", 0 },
	};
	const char *admin = args_word(a, 0);
	struct directory *d = cli_directory(c);
	struct rows rows;

	if (!d)
		return cli_refuse(c, "%s", cause());
	rows = rows_begin(c, columns, array_size(columns));
	if (!list_tokens(d, str_of(admin ? admin : ""), list_token, &rows))
		return cli_trouble(c, d);
	directory_close(d);
	return rows_end(&rows);
}

static int delete_token(struct cli *c, const struct args *a)
{
	uint64_t id;

	if (!str_number(str_of(args_word(a, 0)), INT64_MAX, &id))
		return cli_usage(c,
				 "\"%s\" is no token's id; `splitmail admin "
				 "token list` shows them.",
				 args_word(a, 0));
	CLI_CHANGE(c, h, token_delete(h, S(""), (int64_t)id));
}

static const struct key keys[] = {
	{ "role", "superadmin|domain-admin|delegate",
	  "of everything, of one domain, or of one domain's users only" },
	{ "domain", "DOMAIN", "his domain; empty: all, for a superadmin" },
	{ "totp", "off",
	  "for who has lost his phone and his recovery codes; "
	  "the owner switches it on again, in the console" },
	{ "password", "PASSWORD",
	  "everybody on this machine can see it while "
	  "the command runs: better --password-stdin" },
	{ 0 },
};

static const struct command commands[] = {
	{ "create", "NAME [SETTING]... [--password-stdin]",
	  "Add an administrator: of everything (superadmin), of one domain, or "
	  "of one domain's users only (delegate).",
	  "splitmail admin create jane --domain example.org "
	  "--role domain-admin --password-stdin",
	  create, NULL, keys, true },
	{ "set", "ADMIN SETTING... [--password-stdin]",
	  "Change an administrator's settings, all together or none.",
	  "splitmail admin set jane totp=off", set, .keys = keys },
	{ "list", "", "List all administrators.", "splitmail admin list",
	  list },
	{ "password", "ADMIN [--password-stdin]",
	  "Set an administrator's password, one line on standard input.",
	  "splitmail admin password jane", password },
	{ "delete", "ADMIN", "Delete an administrator.",
	  "splitmail admin delete jane", delete },
	{ "token create",
	  "ADMIN PURPOSE [--scope read|write|metrics] [--days N]",
	  "Make a token by which a script signs in to the HTTP API as this "
	  "administrator. It is printed once, alone.",
	  "splitmail admin token create admin0 \"nightly import\" --scope write",
	  create_token,
	  "Without --scope it may only read; with metrics it reads /metrics "
	  "alone, as Prometheus does; without --days it is good for 90 "
	  "days. The script sends it as \"Authorization: Bearer TOKEN\"; GET "
	  "/api/docs on the console's port describes the API." },
	{ "token list", "[ADMIN]", "List tokens, without what they are.",
	  "splitmail admin token list", list_all_tokens },
	{ "token delete", "TOKEN-ID", "Delete a token: it is void at once.",
	  "splitmail admin token delete 3", delete_token },
};

const struct noun noun_admin = NOUN_OF("admin", "administrators", commands);
