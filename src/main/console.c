/*
 * splitmail console: the API and the web pages, as `serve` starts them.
 */
#include "console/console.h"

#include <sys/stat.h>
#include <unistd.h>

#include "dns/dns.h"
#include "main/aliases.h"
#include "main/certificates.h"
#include "main/main.h"
#include "rt/log.h"
#include "rt/loop.h"

static void say_ready(void *fd)
{
	int to = *(const int *)fd;

	if (to <= 0)
		return;
	if (write(to, "ready\n", 6) != 6)
		log_error("console", "say ready: %m");
	close(to);
}

int console_main(const struct call *c)
{
	const char *ready = call_option(c, "ready-fd");
	struct config *config = config_read(c->data);
	struct dns_settings dns;
	struct console_settings s;
	uint64_t fd = 0;
	int ready_fd;

	if (!config)
		return call_fail(1, "%s", cause());
	if (ready && !str_number(str_of(ready), 1000, &fd))
		return call_fail(2, "--ready-fd %s is no number", ready);
	ready_fd = (int)fd;
	s = (struct console_settings){
		.data = config->data,
		.hostname = config->hostname,
		.listeners = config_listeners(config),
		.version = SPLITMAIL_VERSION,
		.at = config->console,
		.certificate = certificate_path(config),
		.certificates = certificates_pairs_path(config),
		.names = config->console_names,
		.aliases = config->aliases,
		.read_aliases = aliases_read,
		.session_idle_s = config->console_session_idle_s,
		.outgoing = config->outgoing,
		.resolver = &dns,
		.published = config_published(config),
		.ready = say_ready,
		.ready_arg = &ready_fd,
	};
	dns = (struct dns_settings){
		.servers = (const char *const *)config->dns_servers,
		.dnssec = config->dnssec,
		.trust_anchor = config->dns_trust_anchor,
		.hosts_file = config->dns_hosts,
	};
	umask(0077);
	log_open(config->hostname);
	log_start();
	s.dns = dns_open(&dns);
	loops_run(1, console_serve, &s);
	dns_close(s.dns);
	log_end();
	config_close(config);
	return s.failed ? 1 : 0;
}
