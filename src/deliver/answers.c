/*
 * What a next hop says to a transaction, and what it means: for each share, for
 * the host (its limits and inabilities), and for what remains to be done of
 * the transaction (transaction.c).
 */
#include "deliver/transaction_inside.h"

#include "base/limits.h"
#include "base/mutants.h"
#include "deliver/content.h"
#include "deliver/dial.h"
#include "deliver/settle.h"

void transaction_settle(struct transaction *t, struct share *s,
			enum recipient_state state, const struct reply *r)
{
	s->state = state;
	s->reply = *r;
	s->remote = arena_str(t->round->arena, str_of(t->peer->name));
	if (outgoing_is_set(leg_outgoing(&s->leg)))
		s->from = arena_str(
			t->round->arena,
			str_of(inet_ip_text(stream_local(t->peer->stream)).c));
}

/* What the reply's first digit means; WAITING: nothing it may say here. */
static enum recipient_state judge(const struct reply *r)
{
	switch (r->code / 100) {
	case 2:
		return RECIPIENT_DONE;
	case 4:
		return MUTANT(later_is_never) ? RECIPIENT_REFUSED
					      : RECIPIENT_LATER;
	case 5:
		return MUTANT(never_is_later) ? RECIPIENT_LATER
					      : RECIPIENT_REFUSED;
	}
	return RECIPIENT_WAITING;
}

/* ---- trouble: shares stay WAITING ---- */

static bool is_worn(const struct peer *p)
{
	return p->is_reused || p->mails;
}

/* One that has served before may have been at its end, or dead in the pool; one
 * that was closed among several recipients may take some of them: as many as it
 * has said yes to, if that was not lost on the way. */
static void go_on_if_of_use(struct transaction *t)
{
	const struct peer *p = t->peer;
	bool was_dead = p->is_reused && !p->has_spoken;

	if (t->is_sent || (p->loss != LOSS_CLOSED && !was_dead))
		return;
	if (!is_worn(p) && t->n < 2)
		return;
	t->remains.remedy = REMEDY_FRESH;
	t->remains.at_once = t->n_accepted;
	if (!t->n_accepted && !is_worn(p))
		t->remains.at_once = t->n / 2;
}

bool transaction_trouble(struct transaction *t)
{
	t->peer->is_broken = true;
	trouble_ours(&t->remains.trouble,
		     own_reply(t->round->arena, 451, "4.4.2", "%s", cause()));
	t->remains.remedy = REMEDY_NONE;
	t->remains.is_closed = t->peer->loss == LOSS_CLOSED;
	go_on_if_of_use(t);
	return false;
}

static bool unexpected(struct transaction *t, const char *to,
		       const struct reply *r)
{
	fail("%s answered %s with %d", t->peer->name, to, r->code);
	return transaction_trouble(t);
}

/* Of what several recipients are told, the first counts; what ends the
 * connection counts for more. */
static void remains_say(struct transaction *t, enum remedy remedy,
			const struct reply *r)
{
	if (t->remains.remedy != REMEDY_NONE && !t->peer->is_broken)
		return;
	t->remains.remedy = remedy;
	trouble_said(&t->remains.trouble, r);
	t->remains.trouble.is_limit = true;
}

/* The limit or the inability of the host, and not about the mail?  Then noted
 * as such, and true. */
static bool is_no_verdict(struct transaction *t, enum smtp_verb verb,
			  bool extended, const struct reply *r)
{
	struct judgement j = blame_judge(verb, extended, r);

	if (host_wants_tls(t->host, t->peer, r)) {
		t->peer->is_broken = true;
		remains_say(t, REMEDY_LATER, r);
		return true;
	}
	if (toward_hear(t->manner->toward, verb, r) && r->code == 421)
		j.remedy = REMEDY_LATER; /* not over another one, either */
	switch (j.remedy) {
	case REMEDY_FRESH:
	case REMEDY_ROOM:
		t->peer->is_broken = true;
		if (j.counts_mails && t->peer->mails)
			host_lower(t->host, HOST_MAILS, t->peer->mails);
		break;
	case REMEDY_FURTHER:
		if (verb == VERB_RCPT && t->n_accepted)
			host_lower(t->host, HOST_RECIPIENTS,
				   (unsigned)t->n_accepted);
		break;
	case REMEDY_PLAIN:
		if (verb != VERB_BDAT) {
			t->manner->no_parameters = true;
			break;
		}
		t->manner->no_chunking = true;
		host_learn(t->host, HOST_NO_CHUNKING, 1);
		break;
	case REMEDY_LATER:
		/* so many in a time: whatever it says, it takes more later */
		if (reply_is_refusal(r))
			break;
		/* fall through */
	case REMEDY_NONE:
	case REMEDY_REFUSED:
		/* RFC 5321 3.8: whatever it is about, it closes. */
		if (r->code != 421)
			return false;
		t->peer->is_broken = true;
	}
	remains_say(t, j.remedy, r);
	return true;
}

/* ---- the answers ---- */

/* Were parameters of extensions said with MAIL or RCPT? */
static bool is_extended(const struct transaction *t)
{
	const struct capabilities *can = &t->peer->can;

	return !t->is_plain && !t->peer->is_lmtp &&
	       (can->size_said || can->eightbit || can->dsn || can->utf8 ||
		can->xtrail);
}

bool waits transaction_flush(struct transaction *t)
{
	return peer_flush(t->peer, reply_deadline(t)) || transaction_trouble(t);
}

static bool waits hear(struct transaction *t, struct reply *r)
{
	return peer_reply(t->peer, t->round->arena, r, reply_deadline(t)) ||
	       transaction_trouble(t);
}

bool waits hear_mail(struct transaction *t)
{
	struct reply *r = &t->mail;

	if (!hear(t, r))
		return false;
	if (is_no_verdict(t, VERB_MAIL, is_extended(t), r))
		return !t->peer->is_broken;
	if (judge(r) == RECIPIENT_WAITING)
		return unexpected(t, "MAIL", r);
	if (judge(r) != RECIPIENT_DONE)
		for (size_t i = 0; i < t->n; i++)
			transaction_settle(t, t->shares[i], judge(r), r);
	return true;
}

/* Hosts do both, from mail to mail: what says more about it counts. */
static void learn_sort(struct transaction *t, enum host_sort sort)
{
	if (host_fact(t->host, HOST_SORT) < sort)
		host_learn(t->host, HOST_SORT, sort);
}

/* It was the parameters: without them it takes a recipient.  What it refuses
 * either way was refused for itself. */
static void learn_plain(struct transaction *t)
{
	if (t->is_plain && !host_fact(t->host, HOST_NO_PARAMETERS))
		host_learn(t->host, HOST_NO_PARAMETERS, 1);
}

bool waits hear_rcpt(struct transaction *t, struct share *s)
{
	struct judgement j;
	struct reply r;

	if (!hear(t, &r))
		return false;
	if (!reply_is_done(&t->mail)) /* this is nothing but out of step */
		return true;
	if (is_no_verdict(t, VERB_RCPT, is_extended(t), &r)) {
		t->remains.at_once = t->n_accepted;
		if (t->remains.remedy == REMEDY_FRESH && !t->n_accepted &&
		    !is_worn(t->peer))
			t->remains.at_once = t->n / 2;
		return !t->peer->is_broken;
	}
	switch (judge(&r)) {
	case RECIPIENT_DONE:
		s->is_accepted = true;
		t->n_accepted++;
		learn_plain(t);
		return true;
	case RECIPIENT_LATER:
	case RECIPIENT_REFUSED:
		j = blame_judge(VERB_RCPT, is_extended(t), &r);
		s->at_rcpt = j.whose == BLAME_RECIPIENT;
		transaction_settle(t, s, judge(&r), &r);
		if (s->at_rcpt && judge(&r) == RECIPIENT_REFUSED)
			learn_sort(t, SORT_REFUSES);
		return true;
	case RECIPIENT_WAITING:
	case RECIPIENT_DROPPED:
		break;
	}
	return unexpected(t, "RCPT", &r);
}

static void set_accepted(struct transaction *t, enum recipient_state state,
			 const struct reply *r)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->shares[i]->is_accepted)
			transaction_settle(t, t->shares[i], state, r);
}

/* What is said of a whole mail to several may be about one of them, or about
 * their number: with fewer it will turn out. */
static bool goes_in_parts(struct transaction *t, enum smtp_verb verb,
			  const struct reply *r)
{
	struct judgement j = blame_judge(verb, false, r);

	if (t->n_accepted < 2 || t->peer->is_lmtp)
		return false;
	if (j.whose != BLAME_RECIPIENT && j.whose != BLAME_MAIL)
		return false;
	if (j.whose == BLAME_RECIPIENT && reply_is_refusal(r))
		learn_sort(t, SORT_WHOLE);
	remains_say(t, REMEDY_FURTHER, r);
	t->remains.at_once =
		j.whose == BLAME_RECIPIENT ? 1 : (t->n_accepted + 1) / 2;
	return true;
}

/* The content is refused, before or after it was sent. */
static void refuse_content(struct transaction *t, enum smtp_verb verb,
			   const struct reply *r)
{
	if (goes_in_parts(t, verb, r) || is_no_verdict(t, verb, false, r))
		return;
	set_accepted(t, judge(r), r);
}

bool waits hear_data(struct transaction *t)
{
	struct reply r;

	if (!hear(t, &r))
		return false;
	if (r.code == 354) {
		/* A reply to the content before the content. */
		if (!peer_is_silent(t->peer))
			return transaction_trouble(t);
		return true;
	}
	if (!t->n_accepted)
		return false;
	if (r.code < 400)
		return unexpected(t, "DATA", &r);
	refuse_content(t, VERB_DATA, &r);
	return false;
}

bool transaction_left_open(struct transaction *t)
{
	struct reply r = own_reply(t->round->arena, 451, "4.4.2",
				   "no answer to the message: %s", cause());

	t->peer->is_broken = true;
	for (size_t i = 0; i < t->n; i++) {
		struct share *s = t->shares[i];

		if (s->state != RECIPIENT_WAITING &&
		    !(MUTANT(silence_takes_back) && s->state == RECIPIENT_DONE))
			continue;
		transaction_settle(t, s,
				   MUTANT(silence_is_a_yes) ? RECIPIENT_DONE
							    : RECIPIENT_LATER,
				   &r);
		s->is_open = true;
	}
	return false;
}

static bool waits hear_final(struct transaction *t, struct reply *r)
{
	if (!peer_reply(t->peer, t->round->arena, r,
			after_ms(LIMIT_FINAL_REPLY_MS)))
		return transaction_left_open(t);
	if (judge(r) != RECIPIENT_WAITING)
		return true;
	fail("%s answered the message with %d", t->peer->name, r->code);
	return transaction_left_open(t);
}

static void settle_share(struct transaction *t, struct share *s,
			 const struct reply *r)
{
	transaction_settle(t, s, judge(r), r);
	s->dsn_goes_on = t->peer->can.dsn && !t->peer->is_lmtp;
}

void transaction_note_sent(struct transaction *t, bool is_sent)
{
	t->is_sent = is_sent;
	for (size_t i = 0; i < t->n; i++)
		t->shares[i]->is_sent = is_sent;
}

static void settle_all(struct transaction *t, enum smtp_verb verb,
		       const struct reply *r)
{
	if (!reply_is_done(r)) {
		transaction_note_sent(t, false);
		refuse_content(t, verb, r);
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		if (t->shares[i]->is_accepted || MUTANT(dot_speaks_for_all))
			settle_share(t, t->shares[i], r);
}

/* SMTP says it once for all, LMTP once for each (RFC 2033 4.2). */
void waits hear_outcome(struct transaction *t, enum smtp_verb verb)
{
	struct reply r = { 0 };

	if (!t->peer->is_lmtp && !hear_final(t, &r))
		return;
	for (size_t i = 0; t->peer->is_lmtp && i < t->n; i++) {
		if (!t->shares[i]->is_accepted)
			continue;
		if (!(MUTANT(first_mailbox_speaks_for_all) && r.code) &&
		    !hear_final(t, &r))
			return;
		settle_share(t, t->shares[i], &r);
		if (t->shares[i]->state == RECIPIENT_DONE && i + 1 < t->n) {
			round_tell_followers(t->round, t->shares[i]);
			round_has_news(t->round);
		}
	}
	if (!t->peer->is_lmtp)
		settle_all(t, verb, &r);
	if (!t->peer->is_broken && stream_bytes(t->peer->stream).n)
		t->peer->is_broken = true; /* it said more than asked */
	t->peer->is_proved = r.code < 300;
	t->peer->mails += r.code < 300;
	if (t->peer->is_proved)
		t->peer->probes = t->peer->refusals = 0;
}

/* A peer that answers before the end has refused, or is out of step. */
bool waits hear_no_refusal(struct transaction *t)
{
	struct reply r;

	if (transaction_is_in_memory(t) || stream_is_quiet(t->peer->stream))
		return true;
	if (!hear(t, &r))
		return false;
	if (r.code < 400)
		return unexpected(t, "half a message", &r);
	refuse_content(t, VERB_DOT, &r);
	t->peer->is_broken = true;
	return false;
}
