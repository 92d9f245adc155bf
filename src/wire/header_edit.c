/*
 * Fields in a list, changed one by one, and written again.
 *
 * Invariant: each entry of the list is whole lines, the first of which begins a
 * field and the others continue it.
 */
#include "wire/header_edit.h"

#include "base/buf.h"
#include "wire/header.h"

struct field {
	struct str name; /* of what is hidden, the front: empty */
	struct str whole;
};

struct fields {
	struct arena *arena;
	struct field *list;
	size_t n, room;
};

static void put(struct fields *f, size_t at, struct field new)
{
	if (f->n == f->room) {
		struct field *list;

		f->room = f->room * 2 + 64;
		list = arena_array(f->arena, struct field, f->room);
		if (f->n)
			memcpy(list, f->list, f->n * sizeof(*list));
		f->list = list;
	}
	memmove(f->list + at + 1, f->list + at, (f->n - at) * sizeof(*f->list));
	f->list[at] = new;
	f->n++;
}

static void take(struct fields *f, size_t at)
{
	f->n--;
	memmove(f->list + at, f->list + at + 1, (f->n - at) * sizeof(*f->list));
}

/* A line of a value; the first one stands behind the colon. */
static void write_line(struct buf *b, struct str line, bool is_first)
{
	if (!is_first && str_empty(str_trim(line)))
		return;
	if (!is_first) {
		buf_add(b, S("\r\n"));
		if (line.p[0] != ' ' && line.p[0] != '\t')
			buf_add_char(b, '\t');
	}
	buf_add(b, line);
}

static struct field written(const struct header_edit *e, struct arena *arena)
{
	struct buf b scoped(buf) = BUF_EMPTY, clean scoped(buf) = BUF_EMPTY;
	struct str rest, line;
	bool is_first = true;

	for (size_t i = 0; i < e->value.n; i++)
		if (e->value.p[i] != '\r' && e->value.p[i] != '\0')
			buf_add_char(&clean, e->value.p[i]);
	buf_printf(&b, "%.*s:%s", STR(e->name), e->needs_blank ? " " : "");
	for (rest = buf_str(&clean); str_split(&rest, '\n', &line);
	     is_first = false)
		write_line(&b, line, is_first);
	buf_add(&b, S("\r\n"));
	return (struct field){ .name = e->name,
			       .whole = arena_str(arena, buf_str(&b)) };
}

/* Where the field is that E is about; f->n: there is none. */
static size_t find(const struct fields *f, const struct header_edit *e)
{
	uint32_t left = e->index ? e->index : 1;

	for (size_t i = 0; i < f->n; i++)
		if (str_same_nocase(f->list[i].name, e->name) && --left == 0)
			return i;
	return f->n;
}

static void change(struct fields *f, const struct header_edit *e)
{
	size_t at = find(f, e);

	if (at < f->n)
		take(f, at);
	if (e->value.n)
		put(f, at, written(e, f->arena));
}

static void edit(struct fields *f, const struct header_edit *e)
{
	switch (e->kind) {
	case HEADER_APPEND:
		put(f, f->n, written(e, f->arena));
		break;
	case HEADER_INSERT:
		put(f, e->index < f->n ? e->index : f->n, written(e, f->arena));
		break;
	case HEADER_CHANGE:
		change(f, e);
		break;
	}
}

static struct str joined(const struct fields *f, size_t from, size_t end)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	for (size_t i = from; i < end; i++)
		buf_add(&b, f->list[i].whole);
	return arena_str(f->arena, buf_str(&b));
}

struct header_edited header_edit(struct str front, struct str header,
				 const struct header_edit *edits, size_t n,
				 struct arena *arena)
{
	struct fields f = { .arena = arena };
	struct header_raw raw;
	size_t at = 0, before = 0;

	put(&f, 0, (struct field){ .whole = front });
	while (header_raw(header, &at, &raw))
		put(&f, f.n, (struct field){ raw.name, raw.whole });
	for (size_t i = 0; i < n; i++)
		edit(&f, &edits[i]);
	while (f.list[before].name.n)
		before++;
	return (struct header_edited){ joined(&f, 0, before),
				       joined(&f, before + 1, f.n) };
}
