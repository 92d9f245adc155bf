/*
 * The log: one line per fact, on stderr, shaped like Postfix's so that
 * pflogsumm and fail2ban read it.
 *
 *	log_fact("smtpd", "%s: client=%s", id, client);
 *		Nov 23 01:34:02 mx splitmail/smtpd[4711]: 4f2a9: client=...
 *
 * Anything a peer said must have gone through log_safe(): no control
 * character, no line end and no escape sequence reaches the log.
 * With JOURNAL_STREAM set (systemd) the date and name are left out and
 * "<priority>" is put in front.
 * Facts of one loop turn are written together.
 */
#ifndef RT_LOG_H
#define RT_LOG_H

#include "base/arena.h"

void log_open(const char *hostname);	/* before the loops run */
void log_flush(void);

void log_fact(const char *part, const char *format, ...) printf_like(2, 3);
void log_warn(const char *part, const char *format, ...) printf_like(2, 3);
void log_error(const char *part, const char *format, ...) printf_like(2, 3);

/* S with everything but printable ASCII and valid UTF-8 escaped as \xNN, cut
 * at MAX bytes; in ARENA. */
const char *log_safe(struct arena *a, struct str s, size_t max);

#endif
