/* Ledgers: numbers add up across threads, a state keeps its beginning. */
#include "base/test.h"

#include <pthread.h>

#include "rt/ledger.h"

struct seen {
	struct ledger_row row; /* but for its texts */
	char note[LEDGER_NOTE_BYTES + 1];
	size_t rows;
};

static struct seen look(struct ledger *l, const char *name)
{
	struct arena *arena = arena_open();
	struct seen s = { .rows = 0 };
	struct ledger_row *rows = ledger_copy(l, arena, &s.rows);

	for (size_t i = 0; i < s.rows; i++) {
		if (!str_same(rows[i].name, str_of(name)))
			continue;
		s.row = rows[i];
		memcpy(s.note, s.row.note.p, s.row.note.n);
	}
	arena_close(arena);
	return s;
}

static void test_numbers(void **unused)
{
	struct ledger *l = ledger_open(10);

	ledger_count(l, S("a"), 0, 1);
	ledger_count(l, S("a"), 2, 5);
	ledger_count(l, S("a"), 0, 1);
	ledger_count(l, S("b"), 1, 7);
	ledger_count(l, S(""), 1, 7);
	ledger_count(NULL, S("a"), 1, 7);
	assert_int_equal(look(l, "a").row.n[0], 2);
	assert_int_equal(look(l, "a").row.n[1], 0);
	assert_int_equal(look(l, "a").row.n[2], 5);
	assert_int_equal(look(l, "b").row.n[1], 7);
	assert_int_equal(look(l, "b").rows, 2);
	assert_int_equal(look(l, "a").row.since_ms, 0);
	ledger_close(l);
}

static void test_a_state_has_a_beginning(void **unused)
{
	char long_note[LEDGER_NOTE_BYTES * 2];
	struct ledger *l = ledger_open(10);
	int64_t since;

	ledger_say(l, S("a"), 2, S("refused"));
	since = look(l, "a").row.since_ms;
	assert_true(since > 0);
	assert_int_equal(look(l, "a").row.state, 2);
	ledger_say(l, S("a"), 2, S("no route"));
	assert_string_equal(look(l, "a").note, "no route");
	assert_int_equal(look(l, "a").row.since_ms, since);
	ledger_say(l, S("a"), 1, S(""));
	assert_int_equal(look(l, "a").row.state, 1);
	assert_string_equal(look(l, "a").note, "");
	memset(long_note, 'x', sizeof(long_note));
	ledger_say(l, S("a"), 1, (struct str){ long_note, sizeof(long_note) });
	assert_int_equal(look(l, "a").row.note.n, LEDGER_NOTE_BYTES);
	/* one byte, then characters of two: the last has no room */
	for (size_t i = 1; i < sizeof(long_note); i++)
		long_note[i] = i % 2 ? '\xc3' : '\xa9';
	ledger_say(l, S("a"), 1, (struct str){ long_note, sizeof(long_note) });
	assert_int_equal(look(l, "a").row.note.n, LEDGER_NOTE_BYTES - 1);
	ledger_close(l);
}

static void test_no_more_rows_than_there_may_be(void **unused)
{
	struct ledger *l = ledger_open(2);

	ledger_count(l, S("a"), 0, 1);
	ledger_count(l, S("b"), 0, 1);
	ledger_count(l, S("c"), 0, 1);
	ledger_say(l, S("d"), 1, S(""));
	ledger_count(l, S("a"), 0, 1);
	assert_int_equal(look(l, "a").rows, 2);
	assert_int_equal(look(l, "a").row.n[0], 2);
	ledger_close(l);
}

static void test_a_copy_stays_as_it_was(void **unused)
{
	struct arena *arena = arena_open();
	struct ledger *l = ledger_open(10);
	struct ledger_row *rows;
	size_t n;

	rows = ledger_copy(l, arena, &n);
	assert_int_equal(n, 0);
	ledger_say(l, S("a"), 2, S("refused"));
	ledger_count(l, S("b"), 0, 1);
	ledger_count(l, S("a"), 0, 1);
	rows = ledger_copy(l, arena, &n);
	ledger_say(l, S("a"), 1, S("other"));
	ledger_close(l);
	assert_int_equal(n, 2);
	assert_true(str_same(rows[0].name, S("a")));
	assert_true(str_same(rows[0].note, S("refused")));
	assert_int_equal(rows[0].state, 2);
	assert_true(str_same(rows[1].name, S("b")));
	assert_true(rows[0].used > rows[1].used);
	arena_close(arena);
}

static void *count_many(void *ledger)
{
	for (int i = 0; i < 5000; i++) {
		ledger_count(ledger, S("a"), 1, 1);
		ledger_say(ledger, S("a"), i % 2, S("said"));
	}
	return NULL;
}

static void test_many_threads(void **unused)
{
	struct ledger *l = ledger_open(3);
	pthread_t threads[4];

	for (size_t i = 0; i < array_size(threads); i++)
		check(!pthread_create(&threads[i], NULL, count_many, l));
	for (size_t i = 0; i < array_size(threads); i++)
		check(!pthread_join(threads[i], NULL));
	assert_int_equal(look(l, "a").row.n[1], 4 * 5000);
	ledger_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_a_state_has_a_beginning),
		cmocka_unit_test(test_no_more_rows_than_there_may_be),
		cmocka_unit_test(test_a_copy_stays_as_it_was),
		cmocka_unit_test(test_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
