/*
 * splitmail queue: what waits, and what to do about it.
 *
 * As text the list looks like Postfix's mailq.  Replies and addresses were
 * said by strangers: nothing reaches a terminal with control characters in it.
 */
#include "queue/tools.h"

#include "cli/store.h"
#include "rt/clock.h"
#include "show/mailq.h"

/* ---- which ---- */

static struct str option(const struct args *a, const char *name)
{
	return str_of(args_option(a, name));
}

/* An empty value would match everything: a script's unset variable must not
 * empty the queue. */
static bool is_empty(const struct args *a, const char *name)
{
	const char *value = args_option(a, name);

	return value && !*value && !fail("The value of --%s is empty.", name);
}

/* As a word, or by --id. */
static bool id_of(const struct args *a, struct str *id)
{
	const char *word = args_word(a, 0);

	*id = word ? str_of(word) : option(a, "id");
	if (word && !*word)
		return fail("The ID is empty.");
	if (word && args_option(a, "id"))
		return fail("The ID is given twice.");
	return !is_empty(a, "id");
}

static bool filter_of(const struct args *a, struct queue_filter *f)
{
	*f = (struct queue_filter){ .recipient = option(a, "recipient"),
				    .system = option(a, "system"),
				    .domain = option(a, "domain"),
				    .next_hop = option(a, "next-hop") };
	return id_of(a, &f->id) && !is_empty(a, "recipient") &&
	       !is_empty(a, "system") && !is_empty(a, "domain") &&
	       !is_empty(a, "next-hop");
}

static bool is_any(const struct queue_filter *f)
{
	return str_empty(f->id) && str_empty(f->recipient) &&
	       str_empty(f->system) && str_empty(f->domain) &&
	       str_empty(f->next_hop);
}

/* Before `init` there is no queue: what there is to do about that is said. */
static struct tools *open_tools(struct cli *c)
{
	struct tools *t = tools_open(c->data);

	if (!t && !cli_is_there(c))
		return NULL; /* its cause is the better one */
	return t;
}

/* ---- list ---- */

struct listing {
	struct cli *cli;
	struct tools *tools;
	struct rows rows;
	struct outlook outlook;
	uint64_t messages, bytes;
};

static void add_json(void *listing, const struct message *m)
{
	struct listing *l = listing;

	rows_add(&l->rows, show_queued(m, l->tools, &l->outlook));
}

/* "system exchange"; empty: not decided. */
static const char *place(struct cli *c, const struct next_hop *h,
			 struct arena *a)
{
	switch (h->kind) {
	case NEXT_HOP_MAILBOXES:
		return "a mailbox";
	case NEXT_HOP_SYSTEM:
		return arena_printf(a, "system %s",
				    cli_clean(c, arena_cstr(a, h->name)));
	case NEXT_HOP_RELAY:
		return arena_printf(a, "the relay %s",
				    cli_clean(c, arena_cstr(a, h->name)));
	case NEXT_HOP_INTERNET:
		return "MX";
	case NEXT_HOP_UNDECIDED:
		break;
	}
	return "";
}

static const char *via(struct cli *c, const struct next_hop *h, struct arena *a)
{
	switch (h->kind) {
	case NEXT_HOP_MAILBOXES:
		return " to a mailbox";
	case NEXT_HOP_SYSTEM:
		return arena_printf(a, " via %s",
				    cli_clean(c, arena_cstr(a, h->name)));
	case NEXT_HOP_RELAY:
	case NEXT_HOP_INTERNET:
		return arena_printf(a, " %s %s",
				    h->kind == NEXT_HOP_RELAY ? "via" : "by",
				    place(c, h, a));
	case NEXT_HOP_UNDECIDED:
		break;
	}
	return "";
}

/* Where it would go if it were tried at this moment. */
static const char *now(struct cli *c, const struct decision *d, struct arena *a)
{
	struct next_hop hop = decision_next_hop(d);
	const char *reply =
		cli_clean(c, arena_cstr(a, reply_line(&d->reply, a)));

	if (d->action == ROUTE_REFUSE)
		return arena_printf(a, "refused %s", reply);
	if (d->action == ROUTE_LATER)
		return arena_printf(a, "waits, %s", reply);
	if (hop.kind == NEXT_HOP_UNDECIDED)
		return d->n ? "its members" : "nobody";
	return place(c, &hop, a);
}

/* Which of our addresses it leaves from, where that is set; where it goes, only
 * when that has changed since. */
static void print_now(struct cli *c, const struct recipient *r,
		      const struct decision *d, struct arena *a)
{
	const struct leg *leg = decision_own_leg(d);
	const char *there = now(c, d, a);

	if (leg && outgoing_is_set(leg_outgoing(leg)))
		fprintf(c->out, " from %.*s",
			STR(outgoing_text(leg_outgoing(leg), a)));
	if (strcmp(there, place(c, &r->next_hop, a)) != 0)
		fprintf(c->out, ", now: %s", there);
}

static void print_recipient(struct listing *l, struct cli *c,
			    const struct message *m, const struct recipient *r)
{
	struct arena *a = m->arena;
	struct str reply = show_last_reply(&r->reply, r->remote, a);
	struct decision d;

	if (!str_empty(reply))
		fprintf(c->out, "%18s(%s)\n", "",
			cli_clean(c, arena_cstr(a, reply)));
	fprintf(c->out, "%48s%s%s%s", "",
		cli_clean(c, arena_cstr(a, r->address)),
		r->held ? " (held)" : "", via(c, &r->next_hop, a));
	if (show_now(&l->outlook, m, r, &d))
		print_now(c, r, &d, a);
	fputc('\n', c->out);
}

static void add_text(void *listing, const struct message *m)
{
	struct listing *l = listing;
	struct cli line = *l->cli; /* texts live as long as the entry */
	FILE *to = line.out;
	struct str sender =
		str_empty(m->sender) ? S("MAILER-DAEMON") : m->sender;

	line.arena = m->arena;
	if (!l->messages++)
		fputs(mailq_headings, to);
	l->bytes += m->body.bytes;
	fprintf(to, "%-16s %12llu %-20s %s\n", m->id,
		(unsigned long long)m->body.bytes,
		date_iso(m->arrived_wall_ms).c,
		cli_clean(&line, arena_cstr(m->arena, sender)));
	for (size_t i = 0; i < m->n; i++)
		print_recipient(l, &line, m, &m->recipients[i]);
	fputc('\n', to);
}

static void print_end(struct listing *l, const struct queue_filter *f)
{
	struct buf end scoped(buf) = BUF_EMPTY;

	if (!l->messages && !is_any(f))
		buf_add(&end, S("Nothing matches.\n"));
	else
		mailq_add_end(&end, l->messages, l->bytes);
	fwrite(end.p, 1, end.n, l->cli->out);
}

/* A directory that cannot be asked keeps nobody from seeing what waits. */
static bool look_out(struct cli *c, struct cli_router *r, struct outlook *o)
{
	if (!cli_router_open(c, r))
		return false;
	*o = (struct outlook){ .router = &r->router, .left = SIZE_MAX };
	return true;
}

static int print_list(struct cli *c, struct tools *t,
		      const struct queue_filter *f)
{
	struct listing l = { .cli = c, .tools = t };
	struct cli_router router;
	bool ok, asks = look_out(c, &router, &l.outlook);
	const char *damage;

	if (c->json)
		l.rows = rows_begin(c, NULL, 0);
	ok = tools_list(t, f, c->json ? add_json : add_text, &l);
	if (c->json)
		rows_end(&l.rows);
	else if (ok)
		print_end(&l, f);
	if (asks)
		cli_router_close(&router);
	damage = ok ? tools_damage(t, c->arena) : cause();
	return damage ? cli_refuse(c, "%s.", damage) : CLI_DONE;
}

static int list(struct cli *c, const struct args *a)
{
	struct queue_filter f;
	struct tools *t;
	int status;

	if (!filter_of(a, &f))
		return cli_usage(c, "%s", cause());
	t = open_tools(c);
	if (!t)
		return cli_refuse(c, "%s.", cause());
	status = print_list(c, t, &f);
	tools_close(t);
	return status;
}

/* ---- show ---- */

static void show_text(struct cli *c, const struct outlook *o,
		      const struct message *m)
{
	struct listing l = { .cli = c, .outlook = *o };
	struct str header = show_header(m), line;

	add_text(&l, m);
	fprintf(c->out, "from %s, helo %s, as %s\n\n", inet_text(&m->client).c,
		cli_clean(c, arena_cstr(c->arena, m->helo)),
		cli_clean(c, arena_cstr(c->arena, m->as)));
	while (str_split(&header, '\n', &line)) {
		if (str_ends(line, S("\r")))
			line.n--;
		fprintf(c->out, "%s\n",
			cli_clean(c, arena_cstr(c->arena, line)));
	}
}

static void show_raw(FILE *to, const struct message *m)
{
	struct str body = body_in_memory(&m->body);

	fwrite(m->trace.p, 1, m->trace.n, to);
	fwrite(body.p, 1, body.n, to);
}

static void show_message(struct cli *c, const struct args *a,
			 const struct message *m)
{
	struct outlook o = { NULL };
	struct cli_router router;
	bool asks;

	if (args_option(a, "raw")) {
		show_raw(c->out, m);
		return;
	}
	asks = look_out(c, &router, &o);
	if (c->json)
		cli_json(c, show_queued_whole(m, &o));
	else
		show_text(c, &o, m);
	if (asks)
		cli_router_close(&router);
}

static int no_message(struct cli *c, struct str id)
{
	return cli_refuse(c,
			  "There is no message %.*s in the queue; "
			  "\"splitmail queue list\" shows what there is.",
			  STR(id));
}

static int show(struct cli *c, const struct args *a)
{
	struct str id = str_of(args_word(a, 0));
	struct tools *t = open_tools(c);
	enum tools_found found = TOOLS_TROUBLE;
	struct message *m = NULL;

	if (t)
		found = tools_show(t, id, &m);
	if (m)
		show_message(c, a, m);
	message_drop(m);
	tools_close(t);
	switch (found) {
	case TOOLS_FOUND:
		return CLI_DONE;
	case TOOLS_NOT_THERE:
		return no_message(c, id);
	case TOOLS_TROUBLE:
		break;
	}
	return cli_refuse(c, "%s.", cause());
}

/* ---- orders ---- */

static const char *const done[] = {
	[ORDER_RETRY] = "due now",        [ORDER_HOLD] = "held",
	[ORDER_RELEASE] = "released",     [ORDER_DELETE] = "deleted",
	[ORDER_BOUNCE] = "to be bounced",
};

static int say_done(struct cli *c, enum order order, uint64_t n,
		    const char *but)
{
	const char *text = arena_printf(c->arena, "%llu recipient%s %s%s.",
					(unsigned long long)n,
					n == 1 ? "" : "s", done[order], but);

	if (!c->json)
		return cli_done(c, "%s", text);
	cli_json(c, json_pack("{s:b,s:s,s:I}", "done", 1, "text", text,
			      "recipients", (json_int_t)n));
	return CLI_DONE;
}

/* What matches, when nothing of it was changed; and what could not be. */
struct unchanged {
	uint64_t messages, held;
	const char *damage; /* or NULL */
};

static void count_entry(void *unchanged, const struct message *m)
{
	struct unchanged *u = unchanged;

	u->messages++;
	for (size_t i = 0; i < m->n; i++)
		u->held += m->recipients[i].held;
}

static bool give_order(struct cli *c, enum order order,
		       const struct queue_filter *f, uint64_t *n,
		       struct unchanged *u)
{
	struct tools *t = open_tools(c);
	bool ok = t && tools_order(t, order, f, n);

	*u = (struct unchanged){ .messages = *n };
	if (ok)
		u->damage = tools_damage(t, c->arena);
	if (ok && !*n)
		ok = tools_list(t, f, count_entry, u);
	tools_close(t);
	return ok;
}

static bool engine_runs(struct cli *c)
{
	struct buf answer scoped(buf) = BUF_EMPTY;

	return cli_ask_engine(c, "status", &answer);
}

/* Why it is not tried though somebody said so. */
static const char *why_not(struct cli *c, enum order order, uint64_t n,
			   const struct unchanged *u)
{
	if (order != ORDER_RETRY)
		return "";
	if (u->held)
		return arena_printf(c->arena,
				    ": %llu %s held, \"splitmail queue "
				    "release\" lets %s go",
				    (unsigned long long)u->held,
				    u->held == 1 ? "is" : "are",
				    u->held == 1 ? "it" : "them");
	return n && !engine_runs(c) ? "; the server does not run, it tries "
				      "when it does"
				    : "";
}

/* What takes mail out of the queue, for good. */
static int confirm_order(struct cli *c, enum order order,
			 const struct queue_filter *f)
{
	const char *what =
		is_any(f) ? "all mail that waits" : "the mail that matches";

	switch (order) {
	case ORDER_DELETE:
		return cli_confirm(c, "Throw away %s, without telling anybody",
				   what);
	case ORDER_BOUNCE:
		return cli_confirm(c, "Give up %s, and tell its senders", what);
	case ORDER_RETRY:
	case ORDER_HOLD:
	case ORDER_RELEASE:
		break;
	}
	return CLI_DONE;
}

static int order_by(struct cli *c, const struct args *a, enum order order)
{
	struct queue_filter f;
	struct unchanged u;
	uint64_t n = 0;
	int asked, status;

	if (!filter_of(a, &f))
		return cli_usage(c, "%s", cause());
	if (order != ORDER_RETRY && is_any(&f) && !args_option(a, "all"))
		return cli_usage(c, "Say which: ID, --recipient, --system, "
				    "--next-hop or --domain; or --all.");
	asked = confirm_order(c, order, &f);
	if (asked != CLI_DONE)
		return asked;
	if (!give_order(c, order, &f, &n, &u))
		return cli_refuse(c, "%s.", cause());
	if (n)
		cli_engine_looks(c);
	if (!str_empty(f.id) && !u.messages && !u.damage)
		return no_message(c, f.id);
	status = say_done(c, order, n, why_not(c, order, n, &u));
	return u.damage ? cli_refuse(c, "%s.", u.damage) : status;
}

static int retry(struct cli *c, const struct args *a)
{
	return order_by(c, a, ORDER_RETRY);
}

static int hold(struct cli *c, const struct args *a)
{
	return order_by(c, a, ORDER_HOLD);
}

static int release(struct cli *c, const struct args *a)
{
	return order_by(c, a, ORDER_RELEASE);
}

static int delete (struct cli *c, const struct args *a)
{
	return order_by(c, a, ORDER_DELETE);
}

static int bounce(struct cli *c, const struct args *a)
{
	return order_by(c, a, ORDER_BOUNCE);
}

#define WHICH \
	"[ID] [--id ID] [--recipient ADDRESS] [--system SYSTEM] " \
	"[--next-hop mailboxes|system|relay|internet|undecided] " \
	"[--domain DOMAIN]"

static const char which[] =
	"Only recipients that match all that is given. ID and --id are the same. --recipient is an "
	"address, or what stands before its @. --system is the system's name, or "
	"the hosts of a relay without a name. --domain is the recipient's.";

static const struct command commands[] = {
	{ "list", WHICH, "What waits, oldest first.",
	  "splitmail queue list --domain example.org", list, which },
	{ "show", "ID [--raw]",
	  "One message: recipients, where it came from, its header.",
	  "splitmail queue show 3xk7d2mqa4zt", show,
	  "--raw prints the message itself and nothing else." },
	{ "retry", WHICH " [--all]",
	  "Try now, whatever was found a moment ago; held ones stay held.",
	  "splitmail queue retry --system exchange", retry, which },
	{ "hold", WHICH " [--all]", "Do not try until released.",
	  "splitmail queue hold --recipient bob@example.org", hold, which },
	{ "release", WHICH " [--all]",
	  "End a hold; it goes when its next attempt is due.",
	  "splitmail queue release --recipient bob@example.org", release,
	  which },
	{ "delete", WHICH " [--all]", "Throw away, without telling anybody.",
	  "splitmail queue delete 3xk7d2mqa4zt", delete, which },
	{ "bounce", WHICH " [--all]",
	  "Give up at once, and tell the sender by a DSN.",
	  "splitmail queue bounce --domain gone.example", bounce, which },
};

const struct noun noun_queue =
	NOUN_OF("queue", "mail that waits for its next system", commands);
