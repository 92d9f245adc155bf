/*
 * The beat: what is new, and who is told (events.h).
 *
 * Answers are made on a thread that may wait for the disk; what is kept
 * between two beats is touched by nobody else.
 */
#include "console/events.h"

#include <stdlib.h>

#include "console/figures.h"
#include "console/history.h"
#include "console/nouns.h"
#include "console/topics.h"
#include "console/watchers.h"
#include "queue/tools.h"
#include "rt/log.h"
#include "rt/loop.h"
#include "rt/worker.h"

enum {
	BEAT_MS = 1000,
	BEATS_APART_MS = 100, /* when somebody new wants the first one */
	WORK_SHARE = 10,      /* of the time, 1 in so many is spent on it */
	SILENCE_MS = 15000,   /* then a line that says nothing: proxies */
	RETRY_MS = 2000,      /* a browser comes back after it */
};

static const struct {
	const char *name;
	enum right right;
	enum topic_of of;
	unsigned news;
	json_t *(*state)(struct request *r, struct str domain);
} topics[TOPICS] = {
#define TOPIC(name, right, of, news, state) \
	[TOPIC_##name] = { #name, right, of, news, state },
#include "console/topics.def"
#undef TOPIC
};

/* ---- what is kept between two beats ---- */

/* All who watch the same: a domain, or everything.  Made by the first of them
 * (scope_of()), gone after the first beat without any (tidy_scopes()). */
struct scope {
	struct scope *next;
	struct str domain;
	unsigned looked; /* at these topics, in this beat */
	struct letter *now[TOPICS];
	char c[];
};

static struct {
	struct console *console;
	/* The loop's: */
	struct gate wake;
	struct fiber *fiber;
	bool is_awake;
	/* The beat's: */
	struct directory *d;
	struct tools *queue;
	uint64_t directory_version, queue_version;
	uint64_t engine_version;
	struct scope *scopes;
	struct letter *silence;
	bool is_in_trouble, was_in_trouble; /* in this beat, the last */
} all;

/* ---- the beat: what is new ---- */

struct beat {
	struct arena *arena;
	unsigned news;
	int64_t began_ms, took_ms;
	bool is_watched;
	const struct figures *figures;
};

static unsigned one_news(uint64_t now, uint64_t *before, unsigned what)
{
	bool is_new = now != *before || now == 0;

	*before = now;
	return is_new ? what : 0;
}

/* A queue that was not there yet is looked for again. */
static bool open_what_is_asked(void)
{
	const char *data = all.console->settings->data;

	if (all.queue && tools_version(all.queue) == 0) {
		tools_close(all.queue);
		all.queue = NULL;
	}
	if (!all.queue)
		all.queue = tools_open(data);
	return all.queue;
}

static unsigned look_for_news(const struct figures *f)
{
	return ALWAYS_NEWS |
	       one_news(f->version + 1, &all.engine_version, ENGINE_NEWS) |
	       one_news(directory_version(all.d), &all.directory_version,
			DIRECTORY_NEWS) |
	       one_news(tools_version(all.queue), &all.queue_version,
			QUEUE_NEWS);
}

/* ---- the beat: answers ---- */

static struct letter *write_letter(const char *topic, json_t *state)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	char *text = json_dumps(state, JSON_COMPACT);

	check(text);
	buf_printf(&b, "event: %s\ndata: ", topic);
	buf_add(&b, str_of(text));
	buf_add(&b, S("\n\n"));
	free(text);
	return letter_new(buf_str(&b));
}

/* Said once, until it works again; what was not seen is looked for again. */
static void note_trouble(const char *what)
{
	if (!all.was_in_trouble && !all.is_in_trouble)
		log_error("console", "events of %s: %s", what, cause());
	all.is_in_trouble = true;
	all.directory_version = all.queue_version = 0;
}

/* *KEPT is what the topic says now, unless that is what it was; as W, who may see
 * it, would be answered. */
static void renew(struct beat *b, const struct watcher *w, enum topic t,
		  struct letter **kept)
{
	struct request r = { .console = all.console,
			     .arena = b->arena,
			     .method = "GET",
			     .path = S("/api/v1/events"),
			     .who = w->who,
			     .d = all.d,
			     .queue = all.queue };
	json_t *state = topics[t].state(&r, w->domain);
	struct letter *fresh;

	if (!state) {
		note_trouble(topics[t].name);
		return;
	}
	fresh = write_letter(topics[t].name, state);
	json_decref(state);
	if (!letter_same(fresh, *kept))
		letter_put(kept, fresh);
	letter_drop(fresh);
}

static struct scope *scope_of(const struct watcher *w)
{
	struct scope *s;

	for (s = all.scopes; s; s = s->next)
		if (str_same(s->domain, w->domain))
			break;
	if (!s) {
		s = must_alloc(sizeof(*s) + w->domain.n);
		*s = (struct scope){ .next = all.scopes };
		if (w->domain.n)
			memcpy(s->c, w->domain.p, w->domain.n);
		s->domain = (struct str){ s->c, w->domain.n };
		all.scopes = s;
	}
	return s;
}

static void scope_free(struct scope *s)
{
	for (size_t i = 0; i < TOPICS; i++)
		letter_drop(s->now[i]);
	free(s);
}

/* A topic nobody of the scope watches has no answer that is kept up to date,
 * and a scope nobody watches is none. */
static void tidy_scopes(const struct beat *b)
{
	struct scope **at = &all.scopes;

	while (*at) {
		struct scope *s = *at;

		for (size_t t = 0; t < TOPICS; t++)
			if (b->news & topics[t].news && !(s->looked >> t & 1))
				letter_put(&s->now[t], NULL);
		if (s->looked) {
			s->looked = 0;
			at = &s->next;
			continue;
		}
		*at = s->next;
		scope_free(s);
	}
}

static bool is_old(const struct beat *b, enum topic t,
		   const struct letter *kept)
{
	return !kept || b->news & topics[t].news;
}

/* What the topic says to this watcher alone; NULL: that is not known. */
static struct letter *own_answer(struct beat *b, struct watcher *w,
				 enum topic t)
{
	if (is_old(b, t, w->own[t]))
		renew(b, w, t, &w->own[t]);
	return w->own[t];
}

/* What it says to all of W's scope: made for the first of them in a beat. */
static struct letter *common_answer(struct beat *b, const struct watcher *w,
				    struct scope *s, enum topic t)
{
	bool is_first = !(s->looked >> t & 1);

	s->looked |= 1u << t;
	if (is_first && is_old(b, t, s->now[t]))
		renew(b, w, t, &s->now[t]);
	return s->now[t];
}

/* ---- the beat: telling ---- */

static void tell(struct beat *b, struct watcher *w)
{
	struct scope *s = scope_of(w);

	for (size_t t = 0; t < TOPICS; t++) {
		struct letter *l;

		if (!(w->topics >> t & 1))
			continue;
		l = topics[t].of == OWN ? own_answer(b, w, (enum topic)t)
					: common_answer(b, w, s, (enum topic)t);
		if (!l || letter_same(l, w->last[t]))
			continue;
		letter_put(&w->last[t], l);
		watcher_put(w, &w->waiting[t], l);
	}
	if (now_ms() - w->said_ms >= SILENCE_MS)
		watcher_put(w, &w->remark, all.silence);
}

static bool is_welcome(const struct beat *b, const struct watcher *w)
{
	struct who now;

	switch (who_shows(all.console, all.d, &w->shown, b->arena, &now)) {
	case ANSWER_YES:
		return now.admin.role == w->who.admin.role &&
		       now.admin.domain == w->who.admin.domain;
	case ANSWER_NO:
		return false;
	case ANSWER_UNSURE:
		break;
	}
	return true;
}

static void end_or_tell(struct beat *b, struct watcher *w)
{
	if (is_welcome(b, w)) {
		tell(b, w);
		return;
	}
	watcher_end(w);
}

static void look(struct beat *b, struct watcher **list, size_t n)
{
	b->news = look_for_news(b->figures);
	if (now_us() / 1000 >= history_due_ms()) {
		figures_remember();
		if (!history_note(all.d, all.queue, b->figures))
			note_trouble("the last hour");
		b->news |= HOUR_NEWS;
	}
	for (size_t i = 0; i < n; i++)
		end_or_tell(b, list[i]);
}

/* On a thread that may wait for the disk. */
static bool look_and_tell(void *arg)
{
	struct beat *b = arg;
	struct watcher **list;
	size_t n;

	b->began_ms = now_us() / 1000;
	list = watchers_hold(b->arena, &n);
	b->is_watched = n > 0;
	all.was_in_trouble = all.is_in_trouble;
	all.is_in_trouble = false;
	if (open_what_is_asked())
		look(b, list, n);
	else
		note_trouble("the queue");
	watchers_let_go(list, n);
	tidy_scopes(b);
	b->took_ms = now_us() / 1000 - b->began_ms;
	return true;
}

/* ---- the beat: when ---- */

/* On the loop. */
static void wake_beat(void *unused)
{
	(void)unused;
	all.is_awake = true;
	gate_open(&all.wake);
}

static void post_wake(void)
{
	loop_post(0, wake_beat, NULL);
}

/* Until the next beat is due, or somebody new wants one. */
static void waits rest(const struct beat *b)
{
	int64_t due = b->is_watched ? after_ms(BEAT_MS) : history_due_ms();
	int64_t least = after_ms(b->took_ms * WORK_SHARE);

	if (due < least)
		due = least;
	fiber_sleep(after_ms(BEATS_APART_MS));
	while (!all.is_awake && !fiber_cancelled())
		if (gate_wait(&all.wake, due) != WAIT_DONE)
			break;
	all.is_awake = false;
}

static void waits run_beats(void *unused)
{
	struct arena *arena scoped(arena) = arena_open();

	(void)unused;
	while (!fiber_cancelled()) {
		struct beat b = { .arena = arena };

		figures_ask(all.console->settings->data);
		b.figures = figures_borrow();
		if (!offload(look_and_tell, &b))
			log_error("console", "%s", cause());
		figures_return(b.figures);
		rest(&b);
		arena_reset(arena);
	}
	all.fiber = NULL;
}

/* ---- the request ---- */

static int topic_of_name(struct str name)
{
	for (int t = 0; t < TOPICS; t++)
		if (str_same(str_of(topics[t].name), name))
			return t;
	return -1;
}

static bool take_topics(struct request *r, unsigned *out, struct response *bad)
{
	struct str list = param(r, "topics"), name;

	*out = 0;
	while (str_split(&list, ',', &name)) {
		int t = topic_of_name(name);

		if (t < 0) {
			*bad = problem("topics", no_such_topic,
				       V("given", name));
			return false;
		}
		if (!has_right(&r->who, topics[t].right)) {
			*bad = problem("topics", no_right_to_watch,
				       V("role", role_name(r->who.admin.role)),
				       V("topic", topics[t].name));
			return false;
		}
		*out |= 1u << t;
	}
	if (!*out)
		*bad = problem("topics", no_topic);
	return *out != 0;
}

static struct response too_many(void)
{
	struct response a = problem(NULL, too_many_streams);

	a.retry_after_s = RETRY_MS / 1000;
	return a;
}

static struct response begin(struct watcher *w)
{
	switch (watcher_add(w, post_wake)) {
	case WATCHER_ADDED:
		return (struct response){ .status = 200,
					  .is_stream = true,
					  .type = "text/event-stream",
					  .watcher = w };
	case WATCHER_ONE_TOO_MANY:
		return too_many();
	case WATCHER_TOO_LATE:
		break;
	}
	return problem(NULL, stopping);
}

struct response on_events(struct request *r)
{
	struct response a;
	struct str domain;
	unsigned which;

	if (!take_topics(r, &which, &a) || !domain_asked(r, &domain, &a))
		return a;
	if (!strcmp(r->method, "HEAD"))
		return (struct response){ .status = 200,
					  .is_stream = true,
					  .type = "text/event-stream" };
	return begin(watcher_new(
		r, which, domain,
		letter_new(arena_strf(r->arena, "retry: %d\n\n", RETRY_MS))));
}

/* ---- all of it ---- */

bool events_open(struct console *c)
{
	const char *data = c->settings->data;
	struct arena *arena scoped(arena) = arena_open();

	watchers_open();
	figures_open(post_wake);
	all.console = c;
	all.silence = letter_new(S(":\n\n"));
	all.d = directory_open(arena_printf(arena, "%s/directory.db", data));
	all.fiber = all.d ? fiber_start("events", run_beats, NULL) : NULL;
	return all.fiber;
}

void events_stop(void)
{
	enum { LOOK_AGAIN_MS = 20 };

	if (all.fiber)
		fiber_cancel(all.fiber);
	figures_stop();
	watchers_end();
	while (all.fiber)
		fiber_sleep(after_ms(LOOK_AGAIN_MS));
}

void events_close(void)
{
	while (all.scopes) {
		struct scope *s = all.scopes;

		all.scopes = s->next;
		scope_free(s);
	}
	history_close();
	figures_close();
	letter_drop(all.silence);
	tools_close(all.queue);
	directory_close(all.d);
	all.silence = NULL;
	all.queue = NULL;
	all.d = NULL;
}
