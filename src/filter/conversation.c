/* One filter and one mail (conversation.h). */
#include "filter/conversation.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mutants.h"

enum { SEND_BYTES = 262144 }; /* gathered, then sent */

/* How it goes on after a step. */
enum course {
	COURSE_ON,
	COURSE_SKIP,    /* no more of these */
	COURSE_VERDICT, /* the filter has said something: *VERDICT */
	COURSE_BROKEN,  /* cause() */
};

/* What a step needs. */
struct turn {
	struct conversation *c;
	const struct filter_mail *mail;
	struct arena *arena;
	struct filter_verdict verdict;
	/* of the last step only: where changes go */
	struct wishes *wishes;
	struct filter_letter *letter;
};

static struct turn turn_of(struct conversation *c,
			   const struct filter_mail *mail, struct arena *arena)
{
	return (struct turn){ .c = c, .mail = mail, .arena = arena };
}

/* ---- what it answers ---- */

static enum course refuse(struct turn *t, struct reply r)
{
	t->verdict = (struct filter_verdict){
		.action = FILTER_REFUSE,
		.reply = r,
		.filter = t->c->filter->name,
	};
	return COURSE_VERDICT;
}

static enum course let_pass(struct turn *t)
{
	t->c->state = CONVERSATION_OVER;
	return COURSE_VERDICT;
}

static enum course discard(struct turn *t)
{
	t->c->state = CONVERSATION_OVER;
	t->verdict = (struct filter_verdict){ .action = FILTER_DISCARD,
					      .filter = t->c->filter->name };
	return COURSE_VERDICT;
}

static enum course break_off(const struct milter_answer *a)
{
	fail("it answers '%c' out of place", (char)a->kind);
	return COURSE_BROKEN;
}

struct reply filter_later(void)
{
	return (struct reply){ 451, "4.7.1",
			       S("Service unavailable - try again later") };
}

/* The words are Postfix's. */
static enum course judge(struct turn *t, const struct milter_answer *a)
{
	switch (a->kind) {
	case MILTER_CONTINUE:
		return COURSE_ON;
	case MILTER_SKIP:
		return COURSE_SKIP;
	case MILTER_ACCEPT:
		return let_pass(t);
	case MILTER_DISCARD:
		return discard(t);
	case MILTER_REJECT:
		return refuse(t, (struct reply){ 550, "5.7.1",
						 S("Command rejected") });
	case MILTER_TEMPFAIL:
	case MILTER_SHUTDOWN:
		return refuse(t, filter_later());
	case MILTER_REPLY:
		if (MUTANT(refused_by_filter_is_taken))
			return COURSE_ON;
		return refuse(t, a->reply);
	case MILTER_CONNECTION_FAILED:
		fail("it breaks the connection off");
		return COURSE_BROKEN;
	case MILTER_PROGRESS:
	case MILTER_NEGOTIATED:
	case MILTER_SET_MACROS:
	case MILTER_ADD_HEADER:
	case MILTER_INSERT_HEADER:
	case MILTER_CHANGE_HEADER:
	case MILTER_REPLACE_BODY:
	case MILTER_CHANGE_SENDER:
	case MILTER_ADD_RECIPIENT:
	case MILTER_ADD_RECIPIENT_WITH:
	case MILTER_DELETE_RECIPIENT:
	case MILTER_QUARANTINE:
		break;
	}
	return break_off(a);
}

static int64_t deadline_ms(const struct conversation *c, unsigned patience_s)
{
	int64_t at = after_ms((int64_t)patience_s * 1000);

	return at < c->latest_ms ? at : c->latest_ms;
}

/* Up to what is neither a change nor a sign of life. */
static enum course waits hear(struct turn *t, unsigned patience_s)
{
	struct conversation *c = t->c;
	struct milter_answer a;

	for (;;) {
		if (!contact_hear(c->contact, t->arena, &a,
				  deadline_ms(c, patience_s)))
			return COURSE_BROKEN;
		if (a.kind == MILTER_PROGRESS)
			continue;
		if (!t->wishes || !milter_is_change(a.kind))
			return judge(t, &a);
		if (!wishes_add(t->wishes, t->letter, &a, c->filter->name,
				milter_keeps_blanks(&c->contact->agreed)))
			return COURSE_BROKEN;
	}
}

/* ---- what it is told ---- */

static enum course waits send_much(struct turn *t)
{
	struct contact *contact = t->c->contact;

	if (contact->out.n < SEND_BYTES ||
	    contact_send(contact, deadline_ms(t->c, t->c->filter->step_s)))
		return COURSE_ON;
	return COURSE_BROKEN;
}

/* What was put into `out` was STEP: its answer, if there is to be one. */
static enum course waits await(struct turn *t, enum milter_command step)
{
	struct contact *contact = t->c->contact;

	if (milter_answers(&contact->agreed, step))
		return hear(t, t->c->filter->step_s);
	return send_much(t);
}

static enum course waits tell(struct turn *t, enum milter_command step,
			      const struct str *texts, size_t n)
{
	struct contact *contact = t->c->contact;

	macros_say(&contact->out, step, t->mail);
	if (!milter_wants(&contact->agreed, step))
		return COURSE_ON;
	milter_say_texts(&contact->out, step, texts, n);
	return await(t, step);
}

static enum course waits tell_client(struct turn *t)
{
	const struct filter_client *client = t->mail->client;
	struct contact *contact = t->c->contact;
	struct inet at = client_address(client);

	macros_say(&contact->out, MILTER_CONNECT, t->mail);
	if (!milter_wants(&contact->agreed, MILTER_CONNECT))
		return COURSE_ON;
	milter_say_connect(&contact->out, client_host(client, t->arena), &at);
	return await(t, MILTER_CONNECT);
}

static struct str path_of(struct str address, struct arena *arena)
{
	return arena_strf(arena, "<%.*s>", STR(address));
}

/* Without CR, and without the blank where that is not spoken of. */
static struct str value_of(struct turn *t, struct str raw)
{
	char *p = arena_alloc(t->arena, raw.n + 1);
	size_t n = 0;

	if (!milter_keeps_blanks(&t->c->contact->agreed) &&
	    str_starts(raw, S(" ")))
		raw = str_from(raw, 1);
	for (size_t i = 0; i < raw.n; i++)
		if (raw.p[i] != '\r')
			p[n++] = raw.p[i];
	return (struct str){ p, n };
}

static enum course waits tell_fields(struct turn *t, struct str header)
{
	enum course course = COURSE_ON;
	struct header_raw raw;
	size_t at = 0;

	while (course == COURSE_ON && header_raw(header, &at, &raw)) {
		struct str field[] = { raw.name, value_of(t, raw.value) };

		course = tell(t, MILTER_HEADER, field, 2);
	}
	return course == COURSE_SKIP ? COURSE_ON : course;
}

static enum course waits tell_pieces(struct turn *t, char *piece)
{
	struct body *body = &t->letter->message->body;
	struct contact *contact = t->c->contact;
	enum course course = COURSE_ON;
	uint64_t at = t->letter->skip;

	while (course == COURSE_ON && at < body->bytes) {
		ptrdiff_t got = body_read(body, at, piece, MILTER_BODY_BYTES);

		if (got == 0)
			fail("the body is short");
		if (got <= 0)
			return COURSE_BROKEN;
		at += (uint64_t)got;
		milter_say(&contact->out, MILTER_BODY,
			   (struct str){ piece, (size_t)got });
		course = await(t, MILTER_BODY);
	}
	return course == COURSE_SKIP ? COURSE_ON : course;
}

static enum course waits tell_body(struct turn *t)
{
	enum course course;
	char *piece;

	if (!milter_wants(&t->c->contact->agreed, MILTER_BODY))
		return COURSE_ON;
	piece = must_alloc(MILTER_BODY_BYTES);
	course = tell_pieces(t, piece);
	free(piece);
	return course;
}

static enum course waits tell_message(struct turn *t,
				      const struct header_edited *fields)
{
	enum course course = tell(t, MILTER_DATA, NULL, 0);

	if (course == COURSE_ON)
		course = tell_fields(t, fields->before);
	if (course == COURSE_ON)
		course = tell_fields(t, fields->behind);
	if (course == COURSE_ON)
		course = tell(t, MILTER_HEADER_END, NULL, 0);
	if (course == COURSE_ON)
		course = tell_body(t);
	if (course != COURSE_ON)
		return course;
	macros_say(&t->c->contact->out, MILTER_END, t->mail);
	milter_say(&t->c->contact->out, MILTER_END, S(""));
	return COURSE_ON;
}

/* ---- the three of them ---- */

static struct filter_verdict conclude(struct turn *t, enum course course)
{
	struct conversation *c = t->c;

	if (course != COURSE_BROKEN)
		return t->verdict;
	c->state = CONVERSATION_DOWN;
	contact_close(c->contact);
	c->contact = NULL;
	return (struct filter_verdict){ .action = FILTER_PASS };
}

static bool waits begin(struct turn *t, struct filters *f)
{
	struct conversation *c = t->c;
	unsigned patience_s = c->filter->step_s;
	int64_t connect_ms = after_ms(LIMIT_FILTER_CONNECT_MS);
	int64_t step_ms = deadline_ms(c, patience_s);

	c->contact = contact_open(f, c->filter->socket,
				  step_ms < connect_ms ? step_ms : connect_ms);
	c->was_there = c->contact;
	return c->was_there;
}

struct filter_verdict conversation_mail(struct conversation *c,
					struct filters *f,
					const struct filter_mail *mail,
					struct arena *arena)
{
	struct turn t = turn_of(c, mail, arena);
	struct str helo = str_of(mail->client->helo);
	struct str sender = path_of(mail->sender, arena);
	enum course course;

	if (!begin(&t, f))
		return conclude(&t, COURSE_BROKEN);
	course = tell_client(&t);
	if (course == COURSE_ON)
		course = tell(&t, MILTER_HELO, &helo, 1);
	if (course == COURSE_ON)
		course = tell(&t, MILTER_MAIL, &sender, 1);
	return conclude(&t, course);
}

struct filter_verdict conversation_rcpt(struct conversation *c,
					const struct filter_mail *mail,
					struct arena *arena)
{
	struct turn t = turn_of(c, mail, arena);
	struct str recipient = path_of(mail->recipient, arena);

	return conclude(&t, tell(&t, MILTER_RCPT, &recipient, 1));
}

struct filter_verdict conversation_message(struct conversation *c,
					   const struct filter_mail *mail,
					   struct filter_letter *letter,
					   const struct header_edited *fields,
					   struct wishes *wishes)
{
	struct turn t = turn_of(c, mail, wishes->arena);
	enum course course;

	t.letter = letter;
	course = tell_message(&t, fields);
	if (course == COURSE_ON) {
		t.wishes = wishes;
		course = hear(&t, c->filter->message_s);
	}
	t.verdict = conclude(&t, course);
	if (course != COURSE_BROKEN) {
		contact_keep(c->contact, deadline_ms(c, c->filter->step_s));
		c->contact = NULL;
		c->state = CONVERSATION_OVER;
	}
	return t.verdict;
}

void conversation_end(struct conversation *c)
{
	contact_close(c->contact);
	c->contact = NULL;
}
