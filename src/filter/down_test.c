/*
 * Filters that die, lie, are slow or not there; and mail after mail.  As
 * filter_test.c, twice.
 */
#include "filter/filter_test_mail.h"

enum { SILENT_STEPS = 0xff080 };

/* ---- one that is down ---- */

static void expect_down(struct mail *m, enum filter_down down)
{
	struct filter_verdict v = m->at_mail.action   ? m->at_mail
				  : m->at_rcpt.action ? m->at_rcpt
						      : m->at_end;

	if (down == FILTER_DOWN_LATER) {
		check(v.action == FILTER_REFUSE);
		check(v.reply.code == 451);
		check(v.is_down);
		return;
	}
	check(v.action == FILTER_PASS);
	check(!(m->letter.is_changed));
	check((m->letter.held_by.n > 0) == (down == FILTER_DOWN_HOLD));
	is(buf_str(&m->message->body.memory), HEADER "\r\n" BODY);
}

/* With each of what its administrator may want; and the next mail is none the
 * worse for it. */
static void each_policy(struct mail *m)
{
	struct script_rule rule = m->scripts[0]->rules[0];

	for (int down = FILTER_DOWN_LATER; down <= FILTER_DOWN_HOLD; down++) {
		m->scripts[0]->rules[0] = rule;
		m->list[0].when_down = (enum filter_down)down;
		one_mail(m);
		expect_down(m, m->list[0].when_down);
		mail_end(m);
	}
	m->scripts[0]->rules[0].conduct = SCRIPT_NONE;
	one_mail(m);
	check(m->at_end.action == FILTER_PASS);
	check(m->letter.held_by.n == 0);
	mail_end(m);
}

static void at_each_step(enum script_conduct conduct, uint32_t flags)
{
	const char steps[] = "OCHMRTLNBE";

	for (size_t i = 0; steps[i]; i++) {
		struct script s = { .steps = flags,
				    .rules = { { steps[i], conduct } } };

		play(&s, NULL, each_policy);
	}
}

static void test_it_dies(void **unused)
{
	at_each_step(SCRIPT_CLOSES, 0);
	at_each_step(SCRIPT_CLOSES, SILENT_STEPS);
}

static void test_it_lies(void **unused)
{
	at_each_step(SCRIPT_LIES, 0);
}

static void after_changes(struct mail *m)
{
	each_policy(m);
}

static void test_it_says_what_cannot_be(void **unused)
{
	static const struct script_packet lies[] = {
		PACKET("hX\nBcc\0x\0"),
		PACKET("h"),
		PACKET("O\0\0\0\6"),
		PACKET("y250 2.0.0 fine\0"),
		PACKET("+not\r\nan\0"),
		PACKET("cc"),
		PACKET("O\0\0\0\6\0\0\0\0\0\0\0\0"),
	};

	for (size_t i = 0; i < array_size(lies); i++) {
		struct script s = {
			.rules = { { 'E',
				     SCRIPT_SAYS,
				     { PACKET("hX-A\0b\0"), PACKET("bnew\r\n"),
				       PACKET("e<x@y.test>\0"),
				       PACKET("qodd\0"), lies[i] } } },
		};

		play(&s, NULL, after_changes);
	}
}

static void test_it_never_ends(void **unused)
{
	static const struct script_packet endless[] = {
		PACKET("hX-A\0b\0"),
		PACKET("e<x@y.test>\0"),
		PACKET("+<x@y.test>\0"),
		PACKET("qodd\0"),
	};

	for (size_t i = 0; i < array_size(endless); i++) {
		struct script s = {
			.rules = { { 'E', SCRIPT_FLOODS, { endless[i] } } },
		};

		play(&s, NULL, each_policy);
	}
}

static void out_of_place(struct mail *m)
{
	one_mail(m);
	check(m->at_rcpt.action == FILTER_REFUSE);
	check(m->at_rcpt.is_down);
	mail_end(m);
}

static void test_a_change_out_of_place(void **unused)
{
	struct script s = {
		.rules = { { 'R',
			     SCRIPT_SAYS,
			     { PACKET("hX-A\0b\0"), PACKET("c") } } }
	};

	play(&s, NULL, out_of_place);
}

static void down_for_the_mail(struct mail *m)
{
	one_mail(m);
	m->scripts[0]->rules[0].conduct = SCRIPT_NONE;
	for (int i = 0; i < 3; i++)
		check(filtering_rcpt(m->filtering, S("x@b.test")).is_down);
	check(filtering_message(m->filtering, &m->letter).is_down);
	check(m->scripts[0]->connections == 1);
	mail_end(m);
}

static void test_it_is_not_tried_again_for_a_mail(void **unused)
{
	struct script s = { .rules = { { 'R', SCRIPT_CLOSES } } };

	play(&s, NULL, down_for_the_mail);
}

static void nobody_there(struct mail *m)
{
	listener_close(m->scripts[0]->listener);
	one_mail(m);
	check(m->at_mail.is_down);
	mail_end(m);
	script_open(m->scripts[0]);
	one_mail(m);
	check(m->at_end.action == FILTER_PASS);
	heard(m, "OCHMRTLLNBEQ");
	mail_end(m);
}

static void test_it_is_not_there(void **unused)
{
	struct script s = { 0 };

	play(&s, NULL, nobody_there);
}

/* ---- time ---- */

static void slow(struct mail *m)
{
	int64_t begun_ms = now_ms();

	one_mail(m);
	expect_down(m, FILTER_DOWN_LATER);
	check(now_ms() - begun_ms >= 900);
	mail_end(m);
}

static void test_it_is_slow(void **unused)
{
	const char steps[] = "RE";

	for (size_t i = 0; steps[i]; i++) {
		struct script s = { .rules = { { steps[i], SCRIPT_SLEEPS } } };

		play(&s, NULL, slow);
	}
}

static void waited_for_once(struct mail *m)
{
	int64_t begun_ms;

	slow(m);
	begun_ms = now_ms();
	one_mail(m);
	check(m->at_mail.is_down);
	check(now_ms() - begun_ms < 500);
	check(m->scripts[0]->connections == 1);
	mail_end(m);
}

static void test_it_lets_one_mail_wait(void **unused)
{
	struct script s = { .rules = { { 'O', SCRIPT_SLEEPS } } };

	play(&s, NULL, waited_for_once);
}

static void laboured(struct mail *m)
{
	one_mail(m);
	check(m->at_end.action == FILTER_PASS);
	check(filtering_ms(m->filtering) >= 1000);
	mail_end(m);
}

static void test_it_says_that_it_takes_longer(void **unused)
{
	struct script s = { .rules = { { 'E', SCRIPT_LABOURS } } };

	play(&s, NULL, laboured);
}

/* ---- mail after mail ---- */

static void two_mails(struct mail *m)
{
	for (int i = 0; i < 2; i++) {
		one_mail(m);
		check(m->at_end.action == FILTER_PASS);
		mail_end(m);
		fiber_sleep(after_ms(50));
	}
}

static void on_one_connection(struct mail *m)
{
	two_mails(m);
	check(m->scripts[0]->connections == 1);
	heard(m, "OCHMRTLLNBEKOCHMRTLLNBEK");
}

static void on_two_connections(struct mail *m)
{
	two_mails(m);
	check(m->scripts[0]->connections == 2);
}

static void test_mail_after_mail(void **unused)
{
	struct script stays = { .steps = 0xff080 },
		      leaves = { .steps = 0xff080, .leaves = true },
		      answers = { 0 }, old = { .version = 2, .steps = 0x1 };

	play(&stays, NULL, on_one_connection);
	play(&leaves, NULL, on_two_connections);
	play(&answers, NULL, on_two_connections);
	play(&old, NULL, on_two_connections);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_dies),
		cmocka_unit_test(test_it_lies),
		cmocka_unit_test(test_it_says_what_cannot_be),
		cmocka_unit_test(test_it_never_ends),
		cmocka_unit_test(test_a_change_out_of_place),
		cmocka_unit_test(test_it_is_not_tried_again_for_a_mail),
		cmocka_unit_test(test_it_is_not_there),
		cmocka_unit_test(test_it_is_slow),
		cmocka_unit_test(test_it_lets_one_mail_wait),
		cmocka_unit_test(test_it_says_that_it_takes_longer),
		cmocka_unit_test(test_mail_after_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
