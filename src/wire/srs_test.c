/* Senders go out as ours and come back as they were; nobody else makes one. */
#include "base/test.h"
#include "wire/srs.h"

static const uint8_t key[SRS_KEY_BYTES] = "a key", other[SRS_KEY_BYTES] = "b";
enum { TODAY = 20786 };

static struct arena *arena;

static struct str forward(const char *sender, const char *domain)
{
	struct str out;

	if (!srs_forward(key, str_of(sender), str_of(domain), TODAY, arena,
			 &out))
		fail_msg("%s: %s", sender, cause());
	return out;
}

static enum srs_verdict back(struct str s, int64_t day, struct str *out)
{
	return srs_reverse(key, s, day, arena, out);
}

static const char *const senders[] = {
	"news@bank.test",
	"News.Letter+x@Bank.Test",
	"a=b@x.test",
	"\"a b\"@x.test",
	"\"a\\\"@b\"@x.test",
	"=@x.test",
	"-@x.test",
	"SRS0@x.test",
	"srs0x=1@x.test",
	"bounce-1=2=3@list.test",
	"\xc3\xa9lodie@x.test",
	"msprvs1=abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789"
	"=bounces-1-2@mail.very-long-name-of-a-host.example.test",
};

static void there_and_back(void **state)
{
	for (size_t i = 0; i < array_size(senders); i++) {
		struct str out, was, upper, p;
		struct str first = forward(senders[i], "own.test");
		char *c;

		assert_true(str_starts(first, S("SRS0=")) ||
			    str_starts(first, S("\"SRS0=")));
		assert_true(str_ends(first, S("@own.test")));
		assert_int_equal(back(first, TODAY, &was), SRS_GOOD);
		assert_true(str_same_nocase(was, str_of(senders[i])));
		/* on by another, and back by him */
		assert_true(srs_forward(other, first, S("x.test"), TODAY, arena,
					&out));
		assert_int_equal(srs_reverse(other, out, TODAY, arena, &p),
				 SRS_GOOD);
		assert_true(str_same(p, first));
		assert_int_equal(back(out, TODAY, &p), SRS_NOT);
		/* who changes case breaks nothing */
		c = arena_cstr(arena, first);
		for (size_t j = 0; j < first.n; j++)
			c[j] = (char)(c[j] >= 'a' && c[j] <= 'z' ? c[j] - 32
								 : c[j]);
		upper = (struct str){ c, first.n };
		assert_int_equal(back(upper, TODAY, &p), SRS_GOOD);
	}
}

static void a_chain_tells_the_first_forwarder(void **state)
{
	struct str a = forward("news@bank.test", "a.test"), b, c, out;

	assert_true(srs_forward(other, a, S("b.test"), TODAY, arena, &b));
	assert_true(str_starts(b, S("SRS1=")));
	assert_true(srs_forward(key, b, S("c.test"), TODAY, arena, &c));
	assert_int_equal(back(c, TODAY, &out), SRS_GOOD);
	assert_true(str_same(out, a));
	/* of others, as they write it */
	out = forward("SRS0+Q=8x=orig.test=user@first.test", "own.test");
	assert_true(str_search(out, S("=first.test=+Q=8x=orig.test=user@")) >
		    0);
	assert_int_equal(back(out, TODAY, &b), SRS_GOOD);
	assert_true(str_same(b, S("SRS0+Q=8x=orig.test=user@first.test")));
	/* no SRS1 that anybody could take apart */
	out = forward("SRS1=x@first.test", "own.test");
	assert_true(str_starts(out, S("SRS0=")));
	out = forward("SRS1=hash=`x==k=5K=x.test=y@first.test", "own.test");
	assert_true(str_starts(out, S("SRS0=")));
	assert_int_equal(back(out, TODAY, &b), SRS_GOOD);
}

static void it_expires(void **state)
{
	struct str s = forward("news@bank.test", "own.test"), out;

	assert_int_equal(back(s, TODAY + SRS_DAYS, &out), SRS_GOOD);
	assert_int_equal(back(s, TODAY + SRS_DAYS + 1, &out), SRS_EXPIRED);
	assert_int_equal(back(s, TODAY + 1000, &out), SRS_EXPIRED);
	assert_int_equal(back(s, TODAY - 1, &out), SRS_GOOD);
}

static void what_is_forged_is_none(void **state)
{
	static const char *const bad[] = {
		"srs0=aaaaaaaa=aa=bank.test=news@own.test",
		"SRS0@own.test",
		"SRS0=@own.test",
		"SRS0==@own.test",
		"SRS0=a=b@own.test",
		"SRS1=a=b@own.test",
		"SRS1====@own.test",
		"SRS0=a=aa=bank.test=@own.test",
		"SRS2=a=b=c=d@own.test",
		"SRS0:a=b=c=d@own.test",
		"news@own.test",
		"",
		"SRS0=a",
	};
	struct str s = forward("news@bank.test", "own.test"), out;

	for (size_t i = 0; i < array_size(bad); i++)
		assert_int_equal(back(str_of(bad[i]), TODAY, &out), SRS_NOT);
	assert_int_equal(srs_reverse(other, s, TODAY, arena, &out), SRS_NOT);
	/* every byte of the address counts, but for its case */
	for (size_t i = 5; i < s.n - strlen("@own.test"); i++) {
		char *c = arena_cstr(arena, s);

		c[i] = c[i] == 'q' ? 'r' : 'q';
		if (back((struct str){ c, s.n }, TODAY, &out) == SRS_GOOD &&
		    (s.p[i] | 0x20) != (c[i] | 0x20))
			fail_msg("%s is good", c);
	}
	assert_false(
		srs_forward(key, S(""), S("own.test"), TODAY, arena, &out));
	assert_false(
		srs_forward(key, S("x"), S("own.test"), TODAY, arena, &out));
}

static int begin(void **state)
{
	arena = arena_open();
	return 0;
}

static int end(void **state)
{
	arena_close(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(a_chain_tells_the_first_forwarder),
		cmocka_unit_test(it_expires),
		cmocka_unit_test(what_is_forged_is_none),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
