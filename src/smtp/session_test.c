/*
 * The dialogues of dialogues/, each played twice against a real session: as
 * segments, and byte by byte.  All of them run at once on one loop.
 *
 * The directory, the queue, route() and TLS are real; delivery is its twin
 * (deliver_fake.c), and Dovecot's auth socket is spoken to by a fiber
 * (session_test_world.c).
 * A login may send to 50 a minute.
 * The domain is own.test with relay 192.0.2.77: alice and postmaster hosted,
 * bob on the relay, unknown addresses refused.  Those of unknown.test may be
 * there, too; the relay has no name that begins with "no".
 *
 * A dialogue, line by line; the first says in English what it shows:
 *
 *	kind submission		the port; default is mx
 *	proxied			whoever connects is a proxy
 *	C: TEXT			the client sends TEXT CRLF
 *	C- TEXT			without CRLF
 *	C*20 TEXT		20 times
 *	S: 250 2.1.0		one reply, whose last line begins so
 *	S*20 500		20 such replies
 *	+ TEXT			the last reply contains it
 *	! TEXT			it does not
 *	TLS			the client begins TLS
 *	X			the server closes
 *	CLOSE			the client does
 *	ANSWER 451 4.3.0 no	what delivery says next
 *	MAIL <a> <b>,<c>	a message was accepted: from, to
 *	HEAD TEXT, BODY TEXT	its trace lines, its body contain it
 *	NOMAIL			none was (since the last one)
 *
 * \r \n \t \0 \xHH \\ are bytes; ${N:TEXT} is TEXT N times, ${trail:ADDRESS}
 * our entry of the loop guard.
 */
#include "base/test.h"

#include <dirent.h>
#include <stdio.h>

#include "route/verify.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "smtp/session_test_world.h"

enum { DIALOGUES = 200 };

/* ---- one dialogue ---- */

struct play {
	char name[300];
	bool by_bytes;
	struct str script;
	struct smtp_door door;
	struct smtp_server server;
	struct router router;
	struct deliver deliver;
	struct tally *tally;
	struct stream *client, *peer;
	struct arena *arena;
	char wrong[1500]; /* what went wrong; "": nothing */
	int line;
	uint64_t times; /* how often the present step is done */
	unsigned accepted_before;
	struct str last_reply;
	bool session_over;
	struct gate over;
};

static bool wrong(struct play *p, const char *what, struct str wanted,
		  struct str got)
{
	snprintf(p->wrong, sizeof(p->wrong),
		 "line %d: %s: wanted \"%.*s\", "
		 "got \"%.*s\"",
		 p->line, what, STR(str_part(wanted, 0, 400)),
		 STR(str_part(got, 0, 800)));
	return false;
}

static bool contains(struct str s, struct str what)
{
	return str_search(s, what) >= 0;
}

static bool send_bytes(struct play *p, struct str bytes)
{
	/* byte by byte only what a client can say without listening */
	bool by_bytes = p->by_bytes && bytes.n < 20000 && p->times < 60;
	size_t step = by_bytes ? 1 : bytes.n;

	/* what comes after the end is for nobody */
	for (size_t i = 0; i < bytes.n && !p->session_over; i += step) {
		stream_say(p->client, str_part(bytes, i, i + step));
		if (by_bytes) {
			if (!stream_flush(p->client, after_ms(PATIENCE_MS)))
				return wrong(p, "send", bytes, str_of(cause()));
			fiber_yield();
		}
	}
	return true;
}

static bool hear_reply(struct play *p)
{
	for (;;) {
		struct reply r;
		size_t used;

		switch (reply_parse(stream_bytes(p->client), p->arena, &r,
				    &used)) {
		case REPLY_WHOLE:
			p->last_reply = reply_line(&r, p->arena);
			stream_skip(p->client, used);
			return true;
		case REPLY_BAD:
			return wrong(p, cause(), S("a reply"),
				     stream_bytes(p->client));
		case REPLY_PART:
			break;
		}
		if (!stream_flush(p->client, after_ms(PATIENCE_MS)) ||
		    stream_fill(p->client, after_ms(PATIENCE_MS)) !=
			    STREAM_MORE)
			return wrong(p, "no reply", S("one"), str_of(cause()));
	}
}

static bool play_times(struct play *p, struct str text,
		       bool (*each)(struct play *, struct str))
{
	struct str n;
	uint64_t times;

	text = str_from(text, 1);
	str_split(&text, ' ', &n);
	if (!str_number(n, 100000, &times))
		return wrong(p, "number", S("one"), n);
	for (p->times = times; times > 0; times--)
		if (!each(p, text))
			return false;
	p->times = 1;
	return true;
}

static bool client_says(struct play *p, struct str text)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	script_unfold(text, &b);
	buf_add(&b, S("\r\n"));
	return send_bytes(p, buf_str(&b));
}

static bool client_says_part(struct play *p, struct str text)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	script_unfold(text, &b);
	return send_bytes(p, buf_str(&b));
}

static bool server_says(struct play *p, struct str text)
{
	if (!hear_reply(p))
		return false;
	if (!str_starts(p->last_reply, text))
		return wrong(p, "reply", text, p->last_reply);
	return true;
}

static bool server_closes(struct play *p, struct str text)
{
	enum stream_state state = STREAM_MORE;

	if (!stream_flush(p->client, after_ms(PATIENCE_MS)))
		return true;
	while (state == STREAM_MORE) {
		if (stream_bytes(p->client).n)
			return wrong(p, "close", S("nothing more"),
				     stream_bytes(p->client));
		state = stream_fill(p->client, after_ms(PATIENCE_MS));
	}
	if (state == STREAM_LATE)
		return wrong(p, "close", S("one"), S("silence"));
	return true;
}

static bool begin_tls(struct play *p, struct str text)
{
	if (!stream_flush(p->client, after_ms(PATIENCE_MS)) ||
	    !stream_tls_connect(p->client, the_world.tls_of_client, "mx.test",
				after_ms(PATIENCE_MS)))
		return wrong(p, "TLS", S("it"), str_of(cause()));
	return true;
}

static bool delivery_answers(struct play *p, struct str text)
{
	struct str code, status;
	uint64_t n;

	str_split(&text, ' ', &code);
	str_split(&text, ' ', &status);
	if (!str_number(code, 599, &n))
		return wrong(p, "code", S("a number"), code);
	p->deliver.answer = (struct reply){ .code = (int)n, .text = text };
	memcpy(p->deliver.answer.status, status.p, status.n);
	return true;
}

static bool wait_for_settling(struct play *p)
{
	fiber_sleep(after_ms(1));
	return true;
}

static bool mail_arrived(struct play *p, struct str text)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct message *m = p->deliver.last;

	wait_for_settling(p);
	if (p->deliver.accepted != p->accepted_before + 1)
		return wrong(
			p, "mail", text,
			arena_strf(p->arena, "%u more",
				   p->deliver.accepted - p->accepted_before));
	p->accepted_before++;
	buf_printf(&b, "<%.*s> ", STR(m->sender));
	for (size_t i = 0; i < m->n; i++)
		buf_printf(&b, "%s<%.*s>", i ? "," : "",
			   STR(m->recipients[i].address));
	if (!str_same(buf_str(&b), text))
		return wrong(p, "envelope", text, buf_str(&b));
	return true;
}

static bool no_mail(struct play *p, struct str text)
{
	wait_for_settling(p);
	if (p->deliver.accepted != p->accepted_before)
		return wrong(p, "mail", S("none"), S("one"));
	return true;
}

static bool trace_has(struct play *p, struct str text)
{
	struct str trace = p->deliver.last ? p->deliver.last->trace : S("");
	struct buf b scoped(buf) = BUF_EMPTY;

	script_unfold(text, &b);
	return contains(trace, buf_str(&b)) ||
	       wrong(p, "trace", buf_str(&b), trace);
}

static bool trace_lacks(struct play *p, struct str text)
{
	struct str trace = p->deliver.last->trace;

	return !contains(trace, text) || wrong(p, "trace without", text, trace);
}

static bool body_has(struct play *p, struct str text)
{
	struct body *body = &p->deliver.last->body;
	char *all = arena_alloc(p->arena, body->bytes + 1);
	struct buf b scoped(buf) = BUF_EMPTY;
	uint64_t n = 0;
	ptrdiff_t got;

	while ((got = body_read(body, n, all + n, body->bytes - n)) > 0)
		n += (uint64_t)got;
	script_unfold(text, &b);
	return contains((struct str){ all, n }, buf_str(&b)) ||
	       wrong(p, "body", buf_str(&b), (struct str){ all, n });
}

static bool reply_has(struct play *p, struct str text)
{
	return contains(p->last_reply, text) ||
	       wrong(p, "reply", text, p->last_reply);
}

static bool reply_lacks(struct play *p, struct str text)
{
	return !contains(p->last_reply, text) ||
	       wrong(p, "reply without", text, p->last_reply);
}

static bool client_closes(struct play *p, struct str text)
{
	if (!stream_flush(p->client, after_ms(PATIENCE_MS)))
		return wrong(p, "flush", S(""), str_of(cause()));
	stream_close(p->client);
	p->client = NULL;
	while (!p->session_over)
		if (gate_wait(&p->over, after_ms(PATIENCE_MS)) != WAIT_DONE)
			return wrong(p, "end", S("of the session"), S("none"));
	return true;
}

static bool server_stops(struct play *p, struct str text)
{
	if (!stream_flush(p->client, after_ms(PATIENCE_MS)))
		return false;
	fiber_sleep(after_ms(20));
	smtp_stop(&p->server);
	return true;
}

static bool set_kind(struct play *p, struct str text)
{
	return true; /* read before the session began */
}

static const struct step {
	const char *word;
	bool (*play)(struct play *p, struct str text);
} steps[] = {
	{ "C: ", client_says },          { "C- ", client_says_part },
	{ "S: ", server_says },          { "+ ", reply_has },
	{ "! ", reply_lacks },           { "TLS", begin_tls },
	{ "X", server_closes },          { "CLOSE", client_closes },
	{ "ANSWER ", delivery_answers }, { "MAIL ", mail_arrived },
	{ "HEAD ", trace_has },          { "NOHEAD ", trace_lacks },
	{ "BODY ", body_has },           { "NOMAIL", no_mail },
	{ "STOP", server_stops },        { "kind ", set_kind },
	{ "proxied", set_kind },
};

static bool play_line(struct play *p, struct str line)
{
	if (str_starts(line, S("C*")))
		return play_times(p, str_from(line, 1), client_says);
	if (str_starts(line, S("S*")))
		return play_times(p, str_from(line, 1), server_says);
	if (str_same(line, S("C:")))
		return client_says(p, S(""));
	for (size_t i = 0; i < array_size(steps); i++)
		if (str_starts(line, str_of(steps[i].word)))
			return steps[i].play(
				p, str_from(line, strlen(steps[i].word)));
	return wrong(p, "step", S("a known one"), line);
}

static void session_main(void *arg)
{
	struct play *p = arg;

	smtp_serve(&p->server, &p->door, p->peer);
	p->session_over = true;
	gate_open(&p->over);
}

static bool open_play(struct play *p)
{
	struct stream *ends[2];

	p->router.directory = directory_open(world_path("directory.db"));
	p->tally = tally_open();
	p->router.verification = verification_open(p->tally);
	p->router.guard = the_world.guard;
	p->deliver.verification = p->router.verification;
	p->server = (struct smtp_server){
		.settings = &the_world.settings,
		.router = &p->router,
		.deliver = &p->deliver,
		.queue = the_world.queue,
		.per_ip = p->tally,
	};
	if (!p->router.directory || !stream_pair(ends))
		return wrong(p, "open", S(""), str_of(cause()));
	p->client = ends[0];
	p->peer = ends[1];
	return fiber_start("session", session_main, p) != NULL;
}

static void close_play(struct play *p)
{
	stream_close(p->client);
	while (!p->session_over)
		if (gate_wait(&p->over, after_ms(PATIENCE_MS)) != WAIT_DONE)
			break;
	if (!p->session_over && !p->wrong[0])
		wrong(p, "end", S("of the session"), S("none"));
	if (p->server.sessions && !p->wrong[0])
		wrong(p, "sessions", S("0"), S("more"));
	message_drop(p->deliver.last);
	smtp_close(&p->server);
	verification_close(p->router.verification);
	directory_close(p->router.directory);
	tally_close(p->tally);
	arena_close(p->arena);
}

static void play_main(void *arg)
{
	struct play *p = arg;
	struct str rest = p->script, line;

	p->arena = arena_open();
	if (open_play(p))
		while (str_split(&rest, '\n', &line)) {
			p->line++;
			if (str_empty(line) || p->line == 1)
				continue;
			if (!play_line(p, line))
				break;
		}
	close_play(p);
}

/* ---- all of them ---- */

static struct play *plays[DIALOGUES];
static size_t n_plays;

static struct str read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = must_alloc(65536);
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, 65536, f);
	fclose(f);
	return (struct str){ text, n };
}

static enum smtp_kind kind_of(struct str script)
{
	if (contains(script, S("\nkind submissions\n")))
		return SMTP_SUBMISSIONS;
	if (contains(script, S("\nkind submission\n")))
		return SMTP_SUBMISSION;
	return contains(script, S("\nkind local\n")) ? SMTP_LOCAL : SMTP_MX;
}

static const struct inet_block everybody = { .bits = 0 };

static void add_plays(const char *path)
{
	for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
		struct play *p = must_alloc(sizeof(*p));

		*p = (struct play){ .by_bytes = by_bytes,
				    .script = read_file(path) };
		p->door.kind = kind_of(p->script);
		if (contains(p->script, S("\nproxied\n"))) {
			p->door.proxies = &everybody;
			p->door.n_proxies = 1;
		}
		snprintf(p->name, sizeof(p->name), "%s (%s)",
			 strrchr(path, '/') + 1,
			 by_bytes ? "bytes" : "segments");
		assert_true(n_plays < DIALOGUES);
		plays[n_plays++] = p;
	}
}

static void find_plays(const char *only)
{
	DIR *d = opendir(SMTP_DIALOGUES);
	struct dirent *e;
	char path[512];

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (!strstr(e->d_name, ".txt") ||
		    (only && !strstr(e->d_name, only)))
			continue;
		snprintf(path, sizeof(path), SMTP_DIALOGUES "/%s", e->d_name);
		add_plays(path);
	}
	closedir(d);
}

static void loop_main(void *unused)
{
	struct listener *dovecot = world_dovecot();

	for (size_t i = 0; i < n_plays; i++)
		assert_non_null(fiber_start("play", play_main, plays[i]));
	for (size_t i = 0; i < n_plays; i++)
		while (!plays[i]->session_over && !plays[i]->wrong[0])
			fiber_sleep(after_ms(5));
	listener_close(dovecot);
}

static void test_dialogues(void **state)
{
	size_t failed = 0;

	loops_run(1, loop_main, NULL);
	for (size_t i = 0; i < n_plays; i++) {
		if (plays[i]->wrong[0])
			fprintf(stderr, "%s %s\n", plays[i]->name,
				plays[i]->wrong);
		failed += plays[i]->wrong[0] != 0;
	}
	assert_true(n_plays > 0);
	assert_int_equal(failed, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_dialogues) };

	log_open("mx.test");
	find_plays(argc > 1 ? argv[1] : NULL);
	return cmocka_run_group_tests(tests, world_make, world_remove);
}
