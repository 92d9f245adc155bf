/*
 * Engines on hosts (engine_of.h).
 */
#include "engine_of.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "directory/database.h"
#include "rt/file.h"
#include "rt/folder.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/tls.h"

enum { CERTIFICATE_BYTES = 16384, PATIENCE_MS = 600000, STOP_MS = 900000 };

#define DIRECTORY "/data/directory.db"

static struct buf directories[ENGINES];
static char certificate[CERTIFICATE_BYTES];

/* ---- before any world ---- */

static void read_whole(const char *path, struct buf *to)
{
	struct file *f = file_open(path);
	ptrdiff_t n;

	check(f);
	buf_clear(to);
	buf_reserve(to, file_bytes(f));
	n = file_read(f, 0, to->p, file_bytes(f));
	check(n == (ptrdiff_t)file_bytes(f));
	to->n = (size_t)n;
	file_close(f);
}

static void prepare(void *n)
{
	char path[32], pem[CERTIFICATE_BYTES / 2], key[CERTIFICATE_BYTES / 4];

	check(folder_make("/data"));
	for (int i = 0; i < *(int *)n; i++) {
		snprintf(path, sizeof(path), "/data/%d.db", i);
		check(directory_create(path, S("a secret of theirs")));
		read_whole(path, &directories[i]);
	}
	check(tls_self_signed("splitmail.test", "/data/c", "/data/k"));
	check(folder_noted("/data", "c", pem, sizeof(pem)));
	check(folder_noted("/data", "k", key, sizeof(key)));
	snprintf(certificate, sizeof(certificate), "%s%s", pem, key);
}

void engines_prepare(int n)
{
	check(n <= ENGINES);
	sim_open(1);
	sim_start(sim_host("maker", "192.0.2.1"), "maker", prepare, &n);
	sim_run(60000);
	sim_close();
	check(certificate[0]);
}

bool engine_install(int number)
{
	struct file *f;

	check(directories[number].n);
	if (!folder_make("/data"))
		return false;
	f = file_create(DIRECTORY);
	check(f && file_add(f, buf_str(&directories[number])) && file_sync(f));
	file_close(f);
	check(folder_note("/data", "certificate.pem", certificate));
	return true;
}

/* ---- its settings ---- */

struct engine_settings engine_settings_of(const char *hostname)
{
	return (struct engine_settings){
		.data = "/data",
		.directory = DIRECTORY,
		.submit = "/run/submit",
		.control = "/run/control",
		.hostname = hostname,
		.certificate = "/data/certificate.pem",
		.certificate_trouble = "certificate.trouble",
		.lanes = 2,
		.smtp = { .hostname = hostname,
			  .auth_path = "/run/auth",
			  .message_bytes = 1000000,
			  .connections_per_ip = 50,
			  .command_ms = 300000,
			  .data_ms = 600000 },
		.deliver = { .hostname = hostname,
			     .internet_port = 25,
			     .lmtp_path = "/run/lmtp",
			     .retry_min_s = 60,
			     .retry_max_s = 600,
			     .expiry_s = 86400,
			     .delay_warning_s = 86400,
			     .handover_ms = 20000 },
	};
}

/* ---- its life ---- */

static void nothing(void *arg)
{
	(void)arg;
}

static void attend(void *arg)
{
	static const int signals[] = { SIGTERM };
	struct engine_of *of = arg;
	int got;

	if (signal_wait(signals, 1, &got, NEVER) == WAIT_DONE)
		engine_stop(of->engine);
}

static void begin(const struct engine_of *of)
{
	struct changes *c;

	check(engine_install(of->number));
	c = changes_open(DIRECTORY, "test");
	check(c && changes_begin(c));
	of->fill(c);
	check(changes_end(c));
	changes_close(c);
}

static void run(void *arg)
{
	struct engine_of *of = arg;
	struct engine_settings set = of->settings;
	struct engine_listener smtp = { .door = { SMTP_MX, S("smtp") } };
	const struct engine_owner owner = { .listens = nothing,
					    .is_ready = nothing,
					    .attends = attend,
					    .gives_up = nothing,
					    .arg = of };

	if (!folder_is_there(DIRECTORY))
		begin(of);
	check(inet_parse(S("0.0.0.0:25"), 0, &smtp.at));
	set.listeners = &smtp;
	set.n_listeners = 1;
	log_open(set.hostname);
	of->engine = engine_open(&set, &owner);
	check(of->engine);
	loops_run(engine_lanes(of->engine), engine_lane, of->engine);
	check(engine_close(of->engine));
}

void engine_of_start(struct engine_of *of)
{
	of->process = sim_start(of->host, "engine", run, of);
}

static void await_end(const struct sim_process *p, int64_t ms)
{
	int64_t until_us = after_ms(ms) * 1000;

	while (!sim_has_ended(p))
		check(sim_step(until_us));
}

void engine_of_stop(struct engine_of *of)
{
	sim_signal(of->process, SIGTERM);
	await_end(of->process, STOP_MS);
}

/* ---- whoever else is on its host ---- */

void engine_of_do(const struct engine_of *of, void (*do_it)(void *arg),
		  void *arg)
{
	await_end(sim_start(of->host, "admin", do_it, arg), PATIENCE_MS);
}

struct order {
	void (*change)(struct changes *c, void *arg);
	void *arg;
};

static void obey(void *arg)
{
	struct order *o = arg;
	struct changes *c = changes_open(DIRECTORY, "test");

	check(c);
	o->change(c, o->arg);
	changes_close(c);
}

void engine_of_change(const struct engine_of *of,
		      void (*change)(struct changes *c, void *arg), void *arg)
{
	struct order o = { change, arg };

	engine_of_do(of, obey, &o);
}

/* ---- a client ---- */

int client_asks(struct stream *s, const char *text)
{
	bool is_last = false;
	ptrdiff_t end;
	int code = 0;

	stream_say(s, str_of(text));
	if (!stream_flush(s, after_ms(60000)))
		return 0;
	while (!is_last) {
		while ((end = str_find(stream_bytes(s), '\n')) < 0)
			if (stream_fill(s, after_ms(PATIENCE_MS)) !=
			    STREAM_MORE)
				return 0;
		code = (int)strtol(stream_bytes(s).p, NULL, 10);
		is_last = stream_bytes(s).p[3] != '-';
		stream_skip(s, (size_t)end + 1);
	}
	return code;
}

struct stream *client_greets(const char *at)
{
	struct stream *s;
	struct inet address;

	check(inet_parse(str_of(at), 25, &address));
	s = stream_dial(&address, NULL, after_ms(60000));
	check(s && client_asks(s, "") == 220);
	check(client_asks(s, "EHLO client.test\r\n") == 250);
	return s;
}
