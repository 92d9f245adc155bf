/* What leads to an address does not outlive it: it is named, or goes along. */
#include "directory/deleted.h"
#include "directory/directory_test.h"
#include "directory/lists.h"

#define BOSS S("boss@a.test")
#define KEEP S("keep@b.test")
#define TEAM S("team@b.test")
#define ALIAS S("chief@a.test")

static struct str texts_of(const struct str *list, size_t n)
{
	return n == 0 ? S("") : n == 1 ? list[0] : S("several");
}

static struct str forward_of(struct str user)
{
	const struct str *list = NULL;
	int64_t id = 0;
	size_t n = 0;

	assert_int_equal(find_holder(d, user, arena, &id), ANSWER_YES);
	assert_int_equal(list_forwards(d, id, arena, &list, &n), ANSWER_YES);
	return texts_of(list, n);
}

static struct str member_of(struct str group)
{
	const struct str *list = NULL;
	int64_t id = 0;
	size_t n = 0;

	assert_int_equal(find_holder(d, group, arena, &id), ANSWER_YES);
	assert_int_equal(directory_members(d, id, 10, arena, &list, &n),
			 ANSWER_YES);
	return texts_of(list, n);
}

static struct domain domain_of(struct str name)
{
	struct domain domain;

	assert_int_equal(directory_domain(d, name, arena, &domain), ANSWER_YES);
	return domain;
}

/* b.test leads to boss@a.test, by what TARGET is. */
static void make_two_domains(const char *target)
{
	assert_done(domain_create(c, S("a.test"), SET("aliases=a2.test")));
	assert_done(domain_create(c, S("b.test"), NOTHING));
	assert_done(user_create(c, BOSS, SET("address=chief@*")));
	assert_done(user_create(
		c, KEEP, SET(arena_printf(arena, "forward=%s", target))));
	assert_done(group_create(
		c, TEAM, SET(arena_printf(arena, "member=%s", target))));
	assert_done(
		domain_set(c, S("b.test"),
			   SET(arena_printf(arena, "catch_all=%s", target),
			       arena_printf(arena, "postmaster=%s", target))));
}

static void assert_all_are_named(struct change r)
{
	static const char *const names[] = {
		"4 others",
		"keep@b.test (forward)",
		"team@b.test (member)",
		"b.test (catch_all)",
		"b.test (postmaster)",
		"--clean",
	};

	for (size_t i = 0; i < array_size(names); i++)
		assert_refused(r, NULL, names[i]);
	assert_false(str_empty(forward_of(KEEP)));
	assert_false(str_empty(member_of(TEAM)));
}

static void assert_all_went_along(struct change r)
{
	const char *said = arena_printf(arena, "%s", r.sentence);

	assert_done(r);
	assert_non_null(strstr(said, "keep@b.test (forward)"));
	assert_non_null(strstr(said, "team@b.test (member; nobody is left"));
	assert_true(str_empty(forward_of(KEEP)));
	assert_true(str_empty(member_of(TEAM)));
	assert_true(str_empty(domain_of(S("b.test")).catch_all));
	assert_true(str_empty(domain_of(S("b.test")).postmaster));
}

/* By every spelling of every one of his addresses. */
static void test_a_user_is_named_by_what_leads_to_him(void **state)
{
	static const char *const spellings[] = {
		"boss@a.test",       "Boss@A2.test",    "chief@a.test",
		"boss+news@a2.test", "\"boss\"@a.test",
	};

	for (size_t i = 0; i < array_size(spellings); i++) {
		make_two_domains(spellings[i]);
		assert_all_are_named(user_delete(c, BOSS));
		changes_clean(c, true);
		assert_all_went_along(user_delete(c, BOSS));
		assert_done(user_delete(c, KEEP));
		assert_done(group_delete(c, TEAM));
		assert_done(domain_delete(c, S("a.test")));
		assert_done(domain_delete(c, S("b.test")));
		changes_clean(c, false);
	}
}

static void test_an_address_is(void **state)
{
	make_two_domains("chief@a.test");
	assert_all_are_named(address_remove(c, BOSS, S("chief@*")));
	changes_clean(c, true);
	assert_all_went_along(address_remove(c, BOSS, S("chief@*")));
}

/* left+detail may be somebody else's address. */
static void test_a_detail_that_is_an_address_leads_elsewhere(void **state)
{
	make_two_domains("boss+x@a.test");
	assert_done(
		user_create(c, S("x@a.test"), SET("address=boss+x@a.test")));
	assert_done(user_delete(c, BOSS));
	assert_all_are_named(user_delete(c, S("x@a.test")));
}

static void test_groups_and_shared_mailboxes_are(void **state)
{
	make_two_domains("boss@a.test");
	assert_done(group_create(c, S("inner@a.test"), NOTHING));
	assert_done(shared_create(c, S("box@a.test"), NOTHING));
	assert_done(group_add(
		c, TEAM,
		(const struct str[]){ S("inner@a.test"), S("box@a2.test") },
		2));
	assert_refused(group_delete(c, S("inner@a.test")), NULL,
		       "team@b.test (member)");
	assert_refused(shared_delete(c, S("box@a.test")), NULL,
		       "team@b.test (member)");
	changes_clean(c, true);
	assert_done(group_delete(c, S("inner@a.test")));
	assert_done(shared_delete(c, S("box@a.test")));
	assert_true(str_same(member_of(TEAM), BOSS));
}

/* Mail for it would go out into the Internet, to whoever has the name. */
static void test_an_alias_of_a_domain_is(void **state)
{
	make_two_domains("boss@a2.test");
	assert_all_are_named(domain_set(c, S("a.test"), SET("aliases=")));
	changes_clean(c, true);
	assert_all_went_along(domain_set(c, S("a.test"), SET("aliases=")));
	changes_clean(c, false);
	/* What is changed in the same breath is no hindrance. */
	assert_done(
		domain_set(c, S("a.test"),
			   SET("aliases=a3.test", "catch_all=boss@a3.test")));
	assert_refused(domain_set(c, S("a.test"), SET("aliases=")), NULL,
		       "a.test (catch_all)");
	assert_done(domain_set(c, S("a.test"),
			       SET("aliases=", "catch_all=boss@a.test")));
}

static void test_a_domain_is(void **state)
{
	make_two_domains("postmaster@a2.test");
	assert_done(user_delete(c, BOSS));
	assert_done(admin_create(c, S("jane"), SET("domain=a.test")));
	assert_refused(domain_delete(c, S("a.test")), NULL,
		       "jane (administrator)");
	assert_done(admin_delete(c, S("jane")));
	assert_all_are_named(domain_delete(c, S("a.test")));
	changes_clean(c, true);
	assert_all_went_along(domain_delete(c, S("a.test")));
}

/* Whoever gets the address next gets no rights with it. */
static void test_rights_do_not_wait_for_a_successor(void **state)
{
	make_two_domains("boss@a.test");
	assert_done(admin_create(c, BOSS, SET("role=superadmin")));
	changes_clean(c, true);
	assert_done(user_delete(c, BOSS));
	changes_clean(c, false);
	assert_done(user_create(c, BOSS, SET("password=12345678")));
	assert_done(user_delete(c, BOSS));
	assert_done(admin_create(c, BOSS, SET("role=superadmin")));
	assert_done(user_create(c, BOSS, SET("password=12345678")));
	assert_refused(user_delete(c, BOSS), NULL, "boss@a.test (admin");
}

/* Each sees what is his: of others only how many there are. */
static void test_others_are_counted_only(void **state)
{
	int64_t a;

	make_two_domains("boss@a.test");
	assert_done(user_create(c, S("x@a.test"), SET("forward=boss@a.test")));
	a = domain_of(S("a.test")).id;
	changes_ask_as(c, ADMIN_DOMAIN, a);
	assert_refused(user_delete(c, BOSS), NULL,
		       "x@a.test (forward) and 4 more");
	changes_clean(c, true);
	/* b.test's own keys are not his. */
	assert_refused(user_delete(c, BOSS), NULL, "2 others");
	assert_refused(user_delete(c, BOSS), NULL, "not yours");
	changes_ask_as(c, ADMIN_SUPER, 0);
	assert_done(
		domain_set(c, S("b.test"), SET("catch_all=", "postmaster=")));
	changes_ask_as(c, ADMIN_DELEGATE, a);
	assert_done(user_delete(c, BOSS));
	assert_non_null(changes_cleaned(c, 0));
	assert_true(str_same(changes_cleaned(c, 0)->owner, S("x@a.test")));
	assert_null(changes_cleaned(c, 1));
	assert_true(str_empty(forward_of(KEEP)));
}

static void test_a_superiors_forward_stays(void **state)
{
	make_two_domains("postmaster@b.test");
	assert_done(admin_create(c, KEEP, SET("role=superadmin")));
	assert_done(user_set(c, KEEP, SET("forward=boss@a.test")));
	changes_ask_as(c, ADMIN_DOMAIN, domain_of(S("a.test")).id);
	changes_clean(c, true);
	assert_refused(user_delete(c, BOSS), NULL, "more rights");
	assert_true(str_same(forward_of(KEEP), BOSS));
}

/* Nor do the forwards of somebody who is kept, and comes back. */
static void test_who_comes_back_forwards_to_nobody_else(void **state)
{
	make_two_domains("postmaster@b.test");
	assert_done(
		user_set(c, KEEP, SET("forward=boss@a.test,out@else.test")));
	assert_done(user_delete(c, KEEP));
	assert_done(user_delete(c, BOSS));
	assert_done(user_create(c, BOSS, NOTHING));
	assert_done(deleted_restore(c, KEEP, STR_NONE));
	assert_true(str_same(forward_of(KEEP), S("out@else.test")));
	assert_done(user_set(c, KEEP, SET("forward=boss@a.test")));
	assert_done(user_delete(c, KEEP));
	assert_done(
		holder_rename(c, HOLDER_USER, BOSS, S("chef@a.test"), false));
	assert_done(domain_rename(c, S("b.test"), S("c.test"), false));
	assert_done(deleted_restore(c, S("keep@c.test"), STR_NONE));
	assert_true(str_same(forward_of(S("keep@c.test")), S("chef@a.test")));
}

/* What a domain that forwards unknown addresses let be. */
static void test_whoever_comes_is_told(void **state)
{
	struct change r;

	make_two_domains("boss@a.test");
	assert_done(domain_set(c, S("a.test"),
			       SET("relay=x.test", "forward_unknown=yes")));
	assert_done(
		group_add(c, TEAM, (const struct str[]){ S("new@a.test") }, 1));
	r = user_create(c, S("new@a.test"), NOTHING);
	assert_non_null(strstr(r.sentence, "1 other leads to it already: "
					   "team@b.test (member)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_user_is_named_by_what_leads_to_him),
		TEST(test_an_address_is),
		TEST(test_a_detail_that_is_an_address_leads_elsewhere),
		TEST(test_groups_and_shared_mailboxes_are),
		TEST(test_an_alias_of_a_domain_is),
		TEST(test_a_domain_is),
		TEST(test_rights_do_not_wait_for_a_successor),
		TEST(test_others_are_counted_only),
		TEST(test_a_superiors_forward_stays),
		TEST(test_who_comes_back_forwards_to_nobody_else),
		TEST(test_whoever_comes_is_told),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
