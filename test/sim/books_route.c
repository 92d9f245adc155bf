/*
 * What `splitmail route ADDRESS --from IP` says of a mail's recipients before
 * it is handed in, asked by an administrator of that Splitmail: with a handle
 * of the directory of his own, and without the server's memory of what other
 * systems said (src/cli/route.c).
 */
#include "books_route.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "books.h"
#include "dns/dns.h"
#include "route/callers.h"
#include "route/guard.h"
#include "route/route.h"

enum { LOOK_MS = 200 };

/* Of one unit, on the stack of whoever sends it. */
struct errand {
	struct errand *next;
	struct unit *unit;
	struct inet from;
	bool is_local;
	struct gate done;
	bool is_done;
};

/* Each Splitmail's, who stays until it loses power. */
static struct administrator {
	struct sim_process *process;
	struct errand *first;
	struct gate wanted;
} administrators[SPLITMAILS];

void books_route_open(void)
{
	memset(administrators, 0, sizeof(administrators));
}

/* ---- what is said, in the books' words ---- */

/* By the last of its hosts; the one before may be silent. */
static int taker_of(struct str hosts)
{
	for (int i = 0; i < world.n_takers; i++) {
		char host[32];

		snprintf(host, sizeof(host), "%s.test", world.takers[i].name);
		if (str_ends(hosts, str_of(host)))
			return i;
	}
	return -1;
}

static int hop_of(const struct unit *u, const struct leg *l)
{
	switch (l->kind) {
	case LEG_MAILBOX:
		return store_of(u->splitmail);
	case LEG_SYSTEM:
		return taker_of(l->system.hosts);
	case LEG_INTERNET:
		break;
	}
	return internet();
}

static void write_down(struct unit *u, int i, const struct decision *d)
{
	struct said *s = &u->said[i];

	*s = (struct said){ .at_ms = now_ms(), .code = d->reply.code };
	for (size_t k = 0; k < d->n && s->n < SAID_LEGS; k++)
		s->legs[s->n++] = (struct said_leg){
			.person = person_at(d->legs[k].address),
			.hop = hop_of(u, &d->legs[k]),
		};
}

/* ---- the administrator ---- */

static struct asker user_of(const struct unit *u, struct arena *arena)
{
	const struct person *p = &world.persons[world.clients[u->client].user];

	return (struct asker){
		.kind = ASKER_USER,
		.user = arena_strf(arena, "%s@%s", p->local, p->domain),
	};
}

static void ask(const struct router *r, const struct errand *e, int i)
{
	struct arena *arena scoped(arena) = arena_open();
	const struct person *p = &world.persons[e->unit->to[i]];
	struct address recipient;
	struct question q = { .recipient = &recipient,
			      .peer = e->is_local ? NULL : &e->from };
	struct decision d;

	check(address_parse(arena_strf(arena, "%s@%s", p->local, p->domain),
			    arena, &recipient));
	if (!q.peer)
		q.asker.kind = ASKER_LOCAL;
	else if (unit_is_of_user(e->unit))
		q.asker = user_of(e->unit, arena);
	else if (asker_at(r->directory, q.peer, arena, &q.asker) ==
		 ANSWER_UNSURE)
		return;
	d = route_answer(r, &q, arena);
	write_down(e->unit, i, &d);
}

static void serve(struct administrator *a, const struct router *r)
{
	for (;;) {
		struct errand *e;

		while (!a->first)
			gate_wait(&a->wanted, NEVER);
		e = a->first;
		LL_DELETE(a->first, e);
		for (int i = 0; i < e->unit->n; i++)
			ask(r, e, i);
		e->is_done = true;
		gate_open(&e->done);
	}
}

/* There may be no directory yet, or none that can be read. */
static void run(void *administrator)
{
	static const struct dns_settings defaults;
	struct directory *d = directory_open("/data/directory.db");
	struct router r = { .directory = d };
	struct dns *dns;
	struct node node;

	if (d && directory_node(d, &node)) {
		struct guard *guard = guard_open(&node);

		dns = dns_open(&defaults);
		r.guard = guard;
		r.callers = callers_open(dns);
		r.hostname =
			str_of(sim_host_name(sim_process_host(sim_process())));
		serve(administrator, &r);
	}
	directory_close(d);
}

/* ---- whoever sends ---- */

static void wait_for(struct administrator *a, struct errand *e)
{
	struct sim_process *p = a->process;
	struct errand *other;

	while (!e->is_done && !sim_has_ended(p))
		gate_wait(&e->done, after_ms(LOOK_MS));
	LL_FOREACH (a->first, other)
		if (other == e)
			break;
	if (other)
		LL_DELETE(a->first, e);
}

void books_ask_route(struct unit *u, const struct inet *from)
{
	struct administrator *a = &administrators[u->splitmail];
	struct splitmail *s = &world.splitmails[u->splitmail];
	struct errand e = { .unit = u, .is_local = !from };

	if (from)
		e.from = *from;
	if (!sim_is_on(s->host))
		return;
	LL_APPEND(a->first, &e);
	if (!a->process || sim_has_ended(a->process))
		a->process = sim_start(s->host, "route", run, a);
	gate_open(&a->wanted);
	wait_for(a, &e);
}
