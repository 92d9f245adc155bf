/* Room for new mail, asked of a disk that hangs: room.c. */
#include <stdatomic.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "queue/queue_test_world.h"
#include "rt/loop.h"

static _Atomic bool hangs, has_asked;
static _Atomic unsigned blocks;

/* In place of libc's. */
int statvfs(const char *path, struct statvfs *v)
{
	atomic_store(&has_asked, true);
	while (atomic_load(&hangs))
		usleep(1000);
	*v = (struct statvfs){ .f_bavail = atomic_load(&blocks),
			       .f_frsize = 1 << 20 };
	return 0;
}

static unsigned turns;
static bool stop;

static void turn(void *unused)
{
	while (!stop) {
		turns++;
		fiber_sleep(after_ms(1));
	}
}

/* Until the answer is YES: it is as old as a second. */
static void await(struct queue *q, bool yes)
{
	while (queue_is_full(q) != yes)
		fiber_sleep(after_ms(10));
}

/* The loop goes on, and nobody is told anything new. */
static void sessions_go_on(void *world)
{
	struct world *w = world;
	unsigned before;

	atomic_store(&blocks, 1000);
	check(!queue_is_full(w->q));
	atomic_store(&hangs, true);
	atomic_store(&has_asked, false);
	check(fiber_start("turn", turn, NULL));
	while (!atomic_load(&has_asked)) {
		check(!queue_is_full(w->q));
		fiber_sleep(after_ms(10));
	}
	before = turns;
	for (int i = 0; i < 100; i++)
		check(!queue_is_full(w->q));
	fiber_sleep(after_ms(20));
	check(turns > before);
	atomic_store(&blocks, 100);
	atomic_store(&hangs, false);
	await(w->q, true);
	atomic_store(&blocks, 1000);
	await(w->q, false);
	stop = true;
}

static void test_a_disk_that_hangs(void **state)
{
	struct world w;

	world_open(&w);
	loops_run(1, sessions_go_on, &w);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_disk_that_hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
