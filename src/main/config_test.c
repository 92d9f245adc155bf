/* splitmail.conf: what is written is read; what is wrong is named. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "main/config.h"

static char folder[64];

static int make_folder(void **unused)
{
	snprintf(folder, sizeof(folder), "/tmp/config-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static void remove_file(void)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/splitmail.conf", folder);
	unlink(path);
}

static int remove_folder(void **unused)
{
	remove_file();
	return rmdir(folder);
}

static struct config *read_text(const char *text)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/splitmail.conf", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return config_read(folder);
}

static void assert_refused(const char *text, const char *because)
{
	struct config *c = read_text(text);

	if (c)
		fail_msg("accepted: %s", text);
	if (!strstr(cause(), because))
		fail_msg("\"%s\" does not say \"%s\"", cause(), because);
}

static void test_hostname_is_enough(void **unused)
{
	struct config *c = read_text("hostname = \"MX.Example.ORG\"\n");

	if (!c)
		fail_msg("%s", cause());
	assert_string_equal(c->hostname, "mx.example.org");
	assert_int_equal(c->n_listeners, 6); /* three, on IPv4 and IPv6 */
	assert_int_equal(c->listeners[0].at.port, 25);
	assert_int_equal(c->imap, 143);
	assert_true(c->dovecot_enabled);
	assert_int_equal(c->expiry_s, 432000);
	assert_false(outgoing_is_set(&c->outgoing));
	assert_int_equal(c->internet_family, FAMILY_ANY);
	config_close(c);
}

static void test_what_is_written_is_read(void **unused)
{
	struct config_plan plan = {
		.hostname = "a.test",
		.bind = "127.0.0.5",
		.port_base = 20000,
	};
	struct config *c;

	remove_file();
	assert_true(config_write(folder, &plan));
	assert_false(config_write(folder, &plan));
	c = config_read(folder);
	if (!c)
		fail_msg("%s", cause());
	assert_int_equal(c->n_listeners, 3);
	assert_int_equal(c->listeners[1].at.port, 20587);
	assert_int_equal(c->listeners[1].door.kind, SMTP_SUBMISSION);
	assert_int_equal(c->sieve, 24190);
	assert_true(c->outgoing.has_v4);
	config_close(c);
}

static void test_proxies_are_each_listener_s(void **unused)
{
	struct config *c;

	c = read_text("hostname = \"a.test\"\n"
		      "listener smtp {\n\tproxies = {\"192.0.2.1\", "
		      "\"2001:db8::/32\"}\n}\n"
		      "listener other {\n\tport = 26\n}\n"
		      "dovecot {\n\tproxies = {\"192.0.2.1\"}\n}\n");
	if (!c)
		fail_msg("%s", cause());
	assert_int_equal(c->listeners[0].door.n_proxies, 2);
	assert_int_equal(c->listeners[0].door.proxies[1].bits, 32);
	assert_int_equal(c->listeners[2].door.n_proxies, 0);
	assert_string_equal(c->dovecot_proxies[0], "192.0.2.1");
	assert_null(c->dovecot_proxies[1]);
	config_close(c);
	assert_refused("hostname = \"a.test\"\nlistener smtp {\n"
		       "\tproxies = {\"proxy.test\"}\n}\n",
		       "listener smtp: proxies: \"proxy.test\" is no address");
	assert_refused("hostname = \"a.test\"\ndovecot {\n"
		       "\tproxies = {\"192.0.2.1/33\"}\n}\n",
		       "dovecot: proxies: \"192.0.2.1/33\"");
}

static void test_mistakes_are_named(void **unused)
{
	assert_refused("", "hostname is missing");
	assert_refused("hostname = \"a.test\"\nhostnam = 1\n",
		       "splitmail.conf:2");
	assert_refused("hostname = \"a b\"\n", "hostname");
	assert_refused("hostname = \"a.test\"\nlimits {\n\texpiry = 1\n",
		       "splitmail.conf:2");
	assert_refused("hostname = \"a.test\"\nlistener x {\n\tkind = smtp\n}",
		       "submission");
	assert_refused("hostname = \"a.test\"\nlistener x {\n"
		       "\taddress = \"mx.a.test\"\n}",
		       "no IP address");
	assert_refused("hostname = \"a.test\"\nlistener x {\n"
		       "\tport = 70000\n}",
		       "listener x: ");
	assert_refused("hostname = \"a.test\"\ndovecot {\n\timap = 70000\n}",
		       "dovecot.imap");
	assert_refused("hostname = \"a.test\"\nlimits {\n\tretry_min = 0\n}",
		       "limits.retry_min");
	assert_refused(
		"hostname = \"a.test\"\nlistener a {\n\tport = 2525\n}\n"
		"listener b {\n\taddress = \"0.0.0.0\"\n\tport = 2525\n}",
		"a and b have the same address and port");
	assert_refused("hostname = \"a.test\"\ndns {\n"
		       "\tservers = { \"10.0.0.1@5353\", \"1.2.3\" }\n}",
		       "\"1.2.3\" is no IP address");
}

static void test_certificates_that_are_named(void **unused)
{
	struct config *c = read_text("hostname = \"mx.test\"\n");

	assert_non_null(c);
	assert_false(c->certificate_is_named || c->certificates_are_named);
	assert_non_null(strstr(c->certificate, "/tls/cert.pem"));
	assert_non_null(strstr(c->certificates, "/tls/certificates"));
	config_close(c);
	c = read_text("hostname = \"mx.test\"\n"
		      "tls {\n\tcertificates = \"/etc/certs\"\n}\n");
	assert_non_null(c);
	assert_true(!c->certificate_is_named && c->certificates_are_named);
	assert_string_equal(c->certificates, "/etc/certs");
	config_close(c);
	/* also what is there without a word */
	c = read_text("hostname = \"mx.test\"\n"
		      "tls {\n\tcertificate = \"tls/cert.pem\"\n}\n");
	assert_non_null(c);
	assert_true(c->certificate_is_named && !c->certificates_are_named);
	config_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostname_is_enough),
		cmocka_unit_test(test_what_is_written_is_read),
		cmocka_unit_test(test_proxies_are_each_listener_s),
		cmocka_unit_test(test_mistakes_are_named),
		cmocka_unit_test(test_certificates_that_are_named),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
