/* Codes by time against RFC 6238, and what the directory takes of them. */
#include "directory/directory_test.h"

#include <ctype.h>
#include <oath.h>

#include "base/buf.h"
#include "directory/admins.h"
#include "directory/lists.h"
#include "directory/totp.h"

/* "12345678901234567890", as in RFC 6238, in base32. */
#define RFC_SECRET S("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

enum { NOW_S = 1111111109 };

/* Appendix B, SHA-1: the codes have eight digits there; six are their end. */
static void test_vectors(void **state)
{
	static const struct {
		int64_t at_s;
		const char *code;
	} vectors[] = {
		{ 59, "94287082" },         { 1111111109, "07081804" },
		{ 1111111111, "14050471" }, { 1234567890, "89005924" },
		{ 2000000000, "69279037" }, { 20000000000, "65353130" },
	};

	for (size_t i = 0; i < array_size(vectors); i++) {
		struct str code = str_from(str_of(vectors[i].code), 2);
		int64_t step = 0;

		assert_int_equal(
			totp_step(RFC_SECRET, code, vectors[i].at_s, &step),
			ANSWER_YES);
		assert_int_equal(step, vectors[i].at_s / 30);
	}
}

/* One step to either side, and none further away. */
static void test_window(void **state)
{
	struct str code = S("081804"); /* of NOW_S */
	int64_t step = 0, begins = NOW_S / 30 * 30;

	for (int64_t at = begins - 30; at < begins + 60; at++) {
		assert_int_equal(totp_step(RFC_SECRET, code, at, &step),
				 ANSWER_YES);
		assert_int_equal(step, NOW_S / 30);
	}
	assert_int_equal(totp_step(RFC_SECRET, code, begins - 31, &step),
			 ANSWER_NO);
	assert_int_equal(totp_step(RFC_SECRET, code, begins + 60, &step),
			 ANSWER_NO);
}

static void test_what_is_no_code(void **state)
{
	static const char *const codes[] = { "",       "08180",    "0818040",
					     "81804",  "07081804", "08180x",
					     "+81804", " 81804",   "081804\n" };
	int64_t step;

	for (size_t i = 0; i < array_size(codes); i++)
		assert_int_equal(
			totp_step(RFC_SECRET, str_of(codes[i]), NOW_S, &step),
			ANSWER_NO);
	assert_int_equal(totp_step(S("not base32!"), S("081804"), NOW_S, &step),
			 ANSWER_UNSURE);
}

/* ---- in the directory ---- */

static char secret[TOTP_SECRET_CHARS + 1];

/* What the phone shows at that time. */
static struct str code_at(int64_t at_s)
{
	char *key = NULL, *code = arena_alloc(arena, TOTP_DIGITS + 1);
	size_t n = 0;

	assert_int_equal(oath_base32_decode(secret, strlen(secret), &key, &n),
			 OATH_OK);
	assert_int_equal(
		oath_totp_generate(key, n, at_s, 30, 0, TOTP_DIGITS, code),
		OATH_OK);
	free(key);
	return (struct str){ code, TOTP_DIGITS };
}

/* A code that is none of those the phone shows around that time. */
static struct str wrong_at(int64_t at_s)
{
	for (unsigned i = 0;; i++) {
		struct str code = arena_strf(arena, "%06u", i);
		int64_t step;

		if (totp_step(str_of(secret), code, at_s, &step) == ANSWER_NO)
			return code;
	}
}

static struct admin admin0(void)
{
	struct admin a;

	assert_int_equal(directory_admin(d, S("admin0"), arena, &a),
			 ANSWER_YES);
	return a;
}

static struct recovery_codes switch_on(void)
{
	struct recovery_codes codes;

	assert_done(totp_begin(c, S("admin0"), secret));
	assert_done(
		totp_confirm(c, S("admin0"), code_at(NOW_S), NOW_S, &codes));
	return codes;
}

#define USE(code, at_s) totp_use(c, S("admin0"), code, at_s)

static void test_on_when_a_code_is_given(void **state)
{
	struct recovery_codes codes;
	char first[TOTP_SECRET_CHARS + 1];

	assert_refused(totp_confirm(c, S("admin0"), S("123456"), NOW_S, &codes),
		       NULL, "Begin");
	assert_not_found(totp_begin(c, S("jane"), secret), "name", "jane");
	assert_done(totp_begin(c, S("admin0"), first));
	assert_done(totp_begin(c, S("admin0"), secret));
	assert_string_not_equal(first, secret);
	assert_int_equal(admin0().totp, 0);
	assert_not_found(USE(code_at(NOW_S), NOW_S), NULL, "no second factor");
	assert_refused(
		totp_confirm(c, S("admin0"), wrong_at(NOW_S), NOW_S, &codes),
		"code", "wrong");
	assert_int_equal(admin0().totp, 0);
	assert_done(
		totp_confirm(c, S("admin0"), code_at(NOW_S), NOW_S, &codes));
	assert_true(admin0().totp > 0);
	assert_int_equal(admin0().recovery_codes, RECOVERY_CODES);
	assert_refused(totp_begin(c, S("admin0"), first), NULL, "already");
	assert_refused(
		totp_confirm(c, S("admin0"), code_at(NOW_S), NOW_S, &codes),
		NULL, "already");
}

static void test_a_code_is_taken_once(void **state)
{
	switch_on();
	/* The one that switched it on was one, too. */
	assert_refused(USE(code_at(NOW_S), NOW_S), "code", "used");
	assert_done(USE(code_at(NOW_S + 30), NOW_S));
	assert_refused(USE(code_at(NOW_S + 30), NOW_S + 30), "code", "used");
	/* An older one that was never given is none any more. */
	assert_done(USE(code_at(NOW_S + 90), NOW_S + 90));
	assert_refused(USE(code_at(NOW_S + 60), NOW_S + 90), "code", "used");
	assert_refused(USE(wrong_at(NOW_S + 90), NOW_S + 90), "code", "wrong");
	assert_refused(USE(code_at(NOW_S + 180), NOW_S + 90), "code", "wrong");
	assert_refused(USE(S(""), NOW_S + 90), "code", "wrong");
}

static void test_codes_as_people_type_them(void **state)
{
	struct recovery_codes codes = switch_on();
	struct str code = code_at(NOW_S + 30);

	assert_done(USE(arena_strf(arena, " %.3s %.3s ", code.p, code.p + 3),
			NOW_S + 30));
	for (char *p = codes.c[0]; *p; p++)
		*p = (char)toupper(*p);
	assert_done(USE(str_of(codes.c[0]), NOW_S));
	assert_done(USE(arena_strf(arena, "%.4s%.4s %.4s", codes.c[1],
				   codes.c[1] + 5, codes.c[1] + 10),
			NOW_S));
}

static void test_recovery_codes(void **state)
{
	struct recovery_codes codes = switch_on(), first = codes;

	assert_not_found(totp_renew(c, S("jane"), &codes), "name", "jane");
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(codes.c[i], codes.c[k]);
	assert_done(USE(str_of(codes.c[3]), NOW_S));
	assert_refused(USE(str_of(codes.c[3]), NOW_S), "code", "wrong");
	assert_int_equal(admin0().recovery_codes, RECOVERY_CODES - 1);
	/* New ones are instead of all that were. */
	assert_done(totp_renew(c, S("admin0"), &codes));
	assert_int_equal(admin0().recovery_codes, RECOVERY_CODES);
	assert_refused(USE(str_of(first.c[4]), NOW_S), "code", "wrong");
	assert_done(USE(str_of(codes.c[4]), NOW_S));
	/* A new secret has its own. */
	assert_done(admin_set(c, S("admin0"), SET("totp=off")));
	assert_int_equal(admin0().recovery_codes, 0);
	assert_not_found(totp_renew(c, S("admin0"), &first), NULL,
			 "no second factor");
	switch_on();
	assert_refused(USE(str_of(codes.c[5]), NOW_S), "code", "wrong");
}

static void test_off(void **state)
{
	int64_t first;

	switch_on();
	first = admin0().totp;
	assert_refused(admin_set(c, S("admin0"), SET("totp=on")), "totp",
		       "only be switched off");
	assert_done(admin_set(c, S("admin0"), SET("totp=off")));
	assert_int_equal(admin0().totp, 0);
	assert_not_found(USE(code_at(NOW_S + 30), NOW_S + 30), NULL,
			 "no second factor");
	assert_done(admin_set(c, S("admin0"), SET("totp=off")));
	switch_on();
	assert_int_not_equal(admin0().totp, first);
}

static void see(void *arg, const struct change_entry *e)
{
	struct buf *text = arg;

	buf_printf(text, "%.*s %.*s>%.*s; ", STR(e->field), STR(e->old),
		   STR(e->new));
}

static void test_the_log_has_no_secret(void **state)
{
	struct change_page page = { .subject = S("admin0"), .limit = 10 };
	struct buf text scoped(buf) = BUF_EMPTY;
	struct recovery_codes codes = switch_on();

	assert_done(USE(code_at(NOW_S + 30), NOW_S + 30));
	assert_done(USE(str_of(codes.c[0]), NOW_S));
	assert_done(admin_set(c, S("admin0"), SET("totp=off")));
	assert_true(list_changes(d, &page, see, &text));
	buf_add_char(&text, '\0');
	assert_string_equal(text.p,
			    "totp on>off; recovery_code >used; totp >on; ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_what_is_no_code),
		TEST(test_on_when_a_code_is_given),
		TEST(test_a_code_is_taken_once),
		TEST(test_codes_as_people_type_them),
		TEST(test_recovery_codes),
		TEST(test_off),
		TEST(test_the_log_has_no_secret),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
