/* A header with changes in it: header_edit.h. */
#include "wire/header_edit.h"

#include "base/buf.h"
#include "base/test.h"

#define FRONT "Received: by us\r\n\tnow\r\n"
#define HEADER \
	"Received: by them\r\n" \
	"Subject: one\r\n two\r\n" \
	"X-A: 1\r\n" \
	"x-a:2\r\n"

static void expect(struct str header, struct header_edit edits[], size_t n,
		   const char *text)
{
	struct arena *arena scoped(arena) = arena_open();
	struct header_edited got =
		header_edit(S(FRONT), header, edits, n, arena);

	assert_string_equal(arena_printf(arena, "%.*s" FRONT "%.*s",
					 STR(got.before), STR(got.behind)),
			    text);
}

#define EXPECT(text, ...) \
	do { \
		struct header_edit list[] = { __VA_ARGS__ }; \
		expect(S(HEADER "\r\n"), list, array_size(list), text); \
	} while (0)

static void test_nothing(void **unused)
{
	expect(S(HEADER "\r\n"), NULL, 0, FRONT HEADER);
	expect(S("\r\n"), NULL, 0, FRONT);
}

static void test_append(void **unused)
{
	EXPECT(FRONT HEADER "X-B: 1\r\nX-C: 2\r\n",
	       { HEADER_APPEND, 0, S("X-B"), S("1"), true },
	       { HEADER_APPEND, 0, S("X-C"), S(" 2") });
}

static void test_insert(void **unused)
{
	EXPECT("X-B: 1\r\n" FRONT HEADER,
	       { HEADER_INSERT, 0, S("X-B"), S(" 1") });
	EXPECT(FRONT "X-B: 1\r\n" HEADER,
	       { HEADER_INSERT, 1, S("X-B"), S(" 1") });
	/* positions are those after the change before */
	EXPECT(FRONT "X-C: 2\r\nX-B: 1\r\n" HEADER,
	       { HEADER_INSERT, 1, S("X-B"), S(" 1") },
	       { HEADER_INSERT, 1, S("X-C"), S(" 2") });
	EXPECT(FRONT HEADER "X-B: 1\r\n",
	       { HEADER_INSERT, 4000000000u, S("X-B"), S(" 1") });
}

static void test_change(void **unused)
{
	EXPECT(FRONT "Received: by them\r\nSubject: three\r\n"
		     "X-A: 1\r\nx-a:2\r\n",
	       { HEADER_CHANGE, 1, S("Subject"), S(" three") });
	/* the second, in the filter's spelling; 0 is 1 */
	EXPECT(FRONT "Received: by them\r\nSubject: one\r\n two\r\n"
		     "X-a: 0\r\nX-A: 3\r\n",
	       { HEADER_CHANGE, 2, S("X-A"), S(" 3") },
	       { HEADER_CHANGE, 0, S("X-a"), S(" 0") });
	/* ours is not meant */
	EXPECT(FRONT "Subject: one\r\n two\r\nX-A: 1\r\nx-a:2\r\n",
	       { HEADER_CHANGE, 1, S("Received"), S("") });
	EXPECT(FRONT HEADER, { HEADER_CHANGE, 2, S("Received"), S("") });
	EXPECT(FRONT HEADER "X-B: 1\r\n",
	       { HEADER_CHANGE, 7, S("X-B"), S(" 1") });
	EXPECT(FRONT "Received: by them\r\nSubject: one\r\n two\r\n",
	       { HEADER_CHANGE, 2, S("x-a"), S("") },
	       { HEADER_CHANGE, 1, S("x-a"), S("") });
}

/* Whatever a value has in it, it is one field. */
static void test_injection(void **unused)
{
	EXPECT(FRONT HEADER "X-B: 1\r\n\tBcc: all@b.test\r\n",
	       { HEADER_APPEND, 0, S("X-B"), S(" 1\nBcc: all@b.test") });
	EXPECT(FRONT HEADER "X-B: 1\r\n\tevil\r\n 2\r\n",
	       { HEADER_APPEND, 0, S("X-B"),
		 S(" 1\r\n\r\nevil\n \n\n 2\n\n") });
	EXPECT(FRONT HEADER "X-B: 12\r\n",
	       { HEADER_APPEND, 0, S("X-B"), S(" 1\r2\r") });
	EXPECT(FRONT HEADER "X-B:\r\n\t1\r\n",
	       { HEADER_APPEND, 0, S("X-B"), S("\n1") });
	EXPECT(FRONT HEADER "X-B: \r\n",
	       { HEADER_APPEND, 0, S("X-B"), S(""), true });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),   cmocka_unit_test(test_append),
		cmocka_unit_test(test_insert),    cmocka_unit_test(test_change),
		cmocka_unit_test(test_injection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
