/*
 * Ending sessions (logout.h).
 *
 * Dovecot has a process for each session that is logged in, and ends it on
 * SIGTERM; that is what its own `doveadm kick` does.
 */
#include "main/logout.h"

#include <limits.h>
#include <stdlib.h>

#include "rt/log.h"
#include "rt/process.h"

enum {
	WHO_MS = 10000,
	WHO_BYTES = 1 << 24, /* some 200,000 sessions */
};

struct session {
	struct str login;
	int process;
};

struct sessions {
	struct arena *arena;
	struct session *all; /* by login */
	size_t n;
};

/* ---- who is logged in ---- */

static int by_login(const void *a, const void *b)
{
	return str_compare(((const struct session *)a)->login,
			   ((const struct session *)b)->login);
}

/* "login <TAB> service <TAB> process <TAB> address", as doveadm-who(1) has it
 * with -f tab; the heading of the second column is "proto" in 2.3. */
static bool read_session(struct str line, struct session *out)
{
	struct str service, process;
	uint64_t id;

	if (!str_split(&line, '\t', &out->login) ||
	    !str_split(&line, '\t', &service) ||
	    !str_split(&line, '\t', &process) ||
	    !str_number(process, INT_MAX, &id))
		return fail("doveadm who: not understood");
	out->process = (int)id;
	return true;
}

static bool read_sessions(struct str text, struct sessions *out)
{
	struct str line;
	size_t lines = 0;

	if (!str_split(&text, '\n', &line) ||
	    (!str_starts(line, S("username\tproto\tpid\t")) &&
	     !str_starts(line, S("username\tservice\tpid\t"))))
		return fail("doveadm who: another heading than expected");
	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	out->all = arena_array(out->arena, struct session, lines + 1);
	while (str_split(&text, '\n', &line))
		if (!read_session(line, &out->all[out->n++]))
			return false;
	if (out->n > 0)
		qsort(out->all, out->n, sizeof(*out->all), by_login);
	return true;
}

static bool waits ask_who(const struct logout *l, struct sessions *out)
{
	struct process_plan plan = { .argv = l->who };
	struct buf text scoped(buf) = BUF_EMPTY;
	int status;

	if (!process_run(&plan, WHO_BYTES, after_ms(WHO_MS), &text, &status))
		return false;
	if (status != 0)
		return fail("doveadm who: exit status %d", status);
	return read_sessions(arena_str(out->arena, buf_str(&text)), out);
}

/* ---- whose sessions end ---- */

struct look {
	const struct sessions *sessions;
	int dovecot;
	int64_t begun_before_ms; /* younger sessions stay */
};

/* The first of LOGIN's, or where it would be. */
static size_t find(const struct sessions *s, struct str login)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_compare(s->all[middle].login, login) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_old(const struct look *k, int process)
{
	return now_ms() - process_age_ms(process) < k->begun_before_ms;
}

static void end_his(void *arg, struct str login)
{
	const struct look *k = arg;
	const struct sessions *s = k->sessions;
	int ended = 0;

	for (size_t i = find(s, login);
	     i < s->n && str_same(s->all[i].login, login); i++)
		if (is_old(k, s->all[i].process))
			ended += process_signal_member(
				k->dovecot, s->all[i].process, SIGTERM);
	if (ended > 0)
		log_fact("serve", "login=<%.*s>: open sessions ended: %d",
			 STR(login), ended);
}

static bool is_due(const struct logout *l, int64_t ms)
{
	return l->n_marks > 0 && l->marks[0].seen_ms + LOGOUT_AGAIN_MS <= ms;
}

/* When all marks are taken, which takes a database that cannot be written for
 * long, the youngest stands for what is new, too. */
static void mark(struct logout *l, int64_t upto, int64_t seen_ms)
{
	if (l->n_marks < LOGOUT_MARKS)
		l->n_marks++;
	l->marks[l->n_marks - 1] = (struct logout_mark){ upto, seen_ms };
}

static bool look_first(struct logout *l, struct look *k, int64_t newest,
		       int64_t seen_ms)
{
	k->begun_before_ms = NEVER;
	if (!outbox_each(l->outbox, l->seen, newest, end_his, k))
		return false;
	l->seen = newest;
	mark(l, newest, seen_ms);
	return true;
}

/* At the entries of the oldest mark.  Those before it are struck out. */
static bool look_again(struct logout *l, struct look *k)
{
	struct logout_mark m = l->marks[0];

	/* One that began so soon after the first look may still have been let
	 * in before the commit. */
	k->begun_before_ms = m.seen_ms + LOGOUT_LET_IN_MS;
	if (!outbox_each(l->outbox, 0, m.upto, end_his, k) ||
	    !outbox_strike_out(l->outbox, m.upto))
		return false;
	memmove(l->marks, l->marks + 1, --l->n_marks * sizeof(m));
	return true;
}

bool waits logout_look(struct logout *l, int dovecot)
{
	struct arena *arena scoped(arena) = arena_open();
	struct sessions sessions = { .arena = arena };
	struct look k = { &sessions, dovecot, NEVER };
	int64_t newest, begun = now_ms();

	if (!outbox_newest(l->outbox, &newest))
		return false;
	if (newest <= l->seen && !is_due(l, begun))
		return true;
	if (!ask_who(l, &sessions))
		return false;
	if (newest > l->seen && !look_first(l, &k, newest, begun))
		return false;
	while (is_due(l, begun))
		if (!look_again(l, &k))
			return false;
	return true;
}
