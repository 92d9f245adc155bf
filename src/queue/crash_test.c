/* The queue when it is killed, when the disk fails, and when it is full. */
#include "queue/queue_test_world.h"

#include <errno.h>
#include <fcntl.h>
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
#include "rt/clock.h"
#include "rt/loop.h"

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
		struct message *m = make_message(w, next_number++);
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

	while ((m = claim_one(a->w, INT64_MAX / 2, &next)) != NULL) {
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

static int syncs, sync_fails;  /* so many in a row */
static unsigned sync_fails_us; /* and takes its time */
static int sync_error = EIO;

/* In front of the C library's: SQLite's and rt's syncs come here. */
int fdatasync(int fd)
{
	syncs++;
	if (sync_fails > 0) {
		sync_fails--;
		usleep(sync_fails_us);
		errno = sync_error;
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
	struct message *a = make_message(t->w, 1), *b = make_message(t->w, 2),
		       *c = make_message(t->w, 3);
	int before = syncs;

	keep(t->w, a, true);
	check(syncs > before);
	sync_fails = t->fails;
	check(!queue_keep(t->w->q, b, true, NULL, 0));
	check(cause_kind() == errno_kind(sync_error));
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
	sync_error = EDQUOT;
	sync_fails_times(1);
	sync_error = EIO;
}

static void keep_in_vain(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 2);

	check(!queue_keep(w->q, m, false, NULL, 0));
	message_drop(m);
}

/* The writer is busy with one that fails while the next one comes, and, in one
 * batch with that, who asks. */
static void ask_beside_failures(void *world)
{
	struct world *w = world;
	struct message *m = make_message(w, 1);

	keep(w, m, false);
	message_drop(m);
	sync_fails = 1000;
	sync_fails_us = 20000;
	for (int i = 0; i < 2; i++) {
		check(fiber_start("keep", keep_in_vain, w));
		fiber_yield();
	}
	check(changed(w)); /* that M is due */
	sync_fails = 0;
	sync_fails_us = 0;
}

static void test_news_outlive_failures(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, ask_beside_failures, &w);
	world_close(&w);
}

/* ---- no room ---- */

static void too_large(void *world)
{
	struct world *w = world;
	struct rlimit old, small;
	struct message *a = make_message(w, 1), *b = make_message(w, 2),
		       *c = make_message(w, 7), *got;
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

/* As long as there is room.  Those of one commit fail together. */
static void keep_till_full(void *world)
{
	struct world *w = world;
	struct message *m;
	bool ok;

	do {
		m = make_sized(w, 0, 4096);
		ok = queue_keep(w->q, m, false, NULL, 0);
		message_drop(m);
	} while (ok);
	check(cause_kind() == FAIL_NO_ROOM);
}

static void fill_disk_together(void *world)
{
	for (int i = 0; i < CRASH_FIBERS; i++)
		check(fiber_start("keep", keep_till_full, world));
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
	check(cause_kind() == FAIL_NO_ROOM);
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

static void with_full_disk(void (*use)(void *))
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
	loops_run(1, use, &w);
	check_states(&w);
	queue_close(w.q);
	check(umount(w.folder) == 0);
	rmdir(w.folder);
}

static void test_disk_full(void **state)
{
	with_full_disk(fill_disk);
}

static void test_disk_full_for_all(void **state)
{
	with_full_disk(fill_disk_together);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_sync_fails),
		cmocka_unit_test(test_news_outlive_failures),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_disk_full_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
