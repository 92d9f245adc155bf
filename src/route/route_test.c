/*
 * route() as a specification: a world, and what becomes of each recipient.
 *
 * The world is a real directory.db, made through directory/changes.h as the
 * command line makes it.  Each line of a table asks one question and writes
 * the whole answer in one line:
 *
 *	deliver alice+x			the mailbox of alice, detail x
 *	relay b.example(bob@own.test)	system, and the recipient it is given
 *	relay mx:ext.test(...)		the Internet
 *	expand ... ...			legs in order; "*" before shares of a
 *split refuse 550 5.1.1 ask b.example(...)		relay, but that system
 *is to be asked
 */
#include "route/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/test.h"
#include "directory/changes.h"
#include "directory/database.h"
#include "route/guard.h"
#include "route/verify.h"

/* ---- the world ---- */

typedef struct change make_function(struct changes *c, struct str name,
                                    const struct setting *s, size_t n);

struct line {
	make_function *make;
	const char *name, *settings;
};

static const struct line world[] = {
	{ system_create, "exchange",
	  "hosts=ex.example:2525 tls=required trust=192.0.2.0/24 "
	  "may_relay=yes" },
	{ system_create, "google", "hosts=g.example trust=198.51.100.1" },
	{ system_create, "keeper", "hosts=k.example when_down=keep-all" },
	{ system_create, "strict", "hosts=s.example when_down=defer" },

	/* a domain whose users live here and on b.example: the master */
	{ domain_create, "own.test",
	  "aliases=alias.test relay=b.example max_message_size=1000" },
	{ user_create, "alice@own.test",
	  "address=ally@own.test address=everywhere@*" },
	{ user_create, "bob@own.test", "mail_system=alternate" },
	{ user_create, "nomail@own.test", "mail_system=none" },
	{ user_create, "dis@own.test", "enabled=no" },
	{ user_create, "disbob@own.test", "mail_system=alternate enabled=no" },
	{ user_create, "erin@own.test",
	  "mail_system=alternate address=unselected@own.test" },
	{ address_set, "unselected@own.test", "routed=no" },
	{ user_create, "frank@own.test",
	  "address=there@own.test address=both@own.test "
	  "address=nowhere@own.test" },
	{ address_set, "there@own.test", "home=alternate" },
	{ address_set, "both@own.test", "home=both" },
	{ address_set, "nowhere@own.test", "home=none" },
	{ user_create, "gina@own.test",
	  "mail_system=alternate system=exchange" },
	{ user_create, "kurt@own.test", "mail_system=alternate system=keeper" },
	{ user_create, "stan@own.test", "mail_system=alternate system=strict" },
	{ user_create, "fixed@own.test", "address=plus+fixed@own.test" },
	{ shared_create, "info@own.test", "" },

	/* forwards */
	{ user_create, "fcopy@own.test", "forward=bob@own.test,ext@ext.test" },
	{ user_create, "fonly@own.test",
	  "forward=ext@ext.test forward_copy=no" },
	{ user_create, "fthere@own.test",
	  "mail_system=alternate forward=alice@own.test" },
	{ user_create, "me@own.test", "" },
	{ user_create, "you@own.test", "forward=me@own.test" },
	{ user_set, "me@own.test", "forward=you@own.test" },
	{ user_create, "fdis@own.test", "enabled=no forward=alice@own.test" },
	{ user_create, "loop1@own.test", "" },
	{ user_create, "loop2@own.test",
	  "forward=loop1@own.test forward_copy=no" },
	{ user_set, "loop1@own.test",
	  "forward=loop2@own.test forward_copy=no" },
	{ user_create, "fnobody@own.test",
	  "forward=nomail@own.test forward_copy=no" },

	/* groups */
	{ user_create, "back@own.test", "" },
	{ group_create, "inner@own.test",
	  "member=ally@own.test member=gina@own.test member=back@own.test "
	  "member=both@own.test" },
	{ group_create, "team@own.test",
	  "member=alice@own.test member=bob@own.test member=ext@ext.test "
	  "member=inner@own.test" },
	{ user_set, "back@own.test", "forward=team@own.test" },
	{ group_create, "empty@own.test", "" },
	{ group_create, "lost@own.test",
	  "member=nomail@own.test member=dis@own.test" },
	{ group_create, "some@own.test",
	  "member=nomail@own.test member=alice@own.test" },
	{ user_create, "ringer@own.test", "" },
	{ group_create, "ring@own.test", "member=ringer@own.test" },
	{ user_set, "ringer@own.test",
	  "forward=ring@own.test forward_copy=no" },
	{ group_create, "fgroup@own.test",
	  "member=fcopy@own.test member=alice+team@own.test" },
	{ group_create, "disgroup@own.test",
	  "enabled=no member=alice@own.test" },

	/* a slave: what is unknown goes to the master */
	{ domain_create, "slave.test",
	  "relay=master.example forward_unknown=yes own_senders=refuse" },
	{ user_create, "sam@slave.test", "" },
	{ user_create, "pam@slave.test", "mail_system=alternate" },
	{ user_create, "abuse@slave.test", "" },
	{ group_create, "unknowns@slave.test",
	  "member=x@slave.test member=sam@slave.test" },

	/* catch-alls and postmasters */
	{ domain_create, "catch.test", "catch_all=alice@own.test" },
	{ domain_create, "catchbob.test", "catch_all=bob@own.test" },
	{ domain_create, "catchteam.test", "catch_all=some@own.test" },
	{ domain_create, "pm.test", "postmaster=alice@own.test" },
	{ domain_create, "plain.test", "" },
};

static struct changes *changes;
static struct router router;
static struct guard *guard;
static struct verification *verification;
static struct arena *arena;
static char path[] = "/tmp/route-XXXXXX";
static char *file;

static size_t settings_of(const char *text, struct setting *s)
{
	struct str rest = str_of(text), word;
	size_t n = 0;

	while (str_split(&rest, ' ', &word)) {
		ptrdiff_t equals = str_find(word, '=');

		check(equals > 0);
		s[n].key = str_part(word, 0, (size_t)equals);
		s[n++].value = str_from(word, (size_t)equals + 1);
	}
	return n;
}

static void make(const struct line *l)
{
	struct setting s[8];
	struct change r = l->make(changes, str_of(l->name), s,
	                          settings_of(l->settings, s));

	if (r.outcome != CHANGE_DONE)
		fail_msg("%s: %s", l->name, r.sentence);
}

static int open_all(void **unused)
{
	struct node node;

	check(mkdtemp(path));
	arena = arena_open();
	file = arena_printf(arena, "%s/directory.db", path);
	if (directory_create(file, S("secret secret")))
		changes = changes_open(file, "test");
	if (!changes)
		fail_msg("%s", cause());
	check(changes_begin(changes));
	for (size_t i = 0; i < array_size(world); i++)
		make(&world[i]);
	check(changes_end(changes));
	router.directory = directory_open(file);
	check(router.directory && directory_node(router.directory, &node));
	guard = guard_open(&node);
	router.guard = guard;
	return 0;
}

static int close_all(void **unused)
{
	directory_close(router.directory);
	changes_close(changes);
	guard_close(guard);
	for (const char *const *end =
	             (const char *const[]){ "", "-wal", "-shm", NULL };
	     *end; end++)
		unlink(arena_printf(arena, "%s%s", file, *end));
	rmdir(path);
	arena_close(arena);
	return 0;
}

/* ---- an answer as one line ---- */

static const char *leg_text(const struct leg *l)
{
	const char *share = l->is_split ? "*" : "";
	struct str name;

	switch (l->kind) {
	case LEG_MAILBOX:
		name = str_part(l->login, 0, (size_t)str_find(l->login, '@'));
		return arena_printf(arena, " %s%.*s%s%.*s", share, STR(name),
		                    str_empty(l->detail) ? "" : "+",
		                    STR(l->detail));
	case LEG_SYSTEM:
		return arena_printf(arena, " %s%.*s(%.*s)", share,
		                    STR(l->system.name), STR(l->address));
	case LEG_INTERNET:
		return arena_printf(arena, " %smx:%.*s(%.*s)", share,
		                    STR(l->domain), STR(l->address));
	}
	return "";
}

static const char *decision_text(const struct decision *d)
{
	const char *text = d->ask ? "ask" : route_action_name(d->action);

	if (d->action == ROUTE_REFUSE || d->action == ROUTE_LATER)
		return arena_printf(arena, "%s %d %s", text, d->reply.code,
		                    d->reply.status);
	for (size_t i = 0; i < d->n; i++)
		text = arena_printf(arena, "%s%s", text, leg_text(&d->legs[i]));
	return text;
}

static struct address address_of(const char *mailbox)
{
	struct str path_text = str_of(arena_printf(arena, "<%s>", mailbox));
	struct address a;

	if (!path_parse(&path_text, PATH_FORWARD, arena, &a))
		fail_msg("%s: %s", mailbox, cause());
	return a;
}

static struct asker asker_of(const char *text)
{
	struct asker a;

	if (!asker_parse(router.directory, str_of(text), arena, &a))
		fail_msg("%s: %s", text, cause());
	return a;
}

static const char *reasons_text(const struct decision *d)
{
	const char *text = "";

	for (size_t i = 0; i < d->n_reasons; i++)
		text = arena_printf(arena, "%s\n\t%s: %.*s", text,
		                    d->reasons[i].rule,
		                    STR(reason_fact(&d->reasons[i], arena)));
	return text;
}

static struct decision decide(const struct question *q, const char *recipient,
                              const char *expected)
{
	struct address a = address_of(recipient);
	struct question asked = *q;
	struct decision d;
	const char *answer;

	asked.recipient = &a;
	d = route_decide(&router, &asked, arena);
	answer = decision_text(&d);
	if (strcmp(answer, expected) != 0)
		fail_msg("%.*s asks for %s: expected \"%s\", got \"%s\"%s",
		         STR(asker_text(&q->asker, arena)), recipient, expected,
		         answer, reasons_text(&d));
	assert_true(d.n_reasons > 0);
	return d;
}

static void expect(const char *asker, const char *recipient,
                   const char *expected)
{
	struct question q = { .asker = asker_of(asker) };

	decide(&q, recipient, expected);
}

/* ---- nothing known but the directory ---- */

struct answer_line {
	const char *asker, *recipient, *expected;
};

static void expect_all(const struct answer_line *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect(l[i].asker, l[i].recipient, l[i].expected);
}

#define EXPECT_ALL(...)                                                        \
	do {                                                                   \
		static const struct answer_line lines[] = { __VA_ARGS__ };     \
		expect_all(lines, array_size(lines));                          \
	} while (0)

static void test_domain_unknown(void **unused)
{
	EXPECT_ALL({ "internet", "x@ext.test", "refuse 550 5.7.1" },
	           { "user:alice@own.test", "x@Ext.test",
	             "relay mx:ext.test(x@Ext.test)" },
	           { "local", "x@ext.test", "relay mx:ext.test(x@ext.test)" },
	           { "system:exchange", "x@ext.test",
	             "relay mx:ext.test(x@ext.test)" },
	           { "system:google", "x@ext.test", "refuse 550 5.7.1" },
	           { "system:b.example", "x@ext.test", "refuse 550 5.7.1" },
	           { "internet", "x@[192.0.2.1]", "refuse 550 5.7.1" },
	           { "user:alice@own.test", "x@[192.0.2.1]",
	             "refuse 550 5.1.2" },
	           { "user:alice@own.test", "x@localhost", "refuse 550 5.1.2" },
	           { "internet", "alice%ext.test@own.test",
	             "refuse 550 5.1.1" }, );
}

static void test_who_has_the_address(void **unused)
{
	EXPECT_ALL({ "internet", "alice@own.test", "deliver alice" },
	           { "internet", "ALICE@Own.Test", "deliver alice" },
	           { "internet", "\"alice\"@own.test", "deliver alice" },
	           { "internet", "ally@own.test", "deliver alice" },
	           { "internet", "alice+news@own.test", "deliver alice+news" },
	           { "internet", "ally+a+b@own.test", "deliver alice+a+b" },
	           { "internet", "plus+fixed@own.test", "deliver fixed" },
	           { "internet", "plus+other@own.test", "refuse 550 5.1.1" },
	           { "internet", "everywhere@alias.test", "deliver alice" },
	           { "internet", "everywhere@own.test", "deliver alice" },
	           { "internet", "ally@alias.test", "refuse 550 5.1.1" },
	           { "internet", "alice@alias.test", "deliver alice" },
	           { "internet", "info@own.test", "deliver info" },
	           { "internet", "nosuch@own.test", "refuse 550 5.1.1" },
	           { "user:alice@own.test", "nosuch@own.test",
	             "refuse 550 5.1.1" },
	           { "internet", "dis@own.test", "refuse 550 5.2.1" },
	           { "internet", "disbob@own.test", "refuse 550 5.2.1" },
	           { "internet", "disgroup@own.test", "refuse 550 5.2.1" },
	           { "internet", "nomail@own.test", "refuse 550 5.1.1" }, );
}

static void test_home(void **unused)
{
	EXPECT_ALL({ "internet", "Bob@Own.test",
	             "relay b.example(Bob@Own.test)" },
	           { "internet", "bob+x@own.test",
	             "relay b.example(bob+x@own.test)" },
	           { "internet", "bob@alias.test",
	             "relay b.example(bob@alias.test)" },
	           { "user:alice@own.test", "bob@own.test",
	             "relay b.example(bob@own.test)" },
	           { "system:exchange", "bob@own.test",
	             "relay b.example(bob@own.test)" },
	           { "internet", "gina@own.test",
	             "relay exchange(gina@own.test)" },
	           { "internet", "erin@own.test",
	             "relay b.example(erin@own.test)" },
	           { "internet", "unselected@own.test", "refuse 550 5.1.1" },
	           { "user:alice@own.test", "unselected+x@own.test",
	             "refuse 550 5.1.1" },
	           { "internet", "there@own.test",
	             "relay b.example(there@own.test)" },
	           { "internet", "both+x@own.test",
	             "both *frank+x *b.example(both+x@own.test)" },
	           { "internet", "nowhere@own.test", "refuse 550 5.1.1" }, );
}

static void test_forwards(void **unused)
{
	EXPECT_ALL(
	        { "internet", "fcopy@own.test",
	          "expand *fcopy b.example(bob@own.test) mx:ext.test(ext@ext.test)" },
	        { "internet", "fonly@own.test",
	          "expand mx:ext.test(ext@ext.test)" },
	        { "internet", "fthere@own.test",
	          "expand *b.example(fthere@own.test) alice" },
	        { "internet", "me@own.test", "expand *me *you" },
	        { "internet", "fdis@own.test", "refuse 550 5.2.1" },
	        { "internet", "loop1@own.test", "refuse 550 5.4.6" },
	        { "internet", "fnobody@own.test", "refuse 550 5.2.4" }, );
}

static void test_groups(void **unused)
{
	EXPECT_ALL({ "internet", "team@own.test",
	             "expand alice b.example(bob@own.test) "
	             "mx:ext.test(ext@ext.test) exchange(gina@own.test) *back "
	             "*frank *b.example(both@own.test)" },
	           { "internet", "some@own.test", "expand alice" },
	           { "internet", "fgroup@own.test",
	             "expand *fcopy b.example(bob@own.test) "
	             "mx:ext.test(ext@ext.test) alice+team" },
	           { "internet", "empty@own.test", "refuse 550 5.2.4" },
	           { "internet", "lost@own.test", "refuse 550 5.2.4" },
	           { "internet", "ring@own.test", "refuse 550 5.4.6" },
	           /* a user of B writes to a group with members on B */
	           { "system:b.example", "team@own.test",
	             "expand alice b.example(bob@own.test) "
	             "mx:ext.test(ext@ext.test) exchange(gina@own.test) *back "
	             "*frank *b.example(both@own.test)" },
	           { "internet", "unknowns@slave.test",
	             "expand master.example(x@slave.test) sam" }, );
}

static void test_postmaster(void **unused)
{
	EXPECT_ALL({ "internet", "postmaster", "deliver postmaster-builtin" },
	           { "internet", "PostMaster@own.test",
	             "deliver postmaster-builtin" },
	           { "internet", "abuse@alias.test",
	             "deliver postmaster-builtin" },
	           { "internet", "postmaster@pm.test", "deliver alice" },
	           { "internet", "abuse@pm.test", "deliver alice" },
	           { "internet", "postmaster@slave.test",
	             "relay master.example(postmaster@slave.test)" },
	           { "system:master.example", "postmaster@slave.test",
	             "deliver postmaster-builtin" },
	           { "internet", "abuse@slave.test", "deliver abuse" },
	           { "internet", "postmaster@catch.test",
	             "deliver postmaster-builtin" }, );
}

static void test_nobody_has_it(void **unused)
{
	EXPECT_ALL({ "internet", "x@catch.test", "deliver alice" },
	           { "internet", "X+y@catchbob.test",
	             "relay b.example(bob@own.test)" },
	           { "internet", "x@catchteam.test", "expand alice" },
	           { "internet", "sam@slave.test", "deliver sam" },
	           { "internet", "x+y@slave.test",
	             "relay master.example(x+y@slave.test)" },
	           { "user:sam@slave.test", "x@slave.test",
	             "relay master.example(x@slave.test)" },
	           { "system:exchange", "x@slave.test",
	             "relay master.example(x@slave.test)" },
	           { "internet", "x@plain.test", "refuse 550 5.1.1" }, );
}

static void test_never_back_to_the_system_that_asks(void **unused)
{
	EXPECT_ALL({ "system:master.example", "x@slave.test",
	             "refuse 550 5.1.1" },
	           { "system:master.example", "pam@slave.test",
	             "refuse 550 5.4.6" },
	           { "system:master.example", "sam@slave.test", "deliver sam" },
	           { "system:b.example", "bob@own.test", "refuse 550 5.4.6" },
	           { "system:b.example", "gina@own.test",
	             "relay exchange(gina@own.test)" },
	           { "system:exchange", "gina@own.test", "refuse 550 5.4.6" },
	           { "system:ex.example:2525", "gina@own.test",
	             "refuse 550 5.4.6" },
	           { "system:b.example", "both@own.test", "deliver *frank" },
	           { "system:b.example", "fthere@own.test", "expand alice" },
	           { "system:b.example", "x@catchbob.test",
	             "relay b.example(bob@own.test)" }, );
}

/* ---- the trail ---- */

static struct str trail_with(struct str trail, const char *key)
{
	return trail_add(trail, guard_entry(guard, str_of(key), arena), arena);
}

static void expect_back(const char *key, const char *recipient,
                        const char *expected)
{
	struct question q = { .asker = asker_of("internet") };

	q.trail = trail_with(S("0123456789abcdef:AAAAAAAAAAAAAAAA"), key);
	decide(&q, recipient, expected);
}

static void test_never_a_second_time(void **unused)
{
	expect_back("bob@own.test", "bob@own.test", "refuse 550 5.4.6");
	expect_back("bob@own.test", "Bob@alias.test", "refuse 550 5.4.6");
	expect_back("eve@own.test", "bob@own.test",
	            "relay b.example(bob@own.test)");
	expect_back("x@slave.test", "x@slave.test", "refuse 550 5.4.6");
	expect_back("postmaster@slave.test", "postmaster@slave.test",
	            "deliver postmaster-builtin");
	expect_back("alice@own.test", "alice@own.test", "deliver alice");
	expect_back("both@own.test", "both@own.test", "deliver *frank");
	expect_back("group team@own.test", "team@own.test", "expand");
	expect_back("group inner@own.test", "team@own.test",
	            "expand alice b.example(bob@own.test) "
	            "mx:ext.test(ext@ext.test)");
	expect_back("group some@own.test", "x@catchteam.test", "expand");
	expect_back("group fonly@own.test", "fonly@own.test",
	            "refuse 550 5.4.6");
	expect_back("group fcopy@own.test", "fcopy@own.test", "deliver *fcopy");
	expect_back("group x@catchbob.test", "x@catchbob.test",
	            "refuse 550 5.4.6");
}

static void test_legs_carry_the_trail_on(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct decision d;

	q.trail = S("0123456789abcdef:AAAAAAAAAAAAAAAA");
	d = decide(&q, "bob@alias.test", "relay b.example(bob@alias.test)");
	assert_true(str_starts(d.legs[0].trail, q.trail));
	assert_true(guard_was_here(guard, d.legs[0].trail, S("bob@own.test")));
	assert_true(d.legs[0].is_known && d.is_known);
	assert_true(str_same(d.domain, S("own.test")));

	d = decide(&q, "some@own.test", "expand alice");
	assert_true(guard_was_here(guard, d.legs[0].trail,
	                           S("group some@own.test")));
	assert_true(d.legs[0].is_member);

	d = decide(&q, "x@slave.test", "relay master.example(x@slave.test)");
	assert_true(guard_was_here(guard, d.legs[0].trail, S("x@slave.test")));
	assert_false(d.legs[0].is_known || d.is_known);
}

/* ---- from the queue ---- */

static void test_shares_are_not_split_again(void **unused)
{
	struct question q = { .asker = asker_of("internet"),
		              .is_retry = true,
		              .is_split = true };

	decide(&q, "both@own.test", "deliver *frank");
	decide(&q, "fcopy@own.test", "deliver fcopy");
	q.takes_there = true;
	decide(&q, "both@own.test", "relay *b.example(both@own.test)");
	decide(&q, "fthere@own.test", "relay b.example(fthere@own.test)");
}

static void test_what_was_accepted_goes_on(void **unused)
{
	struct question q = { .asker = asker_of("system:b.example"),
		              .message_bytes = 5000,
		              .is_retry = true };

	q.trail = trail_with(STR_NONE, "bob@own.test");
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
	decide(&q, "ext@ext.test", "relay mx:ext.test(ext@ext.test)");
	decide(&q, "nosuch@own.test", "refuse 550 5.1.1");
	q.asker = asker_of("user:gone@gone.test");
	decide(&q, "ext@ext.test", "relay mx:ext.test(ext@ext.test)");
}

static void test_size(void **unused)
{
	struct question q = { .asker = asker_of("internet"),
		              .message_bytes = 1001 };

	decide(&q, "alice@own.test", "refuse 552 5.3.4");
	decide(&q, "bob@own.test", "refuse 552 5.3.4");
	decide(&q, "nosuch@own.test", "refuse 550 5.1.1");
	decide(&q, "sam@slave.test", "deliver sam");
	q.message_bytes = 1000;
	assert_int_equal(
	        decide(&q, "alice@own.test", "deliver alice").max_message_bytes,
	        1000);
}

/* ---- what the other system says ---- */

/* Who asks from the command line knows no answers; that is said. */
static void test_without_verification_it_says_so(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct decision d;

	d = decide(&q, "x@slave.test", "relay master.example(x@slave.test)");
	assert_string_equal(d.reasons[d.n_reasons - 1].id, "asked_at_rcpt");
	assert_true(str_same(
	        reason_fact(&d.reasons[d.n_reasons - 1], arena),
	        S("master.example is asked at RCPT; what it refuses is "
	          "refused")));
}

static int with_verification(void **unused)
{
	router.verification = verification = verification_open(NULL);
	return 0;
}

static int without_verification(void **unused)
{
	verification_close(verification);
	router.verification = NULL;
	return 0;
}

static void says(const char *system, const char *key, enum verdict verdict,
                 int code, const char *text)
{
	struct reply r = { .code = code, .text = str_of(text) };

	if (verdict == VERDICT_NO)
		memcpy(r.status, "5.7.9", 6);
	verify_learn(verification, str_of(system), str_of(key), verdict, &r);
}

static void test_it_is_asked_first(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct decision d;

	d = decide(&q, "Bob@own.test", "ask b.example(Bob@own.test)");
	assert_true(str_same(d.ask_key, S("bob@own.test")));
	d = decide(&q, "bob@alias.test", "ask b.example(bob@alias.test)");
	assert_true(str_same(d.ask_key, S("bob@alias.test")));
	d = decide(&q, "x@catchbob.test", "ask b.example(bob@own.test)");
	assert_true(str_same(d.ask_key, S("bob@own.test")));
	expect("internet", "x@slave.test", "ask master.example(x@slave.test)");
	expect("user:alice@own.test", "bob@own.test",
	       "ask b.example(bob@own.test)");
	/* shares and members are not */
	expect("internet", "both@own.test",
	       "both *frank *b.example(both@own.test)");
	expect("internet", "unknowns@slave.test",
	       "expand master.example(x@slave.test) sam");
	/* nor the Internet, nor for what was accepted before */
	expect("local", "x@ext.test", "relay mx:ext.test(x@ext.test)");
	q.is_retry = true;
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
}

static void test_its_answer_counts(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct decision d;

	says("b.example", "bob@own.test", VERDICT_YES, 250, "ok");
	expect("internet", "bob@own.test", "relay b.example(bob@own.test)");
	says("master.example", "x@slave.test", VERDICT_YES, 250, "ok");
	d = decide(&q, "x@slave.test", "relay master.example(x@slave.test)");
	assert_true(d.legs[0].is_known);
	says("master.example", "y@slave.test", VERDICT_NO, 553,
	     "go\r\naway \x1b[31m");
	d = decide(&q, "y@slave.test", "refuse 553 5.7.9");
	assert_true(str_same(d.reply.text,
	                     S("master.example said: go?\naway ?[31m")));
	expect("user:sam@slave.test", "y@slave.test", "refuse 553 5.7.9");
	says("b.example", "bob@own.test", VERDICT_NO, 550, "left");
	expect("internet", "bob@own.test", "refuse 550 5.7.9");
	says("master.example", "postmaster@slave.test", VERDICT_NO, 550, "?");
	expect("internet", "postmaster@slave.test",
	       "deliver postmaster-builtin");
}

static void test_its_size_limit_counts(void **unused)
{
	struct question q = { .asker = asker_of("internet"),
		              .message_bytes = 900 };

	verify_learn_size(verification, S("b.example"), 899);
	decide(&q, "bob@own.test", "ask b.example(bob@own.test)");
	says("b.example", "bob@own.test", VERDICT_YES, 250, "ok");
	decide(&q, "bob@own.test", "refuse 552 5.3.4");
	decide(&q, "alice@own.test", "deliver alice");
	verify_learn_size(verification, S("b.example"), 900);
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
	verify_learn_size(verification, S("b.example"), 10);
	q.is_retry = true;
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
}

static void test_the_system_is_down(void **unused)
{
	says("b.example", "x", VERDICT_TROUBLE, 0, "");
	says("master.example", "old@slave.test", VERDICT_YES, 250, "");
	says("master.example", "old@slave.test", VERDICT_TROUBLE, 0, "");
	says("keeper", "x", VERDICT_TROUBLE, 0, "");
	says("strict", "x", VERDICT_TROUBLE, 0, "");
	EXPECT_ALL(
	        { "internet", "bob@own.test", "relay b.example(bob@own.test)" },
	        { "internet", "old@slave.test",
	          "relay master.example(old@slave.test)" },
	        { "internet", "x@slave.test", "later 451 4.4.1" },
	        { "system:b.example", "x@slave.test", "later 451 4.4.1" },
	        { "user:sam@slave.test", "x@slave.test",
	          "relay master.example(x@slave.test)" },
	        { "system:google", "x@slave.test",
	          "relay master.example(x@slave.test)" },
	        { "internet", "postmaster@slave.test",
	          "relay master.example(postmaster@slave.test)" },
	        { "internet", "kurt@own.test", "relay keeper(kurt@own.test)" },
	        { "internet", "stan@own.test", "later 451 4.4.1" },
	        { "user:alice@own.test", "stan@own.test",
	          "relay strict(stan@own.test)" }, );
}

static void test_a_question_that_comes_back(void **unused)
{
	struct question q = { .asker = asker_of("internet") };
	struct tally *tally = tally_open();

	verification_close(verification);
	router.verification = verification = verification_open(tally);
	assert_true(verify_begin(verification, S("master.example"),
	                         S("x@slave.test")));
	assert_true(
	        verify_begin(verification, S("b.example"), S("bob@own.test")));
	decide(&q, "x@slave.test", "later 451 4.4.1");
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
	q.is_probe = true;
	decide(&q, "x@slave.test", "refuse 550 5.1.1");
	decide(&q, "bob@own.test", "relay b.example(bob@own.test)");
	expect("user:sam@slave.test", "x@slave.test",
	       "relay master.example(x@slave.test)");
	/* the system itself is recognised before that */
	expect("system:master.example", "x@slave.test", "refuse 550 5.1.1");
	verify_end(verification, S("master.example"), S("x@slave.test"),
	           VERDICT_NOT_ASKED, NULL);
	verify_end(verification, S("b.example"), S("bob@own.test"),
	           VERDICT_NOT_ASKED, NULL);
	tally_close(tally);
}

/* ---- who may write as whom ---- */

static int sender(const char *asker, const char *address)
{
	struct asker a = asker_of(asker);
	struct address from = { 0 };

	if (*address)
		from = address_of(address);
	return route_sender(&router, &a, &from, arena).code;
}

static void test_sender(void **unused)
{
	assert_int_equal(sender("user:alice@own.test", "Alice@Own.test"), 250);
	assert_int_equal(sender("user:alice@own.test", "ally+x@own.test"), 250);
	assert_int_equal(sender("user:alice@own.test", "everywhere@alias.test"),
	                 250);
	assert_int_equal(sender("user:alice@own.test", ""), 250);
	assert_int_equal(sender("user:alice@own.test", "bob@own.test"), 553);
	assert_int_equal(sender("user:alice@own.test", "x@ext.test"), 553);
	assert_int_equal(sender("user:bob@own.test", "bob@own.test"), 553);
	assert_int_equal(sender("user:bob@own.test", ""), 553);
	assert_int_equal(sender("user:dis@own.test", "dis@own.test"), 553);
	assert_int_equal(sender("internet", "alice@own.test"), 250);
	assert_int_equal(sender("internet", "sam@slave.test"), 550);
	assert_int_equal(sender("internet", "x@ext.test"), 250);
	assert_int_equal(sender("internet", ""), 250);
	assert_int_equal(sender("system:google", "sam@slave.test"), 250);
	assert_int_equal(sender("system:master.example", "sam@slave.test"),
	                 550);
	assert_int_equal(sender("local", "sam@slave.test"), 250);
}

static void test_asker_text(void **unused)
{
	static const char *const texts[] = { "internet", "local",
		                             "user:alice@own.test",
		                             "system:exchange",
		                             "system:b.example:2525" };
	struct asker a;

	for (size_t i = 0; i < array_size(texts); i++) {
		a = asker_of(texts[i]);
		assert_true(str_same(asker_text(&a, arena), str_of(texts[i])));
	}
	a = asker_of("system:exchange");
	assert_true(a.trusted);
	a.trusted = false;
	assert_true(
	        str_same(asker_text(&a, arena), S("system:ex.example:2525")));
	assert_false(asker_of("system:b.example").trusted);
	assert_false(asker_parse(router.directory, S("root"), arena, &a));
	assert_false(asker_parse(router.directory, S("user:x"), arena, &a));
	assert_false(
	        asker_parse(router.directory, S("system:a b c/"), arena, &a));
}

/* ---- changes are in force at once; these come last ---- */

static void test_smart_host(void **unused)
{
	make(&(struct line){ system_create, "smart",
	                     "hosts=smart.example smart_host=yes" });
	EXPECT_ALL({ "internet", "x@ext.test", "refuse 550 5.7.1" },
	           { "user:alice@own.test", "x@ext.test",
	             "relay smart(x@ext.test)" },
	           { "user:alice@own.test", "x@intranet",
	             "relay smart(x@intranet)" },
	           { "internet", "fonly@own.test",
	             "expand smart(ext@ext.test)" }, );
}

static struct decision decide_quietly(const char *recipient)
{
	struct question q = { .asker = asker_of("internet") };
	struct address a = address_of(recipient);

	q.recipient = &a;
	return route_decide(&router, &q, arena);
}

static void test_bigger_than_a_recipient_may_become(void **unused)
{
	struct str members[LIMIT_EXPANSION];
	struct decision d;

	for (int i = 0; i < LIMIT_EXPANSION; i++)
		members[i] = arena_strf(arena, "u%d@ext.test", i);
	make(&(struct line){ group_create, "big@own.test", "" });
	check(group_add(changes, S("big@own.test"), members, LIMIT_EXPANSION)
	              .outcome == CHANGE_DONE);
	make(&(struct line){ group_create, "bigger@own.test",
	                     "member=big@own.test member=one@ext.test" });
	d = decide_quietly("big@own.test");
	assert_int_equal(d.action, ROUTE_EXPAND);
	assert_int_equal(d.n, LIMIT_EXPANSION);
	assert_int_equal(d.n_reasons, LIMIT_REASONS);
	d = decide_quietly("bigger@own.test");
	assert_int_equal(d.action, ROUTE_REFUSE);
	assert_string_equal(d.reply.status, "5.2.4");
	assert_int_equal(d.n, 0);
}

static void test_nested_too_deeply(void **unused)
{
	for (int i = LIMIT_EXPANSION_DEPTH; i >= 0; i--) {
		const char *member =
		        i == LIMIT_EXPANSION_DEPTH
		                ? "alice@own.test"
		                : arena_printf(arena, "deep%d@own.test", i + 1);

		make(&(struct line){
		        group_create, arena_printf(arena, "deep%d@own.test", i),
		        arena_printf(arena, "member=%s", member) });
	}
	expect("internet", "deep1@own.test", "expand alice");
	expect("internet", "deep0@own.test", "refuse 550 5.4.6");
}

static void test_in_force_at_the_next_question(void **unused)
{
	expect("internet", "alice@own.test", "deliver alice");
	make(&(struct line){ user_set, "alice@own.test",
	                     "mail_system=alternate" });
	expect("internet", "alice@own.test", "relay b.example(alice@own.test)");
	make(&(struct line){ user_set, "alice@own.test", "enabled=no" });
	expect("internet", "alice@own.test", "refuse 550 5.2.1");
}

/* Every page behind the first is garbage. */
static void ruin(const char *name)
{
	FILE *f = fopen(name, "r+");
	long end;

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	end = ftell(f);
	fseek(f, 4096, SEEK_SET);
	while (ftell(f) < end)
		fputc(0xa5, f);
	fclose(f);
}

static void test_a_broken_directory_is_never_a_refusal(void **unused)
{
	directory_close(router.directory);
	changes_close(changes);
	changes = NULL;
	router.directory = directory_open(file);
	assert_non_null(router.directory);
	ruin(file);
	EXPECT_ALL({ "internet", "bob@own.test", "later 451 4.3.0" },
	           { "internet", "nosuch@own.test", "later 451 4.3.0" },
	           { "internet", "x@ext.test", "later 451 4.3.0" },
	           { "internet", "postmaster", "later 451 4.3.0" }, );
	assert_int_equal(sender("user:bob@own.test", "bob@own.test"), 451);
	assert_int_equal(sender("internet", "bob@own.test"), 451);
}

int main(void)
{
#define ASKING(test)                                                           \
	cmocka_unit_test_setup_teardown(test, with_verification,               \
	                                without_verification)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_domain_unknown),
		cmocka_unit_test(test_without_verification_it_says_so),
		cmocka_unit_test(test_who_has_the_address),
		cmocka_unit_test(test_home),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_postmaster),
		cmocka_unit_test(test_nobody_has_it),
		cmocka_unit_test(test_never_back_to_the_system_that_asks),
		cmocka_unit_test(test_never_a_second_time),
		cmocka_unit_test(test_legs_carry_the_trail_on),
		cmocka_unit_test(test_shares_are_not_split_again),
		cmocka_unit_test(test_what_was_accepted_goes_on),
		cmocka_unit_test(test_size),
		ASKING(test_it_is_asked_first),
		ASKING(test_its_answer_counts),
		ASKING(test_its_size_limit_counts),
		ASKING(test_the_system_is_down),
		ASKING(test_a_question_that_comes_back),
		cmocka_unit_test(test_sender),
		cmocka_unit_test(test_asker_text),
		cmocka_unit_test(test_smart_host),
		cmocka_unit_test(test_bigger_than_a_recipient_may_become),
		cmocka_unit_test(test_nested_too_deeply),
		cmocka_unit_test(test_in_force_at_the_next_question),
		cmocka_unit_test(test_a_broken_directory_is_never_a_refusal),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
