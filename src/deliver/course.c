/*
 * One attempt's way with one host: mail after mail, over connections that are
 * fresh or not, with as many recipients as it takes, until it has taken all or
 * it is of no use to go on.
 */
#include "deliver/course.h"

#include "base/limits.h"
#include "base/mutants.h"
#include "deliver/content.h"
#include "deliver/line.h"
#include "deliver/toward.h"
#include "deliver/transaction.h"
#include "deliver/turns.h"
#include "deliver/xclient.h"

enum { SENT_AWAY_MOST = 5, IN_VAIN_MOST = 3 };

size_t still_waiting(struct share *const *shares, size_t n, struct share **left)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (shares[i]->state == RECIPIENT_WAITING)
			left[k++] = shares[i];
	return k;
}

/* One attempt's way with one host. */
struct course {
	struct manner manner;
	size_t most; /* recipients in one mail */
	bool fresh;
	unsigned sent_away; /* and nothing taken in between */
	unsigned in_vain;   /* likewise: recipients who were tried alone */
	bool is_ours;       /* it is not told of the client any more */
};

static struct course course_begin(const struct hop *hop,
				  const struct host_state *host)
{
	unsigned set = hop->limits.recipients_per_mail;
	unsigned most = set ? set : host_fact(host, HOST_RECIPIENTS);

	return (struct course){
		.manner = {
			.no_chunking = host_fact(host, HOST_NO_CHUNKING),
			.no_parameters = host_fact(host, HOST_NO_PARAMETERS),
		},
		.most = most ? most : LIMIT_PER_TRANSACTION,
	};
}

static struct str domain_of(const struct share *s)
{
	ptrdiff_t at = str_find_last(s->leg.address, '@');

	return at < 0 ? S("") : str_from(s->leg.address, (size_t)at + 1);
}

/* Those of LEFT that go first, so that they are of no more than MOST domains;
 * the rest stays behind them in its order.  How many they are. */
static size_t gather_domains(struct share **left, size_t n, unsigned most,
			     struct arena *arena)
{
	struct str *domains = arena_array(arena, struct str, n);
	struct share **rest = arena_array(arena, struct share *, n);
	size_t n_domains = 0, n_rest = 0, k = 0;

	for (size_t i = 0; i < n; i++) {
		struct str domain = domain_of(left[i]);
		size_t at = 0;

		while (at < n_domains && !str_same_nocase(domains[at], domain))
			at++;
		if (at == n_domains && n_domains < most)
			domains[n_domains++] = domain;
		if (at < n_domains)
			left[k++] = left[i];
		else
			rest[n_rest++] = left[i];
	}
	memcpy(left + k, rest, n_rest * sizeof left[0]);
	return k;
}

/* How many of LEFT one mail is for: no more than the host takes, or says now
 * that it does. */
static size_t mail_size(const struct course *c, const struct peer *p,
			struct share **left, size_t n, struct arena *arena)
{
	size_t most = c->most;

	if (p->can.most_domains && !p->is_lmtp)
		n = gather_domains(left, n, p->can.most_domains, arena);
	if (p->can.most_recipients && p->can.most_recipients < most &&
	    !p->is_lmtp)
		most = p->can.most_recipients;
	return n < most ? n : most;
}

/* What was refused for its number of recipients goes with less. */
static bool goes_smaller(struct course *c, const struct remains *r, size_t n)
{
	if (!r->at_once || r->at_once >= n)
		return false;
	c->most = r->at_once;
	return true;
}

/*
 * N were tried over a connection that was WORN (had served before) or not, and
 * TOOK of them have an outcome.  Is it of use to go on?  Each yes is either an
 * outcome more, or fewer recipients, or a fresh connection instead of a worn
 * one, or a plainer manner: so it ends.
 */
static bool goes_on(struct course *c, const struct remains *r, size_t n,
		    size_t took, bool worn)
{
	c->fresh = false;
	c->sent_away = took ? 0 : c->sent_away;
	c->in_vain = took ? 0 : c->in_vain;
	switch (r->remedy) {
	case REMEDY_NONE:
		return took == n;
	case REMEDY_PLAIN:
		return true;
	case REMEDY_FURTHER:
		if (goes_smaller(c, r, n) || took)
			return true;
		c->fresh = worn;
		return worn;
	case REMEDY_FRESH:
		c->fresh = true;
		return goes_smaller(c, r, n) || took || worn;
	case REMEDY_ROOM:
		return c->sent_away++ < SENT_AWAY_MOST;
	case REMEDY_LATER:
	case REMEDY_REFUSED:
		break;
	}
	return false;
}

/* What is of no use to the first of LEFT, alone, may be about him: the others
 * go before him.  Several in a row, and it is about the host. */
static bool goes_round(struct course *c, const struct remains *r, size_t k,
		       struct share **left, size_t n)
{
	bool may_be_his = r->remedy == REMEDY_FURTHER ||
			  r->remedy == REMEDY_FRESH ||
			  (r->remedy == REMEDY_NONE && r->is_closed);
	struct share *first = left[0];

	if (!may_be_his || k > 1 || ++c->in_vain >= n ||
	    c->in_vain > IN_VAIN_MOST)
		return false;
	memmove(left, left + 1, (n - 1) * sizeof left[0]);
	left[n - 1] = first;
	return true;
}

static size_t count_outcomes(struct share *const *shares, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += shares[i]->state != RECIPIENT_WAITING;
	return k;
}

static size_t count_taken(struct share *const *shares, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += shares[i]->state == RECIPIENT_DONE;
	return k;
}

/* Who is sent away there for what he has sent is not asked again at once, by
 * nobody. */
static void hear_at_the_door(struct attempt *a, struct toward *toward,
			     struct trouble *trouble)
{
	if (!trouble->is_ours && trouble->at <= STAGE_HELLO &&
	    toward_hear(toward, VERB_CONNECT, &trouble->reply))
		trouble->is_limit = true;
	toward_leave(a, toward, false);
}

/* So many mails a minute: until it is this one's turn. */
static bool waits await_turn(struct deliver *d, const struct hop *hop,
			     struct arena *arena, struct trouble *trouble)
{
	unsigned set = hop->limits.mails_per_minute;

	if (!set || !d->settings->turns || MUTANT(everybodys_turn) ||
	    turn_wait(d->settings->turns, next_hop_text(&hop->next, arena), set,
		      deliver_reply_deadline(d)))
		return true;
	return line_is_busy(trouble, hop, arena);
}

static void return_turn(struct deliver *d, const struct hop *hop,
			struct arena *arena)
{
	if (hop->limits.mails_per_minute && d->settings->turns &&
	    !MUTANT(turn_is_gone))
		turn_return(d->settings->turns,
			    next_hop_text(&hop->next, arena));
}

/* The message is at fault, and none of its shares has a host to try. */
static void keep_unread(struct round *round, struct share **left, size_t n)
{
	struct reply r = content_unreadable(round->arena);

	for (size_t i = 0; i < n; i++) {
		if (left[i]->state != RECIPIENT_WAITING)
			continue;
		left[i]->state = RECIPIENT_LATER;
		left[i]->reply = r;
	}
}

/* A mail that is begun while we stop may be cut off before it is answered, and
 * is sent again then: what an attempt has begun goes on, and nothing else. */
static bool is_to_end(const struct attempt *a, struct trouble *trouble)
{
	if (!a->was_reached || !a->round->deliver->is_draining)
		return false;
	trouble_ours(trouble, own_reply(a->round->arena, 451, "4.3.2",
					"the server is stopping"));
	trouble->is_busy = true;
	return true;
}

/* The host is told who the client is, where it is to be.  False: this connection
 * is no good: another one, and when it was fresh, without telling. */
static bool waits tell_client(struct course *c, const struct hop *hop,
			      const struct line *line, struct round *round,
			      struct trouble *trouble)
{
	bool worn = line->peer->is_reused || line->peer->mails;

	if (!hop->tells_client || c->is_ours)
		return true;
	if (host_fact(line->host, HOST_NO_XCLIENT) && !line->peer->was_told)
		return true;
	switch (xclient_tell(line->peer, line->host, round)) {
	case XCLIENT_DONE:
		return true;
	case XCLIENT_LOST:
		break;
	}
	trouble_ours(trouble,
		     own_reply(round->arena, 451, "4.4.2", "%s", cause()));
	c->is_ours = !worn;
	c->fresh = true;
	return false;
}

bool hop_try(struct attempt *a, const struct hop *hop, bool has_others,
	     struct share *const *shares, size_t n, struct trouble *trouble)
{
	struct round *round = a->round;
	struct share **left = arena_array(round->arena, struct share *, n);
	struct course c = { 0 };

	memcpy(left, shares, n * sizeof left[0]);
	if (round->message->damage)
		keep_unread(round, left, n);
	while ((n = still_waiting(left, n, left)) && !fiber_cancelled()) {
		struct line_wish wish = {
			.kind = GUEST_MAIL,
			.fresh = c.fresh || c.is_ours,
			.has_others = has_others,
			.deadline_ms = deliver_reply_deadline(round->deliver),
		};
		struct toward toward;
		struct remains r;
		struct line line;
		size_t k, took;
		bool worn;

		if (is_to_end(a, trouble))
			return true;
		if (!await_turn(round->deliver, hop, round->arena, trouble) ||
		    !toward_enter(a, hop, &toward, trouble))
			return true;
		if (!line_open(round->deliver, hop, &wish, round->arena, &line,
			       trouble)) {
			return_turn(round->deliver, hop, round->arena);
			hear_at_the_door(a, &toward, trouble);
			return trouble->loss != LOSS_LATE;
		}
		a->was_reached = true;
		if (!c.most)
			c = course_begin(hop, line.host);
		if (!tell_client(&c, hop, &line, round, trouble)) {
			toward_leave(a, &toward, false);
			line_release(&line);
			return_turn(round->deliver, hop, round->arena);
			continue;
		}
		c.manner.toward = &toward;
		k = mail_size(&c, line.peer, left, n, round->arena);
		worn = line.peer->is_reused || line.peer->mails;
		r = transaction_run(line.peer, line.host, &c.manner, round,
				    left, k);
		took = count_taken(left, k);
		if (r.remedy == REMEDY_ROOM &&
		    host_is_full(line.host, true) != HOST_FULL)
			r.remedy = REMEDY_LATER;
		line_release(&line);
		toward_leave(a, &toward, took > 0);
		*trouble = r.trouble;
		if (r.is_ours) {
			keep_unread(round, left, n);
			return true;
		}
		if (toward.is_throttled)
			return true;
		if (!goes_on(&c, &r, k, count_outcomes(left, k), worn) &&
		    !goes_round(&c, &r, k, left, n))
			return true;
	}
	return true;
}
