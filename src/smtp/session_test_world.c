/*
 * The world of the dialogues (session_test_world.h).
 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "directory/changes.h"
#include "directory/database.h"
#include "directory/sql.h"
#include "smtp/session_test_world.h"

struct session_world the_world = {
	.folder = "/tmp/smtp-test-XXXXXX",
	.settings = {
		.hostname = "mx.test",
		.message_bytes = 1048576,
		.connections_per_ip = 1000,
		.command_ms = PATIENCE_MS,
		.data_ms = PATIENCE_MS,
		.error_ms = 1,
		.recipients_per_minute = 50,
	},
};

const char *world_path(const char *name)
{
	static char path[4][256];
	static unsigned turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", the_world.folder, name);
	return p;
}

/* ---- Dovecot's side of AUTH ---- */

static void answer_plain(struct stream *s, struct arena *a, struct str id,
			 struct str response)
{
	struct str plain = STR_NONE;

	if (!base64_decode(response, a, &plain))
		plain = S("");
	if (str_same(plain, S("\0alice@own.test\0secret")))
		stream_sayf(s,
			    "OK\t%.*s\tuser=alice@own.test\t"
			    "login_right=%s\n",
			    STR(id), the_world.alices_right);
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

struct listener *world_dovecot(void)
{
	struct listener *dovecot;

	the_world.settings.auth_path = strdup(world_path("auth"));
	dovecot = listener_open_path(the_world.settings.auth_path, 0600);
	assert_non_null(dovecot);
	fiber_start("dovecot", dovecot_main, dovecot);
	return dovecot;
}

/* ---- the directory ---- */

static void done(struct change c)
{
	if (c.outcome != CHANGE_DONE)
		fprintf(stderr, "%s\n", c.sentence);
	assert_int_equal(c.outcome, CHANGE_DONE);
}

static void find_right(struct directory *d)
{
	struct arena *arena scoped(arena) = arena_open();
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT login_right FROM dovecot_login WHERE local = 'alice'",
		"");

	assert_int_equal(query_next(&q), ANSWER_YES);
	the_world.alices_right =
		strdup(arena_cstr(arena, query_text(&q, 0, arena)));
}

static void make_directory(void)
{
	struct setting relay = { S("relay"), S("192.0.2.77") };
	struct setting there[] = { relay, { S("forward_unknown"), S("yes") } };
	struct setting hash = {
		S("password_hash"),
		S("{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69")
	};
	struct setting away = { S("mail_system"), S("alternate") };
	struct changes *c;
	struct directory *d;
	struct node node;

	assert_true(directory_create(world_path("directory.db"), S("secret")));
	c = changes_open(world_path("directory.db"), "test");
	assert_non_null(c);
	done(domain_create(c, S("own.test"), &relay, 1));
	done(user_create(c, S("alice@own.test"), &hash, 1));
	done(user_create(c, S("bob@own.test"), &away, 1));
	done(domain_create(c, S("unknown.test"), there, 2));
	changes_close(c);
	d = directory_open(world_path("directory.db"));
	assert_non_null(d);
	assert_true(directory_node(d, &node));
	the_world.guard = guard_open(&node);
	find_right(d);
	directory_close(d);
}

/* ---- all of it ---- */

int world_make(void **state)
{
	assert_non_null(mkdtemp(the_world.folder));
	assert_true(tls_self_signed("mx.test", world_path("cert.pem"),
				    world_path("key.pem")));
	the_world.tls_of_server =
		tls_server(world_path("cert.pem"), world_path("key.pem"));
	the_world.tls_of_client = tls_client(TLS_ANY, NULL);
	the_world.settings.tls = the_world.tls_of_server;
	the_world.queue = queue_open(the_world.folder);
	assert_non_null(the_world.queue);
	make_directory();
	return 0;
}

int world_remove(void **state)
{
	char remove[300];

	queue_close(the_world.queue);
	guard_close(the_world.guard);
	tls_close(the_world.tls_of_server);
	tls_close(the_world.tls_of_client);
	snprintf(remove, sizeof(remove), "rm -r %s", the_world.folder);
	return system(remove);
}
