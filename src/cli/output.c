/*
 * What a command says: sentences, lists, one object.
 *
 * Everything is made as JSON once; text is derived from it, so that the two
 * cannot differ.  Names and addresses come from outside, hence nothing reaches
 * a terminal with control characters in it.
 */
#include <signal.h>
#include <stdarg.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/size.h"
#include "cli/cli.h"

/* How many bytes at P are one character that makes text look like another:
 * controls (C0, DEL, C1), line ends and marks of direction (U+061C, 200E, 200F,
 * 2028 to 202E, 2066 to 2069), in UTF-8. */
static size_t misleads(const unsigned char *p)
{
	if (*p < 0x20 || *p == 0x7f)
		return 1;
	if ((*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) ||
	    (*p == 0xd8 && p[1] == 0x9c))
		return 2;
	if (*p != 0xe2 || (p[1] != 0x80 && p[1] != 0x81))
		return 0;
	if (p[1] == 0x81)
		return p[2] >= 0xa6 && p[2] <= 0xa9 ? 3 : 0;
	return p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae)
		       ? 3
		       : 0;
}

/* They become '?', a tab a space. */
const char *cli_clean(struct cli *c, const char *text)
{
	char *out = arena_printf(c->arena, "%s", text);
	unsigned char *p = (unsigned char *)out;

	while (*p) {
		size_t n = misleads(p);

		if (*p == '\t')
			*p = ' ';
		else if (n)
			memset(p, '?', n);
		p += n ? n : 1;
	}
	return out;
}

void cli_json(struct cli *c, json_t *value)
{
	json_dumpf(value, c->out, JSON_INDENT(2) | JSON_ENCODE_ANY);
	fputc('\n', c->out);
	json_decref(value);
}

/* ---- sentences ---- */

int cli_done(struct cli *c, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = cli_clean(c, arena_vprintf(c->arena, format, args));
	va_end(args);
	if (c->json)
		cli_json(c, json_pack("{s:b,s:s}", "done", 1, "text", text));
	else
		fprintf(c->out, "%s\n", text);
	return CLI_DONE;
}

int cli_refuse(struct cli *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(c->err, "splitmail: %s\n",
		cli_clean(c, arena_vprintf(c->arena, format, args)));
	va_end(args);
	return CLI_REFUSED;
}

int cli_usage(struct cli *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(c->err, "splitmail: %s Add --help to see how it is used.\n",
		cli_clean(c, arena_vprintf(c->arena, format, args)));
	va_end(args);
	return CLI_USAGE;
}

/* ---- values as text ---- */

static void add_text(struct buf *b, const json_t *v)
{
	const json_t *item;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_STRING:
		buf_add(b, (struct str){ json_string_value(v),
					 json_string_length(v) });
		break;
	case JSON_INTEGER:
		buf_printf(b, "%lld", (long long)json_integer_value(v));
		break;
	case JSON_REAL:
		buf_printf(b, "%g", json_real_value(v));
		break;
	case JSON_TRUE:
		buf_add(b, S("yes"));
		break;
	case JSON_FALSE:
		buf_add(b, S("no"));
		break;
	case JSON_ARRAY:
		json_array_foreach(v, i, item)
		{
			if (i > 0)
				buf_add(b, S(", "));
			add_text(b, item);
		}
		break;
	case JSON_OBJECT:
	case JSON_NULL:
		break;
	}
}

/* Members that are numbers of bytes, and what 0 says there. */
static const struct {
	const char *key, *none;
} sizes[] = {
	{ "quota", "no limit" },
	{ "max_message_size", "the server's limit" },
};

static const char *size_of(struct cli *c, const char *key, const json_t *v)
{
	for (size_t i = 0; json_is_integer(v) && i < array_size(sizes); i++)
		if (!strcmp(key, sizes[i].key))
			return json_integer_value(v) == 0
				       ? sizes[i].none
				       : arena_printf(
						 c->arena, "%s",
						 size_text(
							 (uint64_t)
								 json_integer_value(
									 v))
							 .c);
	return NULL;
}

/* The value V of the member KEY. */
static const char *text_of(struct cli *c, const char *key, const json_t *v)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	const char *size = size_of(c, key, v);

	if (size)
		return size;
	if (v)
		add_text(&b, v);
	if (b.n == 0)
		return "-";
	return cli_clean(c, arena_cstr(c->arena, buf_str(&b)));
}

static int width_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void print_padded(FILE *to, const char *text, int width)
{
	int pad = width - width_of(text);

	fprintf(to, "%s%*s", text, pad > 0 ? pad : 0, "");
}

/* ---- lists ---- */

static void print_row(struct rows *r, const json_t *row)
{
	struct cli *c = r->cli;

	for (size_t i = 0; i < r->n_columns; i++) {
		const struct column *k = &r->columns[i];
		const json_t *v = row ? json_object_get(row, k->key) : NULL;
		const char *text = row ? text_of(c, k->key, v) : k->title;
		bool is_last = i + 1 == r->n_columns;

		print_padded(c->out, text, is_last ? 0 : k->width);
		fputs(is_last ? "\n" : "  ", c->out);
	}
}

struct rows rows_begin(struct cli *c, const struct column *columns, size_t n)
{
	struct rows r = { c, columns, n, 0 };

	if (c->json)
		fputs("[", c->out);
	else
		print_row(&r, NULL);
	return r;
}

/* The memory of a row's text goes with it: a list may have any length. */
void rows_add(struct rows *r, json_t *row)
{
	struct arena *command = r->cli->arena;

	r->n++;
	if (r->cli->json) {
		fputs(r->n > 1 ? ",\n " : "\n ", r->cli->out);
		json_dumpf(row, r->cli->out, 0);
	} else {
		r->cli->arena = arena_open();
		print_row(r, row);
		arena_close(r->cli->arena);
		r->cli->arena = command;
	}
	json_decref(row);
}

int rows_end(struct rows *r)
{
	if (r->cli->json)
		fputs(r->n > 0 ? "\n]\n" : "]\n", r->cli->out);
	return CLI_DONE;
}

/* ---- one object ---- */

static bool is_block(const json_t *v)
{
	return json_is_array(v) && json_array_size(v) > 0 &&
	       json_is_object(json_array_get(v, 0));
}

/* "  bob@b.example  routed=yes, home=hosted": the first member has no key. */
static void print_line(struct cli *c, json_t *item)
{
	const char *key, *gap = "  ";
	bool first = true;
	json_t *v;

	json_object_foreach(item, key, v)
	{
		const char *text = text_of(c, key, v);

		if (!strcmp(text, "-"))
			continue;
		if (first)
			fprintf(c->out, "  %s", text);
		else
			fprintf(c->out, "%s%s=%s", gap, key, text);
		gap = first ? "  " : ", ";
		first = false;
	}
	fputc('\n', c->out);
}

static void print_block(struct cli *c, const json_t *block)
{
	json_t *item;
	size_t i;

	json_array_foreach(block, i, item) print_line(c, item);
}

static void print_members(struct cli *c, const json_t *object)
{
	int width = 0;
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)object, key, v) if (width_of(key) > width)
		width = width_of(key);
	json_object_foreach((json_t *)object, key, v)
	{
		if (is_block(v)) {
			fprintf(c->out, "%s\n", key);
			print_block(c, v);
			continue;
		}
		print_padded(c->out, key, width + 2);
		fprintf(c->out, "%s\n", text_of(c, key, v));
	}
}

int cli_show(struct cli *c, json_t *object)
{
	if (c->json) {
		cli_json(c, object);
		return CLI_DONE;
	}
	print_members(c, object);
	json_decref(object);
	return CLI_DONE;
}

/* ---- paths, words, secrets ---- */

char *cli_path(struct cli *c, const char *name)
{
	return arena_printf(c->arena, "%s/%s", c->data, name);
}

bool cli_key_value(const char *word, struct str *key, struct str *value)
{
	struct str s = str_of(word);
	ptrdiff_t equals = str_find(s, '=');

	if (equals <= 0)
		return fail("\"%s\" is not of the form KEY=VALUE.", word);
	*key = str_part(s, 0, (size_t)equals);
	*value = str_from(s, (size_t)equals + 1);
	return true;
}

static bool read_line(FILE *in, char *to, size_t room)
{
	if (!fgets(to, (int)room, in))
		return fail("Nothing was given on standard input.");
	if (!strchr(to, '\n') && !feof(in))
		return fail("The line on standard input is too long.");
	to[strcspn(to, "\r\n")] = '\0';
	if (!*to)
		return fail("The line on standard input is empty.");
	return true;
}

/* ---- a terminal that does not show what is typed ---- */

static const int ends[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
static struct termios shown; /* as it was */
static int terminal;

/* Who is asked for a password and presses Ctrl-C has his terminal back. */
static void show_and_end(int number)
{
	tcsetattr(terminal, TCSAFLUSH, &shown);
	signal(number, SIG_DFL);
	raise(number);
}

/* False: it is no terminal. */
static bool terminal_hide(FILE *in)
{
	struct termios quiet;

	terminal = fileno(in);
	if (!isatty(terminal) || tcgetattr(terminal, &shown) != 0)
		return false;
	for (size_t i = 0; i < array_size(ends); i++)
		signal(ends[i], show_and_end);
	quiet = shown;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(terminal, TCSAFLUSH, &quiet);
	return true;
}

static void terminal_show(void)
{
	tcsetattr(terminal, TCSAFLUSH, &shown);
	for (size_t i = 0; i < array_size(ends); i++)
		signal(ends[i], SIG_DFL);
}

const char *cli_read_secret(struct cli *c, const char *prompt)
{
	enum { ROOM = 1024 }; /* longer is no password */
	char *line = arena_alloc(c->arena, ROOM);
	bool is_hidden = terminal_hide(c->in), ok;

	if (is_hidden) {
		fprintf(c->err, "%s: ", prompt);
		fflush(c->err);
	}
	ok = read_line(c->in, line, ROOM);
	if (is_hidden) {
		terminal_show();
		fputc('\n', c->err);
	}
	return ok ? line : NULL;
}

static bool is_terminal(FILE *f)
{
	return f && fileno(f) >= 0 && isatty(fileno(f));
}

int cli_confirm(struct cli *c, const char *format, ...)
{
	const char *question;
	char line[16] = "";
	va_list args;

	if (c->yes)
		return CLI_DONE;
	va_start(args, format);
	question = cli_clean(c, arena_vprintf(c->arena, format, args));
	va_end(args);
	if (!is_terminal(c->in) || !is_terminal(c->err)) {
		cli_refuse(c, "%s? There is nobody to ask: add --yes.",
			   question);
		return CLI_USAGE;
	}
	fprintf(c->err, "%s? [y/N] ", question);
	fflush(c->err);
	if (fgets(line, sizeof(line), c->in) && (*line | 0x20) == 'y')
		return CLI_DONE;
	fprintf(c->err, "Nothing was changed.\n");
	return CLI_REFUSED;
}
