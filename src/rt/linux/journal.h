/*
 * Where a log goes under systemd: one datagram for each line, to the journal's
 * own socket, or else to syslog's.
 *
 * LINE is as log.c makes it for a journal:
 *
 *	<6>splitmail/smtp[4711]: 4f2a9: to=<bob@own.test>, relay=mx.b.test[..]..
 *
 * and becomes an entry with the fields MESSAGE, PRIORITY, SYSLOG_FACILITY (mail),
 * SYSLOG_IDENTIFIER and SYSLOG_PID, and with what the line says of a mail:
 * QUEUE_ID, RECIPIENT, SENDER, SYSTEM (who was spoken to), CLIENT, STATUS.  Those
 * are taken from our own words in front of all that a peer said.
 *
 * A line has at most LINE_BYTES (log.c), so that an entry fits into a datagram.
 * Nothing here allocates: it is for a crash, too.
 */
#ifndef RT_LINUX_JOURNAL_H
#define RT_LINUX_JOURNAL_H

#include "base/str.h"

enum { JOURNAL_ENTRY_BYTES = 10240 };

struct journal {
	int fd; /* -1: there is none */
	bool is_native;
	const char *native, *syslog; /* paths */
};

/* False: neither path is a socket that somebody reads. */
bool journal_open(struct journal *j, const char *native,
		  const char *syslog) must_check;
void journal_close(struct journal *j);

/* LINE without its end.  May wait MOST_MS (-1: as long as it takes) for room.
 * False: it was not taken. */
bool journal_send(struct journal *j, struct str line, int most_ms) must_check;

/* Made of LINE: how many bytes. */
size_t journal_entry(char to[JOURNAL_ENTRY_BYTES], struct str line);
size_t journal_syslog_line(char to[JOURNAL_ENTRY_BYTES], struct str line);

#endif
