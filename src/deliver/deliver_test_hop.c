/*
 * The next hops of deliver's tests, on real sockets (deliver_test_world.h).
 */
#include "deliver/deliver_test_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/tls.h"
#include "wire/command.h"
#include "wire/data.h"

struct visit {
	struct fake_hop *hop;
	struct stream *s;
	struct arena *arena;
	struct str line;
	struct hop_mail *mail;
	char accepted[100][100];
	int n_accepted, n_mails, n_refused;
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
	struct buf room scoped(buf) = BUF_EMPTY;
	struct data_reader r = DATA_READER;

	for (;;) {
		struct data_piece p = data_read(&r, stream_bytes(v->s), &room);

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
	while (str_split(&rest, ' ', &cap)) {
		char *line = arena_cstr(v->arena, cap);

		for (char *p = line; (p = strchr(p, '+')); p++)
			*p = ' ';
		stream_sayf(v->s, "250-%s\r\n", line);
	}
	if (v->hop->tls && !v->is_secure)
		stream_say(v->s, S("250-STARTTLS\r\n"));
	say(v, "250 HELP");
}

static const char *opinion(const struct fake_hop *hop, const char *line)
{
	if (hop->takes_no_notify && strstr(line, " NOTIFY="))
		return "501 5.5.4 Syntax error in parameters or arguments";
	if (strstr(line, "<no"))
		return "550 5.1.1 no such user";
	if (strstr(line, "<busy"))
		return "450 4.2.0 busy";
	if (strstr(line, "<many"))
		return "452 ok, but no more";
	if (strstr(line, "<end"))
		return "421 4.7.0 not for him";
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
	if (v->n_mails > v->hop->most_asked)
		v->hop->most_asked = v->n_mails;
	if (v->hop->null_sender && str_starts(v->line, S("MAIL FROM:<>")))
		said = v->hop->null_sender;
	forget_mail(v);
	if (said[0] == '2')
		begin_mail(v);
	return say(v, said);
}

/* What is set to 0 meanwhile is over. */
static void take(const int64_t *ms)
{
	int64_t begun = now_ms();

	while (now_ms() < begun + *ms &&
	       fiber_sleep(after_ms(5)) == WAIT_DEADLINE)
		;
}

static bool on_rcpt(struct visit *v)
{
	char *line = arena_cstr(v->arena, v->line);
	const char *said = v->hop->rcpt ? v->hop->rcpt : opinion(v->hop, line);
	size_t n;

	if (!v->mail)
		return say(v, "503 5.5.1 no mail");
	v->hop->rcpts++;
	if (v->hop->makes_mailbox && !v->hop->n_mails && v->hop->n_open)
		world_wrong(the_world, __FILE__, __LINE__, line);
	take(&v->hop->rcpt_ms);
	v->n_refused += said[0] != '2';
	if (v->hop->most_refused && v->n_refused > v->hop->most_refused)
		return say(v, "421 4.7.0 too many errors") && false;
	if (strstr(line, "<shut"))
		return false;
	if (str_starts(str_of(said), S("421")))
		return say(v, said) && false;
	n = strlen(v->mail->rcpts);
	snprintf(v->mail->rcpts + n, sizeof v->mail->rcpts - n, "%s\n", line);
	v->hop->n_open += said[0] == '2';
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

	take(&v->hop->final_ms);
	v->hop->n_open -= v->n_accepted;
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

	if (!bdat_parse(str_from(v->line, 5), &n, &last))
		return false;
	if (!mail || !v->n_accepted) {
		v->mail = &unwanted;
		ok = read_chunk(v, n);
		v->mail = mail;
		buf_free(&unwanted.content);
		return ok && say(v, "503 5.5.1 no recipients");
	}
	mail->by_bdat = true;
	if (!read_chunk(v, n))
		return false;
	return last ? answer_content(v) : say(v, "250 2.0.0 go on");
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
	if (v->hop->reset)
		return v->hop->reset[0] ? say(v, v->hop->reset)
					: stream_flush(v->s, after_ms(5000));
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
	take(&hop->greeting_ms);
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

void hop_open(struct fake_hop *hop)
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

void hop_forget(struct fake_hop *hop)
{
	struct hop_mail *next;

	for (struct hop_mail *m = hop->mails; m; m = next) {
		next = m->next;
		buf_free(&m->content);
		free(m);
	}
}

int said_to(const struct fake_hop *hop, const char *rcpt)
{
	int n = 0;

	for (const struct hop_mail *m = hop->mails; m; m = m->next)
		for (const char *p = m->rcpts; (p = strstr(p, rcpt)); p++)
			n++;
	return n;
}

bool is_content(const struct fake_hop *hop, const char *text)
{
	return hop->mails &&
	       str_same(buf_str(&hop->mails->content), str_of(text));
}

bool contains(const struct fake_hop *hop, const char *text)
{
	return hop->mails &&
	       str_search(buf_str(&hop->mails->content), str_of(text)) >= 0;
}
