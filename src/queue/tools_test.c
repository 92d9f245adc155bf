/* What the command line sees and orders, beside an engine's open queue. */
#include "queue/tools.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/test.h"
#include "queue/queue.h"
#include "rt/clock.h"
#include "rt/loop.h"

struct world {
	char folder[64];
	struct queue *q;
	struct tools *t;
	int64_t small, large; /* rows of two messages */
};

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *at)
{
	return remove(path);
}

static const struct next_hop exchange = { NEXT_HOP_SYSTEM, { "exchange", 8 } };
static const struct next_hop zimbra = { NEXT_HOP_SYSTEM, { "zimbra", 6 } };

static void add(struct message *m, struct str address, struct next_hop next)
{
	struct recipient *r = message_add(m, address);

	r->next_hop = next;
	r->next_attempt_ms = wall_ms() + 3600000;
	r->reply = (struct reply){ 451, "4.4.1", S("down") };
}

static int64_t keep(struct world *w, struct message *m)
{
	int64_t row;

	check(queue_keep(w->q, m, false, NULL, 0));
	row = m->row;
	message_drop(m);
	return row;
}

static void keep_two(void *world)
{
	struct world *w = world;
	struct message *m = message_new(queue_spool(w->q));

	m->sender = S("alice@own.test");
	m->trace = S("Received: by us\r\n");
	check(body_add(&m->body, S("Subject: x\r\n\r\n")));
	add(m, S("Bob@B.example"), exchange);
	add(m, S("carol@c.example"), zimbra);
	w->small = keep(w, m);

	m = message_new(queue_spool(w->q));
	for (int i = 0; i < 200; i++) {
		char block[1000];

		memset(block, 'a' + i % 26, sizeof(block));
		check(body_add(&m->body, (struct str){ block, sizeof(block) }));
	}
	add(m, S("\"b c\"@b.example"), exchange);
	add(m, S("dora@M\xc3\xbcller.example"), exchange);
	w->large = keep(w, m);
}

static int setup(void **state)
{
	struct world *w = must_alloc(sizeof(*w));

	*w = (struct world){ .folder = "/tmp/queue-tools-XXXXXX" };
	check(mkdtemp(w->folder));
	w->q = queue_open(w->folder);
	check(w->q);
	loops_run(1, keep_two, w);
	w->t = tools_open(w->folder);
	check(w->t);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	tools_close(w->t);
	queue_close(w->q);
	nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

/* "sender: recipient recipient; ..." */
static void write_entry(void *to, const struct message *m)
{
	buf_printf(to, "%.*s %d:", STR(m->sender), (int)m->body.bytes);
	for (size_t i = 0; i < m->n; i++)
		buf_printf(to, " %.*s%s", STR(m->recipients[i].address),
			   m->recipients[i].held ? "(held)" : "");
	buf_add(to, S("; "));
}

static void sees(struct world *w, struct queue_filter f, const char *want)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	assert_true(tools_list(w->t, &f, write_entry, &b));
	buf_add_char(&b, '\0');
	assert_string_equal(b.p, want);
}

#define ANY ((struct queue_filter){ .id = STR_NONE })
#define SMALL_BOB "alice@own.test 14: Bob@B.example"
#define LARGE " 200000: \"b c\"@b.example dora@M\xc3\xbcller.example; "

static uint64_t orders(struct world *w, enum order order, struct queue_filter f)
{
	uint64_t n;

	assert_true(tools_order(w->t, order, &f, &n));
	return n;
}

struct claimed {
	struct world *w;
	size_t n, recipients, bounced;
};

static void claim(void *claimed)
{
	struct claimed *c = claimed;
	struct message *out[8];
	int64_t next;

	check(queue_claim(c->w->q,
			  &(struct claim_wish){ .now_ms = queue_now(c->w->q),
						.max = 8,
						.room = 100,
						.most_ms = INT64_MAX / 2 },
			  out, &c->n, &next));
	for (size_t i = 0; i < c->n; i++) {
		c->recipients += out[i]->n;
		for (size_t k = 0; k < out[i]->n; k++)
			c->bounced += out[i]->recipients[k].bounce_wanted;
		queue_release(c->w->q, out[i]);
		message_drop(out[i]);
	}
}

static struct claimed due_now(struct world *w)
{
	struct claimed c = { .w = w };

	loops_run(1, claim, &c);
	return c;
}

static void test_list(void **state)
{
	struct world *w = *state;
	char id[ID_LETTERS + 1];

	id_write(w->small, id);
	sees(w, ANY, SMALL_BOB " carol@c.example; " LARGE);
	sees(w, (struct queue_filter){ .id = str_of(id) },
	     SMALL_BOB " carol@c.example; ");
	sees(w, (struct queue_filter){ .recipient = S("bob@b.EXAMPLE") },
	     SMALL_BOB "; ");
	sees(w, (struct queue_filter){ .recipient = S("BOB") }, SMALL_BOB "; ");
	sees(w, (struct queue_filter){ .recipient = S("bo") }, "");
	sees(w, (struct queue_filter){ .recipient = S("bob@") }, "");
	sees(w, (struct queue_filter){ .system = S("Exchange") },
	     SMALL_BOB "; " LARGE);
	sees(w, (struct queue_filter){ .domain = S("B.example") },
	     SMALL_BOB ";  200000: \"b c\"@b.example; ");
	sees(w, (struct queue_filter){ .domain = S("xn--mller-kva.example") },
	     " 200000: dora@M\xc3\xbcller.example; ");
	sees(w,
	     (struct queue_filter){ .id = str_of(id), .system = S("zimbra") },
	     "alice@own.test 14: carol@c.example; ");
	sees(w, (struct queue_filter){ .id = S("nosuch") }, "");
	sees(w, (struct queue_filter){ .id = S("222222222222") }, "");
	sees(w, (struct queue_filter){ .domain = S("d.example") }, "");
	assert_false(tools_list(
		w->t, &(struct queue_filter){ .domain = S("no domain!") },
		write_entry, NULL));
}

struct subjects {
	struct tools *t;
	struct buf *to;
};

static void add_subject(void *subjects, const struct message *m)
{
	struct subjects *s = subjects;

	buf_printf(s->to, "<%.*s>", STR(tools_subject(s->t, m)));
}

static void keep_in_spool(void *world)
{
	static const char head[] = "Received: x\r\nsubject: a\r\n\tb\r\n\r\n"
				   "Subject: no\r\n";
	struct world *w = world;
	struct message *m = message_new(queue_spool(w->q));

	check(body_add(&m->body, str_of(head)));
	for (int i = 0; i < 200; i++) {
		char block[1000];

		memset(block, 'x', sizeof(block));
		check(body_add(&m->body, (struct str){ block, sizeof(block) }));
	}
	add(m, S("bob@b.example"), exchange);
	keep(w, m);
}

/* Of what lies in queue.db, and of what lies in spool/. */
static void test_subjects(void **state)
{
	struct world *w = *state;
	struct buf b scoped(buf) = BUF_EMPTY;
	struct subjects s = { w->t, &b };

	loops_run(1, keep_in_spool, w);
	assert_true(tools_list(w->t, &ANY, add_subject, &s));
	buf_add_char(&b, '\0');
	assert_string_equal(b.p, "<x><><a\tb>");
}

static void note_id(void *id, const struct message *m)
{
	snprintf(id, sizeof(m->id), "%s", m->id);
}

/* One message a page, and nothing behind the last. */
static void test_page(void **state)
{
	struct world *w = *state;
	struct queue_filter f = { .system = S("exchange") };
	char first[16] = "", second[16] = "", third[16] = "";

	assert_true(tools_page(w->t, &f, S(""), 1, note_id, first));
	assert_int_equal(id_number(str_of(first)), w->small);
	assert_true(tools_page(w->t, &f, str_of(first), 1, note_id, second));
	assert_int_equal(id_number(str_of(second)), w->large);
	assert_true(tools_page(w->t, &f, str_of(second), 1, note_id, third));
	assert_string_equal(third, "");
}

static void write_load(void *to, const struct queue_load *l)
{
	struct arena *a scoped(arena) = arena_open();

	buf_printf(to, "%.*s %d/%d %d; ", STR(next_hop_text(&l->next_hop, a)),
		   (int)l->recipients, (int)l->held, l->reply.code);
}

static void counts(struct world *w, struct str domain, const char *want,
		   uint64_t messages)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct queue_total total;

	assert_true(tools_count(w->t, domain, write_load, &b, &total));
	buf_add_char(&b, '\0');
	assert_string_equal(b.p, want);
	assert_int_equal(total.messages, messages);
	assert_true(messages == 0 || total.oldest_ms > 0);
}

static void test_count(void **state)
{
	struct world *w = *state;
	struct queue_filter f = { .system = S("zimbra") };
	uint64_t n;

	assert_true(tools_order(w->t, ORDER_HOLD, &f, &n));
	counts(w, S(""), "system exchange 3/0 451; system zimbra 1/1 451; ", 2);
	counts(w, S("B.example"), "system exchange 2/0 451; ", 2);
	counts(w, S("c.example"), "system zimbra 1/1 451; ", 1);
	counts(w, S("nosuch.example"), "", 0);
}

/* Kinds that were given the names of each other. */
static void keep_namesakes(void *world)
{
	static const struct next_hop hops[] = {
		{ NEXT_HOP_SYSTEM, { "internet", 8 } },
		{ NEXT_HOP_RELAY, { "internet", 8 } },
		{ NEXT_HOP_INTERNET, { "net.example", 11 } },
		{ NEXT_HOP_SYSTEM, { "hosted", 6 } },
		{ NEXT_HOP_SYSTEM, { "mailboxes", 9 } },
		{ NEXT_HOP_MAILBOXES, { "", 0 } },
		{ NEXT_HOP_RELAY, { "exchange", 8 } },
		{ NEXT_HOP_UNDECIDED, { "", 0 } },
	};
	struct world *w = world;
	struct message *m = message_new(queue_spool(w->q));
	struct arena *a scoped(arena) = arena_open();

	m->sender = S("alice@own.test");
	check(body_add(&m->body, S("Subject: x\r\n\r\n")));
	for (size_t i = 0; i < array_size(hops); i++)
		add(m, arena_strf(a, "n%zu@name.example", i), hops[i]);
	keep(w, m);
}

static void namesakes_are_told_apart(void **state)
{
	struct world *w = *state;

	loops_run(1, keep_namesakes, w);
	counts(w, S("name.example"),
	       "undecided 1/0 451; mailboxes 1/0 451; internet 1/0 451; "
	       "relay exchange 1/0 451; system hosted 1/0 451; "
	       "system internet 1/0 451; relay internet 1/0 451; "
	       "system mailboxes 1/0 451; ",
	       1);
	sees(w, (struct queue_filter){ .next_hop = S("internet") },
	     "alice@own.test 14: n2@name.example; ");
	sees(w, (struct queue_filter){ .next_hop = S("mailboxes") },
	     "alice@own.test 14: n5@name.example; ");
	sees(w,
	     (struct queue_filter){ .system = S("internet"),
				    .next_hop = S("system") },
	     "alice@own.test 14: n0@name.example; ");
	sees(w, (struct queue_filter){ .system = S("internet") },
	     "alice@own.test 14: n0@name.example n1@name.example; ");
	assert_int_equal(
		orders(w, ORDER_HOLD,
		       (struct queue_filter){ .system = S("exchange"),
					      .next_hop = S("relay") }),
		1);
	assert_false(tools_list(
		w->t, &(struct queue_filter){ .next_hop = S("nearby") },
		write_entry, NULL));
}

static void write_domain(void *to, struct str domain, uint64_t recipients)
{
	buf_printf(to, "%.*s %d; ", STR(domain), (int)recipients);
}

static const char *mark_of(struct world *w, struct str domain, struct arena *a)
{
	const char *mark = NULL;

	assert_true(tools_mark(w->t, domain, a, &mark));
	return mark;
}

/* What waits is counted by domain, and a change is noticed: in the whole queue
 * by its version, in a domain by its mark. */
static void test_noticing(void **state)
{
	struct world *w = *state;
	struct arena *a scoped(arena) = arena_open();
	struct buf b scoped(buf) = BUF_EMPTY;
	struct queue_filter f = { .domain = S("c.example") };
	struct tools *other = tools_open(w->folder);
	const char *mine = mark_of(w, S("c.example"), a);
	const char *others = mark_of(w, S("b.example"), a);
	uint64_t version = tools_version(w->t), n;

	assert_true(tools_domains(w->t, write_domain, &b));
	buf_add_char(&b, '\0');
	assert_string_equal(b.p, "b.example 2; c.example 1; "
				 "xn--mller-kva.example 1; ");
	assert_int_equal(tools_version(w->t), version);
	assert_true(tools_order(other, ORDER_HOLD, &f, &n));
	tools_close(other);
	assert_int_not_equal(tools_version(w->t), version);
	assert_string_not_equal(mark_of(w, S("c.example"), a), mine);
	assert_string_equal(mark_of(w, S("b.example"), a), others);
}

static void test_show(void **state)
{
	struct world *w = *state;
	char id[ID_LETTERS + 1];
	struct message *m;

	id_write(w->small, id);
	assert_int_equal(tools_show(w->t, str_of(id), &m), TOOLS_FOUND);
	assert_int_equal(m->n, 2);
	assert_true(str_same(m->trace, S("Received: by us\r\n")));
	assert_true(
		str_same(body_in_memory(&m->body), S("Subject: x\r\n\r\n")));
	message_drop(m);
	id_write(w->large, id);
	assert_int_equal(tools_show(w->t, str_of(id), &m), TOOLS_FOUND);
	assert_int_equal(body_in_memory(&m->body).n, 200000);
	assert_int_equal(body_in_memory(&m->body).p[199999], 'a' + 199 % 26);
	message_drop(m);
	assert_int_equal(tools_show(w->t, S("../../x"), &m), TOOLS_NOT_THERE);
	assert_int_equal(tools_show(w->t, S("222222222222"), &m),
			 TOOLS_NOT_THERE);
	assert_null(m);
}

static void test_retry_hold_release(void **state)
{
	struct world *w = *state;

	assert_int_equal(due_now(w).n, 0);
	assert_int_equal(
		orders(w, ORDER_HOLD,
		       (struct queue_filter){ .domain = S("b.example") }),
		2);
	sees(w, ANY,
	     SMALL_BOB
	     "(held) carol@c.example;  200000: \"b c\"@b.example(held)"
	     " dora@M\xc3\xbcller.example; ");
	assert_int_equal(orders(w, ORDER_RETRY, ANY), 2);
	assert_int_equal(due_now(w).recipients, 2);
	assert_int_equal(orders(w, ORDER_RELEASE, ANY), 2);
	assert_int_equal(due_now(w).recipients, 2);
	assert_int_equal(orders(w, ORDER_RETRY, ANY), 4);
	assert_int_equal(due_now(w).recipients, 4);
}

static void count_one(void *n, const char *name)
{
	++*(int *)n;
}

static void test_delete(void **state)
{
	struct world *w = *state;
	int files = 0;

	assert_int_equal(
		orders(w, ORDER_DELETE,
		       (struct queue_filter){ .system = S("exchange") }),
		3);
	sees(w, ANY, "alice@own.test 14: carol@c.example; ");
	assert_true(folder_list(queue_spool(w->q)->folder, count_one, &files));
	assert_int_equal(files, 0);
	assert_int_equal(orders(w, ORDER_DELETE, ANY), 1);
	assert_int_equal(orders(w, ORDER_DELETE, ANY), 0);
	sees(w, ANY, "");
}

static void test_bounce(void **state)
{
	struct world *w = *state;
	struct claimed c;

	orders(w, ORDER_HOLD, ANY);
	assert_int_equal(orders(w, ORDER_BOUNCE,
				(struct queue_filter){
					.recipient = S("carol@c.example") }),
			 1);
	c = due_now(w);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.recipients, 1);
	assert_int_equal(c.bounced, 1);
}

static void keep_many(void *world)
{
	struct world *w = world;

	for (int i = 0; i < 1700; i++) {
		struct message *m = message_new(queue_spool(w->q));

		m->sender = S("many@own.test");
		add(m, S("erin@e.example"), exchange);
		keep(w, m);
	}
}

static void count_entry(void *n, const struct message *m)
{
	++*(int *)n;
}

static void start_many(void *world)
{
	check(fiber_start("many", keep_many, world));
}

/* More than a page. */
static void test_many(void **state)
{
	struct world *w = *state;
	struct queue_filter e = { .domain = S("e.example") };
	int n = 0;

	loops_run(1, start_many, w);
	assert_true(tools_list(w->t, &ANY, count_entry, &n));
	assert_int_equal(n, 1702);
	assert_int_equal(orders(w, ORDER_HOLD, e), 1700);
	assert_int_equal(orders(w, ORDER_DELETE, e), 1700);
	n = 0;
	assert_true(tools_list(w->t, &ANY, count_entry, &n));
	assert_int_equal(n, 2);
}

static void test_no_queue_yet(void **state)
{
	char folder[] = "/tmp/queue-none-XXXXXX", spool[64];
	struct message *m;
	struct tools *t;
	uint64_t n = 1;
	int entries = 0;

	assert_non_null(mkdtemp(folder));
	assert_null(tools_open(folder));
	assert_non_null(strstr(cause(), "no data folder"));
	snprintf(spool, sizeof(spool), "%s/spool", folder);
	assert_int_equal(mkdir(spool, 0700), 0);
	t = tools_open(folder);
	assert_non_null(t);
	assert_true(tools_list(t, &ANY, count_entry, &entries));
	assert_int_equal(entries, 0);
	assert_true(tools_order(t, ORDER_DELETE, &ANY, &n));
	assert_int_equal(n, 0);
	assert_int_equal(tools_show(t, S("222222222222"), &m), TOOLS_NOT_THERE);
	tools_close(t);
	rmdir(spool);
	rmdir(folder);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(test_list),
		WITH_WORLD(test_page),
		WITH_WORLD(test_count),
		WITH_WORLD(namesakes_are_told_apart),
		WITH_WORLD(test_noticing),
		WITH_WORLD(test_show),
		WITH_WORLD(test_retry_hold_release),
		WITH_WORLD(test_delete),
		WITH_WORLD(test_bounce),
		WITH_WORLD(test_many),
		cmocka_unit_test(test_no_queue_yet),
		WITH_WORLD(test_subjects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
