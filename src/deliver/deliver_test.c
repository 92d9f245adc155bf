/*
 * Handed over or kept: each test is one behaviour of a next hop and what the
 * client, the queue and the hop see of it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/test.h"
#include "deliver/deliver_test_world.h"
#include "route/verify.h"
#include "rt/log.h"
#include "rt/tls.h"

#define CONTENT                                                                \
	"Received: from x by here\r\nSubject: hello\r\n\r\n"                   \
	".dots\r\n..\r\n.\r\nend\r\n"

static bool is_content(const struct fake_hop *hop, const char *text)
{
	return hop->mails &&
	       str_same(buf_str(&hop->mails->content), str_of(text));
}

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

static bool contains(const struct fake_hop *hop, const char *text)
{
	return hop->mails &&
	       str_search(buf_str(&hop->mails->content), str_of(text)) >= 0;
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

static void mailboxes_answer_one_by_one(struct world *w)
{
	char who[200];

	says(w,
	     submit(w, "s@b.test", "alice@box.test full@box.test bob@box.test"),
	     "250 2.0.0 Ok: queued");
	wrong_unless(w, queued(w, who, sizeof who) == 1);
	wrong_unless(w, !strcmp(who, "full@box.test"));
}

/* The directory says it is here, so Dovecot is in trouble, not the sender. */
static void missing_mailbox_waits(struct world *w)
{
	says(w, submit(w, "s@b.test", "nobody@box.test"), "250 2.0.0 Ok: que");
	wrong_unless(w, queued(w, NULL, 0) == 1);
}

static void no_dovecot_waits(struct world *w)
{
	unlink(w->box.path);
	says(w, submit(w, "s@b.test", "alice@box.test"), "250 2.0.0 Ok: que");
	wrong_unless(w, queued(w, NULL, 0) == 1);
}

/* ---- slow, lost, out of step ---- */

static void late_answer_is_not_repeated(struct world *w)
{
	w->settings.handover_ms = 200;
	w->a.final_ms = 2000; /* longer than the first retry would be */
	scheduler_begin(w);
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.n_mails == 0 && deliver_busy(w->deliver) == 1);
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, w->a.n_mails == 1);
	wrong_unless(w, queued(w, NULL, 0) == 0);
	fiber_sleep(after_ms(1500));
	wrong_unless(w, w->a.n_mails == 1);
}

static void late_refusal_makes_a_dsn(struct world *w)
{
	w->settings.handover_ms = 100;
	w->a.final_ms = 300;
	w->a.final = "550 5.7.1 no";
	scheduler_begin(w);
	says(w, submit(w, "s@b.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wait_for(w, w->b.n_mails == 1);
	wrong_unless(w, contains(&w->b, "Status: 5.7.1\r\n"));
}

/* What was told when the client was answered is not told again at the end. */
static void refusal_is_told_once(struct world *w)
{
	w->settings.handover_ms = 200;
	w->a.final_ms = 500;
	w->b.rcpt = "550 5.1.1 no such user";
	says(w, submit(w, "s@box.test", "bob@a.test x@b.test"),
	     "250 2.0.0 Ok: queued");
	scheduler_begin(w);
	wait_for(w, w->box.n_mails == 1);
	wait_for(w, w->a.n_mails == 1);
	wait_for(w, deliver_busy(w->deliver) == 0);
	fiber_sleep(after_ms(700));
	wrong_unless(w, w->box.n_mails == 1);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

static void no_room_on_the_disk(struct world *w)
{
	struct rlimit before, none = { 0 };

	check(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	check(getrlimit(RLIMIT_FSIZE, &before) == 0);
	none.rlim_max = before.rlim_max;
	check(setrlimit(RLIMIT_FSIZE, &none) == 0);
	w->settings.handover_ms = 100;
	w->a.final_ms = 300;
	/* Cannot be kept meanwhile, so the client waits for the outcome. */
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	says(w, submit(w, "s@x.test", "busy@a.test"), "45");
	says(w, submit(w, "s@b.test", "bob@a.test nobody@a.test"), "45");
	w->asker = ASKER_USER;
	says(w, submit(w, "s@x.test", "bob@net.test"), "45");
	wrong_unless(w, w->b.n_mails == 0);
	check(setrlimit(RLIMIT_FSIZE, &before) == 0);
	says(w, submit(w, "s@x.test", "bob@net.test"), "250 2.0.0 Ok: queued");
	wait_for(w, w->b.n_mails == 1);
	wait_for(w, deliver_busy(w->deliver) == 0);
}

struct crowd {
	struct world *w;
	int left;
};

static void one_of_many(void *arg)
{
	struct crowd *c = arg;

	says(c->w, submit(c->w, "s@x.test", "bob@a.test"),
	     "250 2.0.0 Ok: handed");
	c->left--;
}

static void crowd_shares_connections(struct world *w)
{
	struct crowd c = { w, 50 };

	w->a.final_ms = 50;
	for (int i = 0; i < 50; i++)
		check(fiber_start("one", one_of_many, &c));
	wait_for(w, c.left == 0);
	wrong_unless(w, w->a.n_mails == 50);
	wrong_unless(w, w->a.connections == LIMIT_PER_HOP);
}

static void lost_after_the_dot_is_repeated(struct world *w)
{
	w->a.drop_after_dot = true;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.n_mails == 1 && w->a.connections == 1);
	w->a.drop_after_dot = false;
	scheduler_begin(w);
	wait_for(w, w->a.n_mails == 2);
}

static void dead_pooled_connection_is_replaced(struct world *w)
{
	w->a.drop_at_mail = 2;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->a.n_mails == 2 && w->a.connections == 2);
	w->a.caps = "PIPELINING CHUNKING";
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->a.n_mails == 3 && w->a.connections == 3);
}

static void kept_because(struct world *w, const char *script)
{
	int before = queued(w, NULL, 0), n = w->a.connections;

	check(n < 4);
	w->a.script[n] = script;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	if (queued(w, NULL, 0) != before + 1)
		world_wrong(w, __FILE__, __LINE__, script);
}

#define HELLO "S220 hi\nC\nS250-a\nS250 PIPELINING\n"
#define HELLO_SLOW "S220 hi\nC\nS250 a\n"

static void bad_manners(struct world *w)
{
	kept_because(w, "S220 hi\nS250 already\nX");
	kept_because(w, "Shello\nX");
	kept_because(w, HELLO "C\nC\nC\nS250 ok\nS354 go\nS354 go\nX");
	kept_because(w, HELLO "C\nC\nC\nS250 ok\nS250 ok\nS250 ok\nX");
}

static void more_bad_manners(struct world *w)
{
	kept_because(w,
	             HELLO "C\nC\nC\nS250 ok\nS250 ok\nS354 go\nS250 yes\nX");
	kept_because(w,
	             HELLO "C\nC\nC\nS250 ok\nS250 ok\nS354 go\nD\nS354 \nX");
	kept_because(w, HELLO_SLOW "C\nS250 ok\nC\nS421 going down\nX");
	kept_because(w, HELLO_SLOW "C\nS250 ok\nS250 and more\nC\nX");
}

static void in_trouble(struct world *w)
{
	kept_because(w, "S421 not now\nX");
	kept_because(w, "S554 not you\nX");
	kept_because(w, "S220 hi\nC\nS421 not now\nX");
	kept_because(w, "X");
}

static void short_replies_are_fine(struct world *w)
{
	w->a.script[0] = HELLO "C\nC\nC\nS250\nS250\nS354\nD\nS250\nX";
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
}

static void endless_reply(struct world *w)
{
	static char script[40000] = "S220 hi\nC\n";

	while (strlen(script) < 30000)
		strncat(script, "S250-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
		        50);
	kept_because(w, script);
}

/* ---- hosts ---- */

static void other_host_is_tried(struct world *w)
{
	static char hosts[100];

	snprintf(hosts, sizeof hosts, "127.0.0.1:%u, 127.0.0.1:%u", w->a.port,
	         w->b.port);
	w->sys_a.hosts = str_of(hosts);
	w->a.greeting = "421 not now";
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->b.n_mails == 1 && w->a.connections == 1);
	fiber_sleep(after_ms(50));
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->b.n_mails == 2 && w->a.connections == 1);
	w->a.greeting = NULL;
	fiber_sleep(after_ms(5100));
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->b.n_mails == 2 && w->a.n_mails == 1);
}

static void other_host_in_mid_mail(struct world *w)
{
	static char hosts[100];

	snprintf(hosts, sizeof hosts, "127.0.0.1:%u, 127.0.0.1:%u", w->a.port,
	         w->b.port);
	w->sys_a.hosts = str_of(hosts);
	w->a.script[0] =
	        HELLO "C\nC\nC\nC\nS250 ok\nS550 5.1.1 no\nS421 bye\nX";
	says(w, submit(w, "s@b.test", "nobody@a.test bob@a.test"), "250");
	wrong_unless(w, w->b.n_mails == 1);
	wrong_unless(w, !strcmp(w->b.mails->rcpts, "RCPT TO:<bob@a.test>\n"));
}

static void by_mx(struct world *w)
{
	says(w, submit(w, "s@x.test", "bob@net.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->b.n_mails == 1);
	says(w, submit(w, "s@x.test", "bob@null.test"), "556 5.1.10");
	says(w, submit(w, "s@x.test", "bob@gone.test"), "550 5.1.2");
	says(w, submit(w, "s@x.test", "bob@loop.test"), "550 5.4.6");
	w->b.greeting = "554 no SMTP here";
	says(w, submit(w, "s@x.test", "bob@other.test"), "554");
}

static void ourselves_as_mx(struct world *w)
{
	w->b.name = "here.test";
	says(w, submit(w, "s@x.test", "bob@net.test"), "550 5.4.6");
}

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

/* ---- TLS ---- */

static void with_tls(struct world *w, struct fake_hop *hop)
{
	char certificate[100], key[100];

	snprintf(certificate, sizeof certificate, "%s/cert.pem", w->folder);
	snprintf(key, sizeof key, "%s/key.pem", w->folder);
	check(tls_self_signed("a.hop", certificate, key));
	hop->tls = tls_server(certificate, key);
	w->settings.tls_any = tls_client(TLS_ANY, NULL);
	w->settings.tls_verified = tls_client(TLS_VERIFIED, NULL);
	check(hop->tls && w->settings.tls_any && w->settings.tls_verified);
}

static void without_tls(struct world *w, struct fake_hop *hop)
{
	deliver_drain(w->deliver, after_ms(1000));
	tls_close(hop->tls);
	hop->tls = NULL;
	tls_close(w->settings.tls_any);
	tls_close(w->settings.tls_verified);
	w->settings.tls_any = w->settings.tls_verified = NULL;
}

static void tls_is_used(struct world *w)
{
	with_tls(w, &w->a);
	w->sys_a.tls = SYSTEM_TLS_REQUIRED;
	w->sys_a.user = S("us");
	w->sys_a.password = S("secret");
	w->a.caps = "PIPELINING AUTH\tPLAIN";
	w->a.script[0] = NULL;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	w->sys_a.user = STR_NONE;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	w->sys_a.tls = SYSTEM_TLS_VERIFIED; /* nobody signed it */
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.n_mails == 1);
	without_tls(w, &w->a);
}

static void tls_that_fails_is_left_out(struct world *w)
{
	with_tls(w, &w->a);
	w->a.breaks_tls = true;
	w->sys_a.tls = SYSTEM_TLS_OPPORTUNISTIC;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: handed");
	wrong_unless(w, w->a.connections == 2 && w->a.n_mails == 1);
	w->sys_a.tls = SYSTEM_TLS_REQUIRED;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.connections == 3 && w->a.n_mails == 1);
	without_tls(w, &w->a);
}

static void tls_required_is_never_left_out(struct world *w)
{
	w->sys_a.tls = SYSTEM_TLS_REQUIRED;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.connections == 1 && w->a.n_mails == 0);
}

static void injected_before_tls(struct world *w)
{
	with_tls(w, &w->a);
	w->a.after_starttls = "250-evil.test\r\n250 AUTH PLAIN\r\n";
	w->sys_a.tls = SYSTEM_TLS_REQUIRED;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wrong_unless(w, w->a.n_mails == 0);
	without_tls(w, &w->a);
}

/* ---- the queue's turn ---- */

static void waits_while_it_is_down(struct world *w)
{
	w->a.greeting = "421 not now";
	scheduler_begin(w);
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	says(w, submit(w, "s@x.test", "eve@a.test"), "250 2.0.0 Ok: queued");
	fiber_sleep(after_ms(1500));
	w->a.greeting = NULL;
	for (int i = 0; i < 3 && w->a.n_mails < 2; i++)
		fiber_sleep(after_ms(3000));
	wrong_unless(w, w->a.n_mails == 2);
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

static void time_runs_out(struct world *w)
{
	w->settings.expiry_s = 1;
	w->a.rcpt = "451 4.7.1 greylisted";
	scheduler_begin(w);
	says(w, submit(w, "s@b.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wait_for(w, w->b.n_mails == 1);
	wrong_unless(w, contains(&w->b, "Action: failed\r\n"));
	wrong_unless(w, contains(&w->b, "451 4.7.1 greylisted"));
	wait_for(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, queued(w, NULL, 0) == 0);
}

static void delay_is_told_once(struct world *w)
{
	w->settings.delay_warning_s = 1;
	w->a.rcpt = "451 4.7.1 greylisted";
	scheduler_begin(w);
	says(w, submit(w, "s@b.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	wait_for(w, w->b.n_mails == 1);
	wrong_unless(w, contains(&w->b, "Action: delayed\r\n"));
	fiber_sleep(after_ms(2500));
	wrong_unless(w, w->b.n_mails == 1);
}

static void stopping_keeps_it(struct world *w)
{
	w->settings.handover_ms = 100;
	w->a.final_ms = 1500;
	says(w, submit(w, "s@x.test", "bob@a.test"), "250 2.0.0 Ok: queued");
	deliver_drain(w->deliver, after_ms(200));
	wrong_unless(w, deliver_busy(w->deliver) == 0);
	wrong_unless(w, queued(w, NULL, 0) == 1);
}

/* ---- asking ---- */

static void probe(struct world *w, const char *address)
{
	struct leg leg = { .kind = LEG_SYSTEM,
		           .address = str_of(address),
		           .system = w->sys_a };

	deliver_probe(w->deliver, &leg, str_of(address));
}

static enum verdict found(struct world *w, const char *address)
{
	struct arena *a = arena_open();
	struct finding f =
	        verify_find(w->verification, S("A"), str_of(address), a);

	arena_close(a);
	return f.verdict;
}

static void asks(struct world *w)
{
	probe(w, "bob@a.test");
	wrong_unless(w, found(w, "bob@a.test") == VERDICT_YES);
	probe(w, "nobody@a.test");
	wrong_unless(w, found(w, "nobody@a.test") == VERDICT_NO);
	probe(w, "busy@a.test");
	wrong_unless(w, found(w, "busy@a.test") == VERDICT_TROUBLE);
	wrong_unless(w, w->a.connections == 1 && w->a.probes == 3);
	w->a.null_sender = "553 5.1.8 no null sender";
	probe(w, "eve@a.test");
	wrong_unless(w, found(w, "eve@a.test") == VERDICT_YES);
	w->a.mail = "550 5.7.1 go away";
	probe(w, "noone@a.test");
	wrong_unless(w, found(w, "noone@a.test") == VERDICT_TROUBLE);
	says(w, submit(w, "s@x.test", "bob@b.test"), "250");
}

static void asks_in_lockstep(struct world *w)
{
	w->a.caps = "HELP";
	probe(w, "bob@a.test");
	probe(w, "nobody@a.test");
	wrong_unless(w, found(w, "bob@a.test") == VERDICT_YES);
	wrong_unless(w, found(w, "nobody@a.test") == VERDICT_NO);
	wrong_unless(w, w->a.connections == 1);
}

static void asks_in_vain(struct world *w)
{
	w->sys_a.hosts = S("127.0.0.1:1");
	probe(w, "bob@a.test");
	wrong_unless(w, found(w, "bob@a.test") == VERDICT_TROUBLE);
}

/* ---- pure ---- */

static void retry_times(void **state)
{
	struct deliver_settings s = { .retry_min_s = 300, .retry_max_s = 4000 };

	assert_int_equal(retry_time(&s, 0, 1000), 1000 + 300000);
	assert_int_equal(retry_time(&s, 0, 600000), 600000 + 600000);
	assert_int_equal(retry_time(&s, 0, 9000000), 9000000 + 4000000);
	assert_int_equal(retry_time(&s, 5000, 0), 300000);
}

#define WORLD(test)                                                            \
	static void run_##test(void **state)                                   \
	{                                                                      \
		world_run(test);                                               \
	}
/* clang-format off */
#define TESTS(T) \
	T(passes_through) T(goes_without_extensions) T(greets_the_old_way) \
	T(sends_in_one_go) T(large_body_is_streamed) T(trail_goes_along) \
	T(many_recipients_go_in_parts) T(mailbox_gets_it_once) \
	T(refusal_reaches_the_sender) T(members_refusal_does_not) \
	T(too_large_for_it) T(not_in_its_alphabet) T(one_later_is_kept) \
	T(one_refused_makes_a_dsn) T(nobody_is_told) T(success_is_told) \
	T(dsn_options_go_on) T(mailboxes_answer_one_by_one) \
	T(missing_mailbox_waits) T(no_dovecot_waits) \
	T(late_answer_is_not_repeated) T(late_refusal_makes_a_dsn) \
	T(refusal_is_told_once) T(no_room_on_the_disk) \
	T(crowd_shares_connections) T(lost_after_the_dot_is_repeated) \
	T(dead_pooled_connection_is_replaced) T(bad_manners) \
	T(more_bad_manners) T(in_trouble) T(short_replies_are_fine) \
	T(endless_reply) T(other_host_is_tried) T(other_host_in_mid_mail) \
	T(by_mx) T(ourselves_as_mx) T(user_is_answered_at_once) \
	T(sieve_is_answered_at_once) \
	T(tls_is_used) T(tls_that_fails_is_left_out) \
	T(tls_required_is_never_left_out) T(injected_before_tls) \
	T(waits_while_it_is_down) T(time_runs_out) T(delay_is_told_once) \
	T(stopping_keeps_it) T(asks) T(asks_in_lockstep) T(asks_in_vain)
/* clang-format on */

TESTS(WORLD)

#define ENTRY(test) cmocka_unit_test(run_##test),

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(retry_times),
		                            TESTS(ENTRY) };

	log_open("here.test");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
