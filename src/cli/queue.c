/*
 * splitmail queue: what waits, and what to do about it.
 *
 * As text the list looks like Postfix's mailq.  Replies and addresses were
 * said by strangers: nothing reaches a terminal with control characters in it.
 */
#include "queue/tools.h"

#include "cli/cli.h"
#include "rt/clock.h"
#include "show/show.h"

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

static bool filter_of(const struct args *a, struct queue_filter *f)
{
	*f = (struct queue_filter){ .id = option(a, "id"),
		                    .recipient = option(a, "recipient"),
		                    .system = option(a, "system"),
		                    .domain = option(a, "domain") };
	return !is_empty(a, "id") && !is_empty(a, "recipient") &&
	       !is_empty(a, "system") && !is_empty(a, "domain");
}

static bool is_any(const struct queue_filter *f)
{
	return str_empty(f->id) && str_empty(f->recipient) &&
	       str_empty(f->system) && str_empty(f->domain);
}

/* ---- list ---- */

struct listing {
	struct cli *cli;
	struct rows rows;
	uint64_t messages, bytes;
};

static void add_json(void *listing, const struct message *m)
{
	struct listing *l = listing;

	rows_add(&l->rows, show_queued(m));
}

static void print_recipient(FILE *to, struct cli *c, const struct recipient *r,
                            struct arena *a)
{
	struct str reply = show_last_reply(&r->reply, r->remote, a);

	if (!str_empty(reply))
		fprintf(to, "%18s(%s)\n", "",
		        cli_clean(c, arena_cstr(a, reply)));
	fprintf(to, "%48s%s%s%s%s\n", "",
	        cli_clean(c, arena_cstr(a, r->address)),
	        r->held ? " (held)" : "", str_empty(r->system) ? "" : " via ",
	        cli_clean(c, arena_cstr(a, r->system)));
}

/* The column headings of Postfix's mailq(1). */
static const char headings[] =
        "----Queue ID---- ----Size---- ----Arrival Time--- "
        "-Sender/Recipient-------\n";

static void add_text(void *listing, const struct message *m)
{
	struct listing *l = listing;
	struct cli line = *l->cli; /* texts live as long as the entry */
	FILE *to = line.out;
	struct str sender =
	        str_empty(m->sender) ? S("MAILER-DAEMON") : m->sender;

	line.arena = m->arena;
	if (!l->messages++)
		fputs(headings, to);
	l->bytes += m->body.bytes;
	fprintf(to, "%-16s %12llu %-20s %s\n", m->id,
	        (unsigned long long)m->body.bytes,
	        date_iso(m->arrived_wall_ms).c,
	        cli_clean(&line, arena_cstr(m->arena, sender)));
	for (size_t i = 0; i < m->n; i++)
		print_recipient(to, &line, &m->recipients[i], m->arena);
	fputc('\n', to);
}

static void print_end(struct listing *l)
{
	if (!l->messages)
		fputs("Mail queue is empty\n", l->cli->out);
	else
		fprintf(l->cli->out, "-- %llu Kbytes in %llu Request%s.\n",
		        (unsigned long long)(l->bytes + 1023) / 1024,
		        (unsigned long long)l->messages,
		        l->messages == 1 ? "" : "s");
}

static int list(struct cli *c, const struct args *a)
{
	struct listing l = { .cli = c };
	struct queue_filter f;
	struct tools *t;
	bool ok;

	if (!filter_of(a, &f))
		return cli_usage(c, "%s", cause());
	t = tools_open(c->data);
	if (!t)
		return cli_refuse(c, "%s.", cause());
	if (c->json)
		l.rows = rows_begin(c, NULL, 0);
	ok = tools_list(t, &f, c->json ? add_json : add_text, &l);
	tools_close(t);
	if (c->json)
		rows_end(&l.rows);
	if (!ok)
		return cli_refuse(c, "%s.", cause());
	if (!c->json)
		print_end(&l);
	return CLI_DONE;
}

/* ---- show ---- */

static void show_text(struct cli *c, const struct message *m)
{
	struct listing l = { .cli = c };
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
	if (args_option(a, "raw"))
		show_raw(c->out, m);
	else if (c->json)
		cli_json(c, show_queued_whole(m));
	else
		show_text(c, m);
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
	struct tools *t = tools_open(c->data);
	enum tools_found found = TOOLS_TROUBLE;
	struct message *m = NULL;

	if (t)
		found = tools_show(t, id, &m);
	tools_close(t);
	switch (found) {
	case TOOLS_FOUND:
		show_message(c, a, m);
		message_drop(m);
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

static int say_done(struct cli *c, enum order order, uint64_t n)
{
	const char *text = arena_printf(c->arena, "%llu recipient%s %s.",
	                                (unsigned long long)n,
	                                n == 1 ? "" : "s", done[order]);

	if (!c->json)
		return cli_done(c, "%s", text);
	cli_json(c, json_pack("{s:b,s:s,s:I}", "done", 1, "text", text,
	                      "recipients", (json_int_t)n));
	return CLI_DONE;
}

static void count_entry(void *n, const struct message *m)
{
	++*(uint64_t *)n;
}

/* *THERE: messages that match, when nothing had to be changed. */
static bool give_order(struct cli *c, enum order order,
                       const struct queue_filter *f, uint64_t *n,
                       uint64_t *there)
{
	struct tools *t = tools_open(c->data);
	bool ok = t && tools_order(t, order, f, n);

	*there = *n;
	if (ok && !*n && !str_empty(f->id))
		ok = tools_list(t, f, count_entry, there);
	tools_close(t);
	return ok;
}

static int order_by(struct cli *c, const struct args *a, enum order order)
{
	struct queue_filter f;
	uint64_t n = 0, there = 0;

	if (!filter_of(a, &f))
		return cli_usage(c, "%s", cause());
	if (order != ORDER_RETRY && is_any(&f) && !args_option(a, "all"))
		return cli_usage(c, "Say which: --id, --recipient, --system or "
		                    "--domain; or --all.");
	if (!give_order(c, order, &f, &n, &there))
		return cli_refuse(c, "%s.", cause());
	if (!str_empty(f.id) && !there)
		return no_message(c, f.id);
	return say_done(c, order, n);
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

#define WHICH "[--id I] [--recipient R] [--system S] [--domain D]"

static const char which[] =
        "Only recipients that match all that is given. --system is the system's "
        "name,\nor the hosts of a relay without a name; --domain is the "
        "recipient's.";

static const struct command commands[] = {
	{ "list", WHICH, "What waits, oldest first.",
	  "splitmail queue list --domain example.org", list, which },
	{ "show", "ID [--raw]",
	  "One message: recipients, where it came from, its header.",
	  "splitmail queue show 3xk7d2mqa4zt", show,
	  "--raw prints the message itself and nothing else." },
	{ "retry", WHICH " [--all]", "Try again now; held ones stay held.",
	  "splitmail queue retry --system exchange", retry, which },
	{ "hold", WHICH " [--all]", "Do not try until released.",
	  "splitmail queue hold --recipient bob@example.org", hold, which },
	{ "release", WHICH " [--all]",
	  "End a hold; it goes when its next attempt is due.",
	  "splitmail queue release --recipient bob@example.org", release,
	  which },
	{ "delete", WHICH " [--all]", "Throw away, without telling anybody.",
	  "splitmail queue delete --id 3xk7d2mqa4zt", delete, which },
	{ "bounce", WHICH " [--all]",
	  "Give up at once, and tell the sender by a DSN.",
	  "splitmail queue bounce --domain gone.example", bounce, which },
};

const struct noun noun_queue =
        NOUN_OF("queue", "mail that waits for its next system", commands);
