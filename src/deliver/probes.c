/*
 * Questions that are open on this loop: each a fiber of its own, so that it
 * outlives the client who caused it.
 *
 *	deliver_probe() ── begins one, or joins it ── waits, for a while
 *	                        │
 *	  turn ── probe_ask() ── told to verification ── everybody wakes
 *	                                                 probe_end()
 *
 * A turn (probe_turns.c): so many at once to one system, and of these few for
 * clients who guess, so that one who does not finds his way.  Those that nobody
 * waits for begin later, and not at all when the answer has come by itself, as
 * it does with mail.
 *
 * Invariants: a probe is freed when its fiber has ended and nobody waits for it.
 * What a step costs does not depend on how many are open.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "deliver/probes_inside.h"
#include "route/allowance.h"
#include "rt/counter.h"

enum {
	LATER_MOST = 100, /* that nobody waits for */
	ELSEWHERE_MS = 50,
	CROWDED_MS = 250,
};

/* ---- the list ---- */

struct probes *probes_open(struct deliver *d)
{
	struct probes *all = must_alloc(sizeof(*all));

	*all = (struct probes){ .deliver = d };
	return all;
}

bool probes_are_over(const struct probes *all)
{
	return !all->first;
}

void probes_close(struct probes *all)
{
	check(probes_are_over(all));
	free(all);
}

static struct open_probe *find(struct open_probe *among, struct str question)
{
	struct open_probe *p;

	HASH_FIND(hh, among, question.p, question.n, p);
	return p;
}

/* A system's key is one line. */
static struct str question_of(struct str system, struct str key,
			      struct arena *arena)
{
	return arena_strf(arena, "%.*s\n%.*s", STR(system), STR(key));
}

/* Others find it from now on: to join it, or while it is asleep. */
static void show(struct open_probe *p)
{
	struct probes *all = p->all;

	p->is_open = true;
	if (p->is_asleep)
		HASH_ADD_KEYPTR(hh, all->asleep, p->question.p, p->question.n,
				p);
	else
		HASH_ADD_KEYPTR(hh, all->open, p->question.p, p->question.n, p);
}

static void hide(struct open_probe *p)
{
	if (!p->is_open)
		return;
	p->is_open = false;
	if (p->is_asleep)
		HASH_DELETE(hh, p->all->asleep, p);
	else
		HASH_DELETE(hh, p->all->open, p);
}

static void own(struct arena *arena, struct str *s)
{
	*s = arena_str(arena, *s);
}

/* A copy that does not depend on whoever asked. */
static void own_leg(struct leg *leg, struct arena *arena)
{
	struct str *const strings[] = {
		&leg->address,      &leg->trail,       &leg->system.name,
		&leg->system.hosts, &leg->system.user, &leg->system.password,
	};

	for (size_t i = 0; i < array_size(strings); i++)
		own(arena, strings[i]);
	leg->login = leg->detail = leg->domain = STR_NONE;
}

static struct open_probe *probe_new(struct probes *all, const struct leg *leg,
				    struct str key, enum urgency u)
{
	struct arena *arena = arena_open();
	struct open_probe *p = arena_new(arena, struct open_probe);

	p->all = all;
	p->arena = arena;
	p->leg = *leg;
	own_leg(&p->leg, arena);
	p->system = system_key(&p->leg.system, arena);
	p->key = arena_str(arena, key);
	p->question = question_of(p->system, p->key, arena);
	p->urgency = u;
	crowd_join(p);
	p->next = all->first;
	if (p->next)
		p->next->prev = p;
	all->first = p;
	return p;
}

static void release(struct open_probe *p)
{
	struct probes *all = p->all;

	if (!p->is_over || p->waiting)
		return;
	hide(p);
	if (p->prev)
		p->prev->next = p->next;
	else
		all->first = p->next;
	if (p->next)
		p->next->prev = p->prev;
	crowd_leave(p);
	arena_close(p->arena);
	gate_open(&all->end);
}

/* ---- one question ---- */

static struct verification *memory_of(const struct open_probe *p)
{
	return p->all->deliver->router->verification;
}

static struct allowance *allowance_of(const struct open_probe *p)
{
	return p->has_client ? p->all->deliver->router->allowance : NULL;
}

/* It is answered, or given up: who waits need not wait on for the rest. */
static void tell(struct open_probe *p, const struct probe *q, int64_t began_ms)
{
	if (allowance_of(p))
		allowance_end(allowance_of(p), p->system, &p->client,
			      q->was_refused);
	verify_end(memory_of(p), p->system, p->key, q->verdict, &q->reply,
		   began_ms);
	hide(p);
	p->is_over = true;
	gate_open(&p->over);
}

/* Of a system that bans. */
static bool begin_today(const struct open_probe *p)
{
	struct allowance *a = p->all->deliver->router->allowance;

	return !a || allowance_begin_today(a, p->system);
}

static void end_today(const struct open_probe *p, bool was_refused)
{
	struct allowance *a = p->all->deliver->router->allowance;

	if (a)
		allowance_end_today(a, p->system, was_refused);
}

static void waits ask(struct open_probe *p)
{
	struct probe q = {
		.deliver = p->all->deliver,
		.leg = &p->leg,
		.key = p->key,
		.arena = p->arena,
		.deadline_ms = after_ms(LIMIT_PROBE_MS),
	};
	int64_t began_ms = now_ms();

	if (turn_take(p, q.deadline_ms) && begin_today(p)) {
		q.is_guess = p->urgency != URGENCY_NOW;
		count(COUNT_PROBES);
		probe_ask(&q);
		end_today(p, q.was_refused);
	}
	p->waiting++; /* ours, until the connection is cleaned up */
	tell(p, &q, began_ms);
	if (p->is_running)
		probe_end(&q);
	turn_end(p);
	p->fiber = NULL;
	p->waiting--;
	release(p);
}

static void probe_main(void *arg)
{
	ask(arg);
}

/* False: it cannot be asked now. */
static bool begin(struct open_probe *p)
{
	struct verification *v = memory_of(p);

	if (!verify_begin(v, p->system, p->key))
		return false;
	if (allowance_of(p))
		allowance_begin(allowance_of(p), &p->client);
	p->is_asleep = false;
	show(p);
	return true;
}

static void unbegin(struct open_probe *p)
{
	tell(p, &(struct probe){ .verdict = VERDICT_NOT_ASKED }, now_ms());
}

/* ---- who waits for an answer ---- */

/* So that what one system is slow to answer leaves room for the others (half of
 * it, of each urgency), and who guesses for who does not. */
static bool is_crowded(struct probes *all, struct str system, enum urgency u)
{
	static const unsigned most_of[URGENCIES] = {
		[URGENCY_NOW] = LIMIT_PROBES,
		[URGENCY_GUESS] = LIMIT_PROBES / 4,
		[URGENCY_LATER] = LATER_MOST,
		[URGENCY_SPENT] = LIMIT_PROBES / 8,
	};
	const struct crowd *c = crowd_of(all, system);

	return all->n >= LIMIT_PROBES || all->n_of[u] >= most_of[u] ||
	       (c &&
		(c->n >= LIMIT_PROBES / 2 || c->n_of[u] >= most_of[u] / 2));
}

/* Who asks, and how urgently. */
struct caller {
	const struct inet *client; /* or NULL */
	enum urgency urgency;
	int64_t pause_ms;
};

static struct caller caller_of(const struct deliver *d, struct str system,
			       const struct inet *client)
{
	struct caller c = { .client = client, .urgency = URGENCY_NOW };
	struct standing s;

	if (!d->router->allowance || !client)
		return c;
	s = allowance_look(d->router->allowance, system, client);
	c.pause_ms = s.pause_ms;
	if (s.client_is_spent)
		c.urgency = URGENCY_SPENT;
	else if (s.was_refused || s.open >= LIMIT_PROBES_OF_CLIENT)
		c.urgency = URGENCY_GUESS;
	return c;
}

/* A new question; NULL: another loop asks it, or we stop. */
static struct open_probe *start(struct probes *all, const struct leg *leg,
				struct str key, const struct caller *c)
{
	struct open_probe *p;

	if (all->is_stopping)
		return NULL;
	p = probe_new(all, leg, key, c->urgency);
	p->has_client = c->client != NULL;
	if (c->client)
		p->client = *c->client;
	if (!begin(p)) {
		p->is_over = true;
		release(p);
		return NULL;
	}
	p->fiber = fiber_start("probe", probe_main, p);
	if (p->fiber)
		return p;
	unbegin(p);
	release(p);
	return NULL;
}

static void waits wait_here(struct open_probe *p, int64_t deadline_ms)
{
	p->waiting++;
	while (!p->is_over)
		if (gate_wait(&p->over, deadline_ms) != WAIT_DONE)
			break;
	p->waiting--;
	release(p);
}

/* One client's question, from RCPT to the answer. */
struct asking {
	struct probes *all;
	struct verification *memory;
	const struct leg *leg;
	struct str system, key, question;
	struct caller caller;
	struct arena *arena;
	int64_t deadline_ms;
};

/* Another loop asks it.  Loops share no gate, so this looks again. */
static void waits wait_elsewhere(const struct asking *a)
{
	while (verify_is_open(a->memory, a->system, a->key) &&
	       now_ms() < a->deadline_ms)
		if (fiber_sleep(after_ms(ELSEWHERE_MS)) == WAIT_CANCELLED)
			break;
}

static bool is_being_asked(const struct asking *a)
{
	return find(a->all->open, a->question) ||
	       verify_is_open(a->memory, a->system, a->key);
}

/* One who has asked for too many waits before he is asked for.  False: he has
 * the answer by then, or we stop. */
static bool waits pause_first(const struct asking *a)
{
	int64_t until_ms = after_ms(a->caller.pause_ms);

	while (now_ms() < until_ms && !a->all->is_stopping)
		if (gate_wait(&a->all->stop, until_ms) == WAIT_CANCELLED)
			return false;
	return !a->all->is_stopping &&
	       verify_find(a->memory, a->system, a->key, a->arena).verdict ==
		       VERDICT_NOT_ASKED;
}

/* Until there is room for one more question. */
static bool waits find_room(const struct asking *a)
{
	while (is_crowded(a->all, a->system, a->caller.urgency)) {
		int64_t look_ms = after_ms(CROWDED_MS);

		if (a->all->is_stopping || look_ms > a->deadline_ms ||
		    gate_wait(&a->all->stop, look_ms) == WAIT_CANCELLED)
			return false;
	}
	return true;
}

/* Until it may be asked, or is.  False: there is nothing to wait for. */
static bool waits may_ask(struct asking *a, int64_t wait_ms)
{
	if (a->caller.pause_ms > 0 && !is_being_asked(a) && !pause_first(a))
		return false;
	a->deadline_ms = after_ms(wait_ms);
	return is_being_asked(a) || find_room(a);
}

void deliver_probe(struct deliver *d, const struct leg *leg,
		   struct str address_key, const struct inet *client)
{
	int64_t wait_ms = d->settings->probe_wait_ms;
	struct arena *arena scoped(arena) = arena_open();
	struct asking a = {
		.all = d->probes,
		.memory = d->router->verification,
		.leg = leg,
		.system = system_key(&leg->system, arena),
		.key = address_key,
		.arena = arena,
	};
	struct open_probe *p;

	if (!a.memory || leg->kind != LEG_SYSTEM)
		return;
	a.question = question_of(a.system, address_key, arena);
	a.caller = caller_of(d, a.system, client);
	if (!may_ask(&a, wait_ms ? wait_ms : LIMIT_PROBE_WAIT_MS))
		return;
	p = find(a.all->open, a.question);
	if (p) /* who guessed first makes nobody wait who asks for the same */
		turn_hurry(p, a.caller.urgency);
	else
		p = start(a.all, leg, address_key, &a.caller);
	if (p)
		wait_here(p, a.deadline_ms);
	else
		wait_elsewhere(&a);
}

/* ---- those nobody waits for ---- */

static bool is_known_by_now(struct open_probe *p)
{
	return !verify_find(memory_of(p), p->system, p->key, p->arena).is_due;
}

static void later_main(void *arg)
{
	struct open_probe *p = arg;
	int64_t ms = p->all->deliver->settings->probe_later_ms;

	if (fiber_sleep(after_ms(ms ? ms : LIMIT_PROBE_LATER_MS)) !=
		    WAIT_CANCELLED &&
	    !is_known_by_now(p)) {
		hide(p);
		if (begin(p)) {
			ask(p);
			return;
		}
	}
	p->fiber = NULL;
	p->is_over = true;
	release(p);
}

void deliver_probe_later(struct deliver *d, const struct leg *leg,
			 struct str address_key)
{
	struct arena *arena scoped(arena) = arena_open();
	struct probes *all = d->probes;
	struct str system = system_key(&leg->system, arena);
	struct open_probe *p;

	if (!d->router->verification || leg->kind != LEG_SYSTEM ||
	    all->is_stopping || is_crowded(all, system, URGENCY_LATER) ||
	    all->n >= LIMIT_PROBES / 2 ||
	    find(all->asleep, question_of(system, address_key, arena)))
		return;
	p = probe_new(all, leg, address_key, URGENCY_LATER);
	p->is_asleep = true;
	show(p);
	p->fiber = fiber_start("probe", later_main, p);
	if (p->fiber)
		return;
	p->is_over = true;
	release(p);
}

/* ---- the end ---- */

void probes_stop(struct probes *all)
{
	if (all->is_stopping)
		return;
	all->is_stopping = true;
	gate_open(&all->stop);
	for (struct open_probe *p = all->first; p; p = p->next)
		if (p->fiber)
			fiber_cancel(p->fiber);
}

void probes_drain(struct probes *all, int64_t deadline_ms)
{
	probes_stop(all);
	while (all->first)
		if (gate_wait(&all->end, deadline_ms) != WAIT_DONE)
			break;
}
