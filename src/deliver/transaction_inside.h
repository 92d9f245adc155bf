/*
 * What transaction.c and answers.c share: a transaction that runs.
 *
 * hear_...() wait for an answer and write what it means into the shares and the
 * remains.  False: the transaction does not go on; why is written there.
 */
#ifndef DELIVER_TRANSACTION_INSIDE_H
#define DELIVER_TRANSACTION_INSIDE_H

#include "base/limits.h"
#include "deliver/transaction.h"

struct transaction {
	struct peer *peer;
	struct host_state *host;
	struct manner *manner;
	struct round *round;
	struct message *message;
	struct share **shares; /* those that can go */
	size_t n, n_accepted;
	struct str head;   /* our header lines */
	struct str header; /* the message's own, for mailboxes */
	struct reply mail; /* the answer to MAIL */
	struct remains remains;
	bool is_plain; /* no parameters are said, whatever is learnt meanwhile */
	bool is_sent;  /* the whole content is out */
};

bool waits transaction_flush(struct transaction *t) must_check;
bool waits hear_mail(struct transaction *t) must_check;
bool waits hear_rcpt(struct transaction *t, struct share *s) must_check;
/* May the content be sent? */
bool waits hear_data(struct transaction *t) must_check;
/* Nobody has said no while the content is still being sent? */
bool waits hear_no_refusal(struct transaction *t) must_check;
/* What became of the content that was sent whole, with VERB. */
void waits hear_outcome(struct transaction *t, enum smtp_verb verb);

void transaction_settle(struct transaction *t, struct share *s,
			enum recipient_state state, const struct reply *r);
/* From here on the mail may arrive, whatever we do; or it is said that it will
 * not. */
void transaction_note_sent(struct transaction *t, bool is_sent);
/* The connection is no good any more: cause().  Shares stay WAITING.  False. */
bool transaction_trouble(struct transaction *t);
/* The content is out and no answer came: perhaps it was delivered.  False. */
bool transaction_left_open(struct transaction *t);

/* Of the answer to a command. */
static inline int64_t reply_deadline(const struct transaction *t)
{
	return deliver_reply_deadline(t->round->deliver);
}

static inline bool transaction_is_in_memory(const struct transaction *t)
{
	return body_in_memory(&t->message->body).p;
}

#endif
