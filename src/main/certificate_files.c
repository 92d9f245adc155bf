/* Files of certificates and keys (certificate_files.h). */
#include "main/certificate_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rt/clock.h"
#include "rt/log.h"

enum {
	DAY_MS = 86400000,
	PATIENCE = 2, /* looks at something wrong, before it is said */
};

static bool read_descriptor(int fd, const char *path, size_t most,
			    struct buf *to)
{
	struct stat st;
	char part[4096];
	ssize_t n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fail("%s is no file", path);
	while ((n = read(fd, part, sizeof(part))) > 0) {
		buf_add(to, (struct str){ part, (size_t)n });
		if (to->n > most)
			return fail("%s has more than %zu bytes", path, most);
	}
	return n == 0 || fail("read %s: %m", path);
}

bool certificate_read(const char *path, size_t most, struct buf *to)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool ok;

	if (fd < 0 && errno == EACCES && geteuid() != 0)
		return fail("%s: %m; let this user read it, have a copy made "
			    "(deploy-certificate), or start `serve` as root",
			    path);
	if (fd < 0)
		return fail("%s: %m", path);
	ok = read_descriptor(fd, path, most, to);
	close(fd);
	return ok;
}

bool certificate_write(const char *path, struct str text,
		       const struct person *owner)
{
	char new[4096];
	int n = snprintf(new, sizeof(new), "%s.new", path), fd;
	bool ok;

	privileges_files_begin(owner);
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	ok = fd >= 0 && n < (int)sizeof(new) && fchmod(fd, 0600) == 0 &&
	     write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0 &&
	     rename(new, path) == 0;
	if (!ok)
		fail_errno("write %s: %m", path);
	privileges_files_end();
	if (fd >= 0)
		close(fd);
	return ok;
}

/* ---- what is said ---- */

bool certificate_say_wrong(struct wrong *w, bool is_changed, const char *which,
			   bool at_once)
{
	bool was_told = w->is_told;

	if (!w->is) {
		if (was_told)
			log_fact("serve", "%s is good again", which);
		*w = (struct wrong){ .is = false };
		return was_told;
	}
	if (is_changed) {
		w->looks = 0;
		w->is_said = false;
	}
	w->looks++;
	if (!at_once && (w->is_said || w->looks < PATIENCE))
		return false;
	log_error("serve", "%s: %s", which, w->why.sentence);
	w->is_said = w->is_told = true;
	return true;
}

void certificate_say_end(const char *which, int64_t ends_ms, unsigned *warned)
{
	static const int64_t days[] = { 30, 14, 7, 1, 0 };
	int64_t left_ms = ends_ms - wall_ms();
	unsigned reached = 0;

	if (!ends_ms)
		return;
	while (reached < array_size(days) && left_ms <= days[reached] * DAY_MS)
		reached++;
	if (reached > *warned && left_ms <= 0)
		log_error("serve", "%s has ended, at %s: clients refuse it",
			  which, date_iso(ends_ms).c);
	else if (reached > *warned)
		log_warn("serve", "%s ends in %lld days, at %s", which,
			 (long long)(left_ms / DAY_MS), date_iso(ends_ms).c);
	*warned = reached;
}
