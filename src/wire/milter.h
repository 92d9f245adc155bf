/*
 * The milter protocol, the mail server's side: what is told to a filter and
 * what it answers (draft-adams-milter-protocol; libmilter/mfdef.h).
 *
 *	packet = length command data
 *	length = 4OCTET			; most significant first; of command and data
 *	text   = *( %x01-ff ) %x00
 *
 *	server: O version actions steps		filter: O version actions steps
 *	server: D C {daemon_name} mx ... (what a filter may ask by name)
 *	server: C host family port address	filter: c
 *	server: H helo, M <sender>, R <recipient>, T, L name value, N, B bytes,
 *		E				filter: i 1 name value, h ..., c
 *	server: K (another mail comes), Q (none does)
 *
 *	milter_say_texts(&out, MILTER_HELO, &helo, 1);
 *	...
 *	switch (milter_parse(in, arena, &answer, &used)) ...
 *
 * What a filter wants to hear, and what it answers, is agreed on first: it can
 * be sent whole mails without a word from it.
 *
 * A filter's bytes are a peer's: lengths are capped, names of fields and
 * addresses are checked, and whatever is not the protocol is MILTER_BAD.
 */
#ifndef WIRE_MILTER_H
#define WIRE_MILTER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/inet.h"
#include "wire/command.h"
#include "wire/reply.h"

/* ---- what is agreed on ---- */

enum {
	MILTER_VERSION_MIN = 2,
	MILTER_VERSION = 6,
	MILTER_ACTIONS = 0x1ff, /* all there are: header, body, sender,
				   recipients, quarantine, macros */
};

struct milter_options {
	uint32_t version;
	uint32_t actions; /* that it may ask for */
	uint32_t steps;   /* that it does without, or without an answer to; and
			     how values of fields are written */
};

/* ---- what we say ---- */

enum milter_command {
	MILTER_ABORT = 'A', /* this mail is none: no answer */
	MILTER_BODY = 'B',
	MILTER_CONNECT = 'C',
	MILTER_MACROS = 'D',
	MILTER_END = 'E', /* of the body: the verdict follows */
	MILTER_HELO = 'H',
	MILTER_QUIT_NEXT = 'K', /* no answer; then it begins anew */
	MILTER_HEADER = 'L',
	MILTER_MAIL = 'M',
	MILTER_HEADER_END = 'N',
	MILTER_NEGOTIATE = 'O',
	MILTER_QUIT = 'Q', /* no answer */
	MILTER_RCPT = 'R',
	MILTER_DATA = 'T',
};

enum { MILTER_BODY_BYTES = 65535 }; /* of one MILTER_BODY */

/* Does the filter want to be told, and does it answer then? */
bool milter_wants(const struct milter_options *o, enum milter_command c);
bool milter_answers(const struct milter_options *o, enum milter_command c);
/* Values of fields keep the blank behind the colon, both ways; otherwise it is
 * neither sent nor heard. */
bool milter_keeps_blanks(const struct milter_options *o);
/* It can be given another mail on the same connection: one that answers nothing
 * before the end, as Rspamd.  libmilter, which OpenDKIM and others are made of,
 * does not answer what comes behind MILTER_QUIT_NEXT. */
bool milter_is_reusable(const struct milter_options *o);

struct milter_macro {
	struct str name; /* "j", "{daemon_name}" */
	struct str value;
};

/* Packets are put behind what TO has. */
void milter_say(struct buf *to, enum milter_command c, struct str data);
/* All we can do is offered. */
void milter_say_options(struct buf *to);
/* N texts; of one that has a NUL in it what stands before that. */
void milter_say_texts(struct buf *to, enum milter_command c,
		      const struct str *texts, size_t n);
/* HOST is "[192.0.2.1]" where no name is known; PEER NULL: a program here. */
void milter_say_connect(struct buf *to, struct str host,
			const struct inet *peer);
/* For C, which follows; those without a value are left out. */
void milter_say_macros(struct buf *to, enum milter_command c,
		       const struct milter_macro *macros, size_t n);

/* ---- what it answers ---- */

enum milter_answer_kind {
	/* how it goes on */
	MILTER_CONTINUE = 'c',
	MILTER_ACCEPT = 'a', /* and nothing more of this mail */
	MILTER_DISCARD = 'd',
	MILTER_REJECT = 'r',
	MILTER_TEMPFAIL = 't',
	MILTER_REPLY = 'y',
	MILTER_SHUTDOWN = '4',
	MILTER_CONNECTION_FAILED = 'f',
	MILTER_SKIP = 's',     /* no more of what it was just told of */
	MILTER_PROGRESS = 'p', /* it takes longer */
	MILTER_NEGOTIATED = 'O',
	/* before the verdict: what is to be changed */
	MILTER_ADD_HEADER = 'h',
	MILTER_INSERT_HEADER = 'i',
	MILTER_CHANGE_HEADER = 'm',
	MILTER_REPLACE_BODY = 'b',
	MILTER_CHANGE_SENDER = 'e',
	MILTER_ADD_RECIPIENT = '+',
	MILTER_ADD_RECIPIENT_WITH = '2', /* parameters */
	MILTER_DELETE_RECIPIENT = '-',
	MILTER_QUARANTINE = 'q',
	MILTER_SET_MACROS = 'l',
};

struct milter_answer {
	enum milter_answer_kind kind;
	struct milter_options options; /* NEGOTIATED: what holds */
	uint32_t index;                /* INSERT_, CHANGE_HEADER */
	struct str name;               /* of a field, fit to be one */
	struct str text;            /* its value, as it came; QUARANTINE: why;
			    REPLACE_BODY: bytes of the new one.  On loan */
	struct reply reply;         /* REPLY: 4xx or 5xx */
	struct mail_command sender; /* CHANGE_SENDER */
	struct rcpt_command recipient; /* ADD_, DELETE_RECIPIENT */
};

/* Does it want something of the mail changed, rather than say how it goes on? */
bool milter_is_change(enum milter_answer_kind kind);

enum milter_state {
	MILTER_WHOLE, /* *OUT, *USED bytes */
	MILTER_PART,
	MILTER_BAD, /* cause() says why: close the connection */
};

/* The first packet of IN; addresses and replies are in ARENA. */
enum milter_state milter_parse(struct str in, struct arena *arena,
			       struct milter_answer *out, size_t *used);

#endif
