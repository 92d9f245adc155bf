/*
 * The dialogues of dialogues/, each played twice against a real session: as
 * segments, and byte by byte.  All of them run at once on one loop.
 *
 * The directory, the queue, route() and TLS are real; delivery is its twin
 * (deliver_fake.c), and Dovecot's auth socket is spoken to by a fiber here.
 * A login may send to 50 a minute.
 * The domain is own.test with relay 192.0.2.77: alice and postmaster hosted,
 * bob and nobody on the relay, unknown addresses refused.
 *
 * A dialogue, line by line; the first says in English what it shows:
 *
 *	kind submission		the port; default is mx
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
 *our entry of the loop guard.
 */
#include "base/test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "directory/changes.h"
#include "directory/database.h"
#include "route/guard.h"
#include "route/verify.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/tls.h"
#include "smtp/deliver_fake.h"
#include "smtp/session.h"

enum { PATIENCE_MS = 10000, DIALOGUES = 200 };

static char folder[] = "/tmp/smtp-test-XXXXXX";
static struct tls_context *tls_of_server, *tls_of_client;
static struct queue *queue;
static struct guard *guard;
static struct smtp_settings settings = {
	.hostname = "mx.test",
	.message_bytes = 1048576,
	.connections_per_ip = 1000,
	.command_ms = PATIENCE_MS,
	.data_ms = PATIENCE_MS,
	.error_ms = 1,
	.recipients_per_minute = 50,
};

static const char *in_folder(const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

/* ---- one dialogue ---- */

struct play {
	char name[300];
	bool by_bytes;
	struct str script;
	enum smtp_kind kind;
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

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c);

	return at ? (int)(at - digits) : 0;
}

static size_t escape(struct str s, size_t i, struct buf *out)
{
	static const char names[] = "rnt0\\", bytes[] = "\r\n\t\0\\";
	const char *at = strchr(names, s.p[i]);

	if (s.p[i] == 'x' && i + 2 < s.n) {
		buf_add_char(out,
		             (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
		return i + 2;
	}
	if (at)
		buf_add_char(out, bytes[at - names]);
	return i;
}

/* Our own entry for an address: it was here before. */
static void write_trail(struct str key, struct buf *out)
{
	struct arena *a = arena_open();

	buf_add(out, guard_entry(guard, key, a));
	arena_close(a);
}

/* What a script's text stands for. */
static void unfold(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		struct str rest = str_from(s, i), n;
		uint64_t times;

		if (s.p[i] == '\\' && i + 1 < s.n) {
			i = escape(s, i + 1, out);
			continue;
		}
		if (!str_starts(rest, S("${"))) {
			buf_add_char(out, s.p[i]);
			continue;
		}
		rest = str_part(rest, 2, (size_t)str_find(rest, '}'));
		i += rest.n + 2;
		str_split(&rest, ':', &n);
		if (str_same(n, S("trail")))
			write_trail(rest, out);
		else if (str_number(n, 10000000, &times))
			while (times-- > 0)
				unfold(rest, out);
	}
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

	unfold(text, &b);
	buf_add(&b, S("\r\n"));
	return send_bytes(p, buf_str(&b));
}

static bool client_says_part(struct play *p, struct str text)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	unfold(text, &b);
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
	if (!stream_tls_connect(p->client, tls_of_client, "mx.test",
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
		return wrong(p, "mail", text,
		             arena_strf(p->arena, "%u more",
		                        p->deliver.accepted -
		                                p->accepted_before));
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

	unfold(text, &b);
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
	unfold(text, &b);
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

	smtp_serve(&p->server, p->kind, p->peer);
	p->session_over = true;
	gate_open(&p->over);
}

static bool open_play(struct play *p)
{
	struct stream *ends[2];

	p->router.directory = directory_open(in_folder("directory.db"));
	p->tally = tally_open();
	p->router.verification = verification_open(p->tally);
	p->router.guard = guard;
	p->deliver.verification = p->router.verification;
	p->server = (struct smtp_server){
		.settings = &settings,
		.router = &p->router,
		.deliver = &p->deliver,
		.queue = queue,
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

/* ---- Dovecot's side of AUTH: alice with "secret", on a slow day "later" ----
 */

static void answer_plain(struct stream *s, struct arena *a, struct str id,
                         struct str response)
{
	struct str plain = STR_NONE;

	if (!base64_decode(response, a, &plain))
		plain = S("");
	if (str_same(plain, S("\0alice@own.test\0secret")))
		stream_sayf(s, "OK\t%.*s\tuser=alice@own.test\n", STR(id));
	else if (str_same(plain, S("\0alice@own.test\0later")))
		stream_sayf(s, "FAIL\t%.*s\ttemp\n", STR(id));
	else
		stream_sayf(s, "FAIL\t%.*s\tuser=x\n", STR(id));
}

static void dovecot_line(struct stream *s, struct arena *a, struct str line)
{
	struct str word, id, mechanism;
	ptrdiff_t at;

	str_split(&line, '\t', &word);
	str_split(&line, '\t', &id);
	if (str_same(word, S("CONT"))) {
		answer_plain(s, a, id, line);
		return;
	}
	if (!str_same(word, S("AUTH")))
		return;
	str_split(&line, '\t', &mechanism);
	at = str_search(line, S("resp="));
	if (at >= 0)
		answer_plain(s, a, id, str_from(line, (size_t)at + 5));
	else
		stream_sayf(s, "CONT\t%.*s\t%s\n", STR(id),
		            str_same(mechanism, S("PLAIN")) ? "" : "VXNlcjo=");
}

static void dovecot_session(void *arg)
{
	struct stream *s = arg;
	struct arena *a = arena_open();

	stream_say(s, S("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\n"
	                "MECH\tLOGIN\tplaintext\nMECH\tANONYMOUS\tanonymous\n"
	                "SPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n"));
	for (;;) {
		struct str in = stream_bytes(s);
		ptrdiff_t lf = str_find(in, '\n');

		if (lf >= 0) {
			dovecot_line(s, a, str_part(in, 0, (size_t)lf));
			stream_skip(s, (size_t)lf + 1);
			continue;
		}
		if (!stream_flush(s, after_ms(PATIENCE_MS)) ||
		    stream_fill(s, NEVER) != STREAM_MORE)
			break;
	}
	stream_close(s);
	arena_close(a);
}

static void dovecot_main(void *listener)
{
	struct stream *s;

	while ((s = listener_accept(listener)))
		fiber_start("dovecot session", dovecot_session, s);
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

static void add_plays(const char *path)
{
	for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
		struct play *p = must_alloc(sizeof(*p));

		*p = (struct play){ .by_bytes = by_bytes,
			            .script = read_file(path) };
		p->kind = kind_of(p->script);
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

static void done(struct change c)
{
	if (c.outcome != CHANGE_DONE)
		fprintf(stderr, "%s\n", c.sentence);
	assert_int_equal(c.outcome, CHANGE_DONE);
}

static void make_directory(void)
{
	struct setting relay = { S("relay"), S("192.0.2.77") };
	struct setting away = { S("mail_system"), S("alternate") };
	struct changes *c;
	struct directory *d;
	struct node node;

	assert_true(directory_create(in_folder("directory.db"), S("secret")));
	c = changes_open(in_folder("directory.db"), "test");
	assert_non_null(c);
	done(domain_create(c, S("own.test"), &relay, 1));
	done(user_create(c, S("alice@own.test"), NULL, 0));
	done(user_create(c, S("bob@own.test"), &away, 1));
	done(user_create(c, S("nobody@own.test"), &away, 1));
	changes_close(c);
	d = directory_open(in_folder("directory.db"));
	assert_non_null(d);
	assert_true(directory_node(d, &node));
	guard = guard_open(&node);
	directory_close(d);
}

static void loop_main(void *unused)
{
	struct listener *dovecot;

	settings.auth_path = strdup(in_folder("auth"));
	dovecot = listener_open_path(settings.auth_path, 0600);
	assert_non_null(dovecot);
	fiber_start("dovecot", dovecot_main, dovecot);
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

static int make_world(void **state)
{
	assert_non_null(mkdtemp(folder));
	assert_true(tls_self_signed("mx.test", in_folder("cert.pem"),
	                            in_folder("key.pem")));
	tls_of_server = tls_server(in_folder("cert.pem"), in_folder("key.pem"));
	tls_of_client = tls_client(TLS_ANY, NULL);
	settings.tls = tls_of_server;
	queue = queue_open(folder);
	assert_non_null(queue);
	make_directory();
	return 0;
}

static int end_world(void **state)
{
	char remove[300];

	queue_close(queue);
	guard_close(guard);
	tls_close(tls_of_server);
	tls_close(tls_of_client);
	snprintf(remove, sizeof(remove), "rm -r %s", folder);
	return system(remove);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_dialogues) };

	log_open("mx.test");
	find_plays(argc > 1 ? argv[1] : NULL);
	return cmocka_run_group_tests(tests, make_world, end_world);
}
