/*
 * Log lines, gathered per thread and written with one write().
 *
 * A loop flushes at the end of each turn; a thread without a loop, and
 * anything worse than a fact, at once.  When stderr is gone lines are lost:
 * mail matters more.
 */
#include "rt/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rt/clock.h"
#include "rt/fiber.h"

enum { LINE_BYTES = 4096, GATHER_BYTES = 16384 };

struct level {
	const char *journal; /* the head there, with syslog's priority */
	const char *word;    /* as Postfix says it */
};

static const struct level fact = { "<6>splitmail/", "" };
static const struct level warning = { "<4>splitmail/", "warning: " };
static const struct level error = { "<3>splitmail/", "error: " };

static struct {
	char host[256];
	char pid[24]; /* "[1234]: " */
	bool journal;
} place = { .host = "localhost", .pid = "[0]: " };

static _Thread_local struct {
	char lines[GATHER_BYTES];
	size_t n;
	time_t second; /* that HEAD shows */
	char head[320];
} here;

void log_open(const char *hostname)
{
	snprintf(place.host, sizeof(place.host), "%s", hostname);
	snprintf(place.pid, sizeof(place.pid), "[%d]: ", (int)getpid());
	place.journal = getenv("JOURNAL_STREAM") != NULL;
	tzset();
}

/* A pipe takes long writes in parts, between which another loop's lines could
 * come. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

void log_flush(void)
{
	size_t done = 0;

	if (here.n == 0)
		return;
	pthread_mutex_lock(&writing);
	while (done < here.n) {
		ssize_t n =
		        write(STDERR_FILENO, here.lines + done, here.n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += (size_t)n;
	}
	pthread_mutex_unlock(&writing);
	here.n = 0;
}

/* "Nov 23 01:34:02 HOST splitmail/", local time, made once a second. */
static const char *head_now(void)
{
	time_t now = (time_t)(wall_ms() / 1000);
	struct tm t;
	char date[32];

	if (now != here.second && localtime_r(&now, &t)) {
		strftime(date, sizeof(date), "%b %e %H:%M:%S", &t);
		snprintf(here.head, sizeof(here.head), "%s %s splitmail/", date,
		         place.host);
		here.second = now;
	}
	return here.head;
}

static size_t add(char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n);
	return n;
}

/* Every line has one, so it is put together without printf: LINE_BYTES are
 * enough for its parts, all ours. */
static size_t head_write(char *to, const struct level *l, const char *part)
{
	size_t n = add(to, place.journal ? l->journal : head_now());

	n += add(to + n, part);
	n += add(to + n, place.pid);
	return n + add(to + n, l->word);
}

/* The last guard: one call is one line, whatever a caller forgot. */
static void make_harmless(char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
}

static size_t clamp(int n, size_t room)
{
	check(n >= 0);
	return (size_t)n < room ? (size_t)n : room - 1;
}

printf_like(3, 0) static void log_line(const struct level *l, const char *part,
                                       const char *format, va_list args)
{
	size_t n, room = LINE_BYTES - 1;
	int saved = errno;
	char *line;

	if (GATHER_BYTES - here.n < LINE_BYTES)
		log_flush();
	line = here.lines + here.n;
	n = head_write(line, l, part);
	errno = saved;
	n += clamp(vsnprintf(line + n, room - n, format, args), room - n);
	make_harmless(line, n);
	line[n++] = '\n';
	here.n += n;
	if (l != &fact || !fiber_self())
		log_flush();
	errno = saved;
}

void log_fact(const char *part, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(&fact, part, format, args);
	va_end(args);
}

void log_warn(const char *part, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(&warning, part, format, args);
	va_end(args);
}

void log_error(const char *part, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(&error, part, format, args);
	va_end(args);
}

/* Length of the valid UTF-8 character at P, 0 when it is none.  Controls of
 * C1 (U+0080..U+009F) count as none: terminals obey them. */
static size_t utf8_character(const unsigned char *p, size_t n)
{
	if (n >= 2 && p[0] >= 0xc2 && p[0] <= 0xdf && (p[1] & 0xc0) == 0x80)
		return p[0] == 0xc2 && p[1] < 0xa0 ? 0 : 2;
	if (n >= 3 && (p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 &&
	    (p[2] & 0xc0) == 0x80) {
		if ((p[0] == 0xe0 && p[1] < 0xa0) || /* overlong */
		    (p[0] == 0xed && p[1] >= 0xa0))  /* surrogate */
			return 0;
		return 3;
	}
	if (n >= 4 && p[0] >= 0xf0 && p[0] <= 0xf4 && (p[1] & 0xc0) == 0x80 &&
	    (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80) {
		if ((p[0] == 0xf0 && p[1] < 0x90) ||
		    (p[0] == 0xf4 && p[1] >= 0x90))
			return 0;
		return 4;
	}
	return 0;
}

static size_t safe_character(const unsigned char *p, size_t n)
{
	if (*p >= 0x20 && *p < 0x7f && *p != '\\')
		return 1;
	return *p < 0x80 ? 0 : utf8_character(p, n);
}

const char *log_safe(struct arena *a, struct str s, size_t max)
{
	char *out = arena_alloc(a, max + 1);
	size_t n = 0, i = 0;

	while (i < s.n) {
		const unsigned char *p = (const unsigned char *)s.p + i;
		size_t taken = safe_character(p, s.n - i);
		size_t made = taken ? taken : 4;

		if (n + made > max)
			break;
		if (taken)
			memcpy(out + n, p, taken);
		else
			snprintf(out + n, 5, "\\x%02X", *p);
		n += made;
		i += taken ? taken : 1;
	}
	out[n] = '\0';
	return out;
}
