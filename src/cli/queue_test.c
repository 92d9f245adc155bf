/* splitmail queue, as scripts and people see it. */
#include "queue/queue.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "cli/cli.h"
#include "directory/database.h"
#include "rt/loop.h"

struct world {
	char folder[64];
	char id[16];
	char *out, *err;
	size_t out_n, err_n;
	bool json;
};

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *at)
{
	return remove(path);
}

static void keep(struct queue *q, struct message *m, struct str address)
{
	struct recipient *r = message_add(m, address);

	r->next_hop = (struct next_hop){ NEXT_HOP_SYSTEM, S("exchange") };
	r->reply = (struct reply){ 451, "4.4.1", S("down\x1b[2J \xff") };
	r->remote = S("mx.b.example[192.0.2.1]:25");
	r->next_attempt_ms = 1795399200000;
	r->attempts = 2;
	m->arrived_wall_ms = 1795398842000;
	check(body_add(&m->body, S("Subject: hi\x1b[1m\r\n\r\nbody\r\n")));
	check(queue_keep(q, m, false, NULL, 0));
	message_drop(m);
}

static void keep_two(void *world)
{
	struct world *w = world;
	struct queue *q = queue_open(w->folder);
	struct message *m = message_new(queue_spool(q));

	check(q);
	memcpy(w->id, m->id, sizeof(w->id));
	m->sender = S("alice@own.test");
	m->trace = S("Received: by us\r\n\tfor x\r\n");
	m->as = S("internet");
	keep(q, m, S("bob@b.example"));
	keep(q, message_new(queue_spool(q)), S("carol@c.example"));
	queue_close(q);
}

static int setup(void **state)
{
	struct world *w = must_alloc(sizeof(*w));

	*w = (struct world){ .folder = "/tmp/queue-cli-XXXXXX" };
	check(mkdtemp(w->folder));
	loops_run(1, keep_two, w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(w->out);
	free(w->err);
	free(w);
	return 0;
}

/* splitmail WORDS...; what it said is in w->out and w->err. */
static int run(struct world *w, const char *words)
{
	char *copy = must_alloc(strlen(words) + 1), *argv[16] = { NULL }, *rest;
	struct cli c = { .data = w->folder, .json = w->json };
	int argc = 0, status;

	free(w->out);
	free(w->err);
	c.out = open_memstream(&w->out, &w->out_n);
	c.err = open_memstream(&w->err, &w->err_n);
	memcpy(copy, words, strlen(words) + 1);
	for (char *p = strtok_r(copy, " ", &rest); p;
	     p = strtok_r(NULL, " ", &rest))
		argv[argc++] = p;
	assert_true(cli_globals(&c, &argc, argv));
	status = cli_run(&c, argc, argv);
	fclose(c.out);
	fclose(c.err);
	free(copy);
	return status;
}

static json_t *run_json(struct world *w, const char *words)
{
	json_error_t error;
	json_t *v;

	w->json = true;
	assert_int_equal(run(w, words), CLI_DONE);
	w->json = false;
	v = json_loads(w->out, 0, &error);
	if (!v)
		fail_msg("%s in %s", error.text, w->out);
	return v;
}

static const char *get(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void test_list_json(void **state)
{
	struct world *w = *state;
	json_t *list = run_json(w, "queue list"), *m, *r;

	assert_int_equal(json_array_size(list), 2);
	m = json_array_get(list, 0);
	assert_string_equal(get(m, "id"), w->id);
	assert_string_equal(get(m, "sender"), "alice@own.test");
	assert_int_equal(json_integer_value(json_object_get(m, "size")), 25);
	assert_string_equal(get(m, "arrived"), "2026-11-23T01:54:02Z");
	r = json_array_get(json_object_get(m, "recipients"), 0);
	assert_string_equal(get(r, "address"), "bob@b.example");
	assert_string_equal(get(r, "system"), "exchange");
	assert_string_equal(get(r, "next_hop"), "system");
	assert_string_equal(get(r, "state"), "waiting");
	assert_int_equal(json_integer_value(json_object_get(r, "attempts")), 2);
	assert_string_equal(get(r, "next_attempt"), "2026-11-23T02:00:00Z");
	assert_string_equal(get(r, "last_reply"),
			    "451 4.4.1 down?[2J ? "
			    "(mx.b.example[192.0.2.1]:25)");
	/* nobody could be asked: there is no directory */
	assert_true(json_is_null(json_object_get(r, "now")));
	json_decref(list);
	list = run_json(w, "queue list --domain nowhere.example");
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

static void test_list_text(void **state)
{
	struct world *w = *state, nowhere = { .folder = "/nowhere" };

	assert_int_equal(run(w, "queue list"), CLI_DONE);
	assert_non_null(strstr(w->out, w->id));
	assert_non_null(strstr(w->out, "MAILER-DAEMON"));
	assert_non_null(strstr(w->out, "bob@b.example via exchange"));
	assert_non_null(strstr(w->out, "-- 1 Kbytes in 2 Requests."));
	assert_null(strchr(w->out, '\x1b'));
	assert_int_equal(run(w, "queue list --recipient nobody"), CLI_DONE);
	assert_string_equal(w->out, "Nothing matches.\n");
	assert_int_equal(run(w, "queue list --recipient BOB"), CLI_DONE);
	assert_non_null(strstr(w->out, "bob@b.example"));
	assert_int_equal(run(w, "queue delete --all"), CLI_USAGE);
	assert_non_null(strstr(w->err, "all mail that waits"));
	assert_int_equal(run(w, "queue delete --all --yes"), CLI_DONE);
	assert_int_equal(run(w, "queue list"), CLI_DONE);
	assert_string_equal(w->out, "Mail queue is empty\n");
	assert_int_equal(run(&nowhere, "queue list"), CLI_REFUSED);
	assert_non_null(strstr(nowhere.err, "`splitmail --data /nowhere init"));
	free(nowhere.out);
	free(nowhere.err);
}

static const json_t *now_of(const json_t *list, size_t message)
{
	const json_t *m = json_array_get(list, message);
	const json_t *r = json_array_get(json_object_get(m, "recipients"), 0);

	return json_object_get(r, "now");
}

/* Where it would go now, beside where it waited for. */
static void test_list_now(void **state)
{
	struct world *w = *state;
	const json_t *now;
	char words[64], path[96];
	json_t *list, *m;

	snprintf(path, sizeof(path), "%s/directory.db", w->folder);
	assert_true(directory_create(path, S("admin-secret")));
	assert_int_equal(run(w, "domain create b.example --relay mx.b.example"),
			 CLI_DONE);
	list = run_json(w, "queue list");
	now = now_of(list, 0);
	assert_string_equal(get(now, "action"), "refuse");
	assert_string_equal(get(now, "next_hop"), "undecided");
	assert_string_equal(get(now, "system"), "");
	assert_int_equal(strncmp(get(now, "text"), "550 5.1.1 ", 10), 0);
	now = now_of(list, 1);
	assert_string_equal(get(now, "action"), "relay");
	assert_string_equal(get(now, "next_hop"), "internet");
	assert_string_equal(get(now, "text"), "");
	json_decref(list);
	assert_int_equal(run(w, "queue list"), CLI_DONE);
	assert_non_null(strstr(w->out, "bob@b.example via exchange, now: "
				       "refused 550 5.1.1 "));
	assert_non_null(
		strstr(w->out, "carol@c.example via exchange, now: MX"));

	assert_int_equal(run(w, "user create bob@b.example --mail-system "
				"alternate"),
			 CLI_DONE);
	assert_int_equal(run(w, "queue list"), CLI_DONE);
	assert_non_null(strstr(w->out, "bob@b.example via exchange, now: "
				       "the relay mx.b.example"));
	snprintf(words, sizeof(words), "queue show %s", w->id);
	assert_int_equal(run(w, words), CLI_DONE);
	assert_non_null(strstr(w->out, "now: the relay mx.b.example"));
	m = run_json(w, words);
	now = json_object_get(
		json_array_get(json_object_get(m, "recipients"), 0), "now");
	assert_string_equal(get(now, "next_hop"), "relay");
	assert_string_equal(get(now, "system"), "mx.b.example");
	json_decref(m);

	/* what has not changed is not said twice */
	assert_int_equal(run(w, "system create exchange --hosts mx.b.example"),
			 CLI_DONE);
	assert_int_equal(run(w, "user set bob@b.example system=exchange"),
			 CLI_DONE);
	assert_int_equal(run(w, "queue list"), CLI_DONE);
	assert_non_null(strstr(w->out, "bob@b.example via exchange\n"));
}

static void test_show(void **state)
{
	struct world *w = *state;
	char words[64];
	json_t *m;

	snprintf(words, sizeof(words), "queue show %s", w->id);
	m = run_json(w, words);
	assert_string_equal(get(m, "id"), w->id);
	assert_string_equal(get(m, "as"), "internet");
	assert_string_equal(
		get(m, "header"),
		"Received: by us\r\n\tfor x\r\nSubject: hi\x1b[1m\r\n");
	json_decref(m);
	assert_int_equal(run(w, words), CLI_DONE);
	assert_non_null(strstr(w->out, "Received: by us\n for x\n"));
	assert_non_null(strstr(w->out, "Subject: hi?[1m\n"));
	assert_null(strstr(w->out, "body"));
	snprintf(words, sizeof(words), "queue show %s --raw", w->id);
	assert_int_equal(run(w, words), CLI_DONE);
	assert_string_equal(
		w->out, "Received: by us\r\n\tfor x\r\nSubject: hi\x1b[1m\r\n"
			"\r\nbody\r\n");
	assert_int_equal(run(w, "queue show nosuch"), CLI_REFUSED);
	assert_non_null(strstr(w->err, "There is no message nosuch"));
}

static void test_orders(void **state)
{
	struct world *w = *state;
	char words[64];
	json_t *list, *v;

	assert_int_equal(run(w, "queue hold"), CLI_USAGE);
	assert_int_equal(run(w, "queue delete --id="), CLI_USAGE);
	assert_non_null(strstr(w->err, "--id is empty"));
	snprintf(words, sizeof(words), "queue hold %s", w->id);
	assert_int_equal(run(w, words), CLI_DONE);
	assert_string_equal(w->out, "1 recipient held.\n");
	assert_int_equal(run(w, "queue hold x --id x"), CLI_USAGE);
	assert_non_null(strstr(w->err, "given twice"));
	snprintf(words, sizeof(words), "queue hold --id %s", w->id);
	assert_int_equal(run(w, words), CLI_DONE);
	assert_string_equal(w->out, "0 recipients held.\n");
	list = run_json(w, "queue list --recipient bob@b.example");
	v = json_array_get(list, 0);
	v = json_array_get(json_object_get(v, "recipients"), 0);
	assert_string_equal(get(v, "state"), "held");
	assert_true(json_is_null(json_object_get(v, "next_attempt")));
	json_decref(list);
	v = run_json(w, "queue retry");
	assert_int_equal(json_integer_value(json_object_get(v, "recipients")),
			 1);
	json_decref(v);
	assert_int_equal(run(w, "queue release --system exchange"), CLI_DONE);
	assert_string_equal(w->out, "1 recipient released.\n");
	assert_int_equal(run(w, "queue bounce --domain c.example"), CLI_USAGE);
	assert_non_null(strstr(w->err, "add --yes"));
	assert_int_equal(run(w, "queue bounce --domain c.example --yes"),
			 CLI_DONE);
	assert_string_equal(w->out, "1 recipient to be bounced.\n");
	assert_int_equal(run(w, "queue delete --id 222222222222 --yes"),
			 CLI_REFUSED);
	assert_int_equal(run(w, "queue retry --id x"), CLI_REFUSED);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(test_list_json), WITH_WORLD(test_list_text),
		WITH_WORLD(test_list_now),  WITH_WORLD(test_show),
		WITH_WORLD(test_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
