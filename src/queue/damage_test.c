/*
 * A page of queue.db that is damaged: what stands on others is listed, and does
 * what it is told.
 */
#include "queue/tools.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "queue/queue.h"
#include "rt/loop.h"

enum { MESSAGES = 200, BROKEN = 90 };

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *at)
{
	return remove(path);
}

static void keep_all(void *folder)
{
	struct queue *q = queue_open(folder);

	check(q);
	for (int i = 0; i < MESSAGES; i++) {
		struct message *m = message_new(queue_spool(q));
		struct recipient *r = message_add(
			m, arena_strf(m->arena, "u%d@b.example", i));

		r->next_hop = (struct next_hop){ NEXT_HOP_SYSTEM, S("b") };
		r->next_attempt_ms = INT64_MAX / 2;
		check(queue_keep(q, m, false, NULL, 0));
		message_drop(m);
	}
	queue_close(q);
}

/* The page that has TEXT; an address stands on no other. */
static void damage(const char *path, const char *text)
{
	static const char rubbish[8] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	static char file[4 << 20];
	FILE *f = fopen(path, "r+e");
	ptrdiff_t at;
	size_t n, page;

	check(f);
	n = fread(file, 1, sizeof(file), f);
	check(n > 0 && n < sizeof(file));
	page = (size_t)(unsigned char)file[16] << 8 | (unsigned char)file[17];
	at = str_search((struct str){ file, n }, str_of(text));
	check(at >= 0);
	check(fseek(f, (long)((size_t)at / page * page), SEEK_SET) == 0);
	check(fwrite(rubbish, 1, sizeof(rubbish), f) == sizeof(rubbish));
	check(fclose(f) == 0);
}

struct seen {
	bool is_there[MESSAGES];
	int n;
};

static void see(void *seen, const struct message *m)
{
	struct seen *s = seen;
	int i;

	check(m->n == 1);
	check(sscanf(m->recipients[0].address.p, "u%d@", &i) == 1);
	check(i < MESSAGES && !s->is_there[i]);
	s->is_there[i] = true;
	s->n++;
}

static void others_are_listed(struct tools *t, struct queue_filter f)
{
	struct arena *a scoped(arena) = arena_open();
	struct seen s = { .n = 0 };

	assert_true(tools_list(t, &f, see, &s));
	assert_true(s.is_there[0] && s.is_there[MESSAGES - 1]);
	assert_false(s.is_there[BROKEN]);
	assert_in_range(s.n, MESSAGES / 2, MESSAGES - 1);
	assert_non_null(strstr(tools_damage(t, a), "queue.db is damaged: "));
}

static void do_what_they_are_told(struct tools *t)
{
	struct queue_filter all = { .id = S("") };
	struct arena *a scoped(arena) = arena_open();
	struct seen s = { .n = 0 };
	uint64_t n;

	assert_true(tools_list(t, &all, see, &s));
	assert_true(tools_order(t, ORDER_RETRY, &all, &n));
	assert_int_equal(n, s.n);
	assert_non_null(tools_damage(t, a));
	assert_true(tools_order(t, ORDER_DELETE, &all, &n));
	/* pages are joined as they become empty */
	assert_in_range(n, 1, s.n);
}

static void test_damaged_page(void **state)
{
	char folder[] = "/tmp/queue-damage-XXXXXX", path[64];
	struct tools *t;

	check(mkdtemp(folder));
	loops_run(1, keep_all, folder);
	snprintf(path, sizeof(path), "%s/queue.db", folder);
	damage(path, "u90@b.example");
	t = tools_open(folder);
	assert_non_null(t);
	others_are_listed(t, (struct queue_filter){ .id = S("") });
	others_are_listed(t, (struct queue_filter){ .domain = S("b.example") });
	do_what_they_are_told(t);
	tools_close(t);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
