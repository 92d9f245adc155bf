/*
 * Messages that wait: as a list, in pages, and one with all of it (tools.h).
 */
#include "queue/tools_inside.h"

#include <stdio.h>

#include "wire/header.h"

enum { PAGE_RECIPIENTS = 2000 }; /* in memory at once */

/* ---- list ---- */

/* NULL in *OUT: it has left. */
static bool load(struct tools *t, const struct match *match, int64_t number,
		 struct message **out)
{
	struct message *m = message_again(&t->spool, number);
	struct query *q = tools_bind(t, MESSAGE, match, number, 0);
	bool ok, row;

	m->row = number;
	m->is_kept = true;
	ok = tools_next_row(t, MESSAGE, &row);
	if (row)
		store_read_message(q, m, &t->spool);
	query_reset(q);
	q = tools_bind(t, RECIPIENTS, match, number, 0);
	*out = ok && row ? m : NULL;
	while (*out && (ok = tools_next_row(t, RECIPIENTS, &row)) && row) {
		struct recipient *r;

		store_read_recipient(q, m);
		r = &m->recipients[m->n - 1];
		r->next_attempt_ms = tools_as_wall(t, r->next_attempt_ms);
	}
	query_reset(q);
	if (!ok)
		*out = NULL;
	if (!*out)
		message_drop(m);
	return ok;
}

/* Messages of a page, read in one transaction. */
struct loaded {
	struct message *m[TOOLS_PAGE];
	size_t n;
	size_t used; /* numbers of the page that were looked at */
};

/* As much of PAGE as is little memory, whatever its recipients. */
static bool load_page(struct tools *t, const struct match *match,
		      const struct page *page, size_t limit, struct loaded *out)
{
	size_t recipients = 0;

	*out = (struct loaded){ .n = 0 };
	while (out->used < page->n && out->used < limit &&
	       recipients < PAGE_RECIPIENTS) {
		struct message *m;

		if (!load(t, match, page->number[out->used++], &m)) {
			if (!tools_leave_out(t, page->number[out->used - 1]))
				return false;
			continue;
		}
		if (m && !m->n) {
			message_drop(m);
			m = NULL;
		}
		if (!m)
			continue;
		recipients += m->n;
		out->m[out->n++] = m;
	}
	return true;
}

static void show_page(struct loaded *l,
		      void (*each)(void *, const struct message *), void *arg)
{
	for (size_t i = 0; i < l->n; i++) {
		if (each)
			each(arg, l->m[i]);
		message_drop(l->m[i]);
	}
}

/* How far a list has come. */
struct place {
	int64_t last; /* message */
	bool is_end;
	size_t left; /* messages that are still wanted */
};

/* Nothing is pinned while EACH writes to whoever does not read. */
static bool list_page(struct tools *t, const struct match *match,
		      struct place *at,
		      void (*each)(void *, const struct message *), void *arg)
{
	struct loaded l = { .n = 0 };
	struct page page;
	bool ok;

	if (!tools_look(t))
		return false;
	ok = tools_next_page(t, match, at->last, &page) &&
	     load_page(t, match, &page, at->left, &l);
	tools_undo(t);
	show_page(&l, ok ? each : NULL, arg);
	if (!ok)
		return false;
	if (l.used)
		at->last = page.number[l.used - 1];
	at->is_end = page.is_last && l.used == page.n;
	at->left -= l.n;
	return true;
}

static bool list_from(struct tools *t, const struct match *match, int64_t after,
		      size_t most, void (*each)(void *, const struct message *),
		      void *arg)
{
	struct place at = { .last = after, .left = most };
	bool ok = true;

	while (ok && !at.is_end && at.left)
		ok = list_page(t, match, &at, each, arg);
	return ok;
}

bool tools_list(struct tools *t, const struct queue_filter *f,
		void (*each)(void *, const struct message *), void *arg)
{
	struct arena *a = arena_open();
	struct match match;
	bool none, ok = tools_match(f, a, &match, &none);

	tools_begin(t);
	if (ok && t->sql && !none)
		ok = list_from(t, &match, 0, SIZE_MAX, each, arg);
	arena_close(a);
	return ok;
}

bool tools_page(struct tools *t, const struct queue_filter *f, struct str after,
		size_t limit, void (*each)(void *, const struct message *),
		void *arg)
{
	struct arena *a = arena_open();
	struct match match;
	bool none, ok = tools_match(f, a, &match, &none);

	tools_begin(t);
	if (ok && t->sql && !none)
		ok = list_from(t, &match, id_number(after), limit, each, arg);
	arena_close(a);
	return ok;
}

/* ---- show ---- */

static bool read_spool(struct message *m)
{
	FILE *f = fopen(m->body.path, "re");
	char block[8192];
	size_t n;
	bool ok;

	if (!f)
		return fail("open %s: %m", m->body.path);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(&m->body.memory, (struct str){ block, n });
	ok = !ferror(f);
	if (!ok)
		fail("read %s: %m", m->body.path);
	fclose(f);
	m->body.path = NULL;
	return ok;
}

static bool read_row(struct tools *t, enum statement which, int64_t message,
		     struct buf *to)
{
	struct query *q = &t->st[which];
	bool ok, row;

	query_set_int(q, 1, message);
	ok = tools_next_row(t, which, &row);
	if (row)
		buf_add(to, query_peek_bytes(q, 0));
	query_reset(q);
	return ok;
}

static bool read_body(struct tools *t, struct message *m)
{
	if (!(m->body.path ? read_spool(m)
			   : read_row(t, BODY, m->row, &m->body.memory)))
		return false;
	body_note(&m->body);
	return true;
}

enum tools_found tools_show(struct tools *t, struct str id,
			    struct message **out)
{
	struct match all = { .number = id_number(id) };
	bool ok;

	*out = NULL;
	if (!t->sql || !all.number)
		return TOOLS_NOT_THERE;
	if (!tools_look(t))
		return TOOLS_TROUBLE;
	ok = load(t, &all, all.number, out) && (!*out || read_body(t, *out));
	tools_undo(t);
	if (ok)
		return *out ? TOOLS_FOUND : TOOLS_NOT_THERE;
	message_drop(*out);
	*out = NULL;
	return TOOLS_TROUBLE;
}

/* ---- its subject ---- */

static void read_head(const char *path, struct buf *to)
{
	char block[SUBJECT_WITHIN];
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	buf_add(to, (struct str){ block, fread(block, 1, sizeof(block), f) });
	fclose(f);
}

struct str tools_subject(struct tools *t, const struct message *m)
{
	struct buf head scoped(buf) = BUF_EMPTY;
	struct str text = body_in_memory(&m->body), subject;
	size_t at = 0;

	if (str_empty(text) && t) {
		if (m->body.path) {
			read_head(m->body.path, &head);
		} else {
			query_set_int(&t->st[HEAD], 2, SUBJECT_WITHIN);
			(void)!read_row(t, HEAD, m->row, &head);
		}
		text = buf_str(&head);
	}
	return header_next(text, S("Subject"), &at, m->arena, &subject)
		       ? subject
		       : S("");
}
