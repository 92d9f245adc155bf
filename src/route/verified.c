/*
 * What the other system says about its address, and what is done until it has.
 *
 *	fresh yes or no		it counts
 *	known, or confirmed once	accepted at once; asked in the background
 *				when nothing was heard of it for an hour
 *	anything else		asked, while the client waits at RCPT; longer
 *				when he has guessed too often (allowance.h)
 *	trouble			kept or told later, as when_down says, with the
 *				system's own words
 *
 * The last yes or no decides whether an address is "known": after a no, the
 * system is asked again before it is accepted.
 */
#include "base/limits.h"
#include "base/mutants.h"
#include "route/allowance.h"
#include "route/verify.h"
#include "route/walk.h"

/* One address that is the other system's business. */
struct matter {
	const struct target *t;
	const struct system *s;
	struct str key; /* the system's */
	struct finding f;
	bool is_known; /* by the directory, or confirmed once */
};

/* May send to anybody, and is not made to wait for another system. */
static bool has_rights(const struct walk *w)
{
	return w->q->is_retry || asker_has_rights(&w->q->asker);
}

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

static struct str words_of(struct walk *w, const struct finding *f)
{
	return without_controls(
		w, str_part(f->reply.text, 0, LIMIT_VERIFIED_TEXT));
}

static bool refused_there(struct walk *w, const struct matter *m,
			  struct outcome *o)
{
	const struct finding *f = &m->f;
	struct str text = words_of(w, f);
	int code = reply_is_refusal(&f->reply) ? f->reply.code : 550;
	const char *status =
		f->reply.status[0] == '5' ? f->reply.status : "5.1.1";

	because(w, refused_there, V("system", m->s->name), V("code", code),
		V("status", status), V("reply", text))
		->age_s = f->age_s;
	return decide_refuse(w, o, code, status, "%.*s said: %.*s",
			     STR(m->s->name), STR(text));
}

/* Is mail for it accepted without the system's word?  The reason is added. */
static bool is_kept(struct walk *w, const struct matter *m)
{
	if (has_rights(w)) {
		because(w, kept_for_rights);
		return true;
	}
	switch (m->s->when_down) {
	case DOWN_KEEP_ALL:
		because(w, kept_all, V("system", m->s->name));
		return true;
	case DOWN_KEEP_KNOWN:
		if (m->is_known)
			because(w, kept_known);
		else
			because(w, not_known);
		return m->is_known;
	case DOWN_DEFER:
		break;
	}
	because(w, not_kept, V("system", m->s->name));
	return false;
}

/* Later, in its own words.  421 would end our session, and a 5xx that refused
 * us says nothing about the address: both are 451 here. */
static bool later_with_words(struct walk *w, const struct matter *m,
			     struct outcome *o)
{
	const struct reply *r = &m->f.reply;
	struct str text = words_of(w, &m->f);

	decide_later(w, o, r->status[0] == '4' ? r->status : "4.4.1",
		     "%s%.*s said: %.*s", shown_address(w, m->t),
		     STR(m->s->name), STR(text));
	if (r->code == 450 || r->code == 452)
		o->reply.code = r->code;
	return true;
}

/* It cannot be asked now, or could not answer; that is said already. */
static bool no_answer(struct walk *w, const struct matter *m, struct outcome *o)
{
	if (is_kept(w, m))
		return route_relay(w, m->t, m->s, m->is_known, o);
	if (m->f.reply.code >= 400)
		return later_with_words(w, m, o);
	return decide_later(w, o, "4.4.1", "%s%.*s cannot be asked now",
			    shown_address(w, m->t), STR(m->s->name));
}

static bool trouble_there(struct walk *w, const struct matter *m,
			  struct outcome *o)
{
	if (m->f.reply.code >= 400)
		because(w, answered_later, V("system", m->s->name),
			V("code", m->f.reply.code),
			V("reply", words_of(w, &m->f)))
			->age_s = m->f.age_s;
	else
		because(w, no_answer, V("system", m->s->name));
	if (MUTANT(no_answer_is_a_no))
		return refused_there(w, m, o);
	return no_answer(w, m, o);
}

/* He has waited for the answer as long as one may wait at RCPT. */
static bool waited_in_vain(struct walk *w, const struct matter *m,
			   struct outcome *o)
{
	because(w, being_asked, V("system", m->s->name));
	if (is_kept(w, m))
		return route_relay(w, m->t, m->s, m->is_known, o);
	return decide_later(w, o, "4.4.1",
			    "%s%.*s is being asked about it, try again in a "
			    "minute",
			    shown_address(w, m->t), STR(m->s->name));
}

/* It would refuse the whole message: said before the client sends it. */
static bool too_large(struct walk *w, const struct matter *m, struct outcome *o)
{
	uint64_t most = verify_size(w->router->verification, m->key, w->arena);

	if (most == 0 || w->q->message_bytes <= most)
		return false;
	because(w, system_size, V("system", m->s->name), V("most", most));
	return decide_refuse(w, o, 552, "5.3.4",
			     "%smessage too large: %.*s takes up to %llu bytes",
			     shown_address(w, m->t), STR(m->s->name),
			     (unsigned long long)most);
}

/* ---- not asked lately ---- */

static bool needs_no_question(const struct matter *m)
{
	return m->is_known && !m->f.was_refused &&
	       m->s->when_down != DOWN_DEFER;
}

/* Delivery hears what the system says of it; whoever leaves after RCPT makes
 * us ask in the background, now and then. */
static bool accept_unasked(struct walk *w, const struct matter *m,
			   struct outcome *o)
{
	if (m->f.once_confirmed)
		because(w, confirmed_once, V("system", m->s->name));
	else
		because(w, known_here, V("system", m->s->name));
	if (too_large(w, m, o))
		return true;
	if (m->f.is_due && !m->f.is_asked_now) {
		because(w, asked_later, V("system", m->s->name));
		o->ask_later = true;
		w->ask_key = m->t->given_key;
	}
	return route_relay(w, m->t, m->s, true, o);
}

/* Our own question, perhaps, on its way back through the other system: that
 * one waits for us, so it must not be made to.  Who says where a recipient has
 * been would say that he was here (relay.c): it is a question of his own. */
static bool came_back(struct walk *w, const struct matter *m, struct outcome *o)
{
	if (!m->f.may_come_back || m->is_known || has_rights(w) ||
	    !w->q->is_probe || !str_empty(w->q->trail))
		return false;
	because(w, asked_by_a_question, V("system", m->s->name));
	return decide_refuse(w, o, 550, "5.1.1",
			     "%snobody here has this address",
			     shown_address(w, m->t));
}

/* Why he may have to wait for his turn. */
static void note_guesses(struct walk *w, const struct matter *m)
{
	const struct inet *client = w->q->client;
	struct standing now;

	if (!w->router->allowance || !client || has_rights(w))
		return;
	now = allowance_look(w->router->allowance, m->key, client);
	if (now.client_is_spent)
		because(w, client_is_spent,
			V("client",
			  arena_printf(w->arena, "%s", inet_ip_text(client).c)),
			V("system", m->s->name));
	else if (now.system_is_spent)
		because(w, system_is_spent, V("system", m->s->name));
}

/* It would ban us: what nobody knows is not asked for any more. */
static bool day_is_spent(struct walk *w, const struct matter *m,
			 struct outcome *o)
{
	struct allowance *a = w->router->allowance;

	if (!a || m->f.is_asked_now ||
	    !allowance_day_is_spent(a, m->key, w->q->client))
		return false;
	because(w, day_is_spent, V("system", m->s->name),
		V("most", LIMIT_REFUSALS_A_DAY));
	if (is_kept(w, m))
		return route_relay(w, m->t, m->s, m->is_known, o);
	return decide_later(w, o, "4.7.1",
			    "%s%.*s is not asked for more unknown addresses "
			    "today, try again later",
			    shown_address(w, m->t), STR(m->s->name));
}

static bool ask_first(struct walk *w, const struct matter *m, struct outcome *o)
{
	because(w, not_asked_yet, V("system", m->s->name));
	note_guesses(w, m);
	route_relay(w, m->t, m->s, m->is_known, o);
	o->ask = true;
	w->ask_key = m->t->given_key;
	return true;
}

static bool not_asked(struct walk *w, const struct matter *m, struct outcome *o)
{
	if (needs_no_question(m))
		return accept_unasked(w, m, o);
	if (came_back(w, m, o) || day_is_spent(w, m, o))
		return true;
	return w->q->has_asked ? waited_in_vain(w, m, o) : ask_first(w, m, o);
}

/* ---- the story ---- */

bool route_relay_verified(struct walk *w, const struct target *t,
			  const struct system *s, bool known, struct outcome *o)
{
	struct matter m = { .t = t, .s = s };

	if (sender_routing_refused(w, t, o))
		return true;
	if (w->q->is_retry || t->way->is_member || t->is_share ||
	    MUTANT(nobody_is_asked))
		return route_relay(w, t, s, known, o);
	if (!w->router->verification) {
		because(w, asked_at_rcpt, V("system", s->name));
		return route_relay(w, t, s, known, o);
	}
	m.key = system_key(s, w->arena);
	m.f = verify_find(w->router->verification, m.key, t->given_key,
			  w->arena);
	m.is_known = known || m.f.once_confirmed;
	o->was_told = m.f.verdict != VERDICT_NOT_ASKED;
	switch (m.f.verdict) {
	case VERDICT_NOT_ASKED:
		return not_asked(w, &m, o);
	case VERDICT_NO:
		return refused_there(w, &m, o);
	case VERDICT_TROUBLE:
	case VERDICT_DOWN:
		return trouble_there(w, &m, o);
	case VERDICT_YES:
		break;
	}
	because(w, confirmed, V("system", s->name))->age_s = m.f.age_s;
	return too_large(w, &m, o) || route_relay(w, t, s, true, o);
}
