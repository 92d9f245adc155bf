/* Datagrams of a log (journal.h). */
#include "rt/linux/journal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"

enum { FACILITY_MAIL = 2, FACT = 6 };

/* ---- a line, understood ---- */

struct parts {
	int priority;
	struct str name; /* "splitmail/smtpd" */
	struct str pid;  /* or empty */
	struct str text;
};

static struct parts parts_of(struct str line)
{
	struct parts p = { .priority = FACT, .text = line };
	ptrdiff_t colon, open;

	if (line.n > 3 && line.p[0] == '<' && line.p[2] == '>' &&
	    line.p[1] >= '0' && line.p[1] <= '7') {
		p.priority = line.p[1] - '0';
		line = str_from(line, 3);
		p.text = line;
	}
	colon = str_search(line, S(": "));
	if (colon < 0)
		return p;
	p.name = str_part(line, 0, (size_t)colon);
	p.text = str_from(line, (size_t)colon + 2);
	open = str_find(p.name, '[');
	if (open >= 0 && str_ends(p.name, S("]"))) {
		p.pid = str_part(p.name, (size_t)open + 1, p.name.n - 1);
		p.name = str_part(p.name, 0, (size_t)open);
	}
	return p;
}

/* ---- an entry, written ---- */

struct entry {
	char *to;
	size_t n;
};

/* What does not fit is left out as a whole: it cannot be, by LINE_BYTES. */
static void put(struct entry *e, const char *field, struct str value)
{
	size_t length = strlen(field);

	if (!value.n || e->n + length + value.n + 2 > JOURNAL_ENTRY_BYTES)
		return;
	memcpy(e->to + e->n, field, length);
	e->n += length;
	e->to[e->n++] = '=';
	memcpy(e->to + e->n, value.p, value.n);
	e->n += value.n;
	e->to[e->n++] = '\n';
}

static void put_number(struct entry *e, const char *field, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	put(e, field, str_of(text));
}

/* As queue/message.h writes them. */
static bool is_id(struct str word)
{
	enum { LETTERS = 12 };

	for (size_t i = 0; i < word.n; i++)
		if (!strchr("0123456789abcdefghijklmnopqrstuvwxyz", word.p[i]))
			return false;
	return word.n == LETTERS;
}

static void put_known(struct entry *e, struct str key, struct str value)
{
	static const struct {
		const char *key, *field;
	} known[] = {
		{ "to", "RECIPIENT" },  { "from", "SENDER" },
		{ "relay", "SYSTEM" },  { "client", "CLIENT" },
		{ "status", "STATUS" },
	};

	if (value.n > 1 && value.p[0] == '<' && str_ends(value, S(">")))
		value = str_part(value, 1, value.n - 1);
	for (size_t i = 0; i < array_size(known); i++)
		if (str_same(key, str_of(known[i].key)))
			put(e, known[i].field, value);
}

/* Length of "<address>"; 0: it has no end.  A quoted local part may have a ">"
 * in it, and a quote behind a backslash, which log_safe() wrote as \x5C. */
static size_t address_length(struct str s)
{
	static const struct str backslash = { "\\x5C", 4 };
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '>' && !quoted)
			return i + 1;
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted && str_starts(str_from(s, i), backslash))
			i += backslash.n;
	}
	return 0;
}

static struct str take_value(struct str s)
{
	size_t n = 0;

	if (str_starts(s, S("<")))
		return str_part(s, 0, address_length(s));
	while (n < s.n && s.p[n] != ',' && s.p[n] != ' ')
		n++;
	return str_part(s, 0, n);
}

/* "4f2a9: to=<..>, relay=.., status=sent (..)": as far as it is key=value. */
static void put_facts(struct entry *e, struct str text)
{
	static const struct str levels[] = { S("warning: "), S("error: ") };
	struct str id, key;
	ptrdiff_t at;

	for (size_t i = 0; i < array_size(levels); i++)
		if (str_starts(text, levels[i]))
			text = str_from(text, levels[i].n);
	at = str_search(text, S(": "));
	id = str_part(text, 0, at < 0 ? 0 : (size_t)at);
	if (!is_id(id))
		return;
	put(e, "QUEUE_ID", id);
	text = str_from(text, id.n + 2);
	while ((at = str_find(text, '=')) > 0) {
		struct str value;

		key = str_part(text, 0, (size_t)at);
		text = str_from(text, (size_t)at + 1);
		if (str_find(key, ' ') >= 0)
			return;
		value = take_value(text);
		put_known(e, key, value);
		text = str_from(text, value.n);
		if (!str_starts(text, S(", ")))
			return;
		text = str_from(text, 2);
	}
}

size_t journal_entry(char to[JOURNAL_ENTRY_BYTES], struct str line)
{
	struct entry e = { to, 0 };
	struct parts p = parts_of(line);

	put_number(&e, "PRIORITY", p.priority);
	put_number(&e, "SYSLOG_FACILITY", FACILITY_MAIL);
	put(&e, "SYSLOG_IDENTIFIER", p.name);
	put(&e, "SYSLOG_PID", p.pid);
	put(&e, "MESSAGE", p.text);
	put_facts(&e, p.text);
	return e.n;
}

/* As syslog(3) writes it to its socket: "<22>Nov 23 01:34:02 NAME[PID]: ..." */
size_t journal_syslog_line(char to[JOURNAL_ENTRY_BYTES], struct str line)
{
	struct parts p = parts_of(line);
	time_t now = time(NULL);
	char date[32];
	struct tm t;
	int n;

	localtime_r(&now, &t);
	strftime(date, sizeof(date), "%b %e %H:%M:%S", &t);
	n = snprintf(to, JOURNAL_ENTRY_BYTES, "<%d>%s %.*s%s%.*s%s: %.*s",
		     FACILITY_MAIL << 3 | p.priority, date, STR(p.name),
		     p.pid.n ? "[" : "", STR(p.pid), p.pid.n ? "]" : "",
		     STR(p.text));
	return n < JOURNAL_ENTRY_BYTES ? (size_t)n : JOURNAL_ENTRY_BYTES - 1;
}

/* ---- the socket ---- */

static int connected(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	check(strlen(path) < sizeof(at.sun_path));
	memcpy(at.sun_path, path, strlen(path));
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool connect_again(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = connected(j->native);
	j->is_native = j->fd >= 0;
	if (j->fd < 0)
		j->fd = connected(j->syslog);
	return j->fd >= 0;
}

bool journal_open(struct journal *j, const char *native, const char *syslog)
{
	*j = (struct journal){ .fd = -1, .native = native, .syslog = syslog };
	return connect_again(j) ||
	       fail("neither %s nor %s takes lines of a log", native, syslog);
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

/* Its reader was started anew, which is one more try and no more. */
static bool is_renewed(struct journal *j, bool *tried)
{
	bool is_gone = errno == ECONNREFUSED || errno == ENOTCONN ||
		       errno == ECONNRESET || errno == ENOENT;

	if (!is_gone || *tried)
		return false;
	*tried = true;
	return connect_again(j);
}

bool journal_send(struct journal *j, struct str line, int most_ms)
{
	char entry[JOURNAL_ENTRY_BYTES];
	bool tried = false;

	for (;;) {
		struct pollfd out = { j->fd, POLLOUT, 0 };
		size_t n = j->is_native ? journal_entry(entry, line)
					: journal_syslog_line(entry, line);

		if (send(j->fd, entry, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return true;
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN || errno == ENOBUFS) {
			if (poll(&out, 1, most_ms) == 0)
				return false;
		} else if (!is_renewed(j, &tried)) {
			return false;
		}
	}
}
