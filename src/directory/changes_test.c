/* Every rule an administrator can run into, with the field it names and the
 * part of the sentence that helps. */
#include "base/buf.h"
#include "directory/directory_test_split.h"
#include "directory/lists.h"
#include "directory/outbox.h"

/* ---- domains ---- */

static void test_domain_names(void **state)
{
	struct domain domain;

	make_domain();
	assert_refused(domain_create(c, S("EXAMPLE.org."), NOTHING), "name",
		       "");
	assert_refused(domain_create(c, S("Example.ORG"), NOTHING), "name",
		       "exists already");
	assert_refused(domain_create(c, S("example.net"), NOTHING), "name",
		       "alias of the domain example.org");
	assert_refused(domain_create(c, S("no domain"), NOTHING), "name", "");
	assert_done(domain_create(c, S("other.test"), NOTHING));
	assert_refused(
		domain_set(c, S("other.test"), SET("aliases=example.net")),
		"aliases", "example.org");
	assert_refused(domain_set(c, ORG, SET("aliases=other.test")), "aliases",
		       "other.test exists");
	assert_refused(domain_set(c, ORG, SET("aliases=example.org")),
		       "aliases", "own name");
	assert_done(domain_set(c, ORG, SET("aliases=a.test, B.test,a.test")));
	assert_int_equal(directory_domain(d, S("b.test"), arena, &domain),
			 ANSWER_YES);
	assert_true(str_same(domain.name, ORG));
	assert_int_equal(directory_domain(d, S("example.net"), arena, &domain),
			 ANSWER_NO);
	assert_done(domain_create(c, S("m\xc3\xbcller.test"), NOTHING));
	assert_int_equal(
		directory_domain(d, S("xn--mller-kva.test"), arena, &domain),
		ANSWER_YES);
	assert_done(domain_delete(c, S("M\xc3\xbcller.test")));
}

static void test_a_mailbox_has_an_ascii_login(void **state)
{
	struct str jurgen = S("j\xc3\xbcrgen@example.org");

	make_split();
	assert_refused(user_create(c, jurgen, NOTHING), "address", "in ASCII");
	assert_refused(shared_create(c, jurgen, NOTHING), "address",
		       "in ASCII");
	assert_done(user_create(c, jurgen, SET("mail_system=alternate")));
	assert_refused(user_set(c, jurgen, SET("mail_system=hosted")),
		       "address", "in ASCII");
	assert_done(user_delete(c, jurgen));
	assert_done(group_create(c, jurgen, NOTHING));
}

static void test_unknown_keys_name_the_valid_ones(void **state)
{
	make_split();
	assert_refused(domain_set(c, ORG, SET("relais=x")), "relais",
		       "forward_unknown");
	assert_refused(user_set(c, ALICE, SET("mailsystem=x")), "mailsystem",
		       "mail_system");
	assert_refused(user_set(c, ALICE, SET("mail_system=both")),
		       "mail_system", "hosted, alternate, none");
	assert_refused(user_set(c, ALICE, SET("enabled=maybe")), "enabled",
		       "yes or no");
	assert_refused(user_set(c, ALICE, SET("quota=lots")), "quota", "10G");
	assert_refused(address_set(c, ALICE, SET("rooted=no")), "rooted",
		       "routed");
	assert_refused(address_set(c, ALICE, SET("home=here")), "home",
		       "alternate");
	assert_not_found(domain_set(c, S("no.test"), SET("relay=a.test")),
			 "name", "no.test");
	assert_not_found(user_set(c, S("no@example.org"), NOTHING), "address",
			 "no user no@example.org");
}

static void test_relay_syntax(void **state)
{
	struct domain domain;

	make_domain();
	assert_refused(domain_set(c, ORG, SET("relay=a.test:0")), "relay", "");
	assert_refused(domain_set(c, ORG, SET("relay=a..test")), "relay", "");
	assert_done(domain_set(c, ORG,
			       SET("relay=A.test,[2001:db8::1]:26,"
				   "192.0.2.1")));
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	assert_true(str_starts(domain.relay, S("a.test")));
}

static void test_forward_unknown_needs_a_relay(void **state)
{
	assert_refused(domain_create(c, ORG, SET("forward_unknown=yes")),
		       "forward_unknown", "relay");
	make_domain();
	assert_refused(domain_set(c, ORG, SET("forward_unknown=yes")),
		       "forward_unknown", "relay=HOST");
	assert_done(
		domain_set(c, ORG, SET("forward_unknown=yes", "relay=b.test")));
	assert_refused(domain_set(c, ORG, SET("relay=")), "relay",
		       "forward_unknown=no");
	assert_done(domain_set(c, ORG, SET("relay=", "forward_unknown=no")));
}

static void test_catch_all_excludes_forward_unknown(void **state)
{
	make_split();
	assert_refused(domain_set(c, ORG, SET("catch_all=none@example.org")),
		       "catch_all", "Nobody has");
	assert_done(domain_set(c, ORG, SET("catch_all=alice@example.net")));
	assert_refused(domain_set(c, ORG, SET("forward_unknown=yes")),
		       "forward_unknown", "catch-all");
	assert_done(
		domain_set(c, ORG, SET("catch_all=", "forward_unknown=yes")));
	assert_refused(domain_set(c, ORG, SET("catch_all=alice@example.org")),
		       "catch_all", "forward_unknown=no");
	assert_done(domain_set(
		c, ORG, SET("forward_unknown=no", "catch_all=out@else.test")));
}

/* The first ten in the order of their creation, and how many there are. */
static void test_a_relay_in_use_stays(void **state)
{
	struct change r;

	assert_done(domain_create(c, ORG, SET("relay=b.test")));
	for (int i = 0; i < 12; i++)
		assert_done(user_create(c,
					arena_strf(arena, "u%d@example.org", i),
					SET("mail_system=alternate")));
	r = domain_set(c, ORG, SET("relay="));
	assert_int_equal(r.outcome, CHANGE_REFUSED);
	assert_string_equal(r.field, "relay");
	assert_non_null(strstr(r.sentence, "12 users"));
	assert_non_null(strstr(r.sentence, "u0@example.org, u1@example.org"));
	assert_non_null(strstr(r.sentence, "u9@example.org and 2 more"));
	assert_null(strstr(r.sentence, "u10"));
	assert_done(domain_set(c, ORG, SET("relay=c.test")));
}

static void test_a_relay_in_use_by_an_address_stays(void **state)
{
	make_split();
	assert_done(user_delete(c, BOB));
	assert_done(address_add(c, ALICE, S("al@*")));
	assert_done(address_set(c, S("al@example.net"), SET("home=both")));
	assert_refused(domain_set(c, ORG, SET("relay=")), "relay",
		       "alice@example.org");
	/* With a system of her own she does not depend on it. */
	assert_done(system_create(c, S("gw"), SET("hosts=gw.test")));
	assert_done(user_set(c, ALICE, SET("system=gw")));
	assert_done(domain_set(c, ORG, SET("relay=")));
	assert_refused(user_set(c, ALICE, SET("system=")), "mail_system",
		       "no relay");
	assert_refused(system_delete(c, S("gw")), NULL, "alice@example.org");
}

static void test_domain_delete(void **state)
{
	make_split();
	assert_refused(domain_delete(c, ORG), NULL, "alice@example.org");
	assert_refused(domain_delete(c, S("example.net")), "name", "alias of");
	assert_done(user_delete(c, ALICE));
	assert_done(user_delete(c, BOB));
	assert_done(domain_delete(c, ORG));
	make_split();
}

/* ---- users ---- */

static void test_alternate_needs_a_relay(void **state)
{
	make_domain();
	assert_refused(user_create(c, BOB, SET("mail_system=alternate")),
		       "mail_system", "relay=HOST");
	assert_done(user_create(c, BOB, NOTHING));
	assert_refused(user_set(c, BOB, SET("mail_system=alternate")),
		       "mail_system", "relay");
	assert_refused(address_set(c, BOB, SET("home=alternate")), "home",
		       "relay");
	assert_not_found(user_set(c, BOB, SET("system=gw")), "system", "gw");
	assert_done(system_create(c, S("GW"), SET("hosts=gw.test")));
	assert_done(
		user_set(c, BOB, SET("mail_system=alternate", "system=gw")));
}

static void test_user_addresses(void **state)
{
	make_split();
	assert_refused(user_create(c, S("Alice@example.net"), NOTHING),
		       "address", "the user alice@example.org has");
	assert_refused(user_create(c, S("a+b@example.org"), NOTHING), "address",
		       "\"+\"");
	assert_refused(user_create(c, S("\"a b\"@example.org"), NOTHING),
		       "address", "quotes");
	assert_refused(user_create(c, S("nobody"), NOTHING), "address", "");
	assert_not_found(user_create(c, S("a@no.test"), NOTHING), "address",
			 "no.test");
	assert_refused(
		user_create(c, S("postmaster-builtin@example.org"), NOTHING),
		"address", "reserved");
	/* Nothing of a user is left when one of his addresses is taken. */
	assert_refused(user_create(c, S("carol@example.org"),
				   SET("address=carola@*", "address=bob@*")),
		       "address", "bob@example.org");
	assert_done(user_create(c, S("carola@example.org"), NOTHING));
	assert_done(user_create(c, S("carol@example.net"),
				SET("address=c@example.net", "name=Carol")));
	assert_done(user_set(c, S("carol@example.org"), SET("quota=2G")));
}

static void test_passwords(void **state)
{
	make_domain();
	assert_refused(user_create(c, BOB, SET("password=")), "password",
		       "empty");
	assert_refused(user_create(c, BOB, SET("password=a\nb")), "password",
		       "control");
	assert_refused(user_create(c, BOB, SET("password_hash=abc")),
		       "password_hash", "{SCHEME}");
	assert_refused(user_create(c, BOB, SET("password_hash={PLAIN}abc")),
		       "password_hash", "can be read");
	assert_done(user_create(
		c, BOB,
		SET("password_hash={PLAIN-MD5}00112233445566778899aabbccddeeff")));
	assert_refused(user_set(c, BOB, SET("password=7 chars")), "password",
		       "at least 8");
	assert_refused(user_set(c, BOB, SET("password=\u00fcmlaut\u00fc")),
		       "password", "at least 8");
	assert_refused(user_set(c, BOB, SET("password=Bob@example.org")),
		       "password", "is the name");
	assert_done(user_set(c, BOB, SET("password=8 chars!")));
	assert_done(user_set(c, BOB, SET("password=bob@example.net")));
	assert_done(user_create(c, S("birgitta@example.org"), NOTHING));
	assert_refused(user_set(c, S("birgitta@example.org"),
				SET("password=BIRGITTA")),
		       "password", "is the name");
	assert_done(user_set(c, BOB, SET("password=a secret")));
}

/* Once, by who is told to do something about it. */
static void test_who_cannot_log_in_is_told_of(void **state)
{
	static const char told[] = "cannot log in until one is set: `splitmail "
				   "user password bob@example.org`";

	make_split();
	assert_non_null(strstr(
		user_set(c, BOB, SET("mail_system=hosted")).sentence, told));
	assert_null(strstr(user_set(c, BOB, SET("name=Bob")).sentence, told));
	assert_done(user_set(c, BOB, SET("password=a secret")));
	assert_done(user_set(c, BOB, SET("mail_system=alternate")));
	assert_null(strstr(user_set(c, BOB, SET("mail_system=hosted")).sentence,
			   told));
	assert_non_null(
		strstr(user_set(c, BOB, SET("password_hash=")).sentence, told));
}

static void test_forwards(void **state)
{
	struct domain domain;
	struct holder h;

	make_split();
	assert_refused(user_set(c, ALICE, SET("forward=alice@example.net")),
		       "forward", "forward_copy");
	assert_refused(user_set(c, ALICE, SET("forward=no@example.org")),
		       "forward", "Nobody");
	assert_done(user_set(c, ALICE,
			     SET("forward=Bob@example.org, "
				 "x@else.test",
				 "forward_copy=no")));
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	assert_int_equal(
		directory_address(d, &domain, S("alice"), ORG, arena, &h),
		ANSWER_YES);
	assert_int_equal(h.n_forwards, 2);
	assert_true(str_same(h.forwards[0], S("Bob@example.org")));
	assert_false(h.forward_keeps_copy);
	assert_done(user_set(c, ALICE, SET("forward=")));
}

static void note(void *arg, struct str login)
{
	size_t n = strlen(arg);

	snprintf((char *)arg + n, 200 - n, "%.*s ", STR(login));
}

static int64_t newest(struct outbox *o)
{
	int64_t id = -1;

	assert_true(outbox_newest(o, &id));
	return id;
}

/* Who may not be here any more is put out; who only changes his name stays. */
static void test_sessions_end(void **state)
{
	struct outbox *o = outbox_open(test_path);
	char seen[200] = "";

	assert_non_null(o);
	make_split();
	assert_done(user_set(c, ALICE, SET("name=A", "quota=1M")));
	/* who is new has none */
	assert_done(
		user_create(c, S("new@example.org"), SET("password=a secret")));
	assert_done(
		user_create(c, S("away@example.org"),
			    SET("mail_system=alternate", "password=a secret")));
	assert_int_equal(newest(o), 0);

	assert_done(user_set(c, ALICE, SET("password=another one")));
	assert_done(user_set(c, ALICE, SET("mail_system=alternate")));
	assert_done(user_set(c, ALICE, SET("mail_system=hosted")));
	assert_done(user_set(c, ALICE, SET("enabled=no")));
	assert_done(user_delete(c, BOB));
	assert_true(outbox_each(o, 0, newest(o), note, seen));
	assert_string_equal(seen, "alice@example.org alice@example.org "
				  "alice@example.org bob@example.org ");
	outbox_close(o);
}

/* What comes later is not struck out with it, nor seen again as old. */
static void test_what_was_not_done_is_seen_again(void **state)
{
	struct outbox *o = outbox_open(test_path);
	char seen[200] = "";
	int64_t first, second;

	make_split();
	assert_done(user_delete(c, ALICE));
	first = newest(o);
	assert_done(user_delete(c, BOB));
	assert_true(outbox_strike_out(o, first));
	assert_true(outbox_each(o, 0, newest(o), note, seen));
	assert_string_equal(seen, "bob@example.org ");

	second = newest(o);
	assert_true(outbox_strike_out(o, second));
	assert_int_equal(newest(o), 0);
	assert_done(user_create(c, BOB, NOTHING));
	assert_done(user_delete(c, BOB));
	assert_true(newest(o) > second);
	seen[0] = '\0';
	assert_true(outbox_each(o, second, newest(o), note, seen));
	assert_string_equal(seen, "bob@example.org ");
	outbox_close(o);
}

/* ---- addresses ---- */

static void test_overlaps(void **state)
{
	make_split();
	assert_done(address_add(c, ALICE, S("al@*")));
	assert_refused(address_add(c, ALICE, S("*@example.org")), "address",
		       "catch_all=");
	assert_refused(address_add(c, BOB, S("al@example.net")), "address",
		       "alice@example.org has al@* (all aliases)");
	assert_done(address_add(c, ALICE, S("a1@example.net")));
	assert_refused(address_add(c, BOB, S("a1@*")), "address",
		       "has a1@example.net");
	assert_done(address_add(c, BOB, S("A1@example.org")));
	assert_not_found(address_add(c, BOB, S("x@else.test")), "address",
			 "else.test");
	assert_done(domain_create(c, S("second.test"), NOTHING));
	assert_refused(address_add(c, BOB, S("x@second.test")), "address",
		       "same domain");
	assert_refused(group_create(c, S("al@example.org"), NOTHING), "address",
		       "alice@example.org");
	/* The alias that only one address stands on. */
	assert_refused(domain_set(c, ORG, SET("aliases=later.test")), "aliases",
		       "a1@example.net (alice@example.org)");
	assert_done(address_remove(c, ALICE, S("a1@example.net")));
	assert_done(domain_set(c, ORG, SET("aliases=later.test")));
}

static void test_address_remove(void **state)
{
	make_split();
	assert_refused(address_remove(c, ALICE, ALICE), "address", "default");
	assert_done(address_add(c, ALICE, S("al@*")));
	assert_refused(address_remove(c, ALICE, S("al@example.org")), "address",
		       "remove al@*");
	assert_not_found(address_remove(c, BOB, S("al@*")), "address", "al@*");
	assert_done(domain_set(c, ORG, SET("postmaster=al+x@example.net")));
	assert_refused(address_remove(c, S(""), S("al@*")), NULL,
		       "(postmaster)");
	assert_refused(user_delete(c, ALICE), NULL, "postmaster");
	assert_done(domain_set(c, ORG, SET("postmaster=")));
	assert_done(address_remove(c, S(""), S("al@*")));
}

/* Changing the mail system never loses what was set for an address. */
static void test_settings_are_remembered_apart(void **state)
{
	struct domain domain;
	struct holder h;

	make_split();
	assert_done(address_add(c, ALICE, S("al@*")));
	assert_done(address_set(c, S("al@example.org"), SET("home=none")));
	assert_done(user_set(c, ALICE, SET("mail_system=alternate")));
	assert_done(address_set(c, S("al@*"), SET("routed=no")));
	assert_done(user_set(c, ALICE, SET("mail_system=hosted")));
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	assert_int_equal(directory_address(d, &domain, S("al"),
					   S("example.net"), arena, &h),
			 ANSWER_YES);
	assert_int_equal(h.home, HOME_NONE);
	assert_false(h.routed);
	assert_true(h.all_aliases);
	assert_int_equal(h.mail_system, HOME_HOSTED);
	assert_not_found(address_set(c, S("abuse@example.org"), NOTHING),
			 "address", "abuse");
}

static void test_postmaster_yields(void **state)
{
	struct domain domain;
	struct holder h;

	make_split();
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	assert_int_equal(directory_address(d, &domain, S("abuse"),
					   S("example.net"), arena, &h),
			 ANSWER_YES);
	assert_true(h.builtin);
	assert_int_equal(h.kind, HOLDER_SHARED);
	assert_done(address_add(c, ALICE, S("abuse@*")));
	assert_done(user_create(c, S("postmaster@example.org"), NOTHING));
	assert_int_equal(
		directory_address(d, &domain, S("abuse"), ORG, arena, &h),
		ANSWER_YES);
	assert_false(h.builtin);
	assert_true(str_same(h.login, ALICE));
	assert_int_equal(
		directory_address(d, &domain, S("postmaster"), ORG, arena, &h),
		ANSWER_YES);
	assert_int_equal(h.kind, HOLDER_USER);
	assert_done(user_delete(c, S("postmaster@example.org")));
	assert_int_equal(
		directory_address(d, &domain, S("postmaster"), ORG, arena, &h),
		ANSWER_YES);
	assert_true(h.builtin);
	assert_refused(shared_delete(c, S("postmaster-builtin@example.org")),
		       "address", "stays");
}

/* ---- groups ---- */

#define MEMBERS(...) \
	(const struct str[]){ __VA_ARGS__ }, \
		array_size(((const struct str[]){ __VA_ARGS__ }))

static void test_groups(void **state)
{
	const struct str *members;
	struct domain domain;
	struct holder h;
	size_t n;

	make_split();
	assert_refused(group_create(c, S("all@example.org"),
				    SET("member=no@example.org")),
		       "member", "Nobody has");
	assert_done(group_create(
		c, S("all@example.org"),
		SET("member=Bob@example.org", "member=x@else.test")));
	assert_done(group_create(c, S("top@example.org"),
				 SET("member=all@example.net")));
	assert_refused(group_add(c, S("all@example.org"),
				 MEMBERS(S("top@example.org"))),
		       "member", "circle");
	assert_refused(group_add(c, S("all@example.org"),
				 MEMBERS(S("all@example.net"))),
		       "member", "itself");
	assert_refused(group_add(c, S("all@example.org"),
				 MEMBERS(ALICE, S("bob@example.org"))),
		       "member", "already");
	assert_not_found(group_remove(c, S("all@example.org"), MEMBERS(ALICE)),
			 "member", "no member");
	assert_not_found(group_add(c, ALICE, MEMBERS(BOB)), "address",
			 "is a user");
	assert_done(group_add(c, S("all@example.org"), MEMBERS(ALICE)));

	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	assert_int_equal(
		directory_address(d, &domain, S("all"), ORG, arena, &h),
		ANSWER_YES);
	assert_int_equal(directory_members(d, h.id, 100, arena, &members, &n),
			 ANSWER_YES);
	assert_int_equal(n, 3);
	assert_true(str_same(members[0], S("Bob@example.org")));
	assert_true(str_same(members[2], ALICE));

	/* A user who is deleted leaves his groups, when that is wanted. */
	changes_clean(c, true);
	assert_done(user_delete(c, BOB));
	assert_int_equal(directory_members(d, h.id, 100, arena, &members, &n),
			 ANSWER_YES);
	assert_int_equal(n, 2);
}

/* On a slave the other side may know more. */
static void test_members_of_a_domain_that_forwards(void **state)
{
	assert_done(domain_create(c, ORG,
				  SET("relay=b.test", "forward_unknown=yes")));
	assert_done(group_create(c, S("all@example.org"),
				 SET("member=bob@example.org")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_domain_names),
		TEST(test_a_mailbox_has_an_ascii_login),
		TEST(test_unknown_keys_name_the_valid_ones),
		TEST(test_relay_syntax),
		TEST(test_forward_unknown_needs_a_relay),
		TEST(test_catch_all_excludes_forward_unknown),
		TEST(test_a_relay_in_use_stays),
		TEST(test_a_relay_in_use_by_an_address_stays),
		TEST(test_domain_delete),
		TEST(test_alternate_needs_a_relay),
		TEST(test_user_addresses),
		TEST(test_passwords),
		TEST(test_who_cannot_log_in_is_told_of),
		TEST(test_forwards),
		TEST(test_sessions_end),
		TEST(test_what_was_not_done_is_seen_again),
		TEST(test_overlaps),
		TEST(test_address_remove),
		TEST(test_settings_are_remembered_apart),
		TEST(test_postmaster_yields),
		TEST(test_groups),
		TEST(test_members_of_a_domain_that_forwards),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
