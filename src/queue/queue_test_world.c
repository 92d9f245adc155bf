#include "queue/queue_test_world.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "rt/folder.h"

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *at)
{
	return remove(path);
}

void world_open(struct world *w)
{
	snprintf(w->folder, sizeof(w->folder), "/tmp/queue-test-XXXXXX");
	check(mkdtemp(w->folder));
	w->q = queue_open(w->folder);
	if (!w->q)
		fail_msg("%s", cause());
}

void world_again(struct world *w)
{
	queue_close(w->q);
	w->q = queue_open(w->folder);
	if (!w->q)
		fail_msg("%s", cause());
}

void world_close(struct world *w)
{
	queue_close(w->q);
	nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Somebody else's connection, as the command line's. */
int64_t ask(struct world *w, const char *text)
{
	char path[80];
	struct sql *s;
	struct query q;
	int64_t answer = -1;

	snprintf(path, sizeof(path), "%s/queue.db", w->folder);
	check(store_connect(path, false, &s) && s);
	check(sql_prepare(s, text, &q));
	if (query_step(&q) == SQL_ROW)
		answer = query_int(&q, 0);
	query_reset(&q);
	sql_close(s);
	return answer;
}

bool is_in(struct world *w, int64_t number)
{
	char text[128];

	snprintf(text, sizeof(text), "SELECT 1 FROM message WHERE row = %lld",
		 (long long)number);
	return ask(w, text) == 1;
}

static void count_one(void *n, const char *name)
{
	++*(int *)n;
}

int spool_files(struct world *w)
{
	int n = 0;

	check(folder_list(queue_spool(w->q)->folder, count_one, &n));
	return n;
}

/* ---- messages whose bytes follow from a number ---- */

size_t size_of(unsigned n)
{
	return n % 16 == 7 ? 200000 + n : 100 + n % 5000;
}

void fill(unsigned n, char *to, size_t size)
{
	uint32_t x = n * 2654435761u + 1;

	for (size_t i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		to[i] = (char)(x >> 24);
	}
}

struct message *make_sized(struct world *w, unsigned n, size_t size)
{
	struct message *m = message_new(queue_spool(w->q));
	char *bytes = must_alloc(size);
	struct recipient *r = message_add(m, S("bob@own.test"));

	r->next_attempt_ms = 1000;
	m->sender = arena_strf(m->arena, "n%u@else.test", n);
	fill(n, bytes, size);
	check(body_add(&m->body, (struct str){ bytes, size }));
	free(bytes);
	return m;
}

struct message *make_message(struct world *w, unsigned n)
{
	return make_sized(w, n, size_of(n));
}

bool body_is(struct message *m, unsigned n, size_t size)
{
	char *want = must_alloc(size), *got = must_alloc(size + 1);
	size_t have = 0;
	ptrdiff_t more;
	bool same;

	fill(n, want, size);
	while (have <= size && (more = body_read(&m->body, have, got + have,
						 size + 1 - have)) > 0)
		have += (size_t)more;
	same = have == size && m->body.bytes == size &&
	       memcmp(want, got, size) == 0;
	free(want);
	free(got);
	return same;
}

bool is_whole(struct message *m)
{
	unsigned n;

	return sscanf(arena_cstr(m->arena, m->sender), "n%u@", &n) == 1 &&
	       m->n == 1 && body_is(m, n, size_of(n));
}

struct claim_wish wish(int64_t now, size_t max)
{
	return (struct claim_wish){ .now_ms = now,
				    .max = max,
				    .room = 100,
				    .expiry_ms = INT64_MAX / 4,
				    .most_ms = INT64_MAX / 2 };
}

bool changed(struct world *w)
{
	bool others;

	return queue_changed(w->q, &others);
}

struct message *claim_one(struct world *w, int64_t now, int64_t *next)
{
	struct message *m = NULL;
	struct claim_wish one = wish(now, 1);
	size_t n;

	check(queue_claim(w->q, &one, &m, &n, next));
	return n ? m : NULL;
}

void keep(struct world *w, struct message *m, bool claim)
{
	if (!queue_keep(w->q, m, claim, NULL, 0)) {
		fprintf(stderr, "keep: %s\n", cause());
		check(false);
	}
}
