/*
 * The log: one line per fact, on stderr or in the journal, shaped like Postfix's so that
 * pflogsumm and fail2ban read it.
 *
 *	log_fact("smtpd", "%s: client=%s", id, client);
 *		Nov 23 01:34:02 mx splitmail/smtpd[4711]: 4f2a9: client=...
 *
 * Anything a peer said must have gone through log_safe(): no control
 * character, no line end and no escape sequence reaches the log.
 * Nobody waits for whoever reads it: after log_start() a thread of its own
 * writes, LIMIT_LOG_BYTES may wait, and what does not fit is lost, counted and
 * said.  A crash gets out what waits.
 *
 * Under systemd, which says with $JOURNAL_STREAM that stderr is the journal's,
 * each line goes to the journal's socket (or else syslog's) as an entry of
 * "splitmail/smtpd", of the facility mail, and with fields (linux/journal.h):
 * `journalctl QUEUE_ID=...`; whatever reads syslog finds what Postfix writes.
 * Facts of one loop turn are written together.
 */
#ifndef RT_LOG_H
#define RT_LOG_H

#include "base/arena.h"

void log_open(const char *hostname); /* before the loops run */
void log_start(void);                /* of a process that serves */
/* Before it exits: what waits is written, for two seconds at most. */
void log_end(void);
/* What this thread gathered goes out; a loop does so by itself. */
void log_flush(void);

void log_fact(const char *part, const char *format, ...) printf_like(2, 3);
void log_warn(const char *part, const char *format, ...) printf_like(2, 3);
void log_error(const char *part, const char *format, ...) printf_like(2, 3);
/* A line that another program made, as it is but for control characters and
 * what log_safe() escapes, which becomes '?'.  Under systemd an entry of NAME's,
 * without its date. */
void log_pass(const char *name, struct str line);

/* S with everything but printable ASCII and valid UTF-8 escaped as \xNN, cut
 * at MAX bytes; in ARENA.  Characters that turn the direction of writing or are
 * not seen are escaped, too. */
const char *log_safe(struct arena *a, struct str s, size_t max);

#endif
