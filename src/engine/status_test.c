/* The engine's status: what is in it, and that it always fits. */
#include "base/test.h"

#include <jansson.h>
#include <stdio.h>

#include "base/limits.h"
#include "deliver/deliver.h"
#include "engine/status.h"
#include "rt/ledger.h"

enum { MANY = 10000 }; /* rows the engine's ledgers have */

static struct ledger *systems, *traffic, *filters;
static size_t answer_bytes;

static int start(void **unused)
{
	systems = ledger_open(MANY);
	traffic = ledger_open(MANY);
	filters = ledger_open(MANY);
	return 0;
}

static int end(void **unused)
{
	ledger_close(systems);
	ledger_close(traffic);
	ledger_close(filters);
	return 0;
}

static json_t *ask(const struct hop_connections *connections, size_t n)
{
	struct status s = { .hostname = "mx.test",
			    .started_wall_ms = 1000,
			    .confined = "Landlock 7, seccomp",
			    .systems = systems,
			    .traffic = traffic,
			    .filters = filters,
			    .sessions = { .clear[SMTP_MX] = 2,
					  .tls[SMTP_SUBMISSION] = 1 },
			    .connections = connections,
			    .n_connections = n };
	struct buf text = BUF_EMPTY;
	json_t *all;

	status_write(&text, &s);
	answer_bytes = text.n;
	all = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(all);
	buf_free(&text);
	return all;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	assert_non_null(text);
	return text;
}

static int number_of(const json_t *o, const char *key)
{
	assert_true(json_is_integer(json_object_get(o, key)));
	return (int)json_integer_value(json_object_get(o, key));
}

static json_t *system_at(json_t *all, size_t i)
{
	return json_array_get(json_object_get(all, "systems"), i);
}

/* ---- tests ---- */

static void test_one_of_each_kind(void **unused)
{
	const struct hop_connections connections[] = {
		{ S("system b"), 1, 2 },
		{ S("internet"), 5, 0 },
		{ S("system b"), 3, 4 },
		{ S("system unheard of"), 9, 9 },
	};
	json_t *all, *b;

	ledger_count(systems, S("mailboxes"), SYSTEM_DELIVERED, 7);
	ledger_say(systems, S("system b"), SYSTEM_DOWN, S("no route"));
	ledger_count(traffic, S("example.test"), TRAFFIC_KEPT, 2);
	ledger_count(filters, S("rspamd"), FILTER_FIGURE_HELD, 3);
	all = ask(connections, 4);
	assert_string_equal(text_of(all, "hostname"), "mx.test");
	assert_string_equal(text_of(all, "started"), "1970-01-01T00:00:01Z");
	assert_string_equal(text_of(all, "confined"), "Landlock 7, seccomp");
	assert_int_equal(number_of(all, "sessions"), 3);
	assert_int_equal(number_of(all, "systems_left_out"), 0);
	b = system_at(all, 0); /* used last */
	assert_string_equal(text_of(b, "kind"), "system");
	assert_string_equal(text_of(b, "name"), "b");
	assert_string_equal(text_of(b, "hosts"), "b");
	assert_string_equal(text_of(b, "state"), "down");
	assert_string_equal(text_of(b, "problem"), "no route");
	assert_int_equal(number_of(b, "connections"), 4);
	assert_int_equal(number_of(b, "idle"), 6);
	assert_string_equal(text_of(system_at(all, 1), "kind"), "mailboxes");
	assert_string_equal(text_of(system_at(all, 1), "name"), "");
	assert_true(json_is_null(json_object_get(system_at(all, 1), "since")));
	assert_null(system_at(all, 2));
	b = json_array_get(json_object_get(all, "filters"), 0);
	assert_string_equal(text_of(b, "name"), "rspamd");
	assert_int_equal(number_of(b, "held"), 3);
	assert_int_equal(number_of(b, "refused"), 0);
	json_decref(all);
}

static void test_what_a_next_hop_says_is_shown(void **unused)
{
	char said[2 * LEDGER_NOTE_BYTES];
	json_t *all;

	said[0] = '!'; /* then characters of two bytes: the cut would
				   fall within one */
	for (size_t i = 1; i < sizeof(said); i++)
		said[i] = i % 2 ? '\xc3' : '\xa9';
	ledger_say(systems, S("system a"), SYSTEM_DOWN,
		   (struct str){ said, sizeof(said) });
	ledger_say(systems, S("system b"), SYSTEM_DOWN, S("ferm\xe9"));
	all = ask(NULL, 0);
	assert_string_equal(text_of(system_at(all, 0), "problem"), "ferm?");
	assert_int_equal(strlen(text_of(system_at(all, 1), "problem")),
			 LEDGER_NOTE_BYTES - 1);
	assert_memory_equal(text_of(system_at(all, 1), "problem"), said,
			    LEDGER_NOTE_BYTES - 1);
	json_decref(all);
}

/* As long as names and reasons can be. */
static void fill(void)
{
	char name[LIMIT_DOMAIN_BYTES + 1], row[LIMIT_DOMAIN_BYTES + 10];
	char note[LEDGER_NOTE_BYTES];

	memset(note, '"', sizeof(note));
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%0*d", LIMIT_DOMAIN_BYTES, i);
		snprintf(row, sizeof(row), "system %s", name);
		ledger_say(systems, str_of(row), SYSTEM_DOWN,
			   (struct str){ note, sizeof(note) });
		for (size_t n = 0; n < LEDGER_NUMBERS; n++)
			ledger_count(traffic, str_of(name), n, INT64_MAX);
	}
}

static void test_very_many_next_hops(void **unused)
{
	json_t *all, *hop, *domains;
	char name[LIMIT_DOMAIN_BYTES + 1], row[LIMIT_DOMAIN_BYTES + 10];
	size_t shown;

	fill();
	snprintf(name, sizeof(name), "%0*d", LIMIT_DOMAIN_BYTES, 5);
	snprintf(row, sizeof(row), "system %s", name);
	ledger_count(systems, str_of(row), SYSTEM_DELIVERED, 1);
	all = ask(NULL, 0);
	assert_true(answer_bytes < LIMIT_CONTROL_ANSWER_BYTES);
	domains = json_object_get(all, "domains");
	assert_int_equal(json_array_size(domains), MANY);
	shown = json_array_size(json_object_get(all, "systems"));
	assert_in_range(shown, 1000, MANY - 1);
	assert_int_equal(number_of(all, "systems_left_out"), MANY - shown);
	hop = system_at(all, 0); /* that has just had something */
	assert_string_equal(text_of(hop, "name"), name);
	assert_int_equal(number_of(hop, "delivered"), 1);
	hop = system_at(all, 1);
	snprintf(name, sizeof(name), "%0*d", LIMIT_DOMAIN_BYTES, MANY - 1);
	assert_string_equal(text_of(hop, "name"), name);
	json_decref(all);
}

int main(void)
{
#define STATUS(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		STATUS(test_one_of_each_kind),
		STATUS(test_what_a_next_hop_says_is_shown),
		STATUS(test_very_many_next_hops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
