/*
 * The files of peers/, read: first a file becomes as many conducts as its
 * "with" has combinations, still JSON; then each of them a struct.
 */
#include "conduct.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

#define PEERS SIM_SOURCES "/peers"

struct gallery {
	struct conduct *all;
	size_t n, room;
};

static _Noreturn void complain(const char *where, const char *what)
{
	fprintf(stderr, "test/sim/peers: %s: %s\n", where, what);
	abort();
}

/* ---- a file that stands for several ---- */

/* What a word of "with" is in one combination. */
struct choice {
	const char *word;
	char label[120];
	json_t *value; /* on loan */
};

enum { CHOICES = 6 };

struct combination {
	struct choice c[CHOICES];
	size_t n;
};

static const struct choice *choice_named(const struct combination *all,
					 struct str word)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_same(str_of(all->c[i].word), word))
			return &all->c[i];
	return NULL;
}

static bool is_word(char c)
{
	return (c >= 'A' && c <= 'Z') || c == '_';
}

/* "$N mails" -> "2 mails" */
static json_t *fill_in(const struct combination *all, struct str text)
{
	struct buf out scoped(buf) = BUF_EMPTY;
	const struct choice *c;
	json_t *filled;
	size_t n;

	while (text.n) {
		n = 1;
		while (text.p[0] == '$' && n < text.n && is_word(text.p[n]))
			n++;
		c = choice_named(all, str_part(text, 1, n));
		buf_add(&out, c ? str_of(c->label) : str_part(text, 0, n));
		text = str_from(text, n);
	}
	filled = json_stringn(out.p ? out.p : "", out.n);
	check(filled);
	return filled;
}

static struct str text_in(json_t *j)
{
	check(json_is_string(j));
	return (struct str){ json_string_value(j), json_string_length(j) };
}

static json_t *expanded(const struct combination *all, json_t *j);

static json_t *expanded_text(const struct combination *all, json_t *j)
{
	struct str text = text_in(j);
	const struct choice *c = str_starts(text, S("$"))
					 ? choice_named(all, str_from(text, 1))
					 : NULL;

	return c ? expanded(all, c->value) : fill_in(all, text);
}

static json_t *expanded(const struct combination *all, json_t *j)
{
	json_t *made, *value;
	const char *key;
	size_t i;

	if (json_is_string(j))
		return expanded_text(all, j);
	if (json_is_object(j)) {
		made = json_object();
		json_object_foreach(j, key, value) json_object_set_new(
			made, key,
			strcmp(key, "name") == 0 ? fill_in(all, text_in(value))
						 : expanded(all, value));
		return made;
	}
	if (json_is_array(j)) {
		made = json_array();
		json_array_foreach(j, i, value)
			json_array_append_new(made, expanded(all, value));
		return made;
	}
	return json_incref(j);
}

/* Is it one of those that its "except" names? */
static bool is_excepted(json_t *file, const struct combination *all)
{
	json_t *one, *label;
	const char *word;
	bool differs;
	size_t i;

	json_array_foreach(json_object_get(file, "except"), i, one)
	{
		differs = false;
		json_object_foreach(one, word, label)
		{
			const struct choice *c =
				choice_named(all, str_of(word));

			check(c && json_is_string(label));
			if (strcmp(c->label, json_string_value(label)) != 0)
				differs = true;
		}
		if (!differs)
			return true;
	}
	return false;
}

static void choose(struct choice *c, json_t *value, const char *key)
{
	c->value = value;
	if (json_is_integer(value) && !key)
		snprintf(c->label, sizeof(c->label), "%lld",
			 json_integer_value(value));
	else
		snprintf(c->label, sizeof(c->label), "%s",
			 key ? key : json_string_value(value));
}

static void add_conduct(struct gallery *g, json_t *j);

/* For each value of the words from WITH on. */
static void combine(struct gallery *g, json_t *file, struct combination *all,
		    void *with)
{
	json_t *words = json_object_get(file, "with"), *values, *value;
	struct choice *c;
	const char *key;
	size_t i;

	if (!with) {
		if (!is_excepted(file, all))
			add_conduct(g, expanded(all, file));
		return;
	}
	check(all->n < CHOICES);
	c = &all->c[all->n++];
	c->word = json_object_iter_key(with);
	values = json_object_iter_value(with);
	with = json_object_iter_next(words, with);
	json_array_foreach(values, i, value)
	{
		choose(c, value, NULL);
		combine(g, file, all, with);
	}
	json_object_foreach(values, key, value)
	{
		choose(c, value, key);
		combine(g, file, all, with);
	}
	all->n--;
}

/* ---- values ---- */

/* Nothing is written there that nobody reads. */
static void check_keys(const char *where, json_t *o, const char *const *known)
{
	json_t *value;
	const char *key;
	size_t i;

	if (!json_is_object(o))
		complain(where, "no object");
	json_object_foreach(o, key, value)
	{
		for (i = 0; known[i] && strcmp(known[i], key) != 0; i++)
			;
		if (!known[i])
			complain(where, key);
	}
}

static uint64_t number(json_t *o, const char *key, uint64_t usual)
{
	json_t *j = json_object_get(o, key);

	if (!j)
		return usual;
	if (!json_is_integer(j) || json_integer_value(j) < 0)
		complain(key, "no number");
	return (uint64_t)json_integer_value(j);
}

static int64_t milliseconds(json_t *o, const char *key, double usual)
{
	json_t *j = json_object_get(o, key);

	if (j && !json_is_number(j))
		complain(key, "no number");
	return (int64_t)((j ? json_number_value(j) : usual) * 1000);
}

static bool truth(json_t *o, const char *key, bool usual)
{
	json_t *j = json_object_get(o, key);

	if (j && !json_is_boolean(j))
		complain(key, "neither true nor false");
	return j ? json_is_true(j) : usual;
}

static const char *text(json_t *o, const char *key)
{
	json_t *j = json_object_get(o, key);

	if (j && !json_is_string(j))
		complain(key, "no text");
	return j ? json_string_value(j) : NULL;
}

/* ---- rules ---- */

static const char *const moment_names[MOMENTS] = {
	[MOMENT_CONNECT] = "CONNECT", [MOMENT_BEYOND] = "BEYOND",
	[MOMENT_NEXT] = "NEXT",       [MOMENT_EHLO] = "EHLO",
	[MOMENT_HELO] = "HELO",       [MOMENT_STARTTLS] = "STARTTLS",
	[MOMENT_TLS] = "TLS",         [MOMENT_MAIL] = "MAIL",
	[MOMENT_RCPT] = "RCPT",       [MOMENT_DATA] = "DATA",
	[MOMENT_BODY] = "BODY",       [MOMENT_DOT] = "DOT",
	[MOMENT_CHUNK] = "CHUNK",     [MOMENT_BDAT] = "BDAT",
	[MOMENT_RSET] = "RSET",       [MOMENT_NOOP] = "NOOP",
	[MOMENT_VRFY] = "VRFY",       [MOMENT_QUIT] = "QUIT",
	[MOMENT_XCLIENT] = "XCLIENT", [MOMENT_OTHER] = "OTHER",
};

static const char *const then_names[] = {
	[THEN_GO_ON] = "",        [THEN_CLOSE] = "close",
	[THEN_RESET] = "reset",   [THEN_SILENCE] = "silence",
	[THEN_REFUSE] = "refuse",
};

/* "ANY": every command, and the end of a mail. */
static uint32_t moments_any(void)
{
	return ~(1U << MOMENT_CONNECT | 1U << MOMENT_BEYOND |
		 1U << MOMENT_NEXT | 1U << MOMENT_TLS | 1U << MOMENT_BODY |
		 1U << MOMENT_CHUNK);
}

static uint32_t moment_of(const char *name)
{
	if (strcmp(name, "ANY") == 0)
		return moments_any();
	for (int i = 0; i < MOMENTS; i++)
		if (strcmp(moment_names[i], name) == 0)
			return 1U << i;
	complain(name, "no moment");
}

static uint32_t moments_of(json_t *at)
{
	uint32_t all = 0;
	json_t *one;
	size_t i;

	if (json_is_string(at))
		return moment_of(json_string_value(at));
	if (json_array_size(at) == 0)
		complain("at", "no moments");
	json_array_foreach(at, i, one)
	{
		if (!json_is_string(one))
			complain("at", "no text");
		all |= moment_of(json_string_value(one));
	}
	return all;
}

static struct condition condition_of(json_t *o)
{
	static const char *const known[] = {
		"mails",      "recipients", "more_recipients",
		"errors",     "junk",       "seen",
		"refused",    "bytes",      "unknown",
		"parameters", "clear",      "for",
		"new_for",    "times",      NULL,
	};

	check_keys("when", o, known);
	return (struct condition){
		.mails = number(o, "mails", 0),
		.recipients = number(o, "recipients", 0),
		.more_recipients = number(o, "more_recipients", 0),
		.errors = number(o, "errors", 0),
		.junk = number(o, "junk", 0),
		.seen = number(o, "seen", 0),
		.refused = number(o, "refused", 0),
		.bytes = number(o, "bytes", 0),
		.is_unknown = truth(o, "unknown", false),
		.has_parameters = truth(o, "parameters", false),
		.is_clear = truth(o, "clear", false),
		.for_ms = milliseconds(o, "for", 0),
		.new_for_ms = milliseconds(o, "new_for", 0),
		.times = number(o, "times", 0),
	};
}

static enum then then_of(const char *name)
{
	for (size_t i = 0; name && i < array_size(then_names); i++)
		if (strcmp(then_names[i], name) == 0)
			return (enum then)i;
	if (name)
		complain(name, "no way to go on");
	return THEN_GO_ON;
}

static struct deed deed_of(json_t *o)
{
	static const char *const known[] = {
		"wait", "say", "raw", "takes", "error", "then", NULL,
	};
	const char *raw;

	check_keys("do", o, known);
	raw = text(o, "raw");
	return (struct deed){
		.wait_ms = milliseconds(o, "wait", 0),
		.says = raw ? raw : text(o, "say"),
		.is_raw = raw != NULL,
		.takes = truth(o, "takes", false),
		.is_error = truth(o, "error", false),
		.then = then_of(text(o, "then")),
	};
}

static struct rule rule_of(json_t *o)
{
	static const char *const known[] = { "at", "when", "do", NULL };
	json_t *when = json_object_get(o, "when");

	check_keys("rules", o, known);
	return (struct rule){
		.at = moments_of(json_object_get(o, "at")),
		.when = when ? condition_of(when) : (struct condition){ 0 },
		.does = deed_of(json_object_get(o, "do")),
	};
}

/* ---- a conduct ---- */

static void read_rules(struct conduct *c)
{
	json_t *rules = json_object_get(c->json, "rules"), *one;
	size_t i;

	c->n_rules = json_array_size(rules);
	c->rules = must_alloc((c->n_rules + 1) * sizeof(c->rules[0]));
	json_array_foreach(rules, i, one) c->rules[i] = rule_of(one);
}

static void read_extensions(struct conduct *c)
{
	static const char *const usual[] = {
		"PIPELINING",          "8BITMIME", "SMTPUTF8", "SIZE 104857600",
		"ENHANCEDSTATUSCODES", "DSN",      "CHUNKING",
	};
	json_t *own = json_object_get(c->json, "extensions"), *one;
	size_t i;

	c->n_extensions = own ? json_array_size(own) : array_size(usual);
	check(c->n_extensions <= EXTENSIONS);
	json_array_foreach(own, i, one) c->extensions[i] =
		json_string_value(one);
	for (i = 0; !own && i < array_size(usual); i++)
		c->extensions[i] = usual[i];
}

static struct conduct conduct_of(json_t *j)
{
	static const char *const known[] = {
		"name",       "source",
		"seconds",    "most",
		"retries",    "answers",
		"open",       "long",
		"tls",        "forwards_unknown",
		"extensions", "connections",
		"beyond",     "idle",
		"idle_says",  "rules",
		"with",       "except",
		NULL,
	};
	static const struct deed usual_beyond = {
		.says = "421 4.7.0 too many connections",
		.then = THEN_CLOSE,
	};
	json_t *beyond = json_object_get(j, "beyond");
	struct conduct c = {
		.json = j,
		.name = text(j, "name"),
		.source = text(j, "source"),
		.within_ms = milliseconds(j, "seconds", 20),
		.most = number(j, "most", 50),
		.retries = truth(j, "retries", false),
		.is_open = truth(j, "open", false),
		.forwards_unknown = truth(j, "forwards_unknown", false),
		.tls = truth(j, "tls", false),
		.connections = (unsigned)number(j, "connections", 0),
		.idle_ms = milliseconds(j, "idle", 600),
		.idle_says = text(j, "idle_says"),
	};

	if (!c.name || !c.source)
		complain(c.name ? c.name : "?", "no name, or no source");
	check_keys(c.name, j, known);
	c.beyond = beyond ? deed_of(beyond) : usual_beyond;
	read_extensions(&c);
	read_rules(&c);
	return c;
}

static void add_conduct(struct gallery *g, json_t *j)
{
	struct conduct c = conduct_of(j);

	if (gallery_find(g, c.name))
		complain(c.name, "there are two of this name");
	if (g->n == g->room) {
		g->room = g->room ? 2 * g->room : 64;
		g->all = must_realloc(g->all, g->room * sizeof(g->all[0]));
	}
	g->all[g->n++] = c;
}

/* ---- the gallery ---- */

static int is_conduct(const struct dirent *d)
{
	return str_ends(str_of(d->d_name), S(".json"));
}

static void read_file(struct gallery *g, const char *name)
{
	struct combination all = { .n = 0 };
	json_error_t error;
	char path[1024];
	json_t *file;

	snprintf(path, sizeof(path), "%s/%s", PEERS, name);
	file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!file)
		complain(path, error.text);
	combine(g, file, &all, json_object_iter(json_object_get(file, "with")));
	json_decref(file);
}

struct gallery *gallery_open(void)
{
	struct gallery *g = must_alloc(sizeof(*g));
	struct dirent **files;
	int n = scandir(PEERS, &files, is_conduct, alphasort);

	*g = (struct gallery){ 0 };
	if (n <= 0)
		complain(PEERS, "no files");
	for (int i = 0; i < n; i++) {
		read_file(g, files[i]->d_name);
		free(files[i]);
	}
	free(files);
	return g;
}

void gallery_close(struct gallery *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->all[i].rules);
		json_decref(g->all[i].json);
	}
	free(g->all);
	free(g);
}

size_t gallery_size(const struct gallery *g)
{
	return g->n;
}

const struct conduct *gallery_at(const struct gallery *g, size_t i)
{
	check(i < g->n);
	return &g->all[i];
}

const struct conduct *gallery_find(const struct gallery *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (strcmp(g->all[i].name, name) == 0)
			return &g->all[i];
	return NULL;
}
