/*
 * The places of a host: who takes one, who waits for one, and who is called
 * when one comes free (hosts.h).
 *
 * Lists of guests belong to their loops; how many wait on which loop, and how
 * many places it has, is behind the lock, so that whoever leaves can say whom
 * to call.  A call is a loop_post(): the loop looks for its guest itself.
 *
 * Invariants: places = the sum of the loops' places >= ready.  A call holds its
 * host.
 */
#include "deliver/hosts_inside.h"

#include "rt/loop.h"

enum {
	LIMIT_AGAIN_MS = 300000, /* then one more connection is tried */
	SET_AGAIN_MS = 5000,     /* ...and all that an administrator allows */
	STILL_COUNTED_MS = 2000, /* what we have closed, at the other side */
	SLOW_START = 2,          /* dialled at once when none is ready */
	START_OF_GUESSES = 1,    /* ...and of these for who guesses */
	SHARE_OF_QUESTIONS = 4,  /* a quarter of the places */
	TURN_MAILS = 20,         /* over one connection while others wait */
};

/* ---- who is to be called ---- */

/* What an administrator has set wins over what was learnt.  Who is sent away
 * all the same leaves it at that for a moment: else whoever waits would be
 * dialling in vain, one after the other. */
static unsigned places_for(const struct host_state *h, unsigned most_set)
{
	unsigned limit = host_fact(h, HOST_CONNECTIONS);
	unsigned most = most_set ? most_set : h->most;
	int64_t since_ms = host_now_ms(h) - h->sent_away_ms;

	if (!limit || limit >= most)
		return most;
	if (most_set)
		return since_ms > SET_AGAIN_MS ? most : limit;
	return limit + (since_ms > LIMIT_AGAIN_MS);
}

static bool mail_waits(const struct host_state *h)
{
	for (int i = 0; i < loop_count(); i++)
		if (h->parts[i].waiting > h->parts[i].questions)
			return true;
	return false;
}

/* Where there is one place they take turns. */
static bool may_ask(const struct host_state *h, unsigned most_set)
{
	unsigned places = places_for(h, most_set);
	unsigned most = places / SHARE_OF_QUESTIONS;

	if (places == 1 && h->was_asked && mail_waits(h))
		return false;
	return h->asking < (most ? most : 1);
}

/* Its limit may not be known yet: where it serves nothing but questions, mail
 * has the next connection, and then a question again. */
static bool is_mails_turn(const struct host_state *h)
{
	return h->was_asked && h->asking + 1 >= h->ready;
}

/* A question first, if one more may be asked. */
static struct guest *next_guest(struct host_state *h, struct part *p)
{
	struct guest *mail = p->first[GUEST_MAIL];
	struct guest *question = p->first[GUEST_QUESTION];

	while (mail && mail->is_called)
		mail = mail->next;
	while (question &&
	       (question->is_called ||
		!(question->is_asking || may_ask(h, question->most))))
		question = question->next;
	return question && !(mail && is_mails_turn(h)) ? question : mail;
}

/* False: nobody on this loop can make use of it. */
static bool call_guest(struct host_state *h, struct part *p)
{
	struct guest *g = next_guest(h, p);

	if (!g)
		return false;
	g->is_called = true;
	gate_open(&g->gate);
	return true;
}

/* The same, as far as other loops see it. */
static bool has_use(const struct part *p)
{
	return p->waiting > p->questions || p->askers;
}

static bool may_have_use(const struct host_state *h, const struct part *p)
{
	return has_use(p) || (p->questions && may_ask(h, 0));
}

static void on_call(void *part);

static void post(struct part *p)
{
	if (p->is_posted)
		return;
	p->is_posted = true;
	p->host->held++;
	loop_post(p->loop, on_call, p);
}

/* Something is free for anybody; BUT could not use it, or is NULL. */
static void call_somebody(struct host_state *h, const struct part *but)
{
	struct part *best = NULL;

	for (int i = 0; i < loop_count(); i++) {
		struct part *p = &h->parts[i];

		if (p == but || !(but ? has_use(p) : may_have_use(h, p)))
			continue;
		if (!best || p->places < best->places)
			best = p;
	}
	if (!best)
		return;
	if (best->loop != loop_index())
		post(best);
	else if (!call_guest(h, best) && !but)
		call_somebody(h, best);
}

/* On the loop that was called.  What is idle here, and of no use to who waits
 * here, makes room for the others. */
static void on_call(void *part)
{
	struct part *p = part;
	struct host_state *h = p->host;
	struct hosts *hosts = h->hosts;
	struct plea plea;
	bool is_called, is_idle = atomic_load(&p->idle);

	hosts_lock(hosts);
	p->is_posted = false;
	plea = hosts->pleas[p->loop];
	is_called = call_guest(h, p);
	if (!is_called && !is_idle && p->waiting)
		call_somebody(h, p);
	hosts_unlock(hosts);
	if (!is_called && is_idle && plea.close && atomic_load(&h->waiting))
		plea.close(plea.arg, h);
	host_release(h);
}

/* Idle connections elsewhere use up places somebody needs. */
static void plead(struct host_state *h)
{
	for (int i = 0; i < loop_count(); i++)
		if (i != loop_index() && !may_have_use(h, &h->parts[i]) &&
		    atomic_load(&h->parts[i].idle))
			post(&h->parts[i]);
}

void hosts_on_plea(struct hosts *hosts,
		   void (*close)(void *arg, struct host_state *h), void *arg)
{
	hosts_lock(hosts);
	if (!hosts->pleas) {
		size_t bytes = (size_t)loop_count() * sizeof hosts->pleas[0];

		hosts->pleas = must_alloc(bytes);
		memset(hosts->pleas, 0, bytes);
	}
	hosts->pleas[loop_index()] = (struct plea){ close, arg };
	hosts_unlock(hosts);
}

/* ---- coming, waiting, leaving ---- */

static struct part *here(struct host_state *h)
{
	return &h->parts[loop_index()];
}

/* So many may be dialled at once: for mail one more for each that is served.
 * Questions are no reason to grow so fast: what they dial for may be in its way
 * where a host greets only so many. */
static unsigned start_of(const struct host_state *h, const struct guest *g)
{
	if (g->is_guess)
		return START_OF_GUESSES;
	return g->kind == GUEST_QUESTION ? SLOW_START : h->ready + SLOW_START;
}

static bool has_place(const struct host_state *h, const struct guest *g)
{
	if (h->places >= places_for(h, g->most) || (g->is_patient && h->ready))
		return false;
	if (h->is_undecided || g->was_sent_away)
		return !h->places;
	return h->places - h->ready < start_of(h, g);
}

bool host_enter(struct host_state *h, struct guest *g)
{
	bool taken;

	hosts_lock(h->hosts);
	taken = has_place(h, g);
	g->was_sent_away = false;
	g->seen = h->changes;
	if (taken) {
		h->places++;
		here(h)->places++;
	}
	hosts_unlock(h->hosts);
	return taken;
}

bool host_is_asked(struct host_state *h)
{
	bool is_asked;

	hosts_lock(h->hosts);
	is_asked = h->asking && h->ready;
	hosts_unlock(h->hosts);
	return is_asked;
}

static void begin_waiting(struct host_state *h, struct guest *g)
{
	struct part *p = here(h);

	g->is_waiting = true;
	g->silences = h->silences;
	g->next = NULL;
	g->prev = p->last[g->kind];
	*(g->prev ? &g->prev->next : &p->first[g->kind]) = g;
	p->last[g->kind] = g;
	p->waiting++;
	p->questions += g->kind == GUEST_QUESTION;
	p->askers += g->is_asking;
	atomic_fetch_add(&h->waiting, 1);
}

static void end_waiting(struct host_state *h, struct guest *g)
{
	struct part *p = here(h);

	*(g->prev ? &g->prev->next : &p->first[g->kind]) = g->next;
	*(g->next ? &g->next->prev : &p->last[g->kind]) = g->prev;
	p->waiting--;
	p->questions -= g->kind == GUEST_QUESTION;
	p->askers -= g->is_asking;
	atomic_fetch_sub(&h->waiting, 1);
}

/* Since he began to wait the host was found silent, and serves nobody. */
static bool is_in_vain(struct host_state *h, struct guest *g)
{
	hosts_lock(h->hosts);
	g->is_in_vain = g->silences != h->silences && !h->ready;
	hosts_unlock(h->hosts);
	return g->is_in_vain;
}

bool waits host_wait(struct host_state *h, struct guest *g, int64_t deadline_ms)
{
	enum wait_result w = WAIT_DONE;

	hosts_lock(h->hosts);
	if (!g->is_waiting)
		begin_waiting(h, g);
	/* What came free between his look and now has called nobody. */
	g->is_called = g->seen != h->changes;
	if (!g->is_called)
		plead(h);
	hosts_unlock(h->hosts);
	while (!g->is_called && w == WAIT_DONE)
		w = gate_wait(&g->gate, deadline_ms);
	return w == WAIT_DONE && !is_in_vain(h, g);
}

void host_seated(struct host_state *h, struct guest *g)
{
	if (!g->is_waiting)
		return;
	hosts_lock(h->hosts);
	end_waiting(h, g);
	if (g->kind == GUEST_MAIL)
		h->was_asked = false;
	/* Who was called and has something else, or nothing, passes it on. */
	call_somebody(h, NULL);
	hosts_unlock(h->hosts);
	g->is_waiting = false;
}

void host_is_ready(struct host_state *h)
{
	hosts_lock(h->hosts);
	h->ready++;
	h->changes++;
	h->is_undecided = false;
	if (host_fact(h, HOST_CONNECTIONS) &&
	    h->ready > host_fact(h, HOST_CONNECTIONS)) {
		if (h->ready < h->most)
			host_learn_locked(h, HOST_CONNECTIONS, h->ready);
		else
			host_forget(h, HOST_CONNECTIONS);
	}
	/* Slow start: one for this, and one for its own place. */
	if (atomic_load(&h->waiting)) {
		call_somebody(h, NULL);
		call_somebody(h, NULL);
	}
	hosts_unlock(h->hosts);
}

/* The last of those that were served is gone as well: it was not the limit that
 * was found, but the host's end. */
static void doubt_limit(struct host_state *h)
{
	h->is_doubtful = false;
	if (h->limit_before)
		host_learn_locked(h, HOST_CONNECTIONS, h->limit_before);
	else
		host_forget(h, HOST_CONNECTIONS);
}

void host_left(struct host_state *h, bool was_ready)
{
	hosts_lock(h->hosts);
	h->places--;
	here(h)->places--;
	h->ready -= was_ready;
	h->changes++;
	if (!h->places)
		h->is_undecided = false;
	if (was_ready)
		h->left_ms = host_now_ms(h);
	if (was_ready && !h->ready && h->is_doubtful)
		doubt_limit(h);
	if (atomic_load(&h->waiting))
		call_somebody(h, NULL);
	hosts_unlock(h->hosts);
}

enum host_fullness host_is_full(struct host_state *h, bool ready)
{
	enum host_fullness full = HOST_IN_TROUBLE;
	unsigned served, counted, before;

	hosts_lock(h->hosts);
	served = h->ready - ready;
	/* One that we have just closed may be counted there still. */
	counted = served + (host_now_ms(h) - h->left_ms < STILL_COUNTED_MS);
	if (h->places > 1 && !served)
		h->is_undecided = true;
	if (h->places > 1)
		full = HOST_FULL;
	else if (host_now_ms(h) - h->left_ms < STILL_COUNTED_MS)
		full = HOST_COUNTS;
	before = host_fact(h, HOST_CONNECTIONS);
	if (served) {
		if (!h->is_doubtful)
			h->limit_before = before;
		h->is_doubtful = true;
		h->sent_away_ms = host_now_ms(h);
		if (!before || counted <= before)
			host_learn_locked(h, HOST_CONNECTIONS,
					  before ? counted : served);
	}
	hosts_unlock(h->hosts);
	return full;
}

void host_idle(struct host_state *h, int change)
{
	struct part *p = here(h);

	atomic_fetch_add(&p->idle, (unsigned)change);
	/* Who began to wait elsewhere since host_may_keep() has not seen it. */
	if (change > 0 && atomic_load(&h->waiting)) {
		hosts_lock(h->hosts);
		if (!may_have_use(h, p))
			post(p);
		hosts_unlock(h->hosts);
	}
	/* A connection came back whole: the host lives, and its limit with
	 * it. */
	if (change > 0 && h->is_doubtful) {
		hosts_lock(h->hosts);
		h->is_doubtful = false;
		hosts_unlock(h->hosts);
	}
}

/* Is there a loop that waits and has less than this one, or use for what is of
 * no use here? */
static bool others_have_less(const struct host_state *h, const struct part *own,
			     bool has_guest, unsigned mails)
{
	for (int i = 0; i < loop_count(); i++) {
		const struct part *p = &h->parts[i];

		if (p == own || !may_have_use(h, p))
			continue;
		if (!has_guest || own->places > p->places + 1 ||
		    (own->places > p->places && mails >= TURN_MAILS))
			return true;
	}
	return false;
}

/* Mail of another loop is to have the next connection, and cannot have this. */
static bool is_turn_elsewhere(const struct host_state *h,
			      const struct part *own)
{
	return is_mails_turn(h) && mail_waits(h) &&
	       own->waiting == own->questions;
}

bool host_may_keep(struct host_state *h, const void *slot, unsigned mails)
{
	struct part *p = here(h);
	struct guest *g;
	bool keeps;

	if (!atomic_load_explicit(&h->waiting, memory_order_relaxed))
		return true;
	hosts_lock(h->hosts);
	g = next_guest(h, p);
	keeps = !is_turn_elsewhere(h, p) && !others_have_less(h, p, g, mails) &&
		(!g || g->slot == slot);
	if (keeps && g)
		(void)call_guest(h, p);
	hosts_unlock(h->hosts);
	return keeps;
}

bool host_ask(struct host_state *h, struct guest *g)
{
	if (g->is_asking)
		return true;
	hosts_lock(h->hosts);
	g->seen = h->changes;
	g->is_asking = may_ask(h, g->most);
	h->asking += g->is_asking;
	h->was_asked |= g->is_asking;
	if (g->is_waiting)
		here(h)->askers += g->is_asking;
	g->was_sent_away &= g->is_asking; /* so he waits now */
	hosts_unlock(h->hosts);
	return g->is_asking;
}

void host_asked(struct host_state *h)
{
	hosts_lock(h->hosts);
	h->asking--;
	h->changes++;
	for (int i = 0; i < loop_count(); i++)
		if (h->parts[i].questions && i != loop_index())
			post(&h->parts[i]);
		else if (h->parts[i].questions)
			(void)call_guest(h, &h->parts[i]);
	hosts_unlock(h->hosts);
}
