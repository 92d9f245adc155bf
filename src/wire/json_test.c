/* Values as JSON: json.h. */
#include <stdlib.h>

#include "base/test.h"
#include "wire/json.h"

/* Takes J over. */
static void assert_json(json_t *j, const char *want)
{
	char *said = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY);

	assert_non_null(said);
	assert_string_equal(said, want);
	free(said);
	json_decref(j);
}

static void test_text(void **unused)
{
	assert_json(json_text(S("caf\xc3\xa9 \"x\"")),
		    "\"caf\xc3\xa9 \\\"x\\\"\"");
	assert_json(json_text(STR_NONE), "\"\"");
	assert_json(json_text(S("a\0b")), "\"a\\u0000b\"");
	assert_json(json_text_or_null(S("a")), "\"a\"");
	assert_json(json_text_or_null(S("")), "null");
}

static void test_text_that_is_no_utf8(void **unused)
{
	assert_json(json_text(S("caf\xe9 is shut")), "\"caf? is shut\"");
	assert_json(json_text(S("half \xc3")), "\"half ?\"");
	assert_json(json_text(S("\xff")), "\"?\"");
	assert_json(json_text_or_null(S("\xff")), "\"?\"");
}

static void test_lists_and_ids(void **unused)
{
	const struct str list[] = { S("a"), S("\xff"), S("") };

	assert_json(json_texts(list, 3), "[\"a\",\"?\",\"\"]");
	assert_json(json_texts(NULL, 0), "[]");
	assert_json(json_id(S("no_such_user")), "\"no-such-user\"");
	assert_json(json_id(S("")), "\"\"");
}

static void test_values(void **unused)
{
	static const struct str names[] = { S("a"), S("b") };
	const struct value values[] = {
		{ .name = "given", .kind = VALUE_TEXT, .text = S("x\xff") },
		{ .name = "n", .kind = VALUE_NUMBER, .number = -7 },
		{ .name = "names", .kind = VALUE_LIST, .list = { names, 2 } },
		{ .name = NULL },
	};
	const char *want =
		"{\"given\":\"x?\",\"n\":-7,\"names\":[\"a\",\"b\"]}";
	struct arena *arena = arena_open();

	assert_json(json_values(values), want);
	assert_string_equal(json_values_text(values, arena).p, want);
	assert_json(json_values(NULL), "{}");
	assert_string_equal(json_values_text(NULL, arena).p, "{}");
	arena_close(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_that_is_no_utf8),
		cmocka_unit_test(test_lists_and_ids),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
