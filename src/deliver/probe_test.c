/* Asking other systems: what they do to questions, and who waits for what. */
#include <stdio.h>

#include "base/limits.h"
#include "base/test.h"
#include "deliver/deliver_test_world.h"
#include "route/allowance.h"
#include "route/verify.h"
#include "rt/log.h"

/* Somebody else than the tests' client, whom nobody has refused. */
static const struct inet guesser = {
	.ip = { [10] = 0xff, 0xff, 192, 0, 2, 1 }
};

static void probe_for(struct world *w, const char *address,
		      const struct inet *client)
{
	struct leg leg = { .kind = LEG_SYSTEM,
			   .address = str_of(address),
			   .system = w->sys_a };

	deliver_probe(w->deliver, &leg, str_of(address), client);
}

static void probe(struct world *w, const char *address)
{
	probe_for(w, address, NULL);
}

static struct finding finding(struct world *w, const char *address,
			      char text[100])
{
	struct arena *a = arena_open();
	struct finding f =
		verify_find(w->verification, S("system A"), str_of(address), a);

	if (text)
		snprintf(text, 100, "%d %.*s", f.reply.code, STR(f.reply.text));
	arena_close(a);
	return f;
}

static enum verdict found(struct world *w, const char *address)
{
	return finding(w, address, NULL).verdict;
}

#define is_found(w, address, want) \
	wrong_unless((w), found((w), (address)) == VERDICT_##want)

/* A client of his own, in a fiber. */
struct client {
	struct world *w;
	char address[40];
	const struct inet *at;
	bool is_back;
};

static void client_main(void *arg)
{
	struct client *c = arg;

	probe_for(c->w, c->address, c->at);
	c->is_back = true;
}

static void client_asks(struct client *c, struct world *w, const char *address,
			const struct inet *at)
{
	*c = (struct client){ .w = w, .at = at };
	snprintf(c->address, sizeof c->address, "%s", address);
	check(fiber_start("client", client_main, c));
}

/* ---- a mail is a question, too ---- */

static void a_loop_is_of_one_mail(struct world *w)
{
	w->a.rcpt = "550 5.4.6 mail loop";
	says(w, submit(w, "s@x.test", "bob@a.test"), "550");
	is_found(w, "bob@a.test", NOT_ASKED);
	w->a.rcpt = "550 5.1.1 nobody";
	says(w, submit(w, "s@x.test", "bob@a.test"), "550");
	is_found(w, "bob@a.test", NO);
}

/* ---- one question ---- */

static void is_asked(struct world *w)
{
	probe(w, "bob@a.test");
	is_found(w, "bob@a.test", YES);
	probe(w, "nobody@a.test");
	is_found(w, "nobody@a.test", NO);
	wrong_unless(w, w->a.connections == 1 && w->a.rcpts == 2);
	says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	wrong_unless(w, w->a.connections == 1 && w->a.probes == 2);
}

static void is_asked_in_lockstep(struct world *w)
{
	w->a.caps = "HELP";
	probe(w, "bob@a.test");
	probe(w, "nobody@a.test");
	is_found(w, "bob@a.test", YES);
	is_found(w, "nobody@a.test", NO);
	/* the second need not wait for the first one's RSET */
	wrong_unless(w, w->a.connections <= 2);
}

static void minds_the_null_sender(struct world *w)
{
	w->a.null_sender = "553 5.1.8 no null sender";
	probe(w, "bob@a.test");
	probe(w, "nobody@a.test");
	is_found(w, "bob@a.test", YES);
	is_found(w, "nobody@a.test", NO);
	w->a.mail = "550 5.7.1 go away";
	probe(w, "eve@a.test");
	is_found(w, "eve@a.test", TROUBLE);
}

static void says_its_words(struct world *w)
{
	char text[100];

	w->a.rcpt = "451 4.7.1 greylisted, come back";
	probe(w, "bob@a.test");
	is_found(w, "bob@a.test", TROUBLE);
	finding(w, "bob@a.test", text);
	wrong_unless(w, !strcmp(text, "451 greylisted, come back"));
	is_found(w, "eve@a.test", NOT_ASKED);
	w->a.rcpt = "550 5.7.1 relaying denied for you";
	probe(w, "eve@a.test"); /* about us, not about eve */
	is_found(w, "eve@a.test", TROUBLE);
	finding(w, "eve@a.test", text);
	wrong_unless(w, !strcmp(text, "550 relaying denied for you"));
}

static void nobody_is_there(struct world *w)
{
	w->sys_a.hosts = S("127.0.0.1:1");
	probe(w, "bob@a.test");
	is_found(w, "bob@a.test", DOWN);
	is_found(w, "eve@a.test", DOWN);
}

static void everybody_is_sent_away(struct world *w)
{
	char text[100];

	w->a.greeting = "421 4.3.2 closed for lunch";
	probe(w, "bob@a.test");
	is_found(w, "eve@a.test", DOWN);
	finding(w, "eve@a.test", text);
	wrong_unless(w, !strcmp(text, "421 closed for lunch"));
}

/* However often it was asked in vain. */
static void is_asked_when_it_is_back(struct world *w)
{
	char address[40];

	w->settings.probe_wait_ms = 3000;
	w->a.greeting = "421 4.3.2 closed for lunch";
	for (int i = 0; i < 2 * LIMIT_PER_HOP; i++) {
		snprintf(address, sizeof address, "u%d@a.test", i);
		probe(w, address);
		is_found(w, address, DOWN);
	}
	w->a.greeting = NULL;
	probe(w, "bob@a.test");
	is_found(w, "bob@a.test", YES);
}

static void set_hosts(struct world *w, const char *first, const char *second)
{
	static char hosts[160];

	snprintf(hosts, sizeof hosts, "%s %s", first, second);
	w->sys_a.hosts = str_of(hosts);
}

static void the_other_host_knows(struct world *w)
{
	set_hosts(w, "127.0.0.1:1", w->hosts_a);
	probe(w, "bob@a.test");
	probe(w, "nobody@a.test");
	is_found(w, "bob@a.test", YES);
	is_found(w, "nobody@a.test", NO);
}

/* ...and in time for who asks. */
static void the_first_host_is_silent(struct world *w)
{
	set_hosts(w, w->hosts_a, w->hosts_b);
	w->a.rcpt_ms = 10 * LIMIT_PROBE_WAIT_MS;
	probe(w, "bob@a.test");
	is_found(w, "bob@a.test", YES);
	w->a.rcpt_ms = 0;
}

/* ---- what gets lost ---- */

/* The connection dies at its second MAIL, and so each time. */
static void closed_without_a_word(struct world *w)
{
	w->a.drop_at_mail = 2;
	probe(w, "u1@a.test");
	probe(w, "u2@a.test");
	probe(w, "nobody@a.test");
	is_found(w, "u1@a.test", YES);
	is_found(w, "u2@a.test", YES);
	is_found(w, "nobody@a.test", NO);
	wrong_unless(w, w->a.connections == 3);
}

/* A fresh one, too: that is said of this address alone. */
static void closed_each_time(struct world *w)
{
	w->a.drop_at_mail = 1;
	probe(w, "bob@a.test");
	is_found(w, "bob@a.test", TROUBLE);
	is_found(w, "eve@a.test", NOT_ASKED);
}

static void too_many_errors(struct world *w)
{
	char address[40], text[100];

	w->a.most_refused = 1;
	for (int i = 0; i < 12; i++) {
		snprintf(address, sizeof address, "no%d@a.test", i);
		probe(w, address);
		is_found(w, address, NO);
		snprintf(address, sizeof address, "u%d@a.test", i);
		probe(w, address);
		is_found(w, address, YES);
	}
	w->a.rcpt = "421 4.7.0 too many errors";
	probe(w, "last@a.test");
	is_found(w, "last@a.test", TROUBLE);
	finding(w, "last@a.test", text);
	wrong_unless(w, !strcmp(text, "421 too many errors"));
	is_found(w, "other@a.test", NOT_ASKED);
}

static void reset_is_minded(struct world *w)
{
	int64_t began_ms = now_ms();

	w->a.reset = "421 4.7.0 too many errors";
	probe(w, "u1@a.test");
	probe(w, "nobody@a.test");
	is_found(w, "u1@a.test", YES);
	is_found(w, "nobody@a.test", NO);
	w->a.reset = ""; /* the answer does not wait for that of RSET */
	probe(w, "u2@a.test");
	is_found(w, "u2@a.test", YES);
	wrong_unless(w, now_ms() - began_ms < 60000);
}

/* ---- thrift ---- */

static void gives_up_before_it_is_minded(struct world *w)
{
	char address[40];
	int opened;

	w->a.most_refused = LIMIT_REFUSALS_PER_LINE;
	for (int i = 0; i < 3 * LIMIT_REFUSALS_PER_LINE; i++) {
		snprintf(address, sizeof address, "no%d@a.test", i);
		probe(w, address);
		is_found(w, address, NO);
	}
	/* none was turned away, so none had to ask twice */
	wrong_unless(w, w->a.rcpts == 3 * LIMIT_REFUSALS_PER_LINE);
	opened = w->a.connections;
	for (int i = 0; i < 3 * LIMIT_PROBES_PER_LINE; i++) {
		snprintf(address, sizeof address, "u%d@a.test", i);
		probe(w, address);
		is_found(w, address, YES);
	}
	wrong_unless(w, w->a.most_asked <= LIMIT_PROBES_PER_LINE);
	wrong_unless(w, w->a.connections <= opened + 4);
}

/* However it shows that it does, and whoever guesses: less than it minds. */
static void it_bans(struct world *w, const char *greeting, const char *refusal)
{
	struct inet client = guesser;
	char address[40];
	int refused = 0;

	w->a.greeting = greeting;
	w->a.rcpt = refusal;
	for (int i = 0; i < 5 * LIMIT_REFUSALS_A_DAY; i++) {
		client.ip[15] = (uint8_t)i;
		snprintf(address, sizeof address, "no%d@a.test", i);
		probe_for(w, address, &client);
		refused += found(w, address) == VERDICT_NO;
	}
	wrong_unless(w, refused > 0 && refused == w->a.rcpts);
	wrong_unless(w, refused <= LIMIT_REFUSALS_A_DAY);
	wrong_unless(w, allowance_day_is_spent(w->router.allowance,
					       S("system A"), NULL));
}

static void says_its_name(struct world *w)
{
	it_bans(w, "220 hop Stalwart ESMTP at your service", NULL);
}

static void refuses_in_its_way(struct world *w)
{
	it_bans(w, NULL, "550 5.1.2 Mailbox does not exist.");
}

static void says_that_it_bans(struct world *w)
{
	w->a.rcpt = "421 4.7.0 too many unknown recipients, go away";
	probe(w, "nobody@a.test");
	is_found(w, "nobody@a.test", TROUBLE);
	wrong_unless(w, allowance_day_is_spent(w->router.allowance,
					       S("system A"), NULL));
	w->a.rcpt = NULL;
	w->a.rcpts = 0;
	probe(w, "eve@a.test");
	is_found(w, "eve@a.test", NOT_ASKED);
	says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	is_found(w, "bob@a.test", YES);
}

/* A whole mail makes good for what was asked. */
static void a_mail_makes_good(struct world *w)
{
	char address[40];

	for (int i = 0; i < 10 * LIMIT_REFUSALS_PER_LINE; i++) {
		snprintf(address, sizeof address, "no%d@a.test", i);
		probe(w, address);
		if (i % LIMIT_REFUSALS_PER_LINE != LIMIT_REFUSALS_PER_LINE - 1)
			says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	}
	wrong_unless(w, LIMIT_REFUSALS_PER_LINE < 2 || w->a.connections < 12);
}

/* The first of them is uFROM. */
static void confirms(struct world *w, int from, int n)
{
	char address[40];

	for (int i = from; i < from + n; i++) {
		snprintf(address, sizeof address, "u%d@a.test", i);
		probe(w, address);
		is_found(w, address, YES);
	}
}

/* Asked for one that is made up, once, when the answer is told. */
static void everybody_is_confirmed(struct world *w)
{
	confirms(w, 0, LIMIT_UNPROVED);
	wait_for(w, w->a.rcpts == LIMIT_UNPROVED + 1);
	confirms(w, LIMIT_UNPROVED, 3 * LIMIT_UNPROVED);
	wrong_unless(w, w->a.rcpts == 4 * LIMIT_UNPROVED + 1);
	wrong_unless(w, finding(w, "u1@a.test", NULL).once_confirmed);
}

static void everything_is_accepted(struct world *w)
{
	w->a.rcpt = "250 2.1.5 whoever that is";
	confirms(w, 0, LIMIT_UNPROVED);
	wait_for(w, w->a.rcpts == LIMIT_UNPROVED + 1);
	wait_for(w, !finding(w, "u1@a.test", NULL).once_confirmed);
	is_found(w, "u1@a.test", YES);
	confirms(w, LIMIT_UNPROVED, 3 * LIMIT_UNPROVED);
	wrong_unless(w, w->a.rcpts == 4 * LIMIT_UNPROVED + 1);
	wrong_unless(w, !finding(w, "u29@a.test", NULL).once_confirmed);
}

/* ---- who waits ---- */

static void outlives_the_client(struct world *w)
{
	w->settings.probe_wait_ms = 30;
	w->a.rcpt_ms = 300;
	probe(w, "bob@a.test");
	is_found(w, "bob@a.test", NOT_ASKED);
	wait_for(w, found(w, "bob@a.test") == VERDICT_YES);
	wrong_unless(w, w->a.rcpts == 1);
}

/* Our question can come back when RCPT was said, not while we are greeted. */
static void may_come_back_when_it_was_said(struct world *w)
{
	struct client c;

	w->a.greeting_ms = 200;
	w->a.rcpt_ms = 200;
	client_asks(&c, w, "bob@a.test", NULL);
	fiber_sleep(after_ms(50));
	wrong_unless(w, finding(w, "bob@a.test", NULL).is_asked_now);
	wrong_unless(w, !finding(w, "bob@a.test", NULL).may_come_back);
	wait_for(w, finding(w, "bob@a.test", NULL).may_come_back);
	wait_for(w, c.is_back);
	wrong_unless(w, !finding(w, "bob@a.test", NULL).may_come_back);
}

static void many_share_one_question(struct world *w)
{
	struct client c[20];

	w->a.rcpt_ms = 100;
	for (size_t i = 0; i < array_size(c); i++)
		client_asks(&c[i], w, "bob@a.test", NULL);
	for (size_t i = 0; i < array_size(c); i++)
		wait_for(w, c[i].is_back);
	is_found(w, "bob@a.test", YES);
	wrong_unless(w, w->a.rcpts == 1);
}

static bool all_are_back(const struct client *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!c[i].is_back)
			return false;
	return true;
}

static bool was_refused(struct world *w)
{
	return allowance_look(w->router.allowance, S("system A"), &guesser)
		.was_refused;
}

/* What is said of us, or that it takes time, is no word about the address. */
static void who_is_greylisted_is_no_guesser(struct world *w)
{
	static const char *const answers[] = {
		"451 4.7.1 greylisted, come back", "452 4.2.2 Greylisted",
		"421 4.7.0 too many errors",       "550 5.7.1 relaying denied",
		"554 5.7.1 blocked using a list",
	};
	char address[40];

	for (size_t i = 0; i < array_size(answers); i++) {
		w->a.rcpt = answers[i];
		snprintf(address, sizeof address, "u%zu@a.test", i);
		probe_for(w, address, &guesser);
		is_found(w, address, TROUBLE);
		wrong_unless(w, !was_refused(w));
	}
	w->a.rcpt = NULL;
	probe_for(w, "nobody@a.test", &guesser);
	is_found(w, "nobody@a.test", NO);
	wrong_unless(w, was_refused(w));
}

/* He has an answer all the same, and others need not wait for that. */
static void who_has_spent_his_waits(struct world *w)
{
	struct client spent, other;
	int64_t began_ms = now_ms(), pause_ms;

	for (int i = 0; i < LIMIT_REFUSALS_OF_CLIENT + 4; i++) {
		allowance_begin(w->router.allowance, &guesser);
		allowance_end(w->router.allowance, S("system C"), &guesser,
			      true);
	}
	pause_ms = allowance_look(w->router.allowance, S("system A"), &guesser)
			   .pause_ms;
	wrong_unless(w, pause_ms >= 4LL * LIMIT_PAUSE_STEP_MS);
	client_asks(&spent, w, "bob@a.test", &guesser);
	client_asks(&other, w, "eve@a.test", NULL);
	wait_for(w, other.is_back);
	wrong_unless(w, !spent.is_back);
	is_found(w, "eve@a.test", YES);
	wait_for(w, spent.is_back);
	is_found(w, "bob@a.test", YES);
	wrong_unless(w, now_ms() - began_ms >= pause_ms);
	/* what is known by the time he has waited is not asked again */
	client_asks(&spent, w, "kim@a.test", &guesser);
	probe(w, "kim@a.test");
	wait_for(w, spent.is_back);
	wrong_unless(w, w->a.rcpts == 3);
}

/* More than may be asked at once, of all urgencies: each has his turn. */
static void all_have_their_turn(struct world *w)
{
	static struct client c[200];
	struct leg leg = { .kind = LEG_SYSTEM, .system = w->sys_a };
	char address[40];

	w->settings.probe_later_ms = 1;
	w->a.rcpt_ms = 2;
	for (size_t i = 0; i < array_size(c); i++) {
		snprintf(address, sizeof address, "u%zu@a.test", i / 2);
		client_asks(&c[i], w, address, i % 3 ? &guesser : NULL);
		snprintf(address, sizeof address, "later%zu@a.test", i % 20);
		leg.address = str_of(address);
		deliver_probe_later(w->deliver, &leg, leg.address);
	}
	wait_for(w, all_are_back(c, array_size(c)));
	wait_for(w, w->a.rcpts >= (int)array_size(c) / 2 + 20);
}

/* One who asks for many at once waits; others find their way past him. */
static void who_guesses_waits(struct world *w)
{
	struct client c[40], other, same;
	char address[40];

	w->a.rcpt_ms = 100;
	for (size_t i = 0; i < array_size(c); i++) {
		snprintf(address, sizeof address, "no%zu@a.test", i);
		client_asks(&c[i], w, address, &guesser);
	}
	fiber_sleep(after_ms(20));
	client_asks(&other, w, "bob@a.test", NULL);
	client_asks(&same, w, "no39@a.test", NULL);
	wait_for(w, other.is_back && same.is_back);
	is_found(w, "bob@a.test", YES);
	is_found(w, "no39@a.test", NO);
	wrong_unless(w, !all_are_back(c, array_size(c)));
	wait_for(w, all_are_back(c, array_size(c)));
	wrong_unless(w, was_refused(w));
	wrong_unless(w, w->a.rcpts == array_size(c) + 1);
}

static void is_asked_later(struct world *w)
{
	struct leg leg = { .kind = LEG_SYSTEM,
			   .address = S("bob@a.test"),
			   .system = w->sys_a };

	w->settings.probe_later_ms = 100;
	deliver_probe_later(w->deliver, &leg, leg.address);
	deliver_probe_later(w->deliver, &leg, leg.address);
	wrong_unless(w, w->a.rcpts == 0);
	wait_for(w, found(w, "bob@a.test") == VERDICT_YES);
	wrong_unless(w, w->a.rcpts == 1);
	/* mail has told us by then */
	w->settings.probe_later_ms = 2000;
	leg.address = S("eve@a.test");
	deliver_probe_later(w->deliver, &leg, leg.address);
	says(w, submit(w, "s@x.test", "eve@a.test"), "250");
	is_found(w, "eve@a.test", YES);
	fiber_sleep(after_ms(2200));
	wrong_unless(w, w->a.rcpts == 2);
}

static void a_stop_ends_all_questions(struct world *w)
{
	struct client c[30];
	struct leg leg = { .kind = LEG_SYSTEM,
			   .address = S("later@a.test"),
			   .system = w->sys_a };
	char address[40];

	w->a.rcpt_ms = 3000;
	for (size_t i = 0; i < array_size(c); i++) {
		snprintf(address, sizeof address, "u%zu@a.test", i);
		client_asks(&c[i], w, address, i % 2 ? &guesser : NULL);
	}
	deliver_probe_later(w->deliver, &leg, leg.address);
	fiber_sleep(after_ms(50));
	deliver_stop(w->deliver);
	probe(w, "late@a.test");
	wait_for(w, all_are_back(c, array_size(c)));
	is_found(w, "u1@a.test", NOT_ASKED);
	is_found(w, "late@a.test", NOT_ASKED);
}

/* clang-format off */
#define TESTS(T) \
	T(a_loop_is_of_one_mail) T(is_asked) T(is_asked_in_lockstep) \
	T(minds_the_null_sender) T(says_its_words) T(nobody_is_there) \
	T(everybody_is_sent_away) T(is_asked_when_it_is_back) \
	T(the_other_host_knows) T(the_first_host_is_silent) T(closed_without_a_word) \
	T(closed_each_time) T(too_many_errors) T(reset_is_minded) \
	T(everybody_is_confirmed) T(everything_is_accepted) T(says_its_name) \
	T(refuses_in_its_way) T(says_that_it_bans) T(gives_up_before_it_is_minded) \
	T(a_mail_makes_good) T(may_come_back_when_it_was_said) \
	T(outlives_the_client) T(many_share_one_question) T(who_guesses_waits) \
	T(who_is_greylisted_is_no_guesser) T(who_has_spent_his_waits) \
	T(all_have_their_turn) T(is_asked_later) T(a_stop_ends_all_questions)
/* clang-format on */

WORLD_TESTS(TESTS)
