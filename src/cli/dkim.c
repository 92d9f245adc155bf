/* splitmail domain dkim (dkim.h). */
#include "cli/dkim.h"

#include <stdlib.h>
#include <unistd.h>

#include "cli/store.h"
#include "directory/dkim.h"
#include "filter/rspamd.h"
#include "rt/loop.h"
#include "show/dkim.h"
#include "wire/address.h"

enum { DNS_MS = 20000 };

/* ---- looked at ---- */

struct looked {
	struct cli *cli;
	struct directory *d;
	json_t *keys;
	bool broken;
};

static void look_at(void *looked, const struct domain_entry *e)
{
	struct looked *l = looked;
	char *data = realpath(l->cli->data, NULL);
	struct dkim_signer signer = {
		.data = data ? data : l->cli->data,
		.is_installed = access(RSPAMD_PROGRAM, X_OK) == 0,
	};

	l->keys = show_dkim(l->d, &e->domain, &signer, l->cli->arena);
	l->broken = !l->keys;
	free(data);
}

/* NULL: what is wrong was said, *STATUS. */
static json_t *look(struct cli *c, const char *name, int *status)
{
	struct looked l = { .cli = c };
	struct str canonical;

	*status = CLI_REFUSED;
	if (!domain_parse(str_of(name), c->arena, &canonical)) {
		cli_refuse(c, "%s", cause());
		return NULL;
	}
	l.d = cli_directory(c);
	if (!l.d) {
		cli_refuse(c, "%s", cause());
		return NULL;
	}
	if (!list_domains(l.d, canonical, look_at, &l) || l.broken) {
		json_decref(l.keys);
		*status = cli_trouble(c, l.d);
		return NULL;
	}
	directory_close(l.d);
	if (!l.keys)
		cli_refuse(c, "There is no domain %s.", name);
	return l.keys;
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* ---- shown ---- */

static void say_record(struct cli *c, const json_t *record)
{
	const char *published =
		json_string_value(json_object_get(record, "published"));
	const char *trouble = text(record, "trouble");

	if (!published)
		fprintf(c->out, "  %s\n", text(record, "zone"));
	else if (!strcmp(published, "yes"))
		fprintf(c->out, "  %s: published\n", text(record, "name"));
	else
		fprintf(c->out, "  %s: DNS has %s%s%s\n", text(record, "name"),
			show_dkim_words(published), *trouble ? ": " : "",
			cli_clean(c, trouble));
}

static void say_key(struct cli *c, const json_t *key, bool is_checked)
{
	const char *until =
		json_string_value(json_object_get(key, "needed_until"));
	const json_t *record;
	size_t i;

	fprintf(c->out, "\n%s  %s, %s since %.10s%s%.10s\n",
		text(key, "selector"), text(key, "algorithm"),
		text(key, "state"), text(key, "since"),
		until ? "; its record has to stay until " : "",
		until ? until : "");
	if (!is_checked)
		fprintf(c->out, "  %s\n", text(key, "text"));
	json_array_foreach(json_object_get(key, "records"), i, record)
		say_record(c, record);
}

/* KEYS is taken over. */
static int say(struct cli *c, json_t *keys, bool is_checked)
{
	const char *why = json_string_value(json_object_get(keys, "why_not"));
	const json_t *key;
	size_t i;

	if (c->json)
		return cli_show(c, keys);
	if (why)
		fprintf(c->out, "Nothing signs mail of %s: %s.\n",
			text(keys, "domain"), show_dkim_why_not(why));
	else
		fprintf(c->out, "Mail of %s is signed.\n",
			text(keys, "domain"));
	json_array_foreach(json_object_get(keys, "keys"), i, key)
		say_key(c, key, is_checked);
	json_decref(keys);
	return CLI_DONE;
}

int dkim_run_show(struct cli *c, const struct args *a)
{
	int status;
	json_t *keys = look(c, args_word(a, 0), &status);

	return keys ? say(c, keys, false) : status;
}

/* ---- DNS ---- */

struct check {
	struct dns *dns;
	json_t *keys;
};

static void waits ask_dns(void *check)
{
	struct check *k = check;

	show_dkim_found(k->keys, k->dns, after_ms(DNS_MS));
}

static void find(struct cli *c, json_t *keys)
{
	static const struct dns_settings defaults;
	const struct cli_server *server = c->server ? c->server(c->data) : NULL;
	struct check k = { .keys = keys };

	k.dns = dns_open(server ? &server->dns : &defaults);
	loops_run(1, ask_dns, &k);
	dns_close(k.dns);
}

static bool is_published(const json_t *keys)
{
	const json_t *key;
	size_t i;

	json_array_foreach(json_object_get(keys, "keys"), i,
			   key) if (show_dkim_unpublished(key)) return false;
	return true;
}

int dkim_run_check(struct cli *c, const struct args *a)
{
	int status;
	json_t *keys = look(c, args_word(a, 0), &status);

	if (!keys)
		return status;
	find(c, keys);
	status = is_published(keys) ? CLI_DONE : CLI_REFUSED;
	say(c, keys, true);
	return status;
}

/* ---- changes ---- */

int dkim_run_create(struct cli *c, const struct args *a)
{
	const char *selector = args_option(a, "selector");
	const char *algorithm = args_option(a, "algorithm");
	struct dkim_wish w = {
		.selector = str_of(selector ? selector : ""),
		.algorithm = str_of(algorithm ? algorithm : ""),
		.is_used = args_option(a, "now") != NULL,
	};

	CLI_CHANGE(c, h, dkim_create(h, str_of(args_word(a, 0)), &w));
}

int dkim_run_rotate(struct cli *c, const struct args *a)
{
	CLI_CHANGE(c, h,
		   dkim_rotate(h, str_of(args_word(a, 0)),
			       args_option(a, "now") != NULL));
}

static bool is_meant(const json_t *key, const char *selector)
{
	return selector ? !strcasecmp(text(key, "selector"), selector)
			: !strcmp(text(key, "state"), "new");
}

/* All that are meant, or none. */
static struct change use(struct changes *h, const char *domain,
			 const json_t *keys, const char *selector, bool asks)
{
	struct change r = { .outcome = CHANGE_DONE };
	bool is_any = false;
	const json_t *key, *record;
	size_t i;

	json_array_foreach(json_object_get(keys, "keys"), i, key)
	{
		if (!is_meant(key, selector))
			continue;
		is_any = true;
		record = asks ? show_dkim_unpublished(key) : NULL;
		if (record)
			return dkim_not_published(
				h, str_of(text(key, "selector")),
				str_of(text(record, "name")),
				show_dkim_words(text(record, "published")));
		r = dkim_use(h, str_of(domain), str_of(text(key, "selector")));
		if (r.outcome != CHANGE_DONE)
			return r;
	}
	if (is_any)
		return r;
	return dkim_use(h, str_of(domain), str_of(selector ? selector : ""));
}

static int use_all(struct cli *c, const char *domain, const json_t *keys,
		   const char *selector, bool asks)
{
	struct changes *h = cli_changes(c);
	struct change r;

	if (!h)
		return cli_refuse(c, "%s", cause());
	if (!changes_begin(h)) {
		changes_close(h);
		return cli_refuse(c, "%s", cause());
	}
	r = use(h, domain, keys, selector, asks);
	if (r.outcome != CHANGE_DONE) {
		changes_undo(h);
	} else if (!changes_end(h)) {
		changes_close(h);
		return cli_refuse(c, "%s", cause());
	}
	return cli_outcome(c, h, r);
}

int dkim_run_use(struct cli *c, const struct args *a)
{
	const char *domain = args_word(a, 0);
	bool asks = !args_option(a, "now");
	int status;
	json_t *keys = look(c, domain, &status);

	if (!keys)
		return status;
	if (asks)
		find(c, keys);
	status = use_all(c, domain, keys, args_word(a, 1), asks);
	json_decref(keys);
	return status;
}

static const json_t *key_named(const json_t *keys, const char *selector)
{
	const json_t *key;
	size_t i;

	json_array_foreach(json_object_get(keys, "keys"), i,
			   key) if (is_meant(key, selector)) return key;
	return NULL;
}

static int confirm(struct cli *c, const char *domain, const json_t *keys,
		   const char *selector)
{
	const json_t *key = key_named(keys, selector);
	const char *state = key ? text(key, "state") : "";

	if (!strcmp(state, "active"))
		return cli_confirm(c,
				   "Delete the key %s, which signs mail of %s",
				   selector, domain);
	if (!strcmp(state, "old"))
		return cli_confirm(c,
				   "Delete the key %s of %s: mail that it has "
				   "signed may be on its way until %.10s",
				   selector, domain, text(key, "needed_until"));
	return cli_confirm(c, "Delete the key %s of %s", selector, domain);
}

int dkim_run_delete(struct cli *c, const struct args *a)
{
	const char *domain = args_word(a, 0), *selector = args_word(a, 1);
	int status;
	json_t *keys = look(c, domain, &status);

	if (!keys)
		return status;
	status = confirm(c, domain, keys, selector);
	json_decref(keys);
	if (status != CLI_DONE)
		return status;
	CLI_CHANGE(c, h,
		   dkim_delete(h, str_of(domain), str_of(selector), true));
}
