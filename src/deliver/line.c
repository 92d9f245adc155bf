/*
 * A connection for whoever needs one: a pooled one, one he dials himself, or one
 * that a fiber of its own dials and leaves to the pool, so that no mail and no
 * question waits for it alone: does a host greet a further connection, or does
 * an open one come free first?  Is one back that was silent?
 */
#include "deliver/line.h"

#include "base/limits.h"

enum { MOMENT_MS = 100 };

bool line_is_busy(struct trouble *trouble, const struct hop *hop,
		  struct arena *arena)
{
	trouble_ours(trouble, own_reply(arena, 451, "4.3.2", "%.*s: %s",
					STR(hop_name(hop, arena)), cause()));
	trouble->is_busy = true;
	return false;
}

/* We waited for a place, and others have found out that there is nobody: as if
 * we had dialled in vain ourselves, though not for long. */
static bool is_silent(struct trouble *trouble, const struct hop *hop,
		      struct arena *arena)
{
	trouble_ours(trouble, own_reply(arena, 451, "4.4.1",
					"connect to %.*s: no answer to others",
					STR(hop_name(hop, arena))));
	trouble->loss = LOSS_LATE;
	return false;
}

/* ---- a fiber of its own ---- */

struct look {
	struct look *prev, *next; /* of the loop */
	struct deliver *deliver;
	struct arena *arena;
	struct fiber *fiber;
	struct hop hop;
	struct line_wish wish;
	struct line line; /* has a slot: a place was taken for it */
};

static bool waits open_line(struct look *l)
{
	struct trouble trouble = { 0 };
	enum host_fullness full;

	if (!l->line.slot)
		return line_open(l->deliver, &l->hop, &l->wish, l->arena,
				 &l->line, &trouble);
	/* As mail that dials itself, in all that is learnt from it. */
	if (line_dial(l->deliver, &l->hop, &l->wish, &l->line, l->arena,
		      &trouble, &full) &&
	    host_fact(l->line.host, HOST_SILENT))
		host_answered(l->line.host);
	return true;
}

static void waits look_main(void *arg)
{
	struct look *l = arg;
	struct deliver *d = l->deliver;

	if (open_line(l))
		line_release(&l->line);
	if (l->prev)
		l->prev->next = l->next;
	else
		d->looks = l->next;
	if (l->next)
		l->next->prev = l->prev;
	arena_close(l->arena);
	gate_open(&d->quiet);
}

static bool look_start(struct deliver *d, const struct hop *hop,
		       const struct line_wish *wish, const struct line *line)
{
	struct arena *arena = arena_open();
	struct look *l = arena_new(arena, struct look);

	*l = (struct look){ .deliver = d,
			    .arena = arena,
			    .hop = hop_copy(hop, arena),
			    .wish = *wish,
			    .line = *line };
	l->fiber = d->is_draining ? NULL : fiber_start("look", look_main, l);
	if (!l->fiber) {
		arena_close(arena);
		return false;
	}
	l->next = d->looks;
	if (l->next)
		l->next->prev = l;
	d->looks = l;
	return true;
}

/* ---- who needs one ---- */

/* A system that is asked may have no room for a further connection, and not say
 * so: mail takes the first one of ours that comes free, or a fiber of its own
 * has dialled. */
static bool leaves_dialling(struct deliver *d, const struct hop *hop,
			    const struct line_wish *wish,
			    const struct line *line, struct guest *g)
{
	if (wish->kind != GUEST_MAIL || wish->fresh || g->is_patient ||
	    !host_is_asked(line->host))
		return false;
	g->is_patient = look_start(d, hop, wish, line);
	return g->is_patient;
}

bool line_open(struct deliver *d, const struct hop *hop,
	       const struct line_wish *wish, struct arena *arena,
	       struct line *out, struct trouble *trouble)
{
	struct str key = hop_key(hop, arena);
	struct guest g = {
		.kind = wish->kind,
		.is_guess = wish->is_guess,
		.wants_fresh = wish->fresh,
		.most = hop->limits.connections,
	};
	enum host_fullness full;

	*out = (struct line){ .kind = wish->kind };
	do {
		out->host = host_of_hop(d, hop, arena);
		out->slot = pool_enter(d->pool, key, out->host, &g,
				       wish->deadline_ms, &out->peer);
		if (!out->slot)
			return g.is_in_vain ? is_silent(trouble, hop, arena)
					    : line_is_busy(trouble, hop, arena);
		out->host = slot_host(out->slot);
		full = HOST_FULL;
		if (!out->peer && leaves_dialling(d, hop, wish, out, &g))
			continue;
		if (out->peer ||
		    line_dial(d, hop, wish, out, arena, trouble, &full)) {
			if (host_fact(out->host, HOST_SILENT))
				host_answered(out->host);
			return true;
		}
		line_release(out);
		g.is_asking = false; /* a turn of its own, each time */
		g.was_sent_away = full == HOST_FULL;
		if (full == HOST_COUNTS)
			fiber_sleep(after_ms(MOMENT_MS));
	} while (full != HOST_IN_TROUBLE && !fiber_cancelled());
	return false;
}

void look_begin(struct deliver *d, const struct hop *hop)
{
	struct line_wish wish = {
		.kind = GUEST_MAIL,
		.deadline_ms = after_ms(LIMIT_CONNECT_MS),
	};

	(void)!look_start(d, hop, &wish, &(struct line){ 0 });
}

void looks_end(struct deliver *d)
{
	for (struct look *l = d->looks; l; l = l->next)
		fiber_cancel(l->fiber);
}
