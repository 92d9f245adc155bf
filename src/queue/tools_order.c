/*
 * What an administrator orders (tools.h).
 */
#include "base/mutants.h"
#include "queue/inside.h"
#include "queue/tools_inside.h"
#include "rt/folder.h"

enum { PAUSE_MS = 2 }; /* between two transactions */

/* ---- orders ---- */

static bool order_one(struct tools *t, enum order order,
		      const struct match *match, int64_t number, uint64_t *n)
{
	enum statement which = (enum statement)(ORDERS + (int)order);

	tools_bind(t, which, match, number, 0);
	if (!tools_run(t, which))
		return false;
	*n += (uint64_t)sql_changes(t->sql);
	return true;
}

/* Before the commit, as the engine does (spool.c). */
static void unseal(struct tools *t, int64_t number)
{
	if (!folder_seal(t->spool.folder, spool_name(number).c, false))
		return;
}

/* After its recipients: the message, if none is left.  What has gone is moved
 * to the front of the page. */
static bool end_messages(struct tools *t, struct page *page)
{
	size_t gone = 0;

	for (size_t i = 0; i < page->n; i++) {
		query_set_int(&t->st[END_MESSAGE], 1, page->number[i]);
		if (!tools_run(t, END_MESSAGE))
			return false;
		if (!sql_changes(t->sql) && !MUTANT(page_is_gone))
			continue;
		query_set_int(&t->st[END_BODY], 1, page->number[i]);
		if (!tools_run(t, END_BODY))
			return false;
		unseal(t, page->number[i]);
		page->number[gone++] = page->number[i];
	}
	page->n = gone;
	return true;
}

/* A file that stays is swept at the engine's next start. */
static void remove_files(struct tools *t, const struct page *gone)
{
	for (size_t i = 0; i < gone->n; i++) {
		if (!folder_remove(t->spool.folder,
				   spool_name(gone->number[i]).c))
			return;
	}
}

static bool order_rows(struct tools *t, enum order order,
		       const struct match *match, struct page *page,
		       uint64_t *n)
{
	for (size_t i = 0; i < page->n; i++)
		if (!order_one(t, order, match, page->number[i], n))
			return false;
	return order != ORDER_DELETE || end_messages(t, page);
}

static bool order_page(struct tools *t, enum order order,
		       const struct match *match, struct page *page,
		       uint64_t *n)
{
	uint64_t changed = 0;

	if (!order_rows(t, order, match, page, &changed) ||
	    !tools_run(t, COMMIT))
		return false;
	*n += changed;
	if (order == ORDER_DELETE)
		remove_files(t, page);
	return true;
}

/* One by one: what is damaged keeps nothing else from being done. */
static bool order_singly(struct tools *t, enum order order,
			 const struct match *match, const struct page *page,
			 uint64_t *n)
{
	for (size_t i = 0; i < page->n; i++) {
		struct page one = { { page->number[i] }, 1, false };

		if (!tools_run(t, BEGIN))
			return false;
		if (order_page(t, order, match, &one, n))
			continue;
		tools_undo(t);
		if (!tools_leave_out(t, page->number[i]))
			return false;
	}
	return true;
}

static bool order_next(struct tools *t, enum order order,
		       const struct match *match, int64_t *last, bool *is_last,
		       uint64_t *n)
{
	struct page page, all;

	if (!tools_run(t, BEGIN))
		return false;
	if (!tools_next_page(t, match, *last, &page)) {
		tools_undo(t);
		return false;
	}
	*is_last = page.is_last;
	if (page.n)
		*last = page.number[page.n - 1];
	all = page;
	if (order_page(t, order, match, &page, n))
		return true;
	tools_undo(t);
	return t->is_damaged && order_singly(t, order, match, &all, n);
}

static bool order_all(struct tools *t, enum order order,
		      const struct match *match, uint64_t *n)
{
	int64_t last = 0;
	bool is_last = false;

	while (!is_last) {
		if (!order_next(t, order, match, &last, &is_last, n))
			return false;
		if (!is_last)
			sql_pause(PAUSE_MS);
	}
	return true;
}

bool tools_order(struct tools *t, enum order order,
		 const struct queue_filter *f, uint64_t *n)
{
	struct arena *a = arena_open();
	struct match match;
	bool none, ok = tools_match(f, a, &match, &none);

	*n = 0;
	tools_begin(t);
	if (ok && t->sql && !none)
		ok = order_all(t, order, &match, n);
	arena_close(a);
	return ok;
}
