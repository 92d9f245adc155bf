/*
 * Log lines, gathered per thread and given to log_out.c together.
 *
 * A loop flushes at the end of each turn; a thread without a loop, and
 * anything worse than a fact, at once.
 */
#include "rt/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rt/clock.h"
#include "rt/fiber.h"
#include "rt/log_inside.h"
#include "rt/own_inside.h"

enum { LINE_BYTES = 4096, GATHER_BYTES = 16384 };

struct level {
	const char *journal; /* the head there, with syslog's priority */
	const char *word;    /* as Postfix says it */
};

static const struct level fact = { "<6>splitmail/", "" };
static const struct level warning = { "<4>splitmail/", "warning: " };
static const struct level error = { "<3>splitmail/", "error: " };

static _Thread_local struct {
	char lines[GATHER_BYTES];
	size_t n;
	time_t second;    /* that HEAD shows */
	time_t zone_read; /* when the time zone was */
	char head[32];
} here;

void log_open(const char *hostname)
{
	struct own *o = own();

	snprintf(o->log_host, sizeof(o->log_host), "%.255s splitmail/",
		 hostname);
	snprintf(o->log_number, sizeof(o->log_number), "[%d]: ", log_process());
	o->log_is_journal = log_finds_journal();
	tzset();
}

void log_flush(void)
{
	if (here.n > 0)
		log_out(here.lines, here.n);
	here.n = 0;
}

size_t log_gathered(const char **lines)
{
	*lines = here.lines;
	return here.n;
}

/* The time zone of the machine may change: it is read again, if so. */
static void follow_zone(time_t now)
{
	enum { ZONE_S = 10 };

	if (now >= here.zone_read && now < here.zone_read + ZONE_S)
		return;
	here.zone_read = now;
	tzset();
}

/* "Nov 23 01:34:02 ", local time, made once a second. */
static const char *head_now(void)
{
	time_t now = (time_t)(wall_ms() / 1000);
	struct tm t;

	if (now != here.second)
		follow_zone(now);
	if (now != here.second && localtime_r(&now, &t)) {
		strftime(here.head, sizeof(here.head), "%b %e %H:%M:%S ", &t);
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
	const struct own *o = own();
	size_t n = 0;

	if (o->log_is_journal) {
		n += add(to, l->journal);
	} else {
		n += add(to, head_now());
		n += add(to + n, o->log_host);
	}
	n += add(to + n, part);
	n += add(to + n, o->log_number);
	return n + add(to + n, l->word);
}

/* ---- characters ---- */

/* What makes a line that is read another one than was written: it turns the
 * direction of writing (U+061C, U+200E, U+202A..), ends a line (U+2028), or is
 * not seen at all (U+00AD, U+200B, U+FEFF, tags). */
static bool is_deceptive(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00ad, 0x00ad },   { 0x034f, 0x034f },
		{ 0x061c, 0x061c },   { 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
		{ 0x200b, 0x200f },   { 0x2028, 0x202e },
		{ 0x2060, 0x206f },   { 0x3164, 0x3164 },
		{ 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb },   { 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
	};

	for (size_t i = 0; i < array_size(ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

/* Length of the valid UTF-8 character at P, *C; 0 when it is none.  Controls
 * of C1 (U+0080..U+009F) count as none: terminals obey them. */
static size_t utf8_character(const unsigned char *p, size_t n, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0xa0, 0x800, 0x10000 };
	size_t length = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;

	if (*p < 0xc2 || *p > 0xf4 || length > n)
		return 0;
	*c = *p & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (p[i] & 0x3f);
	}
	if (*c < least[length] || *c > 0x10ffff ||
	    (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return length;
}

/* Length of what may stand in a line; 0: it may not. */
static size_t harmless_character(const unsigned char *p, size_t n)
{
	uint32_t c = 0;
	size_t length;

	if (*p < 0x80)
		return *p >= 0x20 && *p != 0x7f;
	length = utf8_character(p, n, &c);
	return is_deceptive(c) ? 0 : length;
}

/* The last guard: one call is one line that shows what it says, whatever a
 * caller forgot. */
static void make_harmless(char *line, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t length =
			harmless_character((unsigned char *)line + i, n - i);

		if (!length)
			line[i] = '?';
		i += length ? length : 1;
	}
}

/* ---- lines ---- */

static size_t clamp(int n, size_t room)
{
	check(n >= 0);
	return (size_t)n < room ? (size_t)n : room - 1;
}

/* At most LINE_BYTES at TO; its length. */
printf_like(4, 0) static size_t
	line_write(char *to, const struct level *l, const char *part,
		   const char *format, va_list args)
{
	size_t room = LINE_BYTES - 1, n;
	int saved = errno;

	n = head_write(to, l, part);
	errno = saved;
	n += clamp(vsnprintf(to + n, room - n, format, args), room - n);
	make_harmless(to, n);
	to[n++] = '\n';
	return n;
}

size_t log_make_line(char *to, size_t room, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;
	size_t n;

	va_start(args, format);
	n = line_write(line, &warning, "log", format, args);
	va_end(args);
	check(n <= room);
	memcpy(to, line, n);
	return n;
}

printf_like(3, 0) static void log_line(const struct level *l, const char *part,
				       const char *format, va_list args)
{
	int saved = errno;

	if (GATHER_BYTES - here.n < LINE_BYTES)
		log_flush();
	here.n += line_write(here.lines + here.n, l, part, format, args);
	if (l != &fact || !fiber_self())
		log_flush();
	errno = saved;
}

/* ---- lines of others ---- */

/* "Nov 23 01:34:02 ", as our own begin; the journal knows when. */
static struct str without_date(struct str line)
{
	static const char shape[] = "Aaa 00 00:00:00 ";
	size_t n = sizeof(shape) - 1;

	for (size_t i = 0; i < n; i++) {
		char c = i < line.n ? line.p[i] : '\0';

		if (shape[i] == '0'
			    ? !(c >= '0' && c <= '9') && !(i == 4 && c == ' ')
		    : shape[i] == 'A' ? !(c >= 'A' && c <= 'Z')
		    : shape[i] == 'a' ? !(c >= 'a' && c <= 'z')
				      : c != shape[i])
			return line;
	}
	return str_from(line, n);
}

/* Dovecot says how bad it is behind who says it, "imap-login: Info: ...", and
 * leaves "Info: " out where that is said apart. */
static const struct pass_level {
	struct str word;
	const char *head;
	bool is_left_out;
} pass_levels[] = {
	{ { "Info: ", 6 }, "<6>", true },
	{ { "Debug: ", 7 }, "<7>", true },
	{ { "Warning: ", 9 }, "<4>", false },
	{ { "Error: ", 7 }, "<3>", false },
	{ { "Fatal: ", 7 }, "<2>", false },
	{ { "Panic: ", 7 }, "<2>", false },
	{ { "", 0 }, "<6>", false }, /* no word of it */
};

static const struct pass_level *pass_level(struct str words)
{
	const struct pass_level *l = pass_levels;

	while (l->word.n && !str_starts(words, l->word))
		l++;
	return l;
}

/* As an entry of NAME's: "<4>dovecot: auth: Warning: ...".  The level stands
 * first, or behind who says it. */
static size_t pass_as_entry(char *to, size_t room, const char *name,
			    struct str line)
{
	struct str text = without_date(line), who = S("");
	ptrdiff_t colon = str_search(text, S(": "));

	if (colon >= 0 && !pass_level(text)->word.n) {
		who = str_part(text, 0, (size_t)colon + 2);
		text = str_from(text, who.n);
	}
	const struct pass_level *l = pass_level(text);

	if (l->is_left_out)
		text = str_from(text, l->word.n);
	return clamp(snprintf(to, room, "%s%s: %.*s%.*s", l->head, name,
			      STR(who), STR(text)),
		     room);
}

void log_pass(const char *name, struct str line)
{
	size_t n = line.n < LINE_BYTES ? line.n : LINE_BYTES - 1;
	char *to;

	if (GATHER_BYTES - here.n < LINE_BYTES)
		log_flush();
	to = here.lines + here.n;
	if (own()->log_is_journal)
		n = pass_as_entry(to, LINE_BYTES, name, str_part(line, 0, n));
	else
		memcpy(to, line.p, n);
	make_harmless(to, n);
	to[n] = '\n';
	here.n += n + 1;
	if (!fiber_self())
		log_flush();
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

static size_t safe_character(const unsigned char *p, size_t n)
{
	return *p == '\\' ? 0 : harmless_character(p, n);
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
