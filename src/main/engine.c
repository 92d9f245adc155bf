/*
 * The process that is an engine (engine/engine.h): its arguments, its signals,
 * whom it tells that it is ready.
 *
 * It is confined by the kernel, whoever starts it (rt/confine.h): its files before
 * its first thread, its calls once it listens.
 *
 * SIGTERM and SIGINT stop it in good order, SIGHUP has it read the certificate
 * again.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/control.h"
#include "engine/engine.h"
#include "main/certificates.h"
#include "main/dovecot.h"
#include "main/main.h"
#include "main/places.h"
#include "rt/confine.h"
#include "rt/counter.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/privileges.h"

struct process {
	struct engine *engine;
	const struct config *config;
	struct confinement confinement;
	int ready_fd; /* 0: nobody waits for it */
};

/* ---- what the kernel still lets us do ---- */

/* Before there is another thread: each has what it was started with. */
static void confine_to_places(struct process *p)
{
	struct confined_place places[PLACES_MOST];

	if (!p->config->is_confined)
		return;
	/* SQLite sorts in a file when there is much to sort. */
	setenv("SQLITE_TMPDIR", p->config->data, 1);
	confine_files(&p->confinement, places,
		      places_of_engine(p->config, places));
}

static void confine_to_calls(struct process *p)
{
	const char *how = "not at all: splitmail.conf says so";

	if (p->config->is_confined) {
		confine_calls(&p->confinement);
		how = confine_text(&p->confinement, p->config->arena);
	}
	engine_is_confined(p->engine, how);
	log_fact("engine", "confined: %s", how);
}

/* ---- what the engine tells its owner ---- */

static void drop_rights(void *process)
{
	(void)process;
	if (!privileges_drop())
		log_warn("engine", "%s", cause());
}

static void say_ready(void *process)
{
	struct process *p = process;

	confine_to_calls(p);
	if (p->ready_fd > 0 && write(p->ready_fd, "ready\n", 6) != 6)
		log_warn("engine", "tell the supervisor: not heard");
}

static void reload(struct engine *e)
{
	if (engine_reload(e))
		log_fact("engine", "reloaded");
	else
		log_error("engine", "reload: %s; the old certificate stays",
			  cause());
}

static void waits hear_signals(void *process)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct process *p = process;
	int got;

	for (;;) {
		if (signal_wait(signals, array_size(signals), &got, NEVER) !=
		    WAIT_DONE)
			return;
		if (got != SIGHUP)
			break;
		reload(p->engine);
	}
	log_fact("engine", "stopping");
	engine_stop(p->engine);
}

/* What was answered is handed over or on the disk, and clients send the rest
 * again. */
static void end_now(void *process)
{
	(void)process;
	log_end();
	_exit(0);
}

/* ---- its settings ---- */

static int lanes_of(const struct config *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return c->threads ? (int)c->threads : cores > 0 ? (int)cores : 1;
}

static struct smtp_settings smtp_of(const struct config *c)
{
	return (struct smtp_settings){
		.hostname = c->hostname,
		.auth_path = dovecot_auth_path(c),
		.auth_without_tls = c->auth_without_tls,
		.message_bytes = c->message_bytes,
		.connections_per_ip = c->connections_per_address,
		.recipients_per_minute = c->recipients_per_minute,
		.command_ms = c->command_s * 1000,
		.data_ms = c->data_s * 1000,
		.data = c->data,
		.queue_is_private = c->queue_is_private,
	};
}

static struct deliver_settings deliver_of(const struct config *c)
{
	return (struct deliver_settings){
		.hostname = c->hostname,
		.lmtp_path = dovecot_lmtp_path(c),
		.outgoing = c->outgoing,
		.internet_family = c->internet_family,
		.internet_port = 25,
		.destination_mails = c->destination_mails,
		.destination_mails_per_minute = c->destination_mails_per_minute,
		.retry_min_s = c->retry_min_s,
		.retry_max_s = c->retry_max_s,
		.expiry_s = c->expiry_s,
		.delay_warning_s = c->delay_warning_s,
		.handover_ms = c->handover_s * 1000,
	};
}

static struct engine_settings settings_of(const struct config *c,
					  int underway_fd)
{
	return (struct engine_settings){
		.data = c->data,
		.directory = config_path(c, "directory.db"),
		.mail = c->dovecot_enabled ? config_path(c, "mail") : NULL,
		.submit = config_path(c, "run/submit"),
		.sendmail = c->sendmail,
		.aliases = c->aliases,
		.control = config_path(c, CONTROL_SOCKET),
		.hostname = c->hostname,
		.certificate = certificate_path(c),
		.certificate_trouble = CERTIFICATE_TROUBLE,
		.certificates = certificates_pairs_path(c),
		.certificates_told = CERTIFICATES_TOLD,
		.listeners = c->listeners,
		.n_listeners = c->n_listeners,
		.lanes = lanes_of(c),
		.underway_fd = underway_fd,
		.smtp = smtp_of(c),
		.deliver = deliver_of(c),
		.dns = { .servers = (const char *const *)c->dns_servers,
			 .dnssec = c->dnssec,
			 .trust_anchor = c->dns_trust_anchor,
			 .hosts_file = c->dns_hosts },
	};
}

/* ---- its life ---- */

/* What this process did, for whoever reads logs and has no /metrics. */
static void say_counters(void)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	counters_list(&b);
	log_fact("engine", "counters: %.*s", STR(buf_str(&b)));
}

/* False: it could not begin, or went on without what it needs. */
static bool run(struct process *p, const struct engine_settings *settings)
{
	const struct engine_owner owner = {
		.listens = drop_rights,
		.is_ready = say_ready,
		.attends = hear_signals,
		.gives_up = end_now,
		.arg = p,
	};

	p->engine = engine_open(settings, &owner);
	if (!p->engine) {
		log_error("engine", "%s", cause());
		return false;
	}
	loops_run(engine_lanes(p->engine), engine_lane, p->engine);
	say_counters();
	return engine_close(p->engine);
}

/* The descriptor that --NAME says; 0 without it. */
static bool take_fd(const struct call *c, const char *name, int *out)
{
	const char *said = call_option(c, name);
	uint64_t fd = 0;

	if (said && !str_number(str_of(said), 1000, &fd))
		return fail("--%s %s is no number", name, said);
	*out = (int)fd;
	return true;
}

int engine_main(const struct call *c)
{
	struct process p = { 0 };
	struct config *config = config_read(c->data);
	struct engine_settings settings;
	int underway_fd;
	bool is_well;

	if (!config)
		return call_fail(1, "%s", cause());
	if (!take_fd(c, "ready-fd", &p.ready_fd) ||
	    !take_fd(c, "underway-fd", &underway_fd))
		return call_fail(2, "%s", cause());
	p.config = config;
	umask(0077);
	privileges_raise_files();
	confine_to_places(&p);
	log_open(config->hostname);
	log_start();
	settings = settings_of(config, underway_fd);
	is_well = run(&p, &settings);
	log_fact("engine", "stopped");
	log_end();
	config_close(config);
	return !is_well;
}
