/*
 * As a system counts that is sent so many mails a minute (rates.h): those of each
 * Splitmail by themselves, which knows nothing of the others.
 */
#include "rates.h"

#include "base/inet.h"
#include "books.h"

enum { MINUTE_MS = 60000, ON_ITS_WAY_MS = 3000 };

static int splitmail_at(const struct inet *peer)
{
	struct inet at;

	for (int i = 0; i < world.n_splitmails; i++)
		if (inet_parse_ip(str_of(world.splitmails[i].address), 0,
				  &at) &&
		    inet_same_ip(&at, peer))
			return i;
	return -1;
}

/* Mail for his second home goes by the domain's relay, which has no name, and of
 * which nobody counts. */
static bool somebody_has_two_homes(void)
{
	for (int i = 0; i < world.n_persons; i++)
		if (world.persons[i].also >= 0)
			return true;
	return false;
}

/* What is counted is forgotten with a server; and whose turn it is may wait for a
 * connection, where one is had for long or lost. */
static bool is_counted_by(const struct splitmail *s, const struct taker *t)
{
	const struct manners *m = &t->manners;

	return s->starts == 1 && s->role == ROLE_MASTER && !s->asks_peer &&
	       !m->greet_ms && !m->answer_ms && !m->dot_ms && !m->connections &&
	       !m->close_in && !m->close_data_in && !world.has_crashes &&
	       !world.has_lost_connections && !somebody_has_two_homes();
}

/* The oldest of the last MOST is this one now.  When was it?  0: there were not as
 * many. */
static int64_t put(struct rate *r, unsigned most)
{
	int64_t *at = &r->at_ms[r->n++ % most], oldest = *at;

	*at = now_ms();
	return oldest;
}

static void note_mail(struct taker *t, int s, unsigned most)
{
	struct rate *r = &t->begun[s];

	put(r, most);
	if (r->n < most || r->at_ms[r->n % most] + MINUTE_MS <= now_ms())
		return;
	if (r->full_until_ms < now_ms()) {
		r->was_full_until_ms = r->full_until_ms;
		r->full_since_ms = now_ms();
	}
	r->full_until_ms = r->at_ms[r->n % most] + MINUTE_MS;
}

static void note_text(struct taker *t, int s, unsigned most)
{
	int64_t oldest = put(&t->sent[s], most);

	if (oldest && now_ms() < oldest + MINUTE_MS - ON_ITS_WAY_MS &&
	    is_counted_by(&world.splitmails[s], t))
		books_wrong("%s gets more than %u mails a minute of %s",
			    t->name, most, world.splitmails[s].name);
}

void rate_note(struct taker *t, const struct inet *peer, bool has_text)
{
	unsigned most = t->manners.mails_per_minute;
	int s = most ? splitmail_at(peer) : -1;

	if (s < 0)
		return;
	if (has_text)
		note_text(t, s, most);
	else
		note_mail(t, s, most);
}

/* Who has made it full has not waited for that. */
static int64_t full_until_ms(const struct rate *r)
{
	return now_ms() < r->full_since_ms + ON_ITS_WAY_MS
		       ? r->was_full_until_ms
		       : r->full_until_ms;
}

int64_t rate_full_ms(const struct taker *t)
{
	int64_t until = 0;

	for (int i = 0; i < world.n_splitmails; i++) {
		int64_t its = full_until_ms(&t->begun[i]);

		if (its > until)
			until = its;
	}
	return until < now_ms() ? until : now_ms();
}
