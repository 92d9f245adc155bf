/*
 * What expansions cost: counted in addresses that are looked at, and in turns
 * that others have meanwhile.
 */
#include "base/limits.h"
#include "directory/sql.h"
#include "route/route_test_world.h"
#include "rt/loop.h"

static struct sql *sql;

/* ---- groups ---- */

static void done(struct change c)
{
	if (c.outcome != CHANGE_DONE)
		fail_msg("%s", c.sentence);
}

/* NAME has N members: WHAT and a number, at ext.test; or here, "what+". */
static void group(const char *name, const char *what, int first, int n)
{
	struct str *members = arena_array(arena, struct str, (size_t)n);

	for (int i = 0; i < n; i++)
		members[i] = arena_strf(arena, "%s%d@%s.test", what, first + i,
					strchr(what, '+') ? "own" : "ext");
	make(&(struct line){ group_create, name, "" });
	done(group_add(changes, str_of(name), members, (size_t)n));
}

/* Also what is refused nowadays: circles, more than LIMIT_EXPANSION.  The
 * directory may have it from before, or by way of forwards. */
static void add(const char *name, const char *member)
{
	struct address a = address_of(member);

	check(sql_run(sql,
		      "INSERT OR IGNORE INTO member (holder, spelling, local, "
		      "domain) SELECT id, ?2, ?3, ?4 FROM holder "
		      "WHERE login = ?1",
		      "ssss", str_of(name), str_of(member), a.local, a.domain));
}

static const char *named(const char *what, int i)
{
	return arena_printf(arena, "%s%d@own.test", what, i);
}

/* Straight into the directory, as what is added: they are many. */
static void hold(enum holder_kind kind, const char *name)
{
	check(sql_run(sql,
		      "INSERT INTO holder (kind, domain, login, "
		      "forward_keeps_copy) "
		      "SELECT ?1, domain, ?2, 0 FROM holder "
		      "WHERE login = 'alice@own.test'",
		      "it", (int64_t)kind, name));
	check(sql_run(sql,
		      "INSERT INTO address (domain, local, name, holder, "
		      "is_default) SELECT h.domain, ?1, d.name, h.id, 1 "
		      "FROM holder h JOIN domain d ON d.id = h.domain "
		      "WHERE login = ?2",
		      "st", address_of(name).local, name));
}

static void begin_adding(void)
{
	check(sql_run(sql, "BEGIN IMMEDIATE", ""));
}

static void end_adding(void)
{
	check(sql_run(sql, "COMMIT", ""));
}

/* NAME has the members of LIKE, but another in the place of one.  Straight into
 * the directory: each member that is added in order is looked up. */
static void group_like(const char *name, const char *like, int one, int other)
{
	make(&(struct line){ group_create, name, "" });
	check(sql_run(sql,
		      "INSERT INTO member (holder, spelling, local, domain) "
		      "SELECT n.id, spelling, local, m.domain FROM holder n, "
		      "holder l JOIN member m ON m.holder = l.id "
		      "WHERE n.login = ?1 AND l.login = ?2 AND spelling <> ?3",
		      "ttt", name, like,
		      arena_printf(arena, "u%d@ext.test", one)));
	add(name, arena_printf(arena, "u%d@ext.test", other));
}

/* One mail's recipients, as they are accepted. */
struct mail {
	struct expansions *expansions;
	size_t looked, legs;
};

static struct decision rcpt(struct mail *mail, const char *recipient)
{
	struct address a = address_of(recipient);
	struct question q = { .recipient = &a,
			      .asker = asker_of("internet"),
			      .expansions = mail ? mail->expansions : NULL };
	struct decision d = route_decide(&router, &q, arena);

	if (mail) {
		expansions_note(mail->expansions, &d);
		mail->looked += d.looked;
		mail->legs += d.n;
	}
	return d;
}

static void expect_refused(const char *recipient, const char *status,
			   size_t looked)
{
	struct decision d = rcpt(NULL, recipient);

	assert_int_equal(d.action, ROUTE_REFUSE);
	assert_int_equal(d.reply.code, 550);
	assert_string_equal(d.reply.status, status);
	assert_int_equal(d.n, 0);
	assert_true(d.looked <= looked);
	assert_true(d.n_reasons <= LIMIT_REASONS);
}

/* ---- one recipient ---- */

static void test_as_many_as_one_may_become(void **unused)
{
	struct decision d;

	group("big@own.test", "u", 0, LIMIT_EXPANSION);
	d = rcpt(NULL, "big@own.test");
	assert_int_equal(d.action, ROUTE_EXPAND);
	assert_int_equal(d.n, LIMIT_EXPANSION);
	assert_int_equal(d.n_reasons, LIMIT_REASONS);
	make(&(struct line){ group_create, "bigger@own.test",
			     "member=big@own.test member=one@ext.test" });
	expect_refused("bigger@own.test", "5.2.4", LIMIT_EXPANSION + 5);
}

/* Twice as many: none of them is looked at. */
static void test_many_more_are_refused_at_once(void **unused)
{
	group("huge@own.test", "u", 0, LIMIT_EXPANSION);
	begin_adding();
	for (int i = 0; i < LIMIT_EXPANSION; i++)
		add("huge@own.test", arena_printf(arena, "v%d@ext.test", i));
	end_adding();
	expect_refused("huge@own.test", "5.2.4", 1);
}

static void test_one_group_by_many_details(void **unused)
{
	struct decision d;

	group("wide@own.test", "u", 0, 4000);
	group("details@own.test", "wide+", 0, 200);
	d = rcpt(NULL, "details@own.test");
	assert_int_equal(d.action, ROUTE_EXPAND);
	assert_int_equal(d.n, 4000);
	assert_true(d.looked <= 4000 + 200 + 2);
}

/* Groups that have nearly the same members: looked at, until it is too much. */
static void test_groups_that_overlap(void **unused)
{
	make(&(struct line){ group_create, "few@own.test", "" });
	make(&(struct line){ group_create, "many@own.test", "" });
	group(named("overlap", 0), "u", 0, 4000);
	for (int i = 0; i < 8; i++) {
		if (i > 0)
			group_like(named("overlap", i), named("overlap", i - 1),
				   i - 1, i + 3999);
		add("many@own.test", named("overlap", i));
		if (i < 4)
			add("few@own.test", named("overlap", i));
	}
	assert_int_equal(rcpt(NULL, "few@own.test").n, 4003);
	expect_refused("many@own.test", "5.2.4", LIMIT_EXPANSION_LOOKED + 1);
}

/* ---- how deep: by the shortest way ---- */

static void ring(int n)
{
	const char *what = arena_printf(arena, "ring%d-", n);
	struct decision d;

	begin_adding();
	for (int i = 0; i < n; i++) {
		hold(HOLDER_GROUP, named(what, i));
		add(named(what, i), "alice@own.test");
	}
	for (int i = 0; i < n; i++)
		for (int k = 0; k < n; k++)
			if (i != k)
				add(named(what, i), named(what, k));
	end_adding();
	d = rcpt(NULL, named(what, n / 2));
	assert_int_equal(d.action, ROUTE_EXPAND);
	assert_int_equal(d.n, 1);
	assert_true(d.looked <= (size_t)(n * n + n + 1));
}

static void test_groups_that_contain_each_other(void **unused)
{
	static const int sizes[] = { 2, 3, LIMIT_EXPANSION_DEPTH,
				     LIMIT_EXPANSION_DEPTH + 1, 60 };

	for (size_t i = 0; i < array_size(sizes); i++)
		ring(sizes[i]);
}

static void test_nested_too_deeply(void **unused)
{
	for (int i = 30; i >= 0; i--)
		make(&(struct line){
			group_create, named("deep", i),
			arena_printf(arena, "member=%s",
				     i == 30 ? "alice@own.test"
					     : named("deep", i + 1)) });
	expect("internet", named("deep", 31 - LIMIT_EXPANSION_DEPTH),
	       "expand alice");
	expect("internet", named("deep", 30 - LIMIT_EXPANSION_DEPTH),
	       "refuse 550 5.4.6");
	expect("internet", named("deep", 0), "refuse 550 5.4.6");
	/* there is a short way to each, and it comes last */
	for (int i = 30; i > 0; i--)
		add(named("deep", 0), named("deep", i));
	expect("internet", named("deep", 0), "expand alice");
}

/* ---- one mail ---- */

static void begin(struct mail *mail)
{
	*mail = (struct mail){ .expansions = expansions_open(arena) };
}

static void test_a_mail_expands_a_group_once(void **unused)
{
	static const int sizes[] = { 1, 2, 7, 50, 1000 };
	struct mail mail;

	group("all@own.test", "u", 0, 2000);
	for (size_t s = 0; s < array_size(sizes); s++) {
		begin(&mail);
		for (int i = 0; i < sizes[s]; i++)
			assert_int_equal(
				rcpt(&mail,
				     arena_printf(arena, "all+%d@own.test", i))
					.action,
				ROUTE_EXPAND);
		assert_int_equal(mail.legs, 2000);
		assert_int_equal(expansions_legs(mail.expansions), 2000);
		assert_true(mail.looked <= 2000 + (size_t)sizes[s]);
		expansions_close(mail.expansions);
	}
}

/* Whoever leads to it, and however it is called. */
static void test_a_mail_expands_what_several_have_in_them_once(void **unused)
{
	struct mail mail;

	done(address_add(changes, S("all@own.test"), S("tous@own.test")));
	begin(&mail);
	assert_int_equal(rcpt(&mail, "all@alias.test").n, 2000);
	assert_int_equal(rcpt(&mail, "tous@own.test").n, 0);
	begin_adding();
	for (int i = 0; i < 50; i++) {
		hold(HOLDER_GROUP, named("part", i));
		add(named("part", i), "all@own.test");
		add(named("part", i), arena_printf(arena, "p%d@ext.test", i));
	}
	end_adding();
	for (int i = 0; i < 50; i++)
		assert_int_equal(rcpt(&mail, named("part", i)).n, 1);
	assert_true(mail.looked <= 2000 + 2 + 50 * 3);
	expansions_close(mail.expansions);
}

/* What was refused, or only asked about, has not been expanded. */
static void test_what_was_not_accepted_is_expanded_again(void **unused)
{
	struct address a = address_of("some@own.test");
	struct mail mail;
	struct question q;

	begin(&mail);
	q = (struct question){ .recipient = &a,
			       .asker = asker_of("internet"),
			       .message_bytes = 2000,
			       .expansions = mail.expansions };
	decide(&q, "some@own.test", "refuse 552 5.3.4");
	q.message_bytes = 0;
	decide(&q, "some@own.test", "expand alice");
	decide(&q, "some@own.test", "expand alice");
	assert_int_equal(rcpt(&mail, "some@own.test").n, 1);
	decide(&q, "some@own.test", "expand");
	/* with another trail it may become something else */
	q.trail = S("0123456789abcdef:AAAAAAAAAAAAAAAA");
	decide(&q, "some@own.test", "expand alice");
	/* a forward keeps its copy, whatever it is called */
	q.trail = STR_NONE;
	assert_int_equal(rcpt(&mail, "fcopy@own.test").n, 3);
	decide(&q, "fcopy+x@own.test", "expand *fcopy+x");
	expansions_close(mail.expansions);
}

/* ---- who reaches nobody, beside others ---- */

static const char *made(const char *what, int n, int i)
{
	return arena_printf(arena, "%s%d-%d@own.test", what, n, i);
}

static const char *const nowhere[] = { "none", "fnone", "dry", "round",
				       "well" };

static void forward(const char *name, const char *to)
{
	hold(HOLDER_USER, name);
	check(sql_run(sql,
		      "INSERT INTO forward (holder, spelling, local, domain) "
		      "SELECT id, ?2, ?3, 'own.test' FROM holder "
		      "WHERE login = ?1",
		      "tts", name, to, address_of(to).local));
}

/* N of each: groups that end nowhere and forwards to them, chains that end
 * nowhere, a ring, chains that end at alice; and who leads to all of them. */
static void make_nowhere(int n)
{
	const char *leads = made("leads", n, 0);

	begin_adding();
	hold(HOLDER_GROUP, leads);
	add(leads, "alice@own.test");
	for (int i = 0; i < n; i++) {
		bool is_last = i == n - 1 || i % 15 == 14;

		for (size_t k = 0; k < array_size(nowhere); k++) {
			const char *name = made(nowhere[k], n, i);

			add(leads, name);
			if (k == 1)
				forward(name, made("none", n, i));
			else
				hold(HOLDER_GROUP, name);
			add(name,
			    k == 0 ? "nomail@own.test" : made("none", n, i));
		}
		if (!is_last)
			add(made("dry", n, i), made("dry", n, i + 1));
		add(made("round", n, i), made("round", n, (i + 1) % n));
		add(made("well", n, i),
		    is_last ? "alice@own.test" : made("well", n, i + 1));
	}
	end_adding();
}

static void same_as_alone(struct mail *mail, const char *recipient)
{
	struct decision alone = rcpt(NULL, recipient);
	struct decision d = rcpt(mail, recipient);

	if (d.reply.code != alone.reply.code ||
	    strcmp(d.reply.status, alone.reply.status) != 0 ||
	    !str_same(d.reply.text, alone.reply.text))
		fail_msg("%s: %d %.*s, and alone %d %.*s", recipient,
			 d.reply.code, STR(d.reply.text), alone.reply.code,
			 STR(alone.reply.text));
}

/* The recipients of one mail: FIRST, then each of N from FROM on by STEP.  How
 * many legs it has. */
static size_t in_order(const char *first, int n, int from, int step)
{
	struct mail mail;

	begin(&mail);
	same_as_alone(&mail, first);
	for (int i = 0; i < n; i++)
		for (size_t k = 0; k < array_size(nowhere); k++)
			same_as_alone(&mail, made(nowhere[k], n,
						  (from + i * step) % n));
	expansions_close(mail.expansions);
	return mail.legs;
}

static void test_who_reaches_nobody_is_refused_beside_others(void **unused)
{
	static const int sizes[] = { 1, 2, 7, 50 };

	for (size_t s = 0; s < array_size(sizes); s++) {
		int n = sizes[s];
		const char *leads = made("leads", n, 0);

		make_nowhere(n);
		expect("internet", made("none", n, 0), "refuse 550 5.2.4");
		expect("internet", made("fnone", n, 0), "refuse 550 5.2.4");
		expect("internet", made("dry", n, 0), "refuse 550 5.2.4");
		expect("internet", made("round", n, 0), "refuse 550 5.4.6");
		expect("internet", made("well", n, 0), "expand alice");
		assert_int_equal(in_order(leads, n, 0, 1), 1);
		assert_int_equal(in_order(leads, n, n - 1, n - 1), 1);
		assert_int_equal(in_order(leads, n, n / 2, 1), 1);
		in_order(made("well", n, 0), n, 0, 1);
		in_order("alice@own.test", n, n - 1, n - 1);
	}
}

/* ---- others have their turn ---- */

static bool has_ended;
static unsigned turns;

static void take_turns(void *unused)
{
	while (!has_ended) {
		turns++;
		fiber_yield();
	}
}

static void answer_big(void *unused)
{
	struct address a = address_of("big@own.test");
	struct question q = { .recipient = &a, .asker = asker_of("internet") };

	check(fiber_start("turns", take_turns, NULL));
	assert_int_equal(route_answer(&router, &q, arena).n, LIMIT_EXPANSION);
	has_ended = true;
}

static void test_others_have_their_turn(void **unused)
{
	loops_run(1, answer_big, NULL);
	assert_true(turns >= LIMIT_EXPANSION / LIMIT_ROUTE_STEP - 1);
}

static int open_all(void **state)
{
	world_open(state);
	sql = directory_connect(world_file(), SQL_WRITE);
	check(sql);
	return 0;
}

static int close_all(void **state)
{
	sql_close(sql);
	return world_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_many_as_one_may_become),
		cmocka_unit_test(test_many_more_are_refused_at_once),
		cmocka_unit_test(test_one_group_by_many_details),
		cmocka_unit_test(test_groups_that_overlap),
		cmocka_unit_test(test_groups_that_contain_each_other),
		cmocka_unit_test(test_nested_too_deeply),
		cmocka_unit_test(test_a_mail_expands_a_group_once),
		cmocka_unit_test(
			test_a_mail_expands_what_several_have_in_them_once),
		cmocka_unit_test(test_what_was_not_accepted_is_expanded_again),
		cmocka_unit_test(
			test_who_reaches_nobody_is_refused_beside_others),
		cmocka_unit_test(test_others_have_their_turn),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
