/*
 * Splitmails: an engine on its host, as main/ would start it, without a line of
 * main/.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "books.h"
#include "db/sql.h"
#include "directory_of.h"
#include "dns/dns_sim.h"
#include "engine_of.h"
#include "login.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/loop.h"

void splitmails_prepare(void)
{
	engines_prepare(SPLITMAILS);
}

/* ---- its settings ---- */

static struct engine_settings settings_of(const struct splitmail *s)
{
	struct engine_settings set = engine_settings_of(s->hostname);

	set.lanes = s->lanes;
	set.smtp.message_bytes = world.message_bytes;
	set.deliver.retry_min_s = world.retry_min_s;
	set.deliver.retry_max_s = world.retry_max_s;
	set.deliver.expiry_s = world.expiry_s;
	set.deliver.delay_warning_s = world.warning_s;
	set.deliver.handover_ms = world.handover_ms;
	return set;
}

/* ---- its life ---- */

static void nothing(void *arg)
{
	(void)arg;
}

static void attend(void *splitmail)
{
	static const int signals[] = { SIGTERM };
	struct splitmail *s = splitmail;
	int got;

	if (signal_wait(signals, 1, &got, NEVER) == WAIT_DONE)
		engine_stop(s->engine);
}

static void end_it(void *splitmail)
{
	const struct splitmail *s = splitmail;

	sim_kill(s->process);
}

/* A filter may be silent for longer than a stop waits: nobody was answered, and
 * the process ends. */
static void give_up_on_sessions(void *splitmail)
{
	struct splitmail *s = splitmail;

	if (!world.n_filters)
		return;
	tell("%s does not wait for sessions any more", s->name);
	s->has_closed = s->was_well = world.has_dead_filters = true;
	sim_start(sim_host_named("care"), "end", end_it, s);
}

static bool install(const struct splitmail *s)
{
	if (!engine_install((int)(s - world.splitmails)))
		return false;
	directory_fill(s);
	return true;
}

static void run(void *splitmail)
{
	struct splitmail *s = splitmail;
	struct engine_settings set = settings_of(s);
	struct engine_listener listeners[] = {
		{ .door = { SMTP_MX, S("smtp") } },
		{ .door = { SMTP_SUBMISSION, S("submission") } },
	};
	const struct engine_owner owner = { .listens = nothing,
					    .is_ready = nothing,
					    .attends = attend,
					    .gives_up = give_up_on_sessions,
					    .arg = s };

	if (s->starts == 1 && !install(s))
		return;
	check(inet_parse(S("0.0.0.0:25"), 0, &listeners[0].at));
	check(inet_parse(S("0.0.0.0:587"), 0, &listeners[1].at));
	set.listeners = listeners;
	set.n_listeners = logins_are_at(s) ? 2 : 1;
	set.smtp.auth_without_tls = true;
	log_open(s->hostname);
	s->engine = engine_open(&set, &owner);
	if (!s->engine) {
		tell("%s cannot begin: %s", s->name, cause());
		return;
	}
	loops_run(engine_lanes(s->engine), engine_lane, s->engine);
	s->was_well = engine_close(s->engine);
	s->has_closed = true;
	s->left = sim_descriptors(sim_process());
}

void splitmail_start(struct splitmail *s)
{
	s->starts++;
	s->is_wanted = true;
	s->has_closed = false;
	logins_serve(s);
	s->process = sim_start(s->host, "engine", run, s);
}

/* What S hears of the Internet.  Mail for it goes to the hosts before S itself,
 * whose name leads, from inside, to another system; and past a smart host there is
 * no way. */
static void name_the_internet(const struct splitmail *s)
{
	char hosts[64];

	snprintf(hosts, sizeof(hosts), "%s10 mx.%s%s%s",
		 world.takers[internet()].has_unwilling_host
			 ? "5 first." INTERNET " "
			 : "",
		 INTERNET, s->is_backup ? " 20 " : "",
		 s->is_backup ? s->hostname : "");
	dns_sim_at(s->host);
	dns_sim_name(INTERNET, "192.0.2.60");
	dns_sim_mx(INTERNET, s->has_smart_host ? "0 ." : hosts);
	/* what is none of ours is the Internet's */
	dns_sim_mx(ALIAS, s->has_smart_host ? "0 ." : "10 mx." INTERNET);
	if (s->is_backup)
		dns_sim_name(s->hostname, "192.0.2.30");
	dns_sim_at(NULL);
}

void splitmails_start(void)
{
	for (int i = 0; i < world.n_splitmails; i++) {
		struct splitmail *s = &world.splitmails[i];

		dns_sim_name(s->hostname, s->address);
		if (!s->is_left_out)
			splitmail_start(s);
	}
	for (int i = 0; i < world.n_peers; i++) {
		char name[24], address[24];

		snprintf(name, sizeof(name), "p%d.test", i);
		snprintf(address, sizeof(address), "192.0.2.%d", 30 + i);
		dns_sim_name(name, address);
		/* nobody is there */
		snprintf(name, sizeof(name), "old-p%d.test", i);
		snprintf(address, sizeof(address), "192.0.2.%d", 70 + i);
		dns_sim_name(name, address);
	}
	for (int i = 0; i < world.n_splitmails; i++)
		name_the_internet(&world.splitmails[i]);
	dns_sim_name("first." INTERNET, UNWILLING);
	dns_sim_name("mx." INTERNET, "192.0.2.60");
}

/* As the supervisor of a real one does. */
void splitmails_look_after(void)
{
	for (int i = 0; i < world.n_splitmails; i++) {
		struct splitmail *s = &world.splitmails[i];

		if (!s->is_wanted || !sim_is_on(s->host) ||
		    !sim_has_ended(s->process))
			continue;
		if (!world.has_disk_trouble)
			books_wrong("%s ends by itself", s->name);
		tell("%s is started again", s->name);
		splitmail_start(s);
	}
}

void splitmails_stop(void)
{
	for (int i = 0; i < world.n_splitmails; i++) {
		struct splitmail *s = &world.splitmails[i];

		s->is_wanted = false;
		if (s->process)
			sim_signal(s->process, SIGTERM);
	}
}

bool splitmails_have_ended(void)
{
	for (int i = 0; i < world.n_splitmails; i++)
		if (world.splitmails[i].process &&
		    !sim_has_ended(world.splitmails[i].process))
			return false;
	return true;
}

/* ---- what lies there ---- */

static void count_mail(void *n, const char *name)
{
	if (str_ends(str_of(name), S(".eml")))
		++*(uint64_t *)n;
}

/* Messages; and rows that belong to none. */
static bool count_queued(int64_t *n, int64_t *stray)
{
	static const struct sql_file file = { .name = "queue.db",
					      .read_wait_ms = 1000 };
	static const char strays[] =
		"SELECT (SELECT count(*) FROM recipient WHERE message NOT IN "
		"(SELECT row FROM message)) + (SELECT count(*) FROM body "
		"WHERE message NOT IN (SELECT row FROM message))";
	struct sql *q = sql_open(&file, "/data/queue.db", SQL_READ);
	bool ok = q &&
		  sql_number(q, n, "SELECT count(*) FROM message", "") ==
			  SQL_ROW &&
		  sql_number(q, stray, strays, "") == SQL_ROW;

	sql_close(q);
	return ok;
}

static void look(void *splitmail)
{
	struct splitmail *s = splitmail;

	s->spooled = 0;
	s->is_inspected = count_queued(&s->queued, &s->stray) &&
			  folder_list("/data/spool", count_mail, &s->spooled);
	if (!s->is_inspected)
		tell("%s cannot be looked at: %s", s->name, cause());
}

void splitmail_inspect(struct splitmail *s)
{
	s->is_inspected = s->is_left_out;
	if (!s->is_left_out)
		sim_start(s->host, "tools", look, s);
}
