/* Memory by lifetime: arena.h. */
#include <pthread.h>

#include "base/arena.h"
#include "base/test.h"

static void test_pieces(void **unused)
{
	struct arena *a scoped(arena) = arena_open();
	unsigned char *seen[1000];

	assert_int_equal(arena_bytes(a), 0);
	for (int i = 0; i < 1000; i++) {
		size_t n = (size_t)(i * 7 % 300);

		seen[i] = arena_alloc(a, n);
		assert_int_equal((uintptr_t)seen[i] % 16, 0);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(seen[i][k], 0);
		memset(seen[i], i, n);
	}
	for (int i = 0; i < 1000; i++)
		for (int k = 0; k < i * 7 % 300; k++)
			assert_int_equal(seen[i][k], (unsigned char)i);
	assert_true(arena_bytes(a) > 100000);
}

static void test_large(void **unused)
{
	struct arena *a scoped(arena) = arena_open();
	char *small = arena_alloc(a, 10), *large = arena_alloc(a, 1 << 20);
	char *next = arena_alloc(a, 10);

	memset(large, 1, 1 << 20);
	assert_int_equal(next - small, 16); /* the block went on serving */
	assert_int_equal(arena_bytes(a), (1 << 20) + 32);
}

static void test_text(void **unused)
{
	struct arena *a scoped(arena) = arena_open();
	struct str s = arena_str(a, S("kept"));
	char *empty = arena_cstr(a, STR_NONE);
	char *text = arena_printf(a, "%d of %s", 3, s.p);
	struct str wide = arena_strf(a, "%1000d", 5);

	assert_string_equal(s.p, "kept");
	assert_string_equal(empty, "");
	assert_string_equal(text, "3 of kept");
	assert_int_equal(wide.n, 1000);
	assert_int_equal(wide.p[999], '5');
	assert_int_equal(wide.p[1000], '\0');
}

static void test_reset(void **unused)
{
	struct arena *a scoped(arena) = arena_open();
	char *first = arena_alloc(a, 100);

	for (int round = 0; round < 100; round++) {
		memset(first, 7, 100);
		for (int i = 0; i < 50; i++)
			arena_alloc(a, 1000);
		arena_alloc(a, 100000);
		arena_reset(a);
		assert_int_equal(arena_bytes(a), 0);
		assert_ptr_equal(arena_alloc(a, 100), first);
		assert_int_equal(first[99], 0);
	}
}

static void *use_arenas(void *unused)
{
	struct arena *many[2000];

	for (int i = 0; i < 2000; i++)
		many[i] = arena_open();
	for (int i = 0; i < 2000; i++)
		arena_close(many[i]);
	arena_close(NULL);
	return NULL;
}

/* Under ASan this also tells that a thread's spare blocks do not leak. */
static void test_threads(void **unused)
{
	pthread_t t[3];

	for (size_t i = 0; i < array_size(t); i++)
		assert_int_equal(pthread_create(&t[i], NULL, use_arenas, NULL),
				 0);
	for (size_t i = 0; i < array_size(t); i++)
		pthread_join(t[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),  cmocka_unit_test(test_large),
		cmocka_unit_test(test_text),    cmocka_unit_test(test_reset),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
