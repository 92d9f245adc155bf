/*
 * aliases(5) (aliases.h).
 */
#include "wire/aliases.h"

#include <stdlib.h>

#include "wire/mailboxes.h"

struct reader {
	struct arena *arena;
	struct aliases *out;
	size_t room;
	size_t line; /* of the entry */
	void (*trouble)(void *arg, size_t line, const char *what);
	void *arg;
};

/* An entry may be several lines. */
static struct str trimmed(struct str s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[s.n - 1]) && s.p[s.n - 1])
		s.n--;
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) && s.p[0])
		s = str_from(s, 1);
	return s;
}

/* ---- an entry: its lines ---- */

static bool goes_on(struct str text)
{
	return text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t');
}

static bool is_comment(struct str line)
{
	line = trimmed(line);
	return str_empty(line) || line.p[0] == '#';
}

/* The next line and those that go on with it, comments between them too;
 * *LINES is how many there are. */
static struct str take_entry(struct str *text, size_t *lines)
{
	struct str all = *text, line;

	*lines = 0;
	do {
		str_split(text, '\n', &line);
		++*lines;
	} while (!is_comment(line) && goes_on(*text));
	return str_part(all, 0, all.n - text->n);
}

/* ---- its targets ---- */

/* Up to the next comma outside of quotes. */
static bool next_target(struct str *rest, struct str *out)
{
	bool in_quotes = false;
	size_t i = 0;

	if (str_empty(*rest))
		return false;
	for (; i < rest->n; i++) {
		if (rest->p[i] == '"')
			in_quotes = !in_quotes;
		else if (rest->p[i] == '\\' && in_quotes)
			i++;
		else if (rest->p[i] == ',' && !in_quotes)
			break;
	}
	i = i < rest->n ? i : rest->n;
	*out = trimmed(str_part(*rest, 0, i));
	*rest = str_from(*rest, i < rest->n ? i + 1 : i);
	return true;
}

static const char *why_unfit(struct str target)
{
	struct str bare = trimmed(target);

	if (str_starts(bare, S("\"")))
		bare = str_from(bare, 1);
	if (str_starts(bare, S("|")))
		return "no program is run here";
	if (str_starts(bare, S("/")))
		return "no file is written here";
	if (str_starts(bare, S(":include:")))
		return "no list is read here: name its members, or make it a "
		       "group";
	if (str_starts(bare, S("\\")))
		return "users of this host have no mailboxes here";
	return NULL;
}

static void say(const struct reader *r, const char *text)
{
	if (r->trouble)
		r->trouble(r->arg, r->line, text);
}

static void add_target(struct reader *r, struct alias *a, struct str *list,
		       struct str target)
{
	const char *why = why_unfit(target);
	struct str one;

	if (!why) {
		while (mailbox_next(&target, r->arena, &one))
			list[a->n++] = one;
		return;
	}
	if (str_empty(a->unfit))
		a->unfit = arena_str(r->arena, target);
	say(r, arena_printf(r->arena, "\"%.*s\": %s", STR(target), why));
}

/* Each is one byte long at least, with a comma or the like in between. */
static void read_targets(struct reader *r, struct alias *a, struct str rest)
{
	struct str *list = arena_array(r->arena, struct str, rest.n / 2 + 1),
		   one;

	a->targets = list;
	while (next_target(&rest, &one))
		if (!str_empty(one))
			add_target(r, a, list, one);
}

/* ---- its name ---- */

static struct str name_of(struct reader *r, struct str text)
{
	char *name;

	text = trimmed(text);
	if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"')
		text = str_part(text, 1, text.n - 1);
	name = arena_cstr(r->arena, text);
	for (size_t i = 0; i < text.n; i++)
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] += 'a' - 'A';
	return (struct str){ name, text.n };
}

/* Behind the name: its colon may not be one in quotes. */
static ptrdiff_t colon_of(struct str entry)
{
	bool in_quotes = false;

	for (size_t i = 0; i < entry.n; i++) {
		if (entry.p[i] == '"')
			in_quotes = !in_quotes;
		if (entry.p[i] == ':' && !in_quotes)
			return (ptrdiff_t)i;
	}
	return -1;
}

static struct alias *add_alias(struct reader *r)
{
	struct aliases *out = r->out;

	if (out->n == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		struct alias *more = arena_array(r->arena, struct alias, room);

		if (out->n > 0)
			memcpy(more, out->list, out->n * sizeof(*more));
		out->list = more;
		r->room = room;
	}
	return &out->list[out->n++];
}

static void read_entry(struct reader *r, struct str entry)
{
	ptrdiff_t colon = colon_of(entry);
	struct alias a = { .line = r->line };

	if (colon >= 0)
		a.name = name_of(r, str_part(entry, 0, (size_t)colon));
	if (str_empty(a.name)) {
		say(r, "there is no \"name:\" before the addresses");
		return;
	}
	read_targets(r, &a, str_from(entry, (size_t)colon + 1));
	if (a.n == 0 && str_empty(a.unfit))
		say(r, arena_printf(r->arena, "%.*s: there is no address",
				    STR(a.name)));
	else
		*add_alias(r) = a;
}

/* ---- all of them ---- */

static int by_name_and_line(const void *a, const void *b)
{
	const struct alias *one = a, *other = b;
	int order = str_compare(one->name, other->name);

	return order ? order : one->line < other->line ? -1 : 1;
}

/* Of two with one name the first counts, as for postalias(1). */
static void leave_out_doubles(struct reader *r)
{
	struct aliases *out = r->out;
	size_t n = 0;

	for (size_t i = 0; i < out->n; i++) {
		if (n == 0 ||
		    !str_same(out->list[n - 1].name, out->list[i].name)) {
			out->list[n++] = out->list[i];
			continue;
		}
		r->line = out->list[i].line;
		say(r, arena_printf(
			       r->arena, "%.*s: it stands in line %zu already",
			       STR(out->list[i].name), out->list[n - 1].line));
	}
	out->n = n;
}

void aliases_parse(struct str text, struct arena *arena, struct aliases *out,
		   void (*trouble)(void *arg, size_t line, const char *what),
		   void *arg)
{
	struct reader r = { .arena = arena,
			    .out = out,
			    .line = 1,
			    .trouble = trouble,
			    .arg = arg };

	*out = (struct aliases){ .n = 0 };
	while (!str_empty(text)) {
		size_t lines;
		struct str entry = take_entry(&text, &lines);

		if (!is_comment(entry))
			read_entry(&r, entry);
		r.line += lines;
	}
	if (out->n > 0)
		qsort(out->list, out->n, sizeof(*out->list), by_name_and_line);
	leave_out_doubles(&r);
}

static int name_compare(const void *name, const void *alias)
{
	return str_compare(*(const struct str *)name,
			   ((const struct alias *)alias)->name);
}

const struct alias *aliases_find(const struct aliases *a, struct str name)
{
	return a->n ? bsearch(&name, a->list, a->n, sizeof(*a->list),
			      name_compare)
		    : NULL;
}
