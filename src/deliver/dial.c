/*
 * A connection that is opened, and what is learnt of its host by that: does it
 * greet us, does TLS work, has it limits, does it ban who asks too much?
 */
#include "deliver/dial.h"

#include "base/limits.h"
#include "deliver/client.h"
#include "deliver/hop_state.h"
#include "route/allowance.h"
#include "route/verify.h"
#include "rt/counter.h"
#include "rt/log.h"
#include "rt/loop.h"

static struct client client_of(const struct deliver *d)
{
	return (struct client){
		.hostname = d->settings->hostname,
		.outgoing = d->settings->outgoing,
		.tls_any = d->settings->tls_any,
		.tls_verified = d->settings->tls_verified,
		.tls_dane = d->settings->tls_dane,
		.tls_noted = d->settings->tls_noted,
	};
}

static void learn_size(struct deliver *d, const struct hop *hop,
		       const struct peer *p, struct arena *arena)
{
	if (next_hop_is_system(&hop->next) && d->router->verification)
		verify_learn_size(d->router->verification,
				  next_hop_text(&hop->next, arena),
				  p->can.size);
}

/* Dovecot is ours, on these very cores: more processes than they keep busy
 * would only stand in each other's way. */
struct host_state *host_of_hop(struct deliver *d, const struct hop *hop,
			       struct arena *arena)
{
	struct str key =
		hop->path ? str_of(hop->path)
			  : arena_str(arena, str_of(inet_text(&hop->at).c));
	struct inet address;
	bool has_name = !hop->path && !inet_parse_ip(hop->host, 0, &address);
	struct host_owner owner = { next_hop_text(&hop->next, arena),
				    has_name ? hop->host : S("") };
	unsigned places = LIMIT_PER_HOP;

	if (hop->path)
		places = LIMIT_MAILBOXES_AT_ONCE * (unsigned)loop_count();
	return host_hold(d->settings->hosts, key, owner, places);
}

/* The way it is known to be able to: what is opportunistic is not tried where
 * it has failed. */
static struct hop without_what_fails(const struct hop *hop,
				     const struct host_state *host)
{
	struct hop plain = *hop;

	if (plain.tls == SYSTEM_TLS_OPPORTUNISTIC &&
	    host_fact(host, HOST_NO_TLS))
		plain.tls = SYSTEM_TLS_NONE;
	return plain;
}

static void learn_tls(struct host_state *host, const struct hop *hop,
		      const struct peer *p)
{
	if (stream_is_tls(p->stream))
		host_works_at(host, HOST_NO_TLS, HOST_TLS);
	else if (hop->tls == SYSTEM_TLS_OPPORTUNISTIC && p->tls_failed)
		host_failed_at(host, HOST_NO_TLS, HOST_TLS);
}

/* How well is what goes to the Internet protected? */
static enum counter protection(const struct hop *hop, const struct peer *p)
{
	if (!stream_is_tls(p->stream))
		return COUNT_LEFT_IN_CLEAR;
	if (hop->tls != SYSTEM_TLS_VERIFIED)
		return COUNT_LEFT_ENCRYPTED;
	return hop->dane ? COUNT_LEFT_BY_DANE : COUNT_LEFT_BY_STS;
}

static void note_protection(const struct hop *hop, const struct peer *p)
{
	if (hop->next.kind != NEXT_HOP_INTERNET)
		return;
	count(protection(hop, p));
	if (hop->tls == SYSTEM_TLS_VERIFIED)
		log_fact("smtp",
			 "Verified TLS connection established to %s: %s with "
			 "cipher %s (%s)",
			 p->name, stream_tls_version(p->stream),
			 stream_tls_cipher(p->stream), hop->demander);
	if (hop->is_tested && !stream_tls_verified(p->stream))
		hop_fails_test(hop, stream_is_tls(p->stream)
					    ? "its certificate is not verified"
					    : "it speaks no TLS");
}

bool host_wants_tls(struct host_state *host, const struct peer *p,
		    const struct reply *r)
{
	if (!p->can.starttls || stream_is_tls(p->stream) || !blame_wants_tls(r))
		return false;
	host_forget(host, HOST_NO_TLS);
	return true;
}

/* Told beforehand (RFC 9422), they are shown like those that were met. */
static void learn_limits(struct host_state *host, const struct peer *p)
{
	if (p->can.most_mails)
		host_lower(host, HOST_MAILS, p->can.most_mails);
	if (p->can.most_recipients)
		host_lower(host, HOST_RECIPIENTS, p->can.most_recipients);
}

void learn_ban(struct deliver *d, struct host_state *host,
	       const struct next_hop *next, enum smtp_verb verb,
	       const struct reply *r, struct arena *arena)
{
	struct allowance *a = d->router->allowance;
	enum ban ban =
		next_hop_is_system(next) && a ? blame_ban(verb, r) : BAN_NONE;

	if (ban == BAN_NONE)
		return;
	host_learn(host, HOST_BANS, LIMIT_REFUSALS_A_DAY);
	allowance_limit_day(a, next_hop_text(next, arena), ban == BAN_SAID);
}

static void learn_greeting(struct deliver *d, const struct hop *hop,
			   struct host_state *host, bool is_open,
			   const struct trouble *t, struct arena *arena)
{
	struct reply greeting = { .code = 220, .text = t->greeting };

	if (is_open)
		learn_ban(d, host, &hop->next, VERB_CONNECT, &greeting, arena);
	else if (!t->is_ours && t->at <= STAGE_HELLO)
		learn_ban(d, host, &hop->next, VERB_CONNECT, &t->reply, arena);
}

static struct peer *dial(struct deliver *d, const struct hop *hop,
			 const struct line_wish *wish, struct host_state *host,
			 struct arena *arena, struct trouble *trouble)
{
	struct client client = client_of(d);
	struct hop plain = without_what_fails(hop, host);
	int64_t latest = after_ms(LIMIT_FIRST_HOST_MS);
	struct peer *p;

	if (!wish->has_others || latest > wish->deadline_ms)
		latest = wish->deadline_ms;
	p = client_open(&client, &plain, latest, arena, trouble);
	learn_greeting(d, hop, host, p, trouble, arena);
	if (!p && now_ms() >= latest)
		trouble->loss = LOSS_LATE;
	if (!p)
		return NULL;
	p->tls_failed |= trouble->is_tls;
	p->most_mails = hop->limits.mails_per_connection;
	learn_size(d, hop, p, arena);
	learn_tls(host, &plain, p);
	note_protection(hop, p);
	if (!p->is_lmtp)
		learn_limits(host, p);
	return p;
}

/* Sent away, not answered, and not for what we want of it? */
static bool at_the_door(const struct trouble *t)
{
	return t->at <= STAGE_HELLO;
}

/* Said for all hosts of its operator (toward.h), and no limit of this one. */
static bool wants_less(const struct hop *hop, const struct trouble *t)
{
	return hop->next.kind == NEXT_HOP_INTERNET && !t->is_ours &&
	       blame_throttles(VERB_CONNECT, &t->reply);
}

/* Who has greeted us, and does not meet what one domain wants of it, serves
 * others. */
static bool is_silent(const struct hop *hop, const struct trouble *t)
{
	return !t->is_unfit && !wants_less(hop, t) &&
	       (at_the_door(t) || !hop->demander);
}

void line_release(struct line *line)
{
	if (line->kind == GUEST_QUESTION)
		host_asked(line->host);
	pool_leave(line->slot, line->peer);
}

bool line_dial(struct deliver *d, const struct hop *hop,
	       const struct line_wish *wish, struct line *line,
	       struct arena *arena, struct trouble *trouble,
	       enum host_fullness *full)
{
	int64_t began = now_ms();

	*full = HOST_IN_TROUBLE;
	line->peer = dial(d, hop, wish, line->host, arena, trouble);
	if (!line->peer && !fiber_cancelled() && at_the_door(trouble) &&
	    !trouble->is_unfit && !wants_less(hop, trouble))
		*full = host_is_full(line->host, false);
	if (!line->peer && !fiber_cancelled() && *full == HOST_IN_TROUBLE &&
	    is_silent(hop, trouble))
		host_was_silent(line->host, now_ms() - began > HOP_SLOW_MS);
	slot_dialled(line->slot, line->peer);
	return line->peer;
}
