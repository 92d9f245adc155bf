/*
 * Splitmails: an engine on its host, as main/ would start it, without a line of
 * main/.
 *
 * An empty directory and a certificate of each are made once in a process,
 * before any world: that takes longer than most worlds.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "books.h"
#include "db/sql.h"
#include "directory/database.h"
#include "directory_of.h"
#include "dns/dns_sim.h"
#include "engine/engine.h"
#include "rt/file.h"
#include "rt/folder.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/tls.h"

enum { CERTIFICATE_BYTES = 16384 };

static struct buf directories[SPLITMAILS];
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

static void prepare(void *arg)
{
	char path[32], pem[CERTIFICATE_BYTES / 2], key[CERTIFICATE_BYTES / 4];

	(void)arg;
	check(folder_make("/data"));
	for (int i = 0; i < SPLITMAILS; i++) {
		snprintf(path, sizeof(path), "/data/%d.db", i);
		check(directory_create(path, S("a secret of theirs")));
		read_whole(path, &directories[i]);
	}
	check(tls_self_signed("splitmail.test", "/data/c", "/data/k"));
	check(folder_noted("/data", "c", pem, sizeof(pem)));
	check(folder_noted("/data", "k", key, sizeof(key)));
	snprintf(certificate, sizeof(certificate), "%s%s", pem, key);
}

void splitmails_prepare(void)
{
	sim_open(1);
	sim_start(sim_host("maker", "192.0.2.1"), "maker", prepare, NULL);
	sim_run(60000);
	sim_close();
	check(certificate[0]);
}

/* ---- its settings ---- */

static struct engine_settings settings_of(const struct splitmail *s)
{
	return (struct engine_settings){
		.data = "/data",
		.directory = "/data/directory.db",
		.submit = "/run/submit",
		.control = "/run/control",
		.hostname = s->hostname,
		.certificate = "/data/certificate.pem",
		.certificate_trouble = "certificate.trouble",
		.lanes = s->lanes,
		.smtp = { .hostname = s->hostname,
			  .auth_path = "/run/auth",
			  .message_bytes = world.message_bytes,
			  .connections_per_ip = 50,
			  .command_ms = 300000,
			  .data_ms = 600000 },
		.deliver = { .hostname = s->hostname,
			     .internet_port = 25,
			     .lmtp_path = "/run/lmtp",
			     .retry_min_s = world.retry_min_s,
			     .retry_max_s = world.retry_max_s,
			     .expiry_s = world.expiry_s,
			     .delay_warning_s = world.expiry_s,
			     .handover_ms = world.handover_ms },
	};
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

static bool install(const struct splitmail *s)
{
	int i = (int)(s - world.splitmails);
	struct file *f;

	if (!folder_make("/data"))
		return false;
	f = file_create("/data/directory.db");
	check(f && file_add(f, buf_str(&directories[i])) && file_sync(f));
	file_close(f);
	check(folder_note("/data", "certificate.pem", certificate));
	directory_fill(s);
	return true;
}

static void run(void *splitmail)
{
	struct splitmail *s = splitmail;
	struct engine_settings set = settings_of(s);
	struct engine_listener smtp = { .name = S("smtp"), .kind = SMTP_MX };
	const struct engine_owner owner = { .listens = nothing,
					    .is_ready = nothing,
					    .attends = attend,
					    .gives_up = nothing,
					    .arg = s };

	if (s->starts == 1 && !install(s))
		return;
	check(inet_parse(S("0.0.0.0:25"), 0, &smtp.at));
	set.listeners = &smtp;
	set.n_listeners = 1;
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
	s->process = sim_start(s->host, "engine", run, s);
}

void splitmails_start(void)
{
	for (int i = 0; i < world.n_splitmails; i++) {
		struct splitmail *s = &world.splitmails[i];

		dns_sim_name(s->hostname, s->address);
		splitmail_start(s);
	}
	for (int i = 0; i < world.n_peers; i++) {
		char name[24], address[24];

		snprintf(name, sizeof(name), "p%d.test", i);
		snprintf(address, sizeof(address), "192.0.2.%d", 30 + i);
		dns_sim_name(name, address);
	}
	dns_sim_mx(INTERNET, "10 mx." INTERNET);
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
		world.splitmails[i].is_wanted = false;
		sim_signal(world.splitmails[i].process, SIGTERM);
	}
}

bool splitmails_have_ended(void)
{
	for (int i = 0; i < world.n_splitmails; i++)
		if (!sim_has_ended(world.splitmails[i].process))
			return false;
	return true;
}

/* ---- what lies there ---- */

static void count_mail(void *n, const char *name)
{
	if (str_ends(str_of(name), S(".eml")))
		++*(uint64_t *)n;
}

static bool count_queued(int64_t *n)
{
	static const struct sql_file file = { .name = "queue.db",
					      .read_wait_ms = 1000 };
	struct sql *q = sql_open(&file, "/data/queue.db", SQL_READ);
	bool ok = q && sql_number(q, n, "SELECT count(*) FROM message", "") ==
			       SQL_ROW;

	sql_close(q);
	return ok;
}

static void look(void *splitmail)
{
	struct splitmail *s = splitmail;

	s->spooled = 0;
	s->is_inspected = count_queued(&s->queued) &&
			  folder_list("/data/spool", count_mail, &s->spooled);
	if (!s->is_inspected)
		tell("%s cannot be looked at: %s", s->name, cause());
}

void splitmail_inspect(struct splitmail *s)
{
	s->is_inspected = false;
	sim_start(s->host, "tools", look, s);
}
