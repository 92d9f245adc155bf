/*
 * Waiting mail follows the directory.
 *
 * What was changed is read from the change log, wherever it was changed.  The
 * recipients of the domains it touches are asked for again at route(), and
 * those that go elsewhere now are due now, at their new next hop.  A system
 * whose settings changed has all that waits for it tried.  Changes that touch
 * no waiting mail cost one look into an index.
 *
 * What would be refused now keeps its time: who deletes something by mistake
 * can put it back before anything is returned.
 */
#include "deliver/follow.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mutants.h"
#include "deliver/hop_state.h"
#include "directory/lists.h"
#include "directory/news.h"
#include "route/recipient.h"
#include "rt/log.h"

enum {
	LINES_PAGE = 200, /* of the change log */
	PAGE = 200,       /* recipients */
	AT_ONCE = 20,     /* routed before others have their turn */
	AGAIN_MS = 10000, /* after trouble */
	PAUSE_MS = 100,   /* before the changes of a moment are followed */
};

/* What is to be looked at: a domain (empty: all), or a system. */
struct mark {
	UT_hash_handle hh;
	bool is_system;
	size_t n;
	char key[]; /* 's' or 'd', and the name */
};

struct follow {
	struct mark *marks;
	uint64_t version;
	int64_t seen; /* -1: not asked yet */
	bool is_running;
	int64_t again_ms; /* after trouble */
};

struct follow *follow_open(void)
{
	struct follow *f = must_alloc(sizeof(*f));

	*f = (struct follow){ .seen = -1 };
	return f;
}

static void forget(struct follow *f, struct mark *m)
{
	HASH_DEL(f->marks, m);
	free(m);
}

void follow_close(struct follow *f)
{
	struct mark *m, *next;

	HASH_ITER (hh, f->marks, m, next)
		forget(f, m);
	free(f);
}

bool follow_runs(const struct follow *f)
{
	return f->is_running;
}

/* ---- what is touched ---- */

static void mark(struct follow *f, bool is_system, struct str name)
{
	struct mark *m = must_alloc(sizeof(*m) + 1 + name.n), *old;

	*m = (struct mark){ .is_system = is_system, .n = name.n + 1 };
	m->key[0] = is_system ? 's' : 'd';
	if (name.n)
		memcpy(m->key + 1, name.p, name.n);
	HASH_FIND(hh, f->marks, m->key, m->n, old);
	if (old)
		free(m);
	else
		HASH_ADD_KEYPTR(hh, f->marks, m->key, m->n, m);
}

/* Recipients wait under the name they were given with. */
static void mark_names(struct deliver *d, struct str name, struct arena *a)
{
	struct directory *dir = d->router->directory;
	const struct str *aliases;
	struct domain domain;
	size_t n = 0;

	mark(d->follow, false, name);
	if (directory_domain(dir, name, a, &domain) != ANSWER_YES)
		return;
	mark(d->follow, false, domain.name);
	if (list_aliases(dir, domain.id, a, &aliases, &n) != ANSWER_YES)
		n = 0;
	for (size_t i = 0; i < n; i++)
		mark(d->follow, false, aliases[i]);
}

/* "a.test, b.test" */
static void mark_list(struct deliver *d, struct str list, struct arena *a)
{
	struct str name;

	while (str_split(&list, ',', &name))
		mark_names(d, str_trim(name), a);
}

static void mark_domain(struct deliver *d, const struct change_line *l,
			struct arena *a)
{
	mark_names(d, l->subject, a);
	if (!str_same(l->field, S("aliases")))
		return;
	mark_list(d, l->old, a);
	mark_list(d, l->new, a);
}

/* The way to the Internet is anybody's. */
static void mark_system(struct deliver *d, const struct change_line *l)
{
	mark(d->follow, true, l->subject);
	if (str_same(l->field, S("smart_host")) ||
	    str_same(l->field, S("name")) || str_same(l->field, S("deleted")))
		mark(d->follow, false, S(""));
}

static void mark_line(struct deliver *d, const struct change_line *l,
		      struct arena *a)
{
	ptrdiff_t at = str_find_last(l->subject, '@');

	if (str_same(l->noun, S("system")))
		mark_system(d, l);
	else if (str_same(l->noun, S("domain")))
		mark_domain(d, l, a);
	else if (at >= 0)
		mark_names(d, str_from(l->subject, (size_t)at + 1), a);
}

/* ---- the change log ---- */

static bool begin_at(struct deliver *d)
{
	struct follow *f = d->follow;
	int64_t followed, last;

	if (!queue_followed(d->queue, &followed))
		return false;
	if (directory_last_change(d->router->directory, &last) != ANSWER_YES)
		return false;
	f->seen = followed;
	if (followed >= 0 && followed <= last)
		return true;
	/* for the first time, or another directory than before */
	mark(f, false, S(""));
	f->seen = last;
	return true;
}

static bool read_page(struct deliver *d, size_t *n)
{
	struct change_line lines[LINES_PAGE];
	struct arena *a scoped(arena) = arena_open();
	struct follow *f = d->follow;

	if (directory_changes(d->router->directory, f->seen, LINES_PAGE, a,
			      lines, n) != ANSWER_YES)
		return false;
	for (size_t i = 0; i < *n; i++) {
		mark_line(d, &lines[i], a);
		f->seen = lines[i].id;
	}
	return true;
}

/* ---- who depends on it ---- */

struct dependents {
	struct deliver *deliver;
	size_t found;
};

static bool is_marked(const struct follow *f, struct str domain,
		      struct arena *a)
{
	struct str key = arena_strf(a, "d%.*s", STR(domain));
	struct mark *m;

	HASH_FIND(hh, f->marks, key.p, key.n, m);
	return m;
}

static void mark_dependent(void *dependents, struct str domain,
			   struct str address)
{
	struct dependents *more = dependents;
	struct follow *f = more->deliver->follow;
	struct arena *a scoped(arena) = arena_open();
	struct address stand_in;

	if (!address_parse(address, a, &stand_in) ||
	    !is_marked(f, stand_in.domain, a) || is_marked(f, domain, a))
		return;
	mark_names(more->deliver, domain, a);
	more->found++;
}

/* Whose catch-all or postmaster is in a domain that is looked at, and so on:
 * their mail waits under their own names. */
static bool mark_dependents(struct deliver *d)
{
	struct dependents more;

	do {
		more = (struct dependents){ d, 0 };
		if (!list_stand_ins(d->router->directory, mark_dependent,
				    &more))
			return false;
	} while (more.found);
	return true;
}

static bool read_news(struct deliver *d)
{
	size_t n;

	if (d->follow->seen < 0 && !begin_at(d))
		return false;
	do {
		if (!read_page(d, &n))
			return false;
		fiber_yield();
	} while (n == LINES_PAGE && !d->is_draining);
	return true;
}

/* ---- where they go now ---- */

/* True: W goes elsewhere than it waits for, and says where. */
static bool goes_elsewhere(struct deliver *d, struct waiting *w,
			   struct arena *a)
{
	struct waiting_mail mail = { w->as, NULL, w->bytes };
	struct decision answer =
		route_answer_waiting(d->router, &w->r, &mail, a);
	struct next_hop hop = decision_next_hop(&answer);

	if (answer.action == ROUTE_REFUSE || answer.action == ROUTE_LATER ||
	    MUTANT(changed_home_is_not_followed))
		return false;
	if (hop.kind == w->r.next_hop.kind &&
	    str_same(hop.name, w->r.next_hop.name))
		return false;
	w->r.next_hop = hop;
	return true;
}

/* *N: how many are left in LIST. */
static void keep_movers(struct deliver *d, struct waiting *list, size_t *n,
			struct arena *a)
{
	size_t movers = 0;

	for (size_t i = 0; i < *n; i++) {
		if (goes_elsewhere(d, &list[i], a))
			list[movers++] = list[i];
		if (i % AT_ONCE == AT_ONCE - 1)
			fiber_yield();
	}
	*n = movers;
}

static bool follow_domain(struct deliver *d, struct str domain, size_t *moved)
{
	int64_t message = 0, row = 0;
	size_t n, movers;

	do {
		struct arena *a scoped(arena) = arena_open();
		struct waiting *list = arena_array(a, struct waiting, PAGE);

		if (!queue_look(d->queue, domain, message, row, a, list, PAGE,
				&n))
			return false;
		if (n) {
			message = list[n - 1].message;
			row = list[n - 1].r.row;
		}
		movers = n;
		keep_movers(d, list, &movers, a);
		if (!queue_redirect(d->queue, list, movers))
			return false;
		*moved += movers;
	} while (n == PAGE && !d->is_draining);
	return true;
}

static bool follow_system(struct deliver *d, struct str name, struct arena *a)
{
	struct next_hop hop = { NEXT_HOP_SYSTEM, name };

	hop_answered(d, next_hop_text(&hop, a));
	return queue_hurry(d->queue, &hop);
}

static bool follow_mark(struct deliver *d, struct mark *m, size_t *moved)
{
	struct arena *a scoped(arena) = arena_open();
	struct str name = arena_str(a, (struct str){ m->key + 1, m->n - 1 });
	bool is_system = m->is_system, ok;

	/* what is changed from here on is looked at again */
	forget(d->follow, m);
	ok = is_system ? follow_system(d, name, a)
		       : follow_domain(d, name, moved);
	if (!ok)
		mark(d->follow, is_system, name);
	return ok;
}

static void follow_main(void *deliver)
{
	struct deliver *d = deliver;
	struct follow *f = d->follow;
	size_t moved = 0;
	bool ok;

	fiber_sleep(after_ms(PAUSE_MS));
	ok = read_news(d) && (!f->marks || mark_dependents(d));
	while (ok && f->marks && !d->is_draining)
		ok = follow_mark(d, f->marks, &moved);
	if (ok && !f->marks)
		ok = queue_set_followed(d->queue, f->seen);
	if (!ok) {
		log_warn("qmgr", "waiting mail does not follow a change: %s",
			 cause());
		f->version = 0;
		f->again_ms = after_ms(AGAIN_MS);
	}
	if (moved)
		log_fact("qmgr", "%zu recipients go elsewhere now", moved);
	f->is_running = false;
	gate_open(&d->turn);
	gate_open(&d->quiet);
}

void follow_look(struct deliver *d)
{
	struct follow *f = d->follow;
	uint64_t version;

	if (!d->router->directory || f->is_running || now_ms() < f->again_ms)
		return;
	version = directory_version(d->router->directory);
	if (version == f->version)
		return;
	f->version = version;
	f->is_running = fiber_start("follow", follow_main, d);
}
