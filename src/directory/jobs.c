/*
 * Jobs: made, ended, forgotten, looked at (jobs.h); jobs_work.c does them.
 */
#include "directory/jobs_inside.h"

#include "base/limits.h"
#include "directory/admins.h"

static const char *const kind_names[] = {
	[JOB_CHANGE_USERS] = "change-users",
	[JOB_PUT_BACK] = "put-back",
};
static const char *const state_names[] = {
	[JOB_WAITING] = "waiting", [JOB_RUNNING] = "running",
	[JOB_DONE] = "done",       [JOB_CANCELLED] = "cancelled",
	[JOB_FAILED] = "failed",
};

const char *job_kind_name(enum job_kind k)
{
	return kind_names[k];
}

const char *job_state_name(enum job_state s)
{
	return state_names[s];
}

/* ---- settings ---- */

bool job_settings_read(struct changes *c, struct str what, struct arena *arena,
		       struct job_settings *out)
{
	struct query count scoped(query) = sql_query(
		c->sql, "SELECT count(*) FROM json_each(?)", "s", what);
	struct query q scoped(query) = sql_query(
		c->sql, "SELECT key, value FROM json_each(?)", "s", what);
	enum answer a = query_next(&count);

	if (a != ANSWER_YES)
		return false;
	*out = (struct job_settings){ arena_array(
					      arena, struct setting,
					      (size_t)query_int(&count, 0) + 1),
				      0 };
	while ((a = query_next(&q)) == ANSWER_YES)
		out->s[out->n++] = (struct setting){ query_text(&q, 0, arena),
						     query_text(&q, 1, arena) };
	return a == ANSWER_NO;
}

/* ---- how long it is remembered ---- */

/* Of an ended job, with LIMIT_UNDO_HOURS as ?1: it can be undone. */
#define IS_RECENT "ended_at > unixepoch() - ?1 * 3600 "

static bool forget_reports(struct changes *c)
{
	return run(c,
		   "DELETE FROM job WHERE state >= 2 AND "
		   "ended_at <= unixepoch() - ? * 86400",
		   "i", (int64_t)LIMIT_JOB_DAYS) &&
	       run(c,
		   "DELETE FROM job WHERE id IN (SELECT id FROM "
		   "(SELECT id, ended_at, row_number() OVER "
		   "(PARTITION BY admin ORDER BY id DESC) AS place FROM job "
		   "WHERE state >= 2 AND admin NOT NULL) "
		   "WHERE place > ?2 AND NOT " IS_RECENT ")",
		   "ii", (int64_t)LIMIT_UNDO_HOURS, (int64_t)LIMIT_JOBS_ENDED);
}

static bool forget_what_was_done(struct changes *c)
{
	return run(c,
		   "DELETE FROM job_done WHERE job IN (SELECT id FROM job "
		   "WHERE state >= 2 AND NOT " IS_RECENT ")",
		   "i", (int64_t)LIMIT_UNDO_HOURS);
}

/* What undoing a renaming would need. */
static bool forget_renamings(struct changes *c)
{
	return run(c,
		   "DELETE FROM renaming WHERE change IN (SELECT r.change FROM "
		   "renaming r JOIN change_log l ON l.id = r.change WHERE "
		   "l.at <= unixepoch() - ? * 3600)",
		   "i", (int64_t)LIMIT_UNDO_HOURS);
}

bool jobs_forget(struct changes *c)
{
	struct change r = change_end(c, change_begin(c) && forget_reports(c) &&
						forget_what_was_done(c) &&
						forget_renamings(c));

	return r.outcome == CHANGE_DONE || fail("%s", r.sentence);
}

/* ---- making ---- */

static bool find_asker(struct changes *c, struct str name, struct admin *out,
		       int64_t *id)
{
	switch (directory_admin(changes_directory(c), name, c->arena, out)) {
	case ANSWER_YES:
		return ask(c, id, "SELECT id FROM admin WHERE name = ?", "s",
			   name);
	case ANSWER_NO:
		return missing(c, NULL, no_such_admin, V("name", name));
	case ANSWER_UNSURE:
		break;
	}
	return broken(c);
}

static bool check_waiting(struct changes *c, int64_t admin)
{
	int64_t n = 0;

	if (!ask(c, &n,
		 "SELECT count(*) FROM job WHERE state < 2 AND admin = ?", "i",
		 admin))
		return false;
	return n < LIMIT_JOBS_OPEN ||
	       refuse(c, NULL, too_many_jobs, V("most", LIMIT_JOBS_OPEN));
}

/* Those of his that may not be forgotten yet. */
static bool check_recent(struct changes *c, int64_t admin)
{
	int64_t n = 0;

	if (!ask(c, &n,
		 "SELECT count(*) FROM job WHERE admin = ?2 AND "
		 "(state < 2 OR " IS_RECENT ")",
		 "ii", (int64_t)LIMIT_UNDO_HOURS, admin))
		return false;
	return n < LIMIT_JOBS_A_DAY ||
	       refuse(c, NULL, too_many_jobs_a_day, V("most", LIMIT_JOBS_A_DAY),
		      V("hours", LIMIT_UNDO_HOURS));
}

/* UNDOES: 0, or the job that is put back. */
static bool insert_job(struct changes *c, struct str asker, struct str what,
		       int64_t undoes, int64_t *id)
{
	int64_t kind = undoes ? JOB_PUT_BACK : JOB_CHANGE_USERS, admin_id = 0;
	struct admin admin;

	if (!find_asker(c, asker, &admin, &admin_id) ||
	    !check_waiting(c, admin_id) || !check_recent(c, admin_id) ||
	    !run(c,
		 "INSERT INTO job (kind, what, undoes, admin, asked_by, who, "
		 "role, domain) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		 "isiistii", kind, what, undoes, admin_id, admin.name, c->who,
		 (int64_t)admin.role, admin.domain))
		return false;
	*id = sql_last_id(c->sql);
	return true;
}

struct filling {
	struct changes *c;
	int64_t job, n;
	bool ok;
};

static void add_item(struct filling *f, int64_t holder, struct str address)
{
	if (f->ok)
		f->ok = sql_run(f->c->sql,
				"INSERT INTO job_item (job, n, holder, "
				"address) VALUES (?, ?, ?, ?)",
				"iiis", f->job, ++f->n, holder, address);
}

static void add_holder(void *filling, const struct holder_entry *e)
{
	add_item(filling, e->id, e->login);
}

/* Whoever has it now is meant. */
static void add_address(struct filling *f, struct str address)
{
	int64_t holder = 0;

	f->ok = f->ok && holder_find(f->c, address, &holder);
	add_item(f, holder, address);
}

static bool check_number(struct changes *c, const struct job_order *o,
			 int64_t n)
{
	if (o->expect >= 0 && n != o->expect)
		return refuse(c, "expect", match_changed, V("n", n),
			      V("seen", o->expect));
	if (n == 0)
		return refuse(c, NULL, nobody_to_change);
	return n <= LIMIT_JOB_ITEMS ||
	       refuse(c, NULL, too_many_for_a_job, V("users", n),
		      V("most", LIMIT_JOB_ITEMS));
}

static bool count(struct changes *c, const struct job_order *o, int64_t *out)
{
	*out = (int64_t)o->n;
	return !o->page ||
	       count_holders(changes_directory(c), o->page, out) ==
		       ANSWER_YES ||
	       broken(c);
}

static bool fill(struct filling *f, const struct job_order *o, int64_t n)
{
	struct holder_page page;

	if (!o->page) {
		for (int64_t i = 0; i < n; i++)
			add_address(f, o->addresses[i]);
		return f->ok || broken(f->c);
	}
	page = *o->page;
	page.limit = n;
	f->ok = list_holder_page(changes_directory(f->c), &page, add_holder,
				 f) &&
		f->ok;
	return f->ok || broken(f->c);
}

static bool create(struct changes *c, const struct job_order *o,
		   struct job_made *out)
{
	struct filling f = { .c = c, .ok = true };
	struct job_settings s;
	int64_t n;

	if (!job_settings_read(c, o->what, c->arena, &s))
		return broken(c);
	if (!user_settings_check(c, s.s, s.n) || !count(c, o, &out->matching) ||
	    !check_number(c, o, out->matching) ||
	    !insert_job(c, o->admin, o->what, 0, &f.job))
		return false;
	n = out->matching;
	if (o->at_most && n > o->at_most)
		n = o->at_most;
	out->id = f.job;
	return fill(&f, o, n) &&
	       run(c, "UPDATE job SET total = ? WHERE id = ?", "ii", f.n,
		   f.job) &&
	       done(c, "The job %lld has %lld users.", (long long)f.job,
		    (long long)f.n);
}

struct change job_create(struct changes *c, const struct job_order *o,
			 struct job_made *out)
{
	return change_end(c, change_begin(c) && create(c, o, out));
}

static bool undo(struct changes *c, struct str admin, int64_t id,
		 struct job_made *out)
{
	if (!insert_job(c, admin, S("{}"), id, &out->id) ||
	    !run(c,
		 "INSERT INTO job_item (job, n, holder, address, log_first, "
		 "log_last) SELECT ?2, row_number() OVER (ORDER BY d.n), "
		 "d.holder, d.address, d.log_first, d.log_last FROM job_done d "
		 "JOIN job j ON j.id = d.job "
		 "WHERE d.job = ?3 AND j.state >= 2 AND " IS_RECENT,
		 "iii", (int64_t)LIMIT_UNDO_HOURS, out->id, id))
		return false;
	out->matching = sql_changes(c->sql);
	if (out->matching == 0)
		return refuse(c, NULL, nothing_to_put_back,
			      V("hours", LIMIT_UNDO_HOURS));
	return run(c, "UPDATE job SET total = ? WHERE id = ?", "ii",
		   out->matching, out->id) &&
	       done(c, "The job %lld puts back %lld users.", (long long)out->id,
		    (long long)out->matching);
}

struct change job_undo(struct changes *c, struct str admin, int64_t id,
		       struct job_made *out)
{
	return change_end(c, change_begin(c) && undo(c, admin, id, out));
}

/* ---- ending ---- */

bool job_end(struct changes *c, int64_t id, enum job_state state)
{
	return sql_run(c->sql,
		       "UPDATE job SET state = ?, ended_at = unixepoch() "
		       "WHERE id = ? AND state < 2",
		       "ii", (int64_t)state, id) &&
	       sql_run(c->sql, "DELETE FROM job_item WHERE job = ?", "i", id);
}

static bool cancel(struct changes *c, int64_t id)
{
	int64_t found = 0;

	if (!ask(c, &found, "SELECT id FROM job WHERE id = ?", "i", id))
		return false;
	if (!found)
		return missing(c, NULL, no_such_job);
	return job_end(c, id, JOB_CANCELLED) || broken(c);
}

struct change job_cancel(struct changes *c, int64_t id)
{
	return change_end(c, change_begin(c) && cancel(c, id));
}

/* ---- looking ---- */

/* ?1: LIMIT_UNDO_HOURS. */
#define JOB_COLUMNS \
	"SELECT id, kind, state, asked_by, what, total, done, changed, " \
	"refused, created_at, started_at, ended_at, undoes, " \
	"state >= 2 AND " IS_RECENT \
	"AND EXISTS (SELECT * FROM job_done WHERE job = job.id), " \
	"sentence, reason, vals " \
	"FROM job "
#define IS_HIS "(?2 = '' OR admin = (SELECT id FROM admin WHERE name = ?2)) "

/* From the columns sentence, reason and vals, the first of which is FROM. */
static struct said read_said(struct query *q, int from, struct arena *arena)
{
	return (struct said){
		query_text(q, from, arena),
		query_text(q, from + 1, arena),
		query_text(q, from + 2, arena),
	};
}

static struct job read_job(struct query *q, struct arena *arena)
{
	return (struct job){
		.id = query_int(q, 0),
		.kind = (enum job_kind)query_int(q, 1),
		.state = (enum job_state)query_int(q, 2),
		.admin = query_text(q, 3, arena),
		.what = query_text(q, 4, arena),
		.total = query_int(q, 5),
		.done = query_int(q, 6),
		.changed = query_int(q, 7),
		.refused = query_int(q, 8),
		.created_s = query_int(q, 9),
		.started_s = query_int(q, 10),
		.ended_s = query_int(q, 11),
		.undoes = query_int(q, 12),
		.can_undo = query_int(q, 13) != 0,
		.why = read_said(q, 14, arena),
	};
}

enum answer find_job(struct directory *d, struct str admin, int64_t id,
		     struct arena *arena, struct job *out)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d), JOB_COLUMNS "WHERE " IS_HIS "AND id = ?3",
		"isi", (int64_t)LIMIT_UNDO_HOURS, admin, id);
	enum answer a = query_next(&q);

	if (a == ANSWER_YES)
		*out = read_job(&q, arena);
	return a;
}

bool list_jobs(struct directory *d, struct str admin, int64_t before,
	       int64_t limit, void (*each)(void *arg, const struct job *j),
	       void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		JOB_COLUMNS "WHERE " IS_HIS
			    "AND (?3 = 0 OR id < ?3) ORDER BY id DESC LIMIT ?4",
		"isii", (int64_t)LIMIT_UNDO_HOURS, admin, before, limit);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct job j = read_job(&q, row);

		each(arg, &j);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

bool list_refusals(struct directory *d, int64_t job, int64_t after,
		   int64_t limit,
		   void (*each)(void *arg, const struct job_refusal *e),
		   void *arg)
{
	struct query q scoped(query) =
		sql_query(directory_sql(d),
			  "SELECT n, address, field, sentence, reason, vals "
			  "FROM job_refusal WHERE job = ? AND n > ? "
			  "ORDER BY n LIMIT ?",
			  "iii", job, after, limit);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct job_refusal e = {
			query_int(&q, 0),
			query_text(&q, 1, row),
			query_text(&q, 2, row),
			read_said(&q, 3, row),
		};

		each(arg, &e);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

/* ---- what came of it ---- */

/* From another system than the one a user is on now he has come when either
 * the mail system or, staying elsewhere, the system was changed. */
enum answer job_effects(struct directory *d, int64_t job,
			struct job_effects *out)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT count(*) FILTER (WHERE c.field = 'mail_system' AND "
		"c.new = 'hosted' AND h.password = ''), "
		"count(*) FILTER (WHERE c.field = 'mail_system' AND "
		"c.old = 'hosted'), "
		"count(*) FILTER (WHERE c.field = 'mail_system' AND "
		"c.old = 'alternate' OR c.field = 'system' AND "
		"h.mail_system = 1 AND NOT EXISTS (SELECT 1 FROM change_log m "
		"WHERE m.id BETWEEN j.log_first AND j.log_last AND "
		"m.field = 'mail_system')) "
		"FROM job_done j JOIN holder h ON h.id = j.holder "
		"JOIN change_log c ON c.id BETWEEN j.log_first AND j.log_last "
		"WHERE j.job = ?",
		"i", job);
	enum answer a = query_next(&q);

	if (a == ANSWER_YES)
		*out = (struct job_effects){ query_int(&q, 0), query_int(&q, 1),
					     query_int(&q, 2) };
	return a;
}

bool list_changed(struct directory *d, int64_t job,
		  void (*each)(void *arg, int64_t holder), void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT holder FROM job_done WHERE job = ? ORDER BY n", "i",
		job);
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES)
		each(arg, query_int(&q, 0));
	return a == ANSWER_NO;
}
