/*
 * TLS in a world: real OpenSSL, which says its bytes to an end of a connection
 * and has its files on the host's disk, its chance from the seed and its time
 * from the host's clock (clock.c).
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* the one way to give it its chance */

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

#include "rt/random.h"
#include "rt/sim/disk_inside.h"
#include "rt/tls_inside.h"

/* ---- the connection ---- */

static int number_of(const char *trouble)
{
	return strstr(trouble, "timed out") ? ETIMEDOUT
	       : strstr(trouble, "pipe")    ? EPIPE
					    : ECONNRESET;
}

static int on_write(BIO *b, const char *p, int n)
{
	struct end *e = BIO_get_data(b);
	ptrdiff_t sent = end_send(e, p, (size_t)n);

	BIO_clear_retry_flags(b);
	if (sent > 0)
		return (int)sent;
	if (sent == 0)
		BIO_set_retry_write(b);
	else
		errno = number_of(e->trouble);
	return -1;
}

static int on_read(BIO *b, char *to, int room)
{
	struct end *e = BIO_get_data(b);
	size_t n = end_receive(e, to, (size_t)room);

	BIO_clear_retry_flags(b);
	if (n > 0)
		return (int)n;
	if (e->trouble)
		errno = number_of(e->trouble);
	else if (e->has_end)
		return 0;
	else
		BIO_set_retry_read(b);
	return -1;
}

static long on_control(BIO *b, int what, long n, void *arg)
{
	struct end *e = BIO_get_data(b);

	(void)n;
	(void)arg;
	if (what == BIO_CTRL_EOF)
		return e->has_end && e->arrived.n == 0;
	return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

static void forget_method(void)
{
	BIO_meth_free(method);
}

static void make_method(void)
{
	method =
		BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "end");
	check(method && BIO_meth_set_write(method, on_write) == 1 &&
	      BIO_meth_set_read(method, on_read) == 1 &&
	      BIO_meth_set_ctrl(method, on_control) == 1);
	atexit(forget_method);
}

bool stream_carry(struct stream *s, SSL *ssl)
{
	BIO *b;

	if (!method)
		make_method();
	b = BIO_new(method);
	check(b);
	BIO_set_data(b, s->end_of);
	BIO_set_init(b, 1);
	SSL_set_bio(ssl, b, b);
	return true;
}

/* ---- files ---- */

bool tls_stamp_of(const char *path, struct tls_stamp *out)
{
	struct node *n = node_find(path);

	if (!n)
		return fail("%s: %m", path);
	*out = (struct tls_stamp){ .changed_ns = (int64_t)n->changed,
				   .number = n->number,
				   .bytes = n->now.n };
	return true;
}

static const char *roots_path(void)
{
	const char *path = getenv("SSL_CERT_FILE");

	return path ? path : "/etc/ssl/cert.pem";
}

void tls_stamp_roots(struct tls_stamp to[2])
{
	to[1] = (struct tls_stamp){ .number = 0 };
	if (!tls_stamp_of(roots_path(), &to[0]))
		to[0] = to[1];
}

/* NULL: it is not there, as OpenSSL would say it. */
static BIO *open_file(const char *path)
{
	struct node *n = node_find(path);
	BIO *b = n ? BIO_new_mem_buf(n->now.n ? n->now.p : "", (int)n->now.n)
		   : NULL;

	if (!n)
		ERR_raise(ERR_LIB_SYS, errno);
	return b;
}

static bool use_chain(SSL_CTX *c, BIO *b)
{
	X509 *x = b ? PEM_read_bio_X509_AUX(b, NULL, NULL, NULL) : NULL;
	bool ok = x && SSL_CTX_use_certificate(c, x) == 1;

	X509_free(x);
	while (ok && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)))
		check(SSL_CTX_add0_chain_cert(c, x) == 1);
	BIO_free(b);
	if (ok)
		ERR_clear_error(); /* that no more comes is no trouble */
	return ok;
}

static bool use_key(SSL_CTX *c, BIO *b)
{
	EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
	bool ok = key && SSL_CTX_use_PrivateKey(c, key) == 1 &&
		  SSL_CTX_check_private_key(c) == 1;

	EVP_PKEY_free(key);
	BIO_free(b);
	return ok;
}

bool tls_load_pair(SSL_CTX *c, const char *certificate, const char *key)
{
	if (!use_chain(c, open_file(certificate)))
		return tls_fail(certificate);
	return use_key(c, open_file(key)) || tls_fail(key);
}

bool tls_read_text(const char *path, struct buf *to)
{
	struct node *n = node_find(path);

	if (!n)
		return fail_errno("%s: %m", path);
	buf_add(to, (struct str){ n->now.p, n->now.n });
	return true;
}

static bool add_roots(SSL_CTX *c, const char *path)
{
	BIO *b = open_file(path);
	X509 *x;

	if (!b)
		return false;
	while ((x = PEM_read_bio_X509(b, NULL, NULL, NULL))) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(c), x);
		X509_free(x);
	}
	BIO_free(b);
	ERR_clear_error();
	return true;
}

bool tls_load_roots(SSL_CTX *c, const char *extra_ca)
{
	if (!add_roots(c, roots_path()))
		ERR_clear_error();
	return !extra_ca || add_roots(c, extra_ca) || tls_fail(extra_ca);
}

static bool write_new(const char *path, struct str text)
{
	char name[NAME_BYTES], part[NAME_BYTES + 8];
	struct node *folder = node_folder_of(path, name), *n;
	bool ok;

	if (!folder)
		return fail("create %s.new: %m", path);
	snprintf(part, sizeof(part), "%s.new", name);
	(void)name_unlink(folder, part);
	n = node_new(false, 0600);
	ok = n && name_link(folder, part, n) &&
	     node_write(n, 0, text.p, text.n) && node_sync(n);
	node_release(n);
	return ok || fail("write %s: %m", part);
}

static bool take_new(const char *path)
{
	char name[NAME_BYTES], part[NAME_BYTES + 8];
	struct node *folder = node_folder_of(path, name);

	snprintf(part, sizeof(part), "%s.new", name);
	return (folder && name_move(folder, part, folder, name)) ||
	       fail("rename %s: %m", part);
}

bool tls_write_pair(const char *certificate, struct str chain, const char *key,
		    struct str key_text)
{
	return write_new(key, key_text) && write_new(certificate, chain) &&
	       take_new(key) && take_new(certificate);
}

/* ---- chance ---- */

static int on_random(unsigned char *to, int n)
{
	random_bytes(to, (size_t)n);
	return 1;
}

static int on_status(void)
{
	return 1;
}

void tls_open(void)
{
	static const RAND_METHOD ours = {
		.bytes = on_random,
		.pseudorand = on_random,
		.status = on_status,
	};

	check(RAND_set_rand_method(&ours) == 1);
}
