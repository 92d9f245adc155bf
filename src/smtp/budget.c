/*
 * What one peer may cost: connections, errors, junk commands, time.
 *
 * Invariant: between admit() and leave() the connection is counted once in
 * server->per_ip under s->tally_key, or the key is empty.
 *
 * Port 25 and the submission ports are counted apart, and submission gets no
 * more than half of all connections: an attack on logins does not keep mail
 * from other systems away.  Programs on this machine are counted by their user.
 */
#include "rt/counter.h"
#include "rt/log.h"
#include "smtp/memory.h"

static struct str user_key(struct session *s)
{
	return arena_strf(s->arena, "u%s", s->user);
}

/* IPv6 peers own a /64 at least, so that is what is counted. */
static struct str peer_key(struct session *s)
{
	const struct inet *peer = stream_peer(s->peer);
	size_t n = inet_is_v4(peer) ? sizeof(peer->ip) : sizeof(peer->ip) / 2;
	char *key = arena_alloc(s->arena, n + 1);

	key[0] = is_submission(s) ? 's' : 'm';
	memcpy(key + 1, peer->ip, n);
	return (struct str){ key, n + 1 };
}

static struct reply admit_program(struct session *s)
{
	s->tally_key = user_key(s);
	if (tally_add(s->server->per_ip, s->tally_key) >
	    LIMIT_CONNECTIONS_OF_USER)
		return SAY(s, too_many_connections);
	if (s->server->programs > LIMIT_CONNECTIONS_OF_PROGRAMS)
		return SAY(s, server_busy);
	return SILENCE;
}

static struct reply admit_peer(struct session *s)
{
	struct smtp_server *server = s->server;
	uint64_t room = LIMIT_CONNECTIONS / (is_submission(s) ? 2 : 1);

	s->tally_key = peer_key(s);
	if (tally_add(server->per_ip, s->tally_key) >
	    server->settings->connections_per_ip)
		return SAY(s, too_many_connections);
	if (tally_total(server->per_ip) > room)
		return SAY(s, server_busy);
	return SILENCE;
}

struct reply admit(struct session *s)
{
	struct reply r;

	if (s->kind == SMTP_LOCAL)
		return SILENCE;
	r = s->kind == SMTP_SENDMAIL ? admit_program(s) : admit_peer(s);
	if (r.code) {
		count(COUNT_CONNECTIONS_REFUSED);
		log_warn(s->part, "%s: %.*s", s->client, STR(r.text));
	}
	return r;
}

void leave(struct session *s)
{
	if (s->tally_key.n)
		tally_drop(s->server->per_ip, s->tally_key);
}

enum { MINUTE_MS = 60000 };

/* FNV-1a: spreads names; who wants to collide only shares a limit. */
static uint64_t hash_of(struct str s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return h;
}

/* A login that was stolen sends to thousands in a minute; a table this large
 * forgets nobody who matters. */
static struct sender_minute *minute_of(struct session *s, struct str sender)
{
	uint64_t hash = hash_of(sender);
	struct sender_minute *m =
		&smtp_memory(s->server)->senders[hash % SENDERS];

	if (m->sender != hash || now_ms() - m->began_ms >= MINUTE_MS)
		*m = (struct sender_minute){ hash, now_ms(), 0 };
	return m;
}

/* A program cannot be told to come again: what it has sent so far would be
 * sent twice.  So it waits.  Root's do not. */
static bool waits wait_for_turn(struct session *s, unsigned most)
{
	struct sender_minute *m = minute_of(s, str_of(s->user));

	if (!strcmp(s->user, "0"))
		return true;
	while (m->recipients >= most) {
		if (!m->is_said)
			log_warn(s->part,
				 "%s: more than %u recipients a minute: "
				 "it has to wait",
				 s->client, most);
		m->is_said = true;
		if (!say_now(s, SILENCE) ||
		    fiber_sleep(m->began_ms + MINUTE_MS) == WAIT_CANCELLED)
			return false;
		m = minute_of(s, str_of(s->user));
	}
	m->recipients++;
	return true;
}

bool may_send_more(struct session *s)
{
	unsigned most = s->server->settings->recipients_per_minute;

	if (most == 0)
		return true;
	if (s->kind == SMTP_SENDMAIL)
		return wait_for_turn(s, most);
	return !s->login.n || minute_of(s, s->login)->recipients++ < most;
}

/* Systems that are trusted, and ourselves, do not guess.  Nor is a program's
 * mail to be lost because many of its recipients are not there. */
static bool is_trusted(const struct session *s)
{
	return s->kind == SMTP_LOCAL ||
	       (s->kind == SMTP_SENDMAIL && s->recipient.n > 0) ||
	       (s->mail && s->mail->asker.kind == ASKER_SYSTEM &&
		s->mail->asker.trusted);
}

/* Is it the peer's fault?  Our own trouble (451, 452) is not, but a recipient
 * that cannot be told now is a guess all the same. */
static bool is_error(const struct session *s, const struct reply *r)
{
	if (r->code >= 500)
		return true;
	return r->code >= 400 && s->recipient.n > 0;
}

void slow_down(struct session *s, unsigned times)
{
	int64_t ms = s->server->settings->error_ms;

	if (say_now(s, SILENCE))
		fiber_sleep(after_ms((ms ? ms : LIMIT_ERROR_MS) * times));
}

struct reply charge(struct session *s, unsigned rules, struct reply r)
{
	if ((rules & JUNK) && ++s->junk > LIMIT_JUNK_COMMANDS)
		return SAY(s, too_much_junk);
	if (!is_error(s, &r) || is_trusted(s))
		return r;
	if (++s->errors > LIMIT_HARD_ERRORS) {
		/* as Postfix words it: no warning */
		log_fact(s->part, "too many errors after %s from %s", s->verb,
			 s->client);
		return SAY(s, too_many_errors);
	}
	if (s->errors > LIMIT_SOFT_ERRORS)
		slow_down(s, 1);
	return r;
}

void forgive(struct session *s)
{
	s->errors = s->junk = s->overshoot = 0;
}
