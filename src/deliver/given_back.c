/*
 * What comes back: a mailbox here has the message already.
 *
 * Somebody writes to bob and to a group of the other system, of which bob is a
 * member.  bob gets it here; the group goes there, and the other system gives
 * it back for bob, in a mail of its own.  That is no loop, but he has it.
 *
 * Mail that was answered 250 is dropped only when it is provably the same: when
 * a message goes to mailboxes here and to other systems at once, it is noted
 * for a few minutes which mailboxes get it.  A recipient is dropped when
 *
 *	his trail says that he came through this server,
 *	one of our own Received fields has the id of a message that is noted,
 *	for this mailbox and detail, and nobody who is logged in has sent it
 *	again since (TRAIL_RESENT is above that field),
 *	and the fingerprints of both are equal (wire/fingerprint.h).
 *
 * Nothing of that can be chosen by a sender: two mails that have one
 * Message-ID, or are equal in every octet, have ids of their own.  In doubt it
 * is delivered: after a restart, or when the other system takes our fields
 * away or adds a footer, he has it twice.
 */
#include "deliver/given_back.h"

#include "base/mutants.h"
#include "deliver/fate.h"
#include "route/guard.h"
#include "rt/board.h"
#include "wire/fingerprint.h"

enum { NOTED_MS = 600000, PIECE_BYTES = 65536 };

/* What a message is known by. */
struct given {
	char print[2 * FINGERPRINT_BYTES + 1]; /* hex */
	struct str ids[LIMIT_RECEIVED]; /* of its ways through Splitmails */
	size_t n;
};

static bool is_waiting(const struct share *s, enum leg_kind kind)
{
	return s->state == RECIPIENT_WAITING && s->leg.kind == kind;
}

static bool goes_elsewhere(const struct round *round)
{
	for (size_t i = 0; i < round->n; i++)
		if (is_waiting(round->shares[i], LEG_SYSTEM))
			return true;
	return false;
}

static bool goes_to_mailboxes(const struct round *round)
{
	for (size_t i = 0; i < round->n; i++)
		if (is_waiting(round->shares[i], LEG_MAILBOX))
			return true;
	return false;
}

static const struct recipient *recipient_of(const struct round *round,
					    const struct share *s)
{
	return &round->message->recipients[s->index];
}

/* Has any recipient come through this server before? */
static bool comes_back(const struct round *round)
{
	const struct guard *g = round->deliver->router->guard;

	for (size_t i = 0; i < round->n; i++)
		if (guard_is_in(g,
				recipient_of(round, round->shares[i])->trail))
			return true;
	return false;
}

/* ---- what it is known by ---- */

/* "... by mx.example.org (Splitmail) with ESMTPS id 4f2a9c for ..."; empty:
 * it is no Received field of a Splitmail (smtp/received.c). */
static struct str id_in(struct str received)
{
	ptrdiff_t ours = str_search(received, S("(Splitmail) with ")), at;
	struct str rest, id;

	if (ours < 0)
		return STR_NONE;
	rest = str_from(received, ours);
	at = str_search(rest, S(" id "));
	id = at < 0 ? STR_NONE : str_part(rest, at + 4, at + 4 + ID_LETTERS);
	return id_number(id) ? id : STR_NONE;
}

/* Did a new way begin in FIELDS?  Those above are left then. */
static bool cut_at_new_way(struct str *fields)
{
	struct arena *own scoped(arena) = arena_open();
	struct str value;
	size_t at = 0;

	while (header_next(*fields, S(TRAIL_FIELD), &at, own, &value))
		if (str_same(str_trim(value), S(TRAIL_RESENT))) {
			*fields = str_part(*fields, 0, at);
			return true;
		}
	return false;
}

static void find_ids(struct given *g, struct str header, struct arena *arena)
{
	struct arena *own scoped(arena) = arena_open();
	struct str value, id;
	size_t at = 0;

	while (g->n < LIMIT_RECEIVED &&
	       header_next(header, S("Received"), &at, own, &value))
		if ((id = id_in(value)).n)
			g->ids[g->n++] = arena_str(arena, id);
}

static bool add_body(struct fingerprint *f, struct body *body, uint64_t at,
		     struct arena *arena)
{
	struct str memory = body_in_memory(body);
	ptrdiff_t n;
	char *piece;

	if (memory.p) {
		fingerprint_body(f, str_from(memory, at));
		return true;
	}
	piece = arena_alloc(arena, PIECE_BYTES);
	while ((n = body_read(body, at, piece, PIECE_BYTES)) > 0) {
		fingerprint_body(f, (struct str){ piece, n });
		at += n;
	}
	return n == 0;
}

/* NULL: it cannot be read, which whoever delivers it will say. */
static struct given *know(struct round *round)
{
	struct arena *own scoped(arena) = arena_open();
	struct given *g = arena_new(round->arena, struct given);
	struct body *body = &round->message->body;
	uint8_t print[FINGERPRINT_BYTES];
	struct str header, trace = round->message->trace, way;
	struct header_summary h;
	struct fingerprint f;

	header = way = body_header(body, own, &h);
	if (!header.p)
		return NULL;
	if (!cut_at_new_way(&trace)) {
		cut_at_new_way(&way);
		find_ids(g, way, round->arena);
	}
	fingerprint_begin(&f);
	fingerprint_header(&f, round->message->trace, own);
	fingerprint_header(&f, header, own);
	if (!add_body(&f, body, header.n, own))
		return NULL;
	fingerprint_end(&f, print);
	sodium_bin2hex(g->print, sizeof g->print, print, sizeof print);
	return g;
}

/* ---- notes ---- */

static struct str note_key(struct round *round, const struct share *s,
			   struct str id)
{
	if (MUTANT(message_id_is_identity))
		return arena_strf(round->arena, "%.*s %.*s", STR(s->leg.login),
				  STR(round->message->header.message_id));
	return arena_strf(round->arena, "%s %.*s %zu %.*s %.*s",
			  round->given->print, STR(id), s->leg.login.n,
			  STR(s->leg.login), STR(s->leg.detail));
}

static void write_note(struct round *round, struct share *s)
{
	struct str key = note_key(round, s, str_of(round->message->id));
	int64_t now = now_ms();

	board_write(round->deliver->settings->given, key,
		    (struct str){ (const char *)&now, sizeof now });
	s->is_noted = true;
}

static bool is_noted_as(struct round *round, const struct share *s,
			struct str id)
{
	struct str note;
	int64_t at;

	if (!board_read(round->deliver->settings->given, note_key(round, s, id),
			round->arena, &note))
		return false;
	check(note.n == sizeof at);
	memcpy(&at, note.p, sizeof at);
	return now_ms() - at < NOTED_MS;
}

static bool has_it(struct round *round, const struct share *s)
{
	if (!guard_is_in(round->deliver->router->guard,
			 recipient_of(round, s)->trail))
		return false;
	for (size_t i = 0; i < round->given->n; i++)
		if (is_noted_as(round, s, round->given->ids[i]))
			return true;
	return false;
}

void round_drop_given(struct round *round)
{
	bool elsewhere = goes_elsewhere(round), back;

	if (!round->deliver->settings->given ||
	    !round->deliver->router->guard || !goes_to_mailboxes(round))
		return;
	back = comes_back(round);
	if (!elsewhere && !back)
		return;
	round->given = know(round);
	for (size_t i = 0; round->given && i < round->n; i++) {
		struct share *s = round->shares[i];

		if (!is_waiting(s, LEG_MAILBOX))
			continue;
		if (back && has_it(round, s)) {
			s->state = RECIPIENT_DROPPED;
			fate_had(round, s);
		} else if (elsewhere) {
			write_note(round, s);
		}
	}
}

void round_forget_given(struct round *round)
{
	for (size_t i = 0; i < round->n; i++) {
		struct share *s = round->shares[i];

		if (s->is_noted && s->state != RECIPIENT_DONE &&
		    !round->message->is_kept)
			board_erase(
				round->deliver->settings->given,
				note_key(round, s, str_of(round->message->id)));
	}
}
