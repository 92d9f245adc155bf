/*
 * Jobs: done, chunk by chunk (jobs.h).
 */
#include "directory/admins.h"
#include "directory/jobs_inside.h"
#include "wire/json.h"

/* So few that the writer is free again within some ten milliseconds, so many
 * that a commit is worth its sync. */
enum { CHUNK = 50 };

struct work {
	int64_t id, kind, done, role, domain;
	struct str asked_by, admin; /* ADMIN empty: he is gone */
	struct str who, what;
	struct arena *arena; /* the chunk's */
	struct job_settings settings;
	int64_t scope;            /* his domain now; 0: all */
	int64_t changed, refused; /* of this chunk */
};

static enum answer load(struct changes *c, int64_t id, struct work *w)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT j.done, j.role, j.domain, j.asked_by, "
			  "coalesce(a.name, ''), j.who, j.what, j.kind "
			  "FROM job j "
			  "LEFT JOIN admin a ON a.id = j.admin "
			  "WHERE j.id = ? AND j.state < 2",
			  "i", id);
	enum answer a = query_next(&q);

	if (a != ANSWER_YES)
		return a;
	w->id = id;
	w->done = query_int(&q, 0);
	w->role = query_int(&q, 1);
	w->domain = query_int(&q, 2);
	w->asked_by = query_text(&q, 3, w->arena);
	w->admin = query_text(&q, 4, w->arena);
	w->who = query_text(&q, 5, w->arena);
	w->what = query_text(&q, 6, w->arena);
	w->kind = query_int(&q, 7);
	return job_settings_read(c, w->what, w->arena, &w->settings)
		       ? ANSWER_YES
		       : ANSWER_UNSURE;
}

/* May he still?  NO: why is the refusal in c->result. */
static enum answer check_rights(struct changes *c, struct work *w)
{
	struct admin now;
	enum answer a = ANSWER_NO;

	if (!str_empty(w->admin))
		a = directory_admin(changes_directory(c), w->admin, w->arena,
				    &now);
	if (a == ANSWER_NO)
		refuse(c, NULL, asker_is_gone, V("admin", w->asked_by));
	if (a != ANSWER_YES)
		return a;
	w->scope = now.domain;
	changes_ask_as(c, now.role, now.domain);
	if ((int64_t)now.role <= w->role &&
	    (now.domain == 0 || now.domain == w->domain))
		return ANSWER_YES;
	refuse(c, NULL, asker_has_fewer_rights, V("admin", w->asked_by));
	return ANSWER_NO;
}

static bool last_change(struct changes *c, int64_t *id)
{
	*id = 0;
	return sql_int(c->sql, id,
		       "SELECT coalesce(max(id), 0) FROM change_log",
		       "") == ANSWER_YES;
}

struct item {
	int64_t n, holder;
	struct str address;
	int64_t log_first, log_last;
};

/* The one place where a refusal is written down. */
static bool note_refusal(struct changes *c, struct work *w,
			 const struct item *item, struct change change)
{
	w->refused++;
	return sql_run(c->sql,
		       "INSERT INTO job_refusal "
		       "(job, n, address, field, sentence, reason, vals) "
		       "VALUES (?, ?, ?, ?, ?, ?, ?)",
		       "iisttts", w->id, item->n, item->address,
		       change.field ? change.field : "", change.sentence,
		       refusal_name(change.reason),
		       json_values_text(change.values, w->arena));
}

/* Has it changed anything? BEFORE was the last line of the change log.  Kept is
 * who he is and his login, whatever address he was given by: that may be
 * another's by tomorrow. */
static bool note_done(struct changes *c, struct work *w,
		      const struct item *item, int64_t before)
{
	int64_t last;

	if (!last_change(c, &last))
		return false;
	w->changed += last != before;
	return last == before ||
	       sql_run(c->sql,
		       "INSERT INTO job_done (job, n, holder, address, "
		       "log_first, log_last) "
		       "SELECT ?1, ?2, id, login, ?4, ?5 "
		       "FROM holder WHERE id = ?3",
		       "iiiii", w->id, item->n, item->holder, before + 1, last);
}

enum { FORMER = 16 }; /* more keys than a user has */

/* What the lines of the change log say that was. */
static bool read_former(struct changes *c, const struct work *w,
			const struct item *item, struct former *out, size_t *n)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT field, old, new FROM change_log WHERE id BETWEEN ? "
		"AND ? AND noun = 'user'",
		"ii", item->log_first, item->log_last);
	enum answer a;

	for (*n = 0; (a = query_next(&q)) == ANSWER_YES; ++*n) {
		check(*n < FORMER);
		out[*n] = (struct former){ query_text(&q, 0, w->arena),
					   query_text(&q, 1, w->arena),
					   query_text(&q, 2, w->arena) };
	}
	return a == ANSWER_NO;
}

static struct change change_one(struct changes *c, const struct work *w,
				const struct item *item)
{
	struct user_meant user = { item->holder, item->address, w->scope };
	struct former former[FORMER];
	size_t n = 0;

	if (w->kind == JOB_CHANGE_USERS)
		return user_set_meant(c, &user, w->settings.s, w->settings.n);
	if (!read_former(c, w, item, former, &n))
		return (struct change){ CHANGE_FAILED, NULL,
					arena_printf(w->arena, "%s", cause()) };
	return user_put_back(c, &user, former, n);
}

static bool do_one(struct changes *c, struct work *w, const struct item *item)
{
	struct change change;
	int64_t before;

	if (!last_change(c, &before))
		return false;
	change = change_one(c, w, item);
	switch (change.outcome) {
	case CHANGE_DONE:
		return note_done(c, w, item, before);
	case CHANGE_REFUSED:
	case CHANGE_NOT_FOUND:
		return note_refusal(c, w, item, change);
	case CHANGE_FAILED:
		break;
	}
	return fail("%s", change.sentence);
}

static bool take_items(struct changes *c, struct work *w,
		       struct item items[CHUNK], size_t *n)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT n, holder, address, log_first, log_last "
		"FROM job_item WHERE job = ? AND n > ? ORDER BY n LIMIT ?",
		"iii", w->id, w->done, (int64_t)CHUNK);
	enum answer a;

	for (*n = 0; (a = query_next(&q)) == ANSWER_YES; ++*n)
		items[*n] = (struct item){ query_int(&q, 0), query_int(&q, 1),
					   query_text(&q, 2, w->arena),
					   query_int(&q, 3), query_int(&q, 4) };
	return a == ANSWER_NO;
}

static bool note_progress(struct changes *c, const struct work *w)
{
	return sql_run(c->sql,
		       "UPDATE job SET state = ?, done = ?, "
		       "changed = changed + ?, refused = refused + ?, "
		       "started_at = CASE started_at WHEN 0 THEN "
		       "unixepoch() ELSE started_at END WHERE id = ?",
		       "iiiii", (int64_t)JOB_RUNNING, w->done, w->changed,
		       w->refused, w->id) &&
	       sql_run(c->sql, "DELETE FROM job_item WHERE job = ? AND n <= ?",
		       "ii", w->id, w->done);
}

static bool do_chunk(struct changes *c, struct work *w)
{
	struct item items[CHUNK];
	size_t n = 0;

	if (!take_items(c, w, items, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!do_one(c, w, &items[i]))
			return false;
	w->done += (int64_t)n;
	return note_progress(c, w) &&
	       (n == CHUNK || job_end(c, w->id, JOB_DONE));
}

/* In the name of who asked. */
static bool do_chunk_as(struct changes *c, struct work *w)
{
	char *own = c->who;
	bool ok;

	c->who = arena_cstr(w->arena, w->who);
	ok = do_chunk(c, w);
	c->who = own;
	return ok;
}

/* Why is the refusal in c->result. */
static bool end_as_failed(struct changes *c, int64_t id)
{
	const struct change *why = &c->result;

	return sql_run(c->sql,
		       "UPDATE job SET sentence = ?, reason = ?, vals = ? "
		       "WHERE id = ? AND state < 2",
		       "ttsi", why->sentence, refusal_name(why->reason),
		       json_values_text(why->values, c->arena), id) &&
	       job_end(c, id, JOB_FAILED);
}

bool job_work(struct changes *c, int64_t id)
{
	struct arena *arena scoped(arena) = arena_open();
	struct work w = { .arena = arena };
	enum answer a = load(c, id, &w);

	check(c->in_batch);
	if (a != ANSWER_YES)
		return a == ANSWER_NO;
	switch (check_rights(c, &w)) {
	case ANSWER_YES:
		return do_chunk_as(c, &w);
	case ANSWER_NO:
		return end_as_failed(c, id);
	case ANSWER_UNSURE:
		break;
	}
	return false;
}

static enum answer oldest(struct changes *c, int64_t *id)
{
	return sql_int(c->sql, id,
		       "SELECT id FROM job WHERE state < 2 ORDER BY id LIMIT 1",
		       "");
}

enum answer jobs_work(struct changes *c)
{
	int64_t id;
	enum answer a = oldest(c, &id);

	if (a != ANSWER_YES)
		return a;
	/* By now it may have ended, or have been done further: job_work()
	 * looks again, and nobody else writes any more. */
	if (!changes_begin(c))
		return ANSWER_UNSURE;
	if (!job_work(c, id)) {
		changes_undo(c);
		return ANSWER_UNSURE;
	}
	if (changes_end(c))
		return ANSWER_YES;
	sql_rollback(c->sql);
	return ANSWER_UNSURE;
}
