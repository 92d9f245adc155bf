/* Which Dovecot there is, and that each version is told all we need. */
#include "base/test.h"
#include "main/dovecot.h"
#include "main/dovecot_conf.h"

static const struct dovecot_needs needs = {
	.data = "/data",
	.hostname = "mail.example.test",
	.listen = "192.0.2.1",
	.user = "postman",
	.group = "postmen",
	.uid = 4711,
	.gid = 4712,
	.certificate = "/data/run/tls.pem",
	.imap = 1143,
	.imaps = 1993,
	.pop3 = 1110,
	.pop3s = 0,
	.sieve = 4190,
	.metrics = 9900,
};

static bool says(const struct buf *text, const char *what)
{
	return memmem(text->p, text->n, what, strlen(what)) != NULL;
}

static void versions_are_told_apart(void **state)
{
	static const struct {
		const char *said;
		enum dovecot_version version;
	} known[] = {
		{ "2.3.19.1 (9b53102964)\n", DOVECOT_2_3 },
		{ "2.3.0\n", DOVECOT_2_3 },
		{ "2.4.1-4 (7d8c0e5759)\n", DOVECOT_2_4 },
		{ "2.4.0", DOVECOT_2_4 },
		{ "2.4.10.1-rc1 (0)\n", DOVECOT_2_4 },
	};
	enum dovecot_version got;

	for (size_t i = 0; i < array_size(known); i++) {
		assert_true(dovecot_understand_version(str_of(known[i].said),
						       &got));
		assert_int_equal(got, known[i].version);
	}
}

static void another_version_is_named_and_what_is_known(void **state)
{
	static const char *const unknown[] = {
		"2.2.36", "2.5.0",  "3.0.0",          "1.0", "2.30.1",
		"23.4",   "12.4.1", "2.40",           "2.",  "2",
		"",       "\n",     "usage: dovecot",
	};
	enum dovecot_version got;

	for (size_t i = 0; i < array_size(unknown); i++)
		assert_false(
			dovecot_understand_version(str_of(unknown[i]), &got));
	assert_false(dovecot_understand_version(S("2.5.0-1 (abc)\n"), &got));
	assert_string_equal(cause(),
			    "Dovecot 2.5.0-1 is not known here: "
			    "Splitmail writes the configuration of Dovecot "
			    "2.3 and 2.4");
	assert_false(dovecot_understand_version(S("2.2.36 (x)\n"), &got));
	assert_non_null(strstr(cause(), "Dovecot 2.2.36 "));
	assert_false(dovecot_understand_version(S("help\n"), &got));
	assert_string_equal(cause(), "\"help\" is no version of Dovecot");
}

static void both_versions_are_told_what_we_need(void **state)
{
	static const char *const all[] = {
		"base_dir = /data/dovecot/run\n",
		"listen = 192.0.2.1\n",
		"default_login_user = postman\n",
		"mail_gid = 4712\n",
		"port = 1143\n",
		"port = 1993\n",
		"port = 1110\n",
		"port = 0\n",
		"port = 4190\n",
		"port = 9900\n",
		" = 127.0.0.1\n",
		"metric pop3_logins_failed {",
		"protocols = imap pop3 lmtp sieve",
		"cert",
		"key",
		"/data/run/tls.pem\n",
		"sieve_redirect_envelope_from = sender",
		"recipient_delimiter = +",
		"quota_full_tempfail = yes",
		"shutdown_clients = no",
		"dotlock_use_excl = no",
		"process_limit = 4096",
		"~/Maildir",
		"~/.dovecot.sieve",
		"sendmail_path = /data/dovecot/sendmail",
	};
	struct buf v23 scoped(buf) = BUF_EMPTY, v24 scoped(buf) = BUF_EMPTY;

	dovecot_23_main(&needs, &v23);
	dovecot_24_main(&needs, &v24);
	for (size_t i = 0; i < array_size(all); i++) {
		if (!says(&v23, all[i]) || !says(&v24, all[i]))
			fail_msg("not said: %s", all[i]);
	}
}

/* Dovecot has to find the names it is told, and then use none of them. */
static void who_has_no_name_uses_nobody_s(void **state)
{
	struct buf text scoped(buf) = BUF_EMPTY;

	dovecot_nameless(DOVECOT_2_3, &text);
	assert_true(says(&text, "service imap-login {\n\tuser =\n}\n"));
	assert_true(says(&text, "service stats {\n\tunix_listener stats-writer "
				"{\n\t\tgroup =\n\t}\n}\n"));
	assert_true(says(&text, "replicator"));
	buf_clear(&text);
	dovecot_nameless(DOVECOT_2_4, &text);
	assert_true(says(&text, "service imap-login {\n\tuser =\n}\n"));
	assert_false(says(&text, "replicator"));
}

static void passwords_are_not_taken_in_clear_unless_told(void **state)
{
	struct dovecot_needs trusting = needs;
	struct buf text scoped(buf) = BUF_EMPTY;

	trusting.auth_without_tls = true;
	dovecot_23_main(&needs, &text);
	assert_true(says(&text, "disable_plaintext_auth = yes\n"));
	buf_clear(&text);
	dovecot_23_main(&trusting, &text);
	assert_true(says(&text, "disable_plaintext_auth = no\n"));
	buf_clear(&text);
	dovecot_24_main(&needs, &text);
	assert_true(says(&text, "auth_allow_cleartext = no\n"));
	buf_clear(&text);
	dovecot_24_main(&trusting, &text);
	assert_true(says(&text, "auth_allow_cleartext = yes\n"));
}

static void who_is_looked_up_is_dovecots_variable(void **state)
{
	struct buf text scoped(buf) = BUF_EMPTY;

	dovecot_23_sql(&needs, &text);
	assert_true(says(&text, "given = '%n'), '%n') AND domain = "));
	assert_true(says(&text, "given = '%d'), '%d') LIMIT 1\n"));
	assert_true(says(&text, "dovecot_mailbox WHERE user = '%u'\n"));
	assert_true(says(&text, "connect = /data/directory.db\n"));
	buf_clear(&text);
	dovecot_24_main(&needs, &text);
	assert_true(says(&text, "'%{user | username}') AND domain = "));
	assert_true(says(&text, "'%{user | domain}') LIMIT 1\n"));
	assert_true(says(&text, "dovecot_mailbox WHERE user = '%{user}'\n"));
	assert_true(says(&text, "sqlite_path = /data/directory.db\n"));
	assert_true(says(&text, "auth_allow_weak_schemes = yes\n"));
}

static void the_version_stands_before_everything_else(void **state)
{
	struct buf text scoped(buf) = BUF_EMPTY;

	dovecot_24_main(&needs, &text);
	/* or there is no INBOX */
	assert_true(says(&text, "\nmail_inbox_path =\n"));
	assert_true(str_starts(buf_str(&text),
			       S("dovecot_config_version = 2.4.0\n")));
}

/* Tried with both: 2.3 has several names in one block, 2.4 does not. */
static void names_have_certificates_of_their_own(void **state)
{
	struct buf text scoped(buf) = BUF_EMPTY;

	(void)state;
	dovecot_23_named("*.a.test", "/data/a.pem", NULL, &text);
	dovecot_23_named("b.test", "/data/b.pem", "/data/b2.pem", &text);
	assert_true(says(&text, "local_name \"*.a.test *.a.test.\" {\n"
				"\tssl_cert = </data/a.pem\n"
				"\tssl_key = </data/a.pem\n"
				"\tssl_alt_cert = \n\tssl_alt_key = \n}\n"));
	assert_true(says(&text, "\tssl_alt_cert = </data/b2.pem\n"
				"\tssl_alt_key = </data/b2.pem\n}\n"));
	buf_clear(&text);
	dovecot_24_named("*.a.test", "/data/a.pem", NULL, &text);
	dovecot_24_named("b.test", "/data/b.pem", "/data/b2.pem", &text);
	assert_true(says(&text, "local_name *.a.test {\n"
				"\tssl_server_cert_file = /data/a.pem\n"
				"\tssl_server_key_file = /data/a.pem\n"
				"\tssl_server_alt_cert_file = \n"));
	assert_true(says(&text, "local_name *.a.test. {\n"));
	assert_true(says(&text, "\tssl_server_alt_key_file = /data/b2.pem\n"));
	buf_clear(&text);
	dovecot_23_main(&needs, &text);
	assert_true(says(&text,
			 "\n!include_try /data/dovecot/certificates.conf\n"));
	buf_clear(&text);
	dovecot_24_main(&needs, &text);
	assert_true(says(&text,
			 "\n!include_try /data/dovecot/certificates.conf\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_told_apart),
		cmocka_unit_test(another_version_is_named_and_what_is_known),
		cmocka_unit_test(both_versions_are_told_what_we_need),
		cmocka_unit_test(who_has_no_name_uses_nobody_s),
		cmocka_unit_test(passwords_are_not_taken_in_clear_unless_told),
		cmocka_unit_test(who_is_looked_up_is_dovecots_variable),
		cmocka_unit_test(the_version_stands_before_everything_else),
		cmocka_unit_test(names_have_certificates_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
