/* Systems: their settings, and who leads to them. */
#include "base/buf.h"
#include "directory/directory_test.h"
#include "directory/lists.h"

static void test_systems(void **state)
{
	assert_refused(system_create(c, S("a b"), SET("hosts=a.test")), "name",
		       "a b");
	assert_refused(system_create(c, S("gw"), NOTHING), "hosts", "");
	assert_refused(system_create(c, S("gw"),
				     SET("hosts=192.0.2.1", "tls=verified")),
		       "tls", "IP address");
	assert_refused(
		system_create(c, S("gw"),
			      SET("hosts=a.test,[2001::1]", "tls=verified")),
		"tls", "IP address");
	assert_refused(system_create(c, S("gw"), SET("hosts=a.test", "user=u")),
		       "password", "together");
	assert_refused(system_create(c, S("gw"),
				     SET("hosts=a.test", "user=u", "password=p",
					 "tls=none")),
		       "tls", "TLS");
	assert_refused(system_create(c, S("gw"),
				     SET("hosts=a.test", "trust=0.0.0.0/0")),
		       "trust", "whole Internet");
	assert_refused(system_create(c, S("gw"),
				     SET("hosts=a.test", "trust=everybody")),
		       "trust", "everybody");
	assert_done(system_create(
		c, S("gw"),
		SET("hosts=a.test", "trust=192.0.2.0/24", "smart_host=yes")));
	assert_refused(system_create(c, S("GW"), SET("hosts=b.test")), "name",
		       "exists");
	assert_refused(system_create(c, S("two"),
				     SET("hosts=b.test", "trust=192.0.2.0/24")),
		       "trust", "gw");
	assert_refused(system_create(c, S("two"),
				     SET("hosts=b.test", "smart_host=yes")),
		       "smart_host", "gw");
	assert_refused(
		system_set(c, S("gw"), SET("hosts=192.0.2.9", "tls=verified")),
		"tls", "IP address");
	assert_done(system_set(c, S("gw"), SET("tls=verified")));
	assert_refused(system_set(c, S("gw"), SET("hosts=192.0.2.9")), "tls",
		       "IP address");
	assert_not_found(system_set(c, S("hg"), SET("tls=none")), "name",
			 "only gw");
	assert_done(system_delete(c, S("gw")));
}

static struct system_limits limits_of_gw(void)
{
	struct system s;

	assert_int_equal(directory_system_named(d, S("gw"), arena, &s),
			 ANSWER_YES);
	return s.limits;
}

static void test_limits_of_a_system(void **state)
{
	static const char *const bad[] = { "0",   "-1", "many",
					   "1e2", " ",  "99999999999999999999",
					   "10k" };
	static const struct {
		const char *key, *most, *more;
	} counts[] = {
		{ "connections", "1000", "1001" },
		{ "mails_per_connection", "10000", "10001" },
		{ "recipients_per_mail", "1000", "1001" },
		{ "mails_per_minute", "60000", "60001" },
	};
	static const struct system_limits none;
	struct system_limits l;

	assert_done(system_create(c, S("gw"), SET("hosts=a.test")));
	l = limits_of_gw();
	assert_memory_equal(&l, &none, sizeof(none));
	for (size_t i = 0; i < array_size(counts); i++) {
		struct str key = str_of(counts[i].key);
		struct setting s = { key, str_of(counts[i].most) };

		assert_done(system_set(c, S("gw"), &s, 1));
		s.value = str_of(counts[i].more);
		assert_refused(system_set(c, S("gw"), &s, 1), counts[i].key,
			       counts[i].most);
		for (size_t k = 0; k < array_size(bad); k++) {
			s.value = str_of(bad[k]);
			assert_refused(system_set(c, S("gw"), &s, 1),
				       counts[i].key, "number from 1 to");
		}
	}
	l = limits_of_gw();
	assert_int_equal(l.connections, 1000);
	assert_int_equal(l.mails_per_connection, 10000);
	assert_int_equal(l.recipients_per_mail, 1000);
	assert_int_equal(l.mails_per_minute, 60000);
	assert_done(
		system_set(c, S("gw"),
			   SET("connections=", "mails_per_connection=1",
			       "recipients_per_mail=", "mails_per_minute=")));
	l = limits_of_gw();
	assert_int_equal(l.connections, 0);
	assert_int_equal(l.mails_per_connection, 1);
}

static void test_an_address_family_leaves_a_host(void **state)
{
	static const struct {
		const char *hosts, *family;
		bool good;
	} cases[] = {
		{ "192.0.2.1", "ipv4", true },
		{ "192.0.2.1", "ipv6", false },
		{ "[2001:db8::1]:2525", "ipv6", true },
		{ "[2001:db8::1]", "ipv4", false },
		{ "192.0.2.1, 192.0.2.2", "ipv6", false },
		{ "192.0.2.1, [2001:db8::1]", "ipv6", true },
		{ "192.0.2.1, [2001:db8::1]", "ipv4", true },
		{ "192.0.2.1, b.test", "ipv6", true },
		{ "b.test", "ipv4", true },
		{ "[2001:db8::1]", "any", true },
	};

	assert_done(system_create(c, S("gw"), SET("hosts=a.test")));
	for (size_t i = 0; i < array_size(cases); i++) {
		struct setting s[] = {
			{ S("hosts"), str_of(cases[i].hosts) },
			{ S("address_family"), str_of(cases[i].family) },
		};

		if (cases[i].good)
			assert_done(system_set(c, S("gw"), s, 2));
		else
			assert_refused(system_set(c, S("gw"), s, 2),
				       "address_family", cases[i].family);
	}
	assert_done(system_set(c, S("gw"),
			       SET("hosts=192.0.2.1", "address_family=ipv4")));
	assert_refused(system_set(c, S("gw"), SET("hosts=[2001:db8::1]")),
		       "address_family", "[2001:db8::1]");
	assert_refused(system_set(c, S("gw"), SET("address_family=ipv5")),
		       "address_family", "any, ipv4, ipv6");
	assert_int_equal(limits_of_gw().family, FAMILY_IPV4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_systems),
		TEST(test_limits_of_a_system),
		TEST(test_an_address_family_leaves_a_host),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
