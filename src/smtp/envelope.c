/*
 * MAIL and RCPT: who writes to whom, and may he (RFC 5321 4.1.1.2, 4.1.1.3).
 *
 * Every recipient is put to route() here, and to the other system where
 * route() wants it asked, so that whoever cannot get the mail is refused now:
 *
 *	RCPT ─▶ route_answer() ─┬─▶ ask: deliver_probe(), answer again, with
 *	                        │   what the system says or without
 *	                        └─▶ 250, or its reply
 *
 * Invariant: message->recipients has one entry for each recipient that was
 * answered 250, parsed and with its key, and no two have the same key.
 */
#include "base/mutants.h"
#include "rt/counter.h"
#include "rt/ledger.h"
#include "rt/log.h"
#include "smtp/session.h"

/* ---- MAIL ---- */

static struct mail *mail_begin(struct session *s)
{
	struct message *m = message_new(queue_spool(s->server->queue));
	struct mail *mail = arena_new(m->arena, struct mail);

	m->client = *stream_peer(s->peer);
	/* our own address is that of several servers, perhaps */
	m->client_calls = s->kind == SMTP_MX &&
			  !inet_same_ip(&m->client, stream_local(s->peer));
	mail->message = m;
	mail->expansions = expansions_open(m->arena);
	mail->max_bytes = s->server->settings->message_bytes;
	mail->reader = (struct data_reader)DATA_READER;
	return mail;
}

/* Whom route() is told we ask for: asked at each MAIL, because the directory
 * may have changed.  UNSURE: our own trouble. */
static enum answer find_asker(struct session *s, struct mail *mail)
{
	struct asker *asker = &mail->asker;

	if (is_local(s)) {
		asker->kind = ASKER_LOCAL;
		return ANSWER_YES;
	}
	if (is_submission(s)) {
		asker->kind = ASKER_USER;
		asker->user = arena_str(mail->message->arena, s->login);
		return ANSWER_YES;
	}
	return asker_at(s->server->router->directory, stream_peer(s->peer),
			mail->message->arena, asker);
}

static struct reply parse_mail(struct session *s, struct str arguments,
			       struct mail *mail)
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
	mail->sender = c.sender;
	return SILENCE;
}

/* What the directory says of them, in one snapshot. */
static struct reply ask_directory(struct session *s, struct mail *mail)
{
	struct router *router = s->server->router;
	struct reply r;

	directory_begin(router->directory);
	r = login_ended(s);
	if (r.code == 0 && find_asker(s, mail) == ANSWER_UNSURE) {
		log_error(s->part, "who is %s: %s", s->client, cause());
		r = SAY(s, trouble);
	}
	if (r.code == 0)
		r = hand_on(s, route_sender(router, &mail->asker, &mail->sender,
					    s->line));
	if (reply_is_done(&r))
		r = find_filters(s);
	if (r.code == 0)
		r = find_claimant(s);
	directory_end(router->directory);
	return r;
}

/* A system that was trusted when it said MAIL: it may come from where nobody is
 * any more, or have another's rights. */
static struct reply trusted_again(struct session *s, const struct asker *was)
{
	struct asker now;

	switch (asker_at(s->server->router->directory, stream_peer(s->peer),
			 s->line, &now)) {
	case ANSWER_YES:
		if (now.system.id == was->system.id &&
		    now.system.may_relay >= was->system.may_relay)
			return SILENCE;
		break;
	case ANSWER_NO:
		break;
	case ANSWER_UNSURE:
		log_error(s->part, "who is %s: %s", s->client, cause());
		return SAY(s, trouble);
	}
	return SAY(s, rights_changed);
}

static struct reply user_again(struct session *s, struct mail *mail)
{
	struct router *router = s->server->router;
	struct reply r;

	directory_begin(router->directory);
	r = login_ended(s);
	if (r.code == 0)
		r = hand_on(s, route_sender(router, &mail->asker, &mail->sender,
					    s->line));
	directory_end(router->directory);
	return reply_is_done(&r) ? SILENCE : r;
}

struct reply ask_again(struct session *s)
{
	struct mail *mail = s->mail;

	switch (mail->asker.kind) {
	case ASKER_USER:
		return user_again(s, mail);
	case ASKER_SYSTEM:
		if (mail->asker.trusted)
			return trusted_again(s, &mail->asker);
		break;
	case ASKER_INTERNET:
	case ASKER_LOCAL:
		break;
	}
	return SILENCE;
}

static struct reply waits check_mail(struct session *s, struct str arguments)
{
	struct mail *mail = s->mail;
	struct reply r = parse_mail(s, arguments, mail);

	if (r.code)
		return r;
	if (queue_is_full(s->server->queue))
		return SAY(s, queue_full);
	r = ask_directory(s, mail);
	if (r.code == 0)
		r = refuse_listed(s);
	if (r.code == 0)
		r = filter_mail(s);
	return r.code ? r : SAY(s, sender_ok);
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

/* The next system is asked first where route() wants it. */
static struct decision waits decide(struct session *s, struct question *q)
{
	struct router *router = s->server->router;
	struct decision d = route_answer(router, q, s->line);

	if (d.ask_later)
		deliver_probe_later(s->server->deliver, &d.legs[0], d.ask_key);
	if (d.was_told)
		count(COUNT_PROBE_HITS);
	if (!d.ask || d.n == 0)
		return d;
	if (say_now(s, SILENCE))
		deliver_probe(s->server->deliver, &d.legs[0], d.ask_key,
			      q->client);
	q->has_asked = true;
	return route_answer(router, q, s->line);
}

static bool is_same(struct str a, struct str b)
{
	if (MUTANT(local_part_is_the_recipient))
		return str_starts(
			b, str_part(a, 0, (size_t)(str_find_last(a, '@') + 1)));
	return str_same(a, b);
}

bool has_recipient(const struct message *m, struct str key)
{
	for (size_t i = 0; i < m->n; i++)
		if (is_same(m->recipients[i].key, key))
			return true;
	return false;
}

/* Of the last recipient. */
static unsigned notify_of(const struct message *m, const struct rcpt_command *c)
{
	if (MUTANT(notify_of_the_one_before) && m->n > 1 &&
	    c->notify == NOTIFY_UNSAID)
		return m->recipients[m->n - 2].notify;
	return c->notify;
}

static void log_begin(const struct session *s)
{
	const struct message *m = s->mail->message;

	if (is_local(s))
		log_fact(s->part, "%s: uid=%s from=<%s>", m->id, s->user,
			 log_safe(s->line, m->sender, LIMIT_PATH_BYTES));
	else
		log_fact(s->part, "%s: client=%s%s%s", m->id, s->client,
			 s->login.n ? ", sasl_username=" : "",
			 s->login.n
				 ? log_safe(s->line, s->login, LIMIT_PATH_BYTES)
				 : "");
}

void add_recipient(struct session *s, const struct rcpt_command *c,
		   struct str key, const struct decision *d)
{
	struct mail *mail = s->mail;
	struct message *m = mail->message;
	struct recipient *r = message_add(m, c->recipient.spelling);
	struct address *parsed = arena_new(m->arena, struct address);

	*parsed = c->recipient;
	r->parsed = parsed;
	r->key = key;
	r->notify = notify_of(m, c);
	r->orcpt = c->orcpt;
	r->trail = c->trail;
	if (d->max_message_bytes && d->max_message_bytes < mail->max_bytes)
		mail->max_bytes = d->max_message_bytes;
	if (!mail->is_logged)
		log_begin(s);
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

/* As whom other systems ask: nobody, or what Postfix is set to
 * (address_verify_sender), which no mail of a person has. */
static bool is_of_a_question(struct str sender)
{
	return str_empty(sender) || str_starts(sender, S("double-bounce"));
}

static struct reply waits ask_route(struct session *s,
				    const struct rcpt_command *c)
{
	struct mail *mail = s->mail;
	struct str key = address_key(&c->recipient, mail->message->arena);
	struct question q = {
		.recipient = &c->recipient,
		.asker = mail->asker,
		.peer = message_caller(mail->message),
		.trail = c->trail,
		.expansions = mail->expansions,
		.message_bytes = mail->declared_bytes,
		.sender = &mail->message->sender,
		.is_probe = is_of_a_question(mail->message->sender),
		.client = s->kind == SMTP_MX ? stream_peer(s->peer) : NULL,
	};
	struct decision d;
	struct reply r;

	if (has_recipient(mail->message, key))
		return SAY(s, recipient_ok);
	if (MUTANT(fourth_recipient_is_forgotten) && mail->message->n == 3)
		return SAY(s, recipient_ok);
	d = decide(s, &q);
	if (d.action == ROUTE_REFUSE)
		ledger_count(s->server->settings->traffic, d.domain,
			     TRAFFIC_REFUSED, 1);
	if (d.action == ROUTE_REFUSE || d.action == ROUTE_LATER)
		return hand_on(s, d.reply);
	mail->is_full =
		expansions_legs(mail->expansions) + d.n > LIMIT_MAIL_LEGS;
	if (mail->is_full)
		return SAY(s, too_many_recipients);
	r = filter_rcpt(s, &c->recipient);
	if (r.code)
		return r;
	expansions_note(mail->expansions, &d);
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

	if (s->mail->granted >= LIMIT_RECIPIENTS || s->mail->is_full) {
		if (++s->overshoot > LIMIT_RECIPIENTS)
			return SAY(s, too_many_errors);
		return SAY(s, too_many_recipients);
	}
	r = may_send_more(s) ? parse_rcpt(s, arguments, &c)
			     : SAY(s, rate_exceeded);
	if (r.code == 0)
		r = ask_again(s);
	if (r.code == 0)
		r = ask_route(s, &c);
	s->mail->granted += reply_is_done(&r);
	count_recipient(&r);
	if (!reply_is_done(&r))
		log_refusal(s, "RCPT", &r);
	return r;
}
