/* Policies of MTA-STS in virtual time: had, held, renewed, kept. */
#include "deliver/sts.h"

#include <stdio.h>

#include "base/limits.h"
#include "base/test.h"
#include "deliver/sts_memory.h"
#include "dns/dns_sim.h"
#include "rt/folder.h"
#include "rt/loop.h"
#include "rt/sim/sim.h"

#define POLICY(mode, mx, age) \
	"version: STSv1\nmode: " mode "\nmx: " mx "\nmax_age: " age "\n"
#define FOLDER "/sts-test"

static struct dns *dns;
static struct sts *sts;

/* "enforce mx.b.test", or "none". */
static const char *policy_now(void)
{
	static char text[100];
	struct arena *arena scoped(arena) = arena_open();
	struct sts_policy p;

	if (!sts_find(sts, S("b.test"), after_ms(30000), arena, &p))
		return "none";
	snprintf(text, sizeof(text), "%s %.*s",
		 p.mode == STS_ENFORCE ? "enforce" : "else", STR(p.mx[0]));
	return text;
}

static void is_now(const char *said)
{
	const char *now = policy_now();

	if (strcmp(now, said) != 0)
		print_error("\"%s\", not \"%s\"\n", now, said);
	check(strcmp(now, said) == 0);
}

static void serve(const char *id, const char *policy)
{
	dns_sim_txt("_mta-sts.b.test", id);
	dns_sim_name("mta-sts.b.test", "192.0.2.1");
	sim_https("mta-sts.b.test", policy);
}

static void it_holds_until_it_ends(void)
{
	is_now("none");
	serve("v=STSv1; id=1", POLICY("enforce", "mx.b.test", "100"));
	is_now("enforce mx.b.test");
	sim_https(NULL, NULL);
	dns_sim_trouble("_mta-sts.b.test", true);
	fiber_sleep(after_ms(99000));
	is_now("enforce mx.b.test");
	fiber_sleep(after_ms(2000));
	is_now("none");
}

static void another_id_is_another_policy(void)
{
	serve("v=STSv1; id=1", POLICY("enforce", "mx.b.test", "1000"));
	is_now("enforce mx.b.test");
	serve("v=STSv1; id=1", POLICY("enforce", "new.b.test", "1000"));
	is_now("enforce mx.b.test");
	dns_sim_txt("_mta-sts.b.test", "v=STSv1; id=2");
	is_now("enforce new.b.test");
	serve("v=STSv1; id=3", "no policy");
	is_now("enforce new.b.test");
}

static void what_cannot_be_had_is_left_alone(void)
{
	serve("v=STSv1; id=1", NULL);
	is_now("none");
	serve("v=STSv1; id=1", POLICY("enforce", "mx.b.test", "1000"));
	fiber_sleep(after_ms(290000));
	is_now("none");
	fiber_sleep(after_ms(20000));
	is_now("enforce mx.b.test");
}

static void it_is_renewed_before_it_ends(void)
{
	struct fiber *keeper = fiber_start("sts", sts_keeper, sts);

	serve("v=STSv1; id=1", POLICY("enforce", "mx.b.test", "1000"));
	is_now("enforce mx.b.test");
	is_now("enforce mx.b.test");
	serve("v=STSv1; id=1", POLICY("enforce", "new.b.test", "1000"));
	fiber_sleep(after_ms(490000));
	is_now("enforce mx.b.test");
	fiber_sleep(after_ms(20000));
	is_now("enforce new.b.test");
	fiber_cancel(keeper);
}

static void it_survives_a_restart(void)
{
	struct fiber *keeper = fiber_start("sts", sts_keeper, sts);

	serve("v=STSv1; id=1", POLICY("enforce", "*.b.test", "100"));
	is_now("enforce *.b.test");
	fiber_sleep(after_ms(6000));
	fiber_cancel(keeper);
	fiber_sleep(after_ms(1000));
	sts_close(sts);
	sim_https(NULL, NULL);
	sts = sts_open(dns, FOLDER);
	is_now("none");
	sts_close(sts);
	sts = sts_open(dns, FOLDER);
	sts_load(sts);
	is_now("enforce *.b.test");
	fiber_sleep(after_ms(100000));
	is_now("none");
}

static void keep(struct sts_memory *m, struct str domain)
{
	struct str mx = S("mx.b.test");
	struct sts_known k = { .id = S("1"),
			       .until_ms = wall_ms() + 1000,
			       .policy = { STS_ENFORCE, 1, &mx, 1 } };

	sts_keep(m, domain, &k);
}

static void there_is_room_for_so_many(void)
{
	struct arena *arena scoped(arena) = arena_open();
	struct sts_memory *m = sts_memory_open();
	struct sts_known k;

	keep(m, S("b.test"));
	for (int i = 0; i < 2 * LIMIT_STS_DOMAINS; i++) {
		struct str other = arena_strf(arena, "gone%d.test", i);

		check(sts_turn(m, other, S("1")) == STS_ASK);
		sts_asked(m, other);
	}
	check(sts_recall(m, S("b.test"), arena, &k));
	for (int i = 0; i < LIMIT_STS_DOMAINS; i++)
		keep(m, arena_strf(arena, "there%d.test", i));
	check(!sts_recall(m, S("b.test"), arena, &k));
	check(sts_recall(m, S("there0.test"), arena, &k));
	sts_memory_close(m);
}

static void test_main(void *test)
{
	void (**run)(void) = test;

	sts_load(sts);
	(*run)();
	fiber_sleep(after_ms(100));
}

static void in_a_world(void (*test)(void))
{
	sim_open(1);
	check(folder_make(FOLDER));
	dns = dns_open(NULL);
	sts = sts_open(dns, FOLDER);
	loops_run(1, test_main, &test);
	sts_close(sts);
	dns_close(dns);
	dns_sim_forget();
	sim_https(NULL, NULL);
	sim_close();
}

/* clang-format off */
#define TESTS(T) \
	T(it_holds_until_it_ends) T(another_id_is_another_policy) \
	T(what_cannot_be_had_is_left_alone) T(it_is_renewed_before_it_ends) \
	T(it_survives_a_restart) T(there_is_room_for_so_many)
/* clang-format on */

#define RUN(test) \
	static void run_##test(void **state) \
	{ \
		(void)state; \
		in_a_world(test); \
	}
#define ENTRY(test) cmocka_unit_test(run_##test),

TESTS(RUN)

int main(void)
{
	const struct CMUnitTest tests[] = { TESTS(ENTRY) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
