/*
 * splitmail route ADDRESS: where would it go, and why.
 *
 * It asks the very function the server asks, so it cannot be wrong about it;
 * other systems are not asked about the address, which takes the server's
 * memory of what they said.
 */
#include "cli/store.h"
#include "directory/directory.h"
#include "route/guard.h"
#include "route/route.h"

/* ---- for people ---- */

static const char *plain(struct cli *c, struct str s)
{
	return cli_clean(c, arena_cstr(c->arena, s));
}

static void print_leg(struct cli *c, const struct leg *l)
{
	const char *address = plain(c, l->address);

	switch (l->kind) {
	case LEG_MAILBOX:
		fprintf(c->out, "to       the mailbox of %s here\n",
			plain(c, l->login));
		break;
	case LEG_SYSTEM:
		fprintf(c->out, "to       %s at %s", address,
			plain(c, l->system.name));
		if (!str_same(l->system.name, l->system.hosts))
			fprintf(c->out, " (%s)", plain(c, l->system.hosts));
		fprintf(c->out, ", TLS %s\n", tls_name(l->system.tls));
		break;
	case LEG_INTERNET:
		fprintf(c->out, "to       %s at the MX of %s\n", address,
			plain(c, l->domain));
		break;
	}
}

static void print_decision(struct cli *c, struct str recipient,
			   const struct decision *d)
{
	fprintf(c->out, "%s: %s\n", plain(c, recipient),
		route_action_name(d->action));
	for (size_t i = 0; i < d->n; i++)
		print_leg(c, &d->legs[i]);
	fprintf(c->out, "sender   sees %s\n",
		plain(c, reply_line(&d->reply, c->arena)));
	for (size_t i = 0; i < d->n_reasons; i++) {
		const struct reason *r = &d->reasons[i];

		fprintf(c->out, "%s  %-13s%s (%s)\n", i ? "       " : "because",
			r->rule, plain(c, reason_fact(r, c->arena)), r->source);
	}
}

/* ---- the command ---- */

static bool parse_recipient(struct cli *c, const char *word, struct address *a)
{
	struct str path = arena_strf(c->arena, "<%s>", word);

	if (!path_parse(&path, PATH_FORWARD, c->arena, a))
		return false;
	return str_empty(path) || fail("bad address \"%s\"", word);
}

/* Who could not log in could not ask. */
static bool may_ask(struct cli *c, const struct router *r,
		    const struct asker *as)
{
	struct address a;

	if (as->kind != ASKER_USER)
		return true;
	if (!address_parse(as->user, c->arena, &a))
		return false;
	switch (directory_may_send_as(r->directory, as->user, a.local,
				      a.domain)) {
	case ANSWER_YES:
		return true;
	case ANSWER_NO:
		return fail("%.*s is no user who is hosted here and enabled",
			    STR(as->user));
	case ANSWER_UNSURE:
		break;
	}
	return false;
}

static int decide(struct cli *c, const struct router *r, const char *word,
		  const char *as)
{
	struct address recipient;
	struct question q = { .recipient = &recipient };
	struct decision d;

	if (!parse_recipient(c, word, &recipient))
		return cli_refuse(c, "%s.", cause());
	if (!asker_parse(r->directory, str_of(as), c->arena, &q.asker) ||
	    !may_ask(c, r, &q.asker))
		return cli_refuse(c, "%s.", cause());
	d = route_decide(r, &q, c->arena);
	if (c->json)
		cli_json(c, show_decision(recipient.spelling, &d, c->arena));
	else
		print_decision(c, recipient.spelling, &d);
	return CLI_DONE;
}

static int route(struct cli *c, const struct args *a)
{
	struct router r = { .directory = cli_directory(c) };
	const char *as = args_option(a, "as");
	struct guard *guard;
	struct node node;
	int status;

	if (!r.directory)
		return cli_refuse(c, "%s", cause());
	if (!directory_node(r.directory, &node)) {
		status = cli_refuse(c, "%s.", cause());
		directory_close(r.directory);
		return status;
	}
	r.guard = guard = guard_open(&node);
	status = decide(c, &r, args_word(a, 0), as ? as : "internet");
	guard_close(guard);
	directory_close(r.directory);
	return status;
}

static const struct command commands[] = {
	{ "", "ADDRESS [--as WHO]", "Where would this address go, and why?",
	  "splitmail route bob@example.org --as user:alice@example.org", route,
	  "WHO is internet (a stranger, the default), user:ADDRESS (logged in), "
	  "system:NAME (another mail system) or local." },
};
const struct noun noun_route =
	NOUN_OF("route", "where mail would go, and why", commands);
