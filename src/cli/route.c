/*
 * splitmail route ADDRESS: where would it go, and why.
 *
 * It asks the very function the server asks, so it cannot be wrong about it;
 * other systems are not asked about the address, which takes the server's
 * memory of what they said.  What the engine that runs has last found of the
 * next hops is said with it.
 */
#include "route/route.h"
#include "cli/store.h"
#include "directory/directory.h"
#include "route/callers.h"
#include "rt/loop.h"

/* ---- for people ---- */

static const char *plain(struct cli *c, struct str s)
{
	return cli_clean(c, arena_cstr(c->arena, s));
}

/* Which of them it is, is found when mail leaves. */
static const char *internet_tls(struct cli *c)
{
	const struct cli_server *server = c->server ? c->server(c->data) : NULL;

	return server && server->dns.dnssec ? "DANE or MTA-STS" : "MTA-STS";
}

static const char *outgoing(struct cli *c, const struct leg *l)
{
	struct str from = outgoing_text(leg_outgoing(l), c->arena);

	return from.n ? arena_printf(c->arena, ", from %.*s", STR(from)) : "";
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
		fprintf(c->out, ", TLS %s%s\n", tls_name(l->system.tls),
			outgoing(c, l));
		break;
	case LEG_INTERNET:
		fprintf(c->out,
			"to       %s at the MX of %s, TLS opportunistic, or as "
			"%s wants it%s\n",
			address, plain(c, l->domain), internet_tls(c),
			outgoing(c, l));
		break;
	}
}

static const char *member(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static void print_state(struct cli *c, const json_t *leg)
{
	const char *since = member(leg, "since");
	const char *problem = member(leg, "problem");

	if (strcmp(member(leg, "state"), "down") != 0)
		return;
	fprintf(c->out, "         down%s%s: mail would wait here%s%s\n",
		*since ? " since " : "", cli_clean(c, since),
		*problem ? "; " : "", cli_clean(c, problem));
}

static void print_decision(struct cli *c, struct str recipient,
			   const struct decision *d, const json_t *legs)
{
	fprintf(c->out, "%s: %s\n", plain(c, recipient),
		route_action_name(d->action));
	for (size_t i = 0; i < d->n; i++) {
		print_leg(c, &d->legs[i]);
		print_state(c, json_array_get(legs, i));
	}
	fprintf(c->out, "sender   sees %s\n",
		plain(c, reply_line(&d->reply, c->arena)));
	for (size_t i = 0; i < d->n_reasons; i++) {
		const struct reason *r = &d->reasons[i];

		fprintf(c->out, "%s  %-13s%s (%s)\n", i ? "       " : "because",
			r->rule, plain(c, reason_fact(r, c->arena)), r->source);
	}
}

/* ---- what the engine found of the next hops ---- */

static const json_t *hop_of(const json_t *systems, const struct next_hop *next)
{
	json_t *one;
	size_t i;

	json_array_foreach((json_t *)systems, i,
			   one) if (!strcmp(member(one, "next_hop"),
					    next_hop_word(next->kind)) &&
				    str_same(str_of(member(one, "name")),
					     next->name)) return one;
	return NULL;
}

/* As in the HTTP API: nothing of one that had no mail yet, nor while no engine
 * runs. */
static void add_states(struct cli *c, const struct decision *d, json_t *legs)
{
	static const char *const keys[] = { "state", "since", "problem" };
	struct buf answer scoped(buf) = BUF_EMPTY;
	json_t *status;

	if (d->n == 0 || !cli_ask_engine(c, "status", &answer))
		return;
	status = json_loadb(answer.p, answer.n, JSON_REJECT_DUPLICATES, NULL);
	for (size_t i = 0; i < d->n; i++) {
		struct next_hop next = leg_next_hop(&d->legs[i]);
		const json_t *hop;

		if (next.kind == NEXT_HOP_INTERNET)
			next.name = S(""); /* one for all domains */
		hop = hop_of(json_object_get(status, "systems"), &next);
		for (size_t k = 0; hop && k < array_size(keys); k++)
			json_object_set(json_array_get(legs, i), keys[k],
					json_object_get(hop, keys[k]));
	}
	json_decref(status);
}

static int show(struct cli *c, struct str recipient, const struct decision *d)
{
	json_t *shown = show_decision(recipient, d, c->arena);
	json_t *legs = json_object_get(shown, "legs");

	add_states(c, d, legs);
	if (c->json) {
		cli_json(c, shown);
		return CLI_DONE;
	}
	print_decision(c, recipient, d, legs);
	json_decref(shown);
	return CLI_DONE;
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

/* ---- names of callers' hosts: in a fiber ---- */

struct inquiry {
	struct cli *cli;
	struct dns *dns;
	struct router *router;
	const struct question *question;
	struct decision decision;
};

static void waits inquire(void *arg)
{
	struct inquiry *i = arg;

	i->router->callers = callers_open(i->dns);
	i->decision = route_answer(i->router, i->question, i->cli->arena);
	callers_close(i->router->callers);
	i->router->callers = NULL;
}

static struct decision decide_in_fiber(struct cli *c, struct router *r,
				       const struct question *q,
				       const struct cli_server *server)
{
	struct inquiry i = { .cli = c, .router = r, .question = q };
	static const struct dns_settings defaults;

	i.dns = dns_open(server ? &server->dns : &defaults);
	loops_run(1, inquire, &i);
	dns_close(i.dns);
	return i.decision;
}

/* ---- the question ---- */

/* WHO asks; from an address, the one who is known there. */
static bool parse_asker(struct cli *c, const struct router *r, const char *as,
			const struct inet *from, struct asker *out)
{
	if (!as && from)
		return asker_at(r->directory, from, c->arena, out) !=
		       ANSWER_UNSURE;
	return asker_parse(r->directory, str_of(as ? as : "internet"), c->arena,
			   out) &&
	       may_ask(c, r, out);
}

static int decide(struct cli *c, struct router *r, const struct args *args)
{
	const struct cli_server *server = c->server ? c->server(c->data) : NULL;
	const char *from = args_option(args, "from");
	struct inet peer;
	struct address recipient;
	struct question q = { .recipient = &recipient };
	struct decision d;

	if (!parse_recipient(c, args_word(args, 0), &recipient))
		return cli_refuse(c, "%s.", cause());
	if (from && !inet_parse_ip(str_of(from), 0, &peer))
		return cli_refuse(c, "\"%s\" is no IP address.", from);
	q.peer = from ? &peer : NULL;
	if (!parse_asker(c, r, args_option(args, "as"), q.peer, &q.asker))
		return cli_refuse(c, "%s.", cause());
	d = from ? decide_in_fiber(c, r, &q, server)
		 : route_decide(r, &q, c->arena);
	return show(c, recipient.spelling, &d);
}

static int route(struct cli *c, const struct args *a)
{
	struct cli_router r;
	int status;

	if (!cli_router_open(c, &r))
		return cli_refuse(c, "%s", cause());
	status = decide(c, &r.router, a);
	cli_router_close(&r);
	return status;
}

static const struct command commands[] = {
	{ "", "ADDRESS [--as WHO] [--from IP]",
	  "Where would this address go, and why?",
	  "splitmail route bob@example.org --as user:alice@example.org", route,
	  "WHO is internet (a stranger, the default), user:ADDRESS (logged in), "
	  "system:NAME (another mail system), local (a program here) or "
	  "local:ADDRESS (his Sieve). With --from, the server at IP calls on "
	  "port 25: as the system that is trusted there, or as a stranger; what "
	  "would go to a system with a host of this address is not given back "
	  "to it." },
};
const struct noun noun_route =
	NOUN_OF("route", "where mail would go, and why", commands);
