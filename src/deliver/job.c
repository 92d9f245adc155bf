/*
 * One round of work on one message: routed, attempted, settled.
 *
 * route() is asked for every recipient at every round.  What it expands is
 * fixed at acceptance: members and shares become recipients of their own, and
 * the group itself ends as DROPPED.  The same mailbox or address reached twice
 * gets the message once: a member that is there already is not added, and a
 * recipient that was given twice follows the first.
 *
 * Invariant: a job is freed when no attempt of it runs, by whoever waited for
 * it, or by the last attempt when it is detached.
 */
#include "deliver/job.h"

#include <stdio.h>
#include <uthash.h>

#include "rt/counter.h"
#include "rt/log.h"
#include "wire/header.h"

enum {
	PUT_OFF_MS = 500,
	SETTLE_AGAIN_MS = 1000,
	SETTLE_AGAIN_MOST_MS = 60000
};

/* SMTPUTF8 that was only declared is not needed by the next system. */
static bool message_needs_utf8(struct message *m)
{
	struct str start = body_in_memory(&m->body);
	char *read = NULL;
	ptrdiff_t n;
	bool needs;

	if (!str_is_ascii(m->sender))
		return true;
	if (!m->is_utf8)
		return false;
	if (!start.p && m->body.bytes) {
		read = must_alloc(LIMIT_HEADER_BYTES);
		n = body_read(&m->body, 0, read, LIMIT_HEADER_BYTES);
		start = (struct str){ read, n > 0 ? n : 0 };
	}
	needs = header_scan(start).is_utf8;
	free(read);
	return needs;
}

/* ---- from recipients to shares ---- */

/* Where shares end, while they are made. */
struct end {
	UT_hash_handle hh;
	struct share *share;
};

struct routing {
	struct job *job;
	struct asker asker;
	struct end *ends;
};

static struct share *share_add(struct job *job, size_t index)
{
	struct share *s = arena_new(job->arena, struct share);

	if (job->n == job->room) {
		size_t room = job->room ? job->room * 2 : 8;
		struct share **more =
		        arena_array(job->arena, struct share *, room);

		if (job->n)
			memcpy(more, job->shares, job->n * sizeof more[0]);
		job->shares = more;
		job->room = room;
	}
	s->index = index;
	s->state = RECIPIENT_WAITING;
	job->shares[job->n++] = s;
	return s;
}

static struct str address_end(const struct leg *leg, const char *where,
                              struct str whose, struct arena *arena)
{
	struct address a;
	struct str key = leg->address;

	if (address_parse(leg->address, arena, &a))
		key = address_key(&a, arena);
	return arena_strf(arena, "%s %.*s %.*s", where, STR(whose), STR(key));
}

static struct str leg_end(const struct leg *leg, struct arena *arena)
{
	switch (leg->kind) {
	case LEG_MAILBOX:
		return arena_strf(arena, "mailbox %.*s", STR(leg->login));
	case LEG_SYSTEM:
		return address_end(leg, "system", leg->system.name, arena);
	case LEG_INTERNET:
		return address_end(leg, "internet", S(""), arena);
	}
	return S("");
}

static struct str leg_system(const struct leg *leg)
{
	switch (leg->kind) {
	case LEG_MAILBOX:
		return S("hosted");
	case LEG_SYSTEM:
		return leg->system.name;
	case LEG_INTERNET:
		return S("internet");
	}
	return S("");
}

static struct share *end_find(struct routing *g, struct str key)
{
	struct end *e;

	HASH_FIND(hh, g->ends, key.p, key.n, e);
	return e ? e->share : NULL;
}

static void end_add(struct routing *g, struct str key, struct share *s)
{
	struct end *e = arena_new(g->job->arena, struct end);

	e->share = s;
	HASH_ADD_KEYPTR(hh, g->ends, key.p, key.n, e);
}

static enum recipient_part leg_part(const struct leg *leg)
{
	if (!leg->is_split)
		return PART_WHOLE;
	return leg->is_here ? PART_HERE : PART_THERE;
}

/* Recipient INDEX takes LEG. */
static void take_leg(struct routing *g, size_t index, const struct leg *leg)
{
	struct job *job = g->job;
	struct message *m = job->message;
	struct share *s = share_add(job, index), *same;
	struct str end = leg_end(leg, job->arena);

	s->leg = *leg;
	m->recipients[index].system = arena_str(m->arena, leg_system(leg));
	if (leg->is_split)
		m->recipients[index].part = leg_part(leg);
	same = end_find(g, end);
	if (same) {
		s->follows = same;
		job->has_followers = true;
	} else {
		end_add(g, end, s);
	}
}

/* A leg that is nobody's yet: a recipient of its own, unless the message goes
 * there already. */
static void add_leg(struct routing *g, size_t from, const struct leg *leg)
{
	struct message *m = g->job->message;
	struct recipient like = m->recipients[from], *r;
	size_t index = m->n;

	if (end_find(g, leg_end(leg, g->job->arena)))
		return;
	r = message_add(m, arena_str(m->arena, leg->address));
	r->orcpt = like.orcpt;
	r->notify = like.notify;
	r->is_member = like.is_member || leg->is_member;
	r->part = leg_part(leg);
	r->trail = arena_str(m->arena, leg->trail);
	r->delay_told = like.delay_told;
	r->attempts = like.attempts;
	r->state = RECIPIENT_WAITING;
	take_leg(g, index, leg);
}

/* What route() itself answers. */
static void answer_share(struct routing *g, size_t index,
                         enum recipient_state state, struct reply reply)
{
	struct share *s = share_add(g->job, index);

	s->state = state;
	s->reply = reply;
	s->leg.kind = LEG_INTERNET;
	s->leg.address = g->job->message->recipients[index].address;
	log_fact("route", "%s: to=<%s>, relay=none, dsn=%s, status=%s (%s)",
	         g->job->message->id,
	         log_safe(g->job->arena, s->leg.address, LIMIT_PATH_BYTES),
	         reply_status(&reply),
	         state == RECIPIENT_REFUSED ? "bounced" : "deferred",
	         log_safe(g->job->arena, reply_line(&reply, g->job->arena),
	                  400));
}

static bool parse_recipient(struct str given, struct arena *arena,
                            struct address *out)
{
	struct str path = arena_strf(arena, "<%.*s>", STR(given));

	return path_parse(&path, PATH_FORWARD, arena, out);
}

static struct decision ask_route(struct job *job, const struct asker *asker,
                                 size_t index, const struct address *address)
{
	const struct recipient *r = &job->message->recipients[index];
	struct question q = {
		.recipient = address,
		.asker = *asker,
		.trail = r->trail,
		.is_split = r->part != PART_WHOLE,
		.takes_there = r->part == PART_THERE,
		.message_bytes = job->message->body.bytes,
		.is_retry = job->is_retry,
	};

	return route_decide(job->deliver->router, &q, job->arena);
}

/* Shares of its own first: who was named takes precedence over members. */
static bool take_own_legs(struct routing *g, size_t index,
                          const struct decision *d)
{
	bool taken = false;

	for (size_t i = 0; i < d->n; i++) {
		if (d->legs[i].is_member)
			continue;
		if (taken)
			add_leg(g, index, &d->legs[i]);
		else
			take_leg(g, index, &d->legs[i]);
		taken = true;
	}
	return taken;
}

static struct decision route_recipient(struct routing *g, size_t index)
{
	struct recipient *r = &g->job->message->recipients[index];
	struct decision d = { .action = ROUTE_REFUSE };
	struct address *address = arena_new(g->job->arena, struct address);

	r->state = RECIPIENT_WAITING;
	if (r->bounce_wanted)
		d.reply = own_reply(g->job->arena, 550, "5.0.0",
		                    "returned by the administrator");
	else if (parse_recipient(r->address, g->job->arena, address))
		d = ask_route(g->job, &g->asker, index, address);
	else
		d.reply = own_reply(g->job->arena, 553, "5.1.3", "%s", cause());
	switch (d.action) {
	case ROUTE_REFUSE:
		answer_share(g, index, RECIPIENT_REFUSED, d.reply);
		d.n = 0;
		break;
	case ROUTE_LATER:
		answer_share(g, index, RECIPIENT_LATER, d.reply);
		d.n = 0;
		break;
	case ROUTE_DELIVER:
	case ROUTE_RELAY:
	case ROUTE_EXPAND:
	case ROUTE_BOTH:
		if (!take_own_legs(g, index, &d))
			g->job->message->recipients[index].state =
			        RECIPIENT_DROPPED;
		break;
	}
	return d;
}

static void add_members(struct routing *g, size_t index,
                        const struct decision *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->legs[i].is_member)
			add_leg(g, index, &d->legs[i]);
}

/* Of a user who is gone meanwhile we are still to deliver what he wrote. */
static struct asker asker_of(struct job *job)
{
	struct asker asker = { .kind = ASKER_LOCAL };
	struct router *router = job->deliver->router;

	if (asker_parse(router->directory, job->message->as, job->arena,
	                &asker))
		return asker;
	return (struct asker){ .kind = job->is_retry ? ASKER_LOCAL
		                                     : ASKER_INTERNET };
}

static bool is_due(const struct recipient *r)
{
	return r->state == RECIPIENT_WAITING || r->state == RECIPIENT_LATER;
}

static void route_all(struct job *job)
{
	struct message *m = job->message;
	struct routing g = { .job = job, .asker = asker_of(job) };
	size_t n = m->n;
	struct decision *d = arena_array(job->arena, struct decision, n);

	job->domains = arena_array(job->arena, struct str, n);
	for (size_t i = 0; i < n; i++)
		if (is_due(&m->recipients[i])) {
			d[i] = route_recipient(&g, i);
			job->domains[i] = d[i].domain;
		}
	for (size_t i = 0; i < n; i++)
		add_members(&g, i, &d[i]);
	HASH_CLEAR(hh, g.ends);
	if (g.asker.kind != ASKER_USER && g.asker.kind != ASKER_LOCAL)
		return;
	/* A local one is Sieve's, and the delivery to a mailbox waits for it. */
	for (size_t i = 0; i < job->n; i++) {
		const struct leg *leg = &job->shares[i]->leg;

		if (job->shares[i]->state == RECIPIENT_WAITING &&
		    (g.asker.kind == ASKER_LOCAL || leg->kind == LEG_INTERNET ||
		     (leg->kind == LEG_SYSTEM && leg->system.smart_host)))
			job->keeps_first = true;
	}
}

bool share_is_refused_now(struct job *job, struct share *s)
{
	struct asker asker = asker_of(job);
	struct address *address = arena_new(job->arena, struct address);
	struct str given = job->message->recipients[s->index].address;
	struct decision d;

	if (!parse_recipient(given, job->arena, address))
		return true;
	d = ask_route(job, &asker, s->index, address);
	if (d.action != ROUTE_REFUSE)
		return false;
	s->reply = d.reply;
	return true;
}

/* ---- the life of a job ---- */

struct job *job_new(struct deliver *d, struct message *m, bool is_retry)
{
	struct arena *arena = arena_open();
	struct job *job = arena_new(arena, struct job);

	job->arena = arena;
	job->deliver = d;
	job->message = m;
	job->is_retry = is_retry;
	job->next = d->jobs;
	if (job->next)
		job->next->prev = job;
	d->jobs = job;
	d->busy++;
	d->scheduled += is_retry;
	job->needs_utf8 = message_needs_utf8(m);
	log_fact("qmgr", "%s: from=<%s>, size=%llu, nrcpt=%zu (%s)", m->id,
	         log_safe(arena, m->sender, LIMIT_PATH_BYTES),
	         (unsigned long long)m->body.bytes, m->n,
	         is_retry ? "queue active" : "accepted");
	route_all(job);
	if (!is_retry)
		job_drop_given(job);
	return job;
}

void job_free(struct job *job)
{
	struct deliver *d = job->deliver;

	check(!job->running);
	if (job->prev)
		job->prev->next = job->next;
	else
		d->jobs = job->next;
	if (job->next)
		job->next->prev = job->prev;
	d->busy--;
	d->scheduled -= job->is_retry;
	if (job->is_retry)
		gate_open(&d->turn);
	message_drop(job->message);
	arena_close(job->arena);
	gate_open(&d->quiet);
}

static void copy_reply(struct message *m, struct recipient *r,
                       const struct share *s)
{
	r->reply = s->reply;
	r->reply.text = arena_str(m->arena, s->reply.text);
	r->remote = arena_str(m->arena, s->remote);
}

/* When it is tried again, or that its time is over. */
static void plan_next(struct job *job, struct share *s, struct recipient *r)
{
	const struct deliver_settings *set = job->deliver->settings;
	int64_t arrived = job->message->arrived_wall_ms, now = wall_ms();

	if (s->is_put_off) {
		r->next_attempt_ms = now + PUT_OFF_MS;
		return;
	}
	r->attempts++;
	r->next_attempt_ms = retry_time(set, arrived, now);
	if (now >= arrived + set->expiry_s * 1000) {
		s->state = RECIPIENT_REFUSED;
		s->is_expired = true;
		log_fact(
		        "qmgr", "%s: to=<%s>, status=expired", job->message->id,
		        log_safe(job->arena, s->leg.address, LIMIT_PATH_BYTES));
	}
}

void job_collect(struct job *job)
{
	struct message *m = job->message;

	for (size_t i = 0; i < job->n; i++) {
		struct share *s = job->shares[i];
		struct recipient *r = &m->recipients[s->index];

		if (s->state == RECIPIENT_WAITING || s->is_counted)
			continue;
		s->is_counted = true;
		if (!s->is_put_off)
			copy_reply(m, r, s);
		if (s->state == RECIPIENT_LATER)
			plan_next(job, s, r);
		r->state = s->state;
		if (r->state == RECIPIENT_REFUSED && m->is_kept)
			count(COUNT_DELIVERIES_REFUSED);
	}
}

/*
 * The outcome has to be written, or what was delivered would be delivered
 * again: a full disk is waited for.
 */
static void settle_until_done(struct job *job, struct message *const *dsns,
                              size_t n)
{
	struct deliver *d = job->deliver;
	int64_t pause = SETTLE_AGAIN_MS;

	while (!queue_settle(d->queue, job->message, dsns, n)) {
		log_error("qmgr", "%s: outcome cannot be written: %s",
		          job->message->id, cause());
		if (fiber_sleep(after_ms(pause)) == WAIT_CANCELLED) {
			log_error("qmgr",
			          "%s: outcome not written; it may be "
			          "delivered again after the restart",
			          job->message->id);
			return;
		}
		pause = pause * 2 > SETTLE_AGAIN_MOST_MS ? SETTLE_AGAIN_MOST_MS
		                                         : pause * 2;
	}
}

static void job_settle(struct job *job)
{
	struct message *dsns[DSN_MOST];
	size_t n;

	job->settler = fiber_self();
	job_collect(job);
	if (job->message->is_kept) {
		n = dsn_make(job, dsns);
		settle_until_done(job, dsns, n);
		for (size_t i = 0; i < n; i++)
			message_drop(dsns[i]);
		if (!job->message->is_kept)
			log_fact("qmgr", "%s: removed", job->message->id);
	}
	job_free(job);
}

static void settle_main(void *job)
{
	job_settle(job);
}

void job_detach(struct job *job)
{
	job->is_detached = true;
	if (!job->running && !fiber_start("settle", settle_main, job))
		job_settle(job);
}

void job_attempt_ended(struct job *job)
{
	job->running--;
	gate_open(&job->news);
	if (!job->running && job->is_detached)
		job_settle(job);
}
