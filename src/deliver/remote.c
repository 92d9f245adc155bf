/*
 * The SMTP client: from a leg to an open, greeted, secured and authenticated
 * connection, and over the hosts of a system until one takes the mail.
 *
 *	TLS	none | opportunistic: clear text, on a new connection, when the
 *		handshake fails | required, verified: later, never clear text
 *	AUTH	over TLS only
 *
 * A 5xx greeting speaks for that host; when all hosts of an Internet domain
 * say so the mail is refused, a configured system gets it later.
 */
#include "deliver/remote.h"

#include "base/limits.h"
#include "deliver/transaction.h"
#include "route/verify.h"
#include "wire/command.h"

enum { SLOW_MS = 3000 };

/* ---- an open conversation ---- */

static bool lost(struct arena *arena, struct trouble *trouble)
{
	return trouble_ours(trouble,
	                    own_reply(arena, 451, "4.4.2", "%s", cause()));
}

static bool hear_greeting(struct peer *p, struct arena *arena,
                          int64_t deadline_ms, struct trouble *trouble)
{
	struct reply r;

	if (!peer_reply(p, arena, &r, deadline_ms))
		return lost(arena, trouble);
	if (r.code == 220)
		return peer_is_silent(p) || lost(arena, trouble);
	p->is_broken = true;
	if (r.code >= 400)
		return trouble_said(trouble, &r);
	fail("%s greeted with %d", p->name, r.code);
	return lost(arena, trouble);
}

static bool peer_greet(struct peer *p, const char *verb, const char *hostname,
                       struct arena *arena, int64_t deadline_ms,
                       struct trouble *trouble)
{
	struct str said = arena_strf(arena, "%s %s\r\n", verb, hostname);
	struct str rest;
	struct reply r;

	p->can = (struct capabilities){ 0 };
	if (!peer_ask(p, arena, said, &r, deadline_ms))
		return lost(arena, trouble);
	if (reply_is_refusal(&r) && !p->is_lmtp &&
	    !str_same(str_of(verb), S("HELO")))
		return peer_greet(p, "HELO", hostname, arena, deadline_ms,
		                  trouble);
	if (r.code == 250) {
		rest = r.text;
		str_split(&rest, '\n', &said);
		str_split(&said, ' ', &p->greeted_as);
		p->greeted_as = arena_str(p->arena, p->greeted_as);
		if (!str_same(str_of(verb), S("HELO")))
			capabilities_parse(&r, &p->can);
		return true;
	}
	p->is_broken = true;
	if (r.code >= 400)
		return trouble_said(trouble, &r);
	fail("%s answered %s with %d", p->name, verb, r.code);
	return lost(arena, trouble);
}

enum tls_outcome { TLS_UP, TLS_NOT_OFFERED, TLS_FAILED, TLS_LOST };

/* What a server says before TLS is up is not said inside it: EHLO again. */
static enum tls_outcome secure(struct deliver *d, const struct hop *hop,
                               struct peer *p, struct arena *arena,
                               int64_t deadline_ms)
{
	struct tls_context *context = hop->tls == SYSTEM_TLS_VERIFIED
	                                      ? d->settings->tls_verified
	                                      : d->settings->tls_any;
	struct reply r;

	if (!p->can.starttls || !context)
		return TLS_NOT_OFFERED;
	if (!peer_ask(p, arena, S("STARTTLS\r\n"), &r, deadline_ms))
		return TLS_LOST;
	if (r.code != 220)
		return TLS_NOT_OFFERED;
	if (!peer_is_silent(p))
		return TLS_FAILED; /* bytes injected before the handshake */
	if (stream_tls_connect(p->stream, context, arena_cstr(arena, hop->host),
	                       deadline_ms))
		return TLS_UP;
	p->is_broken = true;
	return TLS_FAILED;
}

/* RFC 4616: NUL user NUL password. */
static bool auth_plain(const struct hop *hop, struct peer *p,
                       struct arena *arena, int64_t deadline_ms,
                       struct reply *r)
{
	struct buf both scoped(buf) = BUF_EMPTY;
	struct str secret;

	buf_add_char(&both, '\0');
	buf_add(&both, hop->user);
	buf_add_char(&both, '\0');
	buf_add(&both, hop->password);
	secret = base64_encode(buf_str(&both), arena);
	return peer_ask(p, arena,
	                arena_strf(arena, "AUTH PLAIN %.*s\r\n", STR(secret)),
	                r, deadline_ms);
}

static bool auth_login(const struct hop *hop, struct peer *p,
                       struct arena *arena, int64_t deadline_ms,
                       struct reply *r)
{
	struct str secrets[] = { hop->user, hop->password };

	if (!peer_ask(p, arena, S("AUTH LOGIN\r\n"), r, deadline_ms))
		return false;
	for (size_t i = 0; i < array_size(secrets) && r->code == 334; i++) {
		struct str x = base64_encode(secrets[i], arena);

		if (!peer_ask(p, arena, arena_strf(arena, "%.*s\r\n", STR(x)),
		              r, deadline_ms))
			return false;
	}
	return true;
}

static bool authenticate(const struct hop *hop, struct peer *p,
                         struct arena *arena, int64_t deadline_ms,
                         struct trouble *trouble)
{
	struct reply r = { 0 };
	bool ok;

	if (!stream_is_tls(p->stream)) {
		p->is_broken = true;
		return trouble_ours(trouble,
		                    own_reply(arena, 451, "4.7.0",
		                              "%s needs a password, which is "
		                              "sent over TLS only",
		                              p->name));
	}
	if (p->can.auth_plain) {
		ok = auth_plain(hop, p, arena, deadline_ms, &r);
	} else if (p->can.auth_login) {
		ok = auth_login(hop, p, arena, deadline_ms, &r);
	} else {
		p->is_broken = true;
		return trouble_ours(trouble,
		                    own_reply(arena, 451, "4.7.0",
		                              "%s offers no AUTH we know",
		                              p->name));
	}
	if (!ok)
		return lost(arena, trouble);
	if (r.code == 235)
		return true;
	p->is_broken = true;
	/* A wrong password is the administrators' business, not the mail's. */
	return trouble_ours(trouble,
	                    own_reply(arena, 451, "4.7.8",
	                              "%s refused our password: %.*s", p->name,
	                              STR(reply_line(&r, arena))));
}

static struct peer *dial(struct deliver *d, const struct hop *hop,
                         int64_t deadline_ms, struct arena *arena,
                         struct trouble *trouble)
{
	int64_t latest = after_ms(LIMIT_CONNECT_MS);
	const struct inet *bind = d->settings->bind;
	struct str name = hop_name(hop, arena);
	struct stream *s;

	if (latest > deadline_ms)
		latest = deadline_ms;
	if (bind && !hop->path && inet_is_v4(bind) != inet_is_v4(&hop->at))
		bind = NULL;
	s = hop->path ? stream_dial_path(hop->path, latest)
	              : stream_dial(&hop->at, bind, latest);
	if (s)
		return peer_new(s, arena_cstr(arena, name), hop->path);
	trouble_ours(trouble,
	             own_reply(arena, 451, "4.4.1", "connect to %.*s: %s",
	                       STR(name), cause()));
	return NULL;
}

/* Policy met?  TLS_LOST: *trouble is set. */
static bool secure_or_give_up(struct deliver *d, const struct hop *hop,
                              struct peer *p, struct arena *arena,
                              int64_t deadline_ms, struct trouble *trouble)
{
	bool is_must = hop->tls >= SYSTEM_TLS_REQUIRED;

	if (hop->tls == SYSTEM_TLS_NONE)
		return true;
	switch (secure(d, hop, p, arena, deadline_ms)) {
	case TLS_UP:
		return peer_greet(p, "EHLO", d->settings->hostname, arena,
		                  deadline_ms, trouble);
	case TLS_NOT_OFFERED:
		if (!is_must)
			return true;
		p->is_broken = true;
		return trouble_ours(trouble,
		                    own_reply(arena, 451, "4.7.4",
		                              "TLS is required, but %s does "
		                              "not offer it",
		                              p->name));
	case TLS_FAILED:
	case TLS_LOST:
		break;
	}
	p->is_broken = true;
	trouble_ours(trouble, own_reply(arena, 451, "4.7.5", "TLS with %s: %s",
	                                p->name, cause()));
	trouble->is_tls = true;
	return false;
}

static bool make_ready(struct deliver *d, const struct hop *hop, struct peer *p,
                       struct arena *arena, int64_t deadline_ms,
                       struct trouble *trouble)
{
	const char *hostname = d->settings->hostname;

	if (!hear_greeting(p, arena, deadline_ms, trouble))
		return false;
	if (p->is_lmtp)
		return peer_greet(p, "LHLO", hostname, arena, deadline_ms,
		                  trouble);
	if (!peer_greet(p, "EHLO", hostname, arena, deadline_ms, trouble))
		return false;
	if (hop->is_internet &&
	    str_same_nocase(p->greeted_as, str_of(hostname))) {
		p->is_broken = true;
		return loops_back(trouble, arena);
	}
	if (!secure_or_give_up(d, hop, p, arena, deadline_ms, trouble))
		return false;
	return !hop->user.n ||
	       authenticate(hop, p, arena, deadline_ms, trouble);
}

static struct peer *open_peer(struct deliver *d, const struct hop *hop,
                              int64_t deadline_ms, struct arena *arena,
                              struct trouble *trouble)
{
	struct peer *p = dial(d, hop, deadline_ms, arena, trouble);
	struct hop in_clear = *hop;

	if (!p || make_ready(d, hop, p, arena, deadline_ms, trouble))
		return p;
	peer_close(p);
	if (hop->tls != SYSTEM_TLS_OPPORTUNISTIC || !trouble->is_tls)
		return NULL;
	in_clear.tls = SYSTEM_TLS_NONE;
	return open_peer(d, &in_clear, deadline_ms, arena, trouble);
}

static void learn_size(struct deliver *d, const struct hop *hop,
                       const struct peer *p)
{
	if (p && hop->system.n && d->router->verification)
		verify_learn_size(d->router->verification, hop->system,
		                  p->can.size);
}

bool line_open(struct deliver *d, const struct hop *hop, bool fresh,
               int64_t deadline_ms, struct arena *arena, struct line *out,
               struct trouble *trouble)
{
	struct str key = hop_key(hop, arena);
	int64_t began = now_ms();

	out->slot = pool_enter(d->pool, key, deadline_ms);
	if (!out->slot)
		return trouble_ours(
		        trouble, own_reply(arena, 451, "4.3.2", "%.*s: %s",
		                           STR(hop_name(hop, arena)), cause()));
	out->peer = fresh ? NULL : slot_idle(out->slot);
	if (!out->peer) {
		out->peer = open_peer(d, hop, deadline_ms, arena, trouble);
		learn_size(d, hop, out->peer);
	}
	if (out->peer) {
		hop_answered(d, key);
		return true;
	}
	pool_leave(out->slot, NULL);
	hop_rest(d, key, &trouble->reply, now_ms() - began > SLOW_MS);
	return false;
}

void line_release(struct line *line)
{
	pool_leave(line->slot, line->peer);
}

/* ---- delivery ---- */

static size_t still_waiting(struct share **shares, size_t n,
                            struct share **left)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (shares[i]->state == RECIPIENT_WAITING)
			left[k++] = shares[i];
	return k;
}

/* A pooled connection that turns out dead is replaced once. */
void hop_try(struct attempt *a, const struct hop *hop, struct share **left,
             size_t n, struct trouble *trouble)
{
	struct job *job = a->job;
	bool fresh = false;

	while (n > 0) {
		struct line line;
		bool was_dead;

		if (!line_open(job->deliver, hop, fresh,
		               after_ms(LIMIT_REPLY_MS), job->arena, &line,
		               trouble))
			return;
		transaction_run(line.peer, job, left, n, trouble);
		was_dead = line.peer->is_broken && line.peer->is_reused &&
		           !line.peer->has_spoken;
		line_release(&line);
		if (!was_dead)
			return;
		fresh = true;
		n = still_waiting(left, n, left);
	}
}

static void conclude(struct attempt *a, struct share **left, size_t n,
                     const struct trouble *trouble)
{
	bool is_final = a->leg.kind == LEG_INTERNET &&
	                reply_is_refusal(&trouble->reply);

	for (size_t i = 0; i < n; i++) {
		left[i]->state = is_final ? RECIPIENT_REFUSED : RECIPIENT_LATER;
		left[i]->reply = trouble->reply;
	}
}

void remote_deliver(struct attempt *a, struct share **shares, size_t n)
{
	struct job *job = a->job;
	struct share **left = arena_array(job->arena, struct share *, n);
	struct trouble trouble = { 0 };
	int64_t began = now_ms();
	bool all_refuse = true;
	struct hop *hops;
	size_t n_hops, n_left = still_waiting(shares, n, left);

	if (!hops_find(job->deliver, &a->leg, after_ms(LIMIT_CONNECT_MS),
	               job->arena, &hops, &n_hops, &trouble)) {
		ledgers_say_down(job->deliver, &a->leg, &trouble.reply,
		                 job->arena);
		conclude(a, left, n_left, &trouble);
		return;
	}
	for (size_t i = 0; i < n_hops && n_left && !fiber_cancelled(); i++) {
		struct trouble last = { 0 };

		hop_try(a, &hops[i], left, n_left, &last);
		n_left = still_waiting(left, n_left, left);
		/* What may get better counts for more than a refusal. */
		if (last.reply.code &&
		    (all_refuse || !reply_is_refusal(&last.reply))) {
			trouble = last;
			all_refuse = reply_is_refusal(&last.reply);
		}
	}
	if (!n_left) {
		ledgers_say_up(job->deliver, &a->leg, job->arena);
		return;
	}
	if (!trouble.reply.code)
		trouble_ours(&trouble, own_reply(job->arena, 451, "4.3.2",
		                                 "the server is stopping"));
	conclude(a, left, n_left, &trouble);
	hop_is_down(a, &trouble.reply, now_ms() - began > SLOW_MS);
}
