/*
 * The other system's share: which system, may it go there, and what has the
 * system said about the address.
 *
 * The guard comes before verification: a system is never asked about what it
 * has just handed to us.
 */
#include "base/limits.h"
#include "route/guard.h"
#include "route/verify.h"
#include "route/walk.h"

/* ---- the guard against loops ---- */

static bool is_guarded(const struct walk *w, const struct way *way)
{
	return !way->is_new && !w->q->is_retry;
}

static bool came_from(const struct walk *w, const struct target *t,
                      const struct system *s)
{
	const struct asker *a = &w->q->asker;

	if (!is_guarded(w, t->way) || a->kind != ASKER_SYSTEM)
		return false;
	if (s->id != 0 && s->id == a->system.id)
		return true;
	return !str_empty(s->hosts) &&
	       str_same_nocase(s->hosts, a->system.hosts);
}

bool route_was_here(const struct walk *w, const struct target *t)
{
	const struct guard *g = w->router->guard;

	return g && is_guarded(w, t->way) &&
	       guard_was_here(g, t->way->trail, t->key);
}

bool route_loops(struct walk *w, const struct target *t, const struct system *s)
{
	if (came_from(w, t, s)) {
		because(w, asker_is_system, V("system", s->name));
		return true;
	}
	if (route_was_here(w, t)) {
		because(w, handed_on_before, V("address", t->key));
		return true;
	}
	return false;
}

/* ---- the system ---- */

/* The system that holds T's other part; true: decided, there is none. */
bool route_system(struct walk *w, struct target *t, int64_t id,
                  struct system *s, struct outcome *o)
{
	if (id == 0) {
		*s = directory_relay(&t->domain);
	} else {
		switch (directory_system(w->router->directory, id, w->arena,
		                         s)) {
		case ANSWER_YES:
			break;
		case ANSWER_NO:
			*s = (struct system){ 0 };
			break;
		case ANSWER_UNSURE:
			return decide_unsure(w, o);
		}
	}
	if (!str_empty(s->hosts))
		return false;
	if (id == 0)
		because(w, no_relay, V("domain", t->domain.name));
	else
		because(w, no_system, V("address", t->key));
	return decide_later(w, o, "4.3.5",
	                    "%sthe system that holds it is not configured",
	                    shown_address(w, t));
}

bool route_relay(struct walk *w, const struct target *t, const struct system *s,
                 bool known, struct outcome *o)
{
	struct leg *l = leg_add(w, t, LEG_SYSTEM, o);

	if (l) {
		l->system = *s;
		l->is_known = known;
	}
	return o->is_final || decide_accept(o, ROUTE_RELAY);
}

/* May send to anybody, and is not made to wait for another system. */
static bool has_rights(const struct walk *w)
{
	const struct asker *a = &w->q->asker;

	return w->q->is_retry || a->kind == ASKER_USER ||
	       a->kind == ASKER_LOCAL ||
	       (a->kind == ASKER_SYSTEM && a->trusted);
}

/* ---- verification: what the other system says about its address ---- */

static struct str without_controls(struct walk *w, struct str text)
{
	char *clean = arena_alloc(w->arena, text.n + 1);

	for (size_t i = 0; i < text.n; i++)
		clean[i] = (text.p[i] >= ' ' && text.p[i] < 0x7f) ||
		                           text.p[i] == '\n'
		                   ? text.p[i]
		                   : '?';
	return (struct str){ clean, text.n };
}

static bool refused_there(struct walk *w, const struct system *s,
                          const struct finding *f, struct outcome *o)
{
	struct str text = str_part(f->reply.text, 0, LIMIT_VERIFIED_TEXT);
	int code = reply_is_refusal(&f->reply) ? f->reply.code : 550;
	const char *status =
	        f->reply.status[0] == '5' ? f->reply.status : "5.1.1";

	text = without_controls(w, text);
	because(w, refused_there, V("system", s->name), V("code", code),
	        V("status", status), V("reply", text))
	        ->age_s = f->age_s;
	return decide_refuse(w, o, code, status, "%.*s said: %.*s",
	                     STR(s->name), STR(text));
}

/* Is mail for it accepted without the system's word?  The reason is added. */
static bool is_kept(struct walk *w, const struct system *s, bool known)
{
	if (has_rights(w)) {
		because(w, kept_for_rights);
		return true;
	}
	switch (s->when_down) {
	case DOWN_KEEP_ALL:
		because(w, kept_all, V("system", s->name));
		return true;
	case DOWN_KEEP_KNOWN:
		if (known)
			because(w, kept_known);
		else
			because(w, not_known);
		return known;
	case DOWN_DEFER:
		break;
	}
	because(w, not_kept, V("system", s->name));
	return false;
}

/* It cannot be asked now, or could not answer; that is said already. */
static bool no_answer(struct walk *w, const struct target *t,
                      const struct system *s, bool known, struct outcome *o)
{
	if (is_kept(w, s, known))
		return route_relay(w, t, s, known, o);
	return decide_later(w, o, "4.4.1", "%s%.*s cannot be asked now",
	                    shown_address(w, t), STR(s->name));
}

static bool ask_first(struct walk *w, const struct target *t,
                      const struct system *s, bool known, struct outcome *o)
{
	because(w, not_asked_yet, V("system", s->name));
	route_relay(w, t, s, known, o);
	o->ask = true;
	w->ask_key = t->given_key;
	return true;
}

static bool asked_now(struct walk *w, const struct target *t,
                      const struct system *s, bool known, struct outcome *o)
{
	if (known || has_rights(w) || !w->q->is_probe) {
		because(w, being_asked, V("system", s->name));
		return no_answer(w, t, s, known, o);
	}
	because(w, asked_by_a_question, V("system", s->name));
	return decide_refuse(w, o, 550, "5.1.1",
	                     "%snobody here has this address",
	                     shown_address(w, t));
}

/* It would refuse the whole message: said before the client sends it. */
static bool too_large(struct walk *w, const struct target *t,
                      const struct system *s, struct outcome *o)
{
	uint64_t most = verify_size(w->router->verification, s->name,
	                            w->arena);

	if (most == 0 || w->q->message_bytes <= most)
		return false;
	because(w, system_size, V("system", s->name), V("most", most));
	return decide_refuse(w, o, 552, "5.3.4",
	                     "%smessage too large: %.*s takes up to %llu bytes",
	                     shown_address(w, t), STR(s->name),
	                     (unsigned long long)most);
}

bool route_relay_verified(struct walk *w, const struct target *t,
                          const struct system *s, bool known, struct outcome *o)
{
	struct finding f;

	if (w->q->is_retry || t->way->is_member || t->is_share)
		return route_relay(w, t, s, known, o);
	if (!w->router->verification) {
		because(w, asked_at_rcpt, V("system", s->name));
		return route_relay(w, t, s, known, o);
	}
	f = verify_find(w->router->verification, s->name, t->given_key,
	                w->arena);
	known = known || f.once_confirmed;
	switch (f.verdict) {
	case VERDICT_NOT_ASKED:
		if (f.is_asked_now)
			return asked_now(w, t, s, known, o);
		return ask_first(w, t, s, known, o);
	case VERDICT_NO:
		return refused_there(w, s, &f, o);
	case VERDICT_TROUBLE:
		because(w, no_answer, V("system", s->name));
		return no_answer(w, t, s, known, o);
	case VERDICT_YES:
		break;
	}
	because(w, confirmed, V("system", s->name))->age_s = f.age_s;
	return too_large(w, t, s, o) || route_relay(w, t, s, true, o);
}
