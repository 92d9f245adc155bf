/* One line and an exit status for monitoring (status.h). */
#include "cli/status.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/control.h"
#include "queue/tools.h"
#include "rt/clock.h"

enum state { OK, WARNING, CRITICAL, UNKNOWN };

struct result {
	struct cli *cli;
	enum state state;
	struct buf bad;             /* what is wrong: the worst comes first */
	struct buf figures;         /* for people */
	struct buf data;            /* for graphs */
	uint64_t warning, critical; /* mails that wait; 0: any number is well */
};

/* A "|" would begin the figures. */
static const char *harmless(struct result *r, const char *text)
{
	char *copy = arena_printf(r->cli->arena, "%s",
				  cli_clean(r->cli, text ? text : ""));

	for (char *p = copy; *p; p++)
		if (*p == '|')
			*p = '/';
	return copy;
}

static void is_bad(struct result *r, enum state how, const char *text)
{
	if (how > r->state)
		r->state = how;
	buf_printf(&r->bad, "%s%s", r->bad.n ? " " : "", harmless(r, text));
}

static int say(struct result *r)
{
	static const char *const words[] = { "OK", "WARNING", "CRITICAL",
					     "UNKNOWN" };

	if (r->bad.n && r->figures.n)
		buf_add(&r->bad, S(" "));
	fprintf(r->cli->out, "SPLITMAIL %s - %.*s%.*s", words[r->state],
		STR(buf_str(&r->bad)), STR(buf_str(&r->figures)));
	if (r->data.n)
		fprintf(r->cli->out, " |%.*s", STR(buf_str(&r->data)));
	fputc('\n', r->cli->out);
	buf_free(&r->bad);
	buf_free(&r->figures);
	buf_free(&r->data);
	return (int)r->state;
}

/* ---- the engine's answer ---- */

static const char *member(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void add_troubles(struct result *r, const json_t *list, bool worst)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		bool stops = json_is_true(json_object_get(one, "stops_mail"));

		if (stops == worst)
			is_bad(r, stops ? CRITICAL : WARNING,
			       member(one, "text"));
	}
}

static unsigned count_down(const json_t *systems)
{
	unsigned n = 0;
	size_t i;
	json_t *one;

	json_array_foreach(systems, i, one)
	{
		const char *state = member(one, "state");

		n += state && !strcmp(state, "down");
	}
	return n;
}

/* Seconds until then; false: it is no time. */
static bool seconds_until(const char *iso, int64_t *out)
{
	struct tm t = { 0 };

	if (!iso || !strptime(iso, "%Y-%m-%dT%H:%M:%SZ", &t))
		return false;
	*out = (int64_t)timegm(&t) - wall_ms() / 1000;
	return true;
}

static void add_counters(struct result *r, const json_t *counters)
{
	static const char *const shown[] = {
		"connections",        "recipients_accepted",
		"recipients_refused", "mails_handed_over",
		"mails_kept",         "deliveries",
	};

	for (size_t i = 0; i < array_size(shown); i++) {
		const char *key = arena_printf(r->cli->arena,
					       "splitmail_%s_total", shown[i]);

		buf_printf(&r->data, " %s=%" JSON_INTEGER_FORMAT "c", shown[i],
			   json_integer_value(json_object_get(counters, key)));
	}
}

/* Of all certificates the one that ends first. */
static bool first_end(const json_t *all, int64_t *left_s)
{
	bool found = seconds_until(member(all, "certificate_ends"), left_s);
	int64_t its_s;
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(all, "certificates"), i, one)
	{
		if (!seconds_until(member(one, "ends"), &its_s) ||
		    (found && its_s >= *left_s))
			continue;
		*left_s = its_s;
		found = true;
	}
	return found;
}

static void add_answer(struct result *r, const json_t *all)
{
	const json_t *troubles = json_object_get(all, "trouble");
	json_int_t sessions =
		json_integer_value(json_object_get(all, "sessions"));
	size_t deadly = json_array_size(json_object_get(all, "held_deadly"));
	int64_t left_s;

	add_troubles(r, troubles, true);
	add_troubles(r, troubles, false);
	if (deadly > 0)
		is_bad(r, WARNING,
		       "Mail is held that kills the engine: `splitmail "
		       "status` names it.");
	buf_printf(&r->figures, "%" JSON_INTEGER_FORMAT " session%s", sessions,
		   sessions == 1 ? "" : "s");
	buf_printf(&r->data, " sessions=%" JSON_INTEGER_FORMAT ";;;0",
		   sessions);
	buf_printf(&r->data, " systems_down=%u;;;0",
		   count_down(json_object_get(all, "systems")));
	if (first_end(all, &left_s))
		buf_printf(&r->data, " certificate=%" PRId64 "s", left_s);
	add_counters(r, json_object_get(all, "counters"));
}

/* ---- the queue ---- */

static void ignore_load(void *arg, const struct queue_load *l)
{
	(void)arg;
	(void)l;
}

static void add_limit(struct result *r, uint64_t n)
{
	if (n)
		buf_printf(&r->data, "%" PRIu64, n);
	buf_add(&r->data, S(";"));
}

static void add_waiting(struct result *r)
{
	struct tools *t = tools_open(r->cli->data);
	struct queue_total total;
	uint64_t n, age_s = 0;

	if (!t || !tools_count(t, S(""), ignore_load, NULL, &total)) {
		is_bad(r, WARNING,
		       arena_printf(r->cli->arena,
				    "The queue cannot be read: %s.", cause()));
		tools_close(t);
		return;
	}
	tools_close(t);
	n = total.messages;
	if (total.oldest_ms)
		age_s = (uint64_t)(wall_ms() - total.oldest_ms) / 1000;
	if (r->critical && n >= r->critical)
		is_bad(r, CRITICAL, "Too many mails wait.");
	else if (r->warning && n >= r->warning)
		is_bad(r, WARNING, "Many mails wait.");
	buf_printf(&r->figures, ", %" PRIu64 " mail%s", n,
		   n == 1 ? " waits" : "s wait");
	buf_printf(&r->data, " mails=%" PRIu64 ";", n);
	add_limit(r, r->warning);
	add_limit(r, r->critical);
	buf_printf(&r->data, "0 held=%" PRIu64 ";;;0 oldest=%" PRIu64 "s;;;0",
		   total.held, age_s);
}

/* ---- all of it ---- */

static bool take_limit(const struct args *a, const char *name, uint64_t *out)
{
	const char *said = args_option(a, name);

	*out = 0;
	return !said ||
	       (str_number(str_of(said), UINT32_MAX, out) && *out > 0) ||
	       fail("--%s %s is no number of mails", name, said);
}

/* Whoever monitors is often another user than the server. */
static bool may_not_ask(struct cli *c)
{
	return access(cli_path(c, CONTROL_SOCKET), W_OK) != 0 &&
	       errno == EACCES;
}

static int ask(struct result *r)
{
	struct buf answer scoped(buf) = BUF_EMPTY;
	json_t *all;

	if (!cli_ask_engine(r->cli, "status", &answer)) {
		is_bad(r, may_not_ask(r->cli) ? UNKNOWN : CRITICAL,
		       arena_printf(r->cli->arena,
				    "The engine does not answer: %s.",
				    cause()));
		return say(r);
	}
	all = json_loadb(answer.p, answer.n, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(all)) {
		add_answer(r, all);
		add_waiting(r);
	} else {
		is_bad(r, UNKNOWN,
		       "The engine's answer is no JSON: is it of another "
		       "version?");
	}
	json_decref(all);
	return say(r);
}

int status_nagios(struct cli *c, const struct args *a)
{
	struct result r = { .cli = c };

	if (c->json)
		return cli_usage(c, "--nagios is a format of its own: leave "
				    "--json out");
	if (!take_limit(a, "warning", &r.warning) ||
	    !take_limit(a, "critical", &r.critical))
		return cli_usage(c, "%s", cause());
	return ask(&r);
}
