/*
 * SMTP replies (RFC 5321 4.2, RFC 2034, RFC 3463).
 *
 *	Reply-line = *( Reply-code "-" text CRLF ) Reply-code [ SP text ] CRLF
 *
 * Replies of a next hop are attacker input: lengths are capped, control
 * characters become '?', and a reply that breaks the grammar is REPLY_BAD.
 */
#ifndef WIRE_REPLY_H
#define WIRE_REPLY_H

#include "base/arena.h"

struct reply {
	int code;        /* 200..599; 0: none */
	char status[12]; /* "5.1.1" or "" */
	struct str text; /* without code and status; lines joined by '\n' */
};

enum reply_state {
	REPLY_WHOLE, /* *OUT, *USED bytes */
	REPLY_PART,
	REPLY_BAD, /* cause() says why: close the connection */
};

/* The first reply of IN; its text is a copy in ARENA. */
enum reply_state reply_parse(struct str in, struct arena *arena,
			     struct reply *out, size_t *used);

struct buf;
/* Append "550-5.1.1 ...\r\n550 5.1.1 ...\r\n", one line per '\n' of the text, each
 * cut to fit 512 octets. */
void reply_write(struct buf *to, const struct reply *r);
/* One line for logs and DSNs: "550 5.1.1 text text". */
struct str reply_line(const struct reply *r, struct arena *arena);

static inline bool reply_is_done(const struct reply *r)
{
	return r->code >= 200 && r->code < 300;
}
static inline bool reply_is_refusal(const struct reply *r)
{
	return r->code >= 500 && r->code < 600;
}

/* What XCLIENT may say of a client (Postfix XCLIENT_README). */
enum xclient_attribute {
	XCLIENT_NAME = 1,
	XCLIENT_ADDR = 2,
	XCLIENT_PORT = 4,
	XCLIENT_PROTO = 8,
	XCLIENT_HELO = 16,
};

/* What EHLO's reply announces. */
struct capabilities {
	bool pipelining, chunking, starttls, utf8, eightbit, dsn, size_said;
	bool enhanced;
	bool auth_plain, auth_login;
	bool xtrail;      /* the peer is a Splitmail (route/guard.h) */
	unsigned xclient; /* enum xclient_attribute; 0: not announced */
	uint64_t size;    /* 0: no limit */
	/* LIMITS (RFC 9422): MAIL commands on one connection, and in one
	 * transaction recipients and different domains of theirs; 0: it does not
	 * say. */
	unsigned most_mails, most_recipients, most_domains;
};
void capabilities_parse(const struct reply *ehlo, struct capabilities *out);

#endif
