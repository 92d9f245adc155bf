/*
 * Handed over or kept: each test is one behaviour of a next hop and what the
 * client, the queue and the hop see of it.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/test.h"
#include "deliver/deliver_test_world.h"
#include "rt/ledger.h"

/* ---- handed over ---- */

static void passes_through(struct world *w)
{
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0");
	wrong_unless(w, w->a.n_mails == 1);
	wrong_unless(w, is_content(&w->a, CONTENT));
	wrong_unless(w, strstr(w->a.mails->mail, "MAIL FROM:<s@x.test> SIZE="));
	wrong_unless(w, !strcmp(w->a.mails->rcpts, "RCPT TO:<bob@a.test>\n"));
	wrong_unless(w, queued(w, NULL, 0) == 0);

	says(w, submit(w, "s@x.test", "eve@a.test bob@a.test"), "250");
	wrong_unless(w, w->a.connections == 1);
	wrong_unless(w, !strcmp(w->a.mails->rcpts, "RCPT TO:<eve@a.test>\n"
						   "RCPT TO:<bob@a.test>\n"));
	wrong_unless(w, w->askers_read == 0);
}

static void goes_without_extensions(struct world *w)
{
	w->a.caps = "HELP";
	says(w, submit(w, "s@x.test", "bob@a.test nobody@a.test"), "250");
	wrong_unless(w, is_content(&w->a, CONTENT));
	wrong_unless(w, !strcmp(w->a.mails->mail, "MAIL FROM:<s@x.test>"));
}

static void greets_the_old_way(struct world *w)
{
	w->a.ehlo = "502 5.5.1 what?";
	says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	wrong_unless(w, is_content(&w->a, CONTENT));
}

static void sends_in_one_go(struct world *w)
{
	w->a.caps = "PIPELINING CHUNKING 8BITMIME";
	says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	wrong_unless(w, !w->a.mails->by_bdat);
	says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	wrong_unless(w, w->a.mails->by_bdat);
	wrong_unless(w, is_content(&w->a, CONTENT));
	says(w, submit(w, "s@x.test", "nobody@a.test"), "550 5.1.1");
	wrong_unless(w, w->a.n_mails == 2 && w->a.connections == 1);
	says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	wrong_unless(w, w->a.n_mails == 3 && w->a.connections == 2);
}

static void large_body_is_streamed(struct world *w)
{
	struct buf whole scoped(buf) = BUF_EMPTY;

	buf_add(&w->large, S("Subject: large\r\n\r\n"));
	while (w->large.n < 1000000)
		buf_printf(&w->large, ".line %zu\r\n..\r\n", w->large.n);
	buf_printf(&whole, "Received: from x by here\r\n%.*s",
		   STR(buf_str(&w->large)));
	says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	wrong_unless(w, w->a.mails && str_same(buf_str(&w->a.mails->content),
					       buf_str(&whole)));
}

static void trail_goes_along(struct world *w)
{
	w->sender_trail = S("0123456789abcdef:AAAABBBBCCCCDDDD");
	w->a.caps = "PIPELINING XTRAIL";
	says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	wrong_unless(w, strstr(w->a.mails->rcpts,
			       " XTRAIL=0123456789abcdef:AAAABBBBCCCCDDDD\n"));
	wrong_unless(
		w, str_starts(buf_str(&w->a.mails->content),
			      S("Received: from x by here\r\nSplitmail-Trail: "
				"0123456789abcdef:AAAABBBBCCCCDDDD\r\n"
				"Subject: ")));
	says(w, submit(w, "s@x.test", "bob@box.test"), "250");
	wrong_unless(w, is_content(&w->box, CONTENT));
}

static void many_recipients_go_in_parts(struct world *w)
{
	struct buf all scoped(buf) = BUF_EMPTY;

	for (int i = 0; i < 150; i++)
		buf_printf(&all, "%sr%d@a.test", i ? " " : "", i);
	buf_add_char(&all, '\0');
	says(w, submit(w, "s@x.test", all.p), "250");
	wrong_unless(w, w->a.n_mails == 2 && w->a.connections == 1);
}

/* RFC 9422: what the host says of itself is kept to, and nothing is tried in
 * vain to find it. */
static void limits_told_beforehand_are_kept(struct world *w)
{
	w->a.caps = "PIPELINING LIMITS+MAILMAX=2+RCPTMAX=3+RCPTDOMAINMAX=1";
	says(w,
	     submit(w, "s@x.test",
		    "a@a.test b@b.a.test c@a.test d@b.a.test e@a.test f@a.test"),
	     "250 2.0.0 Ok: handed over");
	wrong_unless(w, w->a.n_mails == 3 && w->a.connections == 2);
	wrong_unless(w, w->a.most_asked == 2 && w->a.rcpts == 6);
	for (const struct hop_mail *m = w->a.mails; m; m = m->next)
		wrong_unless(w, !strstr(m->rcpts, "@a.test") ||
					!strstr(m->rcpts, "@b.a.test"));
}

static void mailbox_gets_it_once(struct world *w)
{
	w->members = "alice@box.test carl@a.test alice+y@box.test carl@a.test";
	says(w,
	     submit(w, "s@x.test",
		    "group@box.test alice@box.test alice+x@box.test"),
	     "250");
	wrong_unless(w, w->box.n_mails == 1 && w->a.n_mails == 1);
	wrong_unless(
		w,
		!strcmp(w->box.mails->rcpts,
			"RCPT TO:<alice@box.test> ORCPT=rfc822;alice@box.test\n"));
	wrong_unless(w, !strcmp(w->a.mails->rcpts, "RCPT TO:<carl@a.test>\n"));
}

/* ---- groups of any size ---- */

/* What the ledger has of box.test, which names it and nobody else. */
static uint64_t box_traffic(struct world *w, enum traffic_figure which)
{
	struct arena *a scoped(arena) = arena_open();
	struct ledger_row *rows;
	uint64_t found = 0;
	size_t n;

	rows = ledger_copy(w->settings.traffic, a, &n);
	for (size_t i = 0; i < n; i++) {
		wrong_unless(w, str_same(rows[i].name, S("box.test")));
		found = rows[i].n[which];
	}
	return found;
}

/* Members of the group m0, m1... of these domains in turn. */
static void group_reaches_all(struct world *w, int n,
			      const char *const *domains, int n_domains)
{
	struct buf members scoped(buf) = BUF_EMPTY;
	const struct fake_hop *hop;
	uint64_t before = box_traffic(w, TRAFFIC_HANDED_OVER);
	char rcpt[64];

	for (int i = 0; i < n; i++)
		buf_printf(&members, "%sm%d.%d@%s", i ? " " : "", n, i,
			   domains[i % n_domains]);
	buf_add_char(&members, '\0');
	w->members = members.p;
	says(w,
	     submit(w, "s@x.test",
		    "first@box.test group@box.test last@box.test"),
	     "250 2.0.0 Ok: handed over");
	for (int i = 0; i < n; i++) {
		const char *domain = domains[i % n_domains];

		hop = !strcmp(domain, "a.test")     ? &w->a
		      : !strcmp(domain, "box.test") ? &w->box
						    : &w->b;
		snprintf(rcpt, sizeof rcpt, "RCPT TO:<m%d.%d@%s>", n, i,
			 domain);
		wrong_unless(w, said_to(hop, rcpt) == 1);
	}
	wrong_unless(w, box_traffic(w, TRAFFIC_HANDED_OVER) ==
				before + (uint64_t)n + 2);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

static const int sizes[] = { 1, 2, 5, 6, 7, 8, 9, 35, 64, 200, WORLD_MEMBERS };

static void group_of_mailboxes(struct world *w)
{
	static const char *const box[] = { "box.test" };

	for (size_t i = 0; i < array_size(sizes); i++)
		group_reaches_all(w, sizes[i], box, 1);
}

static void group_of_others(struct world *w)
{
	static const char *const other[] = { "a.test" };

	for (size_t i = 0; i < array_size(sizes); i++)
		group_reaches_all(w, sizes[i], other, 1);
}

static void group_of_all_sorts(struct world *w)
{
	static const char *const mixed[] = { "net.test", "a.test", "box.test",
					     "b.test", "box.test" };

	for (size_t i = 0; i < array_size(sizes); i++)
		group_reaches_all(w, sizes[i], mixed, array_size(mixed));
}

/* The same where the mail is kept: told to wait by one, refused by another. */
static void group_that_is_kept(struct world *w)
{
	struct buf members scoped(buf) = BUF_EMPTY;

	buf_add(&members, S("busy@a.test nobody@a.test"));
	for (int i = 0; i < 60; i++)
		buf_printf(&members, " m%d@box.test", i);
	buf_add_char(&members, '\0');
	w->members = members.p;
	says(w, submit(w, "s@x.test", "group@box.test"), "250 2.0.0 Ok: queue");
	wrong_unless(w, box_traffic(w, TRAFFIC_KEPT) == 1);
	wrong_unless(w, box_traffic(w, TRAFFIC_REFUSED) == 1);
	wrong_unless(w, box_traffic(w, TRAFFIC_HANDED_OVER) == 60);
	wrong_unless(w, queued(w, NULL, 0) == 2); /* and a DSN */
}

/* How many recipients wait, and are ours whatever becomes of their domain. */
static int waiting_as_ours(struct world *w)
{
	struct claim_wish all = { .now_ms = queue_now(w->queue) + 1000000,
				  .max = 1,
				  .room = 10,
				  .most_ms = 1000000 };
	struct message *m;
	int64_t next;
	size_t n;
	int ours = 0;

	check(queue_claim(w->queue, &all, &m, &n, &next) && n == 1);
	for (size_t i = 0; i < m->n; i++)
		ours += m->recipients[i].is_ours;
	queue_release(w->queue, m);
	message_drop(m);
	return ours;
}

static void members_that_wait_stay_ours(struct world *w)
{
	w->members = "busy@a.test busy@net.test";
	says(w, submit(w, "s@x.test", "group@box.test"), "250 2.0.0 Ok: queue");
	wrong_unless(w, waiting_as_ours(w) == 1);
}

/* ---- refused ---- */

static void refusal_reaches_the_sender(struct world *w)
{
	says(w, submit(w, "s@x.test", "nobody@a.test"),
	     "550 5.1.1 no such user");
	w->a.final = "554 5.6.0 we do not like it";
	says(w, submit(w, "s@x.test", "bob@a.test"),
	     "554 5.6.0 we do not like it");
	w->a.data = "552 5.3.4 no data";
	says(w, submit(w, "s@x.test", "bob@a.test"), "552 5.3.4");
	w->a.mail = "553 5.1.8 not you";
	says(w, submit(w, "s@x.test", "bob@a.test"), "553 5.1.8");
	wrong_unless(w, w->a.n_mails == 0 && w->a.connections == 1);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

/* The mailbox is denied because its domain was taken away meanwhile. */
static void domain_that_goes_may_come_back(struct world *w)
{
	w->box_questions = 2;
	w->box.rcpt = "550 5.1.1 no such user";
	says(w, submit(w, "s@x.test", "bob@box.test"), "250 2.0.0 Ok: queue");
	wrong_unless(w, queued(w, NULL, 0) == 1);
}

static void members_refusal_does_not(struct world *w)
{
	char who[200];

	w->members = "nobody@a.test";
	says(w, submit(w, "s@b.test", "group@box.test"), "250");
	wrong_unless(w, queued(w, who, sizeof who) == 1);
	wrong_unless(w, !strcmp(who, "s@b.test"));
}

static void too_large_for_it(struct world *w)
{
	w->a.script[0] = "S220 hi\nC\nS250-a\nS250 SIZE 20\nC\nC\nC";
	says(w, submit(w, "s@x.test", "bob@a.test"), "552 5.3.4");
	wrong_unless(w, w->a.n_mails == 0);
}

static void not_in_its_alphabet(struct world *w)
{
	says(w, submit(w, "s@x.test", "y\xc3\xb6y@a.test"), "550 5.6.7");
	w->b.caps = "PIPELINING SMTPUTF8";
	says(w, submit(w, "s@x.test", "y\xc3\xb6y@b.test"), "250");
	wrong_unless(w, strstr(w->b.mails->mail, " SMTPUTF8"));
	says(w, submit(w, "s@x.test", "y\xc3\xb6y@box.test"), "550 5.6.7");
	says(w, submit(w, "\xc3\xb6@x.test", "al@box.test"), "250");
	wrong_unless(w, !strstr(w->box.mails->mail, "SMTPUTF8"));
}

/* Declared is not needed: the header tells, and is not read again. */
static void only_its_header_counts(struct world *w)
{
	w->says_utf8 = true;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	w->header = (struct header_summary){ .bytes = 12, .is_utf8 = true };
	says(w, submit(w, "s@x.test", "bob@a.test"), "550 5.6.7");
	w->header.is_utf8 = false;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250");
	wrong_unless(w, w->a.n_mails == 2);
	wrong_unless(w, !strstr(w->a.mails->mail, "SMTPUTF8"));
}

/* ---- mixed: kept, or a DSN ---- */

static void one_later_is_kept(struct world *w)
{
	char who[200];

	says(w, submit(w, "s@x.test", "bob@a.test busy@a.test"),
	     "250 2.0.0 Ok: queued as");
	wrong_unless(w, queued(w, who, sizeof who) == 1);
	wrong_unless(w, !strcmp(who, "busy@a.test"));
	w->a.rcpt = "250 ok";
	scheduler_begin(w);
	wait_for(w, w->a.n_mails == 2);
	wrong_unless(w, !strcmp(w->a.mails->rcpts, "RCPT TO:<busy@a.test>\n"));
	wrong_unless(w, is_content(&w->a, CONTENT));
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

/* How often TEXT is in the last mail. */
static int times(const struct fake_hop *hop, const char *text)
{
	struct str rest = buf_str(&hop->mails->content);
	ptrdiff_t at;
	int n = 0;

	while ((at = str_search(rest, str_of(text))) >= 0) {
		rest = str_from(rest, (size_t)at + 1);
		n++;
	}
	return n;
}

static void one_refused_makes_a_dsn(struct world *w)
{
	says(w, submit(w, "s@b.test", "bob@a.test nobody@a.test"), "250");
	wrong_unless(w, w->b.n_mails == 0);
	scheduler_begin(w);
	wait_for(w, w->b.n_mails == 1);
	wrong_unless(w,
		     str_starts(str_of(w->b.mails->mail), S("MAIL FROM:<>")));
	wrong_unless(w, !strcmp(w->b.mails->rcpts, "RCPT TO:<s@b.test>\n"));
	wrong_unless(w, contains(&w->b, "Action: failed\r\n"));
	wrong_unless(w, contains(&w->b, "Status: 5.1.1\r\n"));
	wrong_unless(w, contains(&w->b, "nobody@a.test"));
	wrong_unless(w, !contains(&w->b, "rfc822; bob@a.test"));
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

static void two_homes_refuse_in_one_word(struct world *w)
{
	w->b.rcpt = "550 5.1.1 no such user";
	w->box.final = "550 5.7.1 not this one";
	scheduler_begin(w);
	says(w, submit(w, "s@a.test", "bob@a.test both@box.test"),
	     "250 2.0.0 Ok: handed");
	wait_for(w, w->a.n_mails == 2);
	wrong_unless(w, said_to(&w->a, "<s@a.test>") == 1);
	wrong_unless(w, contains(&w->a, "550 5.1.1 no such user\r\n"));
	wrong_unless(w, contains(&w->a, "550 5.7.1 not this one\r\n"));
	wrong_unless(w, times(&w->a, "Final-Recipient: ") == 1);
	wrong_unless(w, times(&w->a, "<both@box.test>") == 1);
}

static void nobody_is_told(struct world *w)
{
	says(w, submit(w, "", "bob@a.test nobody@a.test"), "250");
	wrong_unless(w, queued(w, NULL, 0) == 0);
	w->notify = NOTIFY_NEVER;
	says(w, submit(w, "s@b.test", "bob@a.test nobody@a.test"), "250");
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

static void success_is_told(struct world *w)
{
	w->notify = NOTIFY_SUCCESS;
	says(w, submit(w, "s@b.test", "bob@a.test alice@box.test"), "250");
	scheduler_begin(w);
	wait_for(w, w->b.n_mails == 1);
	wrong_unless(w, contains(&w->b, "Action: relayed\r\n"));
	wrong_unless(w, contains(&w->b, "Action: delivered\r\n"));
}

static void dsn_options_go_on(struct world *w)
{
	w->a.caps = "PIPELINING DSN";
	w->notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
	says(w, submit(w, "s@b.test", "bob@a.test"), "250");
	wrong_unless(w, strstr(w->a.mails->rcpts, " NOTIFY=SUCCESS,DELAY\n"));
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

/* Nor does it of the second, which was said before the first was answered. */
static void what_takes_no_parameters_gets_none(struct world *w)
{
	w->a.caps = "PIPELINING DSN";
	w->a.takes_no_notify = true;
	w->notify = NOTIFY_NEVER;
	says(w, submit(w, "s@b.test", "bob@a.test carl@a.test"), "250");
	wrong_unless(w, said_to(&w->a, "<bob@a.test>") == 1);
	wrong_unless(w, said_to(&w->a, "<carl@a.test>") == 1);
}

static void mailboxes_answer_one_by_one(struct world *w)
{
	char who[200];

	says(w,
	     submit(w, "s@b.test", "alice@box.test full@box.test bob@box.test"),
	     "250 2.0.0 Ok: queued");
	wrong_unless(w, queued(w, who, sizeof who) == 1);
	wrong_unless(w, !strcmp(who, "full@box.test"));
}

/* Who writes to it alone keeps the mail, and hears why. */
static void full_mailbox_is_told(struct world *w)
{
	says(w, submit(w, "s@b.test", "full@box.test"),
	     "452 4.2.2 mailbox is full");
	wrong_unless(w, queued(w, NULL, 0) == 0);
	w->members = "full@box.test";
	says(w, submit(w, "s@b.test", "group@box.test"), "250 2.0.0 Ok: que");
	wrong_unless(w, queued(w, NULL, 0) == 1);
	w->box.final = "451 4.3.0 trouble";
	says(w, submit(w, "s@b.test", "alice@box.test"), "250 2.0.0 Ok: que");
	wrong_unless(w, queued(w, NULL, 0) == 2);
}

/* The directory says it is here, so Dovecot is in trouble, not the sender. */
static void missing_mailbox_waits(struct world *w)
{
	says(w, submit(w, "s@b.test", "nobody@box.test"), "250 2.0.0 Ok: que");
	wrong_unless(w, queued(w, NULL, 0) == 1);
}

/* The others of its transaction take so long that the mail is kept meanwhile:
 * nobody is told of a refusal that is none. */
static void missing_mailbox_waits_beside_slow_ones(struct world *w)
{
	char who[200];

	w->settings.handover_ms = 200;
	w->box.final_ms = 700;
	says(w, submit(w, "s@b.test", "nobody@box.test alice@box.test"),
	     "250 2.0.0 Ok: que");
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, w->box.n_mails == 1);
	wrong_unless(w, queued(w, who, sizeof who) == 1);
	wrong_unless(w, !strcmp(who, "nobody@box.test"));
}

static void no_dovecot_waits(struct world *w)
{
	unlink(w->box.path);
	says(w, submit(w, "s@b.test", "alice@box.test"), "250 2.0.0 Ok: que");
	wrong_unless(w, queued(w, NULL, 0) == 1);
}

/* ---- kept before it is tried ---- */

static void user_is_answered_at_once(struct world *w)
{
	w->asker = ASKER_USER;
	w->b.final_ms = 300;
	says(w, submit(w, "s@x.test", "bob@net.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->b.n_mails == 0 && deliver_busy(w->deliver) == 1);
	wait_for(w, w->b.n_mails == 1);
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

static void sieve_is_answered_at_once(struct world *w)
{
	w->asker = ASKER_LOCAL;
	w->a.final_ms = 300;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.n_mails == 0);
	wait_for(w, w->a.n_mails == 1);
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

/* clang-format off */
#define TESTS(T) \
	T(passes_through) T(goes_without_extensions) T(greets_the_old_way) \
	T(sends_in_one_go) T(large_body_is_streamed) T(trail_goes_along) \
	T(limits_told_beforehand_are_kept) T(many_recipients_go_in_parts) \
	T(mailbox_gets_it_once) T(group_of_mailboxes) T(group_of_others) \
	T(group_of_all_sorts) T(group_that_is_kept) \
	T(members_that_wait_stay_ours) \
	T(refusal_reaches_the_sender) T(domain_that_goes_may_come_back) \
	T(members_refusal_does_not) \
	T(too_large_for_it) T(not_in_its_alphabet) T(only_its_header_counts) \
	T(one_later_is_kept) T(one_refused_makes_a_dsn) T(two_homes_refuse_in_one_word) \
	T(nobody_is_told) \
	T(success_is_told) T(dsn_options_go_on) \
	T(what_takes_no_parameters_gets_none) \
	T(mailboxes_answer_one_by_one) T(full_mailbox_is_told) \
	T(missing_mailbox_waits) T(missing_mailbox_waits_beside_slow_ones) \
	T(no_dovecot_waits) T(user_is_answered_at_once) \
	T(sieve_is_answered_at_once)
/* clang-format on */

WORLD_TESTS(TESTS)
