/*
 * Mail that nobody took, at the end of the caller's dead.letter (sendmail.h).
 *
 * The file is his own: a link, or another's, is left alone.  The system's log
 * knows of it, too, since nobody reads what cron's programs say.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "main/sendmail.h"

static bool is_fit(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail("%m");
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1)
		return fail("it is no file of this user's alone");
	if (st.st_size > LIMIT_DEAD_LETTER_BYTES)
		return fail("it has %lld bytes already", (long long)st.st_size);
	return true;
}

/* As an mbox has it: a line that begins with "From " would be another mail. */
static void write_letter(struct buf *to, const char *name, struct str text)
{
	time_t now = time(NULL);
	struct tm tm;
	char date[32] = "";
	struct str line;

	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Y", &tm);
	buf_printf(to, "From %s %s\n", name, date);
	while (str_split(&text, '\n', &line)) {
		if (str_ends(line, S("\r")))
			line.n--;
		if (str_starts(line, S("From ")))
			buf_add_char(to, '>');
		buf_add(to, line);
		buf_add_char(to, '\n');
	}
	buf_add_char(to, '\n');
}

static bool append(const char *path, struct str text)
{
	int fd = open(path,
		      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
			      O_CLOEXEC,
		      0600);
	bool ok;

	if (fd < 0)
		return fail("%s: %m", path);
	ok = is_fit(fd) || add_cause("%s", path);
	if (ok && write(fd, text.p, text.n) != (ssize_t)text.n)
		ok = fail("write %s: %m", path);
	if (close(fd) != 0 && ok)
		ok = fail("write %s: %m", path);
	return ok;
}

static bool keep(struct str text, struct arena *arena, const char **path)
{
	const struct passwd *who = getpwuid(geteuid());
	struct buf letter scoped(buf) = BUF_EMPTY;

	if (!who || !*who->pw_dir)
		return fail("uid %u has no home for a dead.letter", geteuid());
	*path = arena_printf(arena, "%s/dead.letter", who->pw_dir);
	write_letter(&letter, who->pw_name, text);
	return append(*path, buf_str(&letter));
}

bool dead_letter_keep(struct str text, struct arena *arena, const char **path)
{
	bool kept = keep(text, arena, path);

	openlog("splitmail/sendmail", LOG_PID, LOG_MAIL);
	if (kept)
		syslog(LOG_ERR, "uid=%u: nobody took a mail: it is in %s",
		       getuid(), *path);
	else
		syslog(LOG_ERR, "uid=%u: nobody took a mail, it is lost: %s",
		       getuid(), cause());
	closelog();
	return kept;
}
