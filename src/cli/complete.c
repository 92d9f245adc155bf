/*
 * splitmail completion: what a shell offers at the Tab key.
 *
 * The shell's function gives all words of the line, the last one as far as it
 * is typed, and gets what may stand there, one a line.  Where, is told by the
 * same usage lines and keys that arguments are parsed by; names of users,
 * domains and so on come from the directory that runs.
 */
#include "cli/args.h"
#include "cli/help.h"
#include "cli/store.h"
#include "queue/tools.h"

enum { OFFERS = 500 }; /* more are of no use to anybody */

extern const char completion_bash[], completion_zsh[];

struct offers {
	struct cli *cli;
	const char *begun;  /* what is typed of the word */
	const char *before; /* stands in front of every offer: "relay=" */
	size_t n;
};

static void offer(struct offers *o, struct str word)
{
	struct str begun = str_of(o->begun);

	if (o->n >= OFFERS || word.n < begun.n ||
	    !str_same_nocase(str_part(word, 0, begun.n), begun))
		return;
	o->n++;
	fprintf(o->cli->out, "%s%.*s\n", o->before, STR(word));
}

static void offer_word(struct offers *o, const char *before, const char *word,
		       const char *behind)
{
	offer(o, arena_strf(o->cli->arena, "%s%s%s", before, word, behind));
}

/* ---- names ---- */

static void on_holder(void *offers, const struct holder_entry *e)
{
	offer(offers, e->login);
}

static void on_domain(void *offers, const struct domain_entry *e)
{
	offer(offers, e->domain.name);
}

static void on_system(void *offers, const struct system *e)
{
	offer(offers, e->name);
}

static void on_filter(void *offers, const struct filter *f)
{
	offer(offers, f->name);
}

static void on_admin(void *offers, const struct admin_entry *e)
{
	offer(offers, e->name);
}

static void on_message(void *offers, const struct message *m)
{
	offer(offers, str_of(m->id));
}

static bool offer_holders(struct offers *o, struct directory *d,
			  enum holder_kind kind)
{
	struct holder_filter f = { .kind = kind, .mail_system = -1 };

	return list_holders(d, &f, on_holder, o);
}

static bool offer_users(struct offers *o, struct directory *d)
{
	return offer_holders(o, d, HOLDER_USER);
}

static bool offer_groups(struct offers *o, struct directory *d)
{
	return offer_holders(o, d, HOLDER_GROUP);
}

static bool offer_shared(struct offers *o, struct directory *d)
{
	return offer_holders(o, d, HOLDER_SHARED);
}

static bool offer_all_holders(struct offers *o, struct directory *d)
{
	return offer_users(o, d) && offer_groups(o, d) && offer_shared(o, d);
}

static bool offer_domains(struct offers *o, struct directory *d)
{
	return list_domains(d, S(""), on_domain, o);
}

static bool offer_systems(struct offers *o, struct directory *d)
{
	return list_systems(d, S(""), on_system, o);
}

static bool offer_filters(struct offers *o, struct directory *d)
{
	return list_filters(d, S(""), on_filter, o);
}

static bool offer_admins(struct offers *o, struct directory *d)
{
	return list_admins(d, on_admin, o);
}

static bool offer_messages(struct offers *o, struct directory *d)
{
	struct tools *t = tools_open(o->cli->data);
	bool ok = t && tools_list(t, &(struct queue_filter){ .id = S("") },
				  on_message, o);

	(void)d;
	tools_close(t);
	return ok;
}

/* What a usage line calls it, and who knows what there is of it. */
static const struct {
	const char *name;
	bool (*offer)(struct offers *o, struct directory *d);
} kinds[] = {
	{ "USER", offer_users },     { "GROUP", offer_groups },
	{ "SHARED", offer_shared },  { "DOMAIN", offer_domains },
	{ "SYSTEM", offer_systems }, { "ADMIN", offer_admins },
	{ "MEMBER", offer_users },   { "ADDRESS", offer_all_holders },
	{ "ID", offer_messages },    { "FILTER", offer_filters },
};

/* A directory that cannot be read offers nothing. */
static void offer_names(struct offers *o, struct str kind)
{
	struct directory *d;

	for (size_t i = 0; i < array_size(kinds); i++) {
		if (!str_same(kind, str_of(kinds[i].name)))
			continue;
		d = directory_open(cli_path(o->cli, "directory.db"));
		if (d && !kinds[i].offer(o, d))
			o->n = OFFERS;
		directory_close(d);
	}
}

/* VALUE: "hosted|alternate|none", "SYSTEM" */
static void offer_values(struct offers *o, struct str value)
{
	struct str word;

	if (str_find(value, '|') < 0) {
		offer_names(o, value);
		return;
	}
	while (str_split(&value, '|', &word))
		offer(o, word);
}

/* ---- inside a command ---- */

/* "[--domain DOMAIN]" as "--domain" and "DOMAIN"; "[USER]..." as "USER". */
static void take_apart(struct str item, struct str *name, struct str *value)
{
	if (str_ends(item, S("...")))
		item.n -= 3;
	if (str_starts(item, S("[")))
		item = str_part(item, 1, item.n - 1);
	if (str_ends(item, S("...")))
		item.n -= 3;
	str_split(&item, ' ', name);
	*value = item;
}

static bool has_settings(const struct command *m)
{
	return m->keys && strstr(m->usage, "SETTING");
}

static const struct key *key_named(const struct command *m, struct str name)
{
	for (const struct key *k = has_settings(m) ? m->keys : NULL;
	     k && k->name; k++)
		if (key_is(k, name))
			return k;
	return NULL;
}

/* What the value behind --NAME is called; empty: it has none. */
static struct str value_of_option(const struct command *m, struct str name)
{
	struct str rest = str_of(m->usage), item, option, value;
	const struct key *k = key_named(m, name);

	if (k)
		return str_of(k->value);
	while (usage_item(&rest, &item)) {
		take_apart(item, &option, &value);
		if (str_starts(option, S("--")) &&
		    same_name(str_from(option, 2), name))
			return value;
	}
	return S("");
}

static void offer_options(struct offers *o, const struct command *m)
{
	struct str rest = str_of(m->usage), item, name, value;

	while (usage_item(&rest, &item)) {
		take_apart(item, &name, &value);
		if (str_starts(name, S("--")))
			offer(o, name);
	}
	for (const struct key *k = has_settings(m) ? m->keys : NULL;
	     k && k->name; k++)
		if (m->creates || !k->later)
			offer_word(o, "--", dashed(o->cli->arena, k->name), "");
	offer(o, S("--json"));
	offer(o, S("--yes"));
	offer(o, S("--help"));
}

static void offer_settings(struct offers *o, const struct command *m)
{
	for (const struct key *k = m->keys; k->name; k++)
		if (m->creates || !k->later)
			offer_word(o, "", k->name, "=");
}

/* Word number AT of the command, options not counted. */
static void offer_word_number(struct offers *o, const struct command *m,
			      size_t at)
{
	struct str rest = str_of(m->usage), item, name, value;

	while (usage_item(&rest, &item)) {
		bool many = str_ends(item, S("..."));

		take_apart(item, &name, &value);
		if (str_starts(name, S("--")))
			continue;
		if (at > 0 && !many) {
			at--;
			continue;
		}
		if (str_same(name, S("SETTING")))
			offer_settings(o, m);
		else if (!m->creates)
			offer_values(o, name);
		return;
	}
}

static struct str option_of(const char *word)
{
	return str_starts(str_of(word), S("--")) ? str_from(str_of(word), 2)
						 : S("");
}

/* "mail_system=al" */
static bool offer_value_of(struct offers *o, const struct command *m)
{
	struct str name, value, kind;
	bool is_option = str_starts(str_of(o->begun), S("--"));

	if (!cli_key_value(o->begun, &name, &value))
		return false;
	kind = value_of_option(m, is_option ? str_from(name, 2) : name);
	o->before = arena_printf(o->cli->arena, "%.*s=", STR(name));
	o->begun = value.p;
	offer_values(o, kind);
	return true;
}

/* The words behind the verb; the last is O's. */
static void complete_command(struct offers *o, const struct command *m,
			     const struct args *a, size_t from)
{
	size_t n = args_words(a) - 1, at = 0;
	struct str kind = S("");

	for (size_t i = from; i < n; i++) {
		struct str option = option_of(args_word(a, i));

		at += str_empty(option) && str_empty(kind);
		kind = str_find(option, '=') < 0 ? value_of_option(m, option)
						 : S("");
	}
	if (!str_empty(kind) && !str_same(kind, S("yes|no")))
		offer_values(o, kind);
	else if (offer_value_of(o, m))
		return;
	else if (*o->begun == '-')
		offer_options(o, m);
	else
		offer_word_number(o, m, at);
}

/* ---- which command ---- */

static void offer_commands(struct offers *o)
{
	for (const struct listed_noun *l = cli_nouns; l->noun || l->title; l++)
		if (l->noun)
			offer(o, str_of(l->noun->name));
	for (const struct process *p = o->cli->processes; p && p->name; p++)
		if (!p->is_inner)
			offer(o, str_of(p->name));
	offer(o, S("help"));
	offer(o, S("version"));
}

static void offer_verbs(struct offers *o, const struct noun *n)
{
	for (size_t i = 0; i < n->n; i++)
		offer(o, str_of(n->commands[i].verb));
}

/* FROM: the first word that is none of --data DIR and the like. */
static void complete(struct offers *o, const struct args *a, size_t from)
{
	size_t last = args_words(a) - 1;
	const struct noun *n;
	const struct command *m;

	if (from >= last) {
		offer_commands(o);
		return;
	}
	if (!strcmp(args_word(a, from), "help") && from + 1 == last) {
		offer_commands(o);
		return;
	}
	n = find_noun(args_word(a, from));
	m = n ? find_command(n, "") : NULL;
	if (n && !m && from + 1 == last)
		offer_verbs(o, n);
	if (n && !m && from + 1 < last)
		m = find_command(n, args_word(a, ++from));
	if (n && !m && from < last && from + 1 < last)
		m = find_command_of_two(n, args_word(a, from),
					args_word(a, from + 1));
	from += m && strchr(m->verb, ' ');
	if (m)
		complete_command(o, m, a, from + 1);
}

static int words(struct cli *c, const struct args *a)
{
	struct offers o = { .cli = c, .before = "" };
	size_t n = args_words(a), from = 0;

	if (n == 0)
		return CLI_USAGE;
	o.begun = args_word(a, n - 1);
	for (; from + 1 < n; from++) {
		const char *word = args_word(a, from);

		if (!strcmp(word, "--data") && from + 2 < n)
			c->data = args_word(a, ++from);
		else if (!strcmp(word, "--data"))
			return CLI_DONE; /* a folder: the shell knows */
		else if (!strncmp(word, "--data=", 7))
			c->data = word + 7;
		else if (strcmp(word, "--json") && strcmp(word, "--yes"))
			break;
	}
	complete(&o, a, from);
	return CLI_DONE;
}

static int bash(struct cli *c, const struct args *a)
{
	(void)a;
	fputs(completion_bash, c->out);
	return CLI_DONE;
}

static int zsh(struct cli *c, const struct args *a)
{
	(void)a;
	fputs(completion_zsh, c->out);
	return CLI_DONE;
}

static const struct command commands[] = {
	{ "bash", "",
	  "Print the function that makes bash complete commands, "
	  "settings and names.",
	  "source <(splitmail completion bash)", bash,
	  "To have it in every shell, put the example into ~/.bashrc, or as "
	  "root: splitmail completion bash "
	  ">/etc/bash_completion.d/splitmail" },
	{ "zsh", "",
	  "Print the function that makes zsh complete commands, "
	  "settings and names.",
	  "source <(splitmail completion zsh)", zsh,
	  "The example goes into ~/.zshrc, behind compinit." },
	{ "words", "[WORD]...",
	  "What may stand for the last WORD of a command "
	  "line; the functions above ask this.",
	  "splitmail completion words -- user set b", words },
};

const struct noun noun_completion = NOUN_OF(
	"completion", "completion at the Tab key for bash and zsh", commands);
