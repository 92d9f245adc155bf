/*
 * splitmail-reference: the tables of commands and of splitmail.conf as JSON, of
 * which the manual pages and the manual are made (tools/manual/).  A program
 * for the build: Splitmail itself has the manual in it.
 *
 *	{ "version": "1.0",
 *	  "nouns": [{ "name", "what", "group", "commands": [COMMAND] }],
 *	  "processes": [COMMAND],	"name" instead of "verb"
 *	  "blocks": [{ "name", "what", "settings": [{ "key", "kind", "what",
 *		"default", "least", "most" }] }] }
 *
 * COMMAND: verb, usage, what, example; more, keys: [{ name, value, what }].
 */
#include <jansson.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/str.h"
#include "cli/help.h"
#include "main/config.h"

static const struct process processes[] = {
#define RUN(function) NULL
#include "main/processes.def"
#undef RUN
};

/* ---- commands ---- */

static json_t *keys_json(const struct command *m)
{
	json_t *list = json_array();

	for (const struct key *k = m->keys; k && k->name; k++)
		if (m->creates || !k->later)
			json_array_append_new(
				list,
				json_pack("{s:s,s:s,s:s}", "name", k->name,
					  "value", k->value, "what", k->what));
	return list;
}

static json_t *command_json(const char *key, const char *name,
			    const struct command *m)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s*}", key, name, "usage",
			      m->usage, "what", m->what, "example", m->example,
			      "more", m->more);

	if (m->keys && strstr(m->usage, "SETTING"))
		json_object_set_new(o, "keys", keys_json(m));
	return o;
}

static json_t *noun_json(const struct noun *n, const char *group)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n->n; i++)
		json_array_append_new(list,
				      command_json("verb", n->commands[i].verb,
						   &n->commands[i]));
	return json_pack("{s:s,s:s,s:s,s:o}", "name", n->name, "what", n->what,
			 "group", group, "commands", list);
}

static json_t *nouns_json(void)
{
	json_t *list = json_array();
	const char *group = "";

	for (const struct listed_noun *l = cli_nouns; l->noun || l->title; l++)
		if (l->title)
			group = l->title;
		else
			json_array_append_new(list, noun_json(l->noun, group));
	return list;
}

static json_t *processes_json(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < array_size(processes); i++) {
		const struct process *p = &processes[i];
		struct command m = { .usage = p->usage,
				     .what = p->what,
				     .example = p->example,
				     .more = p->more };

		if (!p->is_inner)
			json_array_append_new(
				list, command_json("name", p->name, &m));
	}
	return list;
}

/* ---- splitmail.conf ---- */

enum cfg_bool { cfg_false, cfg_true }; /* libconfuse's words in the table */

/* A row without a key begins a block. */
static const struct row {
	const char *block, *key, *kind, *what, *text;
	long number, least, most;
} rows[] = {
#define BLOCK(name, what) { #name, NULL, NULL, what, NULL, 0, 0, 0 },
#define NEEDED(key, what) { NULL, #key, "needed", what, NULL, 0, 0, 0 },
#define TEXT(key, usual, what) { NULL, #key, "text", what, usual, 0, 0, 0 },
#define LIST(key, what) { NULL, #key, "list", what, NULL, 0, 0, 0 },
#define FLAG(key, usual, what) { NULL, #key, "flag", what, NULL, usual, 0, 1 },
#define NUMBER(key, usual, least, most, what) \
	{ NULL, #key, "number", what, NULL, usual, least, most },
#define SECTION(block, flags)
#define END
#include "main/settings.def"
};

static json_t *setting_json(const struct row *r)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s*}", "key", r->key, "kind",
			      r->kind, "what", r->what, "default", r->text);

	if (!strcmp(r->kind, "flag"))
		json_object_set_new(o, "default", json_boolean(r->number));
	if (!strcmp(r->kind, "number"))
		json_object_update_new(o,
				       json_pack("{s:I,s:I,s:I}", "default",
						 (json_int_t)r->number, "least",
						 (json_int_t)r->least, "most",
						 (json_int_t)r->most));
	return o;
}

static json_t *blocks_json(void)
{
	json_t *list = json_array(), *settings = NULL;

	for (size_t i = 0; i < array_size(rows); i++) {
		if (rows[i].key) {
			json_array_append_new(settings, setting_json(&rows[i]));
			continue;
		}
		settings = json_array();
		json_array_append_new(
			list,
			json_pack("{s:s,s:s,s:o}", "name", rows[i].block,
				  "what", rows[i].what, "settings", settings));
	}
	return list;
}

int main(void)
{
	json_t *all =
		json_pack("{s:s,s:o,s:o,s:o}", "version", SPLITMAIL_VERSION,
			  "nouns", nouns_json(), "processes", processes_json(),
			  "blocks", blocks_json());
	bool ok = all && json_dumpf(all, stdout, JSON_INDENT(1)) == 0 &&
		  putchar('\n') != EOF && fflush(stdout) == 0;

	json_decref(all);
	return !ok;
}
