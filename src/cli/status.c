/*
 * splitmail status: what the engine that runs says of itself.
 */
#include "cli/cli.h"

#include "control/control.h"
#include "rt/loop.h"

enum { PATIENCE_MS = 5000 };

struct call {
	const char *path;
	struct buf answer;
	bool answered;
	char why[FAIL_SLOT_BYTES];
};

static void waits ask(void *arg)
{
	struct call *k = arg;

	k->answered = control_ask(k->path, S("status"), after_ms(PATIENCE_MS),
				  &k->answer);
	if (!k->answered)
		snprintf(k->why, sizeof(k->why), "%s", cause());
}

static const char *member(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static json_int_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* A relay is named by its hosts: once is enough. */
static void print_system(struct cli *c, const json_t *s)
{
	const char *name = member(s, "name"), *hosts = member(s, "hosts");
	const char *since = member(s, "since"), *problem = member(s, "problem");

	fprintf(c->out, "  %s%s%s", cli_clean(c, member(s, "kind")),
		*name ? " " : "", cli_clean(c, name));
	if (strcmp(name, hosts) != 0)
		fprintf(c->out, " (%s)", cli_clean(c, hosts));
	fprintf(c->out, ": %s%s%s", cli_clean(c, member(s, "state")),
		*since ? " since " : "", cli_clean(c, since));
	if (*problem)
		fprintf(c->out, ": %s", cli_clean(c, problem));
	fprintf(c->out, "\n    delivered %lld, deferred %lld, refused %lld; "
		"connections %lld, idle %lld\n",
		(long long)number(s, "delivered"),
		(long long)number(s, "deferred"),
		(long long)number(s, "refused"),
		(long long)number(s, "connections"),
		(long long)number(s, "idle"));
}

static void print_counters(struct cli *c, json_t *counters)
{
	const char *key;
	json_t *n;

	json_object_foreach(counters, key, n)
		if (json_integer_value(n) > 0)
			fprintf(c->out, "  %s %lld\n", cli_clean(c, key),
				(long long)json_integer_value(n));
}

static void print_status(struct cli *c, const json_t *all)
{
	json_t *systems = json_object_get(all, "systems"), *system;
	size_t i;

	fprintf(c->out, "%s runs since %s, %lld open sessions\n",
		cli_clean(c, member(all, "hostname")),
		cli_clean(c, member(all, "started")),
		(long long)number(all, "sessions"));
	if (json_array_size(systems) > 0)
		fprintf(c->out, "next hops, since then:\n");
	json_array_foreach(systems, i, system)
		print_system(c, system);
	if (number(all, "systems_left_out") > 0)
		fprintf(c->out, "  and %lld more, not used as lately\n",
			(long long)number(all, "systems_left_out"));
	fprintf(c->out, "counters:\n");
	print_counters(c, json_object_get(all, "counters"));
}

static int show(struct cli *c, const struct buf *text)
{
	json_t *all = json_loadb(text->p, text->n, JSON_REJECT_DUPLICATES,
				 NULL);

	if (!json_is_object(all)) {
		json_decref(all);
		return cli_refuse(c, "The engine's answer is no JSON: is it of "
				  "another version?");
	}
	if (c->json) {
		cli_json(c, all);
		return CLI_DONE;
	}
	print_status(c, all);
	json_decref(all);
	return CLI_DONE;
}

static int status(struct cli *c, const struct args *a)
{
	struct call k = { .path = cli_path(c, CONTROL_SOCKET),
			  .answer = BUF_EMPTY };
	int done;

	(void)a;
	loops_run(1, ask, &k);
	done = k.answered
		       ? show(c, &k.answer)
		       : cli_refuse(c, "The engine does not answer (%s). Start "
				    "it: splitmail serve.", k.why);
	buf_free(&k.answer);
	return done;
}

static const struct command commands[] = {
	{ "", "", "Does the engine run, what has it done, and which systems "
		  "take mail?",
	  "splitmail status --json", status },
};

const struct noun noun_status = NOUN_OF("status", "the engine that runs",
					commands);
