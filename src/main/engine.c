/*
 * The engine: the data plane of one Splitmail.
 *
 * One lane per loop (thread), each with its own handle of the directory, its
 * own connection pool and listeners; lanes share the queue, what verification
 * knows, the tallies and the certificates.  Loop 0 also runs the scheduler,
 * the Unix sockets (mail of local programs; questions, control/control.h) and
 * the signals.
 *
 * Stop (SIGTERM): listeners close, sessions finish the mail at hand, attempts
 * finish or are kept, then the loops end.  Invariant: when engine_main()
 * returns, everything that was answered 250 is handed over or on the disk.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/control.h"
#include "main/dovecot.h"
#include "main/main.h"
#include "main/questions.h"
#include "rt/counter.h"
#include "rt/board.h"
#include "rt/ledger.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/privileges.h"
#include "rt/tls.h"
#include "route/verify.h"

enum { STOP_MS = 45000, STOP_POLL_MS = 50, SYSTEMS_DOWN = 1000,
       MAILBOXES_GIVEN = 20000, FIGURES_OF = 10000 };

struct engine {
	struct config *config;
	struct queue *queue;
	struct guard *guard;
	struct tally *per_ip, *open_questions;
	struct verification *verification;
	struct board *down, *given;
	struct ledger *systems, *traffic;
	struct control control;
	struct questions questions;
	const char *directory;		/* its path */
	int64_t started_wall_ms;
	struct tls_context *tls, *tls_any, *tls_verified;
	struct smtp_settings smtp;
	struct deliver_settings deliver;
	struct dns_settings dns;
	struct lane *lanes;
	int n_lanes;
	int ready_fd;
	int lanes_ready;		/* loop 0 counts */
	bool failed;
};

struct lane {
	struct engine *engine;
	struct directory *directory;
	struct router router;
	struct deliver *deliver;
	struct smtp_server server;
	struct listener **listeners;
	struct listener *local, *control;
	struct fiber *scheduler;
	struct gate stop;
	bool stopping, is_open;
};

struct acceptor {
	struct lane *lane;
	struct listener *listener;
	enum smtp_kind kind;
	void (*serve)(void *visit);	/* a fiber for each connection */
};

struct visit {
	struct lane *lane;
	enum smtp_kind kind;
	struct stream *peer;
};

/* ---- sessions ---- */

static void waits serve_visit(void *arg)
{
	struct visit v = *(struct visit *)arg;

	free(arg);
	smtp_serve(&v.lane->server, v.kind, v.peer);
}

static void waits accept_all(void *arg)
{
	struct acceptor a = *(struct acceptor *)arg;
	struct stream *peer;

	free(arg);
	while ((peer = listener_accept(a.listener))) {
		struct visit *v = must_alloc(sizeof(*v));

		*v = (struct visit){ a.lane, a.kind, peer };
		if (!fiber_start("session", a.serve, v)) {
			stream_reset(peer);
			free(v);
		}
	}
}

static bool start_acceptor(struct lane *l, struct listener *listener,
			   enum smtp_kind kind, void (*serve)(void *visit))
{
	struct acceptor *a = must_alloc(sizeof(*a));

	*a = (struct acceptor){ l, listener, kind, serve };
	return fiber_start("acceptor", accept_all, a) != NULL;
}

/* ---- questions: loop 0 ---- */

static unsigned look_at_lane(void *engine, int lane,
			     void (*each)(void *arg, struct str name,
					  unsigned in_use, unsigned idle),
			     void *arg)
{
	struct lane *l = &((struct engine *)engine)->lanes[lane];

	if (!l->is_open)
		return 0;
	deliver_connections(l->deliver, each, arg);
	return l->server.sessions;
}

static void waits serve_question(void *arg)
{
	struct visit v = *(struct visit *)arg;

	free(arg);
	control_serve(&v.lane->engine->control, v.peer);
}

static bool listen_all(struct lane *l)
{
	struct config *c = l->engine->config;

	for (size_t i = 0; i < c->n_listeners; i++) {
		l->listeners[i] = listener_open(&c->listeners[i].at);
		if (!l->listeners[i] && c->listeners[i].may_fail)
			continue;
		if (!l->listeners[i])
			return add_cause("listener %.*s",
					 STR(c->listeners[i].name));
		if (!start_acceptor(l, l->listeners[i], c->listeners[i].kind,
				    serve_visit))
			return false;
	}
	if (loop_index() != 0)
		return true;
	l->local = listener_open_path(config_path(c, "run/submit"), 0600);
	l->control = listener_open_path(config_path(c, CONTROL_SOCKET), 0600);
	return l->local && l->control &&
	       start_acceptor(l, l->local, SMTP_LOCAL, serve_visit) &&
	       start_acceptor(l, l->control, SMTP_LOCAL, serve_question);
}

/* ---- a lane's life ---- */

static bool lane_open(struct lane *l)
{
	struct engine *e = l->engine;

	l->directory = directory_open(e->directory);
	if (!l->directory)
		return false;
	l->router = (struct router){
		.directory = l->directory,
		.verification = e->verification,
		.guard = e->guard,
	};
	l->deliver = deliver_open(&e->deliver, &l->router, e->queue);
	l->server = (struct smtp_server){
		.settings = &e->smtp, .router = &l->router,
		.deliver = l->deliver, .queue = e->queue, .per_ip = e->per_ip,
	};
	l->is_open = true;
	return true;
}

static void lane_close(struct lane *l)
{
	if (!l->is_open)
		return;
	l->is_open = false;
	smtp_close(&l->server);
	deliver_close(l->deliver);
	directory_close(l->directory);
}

/* Sessions that will not end hold nothing we answer for: what was answered
 * is handed over or on the disk, and clients send the rest again. */
_Noreturn static void give_up(struct lane *l)
{
	log_warn("engine", "%u sessions did not end in time",
		 l->server.sessions);
	log_flush();
	_exit(0);
}

static void waits lane_stop(struct lane *l)
{
	int64_t deadline = after_ms(STOP_MS);

	smtp_stop(&l->server);
	if (l->deliver)
		deliver_stop(l->deliver);
	for (size_t i = 0; i < l->engine->config->n_listeners; i++)
		if (l->listeners[i])
			listener_close(l->listeners[i]);
	if (l->local)
		listener_close(l->local);
	if (l->control)
		listener_close(l->control);
	if (l->scheduler)
		fiber_cancel(l->scheduler);
	while (l->server.sessions > 0 && now_ms() < deadline)
		if (fiber_sleep(after_ms(STOP_POLL_MS)) == WAIT_CANCELLED)
			break;
	if (l->deliver)
		deliver_drain(l->deliver, deadline);
	if (l->server.sessions > 0)
		give_up(l);
}

static void stop_lane(void *lane)
{
	struct lane *l = lane;

	l->stopping = true;
	gate_open(&l->stop);
}

static void stop_all(struct engine *e)
{
	for (int i = 0; i < e->n_lanes; i++)
		loop_post(i, stop_lane, &e->lanes[i]);
}

static void say_ready(struct engine *e)
{
	if (e->ready_fd > 0 && write(e->ready_fd, "ready\n", 6) != 6)
		log_warn("engine", "tell the supervisor: not heard");
	log_fact("engine", "ready on %d loops", e->n_lanes);
}

static void lane_is_ready(void *arg)
{
	struct engine *e = arg;

	if (++e->lanes_ready == e->n_lanes && !e->failed)
		say_ready(e);
}

/* ---- signals: loop 0 ---- */

static void reload(struct engine *e)
{
	if (tls_server_reload(e->tls))
		log_fact("engine", "reloaded");
	else
		log_error("engine", "reload: %s; the old certificate stays",
			  cause());
}

static void waits hear_signals(void *arg)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct engine *e = arg;
	int got;

	for (;;) {
		if (signal_wait(signals, array_size(signals), &got, NEVER) !=
		    WAIT_DONE)
			return;
		if (got != SIGHUP)
			break;
		reload(e);
	}
	log_fact("engine", "stopping");
	stop_all(e);
}

static void waits run_lane(void *arg)
{
	struct engine *e = arg;
	struct lane *l = &e->lanes[loop_index()];
	struct fiber *signals = NULL;

	if (!lane_open(l) || !listen_all(l)) {
		log_error("engine", "%s", cause());
		e->failed = true;
		stop_all(e);
	} else if (!privileges_drop()) {
		log_warn("engine", "%s", cause());
	}
	if (!e->failed && loop_index() == 0) {
		l->scheduler = fiber_start("scheduler", deliver_scheduler,
					   l->deliver);
	}
	if (loop_index() == 0)
		signals = fiber_start("signals", hear_signals, e);
	loop_post(0, lane_is_ready, e);
	while (!l->stopping)
		if (gate_wait(&l->stop, NEVER) == WAIT_CANCELLED)
			break;
	if (signals && e->failed)
		fiber_cancel(signals);
	lane_stop(l);
	lane_close(l);
}

/* ---- the process ---- */

/* What this process did, for whoever reads logs and has no /metrics. */
static void say_counters(void)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	counters_list(&b);
	log_fact("engine", "counters: %.*s", STR(buf_str(&b)));
}

static void fill_settings(struct engine *e)
{
	struct config *c = e->config;

	e->smtp = (struct smtp_settings){
		.hostname = c->hostname, .tls = e->tls,
		.auth_path = dovecot_auth_path(c),
		.auth_without_tls = c->auth_without_tls,
		.message_bytes = c->message_bytes,
		.connections_per_ip = c->connections_per_address,
		.recipients_per_minute = c->recipients_per_minute,
		.command_ms = c->command_s * 1000, .data_ms = c->data_s * 1000,
		.traffic = e->traffic,
	};
	e->deliver = (struct deliver_settings){
		.hostname = c->hostname, .lmtp_path = dovecot_lmtp_path(c),
		.bind = c->has_outgoing ? &c->outgoing : NULL,
		.tls_any = e->tls_any, .tls_verified = e->tls_verified,
		.internet_port = 25,
		.retry_min_s = c->retry_min_s, .retry_max_s = c->retry_max_s,
		.expiry_s = c->expiry_s, .delay_warning_s = c->delay_warning_s,
		.handover_ms = c->handover_s * 1000,
		.down = e->down, .given = e->given,
		.systems = e->systems, .traffic = e->traffic,
	};
	e->dns = (struct dns_settings){
		.servers = (const char *const *)c->dns_servers,
		.dnssec = c->dnssec, .hosts_file = c->dns_hosts,
	};
}

static bool open_guard(struct engine *e)
{
	struct directory *d = directory_open(e->directory);
	struct node node;
	bool known = d && directory_node(d, &node);

	if (known)
		e->guard = guard_open(&node);
	directory_close(d);
	return known;
}

static bool open_shared(struct engine *e)
{
	e->tls = tls_server(e->config->certificate, e->config->key);
	if (!e->tls)
		return false;
	e->tls_any = tls_client(TLS_ANY, NULL);
	e->tls_verified = tls_client(TLS_VERIFIED, NULL);
	if (!e->tls_any || !e->tls_verified || !open_guard(e))
		return false;
	e->queue = queue_open(e->config->data);
	if (!e->queue)
		return false;
	e->per_ip = tally_open();
	e->open_questions = tally_open();
	e->down = board_open(SYSTEMS_DOWN);
	e->given = board_open(MAILBOXES_GIVEN);
	e->systems = ledger_open(FIGURES_OF);
	e->traffic = ledger_open(FIGURES_OF);
	e->verification = verification_open(e->open_questions);
	fill_settings(e);
	dns_open(&e->dns);
	return true;
}

static void open_control(struct engine *e)
{
	e->questions = (struct questions){
		.status = { .hostname = e->config->hostname,
			    .started_wall_ms = e->started_wall_ms,
			    .directory = e->directory,
			    .systems = e->systems, .traffic = e->traffic },
		.n_lanes = e->n_lanes, .look_at_lane = look_at_lane, .arg = e,
	};
	e->control = (struct control){ .answer = questions_answer,
				       .arg = &e->questions };
}

static void open_lanes(struct engine *e)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct arena *a = e->config->arena;

	e->n_lanes = e->config->threads ? (int)e->config->threads
					: cores > 0 ? (int)cores : 1;
	e->lanes = arena_array(a, struct lane, (size_t)e->n_lanes);
	for (int i = 0; i < e->n_lanes; i++) {
		e->lanes[i].engine = e;
		e->lanes[i].listeners = arena_array(a, struct listener *,
						    e->config->n_listeners);
	}
}

static void close_all(struct engine *e)
{
	queue_close(e->queue);
	guard_close(e->guard);
	tally_close(e->per_ip);
	verification_close(e->verification);
	board_close(e->down);
	board_close(e->given);
	ledger_close(e->systems);
	ledger_close(e->traffic);
	tally_close(e->open_questions);
	tls_close(e->tls);
	tls_close(e->tls_any);
	tls_close(e->tls_verified);
}

int engine_main(const struct call *c)
{
	const char *ready = call_option(c, "ready-fd");
	uint64_t ready_fd = 0;
	struct engine e = { .config = config_read(c->data),
			    .started_wall_ms = wall_ms() };

	if (!e.config)
		return call_fail(1, "%s", cause());
	if (ready && !str_number(str_of(ready), 1000, &ready_fd))
		return call_fail(2, "--ready-fd %s is no number", ready);
	e.ready_fd = (int)ready_fd;
	e.directory = config_path(e.config, "directory.db");
	umask(0077);
	privileges_raise_files();
	log_open(e.config->hostname);
	if (open_shared(&e)) {
		open_lanes(&e);
		open_control(&e);
		loops_run(e.n_lanes, run_lane, &e);
		say_counters();
	} else {
		log_error("engine", "%s", cause());
		e.failed = true;
	}
	close_all(&e);
	log_fact("engine", "stopped");
	log_flush();
	config_close(e.config);
	return e.failed;
}
