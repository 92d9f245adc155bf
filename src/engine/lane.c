/*
 * One lane of the engine: its listeners, sessions and helpers, from the first
 * to the last (engine.h).
 */
#include <stdlib.h>

#include "deliver/sts.h"
#include "engine/health.h"
#include "engine/host_aliases.h"
#include "engine/inside.h"
#include "route/callers.h"
#include "route/confirmed.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/tls.h"
#include "rt/worker.h"

enum {
	STOP_MS = 45000,
	STOP_SOON_MS = 1000, /* for who has not begun to send his mail */
	STOP_POLL_MS = 50,
	ROOTS_LOOK_MS = 30000,
	OTHER_MS = 1000, /* for another's listener, to be heard of */
};

struct acceptor {
	struct lane *lane;
	struct listener *listener;
	const struct smtp_door *door;
	void (*serve)(void *visit); /* a fiber for each connection */
};

struct visit {
	struct lane *lane;
	const struct smtp_door *door;
	struct stream *peer;
};

static const struct smtp_door sieves = { SMTP_LOCAL };
static const struct smtp_door programs = { SMTP_SENDMAIL };

/* ---- sessions ---- */

static void waits serve_visit(void *arg)
{
	struct visit v = *(struct visit *)arg;

	free(arg);
	smtp_serve(&v.lane->server, v.door, v.peer);
}

static void waits accept_all(void *arg)
{
	struct acceptor a = *(struct acceptor *)arg;
	struct stream *peer;

	free(arg);
	while ((peer = listener_accept(a.listener))) {
		struct visit *v = must_alloc(sizeof(*v));

		*v = (struct visit){ a.lane, a.door, peer };
		if (!fiber_start("session", a.serve, v)) {
			stream_reset(peer);
			free(v);
		}
	}
}

static bool start_acceptor(struct lane *l, struct listener *listener,
			   const struct smtp_door *door,
			   void (*serve)(void *visit))
{
	struct acceptor *a = must_alloc(sizeof(*a));

	*a = (struct acceptor){ l, listener, door, serve };
	if (!fiber_start("acceptor", accept_all, a)) {
		free(a);
		return false;
	}
	listener_expect(listener);
	return true;
}

/* ---- questions: lane 0 ---- */

void lane_look(void *engine, int lane, struct smtp_sessions *sessions,
	       void (*each)(void *arg, struct str name, unsigned in_use,
			    unsigned idle),
	       void *arg)
{
	struct lane *l = &((struct engine *)engine)->lanes[lane];

	if (!l->is_open)
		return;
	deliver_connections(l->deliver, each, arg);
	smtp_sessions_add(&l->server, sessions);
}

/* What waits is lane 0's. */
void lane_look_now(void *engine)
{
	struct lane *l = &((struct engine *)engine)->lanes[0];

	if (l->is_open)
		deliver_look(l->deliver);
}

bool lane_wake(void *engine, struct str destination)
{
	struct lane *l = &((struct engine *)engine)->lanes[0];

	return l->is_open && deliver_wake(l->deliver, destination);
}

static void waits serve_question(void *arg)
{
	struct visit v = *(struct visit *)arg;

	free(arg);
	control_serve(&v.lane->engine->control, v.peer);
}

/* Mail of others does not wait until that of this machine's programs can
 * come. */
static bool waits listen_to_programs(struct lane *l)
{
	const char *path = l->engine->settings.sendmail;
	struct stream *other;

	if (!path)
		return true;
	other = stream_dial_path(path, after_ms(OTHER_MS));
	if (other)
		fail("another server listens on %s", path);
	else
		l->programs = listener_open_path(path, 0666);
	stream_close(other);
	if (l->programs)
		return start_acceptor(l, l->programs, &programs, serve_visit);
	log_error("engine", "%s: programs of this machine cannot send mail",
		  cause());
	return true;
}

static bool waits listen_by_paths(struct lane *l)
{
	const struct engine_settings *set = &l->engine->settings;

	l->local = listener_open_path(set->submit, 0600);
	l->control = listener_open_path(set->control, 0600);
	return l->local && l->control &&
	       start_acceptor(l, l->local, &sieves, serve_visit) &&
	       start_acceptor(l, l->control, NULL, serve_question) &&
	       listen_to_programs(l);
}

static bool waits listen_all(struct lane *l)
{
	const struct engine_settings *set = &l->engine->settings;

	for (size_t i = 0; i < set->n_listeners; i++) {
		const struct engine_listener *one = &set->listeners[i];

		l->listeners[i] = listener_open(&one->at);
		if (!l->listeners[i] && one->may_fail)
			continue;
		if (!l->listeners[i])
			return add_cause("listener %.*s", STR(one->door.name));
		if (!start_acceptor(l, l->listeners[i], &one->door,
				    serve_visit))
			return false;
	}
	return loop_index() != 0 || listen_by_paths(l);
}

/* ---- a lane's life ---- */

static void open_aliases(struct lane *l)
{
	const char *path = l->engine->settings.aliases;

	if (!path)
		return;
	l->aliases = host_aliases_open(path, loop_index() == 0);
	l->router.aliases = host_aliases_list(l->aliases);
	l->aliases_keeper =
		fiber_start("aliases", host_aliases_keeper, l->aliases);
}

static bool lane_open(struct lane *l)
{
	struct engine *e = l->engine;

	l->directory = directory_open_wary(e->settings.directory, &e->damage);
	if (!l->directory)
		return false;
	l->router = (struct router){
		.directory = l->directory,
		.verification = e->verification,
		.allowance = e->allowance,
		.guard = e->guard,
		.hostname = str_of(e->settings.hostname),
		.callers = callers_open(e->dns),
	};
	open_aliases(l);
	l->deliver = deliver_open(&e->settings.deliver, &l->router, e->queue);
	l->server = (struct smtp_server){
		.settings = &e->settings.smtp,
		.router = &l->router,
		.deliver = l->deliver,
		.queue = e->queue,
		.per_ip = e->per_ip,
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
	callers_close(l->router.callers);
	directory_close(l->directory);
}

/* What will not end holds nothing we answer for: what was answered is handed
 * over or on the disk, and clients send the rest again. */
static void give_up(struct lane *l, bool is_written)
{
	if (l->server.sessions > 0)
		log_warn("engine", "%u sessions did not end in time",
			 l->server.sessions);
	if (!is_written)
		log_error("engine",
			  "the disk does not answer: what became of "
			  "mail is not written, and some of it may be "
			  "delivered again");
	l->engine->owner.gives_up(l->engine->owner.arg);
}

static void waits await_sessions(struct lane *l, int64_t deadline)
{
	int64_t soon = after_ms(STOP_SOON_MS);

	while (l->server.sessions > 0 && now_ms() < deadline) {
		if (now_ms() >= soon && !l->server.hurries)
			smtp_stop_soon(&l->server);
		if (fiber_sleep(after_ms(STOP_POLL_MS)) == WAIT_CANCELLED)
			break;
	}
}

static void waits lane_stop(struct lane *l)
{
	int64_t deadline = after_ms(STOP_MS);
	bool is_written = true;

	smtp_stop(&l->server);
	if (l->deliver)
		deliver_stop(l->deliver);
	for (size_t i = 0; i < l->engine->settings.n_listeners; i++)
		if (l->listeners[i])
			listener_close(l->listeners[i]);
	struct listener *const paths[] = { l->local, l->programs, l->control };

	for (size_t i = 0; i < array_size(paths); i++)
		if (paths[i])
			listener_close(paths[i]);
	struct fiber *const watchers[] = { l->scheduler, l->roots, l->health,
					   l->aliases_keeper, l->sts_keeper };

	for (size_t i = 0; i < array_size(watchers); i++)
		if (watchers[i])
			fiber_cancel(watchers[i]);
	await_sessions(l, deadline);
	if (l->deliver)
		is_written = deliver_drain(l->deliver, deadline);
	if (l->keeper)
		fiber_cancel(l->keeper);
	if (l->server.sessions > 0 || !is_written)
		give_up(l, is_written);
}

static void stop_lane(void *lane)
{
	struct lane *l = lane;

	l->stopping = true;
	gate_open(&l->stop);
}

void engine_stop(struct engine *e)
{
	for (int i = 0; i < e->settings.lanes; i++)
		loop_post(i, stop_lane, &e->lanes[i]);
}

static void lane_is_ready(void *arg)
{
	struct engine *e = arg;

	if (++e->lanes_ready == e->settings.lanes && !e->failed) {
		e->owner.is_ready(e->owner.arg);
		log_fact("engine", "ready on %d loops", e->settings.lanes);
	}
}

/* ---- whom we believe: lane 0 ---- */

static bool renew_roots(void *engine)
{
	struct engine *e = engine;

	if (tls_client_reload(e->tls_verified) &&
	    tls_client_reload(e->tls_noted))
		return true;
	log_error("engine", "%s; the old root certificates stay", cause());
	return false;
}

static void waits watch_roots(void *engine)
{
	while (fiber_sleep(after_ms(ROOTS_LOOK_MS)) == WAIT_DEADLINE)
		(void)!offload(renew_roots, engine);
}

/* NULL: it is not kept, and that is no obstacle. */
static struct fiber *waits keep_confirmed(struct engine *e)
{
	struct confirmed *c = confirmed_open(e->verification, e->settings.data);
	struct fiber *f = fiber_start("confirmed", confirmed_keeper, c);

	if (!f)
		confirmed_close(c);
	return f;
}

/* Lane 0 has the engine's own fibers, too. */
static void start_helpers(struct lane *l)
{
	struct engine *e = l->engine;

	l->scheduler = fiber_start("scheduler", deliver_scheduler, l->deliver);
	l->keeper = keep_confirmed(e);
	sts_load(e->sts);
	l->sts_keeper = fiber_start("sts", sts_keeper, e->sts);
	l->roots = fiber_start("roots", watch_roots, e);
	l->health = fiber_start("health", health_watcher, e->health);
}

static bool waits lane_start(struct lane *l)
{
	struct engine *e = l->engine;

	if (!lane_open(l) || !listen_all(l))
		return false;
	e->owner.listens(e->owner.arg);
	if (loop_index() == 0 && !e->failed)
		start_helpers(l);
	return true;
}

void waits engine_lane(void *engine)
{
	struct engine *e = engine;
	struct lane *l = &e->lanes[loop_index()];

	if (!lane_start(l)) {
		log_error("engine", "%s", cause());
		e->failed = true;
		engine_stop(e);
	}
	if (loop_index() == 0)
		l->owner = fiber_start("owner", e->owner.attends, e->owner.arg);
	loop_post(0, lane_is_ready, e);
	while (!l->stopping)
		if (gate_wait(&l->stop, NEVER) == WAIT_CANCELLED)
			break;
	if (l->owner && e->failed)
		fiber_cancel(l->owner);
	lane_stop(l);
	lane_close(l);
}
