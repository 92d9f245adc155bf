/* What people and programs write into To, Cc and Bcc. */
#include "base/test.h"

#include "base/buf.h"
#include "wire/mailboxes.h"

/* TEXT's addresses with "|" between them. */
static void expect(const char *text, const char *wanted)
{
	struct arena *arena = arena_open();
	struct buf all scoped(buf) = BUF_EMPTY;
	struct str rest = str_of(text), one;

	while (mailbox_next(&rest, arena, &one))
		buf_printf(&all, "%s%.*s", all.n ? "|" : "", STR(one));
	if (!str_same(buf_str(&all), str_of(wanted)))
		fail_msg("%s: \"%.*s\", not \"%s\"", text, (int)all.n, all.p,
			 wanted);
	arena_close(arena);
}

static void test_fields(void **state)
{
	expect("", "");
	expect(" , ,; ", "");
	expect("bob@b.example", "bob@b.example");
	expect("root", "root");
	expect("Bob <bob@b.example>", "bob@b.example");
	expect("a@x, b@x,c@x", "a@x|b@x|c@x");
	expect("\"Doe, Bob\" <bob@b.example>, eve@x", "bob@b.example|eve@x");
	expect("\"say \\\"hi, you\\\"\" <b@x>", "b@x");
	expect("bob@b.example (Bob, the (old) one), (none) c@x",
	       "bob@b.example|c@x");
	expect("Friends: a@x, Bob <b@x>;, c@x", "a@x|b@x|c@x");
	expect("undisclosed-recipients:;", "");
	expect("undisclosed-recipients: ;", "");
	expect("<@a.example,@b.example:bob@c.example>", "bob@c.example");
	expect("\"a,b\"@c.example", "\"a,b\"@c.example");
	expect("bob@[IPv6:2001:db8::1], c@x", "bob@[IPv6:2001:db8::1]|c@x");
	expect("a@x; b@x", "a@x|b@x");
	expect("a@x,\r\n\tb@x\r\n", "a@x|b@x");
	expect("<>", "");
	expect("=?utf-8?q?B=C3=B6b=2C?= <b@x>", "b@x");
	/* what is no address is found too: who reads on says so */
	expect("Bob Roe, <bob", "Bob Roe|bob");
}

static void test_what_never_ends(void **state)
{
	expect("\"open", "\"open");
	expect("\"open\\", "\"open\\");
	expect("(open", "");
	expect("(open\\", "");
	expect("a@x (((", "a@x");
	expect("[open", "[open");
	expect("<a@x", "a@x");
	expect(")", ")");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_what_never_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
