/*
 * Delivery into a mailbox here: LMTP to Dovecot over its Unix socket (RFC
 * 2033).
 *
 * Dovecot knows who has a mailbox from the same directory as route().  When it
 * says 5.1.1 nevertheless, the directory changed a moment ago, or Dovecot is
 * in trouble: route() is asked again, and unless it refuses as well the mail
 * waits.
 */
#include "deliver/mailbox.h"

#include "base/limits.h"
#include "base/mutants.h"
#include "deliver/course.h"
#include "deliver/first_mails.h"
#include "deliver/hop_state.h"
#include "deliver/ledgers.h"
#include "deliver/round.h"

enum { FIRST_LOOK_MS = 20 };

/* "5.1.1": no such user, says the one who should know less than we. */
static bool denies_user(const struct share *s)
{
	return s->state == RECIPIENT_REFUSED && s->at_rcpt &&
	       str_starts(str_of(s->reply.status), S("5.1."));
}

static void wait_instead(struct round *round, struct share *s)
{
	s->state = RECIPIENT_LATER;
	s->reply = own_reply(round->arena, 451, "4.3.0",
			     "the mailbox is not ready: %.*s",
			     STR(reply_line(&s->reply, round->arena)));
}

/* Those that wait still were not answered for; that all our connections are in
 * use says nothing. */
static void note_state(struct attempt *a, struct share **shares, size_t n,
		       const struct trouble *trouble, int64_t began_ms)
{
	bool is_slow = now_ms() - began_ms > HOP_SLOW_MS;
	size_t waiting = 0;

	for (size_t i = 0; i < n; i++)
		waiting += shares[i]->state == RECIPIENT_WAITING;
	if (!waiting && a->was_reached)
		ledgers_say_up(a->round->deliver, &a->leg, a->round->arena);
	else if (waiting && !trouble->is_busy && !trouble->is_limit &&
		 !fiber_cancelled())
		hop_is_down(a, &trouble->reply, is_slow);
}

static bool any_waits(struct share *const *shares, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (shares[i]->state == RECIPIENT_WAITING)
			return true;
	return false;
}

/* All at once, but those whose mailbox is being made by another mail after
 * that one. */
static void waits try_in_turn(struct attempt *a, const struct hop *hop,
			      struct share *const *shares, size_t n,
			      struct trouble *trouble)
{
	struct first_mails *f = a->round->deliver->settings->first_mails;
	struct share **left = arena_array(a->round->arena, struct share *, n);
	size_t k;

	memcpy(left, shares, n * sizeof left[0]);
	for (; n; left += k, n -= k) {
		k = first_mails_gather(f, left, n);
		if (!k &&
		    fiber_sleep(after_ms(FIRST_LOOK_MS)) == WAIT_CANCELLED)
			return;
		if (!k)
			continue;
		(void)!hop_try(a, hop, false, left, k, trouble);
		first_mails_end(f, left, k);
		if (any_waits(left, k))
			return;
	}
}

void mailbox_deliver(struct attempt *a, struct share **shares, size_t n)
{
	struct hop hop = {
		.path = a->round->deliver->settings->lmtp_path,
		.next = { .kind = NEXT_HOP_MAILBOXES },
	};
	struct trouble trouble = { 0 };
	int64_t began_ms = now_ms();

	try_in_turn(a, &hop, shares, n, &trouble);
	note_state(a, shares, n, &trouble, began_ms);
	for (size_t i = 0; i < n; i++) {
		struct share *s = shares[i];

		/* Our own trouble is never a refusal. */
		if (s->state == RECIPIENT_WAITING) {
			s->state = RECIPIENT_LATER;
			s->reply = trouble.reply;
			s->is_put_off = trouble.is_busy;
			if (s->reply.code >= 500 || !s->reply.code)
				wait_instead(a->round, s);
		} else if (denies_user(s) && !MUTANT(mailbox_denies_for_good) &&
			   !share_is_refused_now(a->round, s)) {
			wait_instead(a->round, s);
		}
	}
}
