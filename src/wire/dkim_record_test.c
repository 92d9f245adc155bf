/* Records of DKIM keys: as they are written, and what is found. */
#include "wire/dkim_record.h"

#include "base/test.h"

static struct arena *arena;

static const char *found(const char *one, const char *other)
{
	static const char *const words[] = { "equal", "other", "revoked",
					     "several" };
	struct str texts[] = { str_of(one), str_of(other) };

	return words[dkim_record_compare(texts, other ? 2 : 1, S("rsa"),
					 S("MIIBIjAN+/=="))];
}

static void a_record_is_compared(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "v=DKIM1; k=rsa; p=MIIBIjAN+/==", "equal" },
		{ "p=MIIBIjAN+/==", "equal" },
		{ "v=DKIM1;k=rsa;t=s;n=a note;p=MIIB IjAN\t+/== ;", "equal" },
		{ " v = DKIM1 ; p = MIIBIjAN+/==", "equal" },
		{ "v=DKIM1; k=ed25519; p=MIIBIjAN+/==", "other" },
		{ "v=DKIM1; p=MIIBIjAN+/=", "other" },
		{ "v=DKIM1; p=MIIBIjAN+/==x", "other" },
		{ "p=MIIBIjAN+/==; v=DKIM1", "other" },
		{ "v=DKIM2; p=MIIBIjAN+/==", "other" },
		{ "v=dkim1; p=MIIBIjAN+/==", "other" },
		{ "v=DKIM1; P=MIIBIjAN+/==", "other" },
		{ "v=DKIM1; k=rsa", "other" },
		{ "v=spf1 -all", "other" },
		{ "", "other" },
		{ ";;=;", "other" },
		{ "v=DKIM1; p=", "revoked" },
		{ "v=DKIM1; k=rsa; p= ;", "revoked" },
	};

	for (size_t i = 0; i < array_size(cases); i++)
		assert_string_equal(found(cases[i].text, NULL), cases[i].want);
	assert_string_equal(found(cases[0].text, cases[0].text), "several");
}

/* A zone's strings have 255 bytes at most (RFC 1035 3.3). */
static void a_zone_line_is_split(void **state)
{
	struct str text, line;
	char key[400];

	text = dkim_record_write(S("ed25519"), S("AAAA"), arena);
	assert_true(str_same(text, S("v=DKIM1; k=ed25519; p=AAAA")));
	line = dkim_record_zone(S("s._domainkey.a.test"), text, arena);
	assert_true(str_same(line, S("s._domainkey.a.test. IN TXT "
				     "\"v=DKIM1; k=ed25519; p=AAAA\"")));
	for (size_t n = 230; n < sizeof(key); n++) {
		size_t strings = 0, bytes = 0;
		struct str rest, part;

		memset(key, 'A', n);
		text = dkim_record_write(S("rsa"), (struct str){ key, n },
					 arena);
		rest = dkim_record_zone(S("s"), text, arena);
		assert_true(str_ends(rest, text.n > 255 ? S("\" )") : S("\"")));
		str_split(&rest, '"', &part);
		while (str_split(&rest, '"', &part)) {
			assert_in_range(part.n, 1, 255);
			bytes += part.n;
			strings++;
			str_split(&rest, '"', &part);
		}
		assert_int_equal(bytes, text.n);
		assert_int_equal(strings, (text.n + 254) / 255);
	}
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
		cmocka_unit_test(a_record_is_compared),
		cmocka_unit_test(a_zone_line_is_split),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
