/* The files of certificates and roots. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/tls_inside.h"

/* ---- reading ---- */

bool tls_stamp_of(const char *path, struct tls_stamp *out)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return fail("%s: %m", path);
	*out = (struct tls_stamp){
		.changed_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 +
			      st.st_ctim.tv_nsec,
		.number = st.st_ino,
		.bytes = (uint64_t)st.st_size,
	};
	return true;
}

bool tls_load_pair(SSL_CTX *c, const char *certificate, const char *key)
{
	if (SSL_CTX_use_certificate_chain_file(c, certificate) != 1)
		return tls_fail(certificate);
	if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(c) != 1)
		return tls_fail(key);
	return true;
}

bool tls_read_text(const char *path, struct buf *to)
{
	FILE *f = fopen(path, "re");
	char part[4096];
	size_t n;
	bool ok;

	if (!f)
		return fail_errno("%s: %m", path);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(to, (struct str){ part, n });
	ok = !ferror(f) || fail_errno("read %s: %m", path);
	fclose(f);
	return ok;
}

bool tls_load_roots(SSL_CTX *c, const char *extra_ca)
{
	if (SSL_CTX_set_default_verify_paths(c) != 1)
		return tls_fail("the system's root certificates");
	if (extra_ca && SSL_CTX_load_verify_locations(c, extra_ca, NULL) != 1)
		return tls_fail(extra_ca);
	return true;
}

static const char *from_environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

/* The system's roots are a file and a folder, where OpenSSL looks for them; one
 * that is not there has no stamp. */
void tls_stamp_roots(struct tls_stamp to[2])
{
	const char *paths[] = {
		from_environment(X509_get_default_cert_file_env(),
				 X509_get_default_cert_file()),
		from_environment(X509_get_default_cert_dir_env(),
				 X509_get_default_cert_dir()),
	};

	for (size_t i = 0; i < array_size(paths); i++)
		if (!tls_stamp_of(paths[i], &to[i]))
			to[i] = (struct tls_stamp){ .number = 0 };
}

/* ---- writing ---- */

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

static bool write_text(const char *path, mode_t mode, struct str text)
{
	FILE *f = create(path, mode);

	return f && finish(f, path, fwrite(text.p, 1, text.n, f) == text.n);
}

bool tls_write_pair(const char *certificate, struct str chain, const char *key,
		    struct str key_text)
{
	struct place c, k;

	if (!place_name(&c, certificate) || !place_name(&k, key))
		return false;
	if (write_text(k.new, 0600, key_text) &&
	    write_text(c.new, 0644, chain) && place_take(&k) && place_take(&c))
		return true;
	unlink(k.new);
	unlink(c.new);
	return false;
}
