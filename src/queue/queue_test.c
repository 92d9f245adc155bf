/* The queue with real files: ids, bodies, keep, settle, group commit. */
#include "queue/queue_test_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "rt/clock.h"
#include "rt/loop.h"

/* ---- messages in memory ---- */

static struct spool nowhere;

static void test_ids(void **state)
{
	char before[16] = "";

	for (int i = 0; i < 5000; i++) {
		struct message *m = message_new(&nowhere);
		char again[ID_LETTERS + 1];
		int64_t number = id_number(str_of(m->id));

		assert_true(number > 0);
		id_write(number, again);
		assert_string_equal(m->id, again);
		assert_true(strcmp(before, m->id) < 0);
		memcpy(before, m->id, sizeof(before));
		message_drop(m);
	}
	assert_int_equal(id_number(S("")), 0);
	assert_int_equal(id_number(S("../../../etc")), 0);
	assert_int_equal(id_number(S("aaaaaaaaaaa")), 0);
	assert_int_equal(id_number(S("AAAAAAAAAAAA")), 0);
	assert_int_equal(id_number(S("aaaaaaaaaaaaa")), 0);
}

static void test_addresses(void **state)
{
	struct message *m = message_new(&nowhere);
	struct recipient *r = message_add(m, S("Bob+x@Own.TEST"));
	const struct address *a;

	a = recipient_parsed(r, m->arena);
	assert_non_null(a);
	assert_true(str_same(a->domain, S("own.test")));
	assert_true(str_same(a->spelling, r->address));
	assert_null(r->parsed); /* another thread may be reading it */
	r->parsed = a;
	assert_ptr_equal(recipient_parsed(r, m->arena), a);

	a = recipient_parsed(message_add(m, S("Postmaster")), m->arena);
	assert_non_null(a);
	assert_true(str_empty(a->domain));
	for (int i = 0; i < 4; i++) {
		static const char *const none[] = { "", "bob", "bob@",
						    "a b@own.test" };

		r = message_add(m, str_of(none[i]));
		assert_null(recipient_parsed(r, m->arena));
	}
	message_drop(m);
}

static void bodies(void *world)
{
	struct world *w = world;
	struct spool *spool = queue_spool(w->q);
	struct body b = { .spool = spool, .memory = BUF_EMPTY };
	char c[4];

	check(body_in_memory(&b).p && body_in_memory(&b).n == 0);
	check(body_read(&b, 0, c, 4) == 0);
	check(body_add(&b, S("one\r")) && !b.ends_with_crlf);
	check(body_add(&b, S("\n")) && b.ends_with_crlf);
	check(body_add(&b, S("\n")) && !b.ends_with_crlf);
	check(body_add(&b, S("two\r\n")) && b.ends_with_crlf);
	check(str_same(body_in_memory(&b), S("one\r\n\ntwo\r\n")));
	check(body_read(&b, 9, c, 4) == 2 && c[0] == '\r');
	check(b.charged == 11 && b.bytes == 11);
	for (int i = 0; i < 3; i++) {
		static char much[60000];

		memset(much, 'a' + i, sizeof(much));
		check(body_add(&b, (struct str){ much, 60000 }));
	}
	check(b.file && b.filed == 120011 && b.charged == 60000);
	check(b.memory.n == 60000 && b.bytes == 180011);
	check(!body_in_memory(&b).p && !b.ends_with_crlf);
	check(body_read(&b, 60010, c, 4) == 4 && memcmp(c, "abbb", 4) == 0);
	check(body_read(&b, 120010, c, 4) == 1 && c[0] == 'b');
	check(body_read(&b, 120011, c, 4) == 4 && memcmp(c, "cccc", 4) == 0);
	check(body_add(&b, S("\r")) && body_add(&b, S("\n")));
	check(b.ends_with_crlf);
	check(body_read(&b, 180012, c, 4) == 1 && c[0] == '\n');
	check(body_read(&b, 180013, c, 4) == 0);
	body_free(&b);
	check(spool_files(w) == 0);
}

static void add_in_pieces(struct body *b, size_t bytes, size_t piece)
{
	for (size_t n = 0; n < bytes; n += piece) {
		struct buf text scoped(buf) = BUF_EMPTY;

		for (size_t i = n; i < n + piece && i < bytes; i++)
			buf_add_char(&text, (char)('a' + i % 23));
		check(body_add(b, buf_str(&text)));
	}
}

/* Every byte, read in steps that know nothing of how it was written. */
static bool body_is_whole(struct body *b, size_t bytes)
{
	char piece[3001];
	ptrdiff_t n;
	size_t at = 0;

	while ((n = body_read(b, at, piece, sizeof piece)) > 0)
		for (ptrdiff_t i = 0; i < n; i++, at++)
			if (piece[i] != (char)('a' + at % 23))
				return false;
	return n == 0 && at == bytes;
}

/* The file gets few writes, whatever the pieces. */
static void small_pieces_are_gathered(void *world)
{
	static const size_t pieces[] = { 1,     2,     7,     50,    1000,
					 65535, 65536, 65537, 200000 };
	struct world *w = world;
	struct spool *spool = queue_spool(w->q);

	for (size_t i = 0; i < array_size(pieces); i++) {
		struct body b = { .spool = spool, .memory = BUF_EMPTY };
		size_t bytes = 400001;

		add_in_pieces(&b, bytes, pieces[i]);
		check(b.bytes == bytes && body_is_whole(&b, bytes));
		check(b.filed % LIMIT_BODY_PIECE_BYTES == 0 ||
		      b.filed >= LIMIT_BODY_MEMORY_BYTES - pieces[i]);
		check(bytes - b.filed <= LIMIT_BODY_PIECE_BYTES);
		check(b.charged == b.memory.n);
		check(body_keep(&b, "aaaaaaaaaaaa"));
		check(b.filed == bytes && !b.charged &&
		      body_is_whole(&b, bytes));
		check(file_remove(spool->folder, "aaaaaaaaaaaa"));
		body_free(&b);
	}
}

/* ---- keep and claim ---- */

static void keep_full(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 1);
	struct recipient *r = &m->recipients[0];

	check(inet_parse(S("[2001:db8::1]:4711"), 0, &m->client));
	m->envid = S("env+3Did");
	m->ret = RET_HDRS;
	m->is_8bit = true;
	m->as = S("system:exchange");
	m->helo = S("mx.else.test");
	m->trace = S("Received: from x\r\n");
	m->arrived_wall_ms = 12345678901;
	r->orcpt = S("rfc822;b+40x");
	r->notify = NOTIFY_DELAY | NOTIFY_FAILURE;
	r->trail = S("ab12:cd34");
	r->part = PART_THERE;
	r->is_member = true;
	r->attempts = 3;
	r->reply = (struct reply){ 451, "4.3.0", S("later\nplease") };
	r->remote = S("mx[192.0.2.1]:25");
	r->next_hop = (struct next_hop){ NEXT_HOP_SYSTEM, S("exchange") };
	r->delay_told = true;
	message_add(m, S("gone@own.test"))->state = RECIPIENT_DONE;
	keep(w, m, true);
	check(m->is_kept && m->row && m->recipients[0].row);
	check(!m->recipients[1].row);
	check(!claim_one(w, INT64_MAX / 2, &(int64_t){ 0 }));
	message_drop(m);
}

static void claim_full(void *world)
{
	struct world *w = world;
	int64_t next;
	struct message *m = claim_one(w, 1000, &next);
	struct recipient *r;

	check(m && next == INT64_MAX);
	check(body_is(m, 1, size_of(1)));
	check(str_same(m->sender, S("n1@else.test")));
	check(strcmp(inet_text(&m->client).c, "[2001:db8::1]:4711") == 0);
	check(str_same(m->envid, S("env+3Did")) && m->ret == RET_HDRS);
	check(m->is_8bit && !m->is_utf8 && m->is_kept);
	check(str_same(m->as, S("system:exchange")));
	check(str_same(m->helo, S("mx.else.test")));
	check(str_same(m->trace, S("Received: from x\r\n")));
	check(m->arrived_wall_ms == 12345678901 && m->n == 1);
	r = &m->recipients[0];
	check(str_same(r->address, S("bob@own.test")));
	check(str_same(r->orcpt, S("rfc822;b+40x")));
	check(r->notify == (NOTIFY_DELAY | NOTIFY_FAILURE));
	check(str_same(r->trail, S("ab12:cd34")) && r->part == PART_THERE);
	check(r->is_member && r->attempts == 3 && r->delay_told);
	check(r->reply.code == 451 && !strcmp(r->reply.status, "4.3.0"));
	check(str_same(r->reply.text, S("later\nplease")));
	check(str_same(r->remote, S("mx[192.0.2.1]:25")));
	check(r->next_hop.kind == NEXT_HOP_SYSTEM && !r->bounce_wanted);
	check(str_same(r->next_hop.name, S("exchange")));
	check(r->state == RECIPIENT_WAITING && !r->held);
	message_drop(m);
}

static void test_keep(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, bodies, &w);
	loops_run(1, small_pieces_are_gathered, &w);
	loops_run(1, keep_full, &w);
	world_again(&w);
	loops_run(1, claim_full, &w);
	world_close(&w);
}

static void claims(void *world)
{
	struct world *w = world;
	struct message *a = make_message(w, 2), *b = make_message(w, 3), *got,
		       *two[2];
	struct claim_wish both = wish(9000, 2);
	int64_t next;
	size_t n;

	a->recipients[0].next_attempt_ms = 5000;
	b->recipients[0].next_attempt_ms = 7000;
	message_add(b, S("held@own.test"))->held = true;
	keep(w, a, false);
	keep(w, b, false);
	check(changed(w) && !changed(w));
	check(!claim_one(w, 4999, &next) && next == 5000);
	got = claim_one(w, 9000, &next);
	check(got && got->row == a->row && next == 7000);
	check(queue_claim(w->q, &both, two, &n, &next));
	check(n == 1 && two[0]->row == b->row && two[0]->n == 1);
	check(next == INT64_MAX);
	check(!claim_one(w, 9000, &next));
	queue_release(w->q, got);
	check(changed(w));
	message_drop(got);
	got = claim_one(w, 9000, &next);
	check(got && got->row == a->row);
	message_drop(got);
	message_drop(two[0]);
	message_drop(a);
	message_drop(b);
}

static void test_claims(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, claims, &w);
	world_close(&w);
}

/* ---- settle ---- */

static void settle(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 7), *got; /* 7: in the spool */
	struct recipient *r;
	int64_t next, row = 0;

	message_add(m, S("refused@own.test"));
	message_add(m, S("group@own.test"));
	keep(w, m, true);
	check(spool_files(w) == 1);
	check(ask(w, "SELECT count(*) FROM recipient") == 3);

	m->recipients[0].state = RECIPIENT_LATER;
	m->recipients[0].attempts = 1;
	m->recipients[0].next_attempt_ms = 8000;
	m->recipients[0].reply = (struct reply){ 450, "4.2.0", S("busy") };
	m->recipients[1].state = RECIPIENT_REFUSED;
	m->recipients[2].state = RECIPIENT_DROPPED;
	r = message_add(m, S("member@else.test"));
	r->is_member = true;
	r->state = RECIPIENT_LATER;
	r->next_attempt_ms = 9000;
	check(queue_settle(w->q, m, NULL, 0));
	check(m->is_kept && m->recipients[3].row == 4);
	check(!m->recipients[1].row && !m->recipients[2].row);
	check(ask(w, "SELECT count(*) FROM recipient") == 2);
	message_drop(m);

	check(!claim_one(w, 7999, &next) && next == 8000);
	m = claim_one(w, 8000, &next);
	check(m && m->n == 1);
	check(m->recipients[0].attempts == 1);
	check(m->recipients[0].reply.code == 450);
	check(body_is(m, 7, size_of(7)));
	row = m->row;
	m->recipients[0].state = RECIPIENT_DONE;
	check(queue_settle(w->q, m, NULL, 0));
	check(m->row == row && spool_files(w) == 1); /* one is left */
	message_drop(m);

	got = claim_one(w, 9000, &next);
	check(got && got->row == row && got->recipients[0].is_member);
	got->recipients[0].state = RECIPIENT_DONE;
	check(queue_settle(w->q, got, NULL, 0));
	check(!got->row && !got->is_kept && spool_files(w) == 0);
	check(queue_settle(w->q, got, NULL, 0)); /* nothing left to say */
	message_drop(got);
	check(ask(w, "SELECT count(*) FROM message") == 0);
}

static int rows(struct world *w)
{
	return (int)ask(w, "SELECT count(*) FROM recipient");
}

/* While the others are attempted. */
static void settle_part(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 7), *got;
	struct message *dsn = message_new(queue_spool(w->q));
	int64_t next;

	message_add(m, S("slow@own.test"));
	message_add(m, S("told@own.test"))->notify = NOTIFY_SUCCESS;
	message_add(m, S("gone@own.test"));
	keep(w, m, true);
	check(queue_settle_part(w->q, m, NULL, 0) && rows(w) == 4);
	m->recipients[0].state = RECIPIENT_DONE;
	m->recipients[2].state = RECIPIENT_LATER;
	m->recipients[2].attempts = 1;
	m->recipients[2].next_attempt_ms = 0;
	m->recipients[2].reply.code = 451;
	m->recipients[3].state = RECIPIENT_REFUSED;
	message_add(dsn, S("sender@own.test"));
	check(queue_settle_part(w->q, m, &dsn, 1) && rows(w) == 3);
	check(ask(w, "SELECT sum(code) FROM recipient") == 451);
	check(!m->recipients[0].row && m->recipients[2].row);
	check(m->is_kept && spool_files(w) == 1);
	got = claim_one(w, INT64_MAX / 4, &next);
	check(got &&
	      str_same(got->recipients[0].address, S("sender@own.test")));
	got->recipients[0].state = RECIPIENT_DONE;
	check(queue_settle(w->q, got, NULL, 0));
	check(!claim_one(w, INT64_MAX / 4, &next)); /* still ours */

	/* one that waits has been split: both halves stand on the disk */
	m->recipients[1].part = PART_HERE;
	message_add(m, S("slow@own.test"))->part = PART_THERE;
	check(queue_settle_part(w->q, m, NULL, 0) && rows(w) == 3);
	check(m->recipients[4].row && m->recipients[4].next_attempt_ms);
	check(ask(w, "SELECT count(DISTINCT part) FROM recipient") == 3);

	/* the others are deleted: what is left is the end's */
	m->recipients[1].state = RECIPIENT_DONE;
	ask(w, "DELETE FROM recipient WHERE row > 2");
	check(!queue_settle_part(w->q, m, NULL, 0) && rows(w) == 1);
	check(queue_settle(w->q, m, NULL, 0) && rows(w) == 0);
	check(!m->is_kept && spool_files(w) == 0);
	check(ask(w, "SELECT count(*) FROM message") == 0);
	message_drop(got);
	message_drop(dsn);
	message_drop(m);
}

/* One that waits has been split, and the other half has had its end by then. */
static void settle_half(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 7);
	struct recipient *other;

	message_add(m, S("slow@own.test"));
	keep(w, m, true);
	m->recipients[1].part = PART_HERE;
	other = message_add(m, S("slow@own.test"));
	other->part = PART_THERE;
	other->state = RECIPIENT_DONE;
	check(queue_settle_part(w->q, m, NULL, 0) && rows(w) == 2);
	check(ask(w, "SELECT part FROM recipient WHERE row = 2") == PART_HERE);
	m->recipients[0].state = m->recipients[1].state = RECIPIENT_DONE;
	check(queue_settle(w->q, m, NULL, 0) && rows(w) == 0);
	message_drop(m);
}

static void test_settle_part(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, settle_part, &w);
	loops_run(1, settle_half, &w);
	world_close(&w);
}

static void body_rows(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 4);

	keep(w, m, true);
	check(ask(w, "SELECT count(*) FROM body") == 1);
	m->recipients[0].state = RECIPIENT_DONE;
	check(queue_settle(w->q, m, NULL, 0));
	check(ask(w, "SELECT count(*) FROM body") == 0);
	message_drop(m);
}

static void dsns(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 23), *dsn = make_message(w, 39),
		       *more, *got;
	int64_t next;

	check(queue_keep(w->q, m, true, &dsn, 1));
	check(dsn->is_kept && dsn->row && spool_files(w) == 2);
	got = claim_one(w, 1000, &next); /* only M is claimed */
	check(got && got->row == dsn->row && is_whole(got));
	got->recipients[0].state = RECIPIENT_DONE;
	check(queue_settle(w->q, got, NULL, 0));
	message_drop(got);

	more = make_message(w, 5);
	m->recipients[0].state = RECIPIENT_REFUSED;
	check(queue_settle(w->q, m, &more, 1));
	check(!m->row && more->row && spool_files(w) == 0);
	check(ask(w, "SELECT count(*) FROM message") == 1);
	message_drop(m);
	message_drop(dsn);
	message_drop(more);
}

static void test_settle(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, settle, &w);
	loops_run(1, body_rows, &w);
	loops_run(1, dsns, &w);
	world_close(&w);
}

/* ---- the command line changes rows meanwhile ---- */

static void meanwhile(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 8);
	struct recipient *r;
	int64_t next;

	message_add(m, S("deleted@own.test"));
	message_add(m, S("held@own.test"));
	message_add(m, S("bounced@own.test"));
	keep(w, m, true);
	changed(w);
	check(!changed(w));
	ask(w, "DELETE FROM recipient WHERE address LIKE 'deleted@%'");
	ask(w, "UPDATE recipient SET held = 1 WHERE address LIKE 'held@%'");
	ask(w, "UPDATE recipient SET verdict = 1, next_attempt = 0"
	       " WHERE address LIKE 'bounced@%'");
	check(changed(w) && !changed(w));

	for (size_t i = 0; i < m->n; i++) {
		m->recipients[i].state = RECIPIENT_LATER;
		m->recipients[i].next_attempt_ms = 5000;
	}
	check(queue_settle(w->q, m, NULL, 0));
	message_drop(m);
	check(ask(w, "SELECT count(*) FROM recipient") == 3);
	m = claim_one(w, 100, &next);
	check(m && m->n == 1 && m->recipients[0].bounce_wanted);
	queue_release(w->q, m);
	message_drop(m);
	m = claim_one(w, 5000, &next);
	check(m && m->n == 2); /* not the held one */

	ask(w, "DELETE FROM recipient");
	ask(w, "DELETE FROM body");
	ask(w, "DELETE FROM message");
	m->recipients[0].state = RECIPIENT_LATER;
	r = message_add(m, S("new@own.test"));
	check(queue_settle(w->q, m, NULL, 0));
	check(!m->row && !r->row);
	check(ask(w, "SELECT count(*) FROM recipient") == 0);
	message_drop(m);
}

static void test_meanwhile(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, meanwhile, &w);
	world_close(&w);
}

/* ---- group commit ---- */

enum { SENDERS = 20, MESSAGES_EACH = 50 };

static void keep_fifty(void *world)
{
	for (unsigned i = 0; i < MESSAGES_EACH; i++) {
		struct message *m = make_sized(world, i, 4096);

		keep(world, m, true);
		m->recipients[0].state = RECIPIENT_DONE;
		check(i % 2 ||
		      queue_settle(((struct world *)world)->q, m, NULL, 0));
		message_drop(m);
	}
}

static void keep_thousand(void *world)
{
	for (int i = 0; i < SENDERS; i++)
		check(fiber_start("sender", keep_fifty, world));
}

static void test_group_commit(void **state)
{
	struct world w;
	uint64_t commits, kept;

	world_open(&w);
	loops_run(1, keep_thousand, &w);
	queue_counts(w.q, &commits, &kept);
	assert_int_equal(kept, SENDERS * MESSAGES_EACH);
	assert_true(commits < kept);
	assert_int_equal(ask(&w, "SELECT count(*) FROM message"), kept / 2);
	world_close(&w);
}

/* ---- nothing in it ---- */

static void count_wake(void *woken)
{
	++*(_Atomic int *)woken;
}

static void rest(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 1);
	_Atomic int woken = 0;

	check(queue_rest(w->q, true, count_wake, &woken));
	check(queue_rest_end(w->q) && woken == 0);
	check(queue_rest(w->q, true, count_wake, &woken));
	keep(w, m, true);
	check(woken == 1 && !queue_rest_end(w->q));
	check(!queue_rest(w->q, true, count_wake, &woken));
	message_drop(m);
}

static void test_rest(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, rest, &w);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_settle_part),
		cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_group_commit),
		cmocka_unit_test(test_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
