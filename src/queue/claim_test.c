/* Who gets what is due: fair shares, next hops without room, wrong times. */
#include "queue/queue_test_world.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "queue/tools.h"
#include "rt/clock.h"
#include "rt/loop.h"

enum { MOST = 2000 };

static const struct next_hop stuck = { NEXT_HOP_SYSTEM, { "stuck", 5 } };
static const struct next_hop live = { NEXT_HOP_RELAY, { "live.test", 9 } };
static const struct next_hop other = { NEXT_HOP_SYSTEM, { "other", 5 } };
static const struct next_hop net = { NEXT_HOP_INTERNET, { "else.test", 9 } };
static const struct next_hop undecided = { NEXT_HOP_UNDECIDED, { "", 0 } };

static unsigned next_number;

static struct message *waiting(struct world *w, struct next_hop hop,
			       int64_t due)
{
	struct message *m = make_sized(w, next_number++, 10);

	m->recipients[0].next_hop = hop;
	m->recipients[0].next_attempt_ms = due;
	return m;
}

static void keep_many(struct world *w, struct next_hop hop, size_t n,
		      int64_t due)
{
	for (size_t i = 0; i < n; i++) {
		struct message *m = waiting(w, hop, due + (int64_t)i);

		keep(w, m, false);
		message_drop(m);
	}
}

/* What was claimed, by next hop. */
struct taken {
	struct message *m[MOST];
	size_t n;
	int64_t next;
};

static size_t count_hop(const struct taken *t, struct next_hop hop)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->m[i]->recipients[0].next_hop.kind == hop.kind &&
		     str_same(t->m[i]->recipients[0].next_hop.name, hop.name);
	return n;
}

static void claim(struct world *w, struct claim_wish wish, struct taken *t)
{
	check(queue_claim(w->q, &wish, t->m, &t->n, &t->next));
}

static void give_back(struct world *w, struct taken *t)
{
	for (size_t i = 0; i < t->n; i++) {
		queue_release(w->q, t->m[i]);
		message_drop(t->m[i]);
	}
	t->n = 0;
}

static struct claim_wish known(const struct hop_room *rooms, size_t n,
			       size_t max)
{
	struct claim_wish w = wish(100000, max);

	w.hops = rooms;
	w.n_hops = n;
	return w;
}

/* However many wait for who has no room: they cost the others nothing. */
static void no_room(void *world)
{
	struct world *w = world;
	static const unsigned rooms[] = { 0, 1, 2, 7, 50 };
	struct taken t;

	keep_many(w, stuck, 1000, 1000);
	keep_many(w, live, 5, 3000);
	for (size_t i = 0; i < array_size(rooms); i++) {
		struct hop_room h = { .hop = stuck, .room = rooms[i] };

		claim(w, known(&h, 1, 100), &t);
		check(count_hop(&t, stuck) == rooms[i]);
		check(count_hop(&t, live) == 5);
		check(t.next == INT64_MAX); /* nothing for who has room */
		give_back(w, &t);
	}
	claim(w, known(NULL, 0, 100), &t);
	check(t.n == 100 && count_hop(&t, live) == 5);
	give_back(w, &t);
}

static void fair_shares(void *world)
{
	struct world *w = world;
	struct taken t;

	keep_many(w, stuck, 90, 1000);
	keep_many(w, other, 90, 2000);
	keep_many(w, live, 3, 3000);
	claim(w, known(NULL, 0, 90), &t);
	check(t.n == 90 && count_hop(&t, live) == 3);
	check(count_hop(&t, stuck) >= 30 && count_hop(&t, other) >= 30);
	check(t.next <= 100000);
	give_back(w, &t);
}

/* Each domain of the Internet is a next hop of its own. */
static void internet(void *world)
{
	struct world *w = world;
	struct hop_room h = { .hop = net, .room = 0 };
	struct message *m = waiting(w, net, 1000);
	struct taken t;

	m->recipients[0].address = S("a@else.test");
	keep(w, m, false);
	message_drop(m);
	m = waiting(w, net, 1000);
	m->recipients[0].address = S("b@third.test");
	m->recipients[0].next_hop.name = S("third.test");
	keep(w, m, false);
	message_drop(m);
	claim(w, known(&h, 1, 10), &t);
	check(t.n == 1);
	check(str_same(t.m[0]->recipients[0].address, S("b@third.test")));
	give_back(w, &t);
}

/* Of one message, the recipients whose next hop has room. */
static void mixed(void *world)
{
	struct world *w = world;
	struct hop_room h = { .hop = stuck, .room = 0 };
	struct message *m = waiting(w, stuck, 1000);
	struct taken t;

	message_add(m, S("c@own.test"))->next_hop = live;
	message_add(m, S("d@own.test"))->next_hop = stuck;
	keep(w, m, false);
	message_drop(m);
	claim(w, known(&h, 1, 10), &t);
	check(t.n == 1 && t.m[0]->n == 1);
	check(str_same(t.m[0]->recipients[0].address, S("c@own.test")));
	t.m[0]->recipients[0].state = RECIPIENT_DONE;
	check(queue_settle(w->q, t.m[0], NULL, 0));
	message_drop(t.m[0]);
	claim(w, known(&h, 1, 10), &t);
	check(t.n == 0);
	h.room = 1;
	claim(w, known(&h, 1, 10), &t);
	check(t.n == 1 && t.m[0]->n == 2);
	give_back(w, &t);
}

/* One that is not due is tried when the next hop is to be tried. */
static void knocks(void *world)
{
	struct world *w = world;
	struct hop_room h = { .hop = stuck, .room = 1, .knocks = true };
	struct taken t;

	keep_many(w, stuck, 3, 500000);
	claim(w, known(&h, 1, 10), &t);
	check(t.n == 1 && t.m[0]->recipients[0].next_attempt_ms == 500000);
	give_back(w, &t);
	h.knocks = false;
	claim(w, known(&h, 1, 10), &t);
	check(t.n == 0 && t.next == 500000);
}

static void order_retry(struct world *w)
{
	struct tools *tools = tools_open(w->folder);
	struct queue_filter all = { .id = STR_NONE };
	uint64_t n;

	check(tools && tools_order(tools, ORDER_RETRY, &all, &n));
	tools_close(tools);
}

/* What an administrator orders is tried, once for each order. */
static void ordered(void *world)
{
	struct world *w = world;
	struct hop_room h = { .hop = stuck, .room = 0, .if_ordered = 6 };
	struct taken t;

	keep_many(w, stuck, 20, 500000);
	claim(w, known(&h, 1, 10), &t);
	check(t.n == 0);
	order_retry(w);
	check(changed(w));
	claim(w, known(&h, 1, 10), &t);
	check(t.n == 6 && t.m[0]->recipients[0].next_attempt_ms == 0);
	give_back(w, &t);
	claim(w, known(&h, 1, 10), &t);
	check(t.n == 0);
}

/* An order that comes during the attempt is not lost in its outcome. */
static void ordered_meanwhile(void *world)
{
	struct world *w = world;
	struct taken t;

	keep_many(w, live, 1, 1000);
	claim(w, known(NULL, 0, 10), &t);
	check(t.n == 1);
	order_retry(w);
	t.m[0]->recipients[0].state = RECIPIENT_LATER;
	t.m[0]->recipients[0].next_attempt_ms = 900000;
	check(queue_settle(w->q, t.m[0], NULL, 0));
	message_drop(t.m[0]);
	claim(w, known(NULL, 0, 10), &t);
	check(t.n == 1 && t.m[0]->recipients[0].next_attempt_ms == 0);
	give_back(w, &t);
}

/* In as many calls as it takes; the claims stay. */
static size_t count_all(struct world *w, struct claim_wish wish)
{
	size_t all = 0;
	struct taken t;

	do {
		claim(w, wish, &t);
		all += t.n;
		for (size_t i = 0; i < t.n; i++)
			message_drop(t.m[i]);
	} while (t.n);
	return all;
}

/* Who is down: what waits for too long is told of, the rest left alone. */
static void late(void *world)
{
	struct world *w = world;
	struct hop_room h = { .hop = stuck, .is_down = true };
	struct claim_wish wish = known(&h, 1, 1000);
	struct taken t;

	keep_many(w, stuck, 1200, INT64_MAX / 4);
	keep_many(w, live, 2, INT64_MAX / 4);
	wish.warning_ms = 1000000;
	wish.expiry_ms = 10000000;
	wish.now_ms = queue_now(w->q) + 500;
	claim(w, wish, &t);
	check(t.n == 0);
	ask(w, "UPDATE recipient SET delay_told = 1 WHERE message IN"
	       " (SELECT row FROM message ORDER BY row LIMIT 1190)");
	wish.now_ms += 5000000; /* longer than the warning */
	for (size_t calls = t.n = 0; t.n == 0 && calls < 10; calls++)
		claim(w, wish, &t);
	check(t.n == 10 && count_hop(&t, stuck) == 10);
	give_back(w, &t);
	wish.now_ms += 10000000; /* longer than the expiry */
	claim(w, wish, &t);
	check(t.n > 300 && count_hop(&t, live) == 0);
	give_back(w, &t);
	/* All of one moment, more than are looked at for one claim. */
	ask(w, "UPDATE message SET entered = 1");
	wish.now_ms += 10000000;
	claim(w, wish, &t); /* the rest of the round before */
	give_back(w, &t);
	wish.now_ms += 10000000;
	check(count_all(w, wish) == 1200);
}

static int64_t set(struct world *w, const char *what, int64_t n)
{
	char sql[200];

	snprintf(sql, sizeof(sql), "UPDATE %s + %lld", what, (long long)n);
	return ask(w, sql);
}

/* To somebody on the Internet who stands for the address: it waits by its own
 * domain all the same, where there was no mail so far. */
static void redirected(void *world)
{
	struct arena *a scoped(arena) = arena_open();
	struct world *w = world;
	struct message *m = waiting(w, stuck, queue_now(w->q) + 1000000);
	struct claim_wish wish = known(NULL, 0, 10);
	struct waiting list[2];
	struct taken t;
	size_t n;

	keep(w, m, false);
	message_drop(m);
	claim(w, wish, &t);
	check(t.n == 0);
	check(queue_look(w->q, S(""), 0, 0, a, list, 2, &n) && n == 1);
	list[0].r.next_hop = net;
	check(queue_redirect(w->q, list, n));
	wish.now_ms = queue_now(w->q);
	claim(w, wish, &t);
	check(t.n == 1);
	give_back(w, &t);
}

/* Whatever the rows say, it is tried within the longest wait. */
static void wrong_times(void *world)
{
	static const int64_t off[] = { 5000000, 86400000, 31536000000 };
	struct world *w = world;
	struct claim_wish wish = known(NULL, 0, 10);
	struct taken t;

	wish.most_ms = 4000000;
	keep_many(w, live, 3, queue_now(w->q));
	for (size_t i = 0; i < array_size(off); i++) {
		set(w, "recipient SET next_attempt = next_attempt", off[i]);
		set(w, "message SET entered = entered", off[i]);
		wish.now_ms = queue_now(w->q);
		claim(w, wish, &t);
		check(t.n == 3);
		check(ask(w, "SELECT max(entered) FROM message") <=
		      wish.now_ms);
		give_back(w, &t);
	}
	/* kept by an older version that ran on beside a newer command line */
	set(w, "message SET entered = 0", 0);
	claim(w, wish, &t);
	check(t.n == 3 && t.m[0]->entered_ms == wish.now_ms);
	give_back(w, &t);
	set(w, "recipient SET next_attempt = 0", queue_now(w->q) + 3900000);
	claim(w, wish, &t);
	check(t.n == 0);
}

/* The same where it is found at the start. */
static void none_is_due(void *world)
{
	struct world *w = world;
	struct claim_wish wish = known(NULL, 0, 10);
	struct taken t;

	wish.most_ms = 4000000;
	wish.now_ms = queue_now(w->q);
	claim(w, wish, &t);
	check(t.n == 3);
	give_back(w, &t);
}

static void hurry(void *world)
{
	struct world *w = world;
	struct taken t;
	int64_t now = queue_now(w->q);
	struct claim_wish wish = known(NULL, 0, MOST);

	keep_many(w, stuck, 1300, now + 500000);
	keep_many(w, other, 10, now + 500000);
	check(queue_hurry(w->q, &stuck));
	check(changed(w));
	wish.room = MOST;
	wish.now_ms = queue_now(w->q);
	claim(w, wish, &t);
	check(t.n == 1300 && count_hop(&t, stuck) == 1300);
	give_back(w, &t);
}

static void many_lanes(void *world)
{
	struct world *w = world;
	struct taken t;

	for (unsigned i = 0; i < 300; i++) {
		char name[16];
		struct next_hop hop = { NEXT_HOP_SYSTEM, { name, 0 } };

		hop.name.n = (size_t)snprintf(name, sizeof(name), "s%u", i);
		keep_many(w, hop, 2, 1000);
	}
	keep_many(w, undecided, 2, 1000);
	claim(w, known(NULL, 0, MOST), &t);
	check(t.n == 602);
	give_back(w, &t);
}

#define ALIKE \
	"address, orcpt, notify, trail, part, is_member, held, verdict," \
	" attempts, next_attempt, code, status, reply, remote, system," \
	" delay_told"

/* Each in a domain of its own, as a large mail to the Internet is. */
static void add_domains(struct world *w, unsigned n)
{
	char sql[1000];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE c(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM"
		 " c WHERE i < %u) INSERT INTO recipient (message, row,"
		 " domain, next_hop, " ALIKE ") SELECT message, i,"
		 " 'd' || i || '.test', next_hop, " ALIKE " FROM recipient, c",
		 n);
	ask(w, sql);
}

/* Finding out who waits takes as long as they are many, and no longer: keeping
 * new mail waits for it.  By the square it is minutes. */
static void many_domains(void *world)
{
	struct world *w = world;
	struct taken t;
	int64_t began;

	keep_many(w, net, 1, 1000);
	add_domains(w, 10000);
	began = wall_ms();
	claim(w, known(NULL, 0, 10), &t);
	check(t.n == 1 && t.m[0]->n == 10000);
	check(wall_ms() - began < 15000);
	give_back(w, &t);
}

static void all_again(void *world)
{
	struct world *w = world;
	struct taken t;

	claim(w, known(NULL, 0, MOST), &t);
	check(t.n == 602);
	give_back(w, &t);
}

/* ---- a disk that cannot be read for a moment ---- */

enum { UNREAD_MAILS = 600, UNREAD_CALLS = 4 };

static _Atomic int reads, bad_read; /* the nth fails; 0: none */

static ssize_t reading(int fd, void *to, size_t n, off_t at)
{
	if (bad_read && ++reads == bad_read) {
		errno = EIO;
		return -1;
	}
	return pread(fd, to, n, at);
}

/* SQLite reads by one of these, as it was built. */
static void play_the_disk(bool play)
{
	static const char *const names[] = { "pread", "pread64" };
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	for (size_t i = 0; i < array_size(names); i++)
		check(vfs->xSetSystemCall(vfs, names[i],
					  play ? (sqlite3_syscall_ptr)reading
					       : NULL) == SQLITE_OK);
}

static void keep_for_reading(void *world)
{
	static const struct next_hop hops[] = {
		{ NEXT_HOP_SYSTEM, { "stuck", 5 } },
		{ NEXT_HOP_RELAY, { "live.test", 9 } },
		{ NEXT_HOP_SYSTEM, { "other", 5 } },
	};

	for (size_t i = 0; i < UNREAD_MAILS; i++) {
		struct message *m = make_sized(world, next_number++, 100);

		m->recipients[0].next_hop = hops[i % array_size(hops)];
		keep(world, m, false);
		message_drop(m);
	}
}

/* Each is claimed once, and none is forgotten. */
static void claim_unreadable(void *world)
{
	static struct taken t, rest;
	struct world *w = world;
	int calls = 0;

	while (calls++ < UNREAD_CALLS) {
		struct claim_wish all = wish(100000, MOST - t.n);
		size_t n;

		if (!queue_claim(w->q, &all, t.m + t.n, &n, &t.next))
			check(n == 0 && queue_is_unread(w->q));
		t.n += n;
	}
	check(t.n == UNREAD_MAILS);
	/* it is read again: the trouble is over */
	bad_read = 0;
	claim(w, known(NULL, 0, MOST), &rest);
	check(rest.n == 0 && !queue_is_unread(w->q));
	give_back(w, &t);
}

static void test_unreadable(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, keep_for_reading, &w);
	play_the_disk(true);
	for (int nth = 1; reads >= nth - 1; nth++) {
		world_again(&w);
		reads = 0;
		bad_read = nth;
		loops_run(1, claim_unreadable, &w);
		bad_read = 0;
	}
	check(reads > 20);
	play_the_disk(false);
	world_close(&w);
}

static void run(void (*main)(void *), void (*again)(void *))
{
	struct world w;

	world_open(&w);
	loops_run(1, main, &w);
	if (again) {
		ask(&w, "UPDATE recipient SET next_attempt = next_attempt"
			" + 86400000 WHERE next_attempt > 1000000");
		world_again(&w);
		loops_run(1, again, &w);
	}
	world_close(&w);
}

#define TEST(name, again) \
	static void test_##name(void **state) \
	{ \
		run(name, again); \
	}

TEST(no_room, NULL)
TEST(fair_shares, NULL)
TEST(internet, NULL)
TEST(mixed, NULL)
TEST(knocks, NULL)
TEST(ordered, NULL)
TEST(ordered_meanwhile, NULL)
TEST(late, NULL)
TEST(redirected, NULL)
TEST(wrong_times, none_is_due)
TEST(hurry, NULL)
TEST(many_lanes, all_again)
TEST(many_domains, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_fair_shares),
		cmocka_unit_test(test_internet),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_knocks),
		cmocka_unit_test(test_ordered),
		cmocka_unit_test(test_ordered_meanwhile),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_redirected),
		cmocka_unit_test(test_wrong_times),
		cmocka_unit_test(test_hurry),
		cmocka_unit_test(test_many_lanes),
		cmocka_unit_test(test_many_domains),
		cmocka_unit_test(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
