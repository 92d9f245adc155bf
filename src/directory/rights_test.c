/* Whatever door a change of a superior comes through, it is refused; so is a
 * relay that is this machine. */
#include "base/buf.h"
#include "directory/directory_test.h"

#define ORG S("own.test")
#define BOSS S("boss@own.test") /* a superadministrator */
#define MAL S("mal@own.test")
#define FIELD "address"

static int64_t own;

static void ask_as(enum admin_role role)
{
	changes_ask_as(c, role, role == ADMIN_SUPER ? 0 : own);
}

static void make_people(void)
{
	struct domain domain;

	assert_done(domain_create(c, ORG, SET("relay=mail.b.test")));
	assert_done(domain_create(c, S("other.test"), NOTHING));
	assert_done(user_create(
		c, BOSS, SET("password=12345678", "address=ceo@own.test")));
	assert_done(user_create(c, MAL, NOTHING));
	assert_done(user_create(c, S("deputy@own.test"), NOTHING));
	assert_done(admin_create(c, BOSS, SET("role=superadmin")));
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	own = domain.id;
	changes_at(c, "mx.this.test");
}

#define REFUSED(made) assert_refused(made, NULL, "with more rights")
#define REFUSED_AT(made, field) assert_refused(made, field, "with more rights")

static void try_every_door(void)
{
	REFUSED(user_set(c, BOSS, SET("password=87654321")));
	REFUSED(user_set(c, BOSS, SET("forward=mal@own.test")));
	REFUSED(user_set(c, BOSS, SET("mail_system=none")));
	REFUSED(user_delete(c, BOSS));
	REFUSED(address_add(c, BOSS, S("spy@own.test")));
	REFUSED(address_remove(c, BOSS, S("ceo@own.test")));
	REFUSED(address_remove(c, STR_NONE, S("ceo@own.test")));
	REFUSED(address_set(c, BOSS, SET("home=alternate")));
	REFUSED(address_set(c, S("ceo@own.test"), SET("routed=no")));
	REFUSED_AT(address_add(c, MAL, S("boss+bank@own.test")), FIELD);
	REFUSED_AT(address_add(c, MAL, S("ceo+bank@*")), FIELD);
	REFUSED_AT(user_create(c, S("new@own.test"),
			       SET("address=boss+x@own.test")),
		   FIELD);
}

static void test_every_door_is_watched(void **state)
{
	make_people();
	ask_as(ADMIN_DELEGATE);
	try_every_door();
	ask_as(ADMIN_DOMAIN);
	try_every_door();
	/* Others are theirs. */
	assert_done(address_add(c, MAL, S("mal+x@own.test")));
	assert_done(user_set(c, MAL, SET("password=12345678")));
	ask_as(ADMIN_SUPER);
	assert_done(address_add(c, BOSS, S("spy@own.test")));
}

static void test_groups_and_domains_lead_to_a_superior(void **state)
{
	make_people();
	assert_done(
		group_create(c, S("g@own.test"), SET("member=ceo@own.test")));
	assert_done(domain_set(
		c, ORG,
		SET("catch_all=boss@own.test", "postmaster=boss@own.test")));
	ask_as(ADMIN_DOMAIN);
	REFUSED_AT(group_remove(c, S("g@own.test"),
				(const struct str[]){ S("ceo@own.test") }, 1),
		   "member");
	REFUSED_AT(
		group_create(c, S("h@own.test"), SET("member=boss+x@own.test")),
		"member");
	REFUSED_AT(domain_set(c, ORG, SET("catch_all=mal@own.test")),
		   "catch_all");
	REFUSED_AT(domain_set(c, ORG, SET("postmaster=")), "postmaster");
	assert_done(
		group_add(c, S("g@own.test"), (const struct str[]){ MAL }, 1));
	assert_done(domain_set(c, ORG, SET("description=ours")));
}

/* Whoever gets his mail by a forward, a group of it included. */
static void test_what_a_superior_forwards_to_is_his(void **state)
{
	static const struct str gone = { "gone@own.test", 13 };

	make_people();
	assert_done(group_create(c, S("inner@own.test"),
				 SET("member=deputy@own.test")));
	assert_done(group_create(c, S("outer@own.test"),
				 SET("member=inner@own.test")));
	assert_done(domain_set(c, ORG, SET("forward_unknown=yes")));
	assert_done(user_set(c, BOSS,
			     SET("forward=outer@own.test,"
				 "mal+x@own.test,gone@own.test")));
	ask_as(ADMIN_DOMAIN);
	REFUSED(group_add(c, S("outer@own.test"),
			  (const struct str[]){ S("deputy@own.test") }, 1));
	REFUSED(group_add(c, S("inner@own.test"), (const struct str[]){ MAL },
			  1));
	REFUSED(group_delete(c, S("inner@own.test")));
	REFUSED(user_set(c, MAL, SET("password=12345678")));
	REFUSED(user_set(c, MAL, SET("forward=spy@else.test")));
	/* Nobody becomes whom he forwards to. */
	REFUSED(user_create(c, gone, NOTHING));
	REFUSED(address_add(c, S("deputy@own.test"), gone));
	REFUSED(user_create(c, S("x@own.test"), SET("address=gone@own.test")));
	/* A group's members have the group's mail, not his. */
	assert_done(
		user_set(c, S("deputy@own.test"), SET("password=12345678")));
}

static void test_the_relay_of_a_superior_stays(void **state)
{
	make_people();
	assert_done(user_set(c, BOSS, SET("mail_system=alternate")));
	ask_as(ADMIN_DOMAIN);
	REFUSED_AT(domain_set(c, ORG, SET("relay=mail.evil.test")), "relay");
	assert_done(
		domain_set(c, ORG, SET("relay=mail.b.test", "description=x")));
	ask_as(ADMIN_SUPER);
	assert_done(user_set(c, BOSS, SET("mail_system=hosted")));
	assert_done(address_set(c, S("ceo@own.test"), SET("home=both")));
	ask_as(ADMIN_DOMAIN);
	REFUSED_AT(domain_set(c, ORG, SET("relay=mail.evil.test")), "relay");
}

static void test_an_equal_may(void **state)
{
	make_people();
	assert_done(
		admin_create(c, MAL, SET("role=delegate", "domain=own.test")));
	ask_as(ADMIN_DELEGATE);
	assert_done(address_add(c, MAL, S("m@own.test")));
	ask_as(ADMIN_SUPER);
	assert_done(admin_set(c, MAL, SET("domain=other.test")));
	ask_as(ADMIN_DELEGATE);
	REFUSED(address_remove(c, MAL, S("m@own.test")));
}

static void test_this_machine_is_no_relay_for_everybody(void **state)
{
	static const char *const here[] = {
		"127.0.0.1:25",
		"127.9.9.9",
		"[::1]:25",
		"0.0.0.0:25",
		"0.1.2.3",
		"[::]",
		"[::ffff:127.0.0.1]:2525",
		"169.254.169.254:80",
		"[fe80::1]",
		"[febf::1]",
		"localhost",
		"LocalHost.",
		"a.localhost",
		"localhost.localdomain",
		"ip6-loopback",
		"mx.this.test",
		"mail.b.test, 127.0.0.1",
	};

	make_people();
	for (size_t i = 0; i < array_size(here); i++) {
		struct setting s = { S("relay"), str_of(here[i]) };
		struct setting h = { S("hosts"), str_of(here[i]) };

		ask_as(ADMIN_DOMAIN);
		assert_refused(domain_set(c, ORG, &s, 1), "relay",
			       "superadministrator");
		assert_refused(system_create(c, S("x"), &h, 1), "hosts",
			       "superadministrator");
		ask_as(ADMIN_SUPER);
		assert_done(domain_set(c, ORG, &s, 1));
		/* What is there may stay. */
		ask_as(ADMIN_DOMAIN);
		assert_done(domain_set(c, ORG, &s, 1));
		assert_done(domain_set(c, ORG, SET("relay=192.0.2.7")));
	}
	assert_done(domain_set(c, ORG,
			       SET("relay=10.0.0.1, mx.that.test, "
				   "[fec0::1], 126.0.0.1")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_door_is_watched),
		TEST(test_groups_and_domains_lead_to_a_superior),
		TEST(test_what_a_superior_forwards_to_is_his),
		TEST(test_the_relay_of_a_superior_stays),
		TEST(test_an_equal_may),
		TEST(test_this_machine_is_no_relay_for_everybody),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
