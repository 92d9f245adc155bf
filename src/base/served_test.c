/* Which certificate is for a name. */
#include "base/served.h"

#include <stdio.h>

#include "base/test.h"

enum { NOW = 1000, PAST = 900, SOON = 1100, LATE = 1200 };

struct world {
	struct str names[8][3];
	struct served all[8];
	size_t n;
};

static void add(struct world *w, enum key_kind key, int64_t ends_ms,
		const char *a, const char *b)
{
	struct served *s = &w->all[w->n];

	w->names[w->n][0] = str_of(a);
	w->names[w->n][1] = str_of(b);
	*s = (struct served){ w->names[w->n], b ? 2 : 1, key, ends_ms };
	w->n++;
}

/* -1: none */
static int chosen(const struct world *w, const char *asked, enum key_kind key)
{
	int found[KEY_KINDS];
	bool any = served_choose(w->all, w->n, str_of(asked), NOW, found);

	assert_int_equal(any, found[KEY_ECDSA] >= 0 || found[KEY_RSA] >= 0 ||
				      found[KEY_OTHER] >= 0);
	return found[key];
}

static void names_as_clients_say_them(void **state)
{
	struct world w = { .n = 0 };

	(void)state;
	add(&w, KEY_ECDSA, LATE, "other.example.org", NULL);
	add(&w, KEY_ECDSA, LATE, "mail.example.org", "xn--mller-kva.example");
	assert_int_equal(chosen(&w, "mail.example.org", KEY_ECDSA), 1);
	assert_int_equal(chosen(&w, "MAIL.Example.ORG", KEY_ECDSA), 1);
	assert_int_equal(chosen(&w, "mail.example.org.", KEY_ECDSA), 1);
	assert_int_equal(chosen(&w, "XN--Mller-kva.example", KEY_ECDSA), 1);
	assert_int_equal(chosen(&w, "m\xc3\xbcller.example", KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, "mail.example.org..", KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, "ail.example.org", KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, "x.mail.example.org", KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, "example.org", KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, "", KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, ".", KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, NULL, KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, "192.0.2.1", KEY_ECDSA), -1);
}

static void a_name_of_its_own_before_a_wildcard(void **state)
{
	struct world w = { .n = 0 };

	(void)state;
	add(&w, KEY_ECDSA, LATE, "*.example.org", "example.org");
	add(&w, KEY_ECDSA, SOON, "mail.example.org", NULL);
	assert_int_equal(chosen(&w, "mail.example.org", KEY_ECDSA), 1);
	assert_int_equal(chosen(&w, "imap.example.org", KEY_ECDSA), 0);
	assert_int_equal(chosen(&w, "example.org", KEY_ECDSA), 0);
	assert_int_equal(chosen(&w, "*.example.org", KEY_ECDSA), 0);
	/* one label, and no less */
	assert_int_equal(chosen(&w, "a.imap.example.org", KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, ".example.org", KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, "org", KEY_ECDSA), -1);
}

static void one_that_has_ended_comes_last(void **state)
{
	struct world w = { .n = 0 };

	(void)state;
	add(&w, KEY_ECDSA, PAST, "mail.example.org", NULL);
	assert_int_equal(chosen(&w, "mail.example.org", KEY_ECDSA), 0);
	add(&w, KEY_ECDSA, SOON, "*.example.org", NULL);
	assert_int_equal(chosen(&w, "mail.example.org", KEY_ECDSA), 1);
	add(&w, KEY_ECDSA, SOON, "mail.example.org", NULL);
	add(&w, KEY_ECDSA, LATE, "mail.example.org", NULL);
	add(&w, KEY_ECDSA, SOON, "mail.example.org", NULL);
	assert_int_equal(chosen(&w, "mail.example.org", KEY_ECDSA), 3);
}

static void two_kinds_of_keys(void **state)
{
	struct world w = { .n = 0 };

	(void)state;
	add(&w, KEY_RSA, SOON, "mail.example.org", NULL);
	add(&w, KEY_ECDSA, LATE, "mail.example.org", NULL);
	add(&w, KEY_RSA, LATE, "*.example.org", NULL);
	add(&w, KEY_ECDSA, PAST, "old.example.org", NULL);
	assert_int_equal(chosen(&w, "mail.example.org", KEY_RSA), 0);
	assert_int_equal(chosen(&w, "mail.example.org", KEY_ECDSA), 1);
	assert_int_equal(chosen(&w, "mail.example.org", KEY_OTHER), -1);
	/* the one that ended is no second choice */
	assert_int_equal(chosen(&w, "old.example.org", KEY_ECDSA), -1);
	assert_int_equal(chosen(&w, "old.example.org", KEY_RSA), 2);
}

static void names_that_are_none(void **state)
{
	char to[SERVED_NAME_BYTES], name[300];

	(void)state;
	assert_true(served_name(S("*.Example.org"), to));
	assert_string_equal(to, "*.example.org");
	assert_true(served_name(S("_mta._x.example.org"), to));
	assert_false(served_name(S("*"), to));
	assert_false(served_name(S("*."), to));
	assert_false(served_name(S("f*.example.org"), to));
	assert_false(served_name(S("a.*.example.org"), to));
	assert_false(served_name(S("a b"), to));
	assert_false(served_name(S("a\"}\n"), to));
	assert_false(served_name((struct str){ "a\0b", 3 }, to));
	memset(name, 'a', sizeof(name));
	assert_true(served_name((struct str){ name, 253 }, to));
	assert_false(served_name((struct str){ name, 254 }, to));
	name[253] = '.';
	assert_true(served_name((struct str){ name, 254 }, to));
}

static void from_none_to_a_thousand(void **state)
{
	enum { MANY = 1000 };
	static char text[MANY][32];
	static struct str names[MANY];
	static struct served all[MANY];
	int found[KEY_KINDS];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		snprintf(text[i], sizeof(text[i]), "m%d.example.org", i);
		names[i] = str_of(text[i]);
		all[i] = (struct served){ &names[i], 1, KEY_RSA, LATE };
	}
	assert_false(served_choose(all, 0, names[0], NOW, found));
	for (int i = 0; i < MANY; i++) {
		assert_true(served_choose(all, MANY, names[i], NOW, found));
		assert_int_equal(found[KEY_RSA], i);
		assert_int_equal(found[KEY_ECDSA], -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_as_clients_say_them),
		cmocka_unit_test(a_name_of_its_own_before_a_wildcard),
		cmocka_unit_test(one_that_has_ended_comes_last),
		cmocka_unit_test(two_kinds_of_keys),
		cmocka_unit_test(names_that_are_none),
		cmocka_unit_test(from_none_to_a_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
