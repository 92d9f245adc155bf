/*
 * Whose fault is a reply, and what is there to do about it?
 *
 *	struct judgement j = blame_judge(VERB_RCPT, false, &reply);
 *	if (j.remedy == REMEDY_FRESH) ...
 *
 * The first digit says whether it may get better; it does not say what has to
 * get better.  "452 too many messages in this session" is about the
 * connection and says nothing about the mail, "502" to BDAT is about the host
 * that announced it, "550 relaying denied" about us and not about the address.
 * One table (blame.c) of verbs, codes, enhanced codes and words of real
 * systems, from the particular to the general, says so for everybody:
 * deliveries, questions at RCPT, a relay's test.
 *
 * It does not know what came before: whether a fresh connection or a further
 * mail is of use is the caller's to see.  One that takes nothing again is a
 * deferral.
 */
#ifndef WIRE_BLAME_H
#define WIRE_BLAME_H

#include "wire/reply.h"

/* What the reply answers.  VERB_CONNECT: the greeting; VERB_DOT: the end of
 * the content. */
enum smtp_verb {
	VERB_CONNECT,
	VERB_EHLO,
	VERB_STARTTLS,
	VERB_AUTH,
	VERB_MAIL,
	VERB_RCPT,
	VERB_DATA,
	VERB_BDAT,
	VERB_DOT,
	VERB_RSET,
};

enum blame {
	BLAME_NOBODY,     /* 2xx, 3xx */
	BLAME_RECIPIENT,  /* this address */
	BLAME_MESSAGE,    /* its content, its size, its sender */
	BLAME_MAIL,       /* too much for one mail: recipients */
	BLAME_CONNECTION, /* what came over it before, or how many */
	BLAME_HOST,       /* what it cannot do, or not now */
	BLAME_SYSTEM,     /* all of it: policy, load, storage */
};

enum remedy {
	REMEDY_NONE,    /* go on */
	REMEDY_FURTHER, /* the rest in a further mail, at once */
	REMEDY_FRESH,   /* over a fresh connection, at once */
	REMEDY_ROOM,    /* when one of our connections is free */
	REMEDY_PLAIN,   /* without the extension, at once */
	REMEDY_LATER,
	REMEDY_REFUSED,
};

struct judgement {
	enum blame whose;
	enum remedy remedy;
	bool counts_mails; /* so many over one connection: a limit that it
				   has named */
	bool counts_time;  /* so much in a given time, or from a sender of
				   our renown */
};

/* EXTENDED: an extension's parameters were said with it (SIZE, BODY, RET,
 * NOTIFY...).  A code beyond 2xx to 5xx is the host's fault. */
struct judgement blame_judge(enum smtp_verb verb, bool extended,
			     const struct reply *r);

/* Does its operator want less of us for some time, whoever it is for: by what
 * it says, or by 4.7.x before it knows who?  What it says to everybody who comes
 * for the first time (greylisting) is no such wish. */
bool blame_throttles(enum smtp_verb verb, const struct reply *r);

/* Does it want TLS, whatever it says with it (RFC 3207 4: 530)? */
bool blame_wants_tls(const struct reply *r);

/* Does it ban who asks for unknown addresses?  BAN_LIKELY: it is a system that
 * does so unless it is told otherwise, by its greeting or its way to refuse;
 * BAN_SAID: it says that it has. */
enum ban { BAN_NONE, BAN_LIKELY, BAN_SAID };
enum ban blame_ban(enum smtp_verb verb, const struct reply *r);

#endif
