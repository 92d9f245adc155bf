/* Who wants less mail for some time, by what real systems say (blame.h). */
#include "wire/blame.h"

#include "base/test.h"

static bool throttles(enum smtp_verb verb, const char *said)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str wire = str_of(arena_printf(arena, "%s\r\n", said));
	struct reply r;
	size_t used;

	assert_int_equal(reply_parse(wire, arena, &r, &used), REPLY_WHOLE);
	return blame_throttles(verb, &r);
}

static void who_wants_less(void **unused)
{
	static const struct {
		enum smtp_verb verb;
		const char *said;
		bool throttles;
	} cases[] = {
		{ VERB_CONNECT,
		  "421 4.7.0 Try again later, closing connection.", true },
		{ VERB_DOT,
		  "421-4.7.28 Gmail has detected an unusual rate of "
		  "mail\r\n421 4.7.28 from your address",
		  true },
		{ VERB_MAIL,
		  "421 4.7.0 [TSS04] Messages from 192.0.2.1 "
		  "temporarily deferred due to user complaints",
		  true },
		{ VERB_CONNECT,
		  "421 4.7.1 [TS03] All messages from 192.0.2.1 "
		  "will be permanently deferred",
		  true },
		{ VERB_RCPT,
		  "451 4.7.500 Server busy. Please try again later "
		  "from [192.0.2.1]. (S77714)",
		  true },
		{ VERB_RCPT,
		  "451 4.7.650 The mail server has been temporarily "
		  "rate limited due to IP reputation",
		  true },
		{ VERB_MAIL, "450 4.7.1 Error: too much mail from 192.0.2.1",
		  true },
		{ VERB_CONNECT, "450 4.7.1 refused for now", true },
		/* about somebody, or for the first time */
		{ VERB_RCPT,
		  "450 4.2.1 The user you are trying to contact is "
		  "receiving mail too quickly",
		  false },
		{ VERB_RCPT,
		  "450 4.2.0 <x@b.test>: Recipient address "
		  "rejected: Greylisted",
		  false },
		{ VERB_RCPT, "451 4.7.1 Greylisting in action", false },
		{ VERB_MAIL, "451 4.7.1 Greylisting in action", false },
		{ VERB_DOT, "451 4.7.1 Try again later", false },
		{ VERB_RCPT,
		  "450 4.7.1 <x@b.test>: Recipient address "
		  "rejected: Access denied",
		  false },
		/* a limit of the connection, or the host's own trouble */
		{ VERB_CONNECT,
		  "421 4.7.0 too many connections from "
		  "192.0.2.1",
		  false },
		{ VERB_MAIL, "421 4.7.0 too many messages in this connection",
		  false },
		{ VERB_CONNECT, "421 4.3.2 shutting down", false },
		{ VERB_CONNECT, "421 service not available", false },
		{ VERB_MAIL, "451 4.7.0 TLS is required", false },
		/* for good */
		{ VERB_MAIL, "550 5.7.1 daily limit exceeded", false },
		{ VERB_MAIL, "250 2.1.0 rate limit is far", false },
	};

	for (size_t i = 0; i < array_size(cases); i++)
		if (throttles(cases[i].verb, cases[i].said) !=
		    cases[i].throttles)
			fail_msg("%s", cases[i].said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_wants_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
