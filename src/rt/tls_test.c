/*
 * TLS on streams: the handshake, names, resumption, certificates.
 */
#include "rt/tls_test.h"

#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "rt/tls_inside.h"

/* ---- an encrypted echo ---- */

static void tls_echo(void *arg)
{
	struct stream *s = arg;

	if (stream_tls_accept(s, server, after_ms(60000)))
		while (stream_fill(s, after_ms(60000)) == STREAM_MORE) {
			stream_say(s, stream_bytes(s));
			stream_skip(s, stream_bytes(s).n);
			if (!stream_flush(s, after_ms(3000)))
				break;
		}
	stream_close(s);
}

static void connect_pair(struct stream *s[2])
{
	check(stream_pair(s));
	check(fiber_start("tls echo", tls_echo, s[1]));
}

static void run_echo(void *arg)
{
	struct stream *s[2];

	(void)arg;
	connect_pair(s);
	check(!stream_is_tls(s[0]));
	check(strcmp(stream_tls_version(s[0]), "") == 0);
	check(stream_tls_connect(s[0], client, "mx.test", after_ms(60000)));
	check(stream_is_tls(s[0]));
	check(strcmp(stream_tls_version(s[0]), "TLSv1.3") == 0);
	check(strncmp(stream_tls_cipher(s[0]), "TLS_", 4) == 0);
	for (int i = 0; i < 50; i++) {
		say(s[0], "hello over TLS\r\n");
		expect(s[0], "hello over TLS\r\n");
	}
	stream_close(s[0]);
}

static void echo_over_tls(void **state)
{
	(void)state;
	loops_run(1, run_echo, NULL);
}

static void pour(void *arg)
{
	struct stream *s = arg;
	static char chunk[30000];

	memset(chunk, 'x', sizeof(chunk));
	check(stream_tls_accept(s, server, after_ms(60000)));
	for (int i = 0; i < 50; i++)
		stream_say(s, (struct str){ chunk, sizeof(chunk) });
	check(stream_flush(s, after_ms(10000)));
	stream_close(s);
}

static void run_pour(void *arg)
{
	struct stream *s[2];
	size_t seen = 0;

	(void)arg;
	check(stream_pair(s));
	check(fiber_start("pour", pour, s[1]));
	check(stream_tls_connect(s[0], client, "mx.test", after_ms(60000)));
	fiber_sleep(after_ms(20));
	while (stream_fill(s[0], after_ms(60000)) == STREAM_MORE) {
		seen += stream_bytes(s[0]).n;
		stream_skip(s[0], stream_bytes(s[0]).n);
	}
	check(seen == 50 * 30000);
	stream_close(s[0]);
}

static void much_arrives_whole(void **state)
{
	(void)state;
	loops_run(1, run_pour, NULL);
}

/* ---- DANE ---- */

static struct tls_context *dane_client;

/* The certificate's key, as TLSA has it. */
static struct tlsa tlsa_of_key(struct arena *arena)
{
	struct buf pem scoped(buf) = BUF_EMPTY;
	unsigned char *der = NULL, digest[SHA256_DIGEST_LENGTH];
	BIO *b;
	X509 *x;
	int n;

	check(tls_read_text(certificate, &pem));
	b = BIO_new_mem_buf(pem.p, (int)pem.n);
	x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	check(x);
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	check(n > 0 && SHA256(der, (size_t)n, digest));
	OPENSSL_free(der);
	X509_free(x);
	BIO_free(b);
	return (struct tlsa){ TLSA_SERVER, 1, 1,
			      arena_str(arena, (struct str){ (char *)digest,
							     sizeof digest }) };
}

static bool connect_dane(const char *host, const char *domain,
			 const struct tlsa *records, size_t n)
{
	struct tls_dane dane = { host, domain, records, n };
	struct stream *s[2];
	bool ok;

	connect_pair(s);
	ok = stream_tls_connect_dane(s[0], dane_client, &dane, after_ms(60000));
	check(ok == stream_tls_verified(s[0]) && !stream_tls_resumed(s[0]));
	if (ok) {
		say(s[0], "x");
		expect(s[0], "x");
	}
	stream_close(s[0]);
	return ok;
}

static void run_dane(void *arg)
{
	struct arena *arena = arg;
	struct tlsa wrong = { 3, 1, 1, S("thirty-two bytes of other digest") };
	struct tlsa no_certificate = { 3, 0, 0, S("no DER") };
	struct tlsa records[] = { wrong, tlsa_of_key(arena) };

	check(connect_dane("mx.test", NULL, records, 2));
	check(connect_dane("named.otherwise", NULL, records, 2));
	check(!connect_dane("mx.test", NULL, &wrong, 1));
	check(strstr(cause(), "TLSA"));
	check(!connect_dane("mx.test", NULL, &no_certificate, 1));
	check(!connect_dane("mx.test", NULL, NULL, 0));
}

static void dane_names_the_certificate(void **state)
{
	struct arena *arena = arena_open();

	(void)state;
	dane_client = tls_client(TLS_DANE, NULL);
	check(dane_client);
	loops_run(1, run_dane, arena);
	tls_close(dane_client);
	arena_close(arena);
}

/* ---- sessions are resumed ---- */

static bool resumed, verified;

static bool connect_once(struct tls_context *t, const char *name)
{
	struct stream *s[2];
	bool ok;

	connect_pair(s);
	ok = stream_tls_connect(s[0], t, name, after_ms(60000));
	resumed = ok && stream_tls_resumed(s[0]);
	verified = stream_tls_verified(s[0]);
	if (ok) {
		say(s[0], "x");
		expect(s[0], "x"); /* the ticket came before it */
		check(stream_is_quiet(s[0]));
	}
	stream_close(s[0]);
	return ok;
}

static void run_resume(void *arg)
{
	(void)arg;
	check(connect_once(client, "again.test") && !resumed);
	check(connect_once(client, "again.test") && resumed);
	check(connect_once(client, "again.test") && resumed);
	check(connect_once(client, "other.test") && !resumed);
}

static void sessions_are_resumed_by_name(void **state)
{
	struct tls_context *shared = client;

	(void)state;
	client = tls_client(TLS_ANY, NULL);
	loops_run(1, run_resume, NULL);
	tls_close(client);
	client = shared;
}

/* ---- verification ---- */

static void run_verify(void *arg)
{
	struct tls_context *system = tls_client(TLS_VERIFIED, NULL);

	(void)arg;
	check(system);
	check(!connect_once(system, "mx.test"));
	check(strstr(cause(), "self"));
	check(!connect_once(strict, "other.test"));
	check(strstr(cause(), "name mismatch"));
	check(connect_once(strict, "mx.test"));
	check(connect_once(strict, "mx.test"));
	fiber_sleep(after_ms(10));
	tls_close(system);
}

static void verified_means_chain_and_name(void **state)
{
	(void)state;
	loops_run(1, run_verify, NULL);
}

/* A file of the test's own folder. */
static const char *name_of(const char *path)
{
	check(str_starts(str_of(path), str_of(folder)));
	return path + strlen(folder) + 1;
}

static void read_text(const char *path, struct buf *to)
{
	char text[8192];

	check(folder_noted(folder, name_of(path), text, sizeof(text)));
	buf_add(to, str_of(text));
}

static void replace(const char *path, const char *text)
{
	check(folder_note(folder, name_of(path), text));
}

/* The system's roots, as a file that is replaced. */
static void have_roots(const char *path, const char *from)
{
	struct buf text scoped(buf) = BUF_EMPTY;

	if (from)
		read_text(from, &text);
	buf_add_char(&text, '\0');
	replace(path, text.p);
}

static void run_roots(void *path)
{
	struct tls_context *system;

	have_roots(path, NULL);
	check(setenv("SSL_CERT_FILE", path, 1) == 0);
	system = tls_client(TLS_VERIFIED, NULL);
	check(system && !connect_once(system, "mx.test"));
	have_roots(path, certificate);
	check(!connect_once(system, "mx.test"));
	check(tls_client_reload(system) && connect_once(system, "mx.test"));
	check(connect_once(system, "mx.test") && resumed);
	check(folder_remove(folder, "roots")); /* while it is written anew */
	check(tls_client_reload(system) && connect_once(system, "mx.test"));
	have_roots(path, NULL); /* it is not believed any more, nor resumed */
	check(tls_client_reload(system) && !connect_once(system, "mx.test"));
	check(unsetenv("SSL_CERT_FILE") == 0);
	tls_close(system);
}

static void roots_that_changed_are_read(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/roots", folder);
	loops_run(1, run_roots, path);
	check(folder_remove(folder, "roots"));
}

static void run_note(void *arg)
{
	struct tls_context *system = tls_client(TLS_NOTED, NULL);
	struct tls_context *own = tls_client(TLS_NOTED, certificate);

	(void)arg;
	check(system && own);
	for (int i = 0; i < 3; i++) { /* resumed, too */
		check(connect_once(system, "mx.test") && !verified);
		check(connect_once(own, "mx.test") && verified);
		check(connect_once(own, "other.test") && !verified);
		check(connect_once(own, "192.0.2.1") && !verified);
		check(connect_once(client, "mx.test") && !verified);
		check(connect_once(strict, "mx.test") && verified);
	}
	check(!connect_once(strict, "other.test") && !verified);
	tls_close(system);
	tls_close(own);
}

static void noted_tells_and_goes_on(void **state)
{
	(void)state;
	loops_run(1, run_note, NULL);
}

/* ---- certificates ---- */

static void key_is_its_owners(void **state)
{
	(void)state;
#ifndef RT_SIM
	struct stat st;

	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
#endif
	assert_false(tls_self_signed("mx.test", "/nonexistent/c", key));
	assert_false(tls_self_signed("a,DNS:b", certificate, key));
}

static void bad_file_leaves_the_old_in_force(void **state)
{
	(void)state;
	assert_true(tls_server_reload(server));
	replace(certificate, "no certificate\n");
	assert_false(tls_server_reload(server));
	assert_non_null(strstr(cause(), certificate));
	loops_run(1, run_echo, NULL);
	assert_null(tls_server(certificate, key));
	assert_true(tls_self_signed("mx.test", certificate, key));
	assert_true(tls_server_reload(server));
	loops_run(1, run_echo, NULL);
	assert_null(tls_server("/nonexistent", key));
	assert_null(tls_client(TLS_VERIFIED, "/nonexistent"));
}

static void assert_no_pair(struct str chain, struct str its, const char *why)
{
	int64_t ends_ms;

	assert_false(tls_pair_check(&(struct tls_texts){ chain, its, "C", "K" },
				    &ends_ms));
	if (!strstr(cause(), why))
		fail_msg("%s does not say %s", cause(), why);
}

/* Chain and key in one file are as good as in two. */
static void pairs_are_looked_at_before_they_are_served(void **state)
{
	struct buf chain scoped(buf) = BUF_EMPTY, its scoped(buf) = BUF_EMPTY;
	struct buf other scoped(buf) = BUF_EMPTY;
	int64_t ends_ms = 0, days;

	(void)state;
	read_text(certificate, &chain);
	read_text(key, &its);
	check(tls_self_signed("mx.test", certificate, key));
	read_text(key, &other);
	assert_true(tls_pair_check(
		&(struct tls_texts){ buf_str(&chain), buf_str(&its), "C", "K" },
		&ends_ms));
	days = (ends_ms - wall_ms()) / 86400000;
	assert_in_range(days, 3648, 3650);
	assert_true(tls_server_reload(server));
	assert_in_range((tls_server_ends_ms(server) - ends_ms + 60000) / 1000,
			0, 120);
	assert_no_pair(buf_str(&chain), buf_str(&other),
		       "C and K: the key is not the certificate's");
	assert_no_pair(buf_str(&its), buf_str(&its),
		       "C: no certificate in PEM");
	assert_no_pair(buf_str(&chain), buf_str(&chain),
		       "K: no private key in PEM");
	assert_no_pair(STR_NONE, buf_str(&its), "C: no certificate in PEM");
	assert_no_pair(str_part(buf_str(&chain), 0, chain.n - 60),
		       buf_str(&its), "C: no certificate in PEM");
	buf_add(&chain, str_part(buf_str(&chain), 0, chain.n - 60));
	assert_no_pair(buf_str(&chain), buf_str(&its), "C: a certificate in");
	chain.n = (chain.n + 60) / 2;
	buf_add(&chain, buf_str(&its));
	assert_true(
		tls_pair_check(&(struct tls_texts){ buf_str(&chain),
						    buf_str(&chain), "C", "K" },
			       &ends_ms));
}

/* ---- certificates by name ---- */

/* One more for NAME; the clients' roots are in ROOTS. */
static void add_named(const char *name, struct buf *pairs, struct buf *roots)
{
	struct arena *arena scoped(arena) = arena_open();
	struct buf chain scoped(buf) = BUF_EMPTY, its scoped(buf) = BUF_EMPTY;
	char c[80], k[80];
	struct tls_said said;

	snprintf(c, sizeof(c), "%s/named.pem", folder);
	snprintf(k, sizeof(k), "%s/named.key", folder);
	check(tls_self_signed(name, c, k));
	read_text(c, &chain);
	read_text(k, &its);
	buf_add(roots, buf_str(&chain));
	buf_add(&its, buf_str(&chain)); /* as in a file of both */
	check(tls_pair_read(
		&(struct tls_texts){ buf_str(&its), buf_str(&its), "C", "K" },
		arena, &said, pairs));
	check(said.n_names == 1 && said.key == KEY_ECDSA &&
	      strlen(said.print) == 32);
	check(str_same(said.names[0], str_of(name)));
	check(folder_remove(folder, "named.pem") &&
	      folder_remove(folder, "named.key"));
}

static void write_text(const char *name, struct buf *text)
{
	buf_add_char(text, '\0');
	check(folder_note(folder, name, text->p));
	text->n--;
}

static void run_names(void *roots)
{
	struct tls_context *wary = tls_client(TLS_VERIFIED, roots);

	check(wary);
	check(connect_once(wary, "a.test"));
	check(connect_once(wary, "x.b.test"));
	check(connect_once(wary, "y.b.test"));
	check(connect_once(wary, "y.b.test") && resumed);
	check(connect_once(wary, "mx.test"));
	check(!connect_once(wary, "x.y.b.test"));
	check(!connect_once(wary, "other.test"));
	check(connect_once(client, "other.test")); /* shown the first */
	tls_close(wary);
}

static void names_have_certificates_of_their_own(void **state)
{
	struct buf pairs scoped(buf) = BUF_EMPTY, roots scoped(buf) = BUF_EMPTY;
	struct tls_context *usual = server;
	char pairs_path[80], roots_path[80];

	(void)state;
	snprintf(pairs_path, sizeof(pairs_path), "%s/pairs", folder);
	snprintf(roots_path, sizeof(roots_path), "%s/roots", folder);
	server = tls_server_named(certificate, key, pairs_path);
	check(server); /* without that file, too */
	read_text(certificate, &roots);
	add_named("a.test", &pairs, &roots);
	add_named("*.b.test", &pairs, &roots);
	write_text("pairs", &pairs);
	write_text("roots", &roots);
	assert_true(tls_server_reload(server));
	loops_run(1, run_names, roots_path);
	/* one that is damaged leaves the old ones in force */
	buf_add(&pairs, S("x\n-----END PRIVATE KEY-----\n"));
	write_text("pairs", &pairs);
	assert_false(tls_server_reload(server));
	assert_non_null(strstr(cause(), pairs_path));
	loops_run(1, run_names, roots_path);
	check(folder_remove(folder, "pairs") && folder_remove(folder, "roots"));
	assert_true(tls_server_reload(server));
	tls_close(server);
	server = usual;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_over_tls),
		cmocka_unit_test(much_arrives_whole),
		cmocka_unit_test(dane_names_the_certificate),
		cmocka_unit_test(sessions_are_resumed_by_name),
		cmocka_unit_test(verified_means_chain_and_name),
		cmocka_unit_test(roots_that_changed_are_read),
		cmocka_unit_test(noted_tells_and_goes_on),
		cmocka_unit_test(key_is_its_owners),
		cmocka_unit_test(bad_file_leaves_the_old_in_force),
		cmocka_unit_test(pairs_are_looked_at_before_they_are_served),
		cmocka_unit_test(names_have_certificates_of_their_own),
	};

	return cmocka_run_group_tests(tests, test_keys_make, test_keys_remove);
}
