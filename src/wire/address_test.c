/* Addresses, domains, paths: address.h. */
#include "wire/address.h"

#include "base/test.h"

static struct arena *arena;

static int begin(void **unused)
{
	arena = arena_open();
	return 0;
}

static int end(void **unused)
{
	arena_close(arena);
	return 0;
}

static void assert_str(struct str got, const char *want)
{
	assert_string_equal(arena_cstr(arena, got), want);
}

static struct address read_ok(const char *mailbox)
{
	struct address a;

	if (!address_parse(str_of(mailbox), arena, &a))
		fail_msg("%s was refused: %s", mailbox, cause());
	assert_str(a.spelling, mailbox);
	return a;
}

/* "local|domain|key" */
static void assert_reads(const char *mailbox, const char *want)
{
	struct address a = read_ok(mailbox);
	struct str key = address_key(&a, arena);

	assert_string_equal(arena_printf(arena, "%.*s|%.*s|%.*s", STR(a.local),
					 STR(a.domain), STR(key)),
			    want);
}

static void refuse(struct str mailbox)
{
	struct address a;

	if (address_parse(mailbox, arena, &a))
		fail_msg("%.*s was accepted", STR(mailbox));
	assert_true(strlen(cause()) > 5);
	for (const char *c = cause(); *c; c++)
		assert_in_range(*c, ' ', '~');
}

static void refuse_strictly(const char *mailbox)
{
	struct address a;

	read_ok(mailbox);
	if (address_parse_strict(str_of(mailbox), arena, &a))
		fail_msg("%s may be created", mailbox);
	assert_true(strlen(cause()) > 5);
}

static void strictly_ok(const char *mailbox)
{
	struct address a;

	if (!address_parse_strict(str_of(mailbox), arena, &a))
		fail_msg("%s may not be created: %s", mailbox, cause());
	assert_str(a.spelling, mailbox);
}

static char *times(const char *piece, int n)
{
	char *text = arena_printf(arena, "%*s", n * (int)strlen(piece), "");

	for (int i = 0; i < n; i++)
		memcpy(text + (size_t)i * strlen(piece), piece, strlen(piece));
	return text;
}

static void test_ascii(void **unused)
{
	assert_reads("Bob@Example.ORG", "bob|example.org|bob@example.org");
	assert_reads("a.b.c@x", "a.b.c|x|a.b.c@x");
	assert_reads("a@own.test.", "a|own.test|a@own.test");
	assert_reads("!#$%&'*+-/=?^_`{|}~@x",
		     "!#$%&'*+-/=?^_`{|}~|x|!#$%&'*+-/=?^_`{|}~@x");
	assert_reads("a%ext.test@own.test",
		     "a%ext.test|own.test|a%ext.test@own.test");
	assert_reads("ext.test!a@own.test",
		     "ext.test!a|own.test|ext.test!a@own.test");
	assert_reads("a@x_y.test", "a|x_y.test|a@x_y.test");
	assert_reads("a@xn--i-7iq.ws", "a|xn--i-7iq.ws|a@xn--i-7iq.ws");
	assert_false(read_ok("a@xn--mller-kva.example").is_utf8);
}

static void test_quoted(void **unused)
{
	struct address plain = read_ok("alice@own.test");
	struct address quoted = read_ok("\"Alice\"@OWN.test");

	assert_true(address_same(&plain, &quoted));
	assert_reads("\"a\\lice\"@x", "alice|x|alice@x");
	assert_reads("\"bob@x\"@own.test", "bob@x|own.test|\"bob@x\"@own.test");
	assert_reads("\"a b\"@x", "a b|x|\"a b\"@x");
	assert_reads("\"a\\\"b\\\\c\"@x", "a\"b\\c|x|\"a\\\"b\\\\c\"@x");
	assert_reads("\"a..b\"@x", "a..b|x|\"a..b\"@x");
	assert_reads("\".\"@x", ".|x|\".\"@x");
	refuse(S("\"\"@x"));
	refuse(S("\"a"));
	refuse(S("\"a\"b@x"));
	refuse(S("\"a\\"));
	refuse(S("\"a\\\"@x"));
	refuse(S("\"a b\r\"@own.test"));
	refuse(S("\"a\nb\"@x"));
	refuse(S("\"a\0b\"@x"));
	refuse(S("\"a\\\0b\"@x"));
	refuse(S("\"a\x7f\"@x"));
	refuse(S("\"a\\\xc3\xb6\"@x"));
}

static void test_detail(void **unused)
{
	struct address a = read_ok("Bob+Shop+x@own.test");

	assert_true(a.has_detail);
	assert_str(a.base, "bob");
	assert_str(a.detail, "shop+x");
	a = read_ok("bob+@own.test");
	assert_true(a.has_detail);
	assert_str(a.detail, "");
	a = read_ok("+bob@own.test");
	assert_false(a.has_detail);
	assert_str(a.base, "+bob");
	a = read_ok("bob@own.test");
	assert_false(a.has_detail);
	assert_str(a.base, "bob");
}

static void test_utf8(void **unused)
{
	struct address a = read_ok("J\xc3\x96RG@M\xc3\xbcller.example");
	struct address b = read_ok("jo\xcc\x88rg@XN--MLLER-KVA.example");

	assert_true(a.is_utf8);
	assert_true(b.is_utf8);
	assert_str(a.domain, "xn--mller-kva.example");
	assert_str(a.local, "j\xc3\xb6rg");
	assert_true(address_same(&a, &b));
	assert_true(read_ok("a@m\xc3\xbcller.example").is_utf8);
	assert_reads("a@x\xe3\x80\x82test", "a|x.test|a@x.test");
	assert_reads("a@\xc3\xbc.test.", "a|xn--tda.test|a@xn--tda.test");
	refuse(S("a\xff\xfe@b.test"));
	refuse(S("a@b\xff.test"));
	refuse(S("a\xc0\xaf@b.test"));
	refuse(S("a\xed\xa0\x80@b.test"));
	refuse(S("a\xc2\x85@b.test"));
	refuse(S("a\xe2\x80\xae@b.test"));
	refuse(S("a\xe2\x80\xa8@b.test"));
	refuse(S("a@xn--\xe2\x98\x83.test"));
	refuse(S("a@\xe2\x98\x83.test"));
	refuse(S("a@x\xef\xbc\xa0y.test"));
	refuse(S("a@\xef\xbc\x91.\xef\xbc\x92"));
	refuse(S("a@x..\xc3\xbc"));
	refuse(S("a@\xc3\xbc\0.test"));
}

static void test_literal(void **unused)
{
	assert_reads("a@[127.0.0.1]", "a|[127.0.0.1]|a@[127.0.0.1]");
	assert_reads("a@[IPv6:2001:DB8:0::1]",
		     "a|[IPv6:2001:db8::1]|a@[IPv6:2001:db8::1]");
	assert_reads("a@[ipv6:::1]", "a|[IPv6:::1]|a@[IPv6:::1]");
	refuse(S("a@[999.1.1.1]"));
	refuse(S("a@[127.0.0.1"));
	refuse(S("a@[127.0.0.1]x"));
	refuse(S("a@[127.0.0.1]."));
	refuse(S("a@[]"));
	refuse(S("a@["));
	refuse(S("a@[::1]"));
	refuse(S("a@[IPv6:127.0.0.1]"));
	refuse(S("a@[IPv6:]"));
	refuse(S("a@[x-tag:y]"));
}

static void test_syntax(void **unused)
{
	static const char *const bad[] = {
		"",          "a",
		"@",         "a@",
		"@x",        "a@b@c",
		"a b@x",     "a@x y",
		".@x",       "...@x",
		"a@.x",      "a@x..y",
		"a@x..",     "a@.",
		"a@-x.test", "a@x-.test",
		"a@1.2.3.4", "a@x.42",
		"a@x/y",     "a@x:25",
		"a@x<y",     "a(c)@x",
		"a,b@x",     "a;b@x",
		"a:b@x",     "<a@b>",
		"a[b@x",     "a\\b@x",
		"a@x\t",     " a@x",
		"a@x ",      "a@x!y",
		"a@x%y",     "a'b\"c@b.test",
	};

	for (size_t i = 0; i < array_size(bad); i++)
		refuse(str_of(bad[i]));
	refuse(S("a\0b@x"));
	refuse(S("a@x\0.test"));
	refuse(S("a@x\r"));
}

/* Dots in any place are the same mailbox as in quotes. */
static void test_dots(void **unused)
{
	struct address plain = read_ok("foo..bar@docomo.test");
	struct address quoted = read_ok("\"foo..bar\"@docomo.test");

	assert_true(address_same(&plain, &quoted));
	assert_reads("Foo..Bar@x", "foo..bar|x|\"foo..bar\"@x");
	assert_reads(".foo@x", ".foo|x|\".foo\"@x");
	assert_reads("foo.@x", "foo.|x|\"foo.\"@x");
	assert_reads("..a...b..@x", "..a...b..|x|\"..a...b..\"@x");
	assert_reads("a..b+c@x", "a..b+c|x|\"a..b+c\"@x");
	assert_str(read_ok("a.+..@x").base, "a.");
	refuse_strictly("foo..bar@x");
	refuse_strictly(".foo@x");
	refuse_strictly("foo.@x");
	refuse_strictly("foo.+detail.@x");
	/* what is not seen: soft hyphen, zero width, joiner, byte order mark */
	refuse_strictly("b\xc2\xadob@x");
	refuse_strictly("bob\xe2\x80\x8b@x");
	refuse_strictly("bo\xe2\x81\xa0"
			"b@x");
	refuse_strictly("\xef\xbb\xbf"
			"bob@x");
	refuse_strictly("b\xcd\x8fob@x");
	refuse_strictly("\"b\xe2\x80\x8d"
			"ob\"@x");
	strictly_ok("b\xc3\xb6"
		    "b@x");
	strictly_ok("foo.bar@x");
	strictly_ok("\"foo..bar\"@x");
	strictly_ok("j\xc3\xb6rg.x@x");
}

static void test_lengths(void **unused)
{
	const char *labels = times("abcdefghi.", 24); /* 240 octets */
	static const int real[] = { 65, 79, 136, 256, 315, 512 };

	strictly_ok(arena_printf(arena, "%s@x", times("a", 64)));
	strictly_ok(arena_printf(arena, "\"%s\"@x", times("a", 62)));
	refuse_strictly(arena_printf(arena, "\"%s\"@x", times("a", 63)));
	refuse_strictly(arena_printf(arena, "%s@x", times("\xc3\xbc", 33)));
	for (size_t i = 0; i < array_size(real); i++)
		refuse_strictly(
			arena_printf(arena, "%s@x", times("a", real[i])));
	read_ok(arena_printf(arena, "%s@%s%s", times("a", 512), labels,
			     times("z", 13)));
	refuse(arena_strf(arena, "%s@x", times("a", 513)));
	refuse(arena_strf(arena, "\"%s\"@x", times("a", 511)));
	read_ok(arena_printf(arena, "a@%s.test", times("b", 63)));
	refuse(arena_strf(arena, "a@%s.test", times("b", 64)));
	read_ok(arena_printf(arena, "a@%s%s", labels, times("z", 13)));
	refuse(arena_strf(arena, "a@%s%s", labels, times("z", 14)));
	refuse(arena_strf(arena, "a@%s%s", labels, labels));
	refuse(arena_strf(arena, "a@%s.test", times("\xc3\xbc", 100)));
}

static void assert_path(const char *in, enum path_kind kind, const char *want)
{
	struct str rest = str_of(in);
	struct address a;

	if (!path_parse(&rest, kind, arena, &a))
		fail_msg("%s was refused: %s", in, cause());
	assert_string_equal(
		arena_printf(arena, "%.*s|%.*s|%.*s", STR(a.spelling),
			     STR(a.domain), STR(rest)),
		want);
}

static void refuse_path(const char *in, enum path_kind kind)
{
	struct str rest = str_of(in);
	struct address a;

	if (path_parse(&rest, kind, arena, &a))
		fail_msg("%s was accepted", in);
}

static void test_path(void **unused)
{
	static const char *const bad[] = {
		"",
		" a@b",
		"a@b>",
		"a",
		"x:a@b",
		"@x:",
		"\"a b@c",
		"<a@b",
		"<<a@b>>",
		"< a@b>",
		"<a@b >",
		"<@x>",
		"<@x:>",
		"<x:a@b>",
		"<@x,:a@b>",
		"<@x,y:a@b>",
		"<@:a@b>",
		"<@x:@y:a@b>",
		"<@[1.2.3.4]:a@b>",
		"<a'b\"c@b>",
		"<\"a>b@c>",
		"<a>",
		"<\"a@b\">",
		"<;id;>",
	};

	assert_path("<A@b.test> SIZE=1", PATH_REVERSE,
		    "A@b.test|b.test| SIZE=1");
	assert_path("<>", PATH_REVERSE, "||");
	assert_path("<> RET=FULL", PATH_REVERSE, "|| RET=FULL");
	assert_path("<PostMaster>", PATH_FORWARD, "PostMaster||");
	assert_path("<@relay.test,@b.test:a@c.test>", PATH_FORWARD,
		    "a@c.test|c.test|");
	assert_path("<\"a>b\"@c>", PATH_FORWARD, "\"a>b\"@c|c|");
	assert_path("<\"a\\\">\"@c>", PATH_FORWARD, "\"a\\\">\"@c|c|");
	assert_path("A@b.test SIZE=1", PATH_REVERSE, "A@b.test|b.test| SIZE=1");
	assert_path("a@b", PATH_FORWARD, "a@b|b|");
	assert_path("\"a b\"@c SIZE=1", PATH_REVERSE, "\"a b\"@c|c| SIZE=1");
	assert_path("@relay.test:a@c.test", PATH_FORWARD, "a@c.test|c.test|");
	assert_path("postmaster", PATH_FORWARD, "postmaster||");
	refuse_path("<>", PATH_FORWARD);
	refuse_path("postmaster", PATH_REVERSE);
	refuse_path("<postmaster>", PATH_REVERSE);
	for (size_t i = 0; i < array_size(bad); i++) {
		refuse_path(bad[i], PATH_FORWARD);
		refuse_path(bad[i], PATH_REVERSE);
	}
}

static void test_key_of_nobody(void **unused)
{
	struct str rest = S("<>");
	struct address a;

	assert_true(path_parse(&rest, PATH_REVERSE, arena, &a));
	assert_str(address_key(&a, arena), "");
	rest = S("<POSTMASTER>");
	assert_true(path_parse(&rest, PATH_FORWARD, arena, &a));
	assert_str(address_key(&a, arena), "postmaster");
}

static void test_domain_and_helo(void **unused)
{
	static const char *const good[] = { "a.test",      "x",
					    "[1.2.3.4]",   "[IPv6:::1]",
					    "host_1.test", "a.test.",
					    "10.0.0.1" };
	static const char *const bad[] = { "",         "a b",
					   "<script>", "a\x1b[2J",
					   "[1.2.3]",  "m\xc3\xbcller.test",
					   "a..b",     "-a",
					   "." };
	struct str s;

	assert_true(domain_parse(S("M\xc3\xbcller.Example."), arena, &s));
	assert_str(s, "xn--mller-kva.example");
	assert_false(domain_parse(S("[1.2.3.4]"), arena, &s));
	assert_false(domain_parse(S(""), arena, &s));
	assert_false(domain_parse(S("10.0.0.1"), arena, &s));
	for (size_t i = 0; i < array_size(good); i++)
		assert_true(helo_parse(str_of(good[i]), &s));
	for (size_t i = 0; i < array_size(bad); i++)
		assert_false(helo_parse(str_of(bad[i]), &s));
	assert_false(helo_parse(str_of(times("a", 600)), &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ascii, begin, end),
		cmocka_unit_test_setup_teardown(test_quoted, begin, end),
		cmocka_unit_test_setup_teardown(test_detail, begin, end),
		cmocka_unit_test_setup_teardown(test_utf8, begin, end),
		cmocka_unit_test_setup_teardown(test_literal, begin, end),
		cmocka_unit_test_setup_teardown(test_syntax, begin, end),
		cmocka_unit_test_setup_teardown(test_dots, begin, end),
		cmocka_unit_test_setup_teardown(test_lengths, begin, end),
		cmocka_unit_test_setup_teardown(test_path, begin, end),
		cmocka_unit_test_setup_teardown(test_key_of_nobody, begin, end),
		cmocka_unit_test_setup_teardown(test_domain_and_helo, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
