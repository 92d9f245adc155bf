/*
 * One filter and one mail: what it is told, step by step, and what it says to
 * that.
 *
 *	contact, CONNECT, HELO, MAIL	conversation_mail()
 *	RCPT				conversation_rcpt()
 *	DATA, fields, body, END		conversation_message()
 *
 * What needs no answer is sent with what follows it: a filter that answers
 * nothing before the end hears of the message in one go.
 */
#ifndef FILTER_CONVERSATION_H
#define FILTER_CONVERSATION_H

#include "filter/contact.h"
#include "filter/macros.h"
#include "filter/wishes.h"

enum conversation_state {
	CONVERSATION_GOES_ON,
	CONVERSATION_OVER, /* it wants to hear no more of this mail */
	CONVERSATION_DOWN, /* it cannot be asked any more */
};

struct conversation {
	const struct filter *filter;
	enum conversation_state state;
	struct contact *contact; /* or NULL */
	bool was_there;          /* it has agreed to take the mail */
	int64_t latest_ms;       /* whatever it says: no later than this */
};

/*
 * Each gives its verdict.  When the state is DOWN afterwards there is none, and
 * cause() says why.  Texts of a reply are in ARENA.
 */
struct filter_verdict waits conversation_mail(struct conversation *c,
					      struct filters *f,
					      const struct filter_mail *mail,
					      struct arena *arena);
struct filter_verdict waits conversation_rcpt(struct conversation *c,
					      const struct filter_mail *mail,
					      struct arena *arena);
/* FIELDS: those that it is shown. */
struct filter_verdict waits
conversation_message(struct conversation *c, const struct filter_mail *mail,
		     struct filter_letter *letter,
		     const struct header_edited *fields, struct wishes *wishes);
/* The mail is over. */
void conversation_end(struct conversation *c);

#endif
