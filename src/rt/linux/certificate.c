/* A self-signed certificate for the first start, before there is a real one. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/linux/stream_inside.h"
#include "rt/random.h"
#include "rt/tls.h"

enum { YEARS_10_S = 315360000, COMMON_NAME_BYTES = 64 };

static bool extension_add(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509_add_ext(x, e, -1) == 1;

	X509_EXTENSION_free(e);
	return ok;
}

/* 127 bits, so that no two certificates of one name are alike. */
static bool serial_set(X509 *x)
{
	unsigned char bytes[16];
	BIGNUM *n;
	bool ok;

	random_bytes(bytes, sizeof(bytes));
	bytes[0] &= 0x7f;
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return ok;
}

/* A name too long for CN (X.520: 64) stands in subjectAltName alone, which is
 * where everybody looks. */
static bool subject_set(X509 *x, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(x);
	const char *cn = strlen(name) <= COMMON_NAME_BYTES ? name : "splitmail";

	return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	                                  (const unsigned char *)cn, -1, -1,
	                                  0) == 1 &&
	       X509_set_issuer_name(x, subject) == 1;
}

static bool names_set(X509 *x, const char *name)
{
	char san[512];
	struct inet ip;
	bool is_ip = inet_parse_ip(str_of(name), 0, &ip);
	int n = snprintf(san, sizeof(san), "%s:%s", is_ip ? "IP" : "DNS", name);

	/* A comma would begin another name. */
	if (n < 0 || (size_t)n >= sizeof(san) || strchr(name, ','))
		return false;
	return extension_add(x, NID_subject_alt_name, san) &&
	       extension_add(x, NID_basic_constraints, "critical,CA:FALSE") &&
	       extension_add(x, NID_ext_key_usage, "serverAuth");
}

static X509 *make(const char *name, EVP_PKEY *key)
{
	X509 *x = X509_new();

	if (x && X509_set_version(x, 2) == 1 && serial_set(x) &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
	    X509_gmtime_adj(X509_getm_notAfter(x), YEARS_10_S) &&
	    X509_set_pubkey(x, key) == 1 && subject_set(x, name) &&
	    names_set(x, name) && X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	tls_fail("make a certificate");
	return NULL;
}

/* The mode is right before the first byte is there. */
static FILE *create(const char *path, mode_t mode)
{
	int fd = open(path,
	              O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	              mode);
	FILE *f = fd >= 0 && fchmod(fd, mode) == 0 ? fdopen(fd, "w") : NULL;

	if (f)
		return f;
	fail("create %s: %m", path);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static bool finish(FILE *f, const char *path, bool written)
{
	bool ok = written && fflush(f) == 0 && fsync(fileno(f)) == 0;

	if (!ok)
		fail("write %s: %m", path);
	fclose(f);
	return ok;
}

/* Both are written in full beside their places before either is taken. */
struct place {
	const char *path;
	char new[1024];
};

static bool place_name(struct place *p, const char *path)
{
	int n = snprintf(p->new, sizeof(p->new), "%s.new", path);

	p->path = path;
	if (n < 0 || (size_t)n >= sizeof(p->new))
		return fail("%s: the path is too long", path);
	return true;
}

static bool place_take(const struct place *p)
{
	if (rename(p->new, p->path) != 0)
		return fail("rename %s: %m", p->new);
	return true;
}

static bool write_certificate(X509 *x, const char *path)
{
	FILE *f = create(path, 0644);

	return f && finish(f, path, PEM_write_X509(f, x) == 1);
}

static bool write_key(EVP_PKEY *key, const char *path)
{
	FILE *f = create(path, 0600);

	return f && finish(f, path,
	                   PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0,
	                                             NULL, NULL) == 1);
}

static bool write_both(X509 *x, EVP_PKEY *pair, const char *certificate,
                       const char *key)
{
	struct place c, k;

	if (!place_name(&c, certificate) || !place_name(&k, key))
		return false;
	if (write_key(pair, k.new) && write_certificate(x, c.new) &&
	    place_take(&k) && place_take(&c))
		return true;
	unlink(k.new);
	unlink(c.new);
	return false;
}

bool tls_self_signed(const char *name, const char *certificate, const char *key)
{
	EVP_PKEY *pair;
	X509 *x = NULL;
	bool ok = false;

	ERR_clear_error();
	pair = EVP_EC_gen("P-256");
	if (pair)
		x = make(name, pair);
	else
		tls_fail("make a key");
	if (x)
		ok = write_both(x, pair, certificate, key);
	X509_free(x);
	EVP_PKEY_free(pair);
	return ok;
}
