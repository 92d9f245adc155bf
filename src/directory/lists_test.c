/* Pages, the change log, tokens and administrators: what the console asks. */
#include <sqlite3.h>

#include "base/buf.h"
#include "directory/admins.h"
#include "directory/directory_test.h"
#include "directory/lists.h"
#include "directory/password.h"
#include "directory/sql.h"

static void make_people(void)
{
	assert_done(domain_create(c, S("a.test"), SET("relay=b.test")));
	assert_done(domain_create(c, S("z.test"), NOTHING));
	for (int i = 0; i < 9; i++)
		assert_done(user_create(
			c, arena_strf(arena, "u%d@a.test", i),
			SET(arena_printf(arena, "name=Person %d", 8 - i),
			    i % 2 ? "mail_system=alternate"
				  : "mail_system=hosted")));
	assert_done(group_create(c, S("g@a.test"), SET("name=50%_!")));
	assert_done(user_create(c, S("u0@z.test"), NOTHING));
}

static struct holder_page page_of(const char *domain)
{
	struct domain found;

	assert_int_equal(directory_domain(d, str_of(domain), arena, &found),
			 ANSWER_YES);
	return (struct holder_page){ .kinds = ~0u,
				     .domain = found.id,
				     .mail_system = -1,
				     .enabled = -1,
				     .limit = 100 };
}

struct seen {
	struct buf text;
	struct holder_page *page;
};

static void see(void *arg, const struct holder_entry *e)
{
	struct seen *s = arg;
	struct str rest = e->login, left;

	str_split(&rest, '@', &left);
	buf_printf(&s->text, "%.*s ", STR(left));
	s->page->after_place = arena_str(arena, e->place);
	s->page->after_name = arena_str(arena, e->name);
}

/* All pages of PAGE, one after the other. */
static void assert_pages(struct holder_page page, const char *want)
{
	struct seen s = { BUF_EMPTY, &page };
	int64_t n = 0;
	size_t before;

	assert_int_equal(count_holders(d, &page, &n), ANSWER_YES);
	do {
		before = s.text.n;
		assert_true(list_holder_page(d, &page, see, &s));
	} while (s.text.n > before);
	buf_add_char(&s.text, '\0');
	assert_string_equal(s.text.p, want);
	for (const char *p = want; *p; p++)
		n -= *p == ' ';
	assert_int_equal(n, 0);
	buf_free(&s.text);
}

static void test_pages(void **state)
{
	struct holder_page p;

	make_people();
	p = page_of("a.test");
	p.kinds = 1u << HOLDER_USER;
	for (p.limit = 1; p.limit < 12; p.limit += 5) {
		p.sort = SORT_ADDRESS;
		assert_pages(p, "u0 u1 u2 u3 u4 u5 u6 u7 u8 ");
		p.sort = SORT_ADDRESS_DOWN;
		assert_pages(p, "u8 u7 u6 u5 u4 u3 u2 u1 u0 ");
		p.sort = SORT_NAME;
		assert_pages(p, "u8 u7 u6 u5 u4 u3 u2 u1 u0 ");
		p.sort = SORT_NAME_DOWN;
		assert_pages(p, "u0 u1 u2 u3 u4 u5 u6 u7 u8 ");
	}
	p.sort = SORT_ADDRESS;
	p.mail_system = HOME_ALTERNATE;
	assert_pages(p, "u1 u3 u5 u7 ");
}

/* By number where there is one, whatever else is in the local part. */
static void test_natural_order(void **state)
{
	static const char *const logins[] = {
		"user10", "user1",
		"user2",  "user",
		"user02", "user-2",
		"a2b10",  "a2b9",
		"user.x", "room100000000000000000000",
		"room9",  "10",
		"9",      "user0",
	};
	struct holder_page p;

	assert_done(domain_create(c, S("a.test"), NOTHING));
	for (size_t i = 0; i < array_size(logins); i++)
		assert_done(user_create(
			c, arena_strf(arena, "%s@a.test", logins[i]), NOTHING));
	p = page_of("a.test");
	p.kinds = 1u << HOLDER_USER;
	for (p.limit = 1; p.limit < 20; p.limit += 6) {
		p.sort = SORT_ADDRESS;
		assert_pages(p, "9 10 a2b9 a2b10 room9 "
				"room100000000000000000000 user user-2 "
				"user.x user0 user1 user02 user2 user10 ");
		/* Nobody has a name. */
		p.sort = SORT_NAME_DOWN;
		assert_pages(p, "user10 user2 user02 user1 user0 user.x user-2 "
				"user room100000000000000000000 room9 a2b10 "
				"a2b9 10 9 ");
	}
}

/* A row without a key, and one whose login is changed. */
static void test_order_of_other_rows(void **state)
{
	struct sql *s = directory_connect(test_path, SQL_WRITE);
	struct holder_page p;

	assert_non_null(s);
	assert_done(domain_create(c, S("a.test"), NOTHING));
	assert_done(user_create(c, S("u2@a.test"), NOTHING));
	assert_done(user_create(c, S("u10@a.test"), NOTHING));
	assert_true(sql_run(s,
			    "INSERT INTO holder (kind, domain, login) "
			    "SELECT 0, id, 'u3@a.test' FROM domain",
			    ""));
	p = page_of("a.test");
	p.kinds = 1u << HOLDER_USER;
	for (p.limit = 1; p.limit < 5; p.limit++)
		assert_pages(p, "u2 u10 u3 ");
	assert_true(sql_run(s,
			    "UPDATE holder SET login = 'u5@a.test' "
			    "WHERE login = 'u3@a.test'",
			    ""));
	assert_pages(p, "u2 u5 u10 ");
	sql_close(s);
}

/* Whatever the order: a page of 100,000 is found, not sorted. */
static void test_pages_are_in_an_index(void **state)
{
	sqlite3 *db = sql_connection(directory_sql(d));
	struct holder_page p;
	struct seen s = { BUF_EMPTY, &p };
	int pages = 0;

	make_people();
	p = page_of("a.test");
	for (p.sort = SORT_ADDRESS; p.sort <= SORT_NAME_DOWN; p.sort++)
		assert_true(list_holder_page(d, &p, see, &s));
	buf_free(&s.text);
	for (sqlite3_stmt *each = sqlite3_next_stmt(db, NULL); each;
	     each = sqlite3_next_stmt(db, each)) {
		sqlite3_stmt *plan;

		if (!strstr(sqlite3_sql(each), "LIMIT ?11"))
			continue;
		pages++;
		assert_int_equal(
			sqlite3_prepare_v2(
				db,
				arena_printf(arena, "EXPLAIN QUERY PLAN %s",
					     sqlite3_sql(each)),
				-1, &plan, NULL),
			SQLITE_OK);
		while (sqlite3_step(plan) == SQLITE_ROW)
			assert_null(strstr(
				(const char *)sqlite3_column_text(plan, 3),
				"TEMP B-TREE"));
		sqlite3_finalize(plan);
	}
	assert_int_equal(pages, 4);
}

static void test_search(void **state)
{
	struct holder_page p;

	make_people();
	assert_done(address_add(c, S("u3@a.test"), S("hidden@*")));
	assert_done(user_set(c, S("u4@a.test"), SET("enabled=no")));
	p = page_of("a.test");
	p.search = S("PERSON 2");
	assert_pages(p, "u6 ");
	p.search = S("hidd");
	assert_pages(p, "u3 ");
	p.search = S("%_!");
	assert_pages(p, "g ");
	p.search = S("%");
	assert_pages(p, "g ");
	p.search = S("u0@");
	assert_pages(p, "u0 ");
	p.search = S("");
	p.enabled = 0;
	assert_pages(p, "u4 ");
	p.enabled = -1;
	assert_done(user_set(c, S("u5@a.test"), SET("password=long enough")));
	p.password = PASSWORD_SET;
	assert_pages(p, "u5 ");
	p.password = PASSWORD_NONE;
	assert_pages(p, "u0 u1 u2 u3 u4 u6 u7 u8 ");
	p = page_of("z.test");
	assert_pages(p, "postmaster-builtin u0 ");
	p = page_of("a.test");
	p.system = S("nosuch");
	assert_pages(p, "");
}

static void test_search_is_blind_to_case_and_accents(void **state)
{
	static const char *const zola[] = {
		"Émile Zölä", "émile", "emile",         "EMILE", "ÉMILE",
		"ZÖLÄ",       "zola",  "E\xcc\x81mile", "le zo",
	};
	static const char *const nobody[] = {
		"%mile", "_mile", "émila", "z!la", "\xc3",
	};
	struct holder_page p;

	make_people();
	assert_done(user_set(c, S("u1@a.test"), SET("name=Émile Zölä")));
	assert_done(user_set(c, S("u2@a.test"), SET("name=Иван Strauß 100%é")));
	p = page_of("a.test");
	for (size_t i = 0; i < array_size(zola); i++) {
		p.search = str_of(zola[i]);
		assert_pages(p, "u1 ");
	}
	for (size_t i = 0; i < array_size(nobody); i++) {
		p.search = str_of(nobody[i]);
		assert_pages(p, "");
	}
	p.search = S("ИВАН STRAUSS");
	assert_pages(p, "u2 ");
	p.search = S("0%É");
	assert_pages(p, "u2 ");
	/* letters that are not in the table of the common ones */
	assert_done(user_set(c, S("u5@a.test"), SET("name=Nguyễn Đỗ")));
	p.search = S("NGUYEN");
	assert_pages(p, "u5 ");
	p.search = S("NGUYỄN đo");
	assert_pages(p, "u5 ");
}

static void see_change(void *arg, const struct change_entry *e)
{
	buf_printf(arg, "%.*s %.*s; ", STR(e->subject), STR(e->field));
}

static void assert_changes(struct change_page page, const char *want)
{
	struct buf text scoped(buf) = BUF_EMPTY;

	page.limit = 3;
	assert_true(list_changes(d, &page, see_change, &text));
	buf_add_char(&text, '\0');
	assert_string_equal(text.p, want);
}

static void test_change_log(void **state)
{
	make_people();
	assert_done(domain_create(c, S("sub.z.test"), NOTHING));
	assert_done(admin_create(c, S("jane@z.test"), SET("domain=z.test")));
	assert_changes((struct change_page){ .domain = S("z.test") },
		       "u0@z.test created; z.test created; ");
	assert_changes((struct change_page){ .subject = S("sub.z.test") },
		       "sub.z.test created; ");
	assert_changes((struct change_page){ .who = S("nobody") }, "");
}

static void count_token(void *n, const struct token_entry *t)
{
	++*(int *)n;
}

static void test_tokens(void **state)
{
	char token[TOKEN_CHARS + 1], other[TOKEN_CHARS + 1];
	struct token_entry t;
	int n = 0;

	assert_done(token_create(c, S("admin0"), S("backup"), TOKEN_READ, 1,
				 token));
	assert_done(
		token_create(c, S("admin0"), S("sync"), TOKEN_WRITE, 1, other));
	assert_string_not_equal(token, other);
	assert_int_equal(directory_token(d, str_of(token), arena, &t),
			 ANSWER_YES);
	assert_int_equal(t.scope, TOKEN_READ);
	assert_true(str_same(t.admin, S("admin0")));
	assert_int_equal(t.expires_s - t.created_s, 86400);
	assert_int_equal(directory_token(d, S("guess"), arena, &t), ANSWER_NO);
	assert_not_found(token_delete(c, S("jane"), t.id), NULL, "no such");
	assert_done(token_delete(c, S(""), t.id));
	assert_int_equal(directory_token(d, str_of(token), arena, &t),
			 ANSWER_NO);
	assert_true(list_tokens(d, S("admin0"), count_token, &n));
	assert_int_equal(n, 1);
	assert_refused(
		token_create(c, S("admin0"), S(" "), TOKEN_WRITE, 1, token),
		"name", "what");
	assert_refused(
		token_create(c, S("admin0"), S("x"), TOKEN_WRITE, 0, token),
		"days", "1 to");
	assert_not_found(
		token_create(c, S("no"), S("x"), TOKEN_WRITE, 1, token), NULL,
		"no administrator");
}

/* Every token's end, as seen from now. */
static void end_tokens(int64_t in_s)
{
	struct sql *s = directory_connect(test_path, SQL_WRITE);

	assert_non_null(s);
	assert_true(sql_run(s, "UPDATE token SET expires_at = unixepoch() + ?",
			    "i", in_s));
	sql_close(s);
}

static void count_expired(void *n, const struct token_entry *t)
{
	*(int *)n += t->is_expired;
}

/* It is of no use, and is shown as such until a month later. */
static void test_an_expired_token(void **state)
{
	char token[TOKEN_CHARS + 1], other[TOKEN_CHARS + 1];
	struct token_entry t;
	int n = 0;

	assert_done(
		token_create(c, S("admin0"), S("old"), TOKEN_WRITE, 1, token));
	end_tokens(-1);
	assert_int_equal(directory_token(d, str_of(token), arena, &t),
			 ANSWER_NO);
	assert_done(
		token_create(c, S("admin0"), S("new"), TOKEN_WRITE, 1, other));
	assert_true(list_tokens(d, S("admin0"), count_expired, &n));
	assert_int_equal(n, 1);
	end_tokens(-31 * 86400);
	assert_done(
		token_create(c, S("admin0"), S("more"), TOKEN_WRITE, 1, other));
	n = 0;
	assert_true(list_tokens(d, S("admin0"), count_token, &n));
	assert_int_equal(n, 1);
}

/* A user who is an administrator signs in while he is hosted and enabled. */
static void test_administrators(void **state)
{
	struct str jane = S("jane@a.test");
	struct admin a;

	assert_int_equal(directory_admin(d, S("admin0"), arena, &a),
			 ANSWER_YES);
	assert_int_equal(a.role, ADMIN_SUPER);
	assert_true(password_matches(S("admin-secret"), a.hash));
	assert_int_equal(directory_admin(d, jane, arena, &a), ANSWER_NO);
	assert_done(domain_create(c, S("a.test"), SET("relay=b.test")));
	assert_done(
		admin_create(c, jane, SET("domain=a.test", "role=delegate")));
	assert_int_equal(directory_admin(d, jane, arena, &a), ANSWER_YES);
	assert_string_equal(a.hash, "");
	assert_done(user_create(c, jane, SET("password=of the user")));
	assert_int_equal(directory_admin(d, jane, arena, &a), ANSWER_YES);
	assert_true(password_matches(S("of the user"), a.hash));
	assert_true(str_same(a.domain_name, S("a.test")));
	assert_done(user_set(c, jane, SET("enabled=no")));
	assert_int_equal(directory_admin(d, jane, arena, &a), ANSWER_NO);
	assert_done(
		user_set(c, jane, SET("enabled=yes", "mail_system=alternate")));
	assert_int_equal(directory_admin(d, jane, arena, &a), ANSWER_NO);
}

/* Several changes are seen from inside, and none of them when undone. */
static void test_undo(void **state)
{
	struct directory *inside = changes_directory(c);
	struct domain domain;
	struct holder h;

	assert_true(changes_begin(c));
	assert_done(domain_create(c, S("a.test"), NOTHING));
	assert_refused(domain_create(c, S("a.test"), NOTHING), "name",
		       "exists");
	assert_done(user_create(c, S("u@a.test"), NOTHING));
	assert_int_equal(directory_domain(inside, S("a.test"), arena, &domain),
			 ANSWER_YES);
	directory_begin(inside);
	assert_int_equal(directory_address(inside, &domain, S("u"), S("a.test"),
					   arena, &h),
			 ANSWER_YES);
	directory_end(inside);
	assert_int_equal(directory_domain(d, S("a.test"), arena, &domain),
			 ANSWER_NO);
	changes_undo(c);
	assert_int_equal(directory_domain(inside, S("a.test"), arena, &domain),
			 ANSWER_NO);
	assert_done(domain_create(c, S("a.test"), NOTHING));
	assert_int_equal(directory_domain(d, S("a.test"), arena, &domain),
			 ANSWER_YES);
}

static void see_system(void *text, const struct next_hop *h, struct str hosts)
{
	buf_printf(text, "%s:%.*s=%.*s ", next_hop_word(h->kind), STR(h->name),
		   STR(hosts));
}

static void assert_next_systems(const char *domain, const char *want)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct domain found = { .id = 0 };

	if (*domain)
		assert_int_equal(
			directory_domain(d, str_of(domain), arena, &found),
			ANSWER_YES);
	assert_true(list_next_systems(d, found.id, see_system, &b));
	buf_add_char(&b, '\0');
	assert_string_equal(b.p, want);
}

/* Where mail of a domain may go, and nothing of the others'. */
static void test_next_systems(void **state)
{
	assert_done(system_create(c, S("gw"), SET("hosts=gw.test")));
	assert_done(system_create(c, S("idle"), SET("hosts=idle.test")));
	assert_done(domain_create(c, S("a.test"), SET("relay=b.test")));
	assert_done(domain_create(c, S("c.test"), SET("relay=b.test")));
	assert_done(domain_create(c, S("z.test"), NOTHING));
	assert_done(user_create(c, S("u@z.test"),
				SET("mail_system=alternate", "system=gw")));
	assert_next_systems("a.test", "relay:b.test=b.test ");
	assert_next_systems("z.test", "system:gw=gw.test ");
	assert_next_systems(
		"",
		"relay:b.test=b.test system:gw=gw.test system:idle=idle.test ");
}

static void see_name(void *text, struct str name, int64_t domain)
{
	buf_printf(text, "%.*s=%d ", STR(name), (int)domain);
}

static void test_domain_names(void **state)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	assert_done(domain_create(c, S("a.test"), SET("aliases=b.test")));
	assert_done(domain_create(c, S("c.test"), NOTHING));
	assert_true(list_domain_names(d, see_name, &b));
	buf_add_char(&b, '\0');
	assert_string_equal(b.p, "a.test=1 b.test=1 c.test=2 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pages),
		TEST(test_natural_order),
		TEST(test_order_of_other_rows),
		TEST(test_pages_are_in_an_index),
		TEST(test_search),
		TEST(test_search_is_blind_to_case_and_accents),
		TEST(test_change_log),
		TEST(test_tokens),
		TEST(test_an_expired_token),
		TEST(test_administrators),
		TEST(test_undo),
		TEST(test_next_systems),
		TEST(test_domain_names),
	};

	return cmocka_run_group_tests(tests, test_folder_make,
				      test_folder_remove);
}
