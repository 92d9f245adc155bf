/* Boards: notes are found, replaced, erased, and the oldest make room. */
#include "base/test.h"

#include <pthread.h>
#include <stdio.h>

#include "rt/board.h"

static struct arena *arena;

static void assert_note(struct board *b, const char *key, const char *want)
{
	struct str note;

	if (!board_read(b, str_of(key), arena, &note))
		assert_null(want);
	else if (!want || !str_same(note, str_of(want)))
		fail_msg("%s is %.*s, not %s", key, STR(note),
			 want ? want : "absent");
}

static void test_notes(void **unused)
{
	struct board *b = board_open(10);

	assert_note(b, "a", NULL);
	board_write(b, S("a"), S("one"));
	board_write(b, S("b"), S(""));
	assert_note(b, "a", "one");
	assert_note(b, "b", "");
	board_write(b, S("a"), S("another"));
	assert_note(b, "a", "another");
	board_erase(b, S("a"));
	board_erase(b, S("a"));
	assert_note(b, "a", NULL);
	assert_int_equal(board_notes(b), 1);
	board_close(b);
}

static void test_the_oldest_makes_room(void **unused)
{
	struct board *b = board_open(3);

	board_write(b, S("a"), S("1"));
	board_write(b, S("b"), S("2"));
	board_write(b, S("c"), S("3"));
	assert_note(b, "a", "1"); /* used: b is the oldest now */
	board_write(b, S("d"), S("4"));
	assert_note(b, "b", NULL);
	assert_note(b, "a", "1");
	assert_int_equal(board_notes(b), 3);
	board_close(b);
}

struct listed {
	char text[200];
	struct board *board; /* written to meanwhile */
};

static void list(void *arg, struct str key, struct str note)
{
	struct listed *l = arg;
	size_t n = strlen(l->text);

	snprintf(l->text + n, sizeof(l->text) - n, "%.*s=%.*s ", STR(key),
		 STR(note));
	if (l->board)
		board_write(l->board, S("new"), S("1"));
}

static void test_all_notes(void **unused)
{
	struct board *b = board_open(10);
	struct listed l = { .board = NULL };

	board_write(b, S("a"), S("1"));
	board_write(b, S("b"), S(""));
	board_write(b, S("a"), S("2"));
	board_each(b, list, &l);
	assert_string_equal(l.text, "b= a=2 ");
	assert_int_equal(board_notes(b), 2);
	l = (struct listed){ .board = b };
	board_drain(b, list, &l);
	assert_string_equal(l.text, "b= a=2 ");
	assert_int_equal(board_notes(b), 1);
	assert_note(b, "new", "1");
	l = (struct listed){ .board = NULL };
	board_drain(b, list, &l);
	board_drain(b, list, &l);
	assert_string_equal(l.text, "new=1 ");
	board_close(b);
}

static void *write_many(void *board)
{
	struct arena *own = arena_open();
	struct str note;

	for (int i = 0; i < 2000; i++) {
		struct str key = arena_strf(own, "key %d", i % 50);

		board_write(board, key, key);
		if (board_read(board, key, own, &note))
			check(str_same(note, key));
		board_erase(board, arena_strf(own, "key %d", i % 7));
	}
	arena_close(own);
	return NULL;
}

static void test_many_threads(void **unused)
{
	struct board *b = board_open(30);
	pthread_t threads[4];

	for (size_t i = 0; i < array_size(threads); i++)
		check(!pthread_create(&threads[i], NULL, write_many, b));
	for (size_t i = 0; i < array_size(threads); i++)
		check(!pthread_join(threads[i], NULL));
	assert_true(board_notes(b) <= 30);
	board_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_the_oldest_makes_room),
		cmocka_unit_test(test_all_notes),
		cmocka_unit_test(test_many_threads),
	};
	int failed;

	arena = arena_open();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_close(arena);
	return failed;
}
