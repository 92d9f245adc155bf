/*
 * The resolver against a scripted name server (dnslib) on loopback.
 */
#include "dns/dns.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test.h"
#include "rt/loop.h"

#define PORT "21401"

static const char server[] =
	"import time\n"
	"from dnslib import *\n"
	"from dnslib.server import *\n"
	"zone = '''\n"
	"both.test. 60 A 192.0.2.1\n"
	"both.test. 60 A 192.0.2.2\n"
	"both.test. 60 AAAA 2001:db8::1\n"
	"v4.test. 60 A 192.0.2.3\n"
	"alias.test. 60 CNAME v4.test.\n"
	"mx.test. 60 MX 20 Second.test.\n"
	"mx.test. 60 MX 10 first.test.\n"
	"mx.test. 60 MX 20 third.test.\n"
	"none.test. 60 MX 0 .\n"
	"text.test. 60 TXT nothing\n"
	"half.test. 60 A 192.0.2.4\n"
	"host.test. 60 A 198.18.0.9\n"
	"9.0.18.198.in-addr.arpa. 60 PTR Host.test.\n"
	"8.0.18.198.in-addr.arpa. 60 PTR host.test.\n"
	"'''\n"
	"records = [r for r in RR.fromZone(zone)]\n"
	"class Answers(BaseResolver):\n"
	"    def resolve(self, q, handler):\n"
	"        name, kind, r = q.q.qname, QTYPE[q.q.qtype], q.reply()\n"
	"        if name == 'slow.test.': time.sleep(2)\n"
	"        if name == 'broken.test.' or (name, kind) == ('half.test.', 'AAAA'):\n"
	"            r.header.rcode = RCODE.SERVFAIL\n"
	"            return r\n"
	"        mine = [x for x in records if x.rname == name]\n"
	"        if not mine: r.header.rcode = RCODE.NXDOMAIN\n"
	"        for x in mine:\n"
	"            if QTYPE[x.rtype] == kind: r.add_answer(x)\n"
	"            elif QTYPE[x.rtype] == 'CNAME':\n"
	"                r.add_answer(x)\n"
	"                for y in records:\n"
	"                    if y.rname == x.rdata.label and QTYPE[y.rtype] == kind:\n"
	"                        r.add_answer(y)\n"
	"        return r\n"
	"s = DNSServer(Answers(), port=" PORT ", address='127.0.0.1',\n"
	"              logger=DNSLogger('-request,-reply,-truncated,-error', False))\n"
	"s.start_thread()\n"
	"print('ready', flush=True)\n"
	"time.sleep(60)\n";

static struct dns *dns;
static struct arena *arena;
static char hosts[] = "/tmp/route-hosts-XXXXXX";

static const char *addresses_of(const char *name, int64_t ms)
{
	struct inet *out;
	size_t n;
	char *text = arena_printf(arena, "%s", "");

	switch (dns_addresses(dns, str_of(name), 25, after_ms(ms), arena, &out,
			      &n)) {
	case DNS_NONE:
		return "none";
	case DNS_TROUBLE:
		return "trouble";
	case DNS_FOUND:
		break;
	}
	for (size_t i = 0; i < n; i++)
		text = arena_printf(arena, "%s%s%s", text, i ? " " : "",
				    inet_text(&out[i]).c);
	return text;
}

static const char *mx_of(const char *name)
{
	struct mx_list out;
	char *text = arena_printf(arena, "%s", "");

	switch (dns_mx(dns, str_of(name), after_ms(5000), arena, &out)) {
	case DNS_NONE:
		return out.is_null ? "null" : "none";
	case DNS_TROUBLE:
		return "trouble";
	case DNS_FOUND:
		break;
	}
	check(!out.is_secure);
	for (size_t i = 0; i < out.n; i++)
		text = arena_printf(arena, "%s%s%d %.*s", text, i ? ", " : "",
				    out.mx[i].preference, STR(out.mx[i].name));
	return text;
}

static const char *name_of(const char *address)
{
	struct inet a;
	struct str name;

	check(inet_parse_ip(str_of(address), 0, &a));
	switch (dns_name_of(dns, &a, after_ms(5000), arena, &name)) {
	case DNS_FOUND:
		break;
	case DNS_NONE:
		return "none";
	case DNS_TROUBLE:
		return "trouble";
	}
	return arena_cstr(arena, name);
}

static const char *got[32], *expected[32];
static size_t n_seen;

/* Fibers do not fail tests: what they saw is compared afterwards. */
static void saw(const char *what, const char *should_be)
{
	got[n_seen] = arena_cstr(arena, str_of(what));
	expected[n_seen++] = should_be;
}

static int64_t slow_ms;

static void ask_slow(void *unused)
{
	saw(addresses_of("slow.test", 300), "trouble");
	slow_ms = now_ms();
}

/* What both orders of equal preference look like. */
static const char *one_order(const char *mx)
{
	if (strcmp(mx, "10 first.test, 20 third.test, 20 second.test") == 0)
		return "10 first.test, 20 second.test, 20 third.test";
	return mx;
}

static void ask_all(void *unused)
{
	int64_t begun = now_ms();

	fiber_start("slow", ask_slow, NULL);
	saw(addresses_of("both.test", 5000),
	    "192.0.2.1:25 [2001:db8::1]:25 192.0.2.2:25");
	saw(addresses_of("V4.Test.", 5000), "192.0.2.3:25");
	saw(addresses_of("alias.test", 5000), "192.0.2.3:25");
	saw(addresses_of("half.test", 5000), "192.0.2.4:25");
	saw(addresses_of("text.test", 5000), "none");
	saw(addresses_of("nosuch.test", 5000), "none");
	saw(addresses_of("broken.test", 5000), "trouble");
	saw(addresses_of("198.51.100.7", 5000), "198.51.100.7:25");
	saw(addresses_of("::1", 5000), "[::1]:25");
	saw(addresses_of("not a name", 5000), "none");
	saw(addresses_of("host.example", 5000), "203.0.113.9:25");
	saw(addresses_of("localhost", 5000), "127.0.0.1:25 [::1]:25");
	saw(one_order(mx_of("mx.test")),
	    "10 first.test, 20 second.test, 20 third.test");
	saw(mx_of("none.test"), "null");
	saw(mx_of("v4.test"), "0 v4.test");
	saw(mx_of("text.test"), "none");
	saw(mx_of("nosuch.test"), "none");
	saw(mx_of("broken.test"), "trouble");
	saw(name_of("198.18.0.9"), "host.test");
	saw(name_of("198.18.0.8"), "none"); /* it leads elsewhere */
	saw(name_of("198.18.0.7"), "none");
	saw(name_of("2001:db8:ffff::1"), "none");
	saw(name_of("127.0.0.1"), "localhost");
	fiber_sleep(begun + 400);
	slow_ms -= begun;
}

/* The hosts file is written anew, as editors do, while a question is open: that
 * one has its answer of before.  A new name is there at once, an old one stays
 * for a moment. */
static void rename_hosts(void)
{
	char new[64];
	FILE *f;

	snprintf(new, sizeof(new), "%s.new", hosts);
	f = fopen(new, "w");
	check(f && fputs("203.0.113.10 later.example\n", f) > 0 &&
	      fclose(f) == 0 && rename(new, hosts) == 0);
}

static void ask_long(void *unused)
{
	addresses_of("slow.test", 30000);
	saw("an end", "an end");
}

static void ask_later(void *unused)
{
	saw(addresses_of("later.example", 20000), "none");
	saw(addresses_of("host.example", 20000), "203.0.113.9:25");
	fiber_start("long", ask_long, NULL);
	rename_hosts();
	saw(addresses_of("later.example", 20000), "203.0.113.10:25");
	saw(addresses_of("host.example", 20000), "none");
	check(unlink(hosts) == 0);
	fiber_sleep(after_ms(300));
	saw(addresses_of("later.example", 20000), "none");
	saw(addresses_of("v4.test", 20000), "192.0.2.3:25");
	fiber_sleep(after_ms(3000)); /* for the long one's answer */
}

static void assert_seen(void)
{
	for (size_t i = 0; i < n_seen; i++)
		assert_string_equal(got[i], expected[i]);
	n_seen = 0;
}

/* The only address of a domain without MX is in the file, and new. */
static void ask_new_domain(void *unused)
{
	FILE *f;

	saw(mx_of("domain.example"), "none");
	f = fopen(hosts, "a");
	check(f && fputs("203.0.113.11 domain.example\n", f) > 0 &&
	      fclose(f) == 0);
	saw(mx_of("domain.example"), "0 domain.example");
}

static void test_new_names_are_there_at_once(void **unused)
{
	arena = arena_open();
	n_seen = 0;
	loops_run(1, ask_new_domain, NULL);
	assert_int_equal(n_seen, 2);
	assert_seen();
	arena_close(arena);
}

static void test_changed_files_are_read(void **unused)
{
	arena = arena_open();
	n_seen = 0;
	loops_run(1, ask_later, NULL);
	assert_int_equal(n_seen, 7);
	assert_seen();
	arena_close(arena);
}

static void test_answers(void **unused)
{
	arena = arena_open();
	loops_run(1, ask_all, NULL);
	for (size_t i = 0; i < n_seen; i++)
		if (strstr(expected[i], "192.0.2.1"))
			assert_non_null(strstr(got[i], "[2001:db8::1]:25 192"));
		else
			assert_string_equal(got[i], expected[i]);
	assert_int_equal(n_seen, 24);
	assert_in_range(slow_ms, 300, 600);
	arena_close(arena);
}

static int start_server(pid_t *pid)
{
	int out[2];
	char ready[8] = "";

	if (pipe(out) != 0)
		return -1;
	*pid = fork();
	if (*pid == 0) {
		dup2(out[1], 1);
		execl("/usr/bin/python3", "python3", "-c", server, NULL);
		_exit(127);
	}
	close(out[1]);
	return read(out[0], ready, 5) == 5 && strcmp(ready, "ready") == 0 ? 0
									  : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_new_names_are_there_at_once),
		cmocka_unit_test(test_changed_files_are_read),
	};
	const char *const servers[] = { "127.0.0.1@" PORT, NULL };
	struct dns_settings settings = { .servers = servers,
					 .hosts_file = hosts };
	FILE *f = fdopen(mkstemp(hosts), "w");
	pid_t pid;
	int failed;

	fputs("127.0.0.1 localhost\n::1 localhost\n203.0.113.9 host.example\n",
	      f);
	fclose(f);
	if (start_server(&pid) != 0) {
		fputs("no name server: python3-dnslib is missing?\n", stderr);
		return 1;
	}
	dns = dns_open(&settings);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	dns_close(dns);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	unlink(hosts);
	return failed;
}
