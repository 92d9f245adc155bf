/*
 * The fakes of deliver's tests: next hops, name server, route().
 */
#include "deliver/deliver_test_world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "route/verify.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/tls.h"
#include "wire/command.h"
#include "wire/data.h"

struct world *the_world;

void world_wrong(struct world *w, const char *file, int line, const char *what)
{
	if (!w->failed[0])
		snprintf(w->failed, sizeof w->failed, "%s:%d: %s", file, line,
		         what);
}

/* ---- a next hop ---- */

struct visit {
	struct fake_hop *hop;
	struct stream *s;
	struct arena *arena;
	struct str line;
	struct hop_mail *mail;
	char accepted[100][100];
	int n_accepted, n_mails;
	bool is_secure;
};

static bool more(struct visit *v)
{
	return stream_fill(v->s, after_ms(20000)) == STREAM_MORE;
}

static bool read_line(struct visit *v)
{
	size_t used;
	struct str line;

	for (;;) {
		enum line_state state =
		        command_line(stream_bytes(v->s), 8000, &line, &used);

		if (state == LINE_WHOLE) {
			v->line = arena_str(v->arena, line);
			stream_skip(v->s, used);
			return true;
		}
		if (state != LINE_PART || !more(v))
			return false;
	}
}

static bool read_content(struct visit *v)
{
	struct data_reader r = DATA_READER;

	for (;;) {
		struct data_piece p = data_read(&r, stream_bytes(v->s));

		buf_add(&v->mail->content, p.text);
		stream_skip(v->s, p.used);
		if (r.malformed)
			world_wrong(the_world, __FILE__, __LINE__, r.why);
		if (p.end)
			return true;
		if (!p.used && !more(v))
			return false;
	}
}

static bool read_chunk(struct visit *v, uint64_t n)
{
	while (n > 0) {
		struct str have = stream_bytes(v->s);

		if (!have.n) {
			if (!more(v))
				return false;
			continue;
		}
		have = str_part(have, 0, n);
		buf_add(&v->mail->content, have);
		n -= have.n;
		stream_skip(v->s, have.n);
	}
	return true;
}

static bool say(struct visit *v, const char *line)
{
	stream_sayf(v->s, "%s\r\n", line);
	/* One answer to all that was pipelined. */
	return stream_bytes(v->s).n || stream_flush(v->s, after_ms(5000));
}

static void say_caps(struct visit *v)
{
	struct str rest = str_of(v->hop->caps), cap;

	stream_sayf(v->s, "250-%s\r\n", v->hop->name);
	while (str_split(&rest, ' ', &cap))
		stream_sayf(v->s, "250-%.*s\r\n", STR(cap));
	if (v->hop->tls && !v->is_secure)
		stream_say(v->s, S("250-STARTTLS\r\n"));
	say(v, "250 HELP");
}

static const char *opinion(const char *line)
{
	if (strstr(line, "<no"))
		return "550 5.1.1 no such user";
	if (strstr(line, "<busy"))
		return "450 4.2.0 busy";
	return "250 2.1.5 ok";
}

static void begin_mail(struct visit *v)
{
	struct hop_mail *m = must_alloc(sizeof *m);

	memset(m, 0, sizeof *m);
	snprintf(m->mail, sizeof m->mail, "%.*s", STR(v->line));
	v->mail = m;
	v->n_accepted = 0;
}

static void forget_mail(struct visit *v)
{
	if (!v->mail)
		return;
	buf_free(&v->mail->content);
	free(v->mail);
	v->mail = NULL;
}

static bool on_mail(struct visit *v)
{
	const char *said = v->hop->mail ? v->hop->mail : "250 2.1.0 ok";

	if (++v->n_mails == v->hop->drop_at_mail)
		return false;
	if (v->hop->null_sender && str_starts(v->line, S("MAIL FROM:<>")))
		said = v->hop->null_sender;
	forget_mail(v);
	if (said[0] == '2')
		begin_mail(v);
	return say(v, said);
}

static bool on_rcpt(struct visit *v)
{
	char *line = arena_cstr(v->arena, v->line);
	const char *said = v->hop->rcpt ? v->hop->rcpt : opinion(line);
	size_t n;

	if (!v->mail)
		return say(v, "503 5.5.1 no mail");
	n = strlen(v->mail->rcpts);
	snprintf(v->mail->rcpts + n, sizeof v->mail->rcpts - n, "%s\n", line);
	if (said[0] == '2')
		snprintf(v->accepted[v->n_accepted++], 100, "%s", line);
	return say(v, said);
}

static void store_mail(struct visit *v)
{
	v->mail->next = v->hop->mails;
	v->hop->mails = v->mail;
	v->hop->n_mails++;
	v->mail = NULL;
}

static bool answer_content(struct visit *v)
{
	const char *final = v->hop->final ? v->hop->final : "250 2.0.0 stored";

	if (v->hop->final_ms)
		fiber_sleep(after_ms(v->hop->final_ms));
	if (final[0] == '2')
		store_mail(v);
	else
		forget_mail(v);
	if (v->hop->drop_after_dot)
		return false;
	if (!v->hop->path[0])
		return say(v, final);
	for (int i = 0; i < v->n_accepted; i++)
		if (!say(v, strstr(v->accepted[i], "<full")
		                    ? "452 4.2.2 mailbox is full"
		                    : final))
			return false;
	return true;
}

static bool on_data(struct visit *v)
{
	const char *said = v->hop->data ? v->hop->data : "354 go";

	if (!v->mail || !v->n_accepted)
		return say(v, "503 5.5.1 no recipients");
	if (!say(v, said))
		return false;
	if (said[0] != '3')
		return true;
	return read_content(v) && answer_content(v);
}

static bool on_bdat(struct visit *v)
{
	struct hop_mail unwanted = { 0 }, *mail = v->mail;
	uint64_t n;
	bool last, ok;

	if (!bdat_parse(str_from(v->line, 5), &n, &last) || !last)
		return false;
	if (!mail || !v->n_accepted) {
		v->mail = &unwanted;
		ok = read_chunk(v, n);
		v->mail = mail;
		buf_free(&unwanted.content);
		return ok && say(v, "503 5.5.1 no recipients");
	}
	mail->by_bdat = true;
	return read_chunk(v, n) && answer_content(v);
}

static bool on_starttls(struct visit *v)
{
	stream_sayf(v->s, "220 go\r\n%s",
	            v->hop->after_starttls ? v->hop->after_starttls : "");
	if (!stream_flush(v->s, after_ms(5000)))
		return false;
	if (v->hop->breaks_tls)
		return false;
	v->is_secure = stream_tls_accept(v->s, v->hop->tls, after_ms(5000));
	return v->is_secure;
}

static bool on_rset(struct visit *v)
{
	v->hop->resets++;
	if (v->mail && str_starts(str_of(v->mail->mail), S("MAIL FROM:<>")))
		v->hop->probes++;
	forget_mail(v);
	return say(v, "250 2.0.0 ok");
}

static bool on_command(struct visit *v)
{
	if (str_starts(v->line, S("EHLO")) || str_starts(v->line, S("LHLO"))) {
		if (v->hop->ehlo)
			return say(v, v->hop->ehlo);
		say_caps(v);
		return true;
	}
	if (str_starts(v->line, S("HELO")))
		return say(v, "250 hello");
	if (str_starts(v->line, S("MAIL")))
		return on_mail(v);
	if (str_starts(v->line, S("RCPT")))
		return on_rcpt(v);
	if (str_starts(v->line, S("DATA")))
		return on_data(v);
	if (str_starts(v->line, S("BDAT")))
		return on_bdat(v);
	if (str_starts(v->line, S("RSET")))
		return on_rset(v);
	if (str_starts(v->line, S("STARTTLS")) && v->hop->tls)
		return on_starttls(v);
	if (str_starts(v->line, S("AUTH PLAIN")))
		return say(v, "235 2.7.0 welcome");
	if (str_starts(v->line, S("QUIT")))
		return say(v, "221 bye") && false;
	return say(v, "500 5.5.1 what?");
}

static void play(struct visit *v, const char *script)
{
	struct str rest = str_of(script), line;

	while (str_split(&rest, '\n', &line))
		switch (line.p[0]) {
		case 'S':
			if (!say(v, arena_cstr(v->arena, str_from(line, 1))))
				return;
			break;
		case 'C':
			if (!stream_flush(v->s, after_ms(5000)) ||
			    !read_line(v))
				return;
			break;
		case 'D':
			begin_mail(v);
			if (!stream_flush(v->s, after_ms(5000)) ||
			    !read_content(v))
				return;
			store_mail(v);
			break;
		default:
			return;
		}
	if (stream_flush(v->s, after_ms(5000)))
		while (read_line(v))
			;
}

static void visit(struct visit *v)
{
	struct fake_hop *hop = v->hop;
	int n = hop->connections++;
	bool ok;

	if (n < 4 && hop->script[n]) {
		play(v, hop->script[n]);
		return;
	}
	if (hop->greeting_ms)
		fiber_sleep(after_ms(hop->greeting_ms));
	ok = say(v, hop->greeting ? hop->greeting : "220 hop ESMTP");
	while (ok && read_line(v))
		ok = on_command(v);
	if (!stream_flush(v->s, after_ms(1000)))
		return;
}

static void visit_main(void *arg)
{
	struct visit *v = arg;

	visit(v);
	forget_mail(v);
	stream_close(v->s);
	arena_close(v->arena);
	free(v);
}

static void hop_main(void *arg)
{
	struct fake_hop *hop = arg;
	struct stream *s;

	while ((s = listener_accept(hop->listener))) {
		struct visit *v = must_alloc(sizeof *v);

		memset(v, 0, sizeof *v);
		v->hop = hop;
		v->s = s;
		v->arena = arena_open();
		fiber_start("visit", visit_main, v);
	}
}

static void hop_open(struct fake_hop *hop)
{
	struct inet at;

	if (hop->path[0]) {
		hop->listener = listener_open_path(hop->path, 0600);
	} else {
		check(inet_parse_ip(S("127.0.0.1"), 0, &at));
		hop->listener = listener_open(&at);
		if (hop->listener)
			hop->port = listener_address(hop->listener)->port;
	}
	if (!hop->listener)
		fail_msg("%s", cause());
	if (!hop->caps)
		hop->caps = "PIPELINING 8BITMIME SIZE ENHANCEDSTATUSCODES";
	fiber_start("hop", hop_main, hop);
}

static void hop_forget(struct fake_hop *hop)
{
	struct hop_mail *next;

	for (struct hop_mail *m = hop->mails; m; m = next) {
		next = m->next;
		buf_free(&m->content);
		free(m);
	}
}

/* ---- the name server ---- */

enum dns_answer dns_addresses(struct str name, uint16_t port,
                              int64_t deadline_ms, struct arena *arena,
                              struct inet **out, size_t *n)
{
	*out = arena_new(arena, struct inet);
	*n = 1;
	check(inet_parse_ip(S("127.0.0.1"), port, *out));
	if (str_starts(name, S("mx-trouble")))
		return DNS_TROUBLE;
	return DNS_FOUND;
}

enum dns_answer dns_mx(struct str domain, int64_t deadline_ms,
                       struct arena *arena, struct mx **out, size_t *n,
                       bool *null_mx)
{
	*null_mx = str_starts(domain, S("null."));
	if (*null_mx || str_starts(domain, S("gone.")))
		return DNS_NONE;
	*out = arena_new(arena, struct mx);
	**out = (struct mx){ 10, arena_strf(arena, "mx.%.*s", STR(domain)) };
	if (str_starts(domain, S("loop.")))
		(*out)->name = S("here.test");
	*n = 1;
	return DNS_FOUND;
}

/* ---- route() ---- */

bool asker_parse(struct directory *d, struct str text, struct arena *arena,
                 struct asker *out)
{
	*out = (struct asker){ .kind = the_world->asker };
	return true;
}

static struct leg leg_of(const struct address *a, struct arena *arena)
{
	struct world *w = the_world;
	struct leg l = { .address = arena_str(arena, a->spelling),
		         .trail = w->sender_trail };

	if (str_ends(a->domain, S("a.test"))) {
		l.kind = LEG_SYSTEM;
		l.system = w->sys_a;
	} else if (str_ends(a->domain, S("b.test"))) {
		l.kind = LEG_SYSTEM;
		l.system = w->sys_b;
	} else if (str_ends(a->domain, S("box.test"))) {
		l.kind = LEG_MAILBOX;
		l.login = arena_strf(arena, "%.*s@box.test", STR(a->base));
		l.detail = a->detail;
	} else {
		l.kind = LEG_INTERNET;
		l.domain = a->domain;
	}
	return l;
}

static struct decision expand(struct arena *arena)
{
	struct str rest = str_of(the_world->members), one;
	struct leg *legs = arena_array(arena, struct leg, 200);
	struct decision d = { .action = ROUTE_EXPAND, .legs = legs };
	struct address a;

	while (str_split(&rest, ' ', &one)) {
		check(address_parse(one, arena, &a));
		legs[d.n] = leg_of(&a, arena);
		legs[d.n++].is_member = true;
	}
	return d;
}

struct decision route_decide(const struct router *r, const struct question *q,
                             struct arena *arena)
{
	struct decision d = { .action = ROUTE_DELIVER, .n = 1 };
	struct leg *leg = arena_new(arena, struct leg);

	if (str_same(q->recipient->local, S("group")))
		return expand(arena);
	if (str_same(q->recipient->local, S("refused"))) {
		d.action = ROUTE_REFUSE;
		d.reply = (struct reply){ 550, "5.1.1", S("nobody here") };
		return d;
	}
	*leg = leg_of(q->recipient, arena);
	d.legs = leg;
	return d;
}

/* ---- a world ---- */

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *at)
{
	return remove(path);
}

static void fill_message(struct world *w, struct message *m)
{
	struct str body = w->large.n ? buf_str(&w->large) : str_of(w->body);

	m->trace = S("Received: from x by here\r\n");
	check(body_add(&m->body, queue_spool(w->queue), body));
}

const char *submit(struct world *w, const char *sender, const char *recipients)
{
	struct message *m = message_new();
	struct str rest = str_of(recipients), one;
	struct arena *a = arena_open();
	struct reply r;

	m->sender = arena_str(m->arena, str_of(sender));
	m->as = S("internet");
	while (str_split(&rest, ' ', &one))
		message_add(m, one)->notify = w->notify;
	fill_message(w, m);
	snprintf(w->last_id, sizeof w->last_id, "%s", m->id);
	r = deliver_accept(w->deliver, m);
	snprintf(w->last_reply, sizeof w->last_reply, "%.*s",
	         STR(reply_line(&r, a)));
	arena_close(a);
	return w->last_reply;
}

int queued(struct world *w, char *to, size_t room)
{
	struct message *m[50];
	size_t n, at = 0;
	int64_t next;

	if (!queue_claim(w->queue, INT64_MAX / 2, 50, m, &n, &next))
		return -1;
	if (to && room)
		to[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; to && j < m[i]->n && at < room; j++)
			at += (size_t)snprintf(
			        to + at, room - at, "%s%.*s", at ? " " : "",
			        STR(m[i]->recipients[j].address));
		queue_release(w->queue, m[i]);
		message_drop(m[i]);
	}
	return (int)n;
}

static void scheduler_main(void *arg)
{
	struct world *w = arg;

	deliver_scheduler(w->deliver);
	w->scheduler = NULL;
}

void scheduler_begin(struct world *w)
{
	w->scheduler = fiber_start("scheduler", scheduler_main, w);
}

static void name_system(struct system *sys, const char *name,
                        const struct fake_hop *hop, char hosts[64])
{
	snprintf(hosts, 64, "127.0.0.1:%u", hop->port);
	*sys = (struct system){ .id = hop->port, .name = str_of(name) };
	sys->hosts = str_of(hosts);
}

struct story {
	struct world *w;
	void (*test)(struct world *w);
};

static void story_main(void *arg)
{
	struct story *story = arg;
	struct world *w = story->w;

	hop_open(&w->a);
	hop_open(&w->b);
	hop_open(&w->box);
	name_system(&w->sys_a, "A", &w->a, w->hosts_a);
	name_system(&w->sys_b, "B", &w->b, w->hosts_b);
	w->settings.internet_port = w->b.port;
	w->verification = verification_open(NULL);
	w->router.verification = w->verification;
	w->deliver = deliver_open(&w->settings, &w->router, w->queue);
	story->test(w);
	deliver_drain(w->deliver, after_ms(10000));
	wrong_unless(w, deliver_busy(w->deliver) == 0);
	if (w->scheduler)
		fiber_cancel(w->scheduler);
	while (w->scheduler)
		fiber_sleep(after_ms(1));
	deliver_close(w->deliver);
	listener_close(w->a.listener);
	listener_close(w->b.listener);
	listener_close(w->box.listener);
	verification_close(w->verification);
}

void world_run(void (*test)(struct world *w))
{
	struct world w = {
		.folder = "/tmp/deliver-test-XXXXXX",
		.a = { .name = "a.hop" },
		.b = { .name = "b.hop" },
		.box = { .name = "box.hop" },
		.asker = ASKER_INTERNET,
		.settings = {
			.hostname = "here.test",
			.retry_min_s = 1,
			.retry_max_s = 2,
			.expiry_s = 3600,
			.delay_warning_s = 3600,
			.handover_ms = 3000,
		},
		.body = "Subject: hello\r\n\r\n.dots\r\n..\r\n.\r\nend\r\n",
	};
	struct story story = { &w, test };

	check(mkdtemp(w.folder));
	snprintf(w.box.path, sizeof w.box.path, "%s/lmtp", w.folder);
	w.settings.lmtp_path = w.box.path;
	w.queue = queue_open(w.folder);
	check(w.queue);
	the_world = &w;
	loops_run(1, story_main, &story);
	queue_close(w.queue);
	hop_forget(&w.a);
	hop_forget(&w.b);
	hop_forget(&w.box);
	buf_free(&w.large);
	nftw(w.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	if (w.failed[0])
		fail_msg("%s", w.failed);
}
