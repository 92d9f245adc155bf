/*
 * The console as a process: opens what its requests need, waits for signals.
 */
#include "console/console.h"

#include <signal.h>

#include "console/certificate.h"
#include "console/desk.h"
#include "console/errands.h"
#include "console/events.h"
#include "console/job_worker.h"
#include "console/relay_test.h"
#include "console/request.h"
#include "console/server.h"
#include "console/sessions.h"
#include "route/guard.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/privileges.h"

enum {
	LOOK_AGAIN_MS = 60000, /* at the certificate's files */
	ANSWERS_MS = 5000,     /* to be sent and read, at the end */
};

static bool open_guard(struct console *c)
{
	struct directory *d = desk_borrow(c->desk);
	struct node node;
	bool known = d && directory_node(d, &node);

	if (known)
		c->guard = guard_open(&node);
	desk_return(c->desk, d);
	return known;
}

static bool load_certificates(const struct console *c)
{
	const struct console_settings *s = c->settings;

	return !c->is_tls || certificate_load(&(struct certificate_files){
				     s->certificate, s->certificates });
}

static bool open_all(struct console *c, struct arena *arena)
{
	const struct console_settings *s = c->settings;

	errands_open();
	c->is_tls = !inet_is_loopback(&s->at);
	c->sessions = sessions_open(s->session_idle_s);
	c->desk = desk_open(arena_printf(arena, "%s/directory.db", s->data));
	return open_guard(c) && relay_tests_open(s) && events_open(c) &&
	       load_certificates(c);
}

static void waits close_all(struct console *c)
{
	job_worker_stop(); /* they may have begun without a server */
	events_stop();
	relay_tests_close();
	events_close();
	guard_close(c->guard);
	desk_close(c->desk);
	sessions_close(c->sessions);
	certificate_free();
}

static void renew_certificate(const struct console *c)
{
	if (!load_certificates(c))
		log_error("console", "the old certificate stays: %s", cause());
}

static void waits obey_signals(const struct console *c)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	enum wait_result r;
	int got = 0;

	do {
		r = signal_wait(signals, array_size(signals), &got,
				after_ms(LOOK_AGAIN_MS));
		renew_certificate(c);
	} while (r == WAIT_DEADLINE || (r == WAIT_DONE && got == SIGHUP));
}

static void waits serve(struct console *c, struct server *server)
{
	const struct console_settings *s = c->settings;

	log_fact("console", "%s://%s/", c->is_tls ? "https" : "http",
		 inet_text(&s->at).c);
	if (s->ready)
		s->ready(s->ready_arg);
	obey_signals(c);
	server_quiesce(server);
	job_worker_stop();
	events_stop();
	errands_stop();
	server_finish(c, after_ms(ANSWERS_MS));
}

/* The port first: whoever had a right to low ports gives it up before there
 * are more threads.  To answer comes last: a server that answers is closed in
 * serve()'s order, not here. */
static struct server *start(struct console *c, struct arena *arena)
{
	struct server *server = server_listen(&c->settings->at);

	if (!server)
		return NULL;
	if (privileges_drop() && open_all(c, arena) &&
	    job_worker_start(c->settings) && server_start(server, c))
		return server;
	server_close(server);
	return NULL;
}

void console_serve(void *settings)
{
	struct arena *arena scoped(arena) = arena_open();
	struct console c = { .settings = settings };
	struct server *server = start(&c, arena);

	if (server) {
		serve(&c, server);
		server_close(server);
	} else {
		c.settings->failed = true;
		log_error("console", "%s", cause());
	}
	close_all(&c);
}
