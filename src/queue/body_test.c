/* Bodies that a filter changed: what they are, kept, and after a restart. */
#include "queue/queue_test_world.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"
#include "rt/loop.h"

#define HEADER S("Subject: changed\r\n\r\n")
#define FRONT "Received: by us\r\n\tof all\r\n"

enum {
	OLD_HEADER = 10, /* bytes that are left out */
	SMALL = 5000,
	/* With HEADER it is one byte more than stays in memory. */
	GROWS = LIMIT_BODY_MEMORY_BYTES + OLD_HEADER - 19,
	LARGE = 3 * LIMIT_BODY_PIECE_BYTES * 2 + 17,
};

static const size_t sizes[] = { OLD_HEADER, SMALL, GROWS, LARGE };

static void read_all(struct body *b, struct buf *to)
{
	char piece[8192];
	ptrdiff_t n;

	while ((n = body_read(b, to->n, piece, sizeof(piece))) > 0)
		buf_add(to, (struct str){ piece, (size_t)n });
	check(n == 0);
}

/* Is it HEADER, and what message number N had behind its own header? */
static bool is_changed(struct body *b, unsigned n, size_t size)
{
	struct buf all scoped(buf) = BUF_EMPTY;
	char *old = must_alloc(size);
	struct str rest = { old + OLD_HEADER, size - OLD_HEADER };
	bool same;

	fill(n, old, size);
	read_all(b, &all);
	same = b->bytes == HEADER.n + rest.n &&
	       str_starts(buf_str(&all), HEADER) &&
	       str_same(str_from(buf_str(&all), HEADER.n), rest);
	free(old);
	return same;
}

static struct message *make_changed(struct world *w, unsigned n, size_t size)
{
	struct message *m = make_sized(w, n, size);
	struct body changed = { .spool = m->body.spool };

	check(body_add(&changed, HEADER));
	check(body_add_rest(&changed, &m->body, OLD_HEADER));
	body_replace(&m->body, &changed);
	check(!changed.bytes && !changed.file && !changed.charged);
	return m;
}

static void change_and_keep(void *world)
{
	struct world *w = world;

	for (unsigned i = 0; i < array_size(sizes); i++) {
		struct message *m = make_changed(w, i, sizes[i]);

		check(is_changed(&m->body, i, sizes[i]));
		check((m->body.file != NULL) == (sizes[i] >= GROWS));
		keep(w, m, false);
		message_drop(m);
	}
	check(spool_files(w) == 2);
	check(atomic_load(&queue_spool(w->q)->in_memory) == 0);
}

static void all_are_there(void *world)
{
	struct world *w = world;
	unsigned n = 0;
	int64_t next;

	for (struct message *m; (m = claim_one(w, INT64_MAX / 2, &next)); n++) {
		check(!m->damage && is_changed(&m->body, n, sizes[n]));
		message_drop(m);
	}
	check(n == array_size(sizes));
}

static void test_what_was_changed_is_kept(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, change_and_keep, &w);
	world_again(&w);
	loops_run(1, all_are_there, &w);
	world_close(&w);
}

/* A whole new text, which needs nothing of the old one. */
static void replace(void *world)
{
	struct world *w = world;
	struct message *m = make_sized(w, 1, LARGE);
	struct body changed = { .spool = m->body.spool };

	check(body_add(&changed, S("Subject: x\r\n\r\nnew\r\n")));
	body_replace(&m->body, &changed);
	check(str_same(body_in_memory(&m->body),
		       S("Subject: x\r\n\r\nnew\r\n")));
	check(m->body.ends_with_crlf && !m->body.file);
	keep(w, m, false);
	message_drop(m);
	check(spool_files(w) == 0);
}

static void test_a_new_text_leaves_no_file(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, replace, &w);
	world_close(&w);
}

/* ---- headers ---- */

static const struct {
	const char *came, *fields, *body;
	unsigned n; /* fields of the body's header */
} headers[] = {
	{ "Subject: a\r\n\r\ntext\r\n", "Subject: b\r\nX: 1\r\n",
	  "Subject: b\r\nX: 1\r\n\r\ntext\r\n", 2 },
	/* all fields gone; no text; no header; neither */
	{ "Subject: a\r\n\r\ntext\r\n", "", "\r\ntext\r\n", 0 },
	{ "Subject: a\r\n", "Subject: b\r\n", "Subject: b\r\n\r\n", 1 },
	{ "no header\r\n", "X: 1\r\n", "X: 1\r\n\r\nno header\r\n", 1 },
	{ "", "X: 1\r\n", "X: 1\r\n\r\n", 1 },
};

static void change_headers(void *world)
{
	struct world *w = world;

	for (size_t i = 0; i < array_size(headers); i++) {
		struct message *m = message_new(queue_spool(w->q));
		struct arena *own scoped(arena) = arena_open();
		struct buf all scoped(buf) = BUF_EMPTY;
		struct str came;

		check(body_add(&m->body, str_of(headers[i].came)));
		came = body_header(&m->body, own, &m->header);
		check(message_change_header(m, S(FRONT),
					    str_of(headers[i].fields), came.n));
		read_all(&m->body, &all);
		check(str_same(m->trace, S(FRONT)));
		check(str_same(buf_str(&all), str_of(headers[i].body)));
		check(m->header.fields == headers[i].n);
		message_drop(m);
	}
}

/* Not a byte more than what stands there instead. */
static void replace_headers(void *world)
{
	struct world *w = world;

	for (size_t i = 0; i < array_size(headers); i++) {
		struct message *m = message_new(queue_spool(w->q));
		struct arena *own scoped(arena) = arena_open();
		struct buf all scoped(buf) = BUF_EMPTY,
			       want scoped(buf) = BUF_EMPTY;
		struct str came = str_of(headers[i].came), header;

		check(body_add(&m->body, came));
		header = body_header(&m->body, own, &m->header);
		m->trace = S(FRONT);
		buf_add(&want, str_of(headers[i].fields));
		buf_add(&want, str_from(came, header.n));
		check(message_replace_header(m, str_of(headers[i].fields),
					     header.n));
		read_all(&m->body, &all);
		check(str_same(m->trace, S(FRONT)));
		check(str_same(buf_str(&all), buf_str(&want)));
		message_drop(m);
	}
}

static void test_a_header_is_replaced_to_the_byte(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, replace_headers, &w);
	world_close(&w);
}

static void test_fields_stand_where_they_are_looked_for(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, change_headers, &w);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_was_changed_is_kept),
		cmocka_unit_test(test_a_new_text_leaves_no_file),
		cmocka_unit_test(test_fields_stand_where_they_are_looked_for),
		cmocka_unit_test(test_a_header_is_replaced_to_the_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
