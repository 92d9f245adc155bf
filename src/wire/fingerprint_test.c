/* What makes another message, and what does not: fingerprint.h. */
#include "wire/fingerprint.h"

#include "base/test.h"
#include "wire/header.h"

struct print {
	uint8_t bytes[FINGERPRINT_BYTES];
};

/* Its body in pieces of STEP octets. */
static struct print print_in_steps(const char *message, size_t step)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str text = str_of(message), header;
	struct fingerprint f;
	struct print p;

	header = str_part(text, 0, header_scan(text).bytes);
	fingerprint_begin(&f);
	fingerprint_header(&f, header, arena);
	for (size_t i = header.n; i < text.n; i += step)
		fingerprint_body(&f, str_part(text, i, i + step));
	fingerprint_end(&f, p.bytes);
	return p;
}

static bool is_same(const char *a, const char *b)
{
	struct print first = print_in_steps(a, 1000), second;

	for (size_t step = 1; step < 30; step++) {
		second = print_in_steps(a, step);
		assert_memory_equal(&first, &second, sizeof first);
	}
	second = print_in_steps(b, 7);
	return memcmp(&first, &second, sizeof first) == 0;
}

static const char mail[] = "From: a@b.test\r\nDate: today\r\n"
			   "Subject: one two\r\nMessage-ID: <1@b>\r\n"
			   "\r\nline\r\n\r\nother line\r\n";

static void test_same(void **unused)
{
	assert_true(is_same(mail, mail));
	/* trace fields, anywhere */
	assert_true(is_same(
		mail, "Return-Path: <x>\r\nReceived: from a\r\n\tby b\r\n"
		      "From: a@b.test\r\nDKIM-Signature: x\r\nDate: today\r\n"
		      "ARC-Seal: y\r\nx-spam: no\r\nList-Id: <l>\r\n"
		      "Subject: one two\r\nMessage-ID: <1@b>\r\n"
		      "Splitmail-Trail: z\r\n"
		      "\r\nline\r\n\r\nother line\r\n"));
	/* folding, case of names */
	assert_true(is_same(mail, "FROM:a@b.test\r\ndate:\r\n today\r\n"
				  "Subject: one\r\n\t two \r\n"
				  "Message-ID: <1@b>\r\n"
				  "\r\nline\r\n\r\nother line\r\n"));
	/* the end */
	assert_true(is_same(mail, "From: a@b.test\r\nDate: today\r\n"
				  "Subject: one two\r\nMessage-ID: <1@b>\r\n"
				  "\r\nline\r\n\r\nother line\r\n\r\n"));
	assert_true(is_same(mail, "From: a@b.test\r\nDate: today\r\n"
				  "Subject: one two\r\nMessage-ID: <1@b>\r\n"
				  "\r\nline\r\n\r\nother line"));
	assert_true(is_same("A: b\r\n\r\n", "A: b\r\n"));
	/* our fields in front of what has none */
	assert_true(
		is_same("just text\r\n", "Received: x\r\n\r\njust text\r\n"));
}

static void test_others(void **unused)
{
	static const char *const others[] = {
		/* every field, its order, its number */
		"From: a@b.test\r\nDate: today\r\nSubject: one  twO\r\n"
		"Message-ID: <1@b>\r\n\r\nline\r\n\r\nother line\r\n",
		"From: a@b.test\r\nDate: now\r\nSubject: one two\r\n"
		"Message-ID: <1@b>\r\n\r\nline\r\n\r\nother line\r\n",
		"Date: today\r\nFrom: a@b.test\r\nSubject: one two\r\n"
		"Message-ID: <1@b>\r\n\r\nline\r\n\r\nother line\r\n",
		"From: a@b.test\r\nDate: today\r\nSubject: one two\r\n"
		"Message-ID: <1@b>\r\nImportance: high\r\n"
		"\r\nline\r\n\r\nother line\r\n",
		"From: a@b.test\r\nDate: today\r\nSubject: one two\r\n"
		"Message-ID: <1@b>\r\nResent-From: c@d.test\r\n"
		"\r\nline\r\n\r\nother line\r\n",
		"From: a@b.test\r\nDate: today\r\nSubject: one two\r\n"
		"\r\nline\r\n\r\nother line\r\n",
		/* every octet of the body */
		"From: a@b.test\r\nDate: today\r\nSubject: one two\r\n"
		"Message-ID: <1@b>\r\n\r\nline\r\nother line\r\n",
		"From: a@b.test\r\nDate: today\r\nSubject: one two\r\n"
		"Message-ID: <1@b>\r\n\r\nline \r\n\r\nother line\r\n",
		"From: a@b.test\r\nDate: today\r\nSubject: one two\r\n"
		"Message-ID: <1@b>\r\n\r\n\r\nline\r\n\r\nother line\r\n",
		"From: a@b.test\r\nDate: today\r\nSubject: one two\r\n"
		"Message-ID: <1@b>\r\n\r\nline\r\n\r\nother line\r\nfoot\r\n",
		"From: a@b.test\r\nDate: today\r\nSubject: one two\r\n"
		"Message-ID: <1@b>\r\n\r\n",
		"",
	};

	for (size_t i = 0; i < array_size(others); i++) {
		assert_false(is_same(mail, others[i]));
		for (size_t k = 0; k < i; k++)
			assert_false(is_same(others[k], others[i]));
	}
	/* a field is no body */
	assert_false(is_same("A: b\r\n\r\nC: d\r\n", "A: b\r\nC: d\r\n"));
	assert_false(is_same("A: b\r\n\r\n", "\r\nA: b\r\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
