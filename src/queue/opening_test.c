/* Opening a queue: whose it is, older and newer ones, what lies in spool/. */
#include "queue/queue_test_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/loop.h"

static void keep_spooled(void *world)
{
	struct message *m = make_message(world, 7);

	keep(world, m, false);
	message_drop(m);
}

static void touch(struct world *w, const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", queue_spool(w->q)->folder, name);
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

/* ---- a queue.db that is missing, or an older one ---- */

enum { SPOOLED = 3 };

static void keep_files(void *world)
{
	for (unsigned i = 0; i < SPOOLED; i++) {
		struct message *m = make_message(world, 7 + 16 * i);

		keep(world, m, false);
		message_drop(m);
	}
}

static void all_whole(void *world)
{
	struct world *w = world;
	struct message *out[2 * SPOOLED];
	struct claim_wish all = wish(queue_now(w->q), 2 * SPOOLED);
	int64_t next;
	size_t n;

	check(queue_claim(w->q, &all, out, &n, &next));
	check(n >= SPOOLED);
	for (size_t i = 0; i < n; i++) {
		check(is_whole(out[i]));
		message_drop(out[i]);
	}
}

/* All files of the database go from one name to another. */
static void rename_db(struct world *w, const char *from, const char *to)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char a[160], b[160];

	for (size_t i = 0; i < array_size(ends); i++) {
		snprintf(a, sizeof(a), "%s/%s%s", w->folder, from, ends[i]);
		snprintf(b, sizeof(b), "%s/%s%s", w->folder, to, ends[i]);
		unlink(b);
		check(rename(a, b) == 0 || errno == ENOENT);
	}
}

static void reopen(struct world *w)
{
	w->q = queue_open(w->folder);
	if (!w->q)
		fail_msg("%s", cause());
}

static void swept(struct world *w, size_t aside, size_t back, size_t there)
{
	size_t n, m;

	queue_swept(w->q, &n, &m);
	assert_int_equal(n, aside);
	assert_int_equal(m, back);
	assert_int_equal(queue_orphans(w->q), there);
}

static void test_missing(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, keep_files, &w);
	queue_close(w.q);
	rename_db(&w, "queue.db", "repair.db");
	reopen(&w);
	swept(&w, SPOOLED, 0, SPOOLED);
	assert_int_equal(spool_files(&w), 0);
	loops_run(1, keep_files, &w); /* mail goes on meanwhile */
	world_again(&w);
	swept(&w, 0, 0, SPOOLED);
	assert_int_equal(spool_files(&w), SPOOLED);
	queue_close(w.q);
	rename_db(&w, "queue.db", "meanwhile.db");
	rename_db(&w, "repair.db", "queue.db");
	reopen(&w);
	swept(&w, SPOOLED, SPOOLED, SPOOLED);
	assert_int_equal(spool_files(&w), SPOOLED);
	loops_run(1, all_whole, &w);
	queue_close(w.q);
	rename_db(&w, "queue.db", "repair.db");
	rename_db(&w, "meanwhile.db", "queue.db");
	reopen(&w);
	swept(&w, SPOOLED, SPOOLED, SPOOLED);
	loops_run(1, all_whole, &w);
	world_close(&w);
}

static void copy_db(struct world *w, const char *from, const char *to)
{
	char command[400];

	snprintf(command, sizeof(command), "cp %s/%s %s/%s", w->folder, from,
		 w->folder, to);
	check(system(command) == 0);
}

/* Last night's copy is put back: what came since is not understood. */
static void test_older(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, keep_files, &w);
	queue_close(w.q);
	copy_db(&w, "queue.db", "night.db");
	reopen(&w);
	loops_run(1, keep_files, &w);
	queue_close(w.q);
	copy_db(&w, "queue.db", "today.db");
	copy_db(&w, "night.db", "queue.db");
	reopen(&w);
	swept(&w, SPOOLED, 0, SPOOLED);
	assert_int_equal(spool_files(&w), SPOOLED);
	loops_run(1, all_whole, &w);
	queue_close(w.q);
	copy_db(&w, "today.db", "queue.db");
	reopen(&w);
	swept(&w, 0, SPOOLED, 0);
	assert_int_equal(spool_files(&w), 2 * SPOOLED);
	loops_run(1, all_whole, &w);
	world_close(&w);
}

static void settle_all(void *world)
{
	struct world *w = world;
	struct message *m;
	int64_t next;

	while ((m = claim_one(w, queue_now(w->q), &next))) {
		m->recipients[0].state = RECIPIENT_DONE;
		check(queue_settle(w->q, m, NULL, 0));
		message_drop(m);
	}
}

/* What was settled is nobody's, though its file could not be removed. */
static void test_settled(void **state)
{
	struct world w;
	char hidden[160], command[400];

	world_open(&w);
	loops_run(1, keep_files, &w);
	snprintf(hidden, sizeof(hidden), "%s/hidden", w.folder);
	check(mkdir(hidden, 0700) == 0);
	loops_run(1, settle_all, &w);
	assert_int_equal(spool_files(&w), 0);
	loops_run(1, keep_files, &w);
	/* the names stay when the folder's files go */
	snprintf(command, sizeof(command), "ln %s/*.eml %s",
		 queue_spool(w.q)->folder, hidden);
	check(system(command) == 0);
	loops_run(1, settle_all, &w);
	snprintf(command, sizeof(command), "mv %s/*.eml %s", hidden,
		 queue_spool(w.q)->folder);
	check(system(command) == 0);
	assert_int_equal(spool_files(&w), SPOOLED);
	world_again(&w);
	swept(&w, 0, 0, 0);
	assert_int_equal(spool_files(&w), 0);
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

/* ---- a queue of the version before ---- */

static const char *const old_names[] = {
	"", "hosted", "internet", "exchange", "192.0.2.1:25", "[::1]", "relay",
};

static void keep_old(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 1);

	for (size_t i = 1; i < array_size(old_names); i++)
		message_add(m, S("bob@own.test"));
	keep(w, m, false);
	message_drop(m);
}

static void make_old(struct world *w)
{
	static const char *const since[] = {
		"DROP INDEX recipient_due",
		"DROP INDEX recipient_deadly",
		"CREATE INDEX recipient_due ON recipient (next_attempt)"
		" WHERE held = 0",
		"ALTER TABLE recipient DROP COLUMN next_hop",
		"ALTER TABLE recipient DROP COLUMN ours",
		"ALTER TABLE recipient DROP COLUMN sender",
		"DROP INDEX message_entered",
		"ALTER TABLE message DROP COLUMN entered",
		"DROP TABLE clock",
		"DROP TABLE followed",
		"DROP TABLE identity",
		"PRAGMA user_version = 1",
	};
	char text[200];

	for (size_t i = 0; i < array_size(old_names); i++) {
		snprintf(text, sizeof(text),
			 "UPDATE recipient SET system = '%s' WHERE row = %zu",
			 old_names[i], i + 1);
		ask(w, text);
	}
	for (size_t i = 0; i < array_size(since); i++)
		ask(w, since[i]);
}

static void claim_old(void *world)
{
	static const enum next_hop_kind kinds[] = {
		NEXT_HOP_UNDECIDED, NEXT_HOP_MAILBOXES, NEXT_HOP_INTERNET,
		NEXT_HOP_SYSTEM,    NEXT_HOP_RELAY,     NEXT_HOP_RELAY,
		NEXT_HOP_SYSTEM,
	};
	struct world *w = world;
	int64_t next;
	struct message *m = claim_one(w, INT64_MAX / 2, &next);

	check(m && m->n == array_size(old_names));
	check(body_is(m, 1, size_of(1)));
	for (size_t i = 0; i < m->n; i++) {
		const struct next_hop *h = &m->recipients[i].next_hop;
		bool has_name = next_hop_is_system(h);

		check(h->kind == kinds[i]);
		check(str_same(h->name, h->kind == NEXT_HOP_INTERNET
						? S("own.test")
					: has_name ? str_of(old_names[i])
						   : S("")));
		m->recipients[i].state = RECIPIENT_DONE;
	}
	check(queue_settle(w->q, m, NULL, 0));
	message_drop(m);
}

static void test_older_version(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, keep_old, &w);
	make_old(&w);
	world_again(&w);
	assert_int_equal(ask(&w, "PRAGMA user_version"), 3);
	loops_run(1, claim_old, &w);
	world_again(&w);
	assert_int_equal(ask(&w, "SELECT count(*) FROM message"), 0);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sweep),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_older),
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_one_owner),
		cmocka_unit_test(test_newer_version),
		cmocka_unit_test(test_older_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
