/*
 * Delivery status notifications: the text of one (RFC 3464, RFC 3461 6,
 * RFC 6522, RFC 6533 when an address is not ASCII).
 *
 * multipart/report of three parts: a sentence for people, the fields for
 * machines, and the message or its header (RET, and no more than
 * LIMIT_BOUNCE_BYTES).  Pure: struct in, bytes out.  Its own envelope sender
 * is <>.
 */
#ifndef WIRE_DSN_H
#define WIRE_DSN_H

#include "base/buf.h"
#include "wire/command.h"
#include "wire/reply.h"

enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED,
	DSN_EXPANDED
};

struct dsn_recipient {
	struct str address; /* final recipient, as relayed */
	struct str orcpt;   /* as given, or empty */
	enum dsn_action action;
	char status[12];       /* "5.1.1"; derived from the code when empty */
	struct str remote_mta; /* or empty */
	struct reply reply;    /* code 0: no server said anything */
	struct str note;       /* our own sentence, or empty */
	/* What became of it elsewhere, for one that lives in two places, or
	 * NULL: its STATUS, REMOTE_MTA and REPLY count. */
	const struct dsn_recipient *also;
};

struct dsn_plan {
	struct str reporting_mta, queue_id, to, envid;
	int64_t arrived_wall_ms, now_wall_ms, retry_until_wall_ms;
	enum ret ret;
	struct str original; /* the message's start, as much as is at hand */
	bool original_is_whole;
	const struct dsn_recipient *recipients;
	size_t n;
	uint64_t boundary; /* random */
};

void dsn_write(struct buf *to, const struct dsn_plan *plan);

#endif
