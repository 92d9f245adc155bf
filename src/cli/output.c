/*
 * What a command says: sentences, lists, one object.
 *
 * Everything is made as JSON once; text is derived from it, so that the two
 * cannot differ.  Names and addresses come from outside, hence nothing reaches
 * a terminal with control characters in it.
 */
#include <stdarg.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/cli.h"

/* C0, DEL and the C1 controls in UTF-8 (C2 80 .. C2 9F) become '?'. */
const char *cli_clean(struct cli *c, const char *text)
{
	char *out = arena_printf(c->arena, "%s", text);

	for (unsigned char *p = (unsigned char *)out; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = *p == '\t' ? ' ' : '?';
		if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
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
		json_array_foreach(v, i, item) {
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

static const char *text_of(struct cli *c, const json_t *v)
{
	struct buf b scoped(buf) = BUF_EMPTY;

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
		const char *text = row ? text_of(c, json_object_get(row, k->key))
				       : k->title;
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

	json_object_foreach(item, key, v) {
		const char *text = text_of(c, v);

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

	json_array_foreach(block, i, item)
		print_line(c, item);
}

static void print_members(struct cli *c, const json_t *object)
{
	int width = 0;
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)object, key, v)
		if (width_of(key) > width)
			width = width_of(key);
	json_object_foreach((json_t *)object, key, v) {
		if (is_block(v)) {
			fprintf(c->out, "%s\n", key);
			print_block(c, v);
			continue;
		}
		print_padded(c->out, key, width + 2);
		fprintf(c->out, "%s\n", text_of(c, v));
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

const char *cli_read_secret(struct cli *c, const char *prompt)
{
	struct termios before, quiet;
	bool terminal = isatty(fileno(c->in)) &&
			tcgetattr(fileno(c->in), &before) == 0;
	enum { ROOM = 1024 };	/* longer is no password */
	char *line = arena_alloc(c->arena, ROOM);
	bool ok;

	if (terminal) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(fileno(c->in), TCSAFLUSH, &quiet);
		fprintf(c->err, "%s: ", prompt);
		fflush(c->err);
	}
	ok = read_line(c->in, line, ROOM);
	if (terminal) {
		tcsetattr(fileno(c->in), TCSAFLUSH, &before);
		fputc('\n', c->err);
	}
	return ok ? line : NULL;
}
