/* Keys that sign a domain's mail: their states, and what is refused. */
#include "directory/dkim.h"

#include "base/buf.h"
#include "directory/directory_test.h"
#include "directory/lists.h"

#define A S("a.test")
#define WISH(...) (&(struct dkim_wish){ __VA_ARGS__ })

static void add_key(void *to, const struct dkim_key *k)
{
	buf_printf(to, "%.*s/%.*s:%s:%s ", STR(k->domain), STR(k->selector),
		   dkim_algorithm_name(k->algorithm),
		   dkim_state_name(k->state));
}

static void assert_keys(const char *want)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	if (!list_dkim_keys(d, 0, add_key, &b))
		fail_msg("%s", cause());
	buf_add_char(&b, '\0');
	assert_string_equal(b.p, want);
}

static void add_signing(void *to, const struct dkim_key *k, struct str private)
{
	assert_true(str_starts(private, S("-----BEGIN PRIVATE KEY-----\n")));
	buf_printf(to, "%.*s ", STR(k->selector));
}

static void assert_signing(const char *want)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	assert_true(list_dkim_signing(d, add_signing, &b));
	buf_add_char(&b, '\0');
	assert_string_equal(b.p, want);
}

static void make_old(const char *selector, int64_t days)
{
	char text[200];
	sqlite3 *db;

	snprintf(text, sizeof(text),
		 "UPDATE dkim_key SET since_s = unixepoch() - %lld WHERE "
		 "selector = '%s'",
		 (long long)days * 86400, selector);
	assert_int_equal(sqlite3_open(test_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void a_key_is_made_used_succeeded_and_deleted(void **state)
{
	assert_done(domain_create(c, A, NOTHING));
	assert_not_found(dkim_rotate(c, A, false), NULL, "no keys");
	assert_done(dkim_create(c, A, WISH(.selector = S("One"))));
	assert_keys("a.test/one:rsa:new ");
	assert_signing("");
	assert_refused(dkim_rotate(c, A, false), NULL, "is new");
	assert_done(dkim_use(c, A, S("one")));
	assert_done(dkim_use(c, A, S("one")));
	assert_signing("one ");
	assert_done(
		dkim_create(c, A,
			    WISH(.selector = S("e"), .algorithm = S("ed25519"),
				 .is_used = true)));
	assert_signing("one e ");
	assert_done(dkim_create(c, A, WISH(.selector = S("two"))));
	assert_keys("a.test/one:rsa:active a.test/e:ed25519:active "
		    "a.test/two:rsa:new ");
	assert_done(dkim_use(c, A, S("two")));
	assert_keys("a.test/one:rsa:old a.test/e:ed25519:active "
		    "a.test/two:rsa:active ");
	assert_refused(dkim_delete(c, A, S("two"), false), "selector", "signs");
	assert_refused(dkim_delete(c, A, S("one"), false), "selector",
		       "5 more days");
	make_old("one", 4);
	assert_refused(dkim_delete(c, A, S("one"), false), "selector",
		       "1 more day.");
	make_old("one", 5);
	assert_done(dkim_delete(c, A, S("one"), false));
	assert_done(dkim_delete(c, A, S("two"), true));
	assert_keys("a.test/e:ed25519:active ");
	assert_not_found(dkim_delete(c, A, S("one"), true), "selector",
			 "only e");
	assert_not_found(dkim_use(c, A, S("")), "selector", "no new key");
	assert_not_found(dkim_use(c, S("b.test"), S("e")), "name", "b.test");
}

/* What is old may sign again: the new one was no good. */
static void the_old_one_can_be_had_back(void **state)
{
	assert_done(domain_create(c, A, NOTHING));
	assert_done(
		dkim_create(c, A, WISH(.selector = S("one"), .is_used = true)));
	assert_done(
		dkim_create(c, A, WISH(.selector = S("two"), .is_used = true)));
	assert_done(dkim_use(c, A, S("one")));
	assert_keys("a.test/one:rsa:active a.test/two:rsa:old ");
}

static void names_are_made(void **state)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	assert_done(domain_create(c, A, NOTHING));
	assert_done(dkim_create(c, A, WISH(.is_used = true)));
	assert_done(dkim_rotate(c, A, false));
	assert_true(list_dkim_keys(d, 0, add_key, &b));
	buf_add_char(&b, '\0');
	assert_non_null(strstr(b.p, "a.test/rsa-20"));
	assert_non_null(strstr(b.p, "-2:rsa:new"));
	assert_non_null(strstr(b.p, "-2:ed25519:new"));
	assert_refused(dkim_rotate(c, A, true), NULL, "is new");
}

static void what_is_no_selector_is_refused(void **state)
{
	static const char *const bad[] = { "-a",  "a-",       "a b", "a.b",
					   "a_b", "\xc3\xa9", "a/b", "$x" };
	char longest[64];

	memset(longest, 'x', sizeof(longest));
	assert_done(domain_create(c, A, NOTHING));
	for (size_t i = 0; i < array_size(bad); i++)
		assert_refused(
			dkim_create(c, A, WISH(.selector = str_of(bad[i]))),
			"selector", "is no selector");
	assert_refused(dkim_create(c, A, WISH(.selector = { longest, 64 })),
		       "selector", "up to 63");
	assert_done(dkim_create(
		c, A,
		WISH(.selector = { longest, 63 }, .algorithm = S("ed25519"))));
	assert_refused(dkim_create(c, A, WISH(.selector = { longest, 63 })),
		       "selector", "already");
	assert_refused(dkim_create(c, A, WISH(.algorithm = S("dsa"))),
		       "algorithm", "rsa");
	for (int i = 1; i < DKIM_KEYS_MOST; i++)
		assert_done(dkim_create(c, A, WISH(.algorithm = S("ed25519"))));
	assert_refused(dkim_create(c, A, WISH(.algorithm = S("ed25519"))), NULL,
		       "20 keys");
}

/* A domain takes its keys along; one is named by the domain's name of now. */
static void keys_are_a_domain_s(void **state)
{
	assert_done(domain_create(c, A, SET("aliases=b.test")));
	assert_done(domain_create(c, S("c.test"), NOTHING));
	assert_done(dkim_create(
		c, S("b.test"),
		WISH(.selector = S("e"), .algorithm = S("ed25519"))));
	assert_done(dkim_create(
		c, S("c.test"),
		WISH(.selector = S("e"), .algorithm = S("ed25519"))));
	assert_keys("a.test/e:ed25519:new c.test/e:ed25519:new ");
	assert_done(domain_delete(c, S("c.test")));
	assert_done(domain_rename(c, A, S("z.test"), true));
	assert_keys("z.test/e:ed25519:new ");
}

static uint64_t mark(void)
{
	uint64_t m;

	assert_true(dkim_mark(d, &m));
	return m;
}

/* Each of these has the files of who signs written anew, and nothing else. */
static void the_mark_is_another(void **state)
{
	uint64_t was = mark();

	assert_done(domain_create(c, A, NOTHING));
	assert_done(domain_create(c, S("c.test"), NOTHING));
	assert_done(dkim_create(c, A, WISH(.selector = S("one"))));
	assert_true(mark() == was);
	assert_done(dkim_use(c, A, S("one")));
	assert_true(mark() != was);
	was = mark();
	assert_done(user_create(c, S("bob@a.test"), NOTHING));
	assert_done(domain_set(c, S("c.test"), SET("aliases=d.test")));
	assert_true(mark() == was);
	assert_done(domain_set(c, A, SET("aliases=b.test")));
	assert_true(mark() != was);
	was = mark();
	assert_done(domain_rename(c, A, S("b.test"), true));
	assert_true(mark() != was);
	was = mark();
	assert_done(
		dkim_create(c, A, WISH(.selector = S("two"), .is_used = true)));
	assert_true(mark() != was);
	was = mark();
	assert_done(dkim_delete(c, A, S("one"), true));
	assert_true(mark() == was);
	assert_done(dkim_delete(c, A, S("two"), true));
	assert_true(mark() != was);
}

static void hear(void *secrets, const struct change_entry *e)
{
	if (str_search(e->new, S("PRIVATE")) >= 0 || e->new.n > 100)
		*(bool *)secrets = true;
}

static void the_log_has_no_secret(void **state)
{
	const struct change_page page = { .limit = 100 };
	bool has_secrets = false;

	assert_done(domain_create(c, A, NOTHING));
	assert_done(dkim_create(c, A, WISH(.is_used = true)));
	assert_done(dkim_rotate(c, A, true));
	assert_true(list_changes(d, &page, hear, &has_secrets));
	assert_false(has_secrets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_is_made_used_succeeded_and_deleted),
		TEST(the_old_one_can_be_had_back),
		TEST(names_are_made),
		TEST(what_is_no_selector_is_refused),
		TEST(keys_are_a_domain_s),
		TEST(the_mark_is_another),
		TEST(the_log_has_no_secret),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
