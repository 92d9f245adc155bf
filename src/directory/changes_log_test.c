/* Administrators, what the log says of changes, what a refusal is made of, and
 * the frame that all changes have. */
#include "base/buf.h"
#include "directory/directory_test_split.h"
#include "directory/lists.h"
#include "directory/outbox.h"

/* ---- administrators ---- */

static void test_administrators(void **state)
{
	make_domain();
	assert_refused(admin_create(c, S("jane"), NOTHING), "domain",
		       "--domain");
	assert_refused(
		admin_create(c, S("jane"),
			     SET("role=superadmin", "domain=example.org")),
		"domain", "all domains");
	assert_refused(admin_create(c, S("Jane Doe"), SET("role=superadmin")),
		       "name", "small letters");
	assert_refused(admin_create(c, S("jane"), SET("role=king")), "role",
		       "delegate");
	assert_done(admin_create(c, S("jane"),
				 SET("role=delegate", "domain=example.net")));
	assert_refused(admin_create(c, S("jane"), SET("role=superadmin")),
		       "name", "exists");
	assert_refused(admin_delete(c, S("admin0")), "name", "stays");
	assert_refused(admin_set(c, S("admin0"),
				 SET("role=delegate", "domain=example.org")),
		       "role", "admin0");
	assert_done(admin_delete(c, S("jane")));
	assert_not_found(admin_delete(c, S("jane")), "name", "jane");
}

/* ---- the change log ---- */

static void see_entry(void *text, const struct change_entry *e)
{
	buf_printf(text, "%.*s: \"%.*s\" to \"%.*s\"\n", STR(e->field),
		   STR(e->old), STR(e->new));
}

/* The newest entries about SUBJECT, the last one first. */
static void assert_log(const char *subject, int64_t entries, const char *want)
{
	struct change_page page = { .subject = str_of(subject),
				    .limit = entries };
	struct buf text scoped(buf) = BUF_EMPTY;

	assert_true(list_changes(d, &page, see_entry, &text));
	buf_add_char(&text, '\0');
	assert_string_equal(text.p, want);
}

static void test_log_of_administrators(void **state)
{
	make_domain();
	assert_done(admin_create(c, S("jane"),
				 SET("role=delegate", "domain=example.net")));
	assert_log("jane", 9,
		   "created: \"\" to \"jane\"\n"
		   "domain: \"\" to \"example.org\"\n"
		   "role: \"\" to \"delegate\"\n");
	assert_done(admin_set(c, S("jane"),
			      SET("role=domain-admin", "password=quite long")));
	assert_log("jane", 2,
		   "password: \"\" to \"set\"\n"
		   "role: \"delegate\" to \"domain-admin\"\n");
	assert_done(admin_set(c, S("jane"), SET("role=superadmin", "domain=")));
	assert_log("jane", 2,
		   "domain: \"example.org\" to \"\"\n"
		   "role: \"domain-admin\" to \"superadmin\"\n");
}

static void test_log_of_systems(void **state)
{
	assert_done(system_create(c, S("gw"), SET("hosts=a.test")));
	assert_log("gw", 9,
		   "hosts: \"\" to \"a.test\"\n"
		   "created: \"\" to \"gw\"\n");
	assert_done(system_set(
		c, S("gw"),
		SET("hosts=b.test", "tls=required", "when_down=keep-known")));
	assert_log("gw", 2,
		   "tls: \"opportunistic\" to \"required\"\n"
		   "hosts: \"a.test\" to \"b.test\"\n");
	assert_done(system_set(
		c, S("gw"), SET("user=u", "password=hidden", "may_relay=yes")));
	assert_log("gw", 3,
		   "may_relay: \"no\" to \"yes\"\n"
		   "password: \"\" to \"set\"\n"
		   "user: \"\" to \"u\"\n");
	assert_done(system_set(c, S("gw"),
			       SET("connections=2", "address_family=ipv4")));
	assert_done(system_set(c, S("gw"), SET("connections=")));
	assert_log("gw", 3,
		   "connections: \"2\" to \"\"\n"
		   "connections: \"\" to \"2\"\n"
		   "address_family: \"any\" to \"ipv4\"\n");
}

/* ---- what a refusal is made of ---- */

static void test_a_refusal_has_an_identity_and_values(void **state)
{
	struct change r;

	make_domain();
	r = domain_create(c, S("Example.ORG"), NOTHING);
	assert_int_equal(r.outcome, CHANGE_REFUSED);
	assert_int_equal(r.reason, REFUSE_domain_exists);
	assert_string_equal(refusal_name(r.reason), "domain_exists");
	assert_true(str_same(value_find(r.values, "domain")->text, ORG));
	r = domain_set(c, S("nosuch.test"), NOTHING);
	assert_int_equal(r.outcome, CHANGE_NOT_FOUND);
	assert_int_equal(r.reason, REFUSE_no_such_domain);
}

/* The first ten by name, and how many there are. */
static void test_a_long_list_is_counted(void **state)
{
	const struct value *names;
	struct change r;

	make_split();
	for (int i = 2; i <= 12; i++)
		assert_done(user_create(c,
					arena_strf(arena, "u%d@example.org", i),
					SET("mail_system=alternate")));
	r = domain_set(c, ORG, SET("relay="));
	assert_refused(r, "relay", "12 users of example.org depend on");
	assert_refused(r, "relay", "bob@example.org, u2@example.org, ");
	assert_refused(r, "relay", "u10@example.org and 2 more. Make");
	assert_int_equal(r.reason, REFUSE_relay_in_use);
	assert_int_equal(value_find(r.values, "n")->number, 12);
	names = value_find(r.values, "names");
	assert_int_equal(names->list.n, 10);
	assert_true(str_same(names->list.p[0], BOB));
}

/* ---- the frame ---- */

/* In a batch a refused change is undone alone. */
static void test_batch(void **state)
{
	struct domain domain;

	assert_true(changes_begin(c));
	make_domain();
	assert_refused(user_create(c, ALICE, SET("address=alice@*")), "address",
		       "taken");
	assert_done(user_create(c, BOB, NOTHING));
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_NO);
	assert_true(changes_end(c));
	assert_int_equal(directory_domain(d, ORG, arena, &domain), ANSWER_YES);
	assert_done(user_create(c, ALICE, NOTHING));
	assert_not_found(user_delete(c, S("carol@example.org")), "address",
			 "carol");
}

static void test_a_change_is_seen_at_once(void **state)
{
	uint64_t before = directory_version(d);
	struct domain domain;

	assert_int_equal(directory_first_domain(d, arena, &domain), ANSWER_NO);
	make_domain();
	assert_true(directory_version(d) != before);
	assert_int_equal(directory_first_domain(d, arena, &domain), ANSWER_YES);
	/* Between begin and end it stands still. */
	directory_begin(d);
	directory_begin(d);
	assert_int_equal(directory_domain(d, S("b.test"), arena, &domain),
			 ANSWER_NO);
	assert_done(domain_create(c, S("b.test"), NOTHING));
	directory_end(d);
	assert_int_equal(directory_domain(d, S("b.test"), arena, &domain),
			 ANSWER_NO);
	directory_end(d);
	assert_int_equal(directory_domain(d, S("b.test"), arena, &domain),
			 ANSWER_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_administrators),
		TEST(test_log_of_administrators),
		TEST(test_log_of_systems),
		TEST(test_a_refusal_has_an_identity_and_values),
		TEST(test_a_long_list_is_counted),
		TEST(test_batch),
		TEST(test_a_change_is_seen_at_once),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
