/*
 * The file of the host's aliases (host_aliases.h).
 */
#include "engine/host_aliases.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "rt/log.h"
#include "rt/worker.h"

enum { LOOK_MS = 2000 };

struct host_aliases {
	const char *path;
	bool says;
	bool is_bad; /* that was said */
	struct arena *arena;
	struct buf text; /* that the list was made from */
	struct aliases list;
};

/* ---- what is said of it ---- */

static void say_line(void *host_aliases, size_t line, const char *what)
{
	const struct host_aliases *a = host_aliases;
	struct arena *own scoped(arena) = arena_open();

	if (a->says)
		log_warn("aliases", "%s:%zu: %s", a->path, line,
			 log_safe(own, str_of(what), LIMIT_VALUE_BYTES));
}

static void say_bad(struct host_aliases *a)
{
	if (a->says && !a->is_bad)
		log_error("aliases", "%s: %s; the aliases of before stay",
			  a->path, cause());
	a->is_bad = true;
}

/* ---- reading ---- */

struct reading {
	const char *path;
	struct buf *to;
};

/* No file is an empty one. */
static bool read_file(void *reading)
{
	struct reading *r = reading;

	return file_text(r->path, LIMIT_ALIASES_BYTES, r->to) ||
	       cause_kind() == FAIL_ABSENT;
}

static void take(struct host_aliases *a, struct str text)
{
	struct arena *old = a->arena;

	a->is_bad = false;
	if (old && str_same(text, buf_str(&a->text)))
		return;
	buf_clear(&a->text);
	buf_add(&a->text, text);
	a->arena = arena_open();
	aliases_parse(arena_str(a->arena, text), a->arena, &a->list, say_line,
		      a);
	if (old && a->says)
		log_fact("aliases", "%s: %zu aliases", a->path, a->list.n);
	arena_close(old);
}

static void waits look(struct host_aliases *a)
{
	struct buf text scoped(buf) = BUF_EMPTY;
	struct reading r = { a->path, &text };

	if (offload(read_file, &r))
		take(a, buf_str(&text));
	else
		say_bad(a);
}

/* ---- from outside ---- */

struct host_aliases *host_aliases_open(const char *path, bool says)
{
	struct host_aliases *a = must_alloc(sizeof(*a));
	struct buf text scoped(buf) = BUF_EMPTY;
	struct reading r = { path, &text };

	*a = (struct host_aliases){ .path = path, .says = says };
	if (read_file(&r))
		take(a, buf_str(&text));
	else
		say_bad(a);
	return a;
}

void host_aliases_close(struct host_aliases *a)
{
	if (!a)
		return;
	arena_close(a->arena);
	buf_free(&a->text);
	free(a);
}

const struct aliases *host_aliases_list(const struct host_aliases *a)
{
	return &a->list;
}

void host_aliases_keeper(void *host_aliases)
{
	while (fiber_sleep(after_ms(LOOK_MS)) == WAIT_DEADLINE)
		look(host_aliases);
}
