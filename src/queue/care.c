/*
 * The queue for those who watch over the server: can it be written (mail finds
 * out by itself), and a copy of it.
 */
#include <stdio.h>

#include "queue/inside.h"
#include "rt/worker.h"

enum { PATIENCE_MS = 3000 };

static bool commit(void *arg)
{
	struct queue *q = arg;
	int64_t change;

	return batch_begin(q) && store_followed(q->store, &change) &&
	       store_set_followed(q->store, change);
}

bool queue_try(struct queue *q)
{
	return worker_call(q->writer, commit, q);
}

static bool take_and_leave(struct sql *s)
{
	sql_set_wait(s, PATIENCE_MS);
	return sql_script(s, "BEGIN IMMEDIATE") && sql_script(s, "ROLLBACK");
}

bool queue_is_free(const char *folder)
{
	char path[4096];
	struct sql *s = NULL;
	int n = snprintf(path, sizeof(path), "%s/queue.db", folder);
	bool ok = (size_t)n < sizeof(path) ? store_connect(path, false, &s)
					   : fail("%s: too long", folder);

	ok = ok && (!s || take_and_leave(s));
	sql_close(s);
	return ok;
}

bool queue_copy(const char *path, const char *to)
{
	struct sql *s = NULL;
	bool ok = store_connect(path, false, &s) && (!s || sql_copy(s, to));

	sql_close(s);
	return ok;
}
