/*
 * What comes back: a mailbox here has the message already.
 *
 * Somebody writes to bob and to a group of the other system, of which bob is a
 * member.  bob gets it here; the group goes there, and the other system gives
 * it back for bob, in a mail of its own.  That is no loop, but he has it.
 *
 * So when a message goes to mailboxes here and to other systems at once, its
 * mailboxes are noted with its Message-ID for a few minutes; a recipient who
 * has come through this server before, as his trail says, and is noted, is
 * dropped.  Both are needed: an ordinary message that is sent again has no
 * trail.  After a restart nothing is noted, and he has it twice.
 */
#include "deliver/job.h"
#include "route/guard.h"
#include "rt/board.h"
#include "rt/counter.h"
#include "rt/log.h"
#include "wire/header.h"

enum { NOTED_MS = 600000 };

static bool is_waiting(const struct share *s, enum leg_kind kind)
{
	return s->state == RECIPIENT_WAITING && s->leg.kind == kind;
}

static bool goes_elsewhere(const struct job *job)
{
	for (size_t i = 0; i < job->n; i++)
		if (is_waiting(job->shares[i], LEG_SYSTEM))
			return true;
	return false;
}

/* Has any recipient come through this server before? */
static bool comes_back(const struct job *job)
{
	const struct guard *g = job->deliver->router->guard;

	for (size_t i = 0; i < job->n; i++)
		if (guard_is_in(g, job->message
		                           ->recipients[job->shares[i]->index]
		                           .trail))
			return true;
	return false;
}

static struct str message_id(struct job *job)
{
	struct body *body = &job->message->body;
	struct str start = body_in_memory(body);
	ptrdiff_t n;

	if (!start.p && body->bytes) {
		char *read = arena_alloc(job->arena, LIMIT_HEADER_BYTES);

		n = body_read(body, 0, read, LIMIT_HEADER_BYTES);
		start = (struct str){ read, n > 0 ? (size_t)n : 0 };
	}
	return header_scan(start).message_id;
}

static struct str note_key(struct job *job, const struct share *s,
                           struct str id)
{
	return arena_strf(job->arena, "%.*s %.*s", STR(s->leg.login), STR(id));
}

static void write_note(struct job *job, const struct share *s, struct str id)
{
	int64_t now = now_ms();

	board_write(job->deliver->settings->given, note_key(job, s, id),
	            (struct str){ (const char *)&now, sizeof now });
}

static bool is_noted(struct job *job, const struct share *s, struct str id)
{
	const struct recipient *r = &job->message->recipients[s->index];
	struct str note;
	int64_t at;

	if (!guard_is_in(job->deliver->router->guard, r->trail) ||
	    !board_read(job->deliver->settings->given, note_key(job, s, id),
	                job->arena, &note))
		return false;
	check(note.n == sizeof at);
	memcpy(&at, note.p, sizeof at);
	return now_ms() - at < NOTED_MS;
}

static void drop(struct job *job, struct share *s)
{
	s->state = RECIPIENT_DROPPED;
	count(COUNT_LOOPS_REFUSED);
	log_fact("route",
	         "%s: to=<%s>, relay=none, dsn=2.0.0, status=dropped (it came "
	         "through here before and the mailbox has it)",
	         job->message->id,
	         log_safe(job->arena, s->leg.address, LIMIT_PATH_BYTES));
}

void job_drop_given(struct job *job)
{
	bool elsewhere = goes_elsewhere(job), back;
	struct str id;

	if (!job->deliver->settings->given || !job->deliver->router->guard)
		return;
	back = comes_back(job);
	if (!elsewhere && !back)
		return;
	id = message_id(job);
	for (size_t i = 0; id.n > 0 && i < job->n; i++) {
		struct share *s = job->shares[i];

		if (!is_waiting(s, LEG_MAILBOX))
			continue;
		if (back && is_noted(job, s, id))
			drop(job, s);
		else if (elsewhere)
			write_note(job, s, id);
	}
}
