/*
 * Legs, reasons and replies of a decision, all in the asker's arena.
 *
 * Invariant: once a walk is expanding no two legs serve the same mailbox or
 * the same address of a system.
 */
#include "route/walk.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/mutants.h"
#include "route/guard.h"

struct seen {
	UT_hash_handle hh;
	struct str what;
};

static void say(struct walk *w, struct outcome *o, int code, const char *status,
		const char *format, va_list args)
{
	o->reply.code = code;
	strncpy(o->reply.status, status, sizeof(o->reply.status) - 1);
	o->reply.text = str_of(arena_vprintf(w->arena, format, args));
}

bool decide_refuse(struct walk *w, struct outcome *o, int code,
		   const char *status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(w, o, code, status, format, args);
	va_end(args);
	o->action = ROUTE_REFUSE;
	return true;
}

bool decide_later(struct walk *w, struct outcome *o, const char *status,
		  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(w, o, 451, status, format, args);
	va_end(args);
	o->action = ROUTE_LATER;
	return true;
}

bool decide_unsure(struct walk *w, struct outcome *o)
{
	because(w, trouble, V("cause", cause()));
	if (MUTANT(own_trouble_is_a_refusal))
		return decide_refuse(w, o, 550, "5.1.1", "no such address");
	return decide_later(w, o, "4.3.0", "trouble with the directory here");
}

bool decide_too_many(struct walk *w, const char *shown, struct outcome *o)
{
	because(w, too_many_recipients, V("most", LIMIT_EXPANSION));
	o->is_final = true;
	return decide_refuse(w, o, 550, "5.2.4",
			     "%sthis becomes more than %d recipients", shown,
			     LIMIT_EXPANSION);
}

bool decide_accept(struct outcome *o, enum route_action action)
{
	o->action = action;
	o->reply = (struct reply){ 250, "2.1.5", S("recipient ok") };
	return true;
}

bool decide_drop(struct walk *w, const struct target *t, struct outcome *o)
{
	w->dropped++;
	way_reaches(t->way);
	return decide_accept(o, ROUTE_EXPAND);
}

static const struct reason facts[] = {
#define FACT(name, of_rule, of_source, text) \
	[FACT_##name] = { .id = #name, \
			  .rule = of_rule, \
			  .source = of_source, \
			  .sentence = text },
#include "route/facts.def"
#undef FACT
};

struct str reason_fact(const struct reason *r, struct arena *arena)
{
	return sentence_fill(str_of(r->sentence), r->values, arena);
}

struct reason *reason_add(struct walk *w, enum fact f,
			  const struct value *values)
{
	struct reason *r;

	if (w->n_reasons == LIMIT_REASONS)
		return &w->spare;
	if (w->n_reasons == w->reasons_room) {
		size_t room = w->reasons_room ? 4 * w->reasons_room : 8;

		r = arena_array(w->arena, struct reason, room);
		if (w->n_reasons > 0)
			memcpy(r, w->reasons, w->n_reasons * sizeof(*r));
		w->reasons = r;
		w->reasons_room = room;
	}
	r = &w->reasons[w->n_reasons++];
	*r = facts[f];
	r->values = values_keep(values, w->arena);
	return r;
}

bool seen_first(struct walk *w, struct str what)
{
	struct seen *s;

	HASH_FIND(hh, w->seen, what.p, what.n, s);
	if (s)
		return false;
	s = arena_new(w->arena, struct seen);
	s->what = what;
	HASH_ADD_KEYPTR(hh, w->seen, s->what.p, s->what.n, s);
	return true;
}

void seen_close(struct walk *w)
{
	HASH_CLEAR(hh, w->seen);
}

static bool is_served(struct walk *w, const struct target *t,
		      enum leg_kind kind)
{
	struct str whose = kind == LEG_MAILBOX ? t->holder.login : t->given_key;
	const char *where = kind == LEG_MAILBOX ? "here" : "there";

	if (!w->expanding ||
	    seen_first(w, MUTANT(served_here_is_served)
				  ? whose
				  : arena_strf(w->arena, "%s %.*s", where,
					       STR(whose))))
		return false;
	because(w, served_already, V("address", whose));
	return true;
}

static struct str trail_of(struct walk *w, const struct target *t,
			   enum leg_kind kind)
{
	const struct guard *g = w->router->guard;

	if (kind == LEG_MAILBOX || !g || MUTANT(trail_is_not_written))
		return t->way->trail;
	return trail_add(t->way->trail, guard_entry(g, t->key, w->arena),
			 w->arena);
}

struct leg *leg_add(struct walk *w, const struct target *t, enum leg_kind kind,
		    struct outcome *o)
{
	struct leg *l;

	way_reaches(t->way);
	if (is_served(w, t, kind))
		return NULL;
	if (w->n == LIMIT_EXPANSION) {
		decide_too_many(w, shown_address(w, t), o);
		return NULL;
	}
	if (w->n == w->room) {
		w->room = w->room ? 4 * w->room : 2;
		l = arena_array(w->arena, struct leg, w->room);
		if (w->n > 0)
			memcpy(l, w->legs, w->n * sizeof(*l));
		w->legs = l;
	}
	l = &w->legs[w->n++];
	l->kind = kind;
	l->address = t->spelling;
	l->trail = trail_of(w, t, kind);
	l->is_member = t->way->is_member;
	l->is_split = t->is_share;
	l->is_copy = t->is_copy;
	return l;
}

const char *shown_address(const struct walk *w, const struct target *t)
{
	if (t->address->is_utf8)
		return "";
	return arena_printf(w->arena, "<%.*s>: ", STR(t->spelling));
}
