/*
 * spool/: the files of large bodies, one a message, named by its id.
 *
 * A file is sealed (for reading only) after the commit that made its row, and
 * no longer sealed before the commit that ends it.  So after a crash each file
 * without a row says what it is: not sealed, a leftover, nobody was told 250
 * or all had it; sealed, mail that another queue.db knows.  That one is newer
 * (a backup was put back), or was moved aside.  Such files go to spool.orphans/
 * and come back at the start that finds their rows again.
 *
 * spool.id says which queue.db the files belong to.  Beside another one
 * nothing is a leftover, sealed or not.  It is written when all of these are
 * out of the way: on a full disk that is at a later start, and mail goes on.
 */
#include <stdio.h>

#include "base/mutants.h"
#include "queue/inside.h"
#include "rt/folder.h"

static const char suffix[] = ".eml";
static const char id_file[] = "spool.id";

struct spool_name spool_name(int64_t number)
{
	struct spool_name name;
	char id[ID_LETTERS + 1];

	id_write(number, id);
	snprintf(name.c, sizeof(name.c), "%s%s", id, suffix);
	return name;
}

/* 0: a name we did not make. */
static int64_t number_of(const char *name)
{
	struct str id = str_of(name);

	if (!str_ends(id, str_of(suffix)))
		return 0;
	id.n -= sizeof(suffix) - 1;
	return id_number(id);
}

void spool_mark(struct queue *q, int64_t number)
{
	/* without it the file could be taken for a leftover, beside a
	 * queue.db that has lost its row: no reason to refuse mail */
	if (!folder_seal(q->spool.folder, spool_name(number).c, true))
		return;
}

void spool_unmark(struct queue *q, int64_t number)
{
	if (!folder_seal(q->spool.folder, spool_name(number).c, false))
		return;
}

/* ---- at the start ---- */

struct sweep {
	struct queue *q;
	bool is_other; /* the files belong to another queue.db */
	bool has_left; /* some could not be moved: the disk is full */
	bool ok;
};

static bool is_known(struct sweep *w, const char *name, bool *known)
{
	int64_t last;

	return store_has(w->q->store, number_of(name), known, &last);
}

static bool sweep_unknown(struct sweep *w, const char *name)
{
	struct queue *q = w->q;

	if (!w->is_other && !folder_is_sealed(q->spool.folder, name))
		return folder_remove(q->spool.folder, name);
	if (folder_make(q->orphans) &&
	    folder_move(q->spool.folder, name, q->orphans)) {
		q->moved_aside++;
		return true;
	}
	w->has_left = true;
	return cause_kind() == FAIL_NO_ROOM;
}

static void sweep_one(void *arg, const char *name)
{
	struct sweep *w = arg;
	bool known;

	if (!w->ok || !number_of(name))
		return;
	w->ok = is_known(w, name, &known);
	if (w->ok && !known)
		w->ok = sweep_unknown(w, name);
	else if (w->ok && !folder_is_sealed(w->q->spool.folder, name))
		spool_mark(w->q, number_of(name));
}

/* One that has its row again. */
static void bring_back(void *arg, const char *name)
{
	struct sweep *w = arg;
	struct queue *q = w->q;
	uint64_t bytes;
	bool known;

	if (!w->ok || !number_of(name))
		return;
	w->ok = is_known(w, name, &known);
	if (!w->ok || !known || folder_readable(q->spool.folder, name, &bytes))
		return;
	w->ok = folder_move(q->orphans, name, q->spool.folder);
	q->back += w->ok;
}

static void count_one(void *n, const char *name)
{
	*(size_t *)n += number_of(name) != 0;
}

size_t queue_orphans(struct queue *q)
{
	size_t n = 0;

	return folder_list(q->orphans, count_one, &n) ? n : 0;
}

bool spool_sweep(struct queue *q)
{
	struct sweep w = { .q = q, .ok = true };
	char id[17], noted[17];

	if (!store_identity(q->store, id))
		return false;
	w.is_other = !folder_noted(q->folder, id_file, noted, sizeof(noted)) ||
		     strcmp(id, noted) != 0;
	if (queue_orphans(q) &&
	    (!folder_list(q->orphans, bring_back, &w) || !w.ok))
		return false;
	if (!folder_list(q->spool.folder, sweep_one, &w) || !w.ok)
		return false;
	if (!w.is_other || w.has_left || folder_note(q->folder, id_file, id))
		return true;
	return cause_kind() == FAIL_NO_ROOM;
}

void queue_swept(struct queue *q, size_t *moved_aside, size_t *back)
{
	*moved_aside = q->moved_aside;
	*back = q->back;
}

/* ---- with a call ---- */

static bool spool_keep(struct message *m)
{
	return body_keep(&m->body, spool_name(id_number(str_of(m->id))).c);
}

bool spool_keep_all(struct change *c, bool with_message)
{
	size_t n = 0;
	bool ok = !with_message || spool_keep(c->m);

	while (ok && n < c->n_dsns)
		ok = spool_keep(c->dsns[n++]);
	return ok;
}

void spool_remove(struct queue *q, const struct message *m)
{
	if (!file_remove(q->spool.folder,
			 spool_name(id_number(str_of(m->id))).c))
		return;
}

void spool_undo(struct change *c, bool with_message)
{
	struct failure why;

	failure_save(&why);
	if ((with_message ||
	     (MUTANT(undone_settling_removes_the_file) && c->m)) &&
	    c->m->body.file)
		spool_remove(c->q, c->m);
	for (size_t i = 0; i < c->n_dsns; i++)
		if (c->dsns[i]->body.file)
			spool_remove(c->q, c->dsns[i]);
	fail_again(&why);
}
