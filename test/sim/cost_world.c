/* One engine, two systems that take everything, a mailbox store. */
#include "cost_world.h"

#include <stdio.h>

#include "dns/dns_sim.h"
#include "engine_of.h"

static struct engine_of mx;
static struct sim_host *client;

/* ---- who has an address ---- */

static void put_user(struct changes *c, const char *address,
		     const struct setting *settings, size_t n)
{
	check(user_create(c, str_of(address), settings, n).outcome ==
	      CHANGE_DONE);
}

static void fill_directory(struct changes *c)
{
	struct setting relay = { S("relay"), S("first.test") };
	struct setting hosts = { S("hosts"), S("second.test") };
	struct setting away[] = { { S("mail_system"), S("alternate") },
				  { S("system"), S("second") } };
	char address[32];

	check(system_create(c, S("second"), &hosts, 1).outcome == CHANGE_DONE);
	check(domain_create(c, S("own.test"), &relay, 1).outcome ==
	      CHANGE_DONE);
	put_user(c, "here@own.test", NULL, 0);
	put_user(c, "later@own.test", away, 1);
	for (int i = 0; i < COST_USERS; i++) {
		snprintf(address, sizeof(address), "a%d@own.test", i);
		put_user(c, address, away, 1);
		address[0] = 'b';
		put_user(c, address, away, 2);
	}
}

/* ---- who takes mail ---- */

struct taking {
	struct stream *peer;
	size_t recipients;
	bool is_store, is_over;
};

static void say(struct taking *t, const char *text)
{
	stream_say(t->peer, str_of(text));
}

static bool hear_more(struct taking *t)
{
	return stream_flush(t->peer, NEVER) &&
	       stream_fill(t->peer, NEVER) == STREAM_MORE;
}

/* Whoever sends is silent behind the dot, and stuffs every other one. */
static bool hear_text(struct taking *t)
{
	static const size_t end = sizeof("\r\n.\r\n") - 1;
	struct str bytes = stream_bytes(t->peer);

	while (!str_ends(bytes, S("\r\n.\r\n"))) {
		if (bytes.n > end)
			stream_skip(t->peer, bytes.n - end);
		if (!hear_more(t))
			return false;
		bytes = stream_bytes(t->peer);
	}
	stream_skip(t->peer, bytes.n);
	return true;
}

static void take_text(struct taking *t)
{
	say(t, "354 go on\r\n");
	if (!stream_flush(t->peer, NEVER) || !hear_text(t)) {
		t->is_over = true;
		return;
	}
	/* SMTP says it once for all, LMTP once for each (RFC 2033 4.2) */
	for (size_t i = 0; i < (t->is_store ? t->recipients : 1); i++)
		say(t, "250 2.0.0 taken\r\n");
	t->recipients = 0;
}

static void obey(struct taking *t, struct str line)
{
	if (str_starts(line, S("EHLO")) || str_starts(line, S("LHLO"))) {
		say(t, "250-hello\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
		       "250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
		       "250 SIZE 100000000\r\n");
	} else if (str_starts(line, S("RCPT TO:<later@"))) {
		say(t, "451 4.3.0 not now\r\n");
	} else if (str_starts(line, S("RCPT"))) {
		t->recipients++;
		say(t, "250 2.1.5 yes\r\n");
	} else if (str_starts(line, S("DATA")) && !t->recipients) {
		say(t, "503 5.5.1 RCPT first\r\n");
	} else if (str_starts(line, S("DATA"))) {
		stream_skip(t->peer, line.n);
		take_text(t);
		return;
	} else {
		t->is_over = str_starts(line, S("QUIT"));
		say(t, "250 2.0.0 yes\r\n");
	}
	stream_skip(t->peer, line.n);
}

static void converse(struct stream *peer, bool is_store)
{
	struct taking t = { .peer = peer, .is_store = is_store };

	say(&t, "220 here\r\n");
	while (!t.is_over && hear_more(&t)) {
		ptrdiff_t end;

		while (!t.is_over &&
		       (end = str_find(stream_bytes(peer), '\n')) >= 0)
			obey(&t,
			     str_part(stream_bytes(peer), 0, (size_t)end + 1));
	}
	(void)!stream_flush(peer, NEVER);
	stream_close(peer);
}

static void talk_with_sender(void *peer)
{
	converse(peer, false);
}

static void talk_with_store(void *peer)
{
	converse(peer, true);
}

static void take(struct listener *l, void (*talk)(void *peer))
{
	struct stream *s;

	check(l);
	while ((s = listener_accept(l)) != NULL)
		check(fiber_start("talk", talk, s));
}

static void run_system(void *arg)
{
	struct inet at;

	(void)arg;
	check(inet_parse(S("0.0.0.0:25"), 0, &at));
	take(listener_open(&at), talk_with_sender);
}

static void run_store(void *arg)
{
	(void)arg;
	take(listener_open_path("/run/lmtp", 0600), talk_with_store);
}

/* ---- a filter ---- */

static struct str packet_of(struct buf *in)
{
	struct str all = buf_str(in);
	size_t n = 0;

	for (size_t i = 0; i < 4 && all.n >= 4; i++)
		n = n << 8 | (unsigned char)all.p[i];
	return n && all.n >= 4 + n ? str_part(all, 4, 4 + n) : STR_NONE;
}

/* All steps go unanswered, but for the last one. */
static void judge(struct stream *s, char command)
{
	if (command == 'O')
		stream_say(s, S("\0\0\0\x0dO\0\0\0\6\0\0\1\xff\0\x0f\xf0\x80"));
	else if (command == 'E')
		stream_say(s, S("\0\0\0\x0fi\0\0\0\1X-Spam\0No\0"
				"\0\0\0\1c"));
	(void)!stream_flush(s, NEVER);
}

static void talk_with_server(void *stream)
{
	struct buf in scoped(buf) = BUF_EMPTY;
	struct stream *s = stream;
	struct str packet;

	while (stream_fill(s, NEVER) == STREAM_MORE) {
		buf_add(&in, stream_bytes(s));
		stream_skip(s, stream_bytes(s).n);
		while ((packet = packet_of(&in)).n) {
			judge(s, packet.p[0]);
			buf_take(&in, 4 + packet.n);
		}
	}
	stream_close(s);
}

static void run_filter(void *arg)
{
	struct inet at;

	(void)arg;
	check(inet_parse(S("0.0.0.0:11332"), 0, &at));
	take(listener_open(&at), talk_with_server);
}

static void create_filter(void *arg)
{
	struct setting socket = { S("socket"), S("inet:192.0.2.13:11332") };
	struct changes *c = changes_open("/data/directory.db", "cost");

	(void)arg;
	check(c && changes_begin(c));
	check(filter_create(c, S("filter"), &socket, 1).outcome == CHANGE_DONE);
	check(changes_end(c));
	changes_close(c);
}

/* ---- the world ---- */

static void no_log(void *arg, struct sim_host *h, struct str lines)
{
	(void)arg;
	(void)h;
	(void)lines;
}

static void start_system(const char *name, const char *address)
{
	char hostname[32];

	snprintf(hostname, sizeof(hostname), "%s.test", name);
	dns_sim_name(hostname, address);
	sim_start(sim_host(name, address), name, run_system, NULL);
}

void cost_world_open(void)
{
	engines_prepare(1);
	sim_open(0);
	sim_hear_log(no_log, NULL);
	client = sim_host("client", "192.0.2.50");
	start_system("first", "192.0.2.11");
	start_system("second", "192.0.2.12");
	mx = (struct engine_of){
		.host = sim_host("mx", "192.0.2.1"),
		.settings = engine_settings_of("mx.own.test"),
		.fill = fill_directory,
	};
	mx.settings.lanes = 1;
	mx.settings.smtp.message_bytes = 10000000;
	/* what is put off is not tried again while we count */
	mx.settings.deliver.retry_min_s = mx.settings.deliver.retry_max_s =
		36000;
	sim_start(mx.host, "store", run_store, NULL);
	engine_of_start(&mx);
	sim_run(after_ms(20000));
}

void cost_world_filter(void)
{
	sim_start(sim_host("filter", "192.0.2.13"), "filter", run_filter, NULL);
	sim_start(mx.host, "administrator", create_filter, NULL);
	sim_run(after_ms(20000));
}

void cost_world_close(void)
{
	engine_of_stop(&mx);
	sim_hear_log(NULL, NULL);
	sim_close();
	dns_sim_forget();
}

struct sim_host *cost_client(void)
{
	return client;
}

uint64_t cost_disk_changes(void)
{
	return sim_disk(mx.host)->changes;
}
