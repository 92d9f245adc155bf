#include <errno.h>

#include "base/fail.h"
#include "base/test.h"

static enum fail_kind kind_of(int number)
{
	errno = number;
	fail_errno("write spool/x: %m");
	assert_int_equal(errno, number);
	add_cause("keep");
	return cause_kind();
}

static void no_room_is_a_kind(void **state)
{
	assert_int_equal(kind_of(ENOSPC), FAIL_NO_ROOM);
	assert_int_equal(kind_of(EDQUOT), FAIL_NO_ROOM);
	assert_int_equal(kind_of(EIO), FAIL_OTHER);
	assert_int_equal(kind_of(EACCES), FAIL_OTHER);
	assert_int_equal(kind_of(EROFS), FAIL_OTHER);
	assert_false(fail_kind(FAIL_NO_ROOM, "queue.db: %s", "full"));
	assert_string_equal(cause(), "queue.db: full");
	assert_int_equal(cause_kind(), FAIL_NO_ROOM);
}

/* Whatever the sentence says: a peer may have written part of it. */
static void the_sentence_does_not_decide(void **state)
{
	fail_kind(FAIL_NO_ROOM, "before");
	fail("a.example said: No space left on device, Disk quota exceeded, "
	     "no space");
	assert_int_equal(cause_kind(), FAIL_OTHER);
	errno = ENOSPC; /* of something else */
	fail("handshake with a.example");
	assert_int_equal(cause_kind(), FAIL_OTHER);
}

static void a_failure_is_carried(void **state)
{
	struct failure other = { .sentence = "" }, carried;

	fail_kind(FAIL_NO_ROOM, "write spool/x");
	failure_save(&carried);
	fail("remove spool/x");
	assert_int_equal(cause_kind(), FAIL_OTHER);
	assert_false(fail_again(&carried));
	assert_string_equal(cause(), "write spool/x");
	assert_int_equal(cause_kind(), FAIL_NO_ROOM);

	fail_use_slot(&other);
	assert_int_equal(cause_kind(), FAIL_OTHER);
	fail_again(&carried);
	fail_use_slot(NULL);
	fail("mine");
	assert_string_equal(other.sentence, "write spool/x");
	assert_int_equal(other.kind, FAIL_NO_ROOM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_room_is_a_kind),
		cmocka_unit_test(the_sentence_does_not_decide),
		cmocka_unit_test(a_failure_is_carried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
