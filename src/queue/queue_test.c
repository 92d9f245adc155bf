/* The queue with real files: states, claims, group commit, crashes, no room. */
#include "queue/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/test.h"
#include "queue/store.h"
#include "rt/clock.h"
#include "rt/loop.h"

/* ---- a queue in a folder of its own ---- */

struct world {
	char folder[64];
	struct queue *q;
};

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *at)
{
	return remove(path);
}

static void world_open(struct world *w)
{
	snprintf(w->folder, sizeof(w->folder), "/tmp/queue-test-XXXXXX");
	check(mkdtemp(w->folder));
	w->q = queue_open(w->folder);
	if (!w->q)
		fail_msg("%s", cause());
}

static void world_again(struct world *w)
{
	queue_close(w->q);
	w->q = queue_open(w->folder);
	if (!w->q)
		fail_msg("%s", cause());
}

static void world_close(struct world *w)
{
	queue_close(w->q);
	nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Somebody else's connection, as the command line's. */
static int64_t ask(struct world *w, const char *text)
{
	char path[80];
	sqlite3 *db;
	sqlite3_stmt *st;
	int64_t answer = -1;

	snprintf(path, sizeof(path), "%s/queue.db", w->folder);
	db = store_connect(path, false);
	check(db);
	check(sqlite3_prepare_v2(db, text, -1, &st, NULL) == SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		answer = sqlite3_column_int64(st, 0);
	check(sqlite3_finalize(st) == SQLITE_OK);
	check(sqlite3_close(db) == SQLITE_OK);
	return answer;
}

static bool is_in(struct world *w, int64_t number)
{
	char text[128];

	snprintf(text, sizeof(text), "SELECT 1 FROM message WHERE row = %lld",
	         (long long)number);
	return ask(w, text) == 1;
}

static void count_one(void *n, const char *name)
{
	++*(int *)n;
}

static int spool_files(struct world *w)
{
	int n = 0;

	check(folder_list(queue_spool(w->q), count_one, &n));
	return n;
}

/* ---- messages whose bytes follow from a number ---- */

static size_t size_of(unsigned n)
{
	return n % 16 == 7 ? 200000 + n : 100 + n % 5000;
}

static void fill(unsigned n, char *to, size_t size)
{
	uint32_t x = n * 2654435761u + 1;

	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		to[i] = (char)(x >> 24);
	}
}

static struct message *make_sized(struct world *w, unsigned n, size_t size)
{
	struct message *m = message_new();
	char *bytes = must_alloc(size);
	struct recipient *r = message_add(m, S("bob@own.test"));

	r->next_attempt_ms = 1000;
	m->sender = arena_strf(m->arena, "n%u@else.test", n);
	fill(n, bytes, size);
	check(body_add(&m->body, queue_spool(w->q),
	               (struct str){ bytes, size }));
	free(bytes);
	return m;
}

static struct message *make(struct world *w, unsigned n)
{
	return make_sized(w, n, size_of(n));
}

static bool body_is(struct message *m, unsigned n, size_t size)
{
	char *want = must_alloc(size), *got = must_alloc(size + 1);
	size_t have = 0;
	ptrdiff_t more;
	bool same;

	fill(n, want, size);
	while (have <= size && (more = body_read(&m->body, have, got + have,
	                                         size + 1 - have)) > 0)
		have += (size_t)more;
	same = have == size && m->body.bytes == size &&
	       memcmp(want, got, size) == 0;
	free(want);
	free(got);
	return same;
}

static bool is_whole(struct message *m)
{
	unsigned n;

	return sscanf(arena_cstr(m->arena, m->sender), "n%u@", &n) == 1 &&
	       m->n == 1 && body_is(m, n, size_of(n));
}

static struct message *claim_one(struct world *w, int64_t now, int64_t *next)
{
	struct message *m = NULL;
	size_t n;

	check(queue_claim(w->q, now, 1, &m, &n, next));
	return n ? m : NULL;
}

static void keep(struct world *w, struct message *m, bool claim)
{
	if (!queue_keep(w->q, m, claim, NULL, 0)) {
		fprintf(stderr, "keep: %s\n", cause());
		check(false);
	}
}

/* ---- messages in memory ---- */

static void test_ids(void **state)
{
	char before[16] = "";

	for (int i = 0; i < 5000; i++) {
		struct message *m = message_new();
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

static void bodies(void *world)
{
	struct world *w = world;
	const char *spool = queue_spool(w->q);
	struct body b = { .memory = BUF_EMPTY };
	char c[4];

	check(body_in_memory(&b).p && body_in_memory(&b).n == 0);
	check(body_read(&b, 0, c, 4) == 0);
	check(body_add(&b, spool, S("one\r")) && !b.ends_with_crlf);
	check(body_add(&b, spool, S("\n")) && b.ends_with_crlf);
	check(body_add(&b, spool, S("\n")) && !b.ends_with_crlf);
	check(body_add(&b, spool, S("two\r\n")) && b.ends_with_crlf);
	check(str_same(body_in_memory(&b), S("one\r\n\ntwo\r\n")));
	check(body_read(&b, 9, c, 4) == 2 && c[0] == '\r');
	check(b.charged == 11 && b.bytes == 11);
	for (int i = 0; i < 3; i++) {
		static char much[60000];

		memset(much, 'a' + i, sizeof(much));
		check(body_add(&b, spool, (struct str){ much, 60000 }));
	}
	check(b.file && !b.charged && !b.memory.p && b.bytes == 180011);
	check(!body_in_memory(&b).p && !b.ends_with_crlf);
	check(body_read(&b, 60010, c, 4) == 4 && memcmp(c, "abbb", 4) == 0);
	check(body_add(&b, spool, S("\r")) && body_add(&b, spool, S("\n")));
	check(b.ends_with_crlf);
	check(body_read(&b, 180012, c, 4) == 1 && c[0] == '\n');
	check(body_read(&b, 180013, c, 4) == 0);
	body_free(&b);
	check(spool_files(w) == 0);
}

/* ---- keep and claim ---- */

static void keep_full(void *world)
{
	struct world *w = world;
	struct message *m = make(w, 1);
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
	r->system = S("exchange");
	r->delay_told = true;
	message_add(m, S("gone@own.test"))->state = RECIPIENT_DONE;
	keep(w, m, true);
	check(m->is_kept && m->row && m->recipients[0].row);
	check(!m->recipients[1].row);
	check(!claim_one(w, INT64_MAX - 1, &(int64_t){ 0 }));
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
	check(str_same(r->system, S("exchange")) && !r->bounce_wanted);
	check(r->state == RECIPIENT_WAITING && !r->held);
	message_drop(m);
}

static void test_keep(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, bodies, &w);
	loops_run(1, keep_full, &w);
	world_again(&w);
	loops_run(1, claim_full, &w);
	world_close(&w);
}

static void claims(void *world)
{
	struct world *w = world;
	struct message *a = make(w, 2), *b = make(w, 3), *got, *two[2];
	int64_t next;
	size_t n;

	a->recipients[0].next_attempt_ms = 5000;
	b->recipients[0].next_attempt_ms = 7000;
	message_add(b, S("held@own.test"))->held = true;
	keep(w, a, false);
	keep(w, b, false);
	check(queue_changed(w->q) && !queue_changed(w->q));
	check(!claim_one(w, 4999, &next) && next == 5000);
	got = claim_one(w, 9000, &next);
	check(got && got->row == a->row && next == 7000);
	check(queue_claim(w->q, 9000, 2, two, &n, &next));
	check(n == 1 && two[0]->row == b->row && two[0]->n == 1);
	check(next == INT64_MAX);
	check(!claim_one(w, 9000, &next));
	queue_release(w->q, got);
	check(queue_changed(w->q));
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
	struct message *m = make(w, 7), *got; /* 7: in the spool */
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
	check(m && m->n == 1 && next == 9000);
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

static void body_rows(void *world)
{
	struct world *w = world;
	struct message *m = make(w, 4);

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
	struct message *m = make(w, 23), *dsn = make(w, 39), *more, *got;
	int64_t next;

	check(queue_keep(w->q, m, true, &dsn, 1));
	check(dsn->is_kept && dsn->row && spool_files(w) == 2);
	got = claim_one(w, 1000, &next); /* only M is claimed */
	check(got && got->row == dsn->row && is_whole(got));
	got->recipients[0].state = RECIPIENT_DONE;
	check(queue_settle(w->q, got, NULL, 0));
	message_drop(got);

	more = make(w, 5);
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
	struct message *m = make(w, 8);
	struct recipient *r;
	int64_t next;

	message_add(m, S("deleted@own.test"));
	message_add(m, S("held@own.test"));
	message_add(m, S("bounced@own.test"));
	keep(w, m, true);
	queue_changed(w->q);
	check(!queue_changed(w->q));
	ask(w, "DELETE FROM recipient WHERE address LIKE 'deleted@%'");
	ask(w, "UPDATE recipient SET held = 1 WHERE address LIKE 'held@%'");
	ask(w, "UPDATE recipient SET verdict = 1, next_attempt = 0"
	       " WHERE address LIKE 'bounced@%'");
	check(queue_changed(w->q) && !queue_changed(w->q));

	for (size_t i = 0; i < m->n; i++) {
		m->recipients[i].state = RECIPIENT_LATER;
		m->recipients[i].next_attempt_ms = 5000;
	}
	check(queue_settle(w->q, m, NULL, 0));
	message_drop(m);
	check(ask(w, "SELECT count(*) FROM recipient") == 3);
	m = claim_one(w, 100, &next);
	check(m && m->n == 1 && m->recipients[0].bounce_wanted);
	check(next == 5000);
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

/* ---- opening ---- */

static void keep_spooled(void *world)
{
	struct message *m = make(world, 7);

	keep(world, m, false);
	message_drop(m);
}

static void touch(struct world *w, const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", queue_spool(w->q), name);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	check(fd >= 0);
	close(fd);
}

static void test_sweep(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, keep_spooled, &w);
	touch(&w, "abcdefghijkl.eml");
	touch(&w, "README");
	assert_int_equal(spool_files(&w), 3);
	world_again(&w);
	assert_int_equal(spool_files(&w), 2); /* the kept one and README */
	world_close(&w);
}

static bool is_private(struct world *w, const char *name)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	return stat(path, &st) == 0 && (st.st_mode & 07777) == 0600;
}

static void test_one_owner(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, keep_spooled, &w);
	assert_true(is_private(&w, "queue.db"));
	assert_true(is_private(&w, "queue.db-wal"));
	assert_null(queue_open(w.folder));
	assert_non_null(strstr(cause(), "held by another process"));
	world_close(&w);
}

static void test_newer_version(void **state)
{
	struct world w;

	world_open(&w);
	ask(&w, "PRAGMA user_version = 99");
	queue_close(w.q);
	w.q = queue_open(w.folder);
	assert_null(w.q);
	assert_non_null(strstr(cause(), "version 99"));
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

/* ---- kill -9 ---- */

enum { CRASH_FIBERS = 8 };

struct word {
	int64_t number;
	char what; /* k: kept, s: settled */
};

static int report_to;
static unsigned next_number;

static void report(const struct message *m, int64_t number, char what)
{
	struct word word = { number, what };

	check(write(report_to, &word, sizeof(word)) == sizeof(word));
}

static void keep_for_ever(void *world)
{
	struct world *w = world;

	for (;;) {
		struct message *m = make(w, next_number++);
		int64_t number = id_number(str_of(m->id));

		keep(w, m, true);
		report(m, number, 'k');
		if (number % 3 == 0) {
			m->recipients[0].state = RECIPIENT_DONE;
			check(queue_settle(w->q, m, NULL, 0));
			report(m, number, 's');
		}
		message_drop(m);
	}
}

static void child_main(void *world)
{
	for (int i = 0; i < CRASH_FIBERS; i++)
		check(fiber_start("keep", keep_for_ever, world));
}

static pid_t crash_child(struct world *w, int *from)
{
	int ends[2];
	pid_t pid;

	check(pipe(ends) == 0);
	pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		report_to = ends[1];
		w->q = queue_open(w->folder);
		check(w->q);
		loops_run(1, child_main, w);
		_exit(1);
	}
	close(ends[1]);
	*from = ends[0];
	return pid;
}

struct acknowledged {
	struct world *w;
	struct word *words;
	size_t n;
	size_t kept, settled, found;
};

static void read_words(struct acknowledged *a, int from)
{
	size_t room = 0;

	for (;;) {
		if (a->n == room) {
			room = room ? room * 2 : 1024;
			a->words = must_realloc(a->words,
			                        room * sizeof(*a->words));
		}
		if (read(from, &a->words[a->n], sizeof(*a->words)) !=
		    sizeof(*a->words))
			return;
		a->n++;
	}
}

static bool said(struct acknowledged *a, int64_t number, char what)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->words[i].number == number && a->words[i].what == what)
			return true;
	return false;
}

/* Everything that is there is whole; nothing settled is there; all that was
 * kept and not settled is there. */
static void check_all(void *acknowledged)
{
	struct acknowledged *a = acknowledged;
	struct message *m;
	int64_t next;

	while ((m = claim_one(a->w, INT64_MAX - 1, &next)) != NULL) {
		check(is_whole(m));
		check(!said(a, m->row, 's'));
		a->found += said(a, m->row, 'k');
		message_drop(m);
	}
	for (size_t i = 0; i < a->n; i++) {
		a->kept += a->words[i].what == 'k';
		a->settled += a->words[i].what == 's';
	}
	/* settled, but killed before it could say so */
	check(a->found <= a->kept - a->settled);
	check(a->found + CRASH_FIBERS >= a->kept - a->settled);
	for (size_t i = 0; i < a->n; i++) {
		char text[128];

		if (a->words[i].what == 's' || a->words[i].number % 3 == 0)
			continue;
		snprintf(text, sizeof(text),
		         "SELECT 1 FROM message WHERE row = %lld",
		         (long long)a->words[i].number);
		check(ask(a->w, text) == 1);
	}
}

static void check_states(struct world *w)
{
	assert_int_equal(
	        ask(w, "SELECT count(*) FROM message m WHERE NOT EXISTS"
	               " (SELECT 1 FROM recipient WHERE message = m.row)"),
	        0);
	assert_int_equal(ask(w, "SELECT count(*) FROM recipient WHERE message"
	                        " NOT IN (SELECT row FROM message)"),
	                 0);
	assert_int_equal(ask(w, "SELECT count(*) FROM body WHERE message NOT IN"
	                        " (SELECT row FROM message)"),
	                 0);
	assert_int_equal(
	        ask(w, "SELECT count(*) FROM message m WHERE (spool IS NULL)"
	               " <> EXISTS (SELECT 1 FROM body WHERE message = m.row)"),
	        0);
	assert_int_equal(
	        ask(w, "SELECT count(*) FROM message WHERE spool NOTNULL"),
	        spool_files(w));
}

static void crash_once(unsigned seed)
{
	struct world w;
	struct acknowledged a = { .w = &w };
	int from, status;
	pid_t pid;

	world_open(&w);
	queue_close(w.q);
	pid = crash_child(&w, &from);
	usleep(30000 + seed * 7919 % 200 * 1000);
	kill(pid, SIGKILL);
	read_words(&a, from);
	close(from);
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);

	w.q = queue_open(w.folder);
	assert_non_null(w.q);
	check_states(&w);
	loops_run(1, check_all, &a);
	print_message("seed %u: %zu kept, %zu settled, %zu found\n", seed,
	              a.kept, a.settled, a.found);
	free(a.words);
	world_close(&w);
}

static void test_crash(void **state)
{
	const char *given = getenv("QUEUE_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10)
	                      : (unsigned)time(NULL);

	for (unsigned i = 0; i < 5; i++)
		crash_once(seed + i);
}

/* ---- the disk says EIO ---- */

static int syncs, sync_fails; /* so many in a row */

/* In front of the C library's: SQLite's and rt's syncs come here. */
int fdatasync(int fd)
{
	syncs++;
	if (sync_fails > 0) {
		sync_fails--;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static void copy(const char *from, const char *to, const char *name)
{
	char command[256];

	snprintf(command, sizeof(command), "cp %s/%s %s/%s", from, name, to,
	         name);
	check(system(command) == 0);
}

/* What a crash would leave now. */
static struct world crash_image(struct world *w)
{
	struct world image = { .folder = "/tmp/queue-image-XXXXXX" };

	check(mkdtemp(image.folder));
	copy(w->folder, image.folder, "queue.db");
	copy(w->folder, image.folder, "queue.db-wal");
	return image;
}

struct sync_trouble {
	struct world *w, image;
	int fails;
	int64_t a, b, c;
};

static void sync_trouble(void *trouble)
{
	struct sync_trouble *t = trouble;
	struct message *a = make(t->w, 1), *b = make(t->w, 2),
	               *c = make(t->w, 3);
	int before = syncs;

	keep(t->w, a, true);
	check(syncs > before);
	sync_fails = t->fails;
	check(!queue_keep(t->w->q, b, true, NULL, 0));
	check(strstr(cause(), "I/O error"));
	sync_fails = 0;
	t->image = crash_image(t->w);
	a->recipients[0].state = RECIPIENT_LATER; /* still ours to settle */
	check(queue_settle(t->w->q, a, NULL, 0));
	keep(t->w, c, false);
	t->a = id_number(str_of(a->id));
	t->b = id_number(str_of(b->id));
	t->c = id_number(str_of(c->id));
	message_drop(a);
	message_drop(b);
	message_drop(c);
}

/* A commit that failed fails for ever, also when the process dies next. */
static void sync_fails_times(int fails)
{
	struct world w;
	struct sync_trouble t = { .w = &w, .fails = fails };

	world_open(&w);
	loops_run(1, sync_trouble, &t);
	assert_true(is_in(&w, t.a) && !is_in(&w, t.b) && is_in(&w, t.c));
	world_again(&w);
	assert_true(is_in(&w, t.a) && !is_in(&w, t.b) && is_in(&w, t.c));
	world_close(&w);

	t.image.q = queue_open(t.image.folder);
	assert_non_null(t.image.q);
	assert_true(is_in(&t.image, t.a) && !is_in(&t.image, t.b));
	world_close(&t.image);
}

static void test_sync_fails(void **state)
{
	sync_fails_times(1);
	sync_fails_times(2);
}

/* ---- no room ---- */

static void too_large(void *world)
{
	struct world *w = world;
	struct rlimit old, small;
	struct message *a = make(w, 1), *b = make(w, 2), *c = make(w, 7), *got;
	int64_t next;

	keep(w, a, false);
	check(getrlimit(RLIMIT_FSIZE, &old) == 0);
	small = old;
	small.rlim_cur = 16384;
	check(setrlimit(RLIMIT_FSIZE, &small) == 0);
	check(!queue_keep(w->q, b, true, NULL, 0));
	check(*cause() && !b->row && !b->is_kept && !b->recipients[0].row);
	check(!queue_keep(w->q, c, true, NULL, 0)); /* has a spool file */
	check(spool_files(w) == 0);
	check(setrlimit(RLIMIT_FSIZE, &old) == 0);

	keep(w, b, false); /* goes again, by itself */
	got = claim_one(w, 1000, &next);
	check(got && got->row == a->row && is_whole(got));
	message_drop(got);
	got = claim_one(w, 1000, &next);
	check(got && got->row == b->row && is_whole(got));
	check(next == INT64_MAX);
	message_drop(got);
	message_drop(a);
	message_drop(b);
	message_drop(c);
}

static void test_write_fails(void **state)
{
	struct world w;

	signal(SIGXFSZ, SIG_IGN);
	world_open(&w);
	loops_run(1, too_large, &w);
	check_states(&w);
	world_close(&w);
}

static void fill_disk(void *world)
{
	struct world *w = world;
	struct message *m, *first = NULL;
	unsigned n = 0, in_spool = 0;
	int64_t next;

	check(queue_is_full(w->q)); /* less than the reserve */
	for (;;) {
		m = make_sized(w, n, 4096);
		if (!queue_keep(w->q, m, false, NULL, 0))
			break;
		n++;
		message_drop(m);
	}
	check(strstr(cause(), "no space"));
	message_drop(m);
	check(ask(w, "SELECT count(*) FROM message") == n && n > 10);
	check((unsigned)spool_files(w) == in_spool);

	/* an administrator makes room */
	char path[128];

	snprintf(path, sizeof(path), "%s/ballast", w->folder);
	check(unlink(path) == 0);
	first = claim_one(w, 1000, &next);
	check(first && body_is(first, 0, 4096));
	first->recipients[0].state = RECIPIENT_DONE;
	check(queue_settle(w->q, first, NULL, 0));
	message_drop(first);
	m = make_sized(w, n, 4096);
	keep(w, m, false);
	message_drop(m);
	check(ask(w, "SELECT count(*) FROM message") == n);
}

static void add_ballast(struct world *w)
{
	char path[128], block[4096] = { 0 };
	int fd;

	snprintf(path, sizeof(path), "%s/ballast", w->folder);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	check(fd >= 0);
	for (int i = 0; i < 512; i++)
		check(write(fd, block, sizeof(block)) == sizeof(block));
	close(fd);
}

static void test_disk_full(void **state)
{
	struct world w;

	snprintf(w.folder, sizeof(w.folder), "/tmp/queue-test-XXXXXX");
	check(mkdtemp(w.folder));
	if (mount("queue-test", w.folder, "tmpfs", 0, "size=6m") != 0) {
		rmdir(w.folder);
		skip(); /* needs root */
	}
	add_ballast(&w);
	w.q = queue_open(w.folder);
	assert_non_null(w.q);
	loops_run(1, fill_disk, &w);
	check_states(&w);
	queue_close(w.q);
	check(umount(w.folder) == 0);
	rmdir(w.folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_meanwhile),
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_one_owner),
		cmocka_unit_test(test_newer_version),
		cmocka_unit_test(test_group_commit),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_sync_fails),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_disk_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
