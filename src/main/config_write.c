/*
 * splitmail.conf as `init` writes it (config.h).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "main/config.h"

static void write_listener(FILE *f, const struct config_plan *plan,
			   const char *name, unsigned port)
{
	fprintf(f,
		"listener %s {\n\taddress = \"%s\"\n\tport = %u\n"
		"\tkind = %s\n}\n",
		name, plan->bind ? plan->bind : "*", plan->port_base + port,
		name);
}

static unsigned console_port(const struct config_plan *plan)
{
	return plan->port_base ? plan->port_base + 80 : (unsigned)CONSOLE_PORT;
}

const char *config_console_url(const struct config_plan *plan, struct arena *a)
{
	const char *bind = plan->bind ? plan->bind : "127.0.0.1";
	unsigned port = console_port(plan);
	struct inet at;

	if (!inet_parse_ip(str_of(bind), (uint16_t)port, &at) ||
	    !inet_is_loopback(&at))
		return arena_printf(a, "https://%s:%u", plan->hostname, port);
	return arena_printf(a, "http://%s", inet_text(&at).c);
}

static void write_all(FILE *f, const char *data, const struct config_plan *plan)
{
	unsigned base = plan->port_base;
	const char *bind = plan->bind ? plan->bind : "*";
	struct inet at;

	fprintf(f,
		"# What Splitmail needs before it can read its directory.\n"
		"# Everything else is in the directory: "
		"see `splitmail --help`.\n"
		"hostname = \"%s\"\n",
		plan->hostname);
	if (plan->user)
		fprintf(f, "user = \"%s\"\n", plan->user);
	if (plan->bind && inet_parse_ip(str_of(bind), 0, &at) &&
	    inet_is_loopback(&at))
		fprintf(f, "outgoing_address = \"%s\"\n", bind);
	if (plan->is_the_one && strcmp(data, USUAL_DATA) != 0)
		fprintf(f, "sendmail {\n\tsocket = \"%s\"\n}\n",
			USUAL_SENDMAIL);
	write_listener(f, plan, "mx", 25);
	write_listener(f, plan, "submission", 587);
	write_listener(f, plan, "submissions", 465);
	fprintf(f, "console {\n\taddress = \"%s\"\n\tport = %u\n}\n",
		plan->bind ? plan->bind : "127.0.0.1", console_port(plan));
	fprintf(f,
		"dovecot {\n\taddress = \"%s\"\n\timap = %u\n\timaps = %u\n"
		"\tpop3 = %u\n\tpop3s = %u\n\tsieve = %u\n}\n",
		bind, base + 143, base + 993, base + 110, base + 995,
		base + 4190);
}

bool config_write(const char *data, const struct config_plan *plan)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *path = arena_printf(arena, "%s/splitmail.conf", data);
	FILE *f = fopen(path, "wxe");

	if (!f && errno == EEXIST)
		return fail("%s is there already: this folder belongs to a "
			    "Splitmail; choose another or remove it",
			    path);
	if (!f)
		return fail("create %s: %m", path);
	write_all(f, data, plan);
	if (fflush(f) != 0 || fsync(fileno(f)) != 0) {
		fail("write %s: %m", path);
		fclose(f);
		return false;
	}
	return fclose(f) == 0 || fail("write %s: %m", path);
}
