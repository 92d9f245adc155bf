/*
 * MAIL and RCPT: who writes to whom, and may he (RFC 5321 4.1.1.2, 4.1.1.3).
 *
 * Every recipient is put to route() here, and to the other system where
 * route() wants it asked, so that whoever cannot get the mail is refused now:
 *
 *	RCPT ─▶ route_decide() ─┬─▶ the next hop is the very system that calls:
 *	                        │   decide again as its answer to a loop
 *	                        ├─▶ ask: deliver_probe(), decide again
 *	                        └─▶ 250, or its reply
 *
 * Invariant: mail->recipients, mail->keys and message->recipients have one
 * entry for each recipient that was answered 250, in the same order, and no
 * two have the same key.
 */
#include "rt/counter.h"
#include "rt/ledger.h"
#include "rt/log.h"
#include "smtp/session.h"

bool is_submission(const struct session *s)
{
	return s->kind == SMTP_SUBMISSION || s->kind == SMTP_SUBMISSIONS;
}

/* ---- MAIL ---- */

static struct mail *mail_begin(struct session *s)
{
	struct message *m = message_new();
	struct mail *mail = arena_new(m->arena, struct mail);

	mail->message = m;
	mail->max_bytes = s->server->settings->message_bytes;
	mail->reader = (struct data_reader)DATA_READER;
	return mail;
}

/* Whom route() is told we ask for: asked at each MAIL, because the directory
 * may have changed.  UNSURE: our own trouble. */
static enum answer find_asker(struct session *s, struct mail *mail)
{
	struct asker *asker = &mail->asker;
	enum answer known;

	if (s->kind == SMTP_LOCAL) {
		asker->kind = ASKER_LOCAL;
		return ANSWER_YES;
	}
	if (is_submission(s)) {
		asker->kind = ASKER_USER;
		asker->user = s->login;
		return ANSWER_YES;
	}
	known = directory_trusted(s->server->router->directory,
	                          stream_peer(s->peer), mail->message->arena,
	                          &asker->system);
	asker->trusted = known == ANSWER_YES;
	asker->kind = asker->trusted ? ASKER_SYSTEM : ASKER_INTERNET;
	return known;
}

static struct reply parse_mail(struct session *s, struct str arguments,
                               struct mail *mail, struct address *sender)
{
	struct message *m = mail->message;
	struct mail_command c = { .size = 0 };

	switch (mail_parse(arguments, m->arena, &c)) {
	case PARSE_OK:
		break;
	case PARSE_BAD_SYNTAX:
		return SAY(s, bad_syntax, cause());
	case PARSE_BAD_ADDRESS:
		return SAY(s, bad_sender, cause());
	case PARSE_UNKNOWN_PARAMETER:
		return SAY(s, unknown_parameter, cause());
	}
	m->sender = c.sender.spelling;
	if (c.sender.is_utf8 && !c.utf8)
		return SAY(s, utf8_unsaid);
	if (c.size > mail->max_bytes)
		return SAY(s, size_declared,
		           (unsigned long long)mail->max_bytes);
	m->envid = c.envid;
	m->ret = c.ret;
	m->is_8bit = c.body_8bit;
	m->is_utf8 = c.utf8;
	mail->declared_bytes = c.size;
	*sender = c.sender;
	return SILENCE;
}

/* What the directory says of them, in one snapshot. */
static struct reply ask_directory(struct session *s, struct mail *mail,
                                  const struct address *sender)
{
	struct router *router = s->server->router;
	struct reply r = SILENCE;

	directory_begin(router->directory);
	if (find_asker(s, mail) == ANSWER_UNSURE)
		log_error(s->part, "who is %s: %s", s->client, cause());
	else
		r = route_sender(router, &mail->asker, sender, s->line);
	directory_end(router->directory);
	if (r.code == 0)
		return SAY(s, trouble);
	return reply_is_done(&r) ? SAY(s, sender_ok) : hand_on(s, r);
}

static struct reply check_mail(struct session *s, struct str arguments)
{
	struct mail *mail = s->mail;
	struct address sender = { .is_utf8 = false };
	struct reply r = parse_mail(s, arguments, mail, &sender);

	if (r.code)
		return r;
	if (queue_is_full(s->server->queue))
		return SAY(s, queue_full);
	return ask_directory(s, mail, &sender);
}

struct reply on_mail(struct session *s, struct str arguments)
{
	struct reply r;

	if (is_submission(s) && !s->login.n)
		return stream_is_tls(s->peer) ||
		                       s->server->settings->auth_without_tls
		               ? SAY(s, auth_required)
		               : SAY(s, auth_required_tls);
	s->mail = mail_begin(s);
	r = check_mail(s, arguments);
	if (reply_is_done(&r))
		return r;
	log_refusal(s, "MAIL", &r);
	forget_mail(s);
	return r;
}

/* ---- RCPT ---- */

/* The system that calls and to which this would go straight back, if so. */
static const struct system *waits caller_among(struct session *s,
                                               const struct decision *d)
{
	if (s->kind != SMTP_MX)
		return NULL;
	for (size_t i = 0; i < d->n; i++) {
		const struct leg *leg = &d->legs[i];

		if (leg->kind == LEG_SYSTEM && !leg->is_member &&
		    peer_is_among(s, leg->system.hosts))
			return &leg->system;
	}
	return NULL;
}

/* Delivery asks again, and must not give it back either. */
static struct asker caller_asks(struct session *s, const struct system *caller)
{
	struct arena *arena = s->mail->message->arena;
	struct system system = *caller;

	system.name = arena_str(arena, system.name);
	system.hosts = arena_str(arena, system.hosts);
	system.user = system.password = STR_NONE;
	s->mail->asker =
	        (struct asker){ .kind = ASKER_SYSTEM, .system = system };
	return s->mail->asker;
}

static bool has_rights(const struct asker *a)
{
	return a->kind != ASKER_INTERNET &&
	       (a->kind != ASKER_SYSTEM || a->trusted);
}

static struct decision waits decide(struct session *s, struct question *q)
{
	struct router *router = s->server->router;
	struct decision d = route_decide(router, q, s->line);
	const struct system *caller;

	if (!has_rights(&q->asker) && (caller = caller_among(s, &d))) {
		q->asker = caller_asks(s, caller);
		d = route_decide(router, q, s->line);
	}
	if (!d.ask || d.n == 0)
		return d;
	if (say_now(s, SILENCE))
		deliver_probe(s->server->deliver, &d.legs[0], d.ask_key);
	return route_decide(router, q, s->line);
}

static bool has_recipient(const struct mail *mail, struct str key)
{
	for (size_t i = 0; i < mail->message->n; i++)
		if (str_same(mail->keys[i], key))
			return true;
	return false;
}

/* Grow by doubling; what is left behind ends with the mail's arena. */
static void make_room(struct mail *mail)
{
	struct message *m = mail->message;
	size_t n = m->n, room = n ? 2 * n : 4;
	struct address *recipients;
	struct str *keys;

	if (n & (n - 1) || (n > 0 && n < 4))
		return;
	recipients = arena_array(m->arena, struct address, room);
	keys = arena_array(m->arena, struct str, room);
	if (n) {
		memcpy(recipients, mail->recipients, n * sizeof(*recipients));
		memcpy(keys, mail->keys, n * sizeof(*keys));
	}
	mail->recipients = recipients;
	mail->keys = keys;
}

static void add_recipient(struct session *s, const struct rcpt_command *c,
                          struct str key, const struct decision *d)
{
	struct mail *mail = s->mail;
	struct message *m = mail->message;
	struct recipient *r;

	make_room(mail);
	mail->recipients[m->n] = c->recipient;
	mail->keys[m->n] = key;
	r = message_add(m, c->recipient.spelling);
	r->notify = c->notify;
	r->orcpt = c->orcpt;
	r->trail = c->trail;
	if (d->max_message_bytes && d->max_message_bytes < mail->max_bytes)
		mail->max_bytes = d->max_message_bytes;
	if (!mail->is_logged)
		log_fact(s->part, "%s: client=%s%s%s", m->id, s->client,
		         s->login.n ? ", sasl_username=" : "",
		         s->login.n
		                 ? log_safe(s->line, s->login, LIMIT_PATH_BYTES)
		                 : "");
	mail->is_logged = true;
}

static struct reply parse_rcpt(struct session *s, struct str arguments,
                               struct rcpt_command *c)
{
	struct mail *mail = s->mail;

	s->recipient = arguments; /* until it is known better */
	switch (rcpt_parse(arguments, mail->message->arena, c)) {
	case PARSE_OK:
		break;
	case PARSE_BAD_SYNTAX:
		return SAY(s, bad_syntax, cause());
	case PARSE_BAD_ADDRESS:
		return SAY(s, bad_recipient, cause());
	case PARSE_UNKNOWN_PARAMETER:
		return SAY(s, unknown_parameter, cause());
	}
	s->recipient = c->recipient.spelling;
	if (c->recipient.is_utf8 && !mail->message->is_utf8)
		return SAY(s, utf8_unsaid);
	if (c->trail.n && s->kind != SMTP_MX)
		return SAY(s, unknown_parameter, "XTRAIL is not known here");
	return SILENCE;
}

static struct reply waits ask_route(struct session *s,
                                    const struct rcpt_command *c)
{
	struct mail *mail = s->mail;
	struct str key = address_key(&c->recipient, mail->message->arena);
	struct question q = {
		.recipient = &c->recipient,
		.asker = mail->asker,
		.trail = c->trail,
		.message_bytes = mail->declared_bytes,
		.is_probe = str_empty(mail->message->sender),
	};
	struct decision d;

	if (has_recipient(mail, key))
		return SAY(s, recipient_ok);
	d = decide(s, &q);
	if (d.action == ROUTE_REFUSE)
		ledger_count(s->server->settings->traffic, d.domain,
		             TRAFFIC_REFUSED, 1);
	if (d.action == ROUTE_REFUSE || d.action == ROUTE_LATER)
		return hand_on(s, d.reply);
	add_recipient(s, c, key, &d);
	return SAY(s, recipient_ok);
}

static void count_recipient(const struct reply *r)
{
	count(reply_is_done(r)      ? COUNT_RECIPIENTS_ACCEPTED
	      : reply_is_refusal(r) ? COUNT_RECIPIENTS_REFUSED
	                            : COUNT_RECIPIENTS_LATER);
}

struct reply on_rcpt(struct session *s, struct str arguments)
{
	struct rcpt_command c = { .notify = NOTIFY_UNSAID };
	struct reply r;

	if (s->mail->granted >= LIMIT_RECIPIENTS) {
		if (++s->overshoot > LIMIT_RECIPIENTS)
			return SAY(s, too_many_errors);
		return SAY(s, too_many_recipients);
	}
	r = may_send_more(s) ? parse_rcpt(s, arguments, &c)
	                     : SAY(s, rate_exceeded);
	if (r.code == 0)
		r = ask_route(s, &c);
	s->mail->granted += reply_is_done(&r);
	count_recipient(&r);
	if (!reply_is_done(&r))
		log_refusal(s, "RCPT", &r);
	return r;
}
