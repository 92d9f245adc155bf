/*
 * The list of watchers, under one lock (watchers.h).
 */
#include "console/watchers.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"
#include "console/parking.h"
#include "rt/clock.h"

static struct {
	pthread_mutex_t lock;
	struct watcher *first;
	size_t n;
	bool stopping;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- letters ---- */

struct letter {
	atomic_uint readers;
	size_t n;
	char c[];
};

struct letter *letter_new(struct str text)
{
	struct letter *l = must_alloc(sizeof(*l) + text.n);

	*l = (struct letter){ .readers = 1, .n = text.n };
	memcpy(l->c, text.p, text.n);
	return l;
}

static struct letter *letter_share(struct letter *l)
{
	if (l)
		atomic_fetch_add(&l->readers, 1);
	return l;
}

void letter_drop(struct letter *l)
{
	if (l && atomic_fetch_sub(&l->readers, 1) == 1)
		free(l);
}

void letter_put(struct letter **to, struct letter *from)
{
	struct letter *old = *to;

	*to = letter_share(from);
	letter_drop(old);
}

bool letter_same(const struct letter *a, const struct letter *b)
{
	return a == b ||
	       (a && b && a->n == b->n && memcmp(a->c, b->c, a->n) == 0);
}

/* ---- one watcher ---- */

static struct who copy_who(struct arena *a, const struct who *who)
{
	struct who w = *who;

	w.admin.name = arena_str(a, who->admin.name);
	w.admin.domain_name = arena_str(a, who->admin.domain_name);
	w.admin.hash = NULL;
	w.session = w.csrf = NULL;
	return w;
}

struct watcher *watcher_new(struct request *r, unsigned topics,
			    struct str domain, struct letter *first)
{
	const union MHD_ConnectionInfo *known = MHD_get_connection_info(
		r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct credentials shown = credentials_of(r);
	struct watcher *w = must_alloc(sizeof(*w));
	struct arena *a = arena_open();

	*w = (struct watcher){
		.arena = a,
		.shown = { .is_unattended = true },
		.who = copy_who(a, &r->who),
		.domain = arena_str(a, domain),
		.topics = topics,
		.socket = known->connect_fd,
		.request = r,
		.holders = 1,
		.remark = first,
		.said_ms = now_ms(),
	};
	if (shown.session)
		w->shown.session = arena_cstr(a, str_of(shown.session));
	if (shown.token.p)
		w->shown.token = arena_str(a, shown.token);
	return w;
}

static void watcher_free(struct watcher *w)
{
	for (size_t i = 0; i < TOPICS; i++) {
		letter_drop(w->waiting[i]);
		letter_drop(w->last[i]);
		letter_drop(w->own[i]);
	}
	letter_drop(w->remark);
	letter_drop(w->current);
	arena_close(w->arena);
	free(w);
}

/* Under the lock. */
static void watcher_release(struct watcher *w)
{
	if (--w->holders == 0)
		watcher_free(w);
}

static void link_in(struct watcher *w)
{
	w->next = all.first;
	if (w->next)
		w->next->prev = w;
	all.first = w;
	all.n++;
}

static void link_out(struct watcher *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		all.first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	all.n--;
}

/* Under the lock: there is something to read, or the end. */
static void wake(struct watcher *w)
{
	if (!w->is_parked)
		return;
	w->is_parked = false;
	request_resume(w->request);
}

static void end(struct watcher *w)
{
	if (w->is_over || !w->request)
		return;
	w->is_over = true;
	wake(w);
}

void watcher_end(struct watcher *w)
{
	pthread_mutex_lock(&all.lock);
	end(w);
	pthread_mutex_unlock(&all.lock);
}

/* Nobody tells us of a parked connection that was closed at the other end. */
static bool has_hung_up(const struct watcher *w)
{
	struct pollfd p = { .fd = w->socket, .events = POLLRDHUP };

	return w->request && poll(&p, 1, 0) == 1 &&
	       (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

void watcher_forget(struct request *r)
{
	struct watcher *w = r->watcher;

	if (!w)
		return;
	r->watcher = NULL;
	pthread_mutex_lock(&all.lock);
	link_out(w);
	w->request = NULL;
	watcher_release(w);
	pthread_mutex_unlock(&all.lock);
}

/* ---- reading ---- */

static struct letter **next_letter(struct watcher *w)
{
	if (w->remark)
		return &w->remark;
	for (size_t i = 0; i < TOPICS; i++)
		if (w->waiting[i])
			return &w->waiting[i];
	return NULL;
}

static size_t copy_out(struct watcher *w, char *to, size_t room)
{
	size_t n = w->current->n - w->at;

	if (n > room)
		n = room;
	memcpy(to, w->current->c + w->at, n);
	w->at += n;
	if (w->at == w->current->n) {
		letter_drop(w->current);
		w->current = NULL;
		w->at = 0;
	}
	return n;
}

bool watcher_read(struct watcher *w, char *to, size_t room, size_t *n)
{
	struct letter **next;
	bool goes_on;

	*n = 0;
	pthread_mutex_lock(&all.lock);
	goes_on = !w->is_over;
	next = goes_on && !w->current ? next_letter(w) : NULL;
	if (next) {
		w->current = *next;
		*next = NULL;
	}
	if (goes_on && w->current) {
		*n = copy_out(w, to, room);
	} else if (goes_on) {
		w->is_parked = true;
		request_park(w->request);
	}
	pthread_mutex_unlock(&all.lock);
	return goes_on;
}

/* ---- for the beat ---- */

void watcher_put(struct watcher *w, struct letter **place, struct letter *l)
{
	pthread_mutex_lock(&all.lock);
	if (w->request && !w->is_over) {
		letter_put(place, l);
		wake(w);
	}
	pthread_mutex_unlock(&all.lock);
	w->said_ms = now_ms();
}

/* Under the lock. */
static void end_who_hung_up(void)
{
	for (struct watcher *w = all.first; w; w = w->next)
		if (has_hung_up(w))
			end(w);
}

struct watcher **watchers_hold(struct arena *arena, size_t *n)
{
	struct watcher **list, *w;

	pthread_mutex_lock(&all.lock);
	end_who_hung_up();
	list = arena_array(arena, struct watcher *, all.n + 1);
	*n = 0;
	for (w = all.first; w; w = w->next) {
		if (w->is_over)
			continue;
		w->holders++;
		list[(*n)++] = w;
	}
	pthread_mutex_unlock(&all.lock);
	return list;
}

void watchers_let_go(struct watcher **list, size_t n)
{
	pthread_mutex_lock(&all.lock);
	for (size_t i = 0; i < n; i++)
		watcher_release(list[i]);
	pthread_mutex_unlock(&all.lock);
}

/* ---- places ---- */

static bool same_shown(const struct credentials *a, const struct credentials *b)
{
	if (a->session && b->session)
		return !strcmp(a->session, b->session);
	return a->token.p && b->token.p && str_same(a->token, b->token);
}

/* Under the lock: how many are there, and of the same session or token? */
static bool has_room(const struct watcher *like)
{
	size_t n = 0, same = 0;

	for (struct watcher *w = all.first; w; w = w->next) {
		if (w->is_over)
			continue;
		n++;
		same += same_shown(&w->shown, &like->shown);
	}
	return n < LIMIT_CONSOLE_WATCHERS && same < LIMIT_CONSOLE_WATCHERS_EACH;
}

enum watcher_added watcher_add(struct watcher *w, void (*added)(void))
{
	enum watcher_added a = WATCHER_ADDED;

	pthread_mutex_lock(&all.lock);
	end_who_hung_up();
	if (all.stopping)
		a = WATCHER_TOO_LATE;
	else if (!has_room(w))
		a = WATCHER_ONE_TOO_MANY;
	if (a == WATCHER_ADDED) {
		w->request->watcher = w;
		link_in(w);
		added();
	} else {
		watcher_free(w);
	}
	pthread_mutex_unlock(&all.lock);
	return a;
}

void watchers_open(void)
{
	all.stopping = false;
}

void watchers_end(void)
{
	pthread_mutex_lock(&all.lock);
	all.stopping = true;
	for (struct watcher *w = all.first; w; w = w->next)
		end(w);
	pthread_mutex_unlock(&all.lock);
}
