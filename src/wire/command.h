/*
 * SMTP command lines and their parameters (RFC 5321 4.1, 1870, 3461, 4954,
 * 6152, 6531, 3030).
 *
 *	command      = verb [ SP arguments ] CRLF
 *	esmtp-param  = keyword [ "=" value ]
 */
#ifndef WIRE_COMMAND_H
#define WIRE_COMMAND_H

#include "wire/address.h"

enum line_state {
	LINE_WHOLE,     /* *LINE is it, without CRLF; *USED bytes */
	LINE_PART,      /* no CRLF yet */
	LINE_TOO_LONG,  /* more than MAX without CRLF: the caller discards
				   up to the next LF and says 500 */
	LINE_MALFORMED, /* bare CR, bare LF or NUL in it; *USED bytes up to
				   and including the LF are the bad line */
};

/* The first line of IN.  Only CRLF ends a line; a bare LF ends a malformed
 * one, so that it is answered once and never merged with the next. */
enum line_state command_line(struct str in, size_t max, struct str *line,
			     size_t *used);

/* "RCPT TO:<..>": verb "RCPT" (1-10 letters, else false), arguments "TO:<..>". */
bool command_split(struct str line, struct str *verb,
		   struct str *arguments) must_check;

enum ret { RET_UNSAID, RET_FULL, RET_HDRS };
enum {
	NOTIFY_UNSAID = 0,
	NOTIFY_NEVER = 1,
	NOTIFY_SUCCESS = 2,
	NOTIFY_FAILURE = 4,
	NOTIFY_DELAY = 8
};

enum parse {
	PARSE_OK,
	PARSE_BAD_SYNTAX,        /* 501 5.5.4: cause() says what */
	PARSE_BAD_ADDRESS,       /* 501/553 5.1.x: cause() */
	PARSE_UNKNOWN_PARAMETER, /* 555 5.5.4: cause() */
};

struct mail_command {
	struct address sender;
	uint64_t size; /* declared, 0 = not */
	bool body_8bit, body_said, utf8;
	enum ret ret;
	struct str envid; /* as given (xtext), RFC 3461 4.4 */
	struct str auth;  /* RFC 4954 AUTH=, as given; ignored by us */
};

/* Arguments of MAIL: "FROM:<a@b> SIZE=100 ...".  A parameter given twice, or a
 * value where none belongs, is PARSE_BAD_SYNTAX. */
enum parse mail_parse(struct str arguments, struct arena *arena,
		      struct mail_command *out);

struct rcpt_command {
	struct address recipient;
	unsigned notify;  /* NOTIFY_*; UNSAID when not given */
	struct str orcpt; /* as given "rfc822;xtext", or empty */
	struct str trail; /* our XTRAIL= parameter (route/guard.h), or empty */
};

enum parse rcpt_parse(struct str arguments, struct arena *arena,
		      struct rcpt_command *out);

/* "1000", "1000 LAST" (RFC 3030 2). */
bool bdat_parse(struct str arguments, uint64_t *bytes, bool *last) must_check;

/* xtext (RFC 3461 4): decode for people, encode for the wire. */
bool xtext_decode(struct str x, struct arena *arena,
		  struct str *out) must_check;
struct str xtext_encode(struct str s, struct arena *arena);
/* Standard base64; an AUTH line's. False: not base64. */
bool base64_decode(struct str s, struct arena *arena,
		   struct str *out) must_check;
struct str base64_encode(struct str s, struct arena *arena);

#endif
