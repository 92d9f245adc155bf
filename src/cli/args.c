/*
 * Arguments by the usage line.
 *
 * The usage line is read once into items; then argv is held against them.
 * A usage line that breaks its own grammar is our bug, hence check().
 */
#include "cli/args.h"

enum { ITEMS = 24 };	/* in one usage line */

struct item {
	struct str name;	/* "NAME", or "relay" for --relay */
	bool is_option, takes_value, optional, many;
};

struct value {
	struct str name;
	const char *value;
};

struct args {
	struct item items[ITEMS];
	size_t n_items;
	const char **words;
	size_t n_words;
	struct value *values;
	size_t n_values;
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

/* "[--relay HOSTS]..." comes as two parts: the second is only a name. */
static void read_item(struct args *a, struct str *rest)
{
	struct item *it = &a->items[a->n_items++];
	struct str part, value;

	check(a->n_items <= ITEMS);
	check(str_split(rest, ' ', &part));
	it->optional = cut_start(&part, S("["));
	it->is_option = cut_start(&part, S("--"));
	if (it->is_option) {
		it->takes_value = it->optional ? !str_ends(part, S("]")) : true;
		if (it->takes_value) {
			check(str_split(rest, ' ', &value));
			it->many = cut_end(&value, S("..."));
		}
	} else {
		it->many = cut_end(&part, S("..."));
	}
	cut_end(&part, S("]"));
	if (!it->is_option)
		it->many |= cut_end(&part, S("..."));
	it->name = part;
}

static void read_usage(struct args *a, const char *usage)
{
	struct str rest = str_of(usage);

	while (!str_empty(rest))
		read_item(a, &rest);
}

static const struct item *option_named(const struct args *a, struct str name)
{
	for (size_t i = 0; i < a->n_items; i++)
		if (a->items[i].is_option && str_same(a->items[i].name, name))
			return &a->items[i];
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

/* argv[*I] is "--name", "--name=value" or "--name" with its value behind. */
static bool take_option(struct args *a, int argc, char **argv, int *i)
{
	struct str name = str_from(str_of(argv[*i]), 2);
	ptrdiff_t equals = str_find(name, '=');
	const char *value = NULL;
	const struct item *it;

	if (equals >= 0) {
		value = name.p + equals + 1;
		name = str_part(name, 0, (size_t)equals);
	}
	it = option_named(a, name);
	if (!it)
		return fail("there is no option --%.*s here.", STR(name));
	if (!it->takes_value && value)
		return fail("--%.*s takes no value.", STR(name));
	if (!it->many && was_given(a, name))
		return fail("--%.*s is given twice.", STR(name));
	if (it->takes_value && !value) {
		if (*i + 1 == argc)
			return fail("--%.*s needs a value.", STR(name));
		value = argv[++*i];
	}
	a->values[a->n_values++] = (struct value){ it->name,
						   value ? value : "" };
	return true;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] == '-' && word[2] != '\0';
}

static bool read_argv(struct args *a, int argc, char **argv)
{
	bool options_end = false;

	for (int i = 0; i < argc; i++) {
		if (!options_end && !strcmp(argv[i], "--"))
			options_end = true;
		else if (options_end || !is_option(argv[i]))
			a->words[a->n_words++] = argv[i];
		else if (!take_option(a, argc, argv, &i))
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
	return true;
}

struct args *args_parse(struct arena *arena, const char *usage, int argc,
			char **argv)
{
	struct args *a = arena_new(arena, struct args);

	a->words = arena_array(arena, const char *, (size_t)argc + 1);
	a->values = arena_array(arena, struct value, (size_t)argc + 1);
	read_usage(a, usage);
	return read_argv(a, argc, argv) && fits(a) ? a : NULL;
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
