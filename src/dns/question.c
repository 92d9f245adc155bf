/* One question to libunbound (question.h). */
#include "dns/question.h"

#include <unbound.h>

#include "base/buf.h"
#include "rt/watch.h"

enum { CLASS_IN = 1, NXDOMAIN = 3 };

static bool worked(int error, const char *what)
{
	return error == 0 || fail("dns: %s: %s", what, ub_strerror(error));
}

static void on_readable(void *arg)
{
	struct resolver *r = arg;

	ub_process(r->ub);
}

static void end_question(struct question *q)
{
	q->is_open = false;
	resolver_give_back(q->resolver);
}

static void on_answer(void *arg, int error, struct ub_result *result)
{
	struct question *q = arg;

	q->error = error;
	q->result = result;
	end_question(q);
	gate_open(&q->answered);
}

bool waits question_ask(struct dns *d, struct question *q, const char *name,
			int type)
{
	struct resolver *r = resolver_take(d);
	int error;

	*q = (struct question){ .resolver = r };
	if (!r)
		return false;
	if (!r->watch)
		r->watch = watch_open(ub_fd(r->ub), on_readable, r);
	error = ub_resolve_async(r->ub, name, type, CLASS_IN, q, on_answer,
				 &q->id);
	q->is_open = error == 0;
	if (error)
		resolver_give_back(r);
	return worked(error, name);
}

static void take_back(struct question *q)
{
	if (!q->is_open)
		return;
	ub_cancel(q->resolver->ub, q->id);
	end_question(q);
}

/* Everything that is not an answer is trouble; cause(). */
bool waits question_await(struct question *q, const char *name,
			  int64_t deadline)
{
	while (q->is_open) {
		if (gate_wait(&q->answered, deadline) == WAIT_DONE)
			continue;
		take_back(q);
		return fail("dns: no answer about %s in time", name);
	}
	if (!worked(q->error, name))
		return false;
	if (q->result->bogus)
		return fail("dns: the answer about %s is forged (DNSSEC): %s",
			    name,
			    q->result->why_bogus ? q->result->why_bogus : "");
	if (!q->result->havedata && q->result->rcode != 0 &&
	    q->result->rcode != NXDOMAIN)
		return fail("dns: the servers cannot say about %s (rcode %d)",
			    name, q->result->rcode);
	return true;
}

void question_end(struct question *q)
{
	take_back(q);
	ub_resolve_free(q->result);
	q->result = NULL;
}

size_t question_count(const struct question *q)
{
	size_t n = 0;

	if (!q->result || !q->result->havedata)
		return 0;
	while (q->result->data[n])
		n++;
	return n;
}

/* Strings, each behind its length (RFC 1035 3.3.14): one after the other. */
struct str question_text(const struct question *q, size_t i,
			 struct arena *arena)
{
	const struct ub_result *r = q->result;
	struct str data = { r->data[i], (size_t)r->len[i] };
	struct buf text scoped(buf) = BUF_EMPTY;

	while (data.n > 0) {
		size_t n = (uint8_t)data.p[0];

		buf_add(&text, str_part(data, 1, 1 + n));
		data = str_from(data, 1 + n);
	}
	return arena_str(arena, buf_str(&text));
}
