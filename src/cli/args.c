/*
 * Arguments by the usage line and the keys.
 *
 * The usage line is read once into items; then argv is held against them.
 * A usage line that breaks its own grammar is our bug, hence check().
 */
#include "cli/args.h"

#include "cli/guess.h"

enum { ITEMS = 24 }; /* in one usage line */

struct item {
	struct str name; /* "NAME", or "relay" for --relay */
	bool is_option, takes_value, optional, many;
};

struct value {
	struct str name;
	const char *value;
};

struct given {                 /* a setting */
	const struct key *key; /* NULL: unknown */
	struct str name, value;
};

struct args {
	const struct command *command;
	struct item items[ITEMS];
	size_t n_items;
	bool takes_settings, needs_settings;
	const char **words;
	size_t n_words;
	struct value *values;
	size_t n_values;
	struct given *settings;
	size_t n_settings;
	struct arena *arena;
};

/* ---- the usage line ---- */

static bool cut_end(struct str *s, struct str what)
{
	if (!str_ends(*s, what))
		return false;
	s->n -= what.n;
	return true;
}

static bool cut_start(struct str *s, struct str what)
{
	if (!str_starts(*s, what))
		return false;
	*s = str_from(*s, what.n);
	return true;
}

/* A space inside brackets, or behind an option that has to be given, is no
 * end. */
bool usage_item(struct str *rest, struct str *item)
{
	bool takes_value = str_starts(*rest, S("--"));
	int depth = 0;
	size_t n = 0;

	if (str_empty(*rest))
		return false;
	for (; n < rest->n; n++) {
		char ch = rest->p[n];

		depth += (ch == '[') - (ch == ']');
		if (ch == ' ' && depth == 0 && !takes_value)
			break;
		takes_value &= ch != ' ';
	}
	*item = str_part(*rest, 0, n);
	*rest = str_from(*rest, n < rest->n ? n + 1 : n);
	return true;
}

static void read_option(struct item *it, struct str part)
{
	it->takes_value = str_split(&part, ' ', &it->name) && !str_empty(part);
}

static void read_item(struct args *a, struct str part)
{
	struct item *it = &a->items[a->n_items];

	it->many = cut_end(&part, S("..."));
	it->optional = cut_start(&part, S("[")) && cut_end(&part, S("]"));
	it->many |= cut_end(&part, S("..."));
	it->name = part;
	if (str_same(part, S("SETTING"))) {
		a->takes_settings = true;
		a->needs_settings = !it->optional;
		*it = (struct item){ 0 };
		return;
	}
	a->n_items++;
	check(a->n_items < ITEMS);
	it->is_option = cut_start(&part, S("--"));
	if (it->is_option)
		read_option(it, part);
}

static void read_usage(struct args *a, const char *usage)
{
	struct str rest = str_of(usage), item;

	while (usage_item(&rest, &item))
		read_item(a, item);
}

/* ---- names ---- */

bool same_name(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] != b.p[i] &&
		    !(strchr("-_", a.p[i]) && strchr("-_", b.p[i])))
			return false;
	return true;
}

/* "mail_system" as options are written: "mail-system" */
const char *dashed(struct arena *arena, const char *name)
{
	char *out = arena_printf(arena, "%s", name);

	for (char *p = out; *p; p++)
		if (*p == '_')
			*p = '-';
	return out;
}

bool key_is(const struct key *k, struct str name)
{
	return same_name(str_of(k->name), name) ||
	       (k->one && same_name(str_of(k->one), name));
}

static const struct item *option_named(const struct args *a, struct str name)
{
	for (size_t i = 0; i < a->n_items; i++)
		if (a->items[i].is_option && same_name(a->items[i].name, name))
			return &a->items[i];
	return NULL;
}

static const struct key *key_named(const struct args *a, struct str name)
{
	const struct key *k = a->takes_settings ? a->command->keys : NULL;

	for (; k && k->name; k++)
		if (key_is(k, name))
			return k;
	return NULL;
}

/* ---- argv ---- */

static bool was_given(const struct args *a, struct str name)
{
	for (size_t i = 0; i < a->n_values; i++)
		if (str_same(a->values[i].name, name))
			return true;
	return false;
}

static bool add_setting(struct args *a, const struct key *k, struct str name,
			struct str value)
{
	for (size_t i = 0; k && k->times == KEY_ONCE && i < a->n_settings; i++)
		if (a->settings[i].key == k)
			return fail("%s is given twice.", k->name);
	if (k && k->later && !a->command->creates)
		return fail("%s is for creating: %s.", k->name, k->later);
	a->settings[a->n_settings++] = (struct given){ k, name, value };
	return true;
}

static bool is_yes_or_no(const char *word)
{
	static const char *const words[] = { "yes",   "no", "true",
					     "false", "on", "off" };

	for (size_t i = 0; word && i < array_size(words); i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* "--forward-unknown" alone says yes. */
static bool take_setting(struct args *a, const struct key *k, const char *value,
			 char **argv, int *i)
{
	bool is_flag = !strcmp(k->value, "yes|no");

	if (!value && is_flag && !is_yes_or_no(argv[*i + 1]))
		value = "yes";
	if (!value && !argv[*i + 1])
		return fail("--%s needs a value.", dashed(a->arena, k->name));
	if (!value)
		value = argv[++*i];
	return add_setting(a, k, str_of(k->name), str_of(value));
}

static bool no_option(struct args *a, struct str name)
{
	const char *near, *known = "";
	struct guesses g = guesses_begin(name);

	for (size_t i = 0; i < a->n_items; i++) {
		const struct item *it = &a->items[i];

		if (!it->is_option)
			continue;
		guesses_try(&g, arena_cstr(a->arena, it->name));
		known = arena_printf(a->arena, "%s%s--%.*s", known,
				     *known ? ", " : "", STR(it->name));
	}
	for (const struct key *k = a->takes_settings ? a->command->keys : NULL;
	     k && k->name; k++) {
		guesses_try(&g, dashed(a->arena, k->name));
		known = arena_printf(a->arena, "%s%s--%s", known,
				     *known ? ", " : "",
				     dashed(a->arena, k->name));
	}
	near = guesses_end(&g);
	if (near)
		return fail("there is no option --%.*s here; did you mean "
			    "--%s?",
			    STR(name), near);
	return *known ? fail("there is no option --%.*s here; there are %s.",
			     STR(name), known)
		      : fail("there is no option --%.*s here.", STR(name));
}

/* argv[*I] is "--name", "--name=value" or "--name" with its value behind. */
static bool take_option(struct args *a, char **argv, int *i)
{
	struct str name = str_from(str_of(argv[*i]), 2);
	ptrdiff_t equals = str_find(name, '=');
	const char *value = NULL;
	const struct key *key;
	const struct item *it;

	if (equals >= 0) {
		value = name.p + equals + 1;
		name = str_part(name, 0, (size_t)equals);
	}
	it = option_named(a, name);
	key = it ? NULL : key_named(a, name);
	if (key)
		return take_setting(a, key, value, argv, i);
	if (!it)
		return no_option(a, name);
	if (!it->takes_value && value)
		return fail("--%.*s takes no value.", STR(name));
	if (!it->many && was_given(a, it->name))
		return fail("--%.*s is given twice.", STR(name));
	if (it->takes_value && !value) {
		if (!argv[*i + 1])
			return fail("--%.*s needs a value.", STR(name));
		value = argv[++*i];
	}
	a->values[a->n_values++] =
		(struct value){ it->name, value ? value : "" };
	return true;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] == '-' && word[2] != '\0';
}

/* Words before the settings: an address may have a "=" in it. */
static size_t words_needed(const struct args *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_items; i++)
		n += !a->items[i].is_option && !a->items[i].optional;
	return n;
}

/* "mail_sytem=none".  What is like nothing here the directory refuses, with
 * all there is. */
static bool is_misspelt(struct args *a, struct str name)
{
	struct guesses g = guesses_begin(name);

	for (const struct key *k = a->command->keys; k->name; k++)
		guesses_try(&g, k->name);
	if (guesses_end(&g))
		(void)!fail("there is no setting %.*s here; did you mean %s?",
			    STR(name), guesses_end(&g));
	return guesses_end(&g);
}

static bool take_word(struct args *a, const char *word)
{
	const struct key *known;
	struct str key, value;

	if (!a->takes_settings || a->n_words < words_needed(a)) {
		a->words[a->n_words++] = word;
		return true;
	}
	if (!cli_key_value(word, &key, &value))
		return false;
	known = key_named(a, key);
	if (!known && is_misspelt(a, key))
		return false;
	return add_setting(a, known, key, value);
}

static bool read_argv(struct args *a, char **argv)
{
	bool options_end = false;

	for (int i = 0; argv[i]; i++) {
		if (!options_end && !strcmp(argv[i], "--"))
			options_end = true;
		else if (options_end || !is_option(argv[i])) {
			if (!take_word(a, argv[i]))
				return false;
		} else if (!take_option(a, argv, &i))
			return false;
	}
	return true;
}

static bool fits(const struct args *a)
{
	size_t least = 0, most = 0;

	for (size_t i = 0; i < a->n_items; i++) {
		const struct item *it = &a->items[i];

		if (it->is_option) {
			if (!it->optional && !was_given(a, it->name))
				return fail("--%.*s has to be given.",
					    STR(it->name));
			continue;
		}
		if (!it->optional && a->n_words <= least)
			return fail("%.*s is missing.", STR(it->name));
		least += !it->optional;
		most = it->many ? SIZE_MAX : most + (most < SIZE_MAX);
	}
	if (a->n_words > most)
		return fail("\"%s\" is one word too many.", a->words[most]);
	if (a->needs_settings && !a->n_settings && !a->n_values)
		return fail("there is nothing to change: say what, such as "
			    "%s=%s.",
			    a->command->keys->name, a->command->keys->value);
	return true;
}

struct args *args_parse(struct arena *arena, const struct command *m, int argc,
			char **argv)
{
	struct args *a = arena_new(arena, struct args);
	size_t most = (size_t)argc + 1;

	a->arena = arena;
	a->command = m;
	a->words = arena_array(arena, const char *, most);
	a->values = arena_array(arena, struct value, most);
	a->settings = arena_array(arena, struct given, most);
	read_usage(a, m->usage);
	return read_argv(a, argv) && fits(a) ? a : NULL;
}

/* ---- questions ---- */

const char *args_word(const struct args *a, size_t i)
{
	return i < a->n_words ? a->words[i] : NULL;
}

size_t args_words(const struct args *a)
{
	return a->n_words;
}

const char *args_next(const struct args *a, const char *name, size_t *at)
{
	struct str wanted = str_of(name);

	check(option_named(a, wanted));
	while (*at < a->n_values) {
		const struct value *v = &a->values[(*at)++];

		if (str_same(v->name, wanted))
			return v->value;
	}
	return NULL;
}

const char *args_option(const struct args *a, const char *name)
{
	const char *value = NULL, *next;
	size_t at = 0;

	while ((next = args_next(a, name, &at)))
		value = next;
	return value;
}

bool args_has(const struct args *a, const char *name)
{
	return option_named(a, str_of(name)) != NULL;
}

bool args_setting(const struct args *a, size_t i, const struct key **key,
		  struct str *name, struct str *value)
{
	if (i >= a->n_settings)
		return false;
	*key = a->settings[i].key;
	*name = a->settings[i].name;
	*value = a->settings[i].value;
	return true;
}
