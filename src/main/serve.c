/*
 * The supervisor: starts the engine, the private Dovecot and the console,
 * starts them again when they die (child.h), ends them in order.
 *
 *	serve ─┬─ engine	mail
 *	       ├─ Dovecot	mailboxes, logins
 *	       ├─ console	API and web pages; mail does not need it
 *	       ├─ Rspamd	where a filter wants it (rspamd.h)
 *	       ├─ errands	ends the logins of users who lost theirs
 *	       └─ pulse		tells the service manager how all is
 *
 * An engine that dies by a fault of its own is there again at once; what was
 * under way then is counted (queue/underway.h), so that no message kills it for
 * ever.
 *
 * It holds directory.db open for writing: a WAL database in a folder its
 * readers cannot write needs somebody who does.  It is root only when it was
 * started as root; its children never are.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backup/backup.h"
#include "control/control.h"
#include "directory/database.h"
#include "directory/outbox.h"
#include "main/certificates.h"
#include "main/child.h"
#include "main/dovecot.h"
#include "main/housekeeping.h"
#include "main/logout.h"
#include "main/main.h"
#include "main/notify.h"
#include "main/ports.h"
#include "main/programs.h"
#include "main/pulse.h"
#include "main/rspamd.h"
#include "queue/underway.h"
#include "rt/folder.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/privileges.h"
#include "rt/process.h"
#include "rt/stream.h"

#define DOVECOT "/usr/sbin/dovecot"
#define DOVEADM "/usr/bin/doveadm"

enum {
	GREETING_MS = 5000,
	ENGINE_STOP_MS = 60000,
	DOVECOT_STOP_MS = 20000,
	CONSOLE_STOP_MS = 20000, /* a trial of a mail server takes 9 s */
	STOP_MS = ENGINE_STOP_MS + DOVECOT_STOP_MS + CONSOLE_STOP_MS + 10000,
	START_MS = ENGINE_STOP_MS + 60000 + 10000, /* behind an earlier one that
					   ends, and children have a minute */
	VERSION_MS = 10000,
	VERSION_BYTES = 4096,
	CERTIFICATE_LOOK_MS = 10000,
	ERRAND_MS = 250,
	ERRAND_AGAIN_MS = 1000, /* when it could not be done */
};

struct serve {
	struct config *config;
	struct outbox *outbox;
	struct logout logout;
	struct housekeeping housekeeping;
	struct notify notify;
	struct pulse pulse;
	const char *who[12]; /* its question to Dovecot */
	struct person person;
	struct lock *lock;         /* one supervisor a data folder */
	struct lock *dovecot_lock; /* what Dovecot starts holds it, too */
	int underway_fd;           /* the engine's notes outlive it */
	const char *self;
	bool stopping;
	struct child engine, dovecot, console;
	struct rspamd rspamd;
	struct certificate *certificate;
	struct certificates *certificates; /* more, by name */
	struct gate look;                  /* at them, now */
	bool reload_asked;
	struct gate news; /* a child became ready or ended, or
					   we are to stop */
	struct fiber *signals;
	int status;
};

/* ---- Dovecot ---- */

/* A connection alone says nothing: the kernel takes it before Dovecot has all
 * its ports, and without one of them it ends. */
static bool waits greets(const char *path)
{
	int64_t deadline = after_ms(GREETING_MS);
	struct stream *s = stream_dial_path(path, deadline);
	bool has_greeted = s && stream_fill(s, deadline) == STREAM_MORE;

	stream_close(s);
	return has_greeted;
}

static bool waits dovecot_answers(void *arg)
{
	struct serve *s = arg;

	return greets(dovecot_lmtp_path(s->config)) &&
	       greets(dovecot_auth_path(s->config));
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

/* A Dovecot that reloads keeps some lookups waiting for seconds: only when
 * there is something new to read. */
static void tell_children(struct serve *s, bool is_renewed)
{
	child_signal(&s->engine, SIGHUP);
	child_signal(&s->console, SIGHUP);
	if (is_renewed)
		child_signal(&s->dovecot, SIGHUP);
}

/* True: there is something new. */
static bool waits look_at_certificates(struct serve *s, bool asked)
{
	bool named = certificates_look(s->certificates, asked);
	struct instead instead = certificates_of_host(s->certificates);

	return certificate_look(s->certificate, &instead, asked) || named;
}

static bool waits begin_certificates(struct serve *s)
{
	struct instead instead;

	certificates_look(s->certificates, true);
	instead = certificates_of_host(s->certificates);
	return certificate_begin(s->certificate, &instead);
}

static void waits watch_certificate(void *arg)
{
	struct serve *s = arg;

	while (!s->stopping) {
		bool asked, is_renewed;

		gate_wait(&s->look, after_ms(CERTIFICATE_LOOK_MS));
		asked = s->reload_asked;
		s->reload_asked = false;
		if (s->stopping)
			break;
		if (asked)
			notify_reloading(&s->notify);
		is_renewed = look_at_certificates(s, asked);
		if (is_renewed || asked)
			tell_children(s, is_renewed);
		if (asked && s->notify.is_ready)
			notify_ready(&s->notify);
	}
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
		s->reload_asked = true;
		gate_open(&s->look);
	}
	s->signals = NULL;
	s->stopping = true;
	gate_open(&s->look);
	gate_open(&s->news);
}

static void waits stop_all(struct serve *s)
{
	s->stopping = true;
	gate_open(&s->look);
	gate_open(&s->news);
	notify_stopping(&s->notify, STOP_MS);
	if (s->console.argv[0])
		child_stop(&s->console, CONSOLE_STOP_MS);
	child_stop(&s->engine, ENGINE_STOP_MS);
	if (s->dovecot.argv[0])
		child_stop(&s->dovecot, DOVECOT_STOP_MS);
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

/* Its master, or processes of it that it left. */
static bool dovecot_is_left(struct serve *s)
{
	if (!s->dovecot.argv[0])
		return false;
	if (!s->dovecot_lock)
		s->dovecot_lock = dovecot_lock(s->config);
	return !s->dovecot_lock;
}

/* After kill -9 of a supervisor its children end by themselves, the engine when
 * its mail is done. */
static bool waits await_predecessors(struct serve *s)
{
	int64_t deadline = after_ms(ENGINE_STOP_MS);

	while (engine_is_left(s) || dovecot_is_left(s)) {
		if (now_ms() >= deadline || s->stopping)
			return fail("the engine or Dovecot of an earlier "
				    "`serve` still runs on %s",
				    s->config->data);
		notify_status(&s->notify, "An earlier `serve` still ends");
		fiber_sleep(after_ms(100));
	}
	return true;
}

/* The Dovecot that is installed now has its own configuration language. */
static bool waits configure_dovecot(struct serve *s)
{
	const char *const argv[] = {
		s->self, "as-user", s->person.name, DOVECOT, "--version", NULL,
	};
	struct process_plan plan = { .argv = argv };
	struct buf said scoped(buf) = BUF_EMPTY;
	enum dovecot_version version;
	int status;

	if (!s->dovecot.argv[0])
		return true;
	if (!process_run(&plan, VERSION_BYTES, after_ms(VERSION_MS), &said,
			 &status))
		return add_cause("ask %s for its version", DOVECOT);
	if (!dovecot_understand_version(buf_str(&said), &version))
		return add_cause("%s", DOVECOT);
	certificates_tell_dovecot(s->certificates, version);
	return dovecot_write(s->config, version, s->self, &s->person);
}

static void start_children(struct serve *s)
{
	fiber_start("certificate", watch_certificate, s);
	if (s->dovecot.argv[0]) {
		s->dovecot.shared_fd = lock_fd(s->dovecot_lock);
		s->dovecot.shared_as = DOVECOT_LOCK_FD;
		fiber_start("dovecot", child_keep, &s->dovecot);
	}
	fiber_start("engine", child_keep, &s->engine);
	if (s->console.argv[0])
		fiber_start("console", child_keep, &s->console);
	fiber_start("filters", rspamd_run, &s->rspamd);
}

static void waits run_until_stopped(struct serve *s)
{
	if (s->dovecot.argv[0])
		fiber_start("errands", run_errands, s);
	fiber_start("housekeeping", housekeeping_run, &s->housekeeping);
	puts("ready");
	fflush(stdout);
	notify_ready(&s->notify);
	fiber_start("watchdog", pulse_watch, &s->pulse);
	fiber_start("pulse", pulse_tell, &s->pulse);
	while (!s->stopping)
		gate_wait(&s->news, NEVER);
}

/* It does not come up; who stopped it knows why. */
static void waits say_why(struct serve *s)
{
	if (s->stopping)
		return;
	s->status = 1;
	log_error("serve", "%s", cause());
	notify_status(&s->notify, "%s", cause());
}

static void waits supervise(void *arg)
{
	struct serve *s = arg;

	signal_watch(signals, array_size(signals));
	s->signals = fiber_start("signals", obey_signals, s);
	notify_starting(&s->notify, START_MS);
	if (await_predecessors(s) && ports_are_free(s->config) &&
	    configure_dovecot(s) && begin_certificates(s)) {
		start_children(s);
		if (await_children(s))
			run_until_stopped(s);
		else
			say_why(s);
		stop_all(s);
	} else {
		say_why(s);
	}
	if (s->signals)
		fiber_cancel(s->signals);
}

static void plan_pulse(struct serve *s)
{
	s->pulse = (struct pulse){
		.notify = &s->notify,
		.config = s->config,
		.console = &s->console,
		.news = &s->news,
		.stopping = &s->stopping,
		.control = config_path(s->config, CONTROL_SOCKET),
	};
}

static void plan_rspamd(struct serve *s)
{
	s->rspamd = (struct rspamd){
		.config = s->config,
		.self = s->self,
		.person = &s->person,
		.engine_ended = &s->engine.has_ended,
	};
}

static void plan_programs(struct serve *s)
{
	const char *const engine[] = {
		s->self,         "as-user",    s->person.name,
		s->self,         "--data",     s->config->data,
		"engine",        "--ready-fd", "3",
		"--underway-fd", "4",          NULL,
	};
	const char *const dovecot[] = {
		s->self,
		"as-user",
		s->person.name,
		DOVECOT,
		"-F",
		"-c",
		dovecot_config_path(s->config),
		NULL,
	};
	const char *const console[] = {
		s->self,         "as-user", s->person.name, s->self, "--data",
		s->config->data, "console", "--ready-fd",   "3",     NULL,
	};
	const char *const who[] = {
		s->self, "as-user", s->person.name,
		DOVEADM, "-c",      dovecot_config_path(s->config),
		"-f",    "tab",     "who",
		"-1",    NULL,
	};

	memcpy(s->who, who, sizeof(who));
	s->housekeeping = (struct housekeeping){
		s->config,
		s->self,
		s->person.name,
		&s->stopping,
	};
	s->logout = (struct logout){ .outbox = s->outbox, .who = s->who };
	s->console = (struct child){ .name = "console",
				     .news = &s->news,
				     .stopping = &s->stopping,
				     .tells_ready = true,
				     .may_fail = true };
	if (s->config->console_enabled)
		memcpy(s->console.argv, console, sizeof(console));
	s->engine = (struct child){ .name = "engine",
				    .news = &s->news,
				    .stopping = &s->stopping,
				    .tells_ready = true,
				    .underway_fd = s->underway_fd };
	memcpy(s->engine.argv, engine, sizeof(engine));
	s->dovecot = (struct child){ .name = "Dovecot",
				     .news = &s->news,
				     .stopping = &s->stopping,
				     .is_answering = dovecot_answers,
				     .arg = s,
				     .logged_as = "dovecot" };
	if (s->config->dovecot_enabled)
		memcpy(s->dovecot.argv, dovecot, sizeof(dovecot));
}

/* A copy, or an editor, may have made files root's. */
static bool files_are_his(struct serve *s)
{
	static const struct {
		const char *name;
		int wanted;
	} files[] = {
		{ "", R_OK | W_OK | X_OK },      { "splitmail.conf", R_OK },
		{ "directory.db", R_OK | W_OK }, { "queue.db", R_OK | W_OK },
		{ "spool", R_OK | W_OK | X_OK }, { "mail", R_OK | W_OK | X_OK },
	};

	for (size_t i = 0; i < array_size(files); i++) {
		const char *path = config_path(s->config, files[i].name);

		if (access(path, F_OK) == 0 &&
		    !person_may(&s->person, path, files[i].wanted)) {
			char why[FAIL_SENTENCE_BYTES];

			snprintf(why, sizeof(why), "%s", cause());
			return fail("%s; `chown -R %s: %s` gives it to him",
				    why, s->person.name, s->config->data);
		}
	}
	return true;
}

/* As whom the children run. */
static bool find_person(struct serve *s)
{
	const char *user = s->config->user;

	if (geteuid() == 0 && !*user)
		user = "splitmail";
	if (!person_find(user, &s->person))
		return false;
	if (s->person.uid == 0)
		return fail("splitmail.conf: user = \"%s\": mail is not "
			    "handled as root; name another user",
			    user);
	if (geteuid() != 0 && geteuid() != s->person.uid)
		return fail("this Splitmail belongs to user %s: start it as "
			    "%s or as root",
			    s->person.name, s->person.name);
	return person_reaches(&s->person, s->self) ||
	       add_cause("run %s", s->self);
}

static bool is_all_there(const struct serve *s)
{
	return !folder_is_there(config_path(s->config, RESTORE_MARK)) ||
	       fail("%s is a backup that was restored in part: repeat "
		    "`splitmail restore`, which goes on",
		    s->config->data);
}

/* Files in it are replaced, such as splitmail.conf by an editor: the folder is
 * what is locked. */
static bool lock_data(struct serve *s)
{
	s->lock = lock_take_folder(s->config->data);
	if (!s->lock && cause_kind() == FAIL_HELD)
		return fail("another `splitmail serve` runs on %s",
			    s->config->data);
	return s->lock;
}

static bool prepare_dovecot(struct serve *s)
{
	if (s->config->dovecot_enabled && access(DOVECOT, X_OK) != 0)
		return fail("%s: %m; install dovecot-core, -imapd, -lmtpd, "
			    "-managesieved, -pop3d, -sieve and -sqlite, or "
			    "write enabled = false into the dovecot block",
			    DOVECOT);
	return dovecot_make_folders(s->config, &s->person);
}

static bool open_what_is_ours(struct serve *s)
{
	const char *directory = config_path(s->config, "directory.db");

	if (!directory_migrate(directory))
		return false;
	s->underway_fd = underway_make();
	if (s->underway_fd < 0)
		return false;
	s->certificate = certificate_open(s->config, &s->person);
	s->certificates = certificates_open(s->config, &s->person);
	s->outbox = outbox_open(directory);
	return s->outbox;
}

/* All other mail flows without it. */
static void open_to_programs(struct serve *s)
{
	if (!programs_make_folder(s->config, &s->person))
		log_warn("serve",
			 "%s: programs of this machine cannot send mail; "
			 "make that folder %s's, or name another socket in "
			 "splitmail.conf's sendmail block",
			 cause(), s->person.name);
}

static bool prepare(struct serve *s, const struct call *c)
{
	s->self = c->self;
	s->config = config_read(c->data);
	return s->config && notify_open(&s->notify) && find_person(s) &&
	       is_all_there(s) && files_are_his(s) && lock_data(s) &&
	       prepare_dovecot(s) && open_what_is_ours(s);
}

int serve_main(const struct call *c)
{
	struct serve s = { .notify = { .fd = -1 } };

	if (prepare(&s, c)) {
		log_open(s.config->hostname);
		log_start();
		open_to_programs(&s);
		plan_programs(&s);
		plan_pulse(&s);
		plan_rspamd(&s);
		loops_run(1, supervise, &s);
		log_end();
		outbox_close(s.outbox);
	} else {
		s.status = call_fail(1, "%s", cause());
	}
	notify_close(&s.notify);
	certificate_close(s.certificate);
	certificates_close(s.certificates);
	lock_drop(s.dovecot_lock);
	lock_drop(s.lock);
	config_close(s.config);
	return s.status;
}
