/*
 * AUTH (RFC 4954) through Dovecot, which knows the mechanisms and the
 * passwords: we carry base64 from one side to the other.
 *
 *	client			us				Dovecot
 *	AUTH PLAIN dGVz...	AUTH 1 PLAIN ... resp=dGVz...	OK 1 user=...
 *	AUTH LOGIN		AUTH 1 LOGIN ...		CONT 1 VXNl...
 *	334 VXNl...		...
 *	YWxpY2U=		CONT 1 YWxpY2U=			CONT, OK or FAIL
 *
 * One connection to Dovecot for each AUTH.  Only base64 goes there, so that
 * no TAB or LF of a client's reaches Dovecot's line protocol, and none hidden
 * in it reaches a log.  A login that fails costs time, here and at Dovecot,
 * each more than the one before; FAILURES of them end the session.
 */
#include <stdio.h>

#include "rt/counter.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "smtp/memory.h"
#include "wire/dovecot_auth.h"

enum {
	FAILURES = 4,
	DOVECOT_MS = 30000,    /* it delays failures itself */
	MECHANISMS_MS = 60000, /* what it offers is asked again after this, */
	AWAY_MS = 5000,        /* or when it could not be asked */
	REQUEST = 1,           /* the only one on its connection */
};

/* ---- the conversation with Dovecot ---- */

static bool waits send_line(struct stream *dovecot, struct buf *b,
			    int64_t deadline_ms)
{
	stream_say(dovecot, buf_str(b));
	buf_clear(b);
	return stream_flush(dovecot, deadline_ms);
}

static bool waits next_line(struct stream *dovecot, struct arena *arena,
			    struct auth_line *out, int64_t deadline_ms)
{
	for (;;) {
		struct str in = stream_bytes(dovecot);
		ptrdiff_t lf = str_find(in, '\n');

		if (lf >= 0) {
			struct str line = arena_str(arena, str_part(in, 0, lf));

			stream_skip(dovecot, lf + 1);
			return auth_line_parse(line, arena, out);
		}
		if (stream_fill(dovecot, deadline_ms) != STREAM_MORE)
			return fail("Dovecot's auth socket gave no answer");
	}
}

/* These prove nothing to us, whatever Dovecot would make of them. */
static bool proves_nothing(struct str mechanism)
{
	return str_same_nocase(mechanism, S("EXTERNAL")) ||
	       str_same_nocase(mechanism, S("ANONYMOUS"));
}

/* Its greeting: mechanisms, joined by spaces into *OFFER. */
static bool waits read_offer(struct stream *dovecot, struct arena *arena,
			     struct buf *offer, int64_t deadline_ms)
{
	struct auth_line line;

	do {
		if (!next_line(dovecot, arena, &line, deadline_ms))
			return false;
		if (line.kind == AUTH_LINE_VERSION && line.major != 1)
			return fail("Dovecot speaks version %u", line.major);
		if (line.kind == AUTH_LINE_MECH &&
		    !proves_nothing(line.mechanism))
			buf_printf(offer, "%s%.*s", offer->n ? " " : "",
				   STR(line.mechanism));
	} while (line.kind != AUTH_LINE_DONE);
	return true;
}

/* NULL: cause(). */
static struct stream *waits dovecot_dial(struct session *s, struct buf *offer,
					 int64_t deadline_ms)
{
	struct stream *dovecot = stream_dial_path(
		s->server->settings->auth_path, after_ms(DOVECOT_MS));
	struct buf b scoped(buf) = BUF_EMPTY;

	if (!dovecot)
		return NULL;
	auth_write_hello(&b, 1 + (unsigned)loop_index());
	if (send_line(dovecot, &b, deadline_ms) &&
	    read_offer(dovecot, s->line, offer, deadline_ms))
		return dovecot;
	stream_close(dovecot);
	return NULL;
}

/* What it says about our request. */
static bool waits next_answer(struct session *s, struct stream *dovecot,
			      struct auth_line *out)
{
	do {
		if (!next_line(dovecot, s->line, out, after_ms(DOVECOT_MS)))
			return false;
	} while (out->id != REQUEST ||
		 (out->kind != AUTH_LINE_OK && out->kind != AUTH_LINE_FAIL &&
		  out->kind != AUTH_LINE_CONT));
	return true;
}

/* ---- the conversation with the client ---- */

/* Base64, and no line of Dovecot's protocol or of the log hidden in it. */
static bool is_clean(struct session *s, struct str mechanism,
		     struct str response)
{
	struct str plain;

	if (!base64_decode(response, s->line, &plain))
		return false;
	if (str_starts_nocase(mechanism, S("GSS")) ||
	    str_same_nocase(mechanism, S("NTLM")))
		return true;
	return str_find(plain, '\n') < 0 && str_find(plain, '\r') < 0 &&
	       str_find(plain, '\t') < 0;
}

/* Pass a challenge on; code 0: *RESPONSE is the client's word. */
static struct reply waits challenge(struct session *s, struct str mechanism,
				    struct str base64, struct str *response)
{
	if (!say_now(s, SAY(s, auth_challenge, arena_cstr(s->line, base64))))
		return SILENCE;
	switch (hear_line(s, LIMIT_AUTH_LINE_BYTES, response)) {
	case HEARD_LINE:
		break;
	case HEARD_TOO_LONG:
		return SAY(s, auth_too_long);
	case HEARD_MALFORMED:
		return SAY(s, auth_not_base64);
	case HEARD_LATE:
		return SAY(s, timeout, s->server->settings->hostname);
	case HEARD_STOP:
		return SAY(s, stopping, s->server->settings->hostname);
	case HEARD_END:
		return SILENCE;
	}
	if (str_same(*response, S("*")))
		return SAY(s, auth_cancelled);
	if (!is_clean(s, mechanism, *response))
		return SAY(s, auth_not_base64);
	return SILENCE;
}

static struct reply waits auth_trouble(struct session *s)
{
	log_error(s->part, "%s: AUTH: %s", s->client, cause());
	return SAY(s, auth_later);
}

/* INITIAL is STR_NONE when the client gave none. */
static struct reply waits converse(struct session *s, struct stream *dovecot,
				   struct str mechanism, struct str initial)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct auth_line line;
	struct str response;
	struct reply r;

	auth_write_request(&b, REQUEST, mechanism, stream_is_tls(s->peer),
			   str_of(inet_ip_text(stream_peer(s->peer)).c),
			   str_of(inet_ip_text(stream_local(s->peer)).c),
			   initial);
	for (;;) {
		if (!send_line(dovecot, &b, after_ms(DOVECOT_MS)) ||
		    !next_answer(s, dovecot, &line))
			return auth_trouble(s);
		if (line.kind == AUTH_LINE_OK) {
			s->login = arena_str(s->arena, line.user);
			s->mechanism = arena_str(s->arena, mechanism);
			s->login_right = arena_str(s->arena, line.right);
			return SAY(s, auth_done);
		}
		if (line.kind == AUTH_LINE_FAIL)
			return line.temporary ? SAY(s, auth_later)
					      : SAY(s, auth_failed);
		r = challenge(s, mechanism, line.data, &response);
		if (r.code || s->is_lost)
			return r;
		auth_write_continue(&b, REQUEST, response);
	}
}

static bool is_offered(struct str offer, struct str mechanism)
{
	struct str name;

	while (str_split(&offer, ' ', &name))
		if (str_same_nocase(name, mechanism))
			return true;
	return false;
}

static struct reply waits login(struct session *s, struct str mechanism,
				struct str initial)
{
	struct buf offer scoped(buf) = BUF_EMPTY;
	struct stream *dovecot = dovecot_dial(s, &offer, after_ms(DOVECOT_MS));
	struct reply r;

	if (!dovecot)
		return auth_trouble(s);
	if (is_offered(buf_str(&offer), mechanism))
		r = converse(s, dovecot, mechanism, initial);
	else
		r = SAY(s, auth_mechanism);
	stream_close(dovecot);
	return r;
}

/* ---- the command ---- */

static bool is_allowed_now(const struct session *s)
{
	return stream_is_tls(s->peer) || s->server->settings->auth_without_tls;
}

/* A login that failed is slow, and the last one ends the session. */
static struct reply waits punish(struct session *s, struct str mechanism,
				 struct reply r)
{
	log_warn(s->part, "%s: SASL %s authentication failed: %.*s", s->client,
		 log_safe(s->line, mechanism, 20), STR(r.text));
	if (++s->auth_failures >= FAILURES)
		return SAY(s, auth_too_many);
	slow_down(s, s->auth_failures);
	return r;
}

struct reply on_auth(struct session *s, struct str arguments)
{
	struct str mechanism = STR_NONE, initial;
	struct reply r;

	if (!is_submission(s) || !s->said_ehlo)
		return SAY(s, auth_absent);
	if (s->login.n) {
		r = login_ended(s);
		if (r.code != CODE_auth_ended)
			return r.code ? r : SAY(s, auth_already);
		s->login = STR_NONE;
	}
	if (!is_allowed_now(s))
		return SAY(s, auth_needs_tls);
	str_split(&arguments, ' ', &mechanism);
	if (str_empty(mechanism))
		return SAY(s, bad_arguments, "AUTH mechanism [response]");
	initial = arguments.n ? arguments : STR_NONE;
	if (str_same(initial, S("=")))
		initial = S("");
	if (!is_clean(s, mechanism, initial))
		return SAY(s, auth_not_base64);
	r = login(s, mechanism, initial);
	if (r.code == CODE_auth_failed) {
		count(COUNT_LOGINS_FAILED);
		return punish(s, mechanism, r);
	}
	if (s->login.n)
		count(COUNT_LOGINS);
	if (s->login.n)
		log_fact(s->part,
			 "%s: authenticated sasl_method=%s, "
			 "sasl_username=%s",
			 s->client, log_safe(s->line, mechanism, 20),
			 log_safe(s->line, s->login, LIMIT_PATH_BYTES));
	return r;
}

/* ---- how long it holds ---- */

struct reply login_ended(struct session *s)
{
	if (!is_submission(s) || !s->login.n)
		return SILENCE;
	switch (directory_login_holds(s->server->router->directory, s->login,
				      s->login_right)) {
	case ANSWER_YES:
		return SILENCE;
	case ANSWER_NO:
		return SAY(s, auth_ended,
			   log_safe(s->line, s->login, LIMIT_PATH_BYTES));
	case ANSWER_UNSURE:
		break;
	}
	log_error(s->part, "is %s still logged in: %s", s->client, cause());
	return SAY(s, trouble);
}

/* ---- what EHLO offers ---- */

/* While Dovecot is away the offer stands and AUTH says 454: a client that is
 * offered nothing tells its user that the server cannot do it. */
static void waits refresh_mechanisms(struct session *s)
{
	struct smtp_memory *memory = smtp_memory(s->server);
	struct buf offer scoped(buf) = BUF_EMPTY;
	struct stream *dovecot;

	if (memory->mechanisms_until_ms > now_ms())
		return;
	if (!memory->mechanisms[0])
		snprintf(memory->mechanisms, sizeof(memory->mechanisms),
			 "PLAIN LOGIN");
	memory->mechanisms_until_ms = after_ms(AWAY_MS);
	dovecot = dovecot_dial(s, &offer, after_ms(AWAY_MS));
	if (dovecot && offer.n > 0 && offer.n < sizeof(memory->mechanisms)) {
		memcpy(memory->mechanisms, offer.p, offer.n);
		memory->mechanisms[offer.n] = 0;
		memory->mechanisms_until_ms = after_ms(MECHANISMS_MS);
	}
	stream_close(dovecot);
}

struct str auth_offer(struct session *s)
{
	if (!is_submission(s) || s->login.n || !is_allowed_now(s))
		return STR_NONE;
	refresh_mechanisms(s);
	return arena_strf(s->line, "AUTH %s",
			  smtp_memory(s->server)->mechanisms);
}
