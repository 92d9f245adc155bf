#include "base/next_hop.h"
#include "base/test.h"

static const struct next_hop hops[] = {
	{ NEXT_HOP_UNDECIDED, { "", 0 } },
	{ NEXT_HOP_MAILBOXES, { "", 0 } },
	{ NEXT_HOP_SYSTEM, { "exchange", 8 } },
	{ NEXT_HOP_SYSTEM, { "internet", 8 } },
	{ NEXT_HOP_SYSTEM, { "mailboxes", 9 } },
	{ NEXT_HOP_SYSTEM, { "hosted", 6 } },
	{ NEXT_HOP_SYSTEM, { "relay", 5 } },
	{ NEXT_HOP_RELAY, { "exchange", 8 } },
	{ NEXT_HOP_RELAY, { "internet", 8 } },
	{ NEXT_HOP_RELAY, { "a.test, [::1]:25", 16 } },
	{ NEXT_HOP_RELAY, { "system exchange", 15 } },
	{ NEXT_HOP_INTERNET, { "", 0 } },
	{ NEXT_HOP_INTERNET, { "exchange", 8 } },
	{ NEXT_HOP_INTERNET, { "b.test", 6 } },
};

static void no_two_are_called_the_same(void **state)
{
	struct arena *a scoped(arena) = arena_open();

	for (size_t i = 0; i < array_size(hops); i++)
		for (size_t j = 0; j < i; j++)
			assert_false(str_same(next_hop_text(&hops[i], a),
					      next_hop_text(&hops[j], a)));
}

static void comes_back_from_its_text(void **state)
{
	struct arena *a scoped(arena) = arena_open();
	struct next_hop h;

	for (size_t i = 0; i < array_size(hops); i++) {
		assert_true(next_hop_parse(next_hop_text(&hops[i], a), &h));
		assert_int_equal(h.kind, hops[i].kind);
		assert_true(str_same(h.name, hops[i].name));
	}
	assert_false(next_hop_parse(S("exchange"), &h));
	assert_false(next_hop_parse(S(""), &h));
	assert_string_equal(next_hop_word((enum next_hop_kind)77), "undecided");
}

static void what_is_called_a_system(void **state)
{
	for (size_t i = 0; i < array_size(hops); i++)
		assert_true(
			str_same(next_hop_system(&hops[i]),
				 hops[i].kind == NEXT_HOP_SYSTEM ||
						 hops[i].kind == NEXT_HOP_RELAY
					 ? hops[i].name
					 : S("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_are_called_the_same),
		cmocka_unit_test(comes_back_from_its_text),
		cmocka_unit_test(what_is_called_a_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
