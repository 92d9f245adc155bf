/* The engine's pulse, for the service manager (pulse.h). */
#include "main/pulse.h"

#include "control/control.h"
#include "queue/tools.h"
#include "rt/log.h"
#include "rt/worker.h"
#include "show/troubles.h"

enum {
	LOOK_MS = 10000,   /* from one sentence to the next */
	ANSWER_MS = 5000,  /* for what it is made of */
	ABSENT_MS = 60000, /* it may be away that long, to start again */
	NAMED = 3,         /* systems that are down */
};

/* ---- does it live? ---- */

static bool waits engine_lives(struct pulse *p, int64_t deadline_ms)
{
	struct buf answer scoped(buf) = BUF_EMPTY;

	if (control_ask(p->control, S("pulse"), deadline_ms, &answer)) {
		p->heard_ms = now_ms();
		return true;
	}
	return cause_kind() != FAIL_LATE && now_ms() - p->heard_ms < ABSENT_MS;
}

/* ---- how is it? ---- */

struct sentence {
	const struct config *config;
	struct str answer; /* the engine's */
	bool lacks_console;
	struct arena *arena;
	struct buf out;
};

static void add_number(struct sentence *s, const char *words, uint64_t n)
{
	buf_add(&s->out,
		sentence_fill(str_of(words), VALUES(V("n", n)), s->arena));
}

static void ignore_load(void *arg, const struct queue_load *l)
{
	(void)arg;
	(void)l;
}

/* What cannot be counted is left out: the engine's troubles say why. */
static void add_waiting(struct sentence *s)
{
	struct tools *t = tools_open(s->config->data);
	struct queue_total total;

	if (t && tools_count(t, S(""), ignore_load, NULL, &total))
		add_number(s, ", {n} mail waits|, {n} mails wait",
			   total.messages);
	tools_close(t);
}

static bool is_down(const json_t *one)
{
	return trouble_is(one, TROUBLE_system_down) ||
	       trouble_is(one, TROUBLE_mailboxes_down);
}

static void add_down(struct sentence *s, const json_t *list)
{
	uint64_t n = 0;
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		const char *name = json_string_value(json_object_get(
			json_object_get(one, "values"), "system"));

		if (is_down(one) && n++ < NAMED && name)
			buf_printf(&s->out, ", %s is down", name);
		else if (trouble_is(one, TROUBLE_mailboxes_down))
			buf_add(&s->out, S(", the mailboxes are down"));
	}
	if (n > NAMED)
		add_number(s, " and {n} more", n - NAMED);
}

static void add_troubles(struct sentence *s, const json_t *list, bool worst)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		const char *text =
			json_string_value(json_object_get(one, "text"));

		if (!text || is_down(one) ||
		    json_is_true(json_object_get(one, "stops_mail")) != worst)
			continue;
		if (worst)
			buf_printf(&s->out, "%s ", text);
		else
			buf_printf(&s->out, ". %s", text);
	}
}

/* On a thread that may wait for the disk. */
static bool make_sentence(void *sentence)
{
	struct sentence *s = sentence;
	json_t *all = json_loadb(s->answer.p, s->answer.n, 0, NULL);
	const json_t *troubles = json_object_get(all, "trouble");

	add_troubles(s, troubles, true);
	add_number(
		s, "{n} SMTP session|{n} SMTP sessions",
		(uint64_t)json_integer_value(json_object_get(all, "sessions")));
	add_waiting(s);
	add_down(s, troubles);
	add_troubles(s, troubles, false);
	if (s->lacks_console)
		buf_add(&s->out, S(". The console does not run"));
	json_decref(all);
	return true;
}

static void waits tell(struct pulse *p)
{
	struct buf answer scoped(buf) = BUF_EMPTY;
	struct arena *arena scoped(arena) = arena_open();
	struct sentence s = { .config = p->config, .arena = arena };

	if (!control_ask(p->control, S("status"), after_ms(ANSWER_MS),
			 &answer)) {
		notify_status(p->notify, "The engine does not answer: %s",
			      cause());
		return;
	}
	s.answer = buf_str(&answer);
	s.lacks_console = p->console->argv[0] && !p->console->process;
	if (offload(make_sentence, &s))
		notify_status(p->notify, "%.*s", STR(buf_str(&s.out)));
	buf_free(&s.out);
}

/* ---- all the time ---- */

static void waits rest(struct pulse *p, int64_t deadline_ms)
{
	while (!*p->stopping && now_ms() < deadline_ms)
		gate_wait(p->news, deadline_ms);
}

void pulse_tell(void *pulse)
{
	struct pulse *p = pulse;

	while (notify_is_heard(p->notify) && !*p->stopping) {
		int64_t begun = now_ms();

		tell(p);
		rest(p, begun + LOOK_MS);
	}
}

void pulse_watch(void *pulse)
{
	struct pulse *p = pulse;
	int64_t half_ms = p->notify->watchdog_ms / 2;

	p->heard_ms = now_ms();
	while (half_ms && !*p->stopping) {
		int64_t next = now_ms() + half_ms;

		if (engine_lives(p, next))
			notify_alive(p->notify);
		rest(p, next);
	}
}
