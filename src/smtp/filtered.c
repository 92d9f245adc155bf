/*
 * The filters of a mail have all of it: what becomes of it by what they say.
 *
 * What a filter has changed is a message like any other from then on: another
 * sender, recipients that are routed like those that were named, another body.
 * The rights of who sends are not asked again for them, except to relay.
 */
#include "filter/filter.h"

#include "base/mutants.h"
#include "rt/log.h"
#include "smtp/session.h"

/* Another header, another body. */
static bool waits take_text(struct session *s,
			    const struct filter_letter *letter)
{
	struct buf trace scoped(buf) = BUF_EMPTY;

	if (!letter->is_changed)
		return true;
	buf_add(&trace, letter->fields.before);
	buf_add(&trace, letter->front);
	return message_change_header(s->mail->message, buf_str(&trace),
				     letter->fields.behind, letter->skip);
}

static void take_sender(struct session *s, const struct filter_letter *letter)
{
	struct mail *mail = s->mail;

	if (!letter->has_sender)
		return;
	mail->sender = letter->sender.sender;
	mail->message->sender = mail->sender.spelling;
}

static void delete_recipient(struct message *m, struct str key)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		if (!str_same(m->recipients[i].key, key))
			m->recipients[n++] = m->recipients[i];
	m->n = n;
}

/* Where the mail may not go for who sends it, it does not for a filter. */
static void waits add_wanted(struct session *s,
			     const struct filter_recipient *wanted,
			     struct str key)
{
	struct mail *mail = s->mail;
	struct question q = {
		.recipient = &wanted->wanted.recipient,
		.asker = mail->asker,
		.peer = message_caller(mail->message),
		.expansions = mail->expansions,
		.message_bytes = mail->message->body.bytes,
		.sender = &mail->message->sender,
		.trail = is_submission(s) ? STR_NONE : mail->header_trail,
	};
	struct decision d = route_answer(s->server->router, &q, s->line);

	if (d.action == ROUTE_REFUSE) {
		log_warn(s->part, "%s: filter %.*s adds <%s>, in vain: %s",
			 mail_id(s), STR(wanted->filter),
			 log_safe(s->line, q.recipient->spelling,
				  LIMIT_PATH_BYTES),
			 log_safe(s->line, reply_line(&d.reply, s->line),
				  SAY_CUT));
		return;
	}
	expansions_note(mail->expansions, &d);
	add_recipient(s, &wanted->wanted, key, &d);
	mail->message->recipients[mail->message->n - 1].trail = q.trail;
}

static void waits take_recipients(struct session *s,
				  const struct filter_letter *letter)
{
	struct message *m = s->mail->message;

	for (size_t i = 0; i < letter->n; i++) {
		const struct filter_recipient *r = &letter->recipients[i];
		struct str key = address_key(&r->wanted.recipient, m->arena);

		if (!r->is_added && !MUTANT(struck_recipient_stays))
			delete_recipient(m, key);
		else if (r->is_added && !has_recipient(m, key) &&
			 !MUTANT(added_recipient_is_lost))
			add_wanted(s, r, key);
	}
}

static struct reply discarded(struct session *s, struct str filter)
{
	log_filtered(s, "milter-discard", filter, S("it is to vanish"));
	return SAY(s, discarded, s->mail->message->id);
}

/* Our own Received is not shown, all else is as it would leave. */
static bool waits write_letter(struct session *s, struct filter_letter *to)
{
	struct message *m = s->mail->message;
	struct header_summary h;
	struct str header = body_header(&m->body, m->arena, &h);
	struct buf b scoped(buf) = BUF_EMPTY;

	if (!header.p)
		return false;
	buf_add(&b, received_own(s));
	if (h.has_mbox_line)
		buf_add(&b, S(MBOX_FIELD ": "));
	buf_add(&b, header);
	*to = (struct filter_letter){
		.message = m,
		.skip = header.n,
		.front = received_front(s),
		.header = arena_str(m->arena, buf_str(&b)),
		.max_bytes = s->mail->max_bytes,
	};
	return true;
}

static struct reply waits take_letter(struct session *s,
				      const struct filter_letter *letter)
{
	struct mail *mail = s->mail;

	if (!take_text(s, letter))
		return store_trouble(s);
	note_results(s, letter);
	if (!letter->has_sender)
		note_voucher(s);
	take_sender(s, letter);
	take_recipients(s, letter);
	mail->held_why = STR_NONE;
	if (letter->held_by.n && !MUTANT(held_by_filter_goes)) {
		log_filtered(s, "milter-hold", letter->held_by,
			     letter->held_why);
		mail->held_why =
			arena_strf(mail->message->arena, "%.*s: %.*s",
				   STR(letter->held_by), STR(letter->held_why));
	}
	if (mail->message->n == 0)
		return discarded(s, S("all recipients"));
	return SILENCE;
}

struct reply filter_message(struct session *s)
{
	struct mail *mail = s->mail;
	struct filter_letter letter;
	struct filter_verdict v;

	if (!mail->filtering)
		return SILENCE;
	if (!write_letter(s, &letter))
		return store_trouble(s);
	v = filtering_message(mail->filtering, &letter);
	switch (v.action) {
	case FILTER_PASS:
		return take_letter(s, &letter);
	case FILTER_REFUSE:
		return filter_said(s, &v);
	case FILTER_DISCARD:
		break;
	}
	return discarded(s, v.filter);
}
