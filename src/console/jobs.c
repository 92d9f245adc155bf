/*
 * Jobs: how far they are, what came of them, stopping and undoing them.
 */
#include "console/jobs.h"

#include <stdlib.h>

#include "console/handlers.h"
#include "console/job_worker.h"
#include "console/nouns.h"

/* ---- as JSON ---- */

/* What was JSON when it was written down. */
static json_t *object_of(struct str text)
{
	json_t *object = json_loadb(text.p, text.n, 0, NULL);

	return object ? object : json_object();
}

static json_t *change_json(const struct job *j)
{
	return j->kind == JOB_CHANGE_USERS ? object_of(j->what) : json_null();
}

/* The members of a refusal, as say_refusal() has them. */
static void add_said(json_t *o, const struct said *said)
{
	json_object_set_new(o, "detail", json_text(said->sentence));
	json_object_set_new(o, "reason", json_id(said->reason));
	json_object_set_new(o, "values", object_of(said->values));
}

json_t *job_json(const struct job *j)
{
	json_t *o = json_pack(
		"{s:I,s:s,s:o,s:s,s:o,s:I,s:I,s:I,s:I,s:n,s:o,s:o,"
		"s:o,s:o,s:b}",
		"id", (json_int_t)j->id, "kind", job_kind_name(j->kind),
		"administrator", json_text(j->admin), "state",
		job_state_name(j->state), "change", change_json(j), "total",
		(json_int_t)j->total, "done", (json_int_t)j->done, "changed",
		(json_int_t)j->changed, "refused", (json_int_t)j->refused,
		"detail", "created_at", json_time_s(j->created_s), "started_at",
		json_time_or_null(j->started_s * 1000), "ended_at",
		json_time_or_null(j->ended_s * 1000), "undoes",
		j->undoes ? json_integer(j->undoes) : json_null(), "can_undo",
		j->can_undo);

	if (!str_empty(j->why.sentence))
		add_said(o, &j->why);
	return o;
}

static json_t *refusal_json(const struct job_refusal *e)
{
	json_t *o = json_pack("{s:o}", "address", json_text(e->address));

	if (!str_empty(e->field))
		json_object_set_new(o, "field", json_text(e->field));
	add_said(o, &e->why);
	return o;
}

void add_refusal(void *array, const struct job_refusal *e)
{
	json_array_append_new(array, refusal_json(e));
}

/* ---- which ---- */

/* Whose jobs does he see?  Empty: everybody's. */
static struct str owner(struct request *r)
{
	return is_super(r) ? S("") : r->who.admin.name;
}

/* False: *BAD. */
static bool find(struct request *r, struct job *out, struct response *bad)
{
	uint64_t id;
	enum answer a = ANSWER_NO;

	if (str_number(r->args[0], INT64_MAX, &id))
		a = find_job(r->d, owner(r), (int64_t)id, r->arena, out);
	if (a == ANSWER_YES)
		return true;
	*bad = a == ANSWER_NO ? not_there(r) : trouble(r);
	return false;
}

/* The cursor of a list in the order of numbers; 0: from the start. */
static bool number_cursor(struct request *r, int64_t *out, struct response *bad)
{
	struct str text, none;
	uint64_t n = 0;

	if (!cursor_parse(r, &text, &none, bad))
		return false;
	if (!str_empty(text) && !str_number(text, INT64_MAX, &n)) {
		*bad = problem("cursor", bad_cursor);
		return false;
	}
	*out = (int64_t)n;
	return true;
}

struct listed {
	json_t *list;
	int64_t limit, n, last;
};

static struct response answer_list(struct request *r, struct listed *l)
{
	struct str last = arena_strf(r->arena, "%lld", (long long)l->last);

	return answer_json(
		200, json_pack("{s:o,s:o}", "items", l->list, "next_cursor",
			       l->n > l->limit ? cursor_of(r, last, S(""))
					       : json_null()));
}

static void list_one(void *arg, const struct job *j)
{
	struct listed *l = arg;

	if (l->n++ == l->limit)
		return;
	l->last = j->id;
	json_array_append_new(l->list, job_json(j));
}

static void list_refusal(void *arg, const struct job_refusal *e)
{
	struct listed *l = arg;

	if (l->n++ == l->limit)
		return;
	l->last = e->n;
	add_refusal(l->list, e);
}

/* ---- the answers ---- */

struct response on_list_jobs(struct request *r)
{
	struct str whose = param_flag(r, "own") ? r->who.admin.name : owner(r);
	struct listed l = { 0 };
	struct response bad;
	int64_t before;

	if (!page_limit(r, &l.limit, &bad) || !number_cursor(r, &before, &bad))
		return bad;
	l.list = json_array();
	if (list_jobs(r->d, whose, before, l.limit + 1, list_one, &l))
		return answer_list(r, &l);
	json_decref(l.list);
	return trouble(r);
}

struct response on_get_job(struct request *r)
{
	struct response bad;
	struct job job;

	return find(r, &job, &bad) ? answer_json(200, job_json(&job)) : bad;
}

struct response on_list_refusals(struct request *r)
{
	struct listed l = { 0 };
	struct response bad;
	struct job job;
	int64_t after;

	if (!find(r, &job, &bad) || !page_limit(r, &l.limit, &bad) ||
	    !number_cursor(r, &after, &bad))
		return bad;
	l.list = json_array();
	if (list_refusals(r->d, job.id, after, l.limit + 1, list_refusal, &l))
		return answer_list(r, &l);
	json_decref(l.list);
	return trouble(r);
}

struct response answer_new_job(struct request *r, int64_t id)
{
	struct job job;
	struct response a;

	if (find_job(r->d, S(""), id, r->arena, &job) != ANSWER_YES)
		return trouble(r);
	a = answer_json(202, job_json(&job));
	a.location = arena_printf(r->arena, "/api/v1/jobs/%lld", (long long)id);
	return a;
}

static struct response undo(struct request *r)
{
	struct response bad;
	struct change change;
	struct job_made made;
	struct job job;

	if (!find(r, &job, &bad))
		return bad;
	change = job_undo(r->c, r->who.admin.name, job.id, &made);
	return change.outcome == CHANGE_DONE ? answer_new_job(r, made.id)
					     : refused(r, change);
}

struct response on_undo_job(struct request *r)
{
	struct response a;

	if (!change_open(r))
		return trouble(r);
	a = change_close(r, undo(r));
	if (a.status == 202)
		job_worker_wake();
	return a;
}

static struct response cancel(struct request *r)
{
	struct response bad;
	struct change change;
	struct job job;

	if (!find(r, &job, &bad))
		return bad;
	change = job_cancel(r->c, job.id);
	if (change.outcome != CHANGE_DONE)
		return refused(r, change);
	return find(r, &job, &bad) ? answer_json(200, job_json(&job)) : bad;
}

struct response on_cancel_job(struct request *r)
{
	return change_open(r) ? change_close(r, cancel(r)) : trouble(r);
}
