/*
 * What a filter is told of a mail, and what it says (filter.h); over the kernel
 * and, in virtual time, over a world (rt/sim).
 */
#include "filter/filter_test_mail.h"

enum { SILENT_STEPS = 0xff080, KEEPS_BLANKS = 0x100000 };

/* ---- what it is told ---- */

static void in_one_go(struct mail *m)
{
	one_mail(m);
	check(m->at_end.action == FILTER_PASS);
	check(!(m->letter.is_changed));
	heard(m, m->scripts[0]->steps ? "OCHMRTLLNBEK" : "OCHMRTLLNBEQ");
	is(buf_str(&m->scripts[0]->fields), "Subject:hi\n there|X-A:1|");
	is(buf_str(&m->scripts[0]->body), BODY);
	has(&m->scripts[0]->macros, "{daemon_name}=mx.test|");
	has(&m->scripts[0]->macros, "i=id1|{mail_addr}=ann@a.test|");
	has(&m->scripts[0]->macros, "{rcpt_addr}=bob@b.test|");
	mail_end(m);
}

static void test_what_it_is_told(void **unused)
{
	struct script silent = { .steps = SILENT_STEPS }, talks = { 0 };

	play(&silent, NULL, in_one_go);
	play(&talks, NULL, in_one_go);
}

static void little(struct mail *m)
{
	one_mail(m);
	check(m->at_end.action == FILTER_PASS);
	heard(m, "OCMRLLNEQ");
	is(buf_str(&m->scripts[0]->fields), "Subject: hi\n there|X-A: 1|");
	mail_end(m);
}

static void test_what_it_does_without(void **unused)
{
	struct script s = { .steps = KEEPS_BLANKS | 0x212 };

	play(&s, NULL, little);
}

static void skipped(struct mail *m)
{
	one_mail(m);
	heard(m, "OCHMRTLNBEQ");
	mail_end(m);
}

static void test_what_it_has_heard_enough_of(void **unused)
{
	struct script s = { .rules = {
				    { 'L', SCRIPT_SAYS, { PACKET("s") } } } };

	play(&s, NULL, skipped);
}

static void passed_early(struct mail *m)
{
	one_mail(m);
	check(m->at_end.action == FILTER_PASS);
	heard(m, "OCHM");
	mail_end(m);
}

static void test_mail_that_it_lets_pass_early(void **unused)
{
	struct script s = { .rules = {
				    { 'M', SCRIPT_SAYS, { PACKET("a") } } } };

	play(&s, NULL, passed_early);
}

/* ---- what it says ---- */

static void refused(struct mail *m)
{
	one_mail(m);
	check(m->at_end.action == FILTER_REFUSE);
	check(m->at_end.reply.code == 554);
	is(m->at_end.filter, "first");
	check(!(m->letter.is_changed || m->letter.has_sender));
	mail_end(m);
}

static void test_changes_before_a_refusal_are_forgotten(void **unused)
{
	struct script s = { .rules = { { 'E',
					 SCRIPT_SAYS,
					 { PACKET("hX-Spam\0yes\0"),
					   PACKET("bnew\r\n"),
					   PACKET("e<x@y.test>\0"),
					   PACKET("y554 5.7.1 Spam\0") } } } };

	play(&s, NULL, refused);
}

static void refused_at_mail(struct mail *m)
{
	one_mail(m);
	check(m->at_mail.action == FILTER_REFUSE);
	check(m->at_mail.reply.code == 550);
	mail_end(m);
}

static void test_a_client_that_is_refused(void **unused)
{
	struct script s = { .rules = {
				    { 'C', SCRIPT_SAYS, { PACKET("r") } } } };

	play(&s, NULL, refused_at_mail);
}

static void greylisted(struct mail *m)
{
	one_mail(m);
	check(m->at_rcpt.action == FILTER_REFUSE);
	check(m->at_rcpt.reply.code == 451);
	m->scripts[0]->rules[0].conduct = SCRIPT_NONE;
	m->at_rcpt = filtering_rcpt(m->filtering, S("carl@b.test"));
	check(m->at_rcpt.action == FILTER_PASS);
	m->at_end = filtering_message(m->filtering, &m->letter);
	check(m->at_end.action == FILTER_PASS);
	mail_end(m);
}

static void test_one_recipient_that_is_refused(void **unused)
{
	struct script s = { .rules = {
				    { 'R', SCRIPT_SAYS, { PACKET("t") } } } };

	play(&s, NULL, greylisted);
}

static void discarded(struct mail *m)
{
	one_mail(m);
	check(m->at_rcpt.action == FILTER_PASS);
	check(m->at_end.action == FILTER_DISCARD);
	mail_end(m);
}

static void test_mail_that_is_to_vanish(void **unused)
{
	struct script early = {
		.rules = { { 'R', SCRIPT_SAYS, { PACKET("d") } } }
	};
	struct script late = {
		.rules = { { 'E', SCRIPT_SAYS, { PACKET("d") } } }
	};

	play(&early, NULL, discarded);
	play(&late, NULL, discarded);
}

static void changed(struct mail *m)
{
	const struct filter_letter *l = &m->letter;

	one_mail(m);
	check(m->at_end.action == FILTER_PASS);
	check(l->is_changed && l->has_sender);
	is(l->fields.before, "X-Top: 0\r\n");
	is(l->fields.behind, "X-B: 2\r\nSubject: other\r\nX-C: 3\r\n\t4\r\n");
	is(l->sender.sender.spelling, "new@a.test");
	check(l->n == 2);
	check(l->recipients[0].is_added && !l->recipients[1].is_added);
	is(l->recipients[0].wanted.recipient.spelling, "carl@b.test");
	is(l->held_why, "looks odd");
	is(buf_str(&m->message->body.memory), "new\r\nbody\r\nend\r\n");
	check(l->skip == 0);
	mail_end(m);
}

static void test_what_it_changes(void **unused)
{
	struct script s = {
		.rules = { { 'E',
			     SCRIPT_SAYS,
			     { PACKET("i\0\0\0\1X-B\0"
				      "2\0"),
			       PACKET("i\0\0\0\0X-Top\0"
				      "0\0"),
			       PACKET("m\0\0\0\1Subject\0other\0"),
			       PACKET("m\0\0\0\1X-A\0\0"),
			       PACKET("hX-C\0"
				      "3\n4\0"),
			       PACKET("+<carl@b.test>\0"),
			       PACKET("-<bob@b.test>\0"), PACKET("c") } },
			   { 'N', SCRIPT_NONE } },
	};
	struct script more = {
		.rules = { { 'E',
			     SCRIPT_SAYS,
			     { PACKET("bnew\nbody\r\n"), PACKET("bend"),
			       PACKET("e<new@a.test>\0"),
			       PACKET("qlooks odd\0"), PACKET("c") } } },
	};

	play(&s, &more, changed);
}

static void seen_by_the_second(struct mail *m)
{
	one_mail(m);
	is(buf_str(&m->scripts[1]->fields),
	   "X-First:1|Subject:hi\n there|X-A:1|");
	is(buf_str(&m->scripts[1]->body), "new\r\n");
	is(m->letter.fields.behind, "X-First: 1\r\n" HEADER "X-Second: 2\r\n");
	mail_end(m);
}

static void test_the_next_one_sees_what_was_changed(void **unused)
{
	struct script first = {
		.rules = { { 'E',
			     SCRIPT_SAYS,
			     { PACKET("i\0\0\0\1X-First\0"
				      "1\0"),
			       PACKET("bnew\r\n"), PACKET("a") } } },
	};
	struct script second = {
		.rules = { { 'E',
			     SCRIPT_SAYS,
			     { PACKET("hX-Second\0"
				      "2\0"),
			       PACKET("c") } } },
	};

	play(&first, &second, seen_by_the_second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_it_is_told),
		cmocka_unit_test(test_what_it_does_without),
		cmocka_unit_test(test_what_it_has_heard_enough_of),
		cmocka_unit_test(test_mail_that_it_lets_pass_early),
		cmocka_unit_test(test_changes_before_a_refusal_are_forgotten),
		cmocka_unit_test(test_a_client_that_is_refused),
		cmocka_unit_test(test_one_recipient_that_is_refused),
		cmocka_unit_test(test_mail_that_is_to_vanish),
		cmocka_unit_test(test_what_it_changes),
		cmocka_unit_test(test_the_next_one_sees_what_was_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
