/*
 * The SMTP client (client.h).
 *
 *	TLS	none | opportunistic: clear text, on a new connection, when the
 *		handshake fails or hangs | required, verified (by roots, or by
 *		DANE): later, never clear text
 *	AUTH	over TLS only
 */
#include "deliver/client.h"

#include "base/buf.h"
#include "base/limits.h"
#include "wire/command.h"

/* A conversation on its way to be good for mail. */
struct opening {
	const struct client *client;
	const struct hop *hop;
	struct peer *peer;
	int64_t deadline_ms;
	struct arena *arena;
	struct trouble *trouble;
};

bool loops_back(struct trouble *trouble, struct arena *arena)
{
	return trouble_ours(trouble,
			    own_reply(arena, 550, "5.4.6",
				      "mail for this domain loops back to "
				      "this server"));
}

/* Ours, and cause() says what; false. */
static bool failed(struct opening *o, const char *status, const char *doing)
{
	o->trouble->cause = arena_str(o->arena, str_of(cause()));
	o->trouble->loss = o->peer->loss;
	o->peer->is_broken = true;
	return trouble_ours(o->trouble, own_reply(o->arena, 451, status, "%s%s",
						  doing, cause()));
}

static bool lost(struct opening *o)
{
	return failed(o, "4.4.2", "");
}

static bool said(struct opening *o, const struct reply *r)
{
	o->peer->is_broken = true;
	return trouble_said(o->trouble, r);
}

static bool waits ask(struct opening *o, struct str command, struct reply *r)
{
	return peer_ask(o->peer, o->arena, command, r, o->deadline_ms);
}

static bool waits hear_greeting(struct opening *o)
{
	struct peer *p = o->peer;
	struct reply r;

	if (!peer_reply(p, o->arena, &r, o->deadline_ms))
		return lost(o);
	if (r.code == 220) {
		o->trouble->greeting = reply_line(&r, o->arena);
		return peer_is_silent(p) || lost(o);
	}
	if (r.code >= 400)
		return said(o, &r);
	fail("%s greeted with %d", p->name, r.code);
	return lost(o);
}

/* LHLO, EHLO, or HELO for who does not know that. */
static bool waits greet(struct opening *o, const char *verb)
{
	bool is_helo = !strcmp(verb, "HELO");
	struct peer *p = o->peer;
	struct str rest, line;
	struct reply r;

	p->can = (struct capabilities){ 0 };
	if (!ask(o,
		 arena_strf(o->arena, "%s %s\r\n", verb, o->client->hostname),
		 &r))
		return lost(o);
	if (reply_is_refusal(&r) && !p->is_lmtp && !is_helo)
		return greet(o, "HELO");
	if (r.code == 250) {
		rest = r.text;
		str_split(&rest, '\n', &line);
		str_split(&line, ' ', &p->greeted_as);
		p->greeted_as = arena_str(p->arena, p->greeted_as);
		if (!is_helo)
			capabilities_parse(&r, &p->can);
		return true;
	}
	if (r.code >= 400)
		return said(o, &r);
	fail("%s answered %s with %d", p->name, verb, r.code);
	return lost(o);
}

/* ---- TLS ---- */

enum tls_outcome { TLS_UP, TLS_NOT_OFFERED, TLS_FAILED, TLS_LOST };

/* ", as DANE wants it"; or nothing. */
static const char *demand(const struct opening *o)
{
	const char *demander = o->hop->demander;

	return demander ? arena_printf(o->arena, ", as %s wants it", demander)
			: "";
}

static bool waits shake_hands(struct opening *o, struct tls_context *context)
{
	struct stream *s = o->peer->stream;

	if (o->hop->dane)
		return stream_tls_connect_dane(s, context, o->hop->dane,
					       o->deadline_ms);
	return stream_tls_connect(
		s, context, arena_cstr(o->arena, o->hop->host), o->deadline_ms);
}

static struct tls_context *context_for(const struct opening *o)
{
	if (o->hop->dane)
		return o->client->tls_dane;
	if (o->hop->is_tested)
		return o->client->tls_noted;
	return o->hop->tls == SYSTEM_TLS_VERIFIED ? o->client->tls_verified
						  : o->client->tls_any;
}

/* What a server says before TLS is up is not said inside it: EHLO again. */
static enum tls_outcome waits start_tls(struct opening *o)
{
	struct tls_context *context = context_for(o);
	struct peer *p = o->peer;
	struct reply r;

	if (!p->can.starttls || !context)
		return TLS_NOT_OFFERED;
	if (o->hop->tls == SYSTEM_TLS_OPPORTUNISTIC)
		o->deadline_ms = after_ms(LIMIT_TLS_MS);
	if (!ask(o, S("STARTTLS\r\n"), &r))
		return TLS_LOST;
	if (r.code == 421) {
		fail("%.*s", STR(reply_line(&r, o->arena)));
		return TLS_FAILED;
	}
	if (r.code != 220) {
		trouble_said(o->trouble, &r);
		p->tls_failed = reply_is_refusal(&r);
		return TLS_NOT_OFFERED;
	}
	if (!peer_is_silent(p))
		return TLS_FAILED; /* bytes injected before the handshake */
	return shake_hands(o, context) ? TLS_UP : TLS_FAILED;
}

static bool waits secure(struct opening *o)
{
	const char *name = o->peer->name;
	int64_t deadline_ms = o->deadline_ms;
	enum tls_outcome outcome;

	if (o->hop->tls == SYSTEM_TLS_NONE)
		return true;
	outcome = start_tls(o);
	o->deadline_ms = deadline_ms;
	switch (outcome) {
	case TLS_UP:
		return greet(o, "EHLO");
	case TLS_NOT_OFFERED:
		if (o->hop->tls < SYSTEM_TLS_REQUIRED)
			return true;
		fail("TLS is required%s, but %s does not offer it", demand(o),
		     name);
		return failed(o, "4.7.4", "");
	case TLS_FAILED:
	case TLS_LOST:
		break;
	}
	failed(o, "4.7.5",
	       arena_printf(o->arena, "TLS with %s%s: ", name, demand(o)));
	o->trouble->is_tls = true;
	return false;
}

/* ---- AUTH ---- */

/* RFC 4616: NUL user NUL password. */
static bool waits auth_plain(struct opening *o, struct reply *r)
{
	struct buf both scoped(buf) = BUF_EMPTY;
	struct str secret;

	buf_add_char(&both, '\0');
	buf_add(&both, o->hop->user);
	buf_add_char(&both, '\0');
	buf_add(&both, o->hop->password);
	secret = base64_encode(buf_str(&both), o->arena);
	return ask(o, arena_strf(o->arena, "AUTH PLAIN %.*s\r\n", STR(secret)),
		   r);
}

static bool waits auth_login(struct opening *o, struct reply *r)
{
	struct str secrets[] = { o->hop->user, o->hop->password };

	if (!ask(o, S("AUTH LOGIN\r\n"), r))
		return false;
	for (size_t i = 0; i < array_size(secrets) && r->code == 334; i++) {
		struct str x = base64_encode(secrets[i], o->arena);

		if (!ask(o, arena_strf(o->arena, "%.*s\r\n", STR(x)), r))
			return false;
	}
	return true;
}

static bool waits authenticate(struct opening *o)
{
	struct peer *p = o->peer;
	struct reply r = { 0 };

	if (!stream_is_tls(p->stream)) {
		fail("%s needs a password, which is sent over TLS only",
		     p->name);
		return failed(o, "4.7.0", "");
	}
	if (!p->can.auth_plain && !p->can.auth_login) {
		fail("%s offers no AUTH we know", p->name);
		return failed(o, "4.7.0", "");
	}
	if (!(p->can.auth_plain ? auth_plain(o, &r) : auth_login(o, &r)))
		return lost(o);
	if (r.code == 235)
		return true;
	/* A wrong password is the administrators' business, not the mail's. */
	fail("%s refused our password: %.*s", p->name,
	     STR(reply_line(&r, o->arena)));
	return failed(o, "4.7.8", "");
}

/* ---- the whole of it ---- */

static struct peer *waits dial(const struct client *c, const struct hop *hop,
			       int64_t deadline_ms, struct arena *arena,
			       struct trouble *trouble)
{
	int64_t latest = after_ms(LIMIT_CONNECT_MS);
	const struct outgoing *set = &hop->limits.outgoing;
	const struct inet *from = outgoing_for(
		outgoing_is_set(set) ? set : &c->outgoing, &hop->at);
	struct str name = hop_name(hop, arena);
	struct stream *s;
	bool is_foreign;

	if (latest > deadline_ms)
		latest = deadline_ms;
	s = hop->path ? stream_dial_path(hop->path, latest)
		      : stream_dial(&hop->at, from, latest);
	if (s)
		return peer_new(s, arena_cstr(arena, name), hop->path);
	is_foreign = cause_kind() == FAIL_FOREIGN;
	trouble->cause = arena_str(arena, str_of(cause()));
	trouble_ours(trouble,
		     own_reply(arena, 451, is_foreign ? "4.3.5" : "4.4.1",
			       is_foreign ? "connect to %.*s from "
					    "the outgoing address: %s"
					  : "connect to %.*s: %s",
			       STR(name), cause()));
	trouble->is_unfit = is_foreign;
	return NULL;
}

static bool is_ourselves(const struct opening *o)
{
	return o->hop->next.kind == NEXT_HOP_INTERNET &&
	       str_same_nocase(o->peer->greeted_as,
			       str_of(o->client->hostname));
}

static bool waits make_ready(struct opening *o)
{
	struct trouble *trouble = o->trouble;
	struct peer *p = o->peer;

	trouble->at = STAGE_GREETING;
	if (!hear_greeting(o))
		return false;
	trouble->at = STAGE_HELLO;
	if (!greet(o, p->is_lmtp ? "LHLO" : "EHLO"))
		return false;
	if (p->is_lmtp)
		return true;
	if (is_ourselves(o)) {
		p->is_broken = true;
		return loops_back(trouble, o->arena);
	}
	trouble->at = STAGE_TLS;
	if (!secure(o))
		return false;
	trouble->at = STAGE_AUTH;
	return !o->hop->user.n || authenticate(o);
}

static struct peer *waits open_once(const struct client *c,
				    const struct hop *hop, int64_t deadline_ms,
				    struct arena *arena,
				    struct trouble *trouble)
{
	struct opening o = { c, hop, NULL, deadline_ms, arena, trouble };

	*trouble = (struct trouble){ .at = STAGE_CONNECT };
	o.peer = dial(c, hop, deadline_ms, arena, trouble);
	if (!o.peer)
		return NULL;
	if (make_ready(&o)) {
		trouble->at = STAGE_OPEN;
		return o.peer;
	}
	peer_close(o.peer);
	return NULL;
}

struct peer *client_open(const struct client *c, const struct hop *hop,
			 int64_t deadline_ms, struct arena *arena,
			 struct trouble *trouble)
{
	int64_t time_ms = deadline_ms - now_ms();
	struct peer *p = open_once(c, hop, deadline_ms, arena, trouble);
	struct hop in_clear = *hop;
	struct trouble of_tls = *trouble;

	if (p || hop->tls != SYSTEM_TLS_OPPORTUNISTIC || !trouble->is_tls)
		return p;
	in_clear.tls = SYSTEM_TLS_NONE;
	p = open_once(c, &in_clear, after_ms(time_ms), arena, trouble);
	if (!p)
		return NULL;
	p->tls_failed = true;
	*trouble = of_tls;
	trouble->at = STAGE_OPEN;
	return p;
}
