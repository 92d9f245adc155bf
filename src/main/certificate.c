/* Which certificate is served (certificate.h). */
#include "main/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "rt/log.h"
#include "rt/tls.h"
#include "rt/worker.h"

enum {
	DAY_MS = 86400000,
	PATIENCE = 2, /* looks at something wrong, before it is said */
};

/* What tells whether a file was changed. */
struct stamp {
	bool is_there;
	dev_t device;
	ino_t number;
	off_t bytes;
	struct timespec written, changed;
};

struct certificate {
	const struct config *config;
	const struct person *owner;
	const char *served, *trouble; /* paths; threads use no arena */
	struct stamp seen[2];         /* certificate, key: when last read */
	int64_t ends_ms;              /* of what is served; 0: not known */
	bool is_wrong, was_said;
	unsigned looks; /* at what is wrong */
	struct failure wrong;
	unsigned warned; /* of its end: how many times */
};

const char *certificate_path(const struct config *config)
{
	return config_path(config, "run/tls.pem");
}

const char *certificate_trouble_path(const struct config *config)
{
	return config_path(config, CERTIFICATE_TROUBLE);
}

struct certificate *certificate_open(const struct config *config,
				     const struct person *owner)
{
	struct certificate *c = must_alloc(sizeof(*c));

	*c = (struct certificate){
		.config = config,
		.owner = owner,
		.served = certificate_path(config),
		.trouble = certificate_trouble_path(config),
	};
	return c;
}

void certificate_close(struct certificate *c)
{
	free(c);
}

/* ---- files; these block ---- */

static struct stamp stamp_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return (struct stamp){ .is_there = false };
	return (struct stamp){ true,       st.st_dev,  st.st_ino,
			       st.st_size, st.st_mtim, st.st_ctim };
}

static bool time_same(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool stamp_same(const struct stamp *a, const struct stamp *b)
{
	return a->is_there == b->is_there && a->device == b->device &&
	       a->number == b->number && a->bytes == b->bytes &&
	       time_same(a->written, b->written) &&
	       time_same(a->changed, b->changed);
}

static bool read_descriptor(int fd, const char *path, struct buf *to)
{
	struct stat st;
	char part[4096];
	ssize_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fail("%s is no file", path);
	while ((n = read(fd, part, sizeof(part))) > 0) {
		buf_add(to, (struct str){ part, (size_t)n });
		if (to->n > LIMIT_CERTIFICATE_BYTES)
			return fail("%s has more than %d bytes", path,
				    LIMIT_CERTIFICATE_BYTES);
	}
	return n == 0 || fail("read %s: %m", path);
}

static bool read_file(const char *path, struct buf *to)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool ok;

	if (fd < 0 && errno == EACCES && geteuid() != 0)
		return fail(
			"%s: %m; start `serve` as root, who may read it, or "
			"let this user read it",
			path);
	if (fd < 0)
		return fail("%s: %m", path);
	ok = read_descriptor(fd, path, to);
	close(fd);
	return ok;
}

/* For its owner only, whole or not at all. */
static bool write_file(const struct certificate *c, const char *path,
		       struct str text)
{
	char new[4096];
	int n = snprintf(new, sizeof(new), "%s.new", path);
	int fd =
		open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		     0600);
	bool ok = fd >= 0 && n < (int)sizeof(new) && fchmod(fd, 0600) == 0 &&
		  (geteuid() != 0 ||
		   fchown(fd, c->owner->uid, c->owner->gid) == 0) &&
		  write(fd, text.p, text.n) == (ssize_t)text.n &&
		  fsync(fd) == 0 && rename(new, path) == 0;

	if (!ok)
		fail_errno("write %s: %m", path);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool is_served(const struct certificate *c, struct str text)
{
	struct buf now scoped(buf) = BUF_EMPTY;

	return read_file(c->served, &now) && str_same(buf_str(&now), text);
}

/* ---- one look ---- */

struct look {
	struct certificate *c;
	bool is_changed; /* a file; good or not */
	bool is_renewed; /* what is served */
};

static bool take_pair(struct look *l)
{
	const struct config *config = l->c->config;
	struct buf chain scoped(buf) = BUF_EMPTY, key scoped(buf) = BUF_EMPTY;
	int64_t ends_ms;

	if (!read_file(config->certificate, &chain) ||
	    !read_file(config->key, &key) ||
	    !tls_pair_check(config->certificate, buf_str(&chain), config->key,
			    buf_str(&key), &ends_ms))
		return false;
	l->c->ends_ms = ends_ms;
	buf_add(&chain, S("\n"));
	buf_add(&chain, buf_str(&key));
	if (is_served(l->c, buf_str(&chain)))
		return true;
	l->is_renewed = write_file(l->c, l->c->served, buf_str(&chain));
	return l->is_renewed;
}

/* Again and again while it is wrong: what a file has may change and its stamp
 * not, on some file systems. */
static bool look_now(void *arg)
{
	struct look *l = arg;
	struct certificate *c = l->c;
	struct stamp now[] = { stamp_of(c->config->certificate),
			       stamp_of(c->config->key) };

	l->is_changed = !stamp_same(&now[0], &c->seen[0]) ||
			!stamp_same(&now[1], &c->seen[1]);
	if (!c->is_wrong && !l->is_changed)
		return true;
	c->seen[0] = now[0];
	c->seen[1] = now[1];
	return take_pair(l);
}

static bool note_trouble(void *arg)
{
	const struct certificate *c = arg;

	if (c->is_wrong)
		return write_file(c, c->trouble, str_of(c->wrong.sentence));
	return unlink(c->trouble) == 0 || errno == ENOENT ||
	       fail("remove %s: %m", c->trouble);
}

/* ---- what is said ---- */

static void say_wrong(struct certificate *c, bool at_once)
{
	if ((c->was_said || c->looks < PATIENCE) && !at_once)
		return;
	log_error("serve", "the old certificate stays: %s", c->wrong.sentence);
	c->was_said = true;
	if (!offload(note_trouble, c))
		log_warn("serve", "%s", cause());
}

static void say_right(struct certificate *c)
{
	if (c->was_said)
		log_fact("serve", "the certificate is good again");
	c->was_said = false;
	if (!offload(note_trouble, c))
		log_warn("serve", "%s", cause());
}

/* Once each time one of these is reached. */
static void say_end(struct certificate *c)
{
	static const int64_t days[] = { 30, 14, 7, 1, 0 };
	int64_t left_ms = c->ends_ms - wall_ms();
	unsigned reached = 0;

	if (!c->ends_ms)
		return;
	while (reached < array_size(days) && left_ms <= days[reached] * DAY_MS)
		reached++;
	if (reached > c->warned && left_ms <= 0)
		log_error("serve",
			  "the certificate has ended, at %s: clients "
			  "refuse it",
			  date_iso(c->ends_ms).c);
	else if (reached > c->warned)
		log_warn("serve", "the certificate ends in %lld days, at %s",
			 (long long)(left_ms / DAY_MS), date_iso(c->ends_ms).c);
	c->warned = reached;
}

bool certificate_look(struct certificate *c, bool at_once)
{
	struct look l = { .c = c };
	bool was_wrong = c->is_wrong;

	c->is_wrong = !offload(look_now, &l);
	if (c->is_wrong) {
		if (!was_wrong || l.is_changed) {
			c->looks = 0;
			c->was_said = false;
		}
		failure_save(&c->wrong);
		c->looks++;
		say_wrong(c, at_once);
	} else if (was_wrong) {
		say_right(c);
	}
	if (l.is_renewed)
		log_fact("serve", "a new certificate, until %s",
			 date_iso(c->ends_ms).c);
	say_end(c);
	return l.is_renewed;
}

/* What an earlier run left is better than no mail. */
bool certificate_begin(struct certificate *c)
{
	struct tls_context *left;
	struct look l = { .c = c };

	c->is_wrong = !offload(look_now, &l);
	if (!c->is_wrong) {
		say_right(c);
		say_end(c);
		return true;
	}
	failure_save(&c->wrong);
	left = tls_server(c->served, c->served);
	if (!left)
		return fail_again(&c->wrong);
	c->ends_ms = tls_server_ends_ms(left);
	tls_close(left);
	say_wrong(c, true);
	say_end(c);
	return true;
}
