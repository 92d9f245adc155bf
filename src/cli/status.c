/*
 * splitmail status: what the engine that runs says of itself.
 */
#include "cli/status.h"
#include "cli/begin.h"
#include "cli/store.h"

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
	fprintf(c->out,
		"\n    delivered %lld, deferred %lld, refused %lld; "
		"connections %lld, idle %lld\n",
		(long long)number(s, "delivered"),
		(long long)number(s, "deferred"),
		(long long)number(s, "refused"),
		(long long)number(s, "connections"),
		(long long)number(s, "idle"));
}

/* What keeps mail from coming in first. */
static void print_trouble(struct cli *c, json_t *list)
{
	json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *detail = member(one, "detail");

		fprintf(c->out, "%s: %s\n",
			json_is_true(json_object_get(one, "stops_mail"))
				? "TROUBLE"
				: "warning",
			cli_clean(c, member(one, "text")));
		if (*detail)
			fprintf(c->out, "  %s\n", cli_clean(c, detail));
	}
}

static void print_deadly(struct cli *c, json_t *ids)
{
	json_t *id;
	size_t i;

	if (json_array_size(ids) > 0)
		fprintf(c->out, "held, because the engine died whenever they "
				"were under way:\n");
	json_array_foreach(ids, i, id)
		fprintf(c->out, "  %s\n", cli_clean(c, json_string_value(id)));
}

static void print_counters(struct cli *c, json_t *counters)
{
	const char *key;
	json_t *n;

	json_object_foreach(counters, key, n) if (json_integer_value(n) > 0)
		fprintf(c->out, "  %s %lld\n", cli_clean(c, key),
			(long long)json_integer_value(n));
}

static void print_names(struct cli *c, const json_t *one)
{
	json_t *name;
	size_t i;

	json_array_foreach(json_object_get(one, "names"), i, name)
		fprintf(c->out, "%s%s", i ? ", " : "",
			cli_clean(c, json_string_value(name)));
	if (number(one, "names_left_out") > 0)
		fprintf(c->out, " and %lld more",
			(long long)number(one, "names_left_out"));
}

/* Those for the names in them; why one is not served stands in the trouble. */
static void print_certificates(struct cli *c, json_t *all)
{
	json_t *one;
	size_t i;

	json_array_foreach(all, i, one)
	{
		if (!*member(one, "name"))
			continue;
		fprintf(c->out, "the certificate %s ",
			cli_clean(c, member(one, "name")));
		if (!*member(one, "ends")) {
			fprintf(c->out, "is not served\n");
			continue;
		}
		fprintf(c->out, "(%s) for ", cli_clean(c, member(one, "key")));
		print_names(c, one);
		fprintf(c->out, " ends at %s\n",
			cli_clean(c, member(one, "ends")));
	}
}

/* Who of the Internet wants less mail for now. */
static void print_destinations(struct cli *c, json_t *all)
{
	json_t *one;
	size_t i;

	if (json_array_size(all) > 0)
		fprintf(c->out, "want less mail from here for now:\n");
	json_array_foreach(all, i, one)
	{
		const char *until = member(one, "until");

		fprintf(c->out, "  %s: %s%s; %lld waiting, %lld under way\n",
			cli_clean(c, member(one, "name")),
			*until ? "rests until " : "is tried again",
			cli_clean(c, until), (long long)number(one, "waiting"),
			(long long)number(one, "mails"));
		fprintf(c->out, "    %s\n",
			cli_clean(c, member(one, "last_reply")));
	}
}

static void print_status(struct cli *c, const json_t *all)
{
	json_t *systems = json_object_get(all, "systems"), *system;
	size_t i;

	fprintf(c->out, "%s runs since %s, %lld open sessions\n",
		cli_clean(c, member(all, "hostname")),
		cli_clean(c, member(all, "started")),
		(long long)number(all, "sessions"));
	if (*member(all, "confined"))
		fprintf(c->out, "confined by the kernel: %s\n",
			cli_clean(c, member(all, "confined")));
	if (*member(all, "certificate_ends"))
		fprintf(c->out, "the certificate ends at %s\n",
			cli_clean(c, member(all, "certificate_ends")));
	print_certificates(c, json_object_get(all, "certificates"));
	print_trouble(c, json_object_get(all, "trouble"));
	if (json_array_size(systems) > 0)
		fprintf(c->out, "next hops, since then:\n");
	json_array_foreach(systems, i, system) print_system(c, system);
	if (number(all, "systems_left_out") > 0)
		fprintf(c->out, "  and %lld more, not used as lately\n",
			(long long)number(all, "systems_left_out"));
	print_destinations(c, json_object_get(all, "destinations"));
	if (number(all, "orphans") > 0)
		fprintf(c->out,
			"spool.orphans/ holds %lld files of mail that "
			"queue.db does not know\n",
			(long long)number(all, "orphans"));
	print_deadly(c, json_object_get(all, "held_deadly"));
	fprintf(c->out, "counters:\n");
	print_counters(c, json_object_get(all, "counters"));
}

static int show(struct cli *c, const struct buf *text)
{
	json_t *all =
		json_loadb(text->p, text->n, JSON_REJECT_DUPLICATES, NULL);

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

static int no_answer(struct cli *c)
{
	const char *why = arena_printf(c->arena, "%s", cause());

	if (!cli_is_there(c))
		return cli_refuse(c, "%s.", cause());
	return cli_refuse(c, "The engine does not answer (%s). Start it: `%s`.",
			  why, begin_serve(c->data, c->arena));
}

static int status(struct cli *c, const struct args *a)
{
	struct buf answer scoped(buf) = BUF_EMPTY;

	if (args_option(a, "nagios"))
		return status_nagios(c, a);
	if (args_option(a, "warning") || args_option(a, "critical"))
		return cli_usage(c, "--warning and --critical are limits for "
				    "--nagios");
	if (cli_ask_engine(c, "status", &answer))
		return show(c, &answer);
	return no_answer(c);
}

static const struct command commands[] = {
	{ "", "[--nagios] [--warning MAILS] [--critical MAILS]",
	  "Does the engine run, what has it done, and which systems "
	  "take mail?",
	  "splitmail status --json", status,
	  .more = "--nagios answers as a plugin of Nagios, Icinga and their kin: one line "
		  "with figures, and exit status 0 (OK), 1 (WARNING: a system is down, a "
		  "certificate ends...), 2 (CRITICAL: no mail comes in) or 3 (UNKNOWN: "
		  "whoever asks may not; let it be root or the server's user). --warning "
		  "and --critical are for how many mails may wait." },
};

const struct noun noun_status =
	NOUN_OF("status", "the engine that runs", commands);
