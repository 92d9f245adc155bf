/*
 * The supervisor: starts the engine, the private Dovecot and the console,
 * starts them again when they die, ends them in order.
 *
 *	serve ─┬─ engine	mail
 *	       ├─ Dovecot	mailboxes, logins
 *	       ├─ console	API and web pages; mail does not need it
 *	       └─ errands	ends the logins of users who lost theirs
 *
 * It holds directory.db open for writing: a WAL database in a folder its
 * readers cannot write needs somebody who does.  It is root only when it was
 * started as root; its children never are.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/database.h"
#include "directory/outbox.h"
#include "main/dovecot.h"
#include "main/logout.h"
#include "main/main.h"
#include "rt/folder.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/privileges.h"
#include "rt/process.h"
#include "rt/stream.h"
#include "rt/tls.h"

#define DOVECOT "/usr/sbin/dovecot"
#define DOVEADM "/usr/bin/doveadm"

enum {
	READY_MS = 60000,
	ENGINE_STOP_MS = 60000,
	DOVECOT_STOP_MS = 20000,
	CONSOLE_STOP_MS = 20000,	/* a trial of a mail server takes 9 s */
	RESTART_MIN_MS = 100,
	RESTART_MAX_MS = 10000,
	STEADY_MS = 10000,		/* ran that long: the next fall is new */
	STOP_AGAIN_MS = 1000,
	ERRAND_MS = 250,
	ERRAND_AGAIN_MS = 1000,		/* when it could not be done */
	READY_FD = 3,
};

struct serve;

struct child {
	struct serve *serve;
	const char *name;
	const char *argv[12];
	bool tells_ready;		/* writes a line on READY_FD */
	bool may_fail;			/* the others do without it */
	struct process *process;
	bool is_ready, has_ended, failed_to_start;
	bool has_failed;		/* at least once, before it was ready */
};

struct serve {
	struct config *config;
	struct outbox *outbox;
	struct logout logout;
	const char *who[12];		/* its question to Dovecot */
	struct person person;
	struct lock *lock;		/* one supervisor a data folder */
	const char *self;
	bool stopping;
	struct child engine, dovecot, console;
	struct timespec certificate_seen, key_seen;	/* by Dovecot */
	struct gate news;		/* a child became ready or ended, or
					   we are to stop */
	struct fiber *signals;
	int status;
};

/* ---- one child ---- */

static bool waits dovecot_answers(struct serve *s)
{
	struct stream *lmtp, *auth;

	lmtp = stream_dial_path(dovecot_lmtp_path(s->config), after_ms(1000));
	auth = stream_dial_path(dovecot_auth_path(s->config), after_ms(1000));
	stream_close(lmtp);
	stream_close(auth);
	return lmtp && auth;
}

static void waits await_ready(struct child *c)
{
	int64_t deadline = after_ms(READY_MS);
	int status;

	if (c->tells_ready) {
		c->is_ready = process_ready(c->process, deadline);
	} else {
		while (!c->is_ready && now_ms() < deadline) {
			c->is_ready = dovecot_answers(c->serve);
			if (!c->is_ready &&
			    process_wait(c->process, after_ms(50), &status) !=
				    WAIT_DEADLINE)
				break;
		}
	}
	gate_open(&c->serve->news);
}

static bool waits run_once(struct child *c)
{
	struct process_plan plan = {
		.argv = c->argv, .ready_fd = c->tells_ready ? READY_FD : 0,
	};
	int status = 0;

	c->process = process_start(&plan);
	if (!c->process) {
		log_error("serve", "start %s: %s", c->name, cause());
		return false;
	}
	if (!c->is_ready)
		await_ready(c);
	process_wait(c->process, NEVER, &status);
	if (!c->serve->stopping)
		log_error("serve", "%s ended with status %d", c->name, status);
	process_free(c->process);
	c->process = NULL;
	return true;
}

/* Before the next start; not when there will be none. */
static void waits rest(struct serve *s, int64_t deadline)
{
	while (!s->stopping && now_ms() < deadline)
		gate_wait(&s->news, deadline);
}

/* Again and again, slower when it falls at once; a child that never came up
 * ends the whole, unless it may fail: its reason is on stderr and a restart
 * will not mend it. */
static void waits keep_running(void *arg)
{
	struct child *c = arg;
	int64_t pause = RESTART_MIN_MS;

	while (!c->serve->stopping) {
		int64_t begun = now_ms();
		bool ran = run_once(c);

		if (!c->is_ready && !c->may_fail)
			break;
		c->has_failed |= !c->is_ready;
		gate_open(&c->serve->news);
		if (ran && now_ms() - begun > STEADY_MS)
			pause = RESTART_MIN_MS;
		rest(c->serve, after_ms(pause));
		pause = pause * 2 < RESTART_MAX_MS ? pause * 2 : RESTART_MAX_MS;
	}
	c->failed_to_start = !c->is_ready;
	c->has_ended = true;
	gate_open(&c->serve->news);
}

static void waits await_end(struct child *c, int64_t deadline)
{
	while (!c->has_ended && now_ms() < deadline)
		gate_wait(&c->serve->news, deadline);
}

/* To all of its processes: Dovecot's master alone would wait for the clients of
 * its children to go.  And again, for it loses what comes while it starts. */
static void waits stop_child(struct child *c, int64_t within_ms)
{
	int64_t deadline = after_ms(within_ms);

	while (!c->has_ended && now_ms() < deadline) {
		if (c->process)
			process_signal_all(c->process, SIGTERM);
		await_end(c, after_ms(STOP_AGAIN_MS));
	}
	if (c->has_ended)
		return;
	log_warn("serve", "%s does not stop: killed", c->name);
	if (c->process)
		process_signal_all(c->process, SIGKILL);
	await_end(c, NEVER);
}

/* ---- errands: end the logins of those who lost theirs ---- */

/* What is not done when we stop, or while there is no Dovecot, is done as soon
 * as there is one. */
static void waits run_errands(void *arg)
{
	struct serve *s = arg;
	bool done = true;

	while (!s->stopping) {
		bool before = done;

		if (s->dovecot.process)
			done = logout_look(&s->logout,
					   process_id(s->dovecot.process));
		if (!done && before && !s->stopping)
			log_error("serve", "end sessions: %s", cause());
		fiber_sleep(after_ms(done ? ERRAND_MS : ERRAND_AGAIN_MS));
	}
}

/* ---- the whole ---- */

static bool waits await_children(struct serve *s)
{
	struct child *const all[] = { &s->engine, &s->dovecot, &s->console };

	for (size_t i = 0; i < array_size(all); i++) {
		struct child *c = all[i];

		while (c->argv[0] && !c->is_ready && !c->has_ended &&
		       !c->has_failed && !s->stopping)
			gate_wait(&s->news, NEVER);
		if (s->stopping)
			return fail("stopped while starting");
		if (c->argv[0] && !c->is_ready && !c->may_fail)
			return fail("%s did not start", c->name);
	}
	return true;
}

/* Has the file at PATH another change time than SEEN?  Remembers it. */
static bool is_renewed(const char *path, struct timespec *seen)
{
	struct stat now;
	bool renewed;

	if (stat(path, &now) != 0)
		return false;
	renewed = now.st_ctim.tv_sec != seen->tv_sec ||
		  now.st_ctim.tv_nsec != seen->tv_nsec;
	*seen = now.st_ctim;
	return renewed;
}

static bool certificate_is_renewed(struct serve *s)
{
	bool certificate = is_renewed(s->config->certificate,
				      &s->certificate_seen);
	bool key = is_renewed(s->config->key, &s->key_seen);

	return certificate || key;
}

/* With one that it cannot use Dovecot would give up TLS. */
static bool certificate_is_good(const struct serve *s)
{
	struct tls_context *t = tls_server(s->config->certificate,
					   s->config->key);

	tls_close(t);
	return t != NULL;
}

/* A Dovecot that reloads keeps some lookups waiting for seconds: only when
 * there is something new to read. */
static void reload(struct serve *s)
{
	if (s->engine.process)
		process_signal(s->engine.process, SIGHUP);
	if (s->console.process)
		process_signal(s->console.process, SIGHUP);
	if (!s->dovecot.process || !certificate_is_renewed(s))
		return;
	if (certificate_is_good(s))
		process_signal(s->dovecot.process, SIGHUP);
	else
		log_error("serve", "Dovecot keeps the old certificate: %s",
			  cause());
}

static const int signals[] = { SIGHUP, SIGTERM, SIGINT };

/* A fiber of its own, so that a stop is obeyed while we start, too. */
static void waits obey_signals(void *arg)
{
	struct serve *s = arg;
	int got;

	while (signal_wait(signals, array_size(signals), &got, NEVER) ==
	       WAIT_DONE) {
		if (got != SIGHUP)
			break;
		reload(s);
	}
	s->signals = NULL;
	s->stopping = true;
	gate_open(&s->news);
}


static void waits stop_all(struct serve *s)
{
	s->stopping = true;
	gate_open(&s->news);
	if (s->console.argv[0])
		stop_child(&s->console, CONSOLE_STOP_MS);
	stop_child(&s->engine, ENGINE_STOP_MS);
	if (s->dovecot.argv[0])
		stop_child(&s->dovecot, DOVECOT_STOP_MS);
}

/* The engine holds it while it runs; made by the first engine. */
static bool engine_is_left(const struct serve *s)
{
	const char *path = config_path(s->config, "queue.lock");
	struct lock *lock;

	if (access(path, F_OK) != 0)
		return false;
	lock = lock_take(path);
	lock_drop(lock);
	return !lock;
}

/* After kill -9 of a supervisor its children end by themselves, the engine when
 * its mail is done. */
static bool waits await_predecessors(struct serve *s)
{
	int64_t deadline = after_ms(ENGINE_STOP_MS);

	while (engine_is_left(s) || dovecot_end_left(s->config)) {
		if (now_ms() >= deadline || s->stopping)
			return fail("the engine or Dovecot of an earlier "
				    "`serve` still runs on %s",
				    s->config->data);
		fiber_sleep(after_ms(100));
	}
	return true;
}

static void start_children(struct serve *s)
{
	certificate_is_renewed(s);
	if (s->dovecot.argv[0])
		fiber_start("dovecot", keep_running, &s->dovecot);
	fiber_start("engine", keep_running, &s->engine);
	if (s->console.argv[0])
		fiber_start("console", keep_running, &s->console);
}

static void waits run_until_stopped(struct serve *s)
{
	if (s->dovecot.argv[0])
		fiber_start("errands", run_errands, s);
	puts("ready");
	fflush(stdout);
	while (!s->stopping)
		gate_wait(&s->news, NEVER);
}

static void waits supervise(void *arg)
{
	struct serve *s = arg;

	signal_watch(signals, array_size(signals));
	s->signals = fiber_start("signals", obey_signals, s);
	if (await_predecessors(s)) {
		start_children(s);
		if (await_children(s))
			run_until_stopped(s);
		else if (!s->stopping)
			s->status = 1;
		if (s->status)
			log_error("serve", "%s", cause());
		stop_all(s);
	} else if (!s->stopping) {
		log_error("serve", "%s", cause());
		s->status = 1;
	}
	if (s->signals)
		fiber_cancel(s->signals);
}

static void plan_programs(struct serve *s)
{
	const char *const engine[] = {
		s->self, "as-user", s->person.name, s->self, "--data",
		s->config->data, "engine", "--ready-fd", "3", NULL,
	};
	const char *const dovecot[] = {
		s->self, "as-user", s->person.name, DOVECOT, "-F", "-c",
		dovecot_config_path(s->config), NULL,
	};
	const char *const console[] = {
		s->self, "as-user", s->person.name, s->self, "--data",
		s->config->data, "console", "--ready-fd", "3", NULL,
	};
	const char *const who[] = {
		s->self, "as-user", s->person.name, DOVEADM, "-c",
		dovecot_config_path(s->config), "-f", "tab", "who", "-1", NULL,
	};

	memcpy(s->who, who, sizeof(who));
	s->logout = (struct logout){ .outbox = s->outbox, .who = s->who };
	s->console = (struct child){ .serve = s, .name = "console",
				     .tells_ready = true, .may_fail = true };
	if (s->config->console_enabled)
		memcpy(s->console.argv, console, sizeof(console));
	s->engine = (struct child){ .serve = s, .name = "engine",
				    .tells_ready = true };
	memcpy(s->engine.argv, engine, sizeof(engine));
	s->dovecot = (struct child){ .serve = s, .name = "Dovecot" };
	if (s->config->dovecot_enabled)
		memcpy(s->dovecot.argv, dovecot, sizeof(dovecot));
}

static bool prepare(struct serve *s, const struct call *c)
{
	const char *directory, *user;

	s->config = config_read(c->data);
	if (!s->config)
		return false;
	s->self = c->self;
	user = s->config->user;
	if (geteuid() == 0 && !*user)
		user = "splitmail";
	if (!person_find(user, &s->person))
		return false;
	if (s->person.uid == 0)
		return fail("splitmail.conf: user = \"%s\": mail is not "
			    "handled as root; name another user", user);
	if (geteuid() != 0 && geteuid() != s->person.uid)
		return fail("this Splitmail belongs to user %s: start it as "
			    "%s or as root", s->person.name, s->person.name);
	if (!person_reaches(&s->person, s->self))
		return add_cause("run %s", s->self);
	/* Our own lock lies on the configuration, which has the right owner. */
	s->lock = lock_take(config_path(s->config, "splitmail.conf"));
	if (!s->lock)
		return fail("another `splitmail serve` runs on %s",
			    s->config->data);
	if (s->config->dovecot_enabled && access(DOVECOT, X_OK) != 0)
		return fail("%s: %m; install dovecot-core, -imapd, -lmtpd, "
			    "-managesieved, -pop3d, -sieve and -sqlite, or "
			    "write enabled = false into the dovecot block",
			    DOVECOT);
	if (!dovecot_write(s->config, s->self, s->person.uid, s->person.gid))
		return false;
	directory = config_path(s->config, "directory.db");
	if (!directory_migrate(directory))
		return false;
	s->outbox = outbox_open(directory);
	return s->outbox != NULL;
}

int serve_main(const struct call *c)
{
	struct serve s = { .status = 0 };

	if (prepare(&s, c)) {
		log_open(s.config->hostname);
		plan_programs(&s);
		loops_run(1, supervise, &s);
		log_flush();
		outbox_close(s.outbox);
	} else {
		s.status = call_fail(1, "%s", cause());
	}
	lock_drop(s.lock);
	config_close(s.config);
	return s.status;
}
