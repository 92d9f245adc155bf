/* The last hour: what is known, what is not, and whose it is.  Clock, queue
 * and directory are this file's. */
#include "base/test.h"

#include <stdio.h>

#include "base/limits.h"
#include "console/history.h"
#include "directory/lists.h"
#include "queue/tools.h"

/* ---- the world ---- */

static int64_t clock_ms;
static uint64_t waiting_here, waiting_elsewhere;
static bool queue_is_broken;
static uint64_t version;
static int n_more;                /* domains, their ids from MORE on */
static uint64_t waiting_for_more; /* each of them */

enum { MORE = 100 };

static struct str more_name(char *room, size_t size, int i)
{
	snprintf(room, size, "d%d.test", i);
	return str_of(room);
}

int64_t now_us(void)
{
	return clock_ms * 1000;
}

int64_t wall_ms(void)
{
	return clock_ms;
}

json_t *json_time(int64_t ms)
{
	return json_integer(ms);
}

uint64_t directory_version(struct directory *d)
{
	return version;
}

bool list_domain_names(struct directory *d,
		       void (*each)(void *arg, struct str name, int64_t domain),
		       void *arg)
{
	each(arg, S("here.test"), 7);
	each(arg, S("alias.test"), 7);
	for (int i = 0; i < n_more; i++) {
		char name[32];

		each(arg, more_name(name, sizeof(name), i), MORE + i);
	}
	return true;
}

bool tools_domains(struct tools *t,
		   void (*each)(void *arg, struct str domain,
				uint64_t recipients),
		   void *arg)
{
	if (queue_is_broken)
		return fail("broken");
	each(arg, S("alias.test"), waiting_here);
	each(arg, S("elsewhere.test"), waiting_elsewhere);
	for (int i = 0; i < n_more; i++) {
		char name[32];

		each(arg, more_name(name, sizeof(name), i), waiting_for_more);
	}
	return true;
}

const struct figures *figures_share(const struct figures *f)
{
	return f;
}

void figures_return(const struct figures *f)
{
}

/* ---- engines ---- */

static struct domain_figures domains[8];
static struct figures engines[8];
static size_t n_engines;

/* One that has handed over N of here.test, and refused one more than that. */
static const struct figures *engine(int64_t started, uint64_t n)
{
	size_t i = n_engines++ % array_size(engines);

	domains[i] = (struct domain_figures){
		S("here.test"), { [HANDED_OVER] = n, [REFUSED] = n + 1 }
	};
	engines[i] = (struct figures){
		.is_up = started > 0,
		.started_wall_ms = started,
		.traffic = { [HANDED_OVER] = n, [REFUSED] = n + 1 },
		.domains = &domains[i],
		.n_domains = 1,
	};
	return &engines[i];
}

static bool note(const struct figures *f)
{
	return history_note(NULL, NULL, f);
}

static void pass(int64_t seconds)
{
	clock_ms += seconds * 1000;
}

static void assert_line(int64_t domain, const char *line, const char *want)
{
	json_t *o = history_json(domain);
	char *said = json_dumps(json_object_get(o, line), JSON_COMPACT);

	if (strcmp(said, want) != 0)
		fail_msg("%s of %d is %s, not %s", line, (int)domain, said,
			 want);
	free(said);
	json_decref(o);
}

static int start(void **unused)
{
	clock_ms = 1000000;
	waiting_here = waiting_elsewhere = 0;
	queue_is_broken = false;
	version = 1;
	n_more = 0;
	waiting_for_more = 1;
	return 0;
}

static int end(void **unused)
{
	history_close();
	return 0;
}

/* ---- tests ---- */

static void test_a_young_engine_counts_from_zero(void **unused)
{
	assert_true(note(engine(0, 0))); /* it is not there yet */
	pass(5);
	waiting_here = 2;
	waiting_elsewhere = 1;
	assert_true(note(engine(1000100, 3)));
	pass(5);
	waiting_here = 0;
	assert_true(note(engine(1000100, 10)));
	assert_line(0, "handed_over", "[null,3,7]");
	assert_line(0, "refused", "[null,4,7]");
	assert_line(0, "waiting", "[0,3,1]");
	assert_line(7, "handed_over", "[null,3,7]");
	assert_line(7, "waiting", "[0,2,0]");
	assert_line(8, "handed_over", "[null,0,0]");
}

static void test_an_old_engine_says_nothing_at_first(void **unused)
{
	assert_true(note(engine(1000, 500)));
	pass(5);
	assert_true(note(engine(1000, 501)));
	assert_line(0, "handed_over", "[null,1]");
}

static void test_an_engine_that_falls(void **unused)
{
	assert_true(note(engine(1000, 500)));
	pass(5);
	assert_true(note(engine(0, 0)));
	pass(5);
	assert_true(note(engine(1007000, 2)));
	assert_line(0, "handed_over", "[null,null,2]");
	assert_line(7, "handed_over", "[null,null,2]");
	assert_line(0, "waiting", "[0,0,0]");
}

static void test_a_late_beat_covers_its_steps(void **unused)
{
	assert_true(note(engine(1000, 0)));
	pass(15);
	waiting_here = 4;
	assert_true(note(engine(1000, 8)));
	assert_line(0, "handed_over", "[null,2,3,3]");
	assert_line(0, "waiting", "[0,4,4,4]");
}

static void test_a_long_silence_is_not_known(void **unused)
{
	json_t *o, *list;

	assert_true(note(engine(1000, 0)));
	pass(100);
	waiting_here = 4;
	assert_true(note(engine(1000, 8)));
	o = history_json(0);
	list = json_object_get(o, "handed_over");
	assert_int_equal(json_array_size(list), 21);
	assert_true(json_is_null(json_array_get(list, 20)));
	list = json_object_get(o, "waiting");
	assert_true(json_is_null(json_array_get(list, 19)));
	assert_int_equal(json_integer_value(json_array_get(list, 20)), 4);
	json_decref(o);
}

static void test_what_the_queue_does_not_say(void **unused)
{
	assert_true(note(engine(1000, 0)));
	pass(5);
	queue_is_broken = true;
	assert_false(note(engine(1000, 1)));
	assert_line(0, "waiting", "[0,null]");
	assert_line(7, "waiting", "[0,null]");
}

static void test_an_hour_and_no_more(void **unused)
{
	json_t *o;

	for (int i = 0; i < 1000; i++) {
		assert_true(note(engine(1000, (uint64_t)i)));
		assert_true(history_due_ms() <= clock_ms + 5000);
		pass(5);
	}
	o = history_json(0);
	assert_int_equal(json_array_size(json_object_get(o, "kept")), 720);
	assert_int_equal(json_integer_value(json_array_get(
				 json_object_get(o, "handed_over"), 0)),
			 1);
	json_decref(o);
}

/* With that of all domains there is one too many. */
static void test_who_found_no_room_is_not_known(void **unused)
{
	int first = MORE + LIMIT_CONSOLE_HISTORIES - 1, last = MORE;

	assert_true(note(engine(1000, 0)));
	n_more = LIMIT_CONSOLE_HISTORIES;
	version++;
	pass(5);
	assert_true(note(engine(1000, 0)));
	assert_line(first, "waiting", "[0,1]");
	assert_line(last, "waiting", "[0,null]");
	assert_line(0, "waiting", "[0,500]");
	waiting_for_more = 0;
	pass(5);
	assert_true(note(engine(1000, 0)));
	assert_line(first, "waiting", "[0,1,0]");
	assert_line(last, "waiting", "[0,null,0]");
	assert_line(last, "handed_over", "[null,null,0]");
}

static void test_a_domain_that_is_gone_makes_room(void **unused)
{
	assert_true(note(engine(1000, 0)));
	n_more = LIMIT_CONSOLE_HISTORIES;
	version++;
	pass(5);
	assert_true(note(engine(1000, 0)));
	n_more = 2; /* the others are deleted */
	waiting_here = 3;
	version++;
	pass(5);
	assert_true(note(engine(1000, 0)));
	assert_line(7, "waiting", "[0,null,3]");
	assert_line(MORE + 1, "waiting", "[0,1,1]");
	assert_line(MORE + 2, "waiting", "[0,null,0]");
}

int main(void)
{
#define HISTORY(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		HISTORY(test_a_young_engine_counts_from_zero),
		HISTORY(test_an_old_engine_says_nothing_at_first),
		HISTORY(test_an_engine_that_falls),
		HISTORY(test_a_late_beat_covers_its_steps),
		HISTORY(test_a_long_silence_is_not_known),
		HISTORY(test_what_the_queue_does_not_say),
		HISTORY(test_an_hour_and_no_more),
		HISTORY(test_who_found_no_room_is_not_known),
		HISTORY(test_a_domain_that_is_gone_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
