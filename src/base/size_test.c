/* Sizes as people write them. */
#include "base/test.h"

#include "base/size.h"

#define MOST (UINT64_C(1) << 50)
#define GIB (UINT64_C(1) << 30)

static void test_what_is_taken(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} sizes[] = {
		{ "0", 0 },
		{ "1048576", 1048576 },
		{ "2G", 2 * GIB },
		{ "2g", 2 * GIB },
		{ "2GB", 2 * GIB },
		{ "2 GB", 2 * GIB },
		{ "2GiB", 2 * GIB },
		{ "2  gib", 2 * GIB },
		{ "2 Go", 2 * GIB },
		{ " 2 Gio ", 2 * GIB },
		{ "500M", 500 << 20 },
		{ "500 MB", 500 << 20 },
		{ "1.5G", GIB + GIB / 2 },
		{ "1,5 Go", GIB + GIB / 2 },
		{ "0.25 K", 256 },
		{ "7B", 7 },
		{ "7 b", 7 },
		{ "1T", 1024 * GIB },
		{ "1024T", MOST },
	};

	for (size_t i = 0; i < array_size(sizes); i++) {
		uint64_t n = 1;

		if (!size_parse(str_of(sizes[i].text), MOST, &n) ||
		    n != sizes[i].bytes)
			fail_msg("\"%s\": %llu", sizes[i].text,
				 (unsigned long long)n);
	}
}

static void test_what_is_not(void **state)
{
	static const char *const bad[] = {
		"",     " ",   "G",     "GB",     "-1",
		"1e9",  "2GG", "2 G B", "2i",     "2o",
		"2iB",  "1.G", ".5G",   "1.500G", "1,500",
		"1.5",  "2X",  "2 GX",  "1025T",  "99999999999999999999",
		"0x10", "B",   "i",
	};
	uint64_t n;

	for (size_t i = 0; i < array_size(bad); i++)
		if (size_parse(str_of(bad[i]), MOST, &n))
			fail_msg("\"%s\" was taken", bad[i]);
	assert_false(size_parse(S("5"), 4, &n));
}

static void test_what_is_said(void **state)
{
	assert_string_equal(size_text(0).c, "0 bytes");
	assert_string_equal(size_text(1023).c, "1023 bytes");
	assert_string_equal(size_text(1024).c, "1 KiB");
	assert_string_equal(size_text(2 * GIB).c, "2 GiB");
	assert_string_equal(size_text(GIB + GIB / 2).c, "1.5 GiB");
	assert_string_equal(size_text(500 << 20).c, "500 MiB");
	assert_string_equal(size_text(1500u << 20).c, "1500 MiB");
	assert_string_equal(size_text(1234567890).c, "1.1 GiB");
	assert_string_equal(size_text(MOST).c, "1024 TiB");
}

/* What is said is taken, and means the same, for sizes that are exact. */
static void test_there_and_back(void **state)
{
	for (uint64_t n = 1; n < 3000; n++) {
		uint64_t bytes = n << 20, back;

		assert_true(
			size_parse(str_of(size_text(bytes).c), MOST, &back));
		assert_int_equal(back, bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_taken),
		cmocka_unit_test(test_what_is_not),
		cmocka_unit_test(test_what_is_said),
		cmocka_unit_test(test_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
