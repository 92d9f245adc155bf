/*
 * Delivery into a mailbox here: LMTP to Dovecot over its Unix socket (RFC
 * 2033).
 *
 * Dovecot knows who has a mailbox from the same directory as route().  When it
 * says 5.1.1 nevertheless, the directory changed a moment ago, or Dovecot is
 * in trouble: route() is asked again, and unless it refuses as well the mail
 * waits.
 */
#include "deliver/remote.h"

#include "base/limits.h"
#include "deliver/transaction.h"

/* "5.1.1": no such user, says the one who should know less than we. */
static bool denies_user(const struct share *s)
{
	return s->state == RECIPIENT_REFUSED && s->at_rcpt &&
	       str_starts(str_of(s->reply.status), S("5.1."));
}

static void wait_instead(struct job *job, struct share *s)
{
	s->state = RECIPIENT_LATER;
	s->reply = own_reply(job->arena, 451, "4.3.0",
	                     "the mailbox is not ready: %.*s",
	                     STR(reply_line(&s->reply, job->arena)));
}

/* Those that wait still were not answered for. */
static void note_state(const struct attempt *a, struct share **shares, size_t n,
                       const struct trouble *trouble)
{
	const struct deliver *d = a->job->deliver;

	for (size_t i = 0; i < n; i++)
		if (shares[i]->state == RECIPIENT_WAITING) {
			ledgers_say_down(d, &a->leg, &trouble->reply,
			                 a->job->arena);
			return;
		}
	ledgers_say_up(d, &a->leg, a->job->arena);
}

void mailbox_deliver(struct attempt *a, struct share **shares, size_t n)
{
	struct hop hop = { .path = a->job->deliver->settings->lmtp_path };
	struct trouble trouble = { 0 };
	struct share **left = arena_array(a->job->arena, struct share *, n);

	memcpy(left, shares, n * sizeof shares[0]);
	hop_try(a, &hop, left, n, &trouble);
	note_state(a, shares, n, &trouble);
	for (size_t i = 0; i < n; i++) {
		struct share *s = shares[i];

		/* Our own trouble is never a refusal. */
		if (s->state == RECIPIENT_WAITING) {
			s->state = RECIPIENT_LATER;
			s->reply = trouble.reply;
			if (s->reply.code >= 500 || !s->reply.code)
				wait_instead(a->job, s);
		} else if (denies_user(s) && !share_is_refused_now(a->job, s)) {
			wait_instead(a->job, s);
		}
	}
}
