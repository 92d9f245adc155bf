/* Lanes: how many are kept in mind. */
#include "queue/lanes.h"

#include <stdio.h>

#include "base/test.h"

static void add(struct lanes *l, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		char name[32];
		size_t n = (size_t)snprintf(name, sizeof(name), "d%u.test", i);

		lane_note(l,
			  (struct next_hop){ NEXT_HOP_INTERNET, { name, n } },
			  i);
	}
}

/* However many have mail, reading them again is of use only when most of what
 * is kept has none. */
static void test_many_are_not_read_at_every_turn(void **state)
{
	struct lanes l = { 0 };

	(void)state;
	add(&l, 0, 49999);
	assert_false(lanes_are_stale(&l));
	add(&l, 0, 50000);
	assert_true(lanes_are_stale(&l));
	lanes_are_read(&l); /* all of them have mail */
	assert_false(lanes_are_stale(&l));
	add(&l, 0, 99999);
	assert_false(lanes_are_stale(&l));
	add(&l, 0, 100000);
	assert_true(lanes_are_stale(&l));
	lanes_clear(&l);
	lanes_are_read(&l);
	assert_false(lanes_are_stale(&l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_are_not_read_at_every_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
