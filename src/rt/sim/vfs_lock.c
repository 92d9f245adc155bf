/*
 * Locks of databases, and the index of a WAL: what SQLite has in the kernel
 * and in shared memory is here in memory, with the file.  The index is gone
 * when nobody has it open; the next one makes it from the WAL.
 */
#include <stdlib.h>
#include <string.h>

#include "rt/sim/vfs_inside.h"

struct sqlite_state {
	unsigned shared;              /* who has SHARED, or more */
	struct sqlite_file *reserved; /* or more: PENDING, EXCLUSIVE */
	bool is_pending, is_exclusive;
	unsigned shm_users;
	char **pages;
	int n_pages;
	unsigned shm_shared[SHM_LOCKS];
	bool shm_exclusive[SHM_LOCKS];
};

static struct sqlite_state *state_of(struct sqlite_file *f)
{
	struct node *n = f->node;

	if (!n->sqlite) {
		n->sqlite = must_alloc(sizeof(*n->sqlite));
		*n->sqlite = (struct sqlite_state){ .shared = 0 };
	}
	return n->sqlite;
}

/* ---- the five locks of a rollback journal ---- */

static int lock_shared(struct sqlite_file *f, struct sqlite_state *s)
{
	if (s->is_pending || s->is_exclusive)
		return SQLITE_BUSY;
	s->shared++;
	f->lock = SQLITE_LOCK_SHARED;
	return SQLITE_OK;
}

static int lock_reserved(struct sqlite_file *f, struct sqlite_state *s)
{
	if (s->reserved)
		return SQLITE_BUSY;
	s->reserved = f;
	f->lock = SQLITE_LOCK_RESERVED;
	return SQLITE_OK;
}

static int lock_exclusive(struct sqlite_file *f, struct sqlite_state *s)
{
	if (s->reserved && s->reserved != f)
		return SQLITE_BUSY;
	s->reserved = f;
	s->is_pending = true;
	f->lock = SQLITE_LOCK_PENDING;
	if (s->shared > 1)
		return SQLITE_BUSY;
	s->is_exclusive = true;
	f->lock = SQLITE_LOCK_EXCLUSIVE;
	return SQLITE_OK;
}

int sqlite_lock(sqlite3_file *file, int lock)
{
	struct sqlite_file *f = (struct sqlite_file *)file;
	struct sqlite_state *s = state_of(f);

	if (f->lock >= lock)
		return SQLITE_OK;
	if (lock == SQLITE_LOCK_SHARED)
		return lock_shared(f, s);
	if (lock == SQLITE_LOCK_RESERVED)
		return lock_reserved(f, s);
	return lock_exclusive(f, s);
}

int sqlite_unlock(sqlite3_file *file, int lock)
{
	struct sqlite_file *f = (struct sqlite_file *)file;
	struct sqlite_state *s = state_of(f);

	if (f->lock <= lock)
		return SQLITE_OK;
	if (s->reserved == f) {
		s->reserved = NULL;
		s->is_pending = s->is_exclusive = false;
	}
	if (lock == SQLITE_LOCK_NONE)
		s->shared--;
	f->lock = lock;
	return SQLITE_OK;
}

int sqlite_is_reserved(sqlite3_file *file, int *yes)
{
	*yes = state_of((struct sqlite_file *)file)->reserved != NULL;
	return SQLITE_OK;
}

/* ---- the index of a WAL ---- */

static void pages_free(struct sqlite_state *s)
{
	for (int i = 0; i < s->n_pages; i++)
		free(s->pages[i]);
	free(s->pages);
	s->pages = NULL;
	s->n_pages = 0;
}

int sqlite_shm_map(sqlite3_file *file, int page, int bytes, int extend,
		   void volatile **at)
{
	struct sqlite_file *f = (struct sqlite_file *)file;
	struct sqlite_state *s = state_of(f);

	if (!f->has_shm)
		s->shm_users++;
	f->has_shm = true;
	*at = NULL;
	if (page >= s->n_pages && !extend)
		return SQLITE_OK;
	while (page >= s->n_pages) {
		s->pages = must_realloc(
			s->pages, (size_t)(s->n_pages + 1) * sizeof(char *));
		s->pages[s->n_pages] = calloc(1, (size_t)bytes);
		check(s->pages[s->n_pages]);
		s->n_pages++;
	}
	*at = s->pages[page];
	return SQLITE_OK;
}

static bool is_free(const struct sqlite_file *f, const struct sqlite_state *s,
		    int i, bool exclusive)
{
	unsigned own = f->shm_shared >> i & 1;
	bool own_exclusive = f->shm_exclusive >> i & 1;

	if (s->shm_exclusive[i] && !own_exclusive)
		return false;
	return !exclusive || s->shm_shared[i] == own;
}

static void shm_take(struct sqlite_file *f, struct sqlite_state *s, int i,
		     bool exclusive)
{
	uint8_t bit = (uint8_t)(1u << i);

	if (exclusive) {
		f->shm_exclusive |= bit;
		s->shm_exclusive[i] = true;
	} else if (!(f->shm_shared & bit)) {
		f->shm_shared |= bit;
		s->shm_shared[i]++;
	}
}

static void shm_drop(struct sqlite_file *f, struct sqlite_state *s, int i)
{
	uint8_t bit = (uint8_t)(1u << i);

	if (f->shm_exclusive & bit)
		s->shm_exclusive[i] = false;
	if (f->shm_shared & bit)
		s->shm_shared[i]--;
	f->shm_exclusive &= (uint8_t)~bit;
	f->shm_shared &= (uint8_t)~bit;
}

int sqlite_shm_lock(sqlite3_file *file, int first, int n, int flags)
{
	struct sqlite_file *f = (struct sqlite_file *)file;
	struct sqlite_state *s = state_of(f);
	bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;

	for (int i = first; i < first + n && !(flags & SQLITE_SHM_UNLOCK); i++)
		if (!is_free(f, s, i, exclusive))
			return SQLITE_BUSY;
	for (int i = first; i < first + n; i++)
		if (flags & SQLITE_SHM_UNLOCK)
			shm_drop(f, s, i);
		else
			shm_take(f, s, i, exclusive);
	return SQLITE_OK;
}

void sqlite_shm_barrier(sqlite3_file *file)
{
	(void)file;
}

int sqlite_shm_unmap(sqlite3_file *file, int delete_it)
{
	struct sqlite_file *f = (struct sqlite_file *)file;
	struct sqlite_state *s = state_of(f);

	(void)delete_it;
	if (!f->has_shm)
		return SQLITE_OK;
	for (int i = 0; i < SHM_LOCKS; i++)
		shm_drop(f, s, i);
	f->has_shm = false;
	if (--s->shm_users == 0)
		pages_free(s);
	return SQLITE_OK;
}

void sqlite_leave(struct sqlite_file *f)
{
	sqlite_shm_unmap(&f->base, 0);
	sqlite_unlock(&f->base, SQLITE_LOCK_NONE);
}

void sqlite_forget(struct node *n)
{
	if (!n->sqlite)
		return;
	pages_free(n->sqlite);
	free(n->sqlite);
	n->sqlite = NULL;
}
