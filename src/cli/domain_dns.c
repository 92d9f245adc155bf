/*
 * splitmail domain dns: what to publish of a domain, and what is wrong now.
 */
#include "cli/domain_dns.h"

#include "base/limits.h"
#include "cli/store.h"
#include "publish/publish.h"
#include "rt/loop.h"
#include "wire/address.h"

struct inquiry {
	struct cli *cli;
	const struct cli_server *server;
	struct publish_plan plan;
	struct published found;
};

static void waits inquire(void *arg)
{
	struct inquiry *i = arg;

	publish_look(&i->plan, &i->server->dns, after_ms(LIMIT_PUBLISH_MS),
		     i->cli->arena, &i->found);
}

/* ---- for people ---- */

static const char *plain(struct cli *c, struct str s)
{
	return cli_clean(c, arena_cstr(c->arena, s));
}

static const char *state_of(const struct publish_row *r)
{
	switch (r->state) {
	case PUBLISH_RIGHT:
		return "right";
	case PUBLISH_ABSENT:
		return r->is_needed ? "ABSENT" : "absent";
	case PUBLISH_OTHER:
		return "WRONG";
	case PUBLISH_UNKNOWN:
		return "unknown";
	}
	return "";
}

/* Of a policy each line. */
static void print_value(struct cli *c, const char *what, struct str value)
{
	struct str line;

	while (str_split(&value, '\n', &line)) {
		fprintf(c->out, "         %-8s %s\n", what, plain(c, line));
		what = "";
	}
}

static void print_row(struct cli *c, const struct publish_row *r)
{
	fprintf(c->out, "%-8s %-5s %s\n", state_of(r), r->type,
		plain(c, r->name));
	for (size_t i = 0; i < r->n_found; i++)
		print_value(c, "found", r->found[i]);
	if (r->state != PUBLISH_RIGHT && !str_empty(r->value))
		print_value(c, "publish", r->value);
	for (size_t i = 0; i < r->n_remarks; i++)
		fprintf(c->out, "         %-8s %s\n",
			r->remarks[i].is_fault ? "fault" : "note",
			plain(c, r->remarks[i].text));
}

static void print_sum(struct cli *c, const struct published *p)
{
	unsigned wrong = 0, unknown = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct publish_row *r = &p->rows[i];

		wrong += r->state == PUBLISH_OTHER ||
			 (r->state == PUBLISH_ABSENT && r->is_needed);
		unknown += r->state == PUBLISH_UNKNOWN;
	}
	if (wrong == 0 && unknown == 0)
		fprintf(c->out, "All that mail needs is published.\n");
	else
		fprintf(c->out,
			"%u to be published or mended, %u could not be asked.\n",
			wrong, unknown);
}

static int show(struct cli *c, const struct args *a, const struct inquiry *i)
{
	if (c->json) {
		cli_json(c, show_published(&i->plan, &i->found, c->arena));
		return CLI_DONE;
	}
	if (args_option(a, "zone")) {
		fprintf(c->out, "%.*s", STR(publish_zone(&i->found, c->arena)));
		return CLI_DONE;
	}
	for (size_t k = 0; k < i->found.n; k++)
		print_row(c, &i->found.rows[k]);
	print_sum(c, &i->found);
	return CLI_DONE;
}

/* ---- the command ---- */

int domain_dns(struct cli *c, const struct args *a)
{
	struct inquiry i = { .cli = c,
			     .server = c->server ? c->server(c->data) : NULL };
	struct directory *d = cli_directory(c);
	struct str name;
	enum answer answer;

	if (!d)
		return cli_refuse(c, "%s", cause());
	if (!i.server) {
		directory_close(d);
		return cli_refuse(c, "splitmail.conf cannot be read: %s.",
				  cause());
	}
	if (!domain_parse(str_of(args_word(a, 0)), c->arena, &name)) {
		directory_close(d);
		return cli_refuse(c, "%s", cause());
	}
	answer = publish_plan(d, name, i.server->published, c->arena, &i.plan);
	if (answer == ANSWER_UNSURE)
		return cli_trouble(c, d);
	directory_close(d);
	if (answer == ANSWER_NO)
		return cli_refuse(c, "There is no domain %s.", args_word(a, 0));
	loops_run(1, inquire, &i);
	return show(c, a, &i);
}
