/*
 * The host's aliases, for who asks where mail goes, and newaliases (aliases.h).
 */
#include "main/aliases.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "main/main.h"
#include "rt/file.h"

/* No file is an empty one. */
static bool read_file(const char *path, struct buf *to)
{
	return file_text(path, LIMIT_ALIASES_BYTES, to) ||
	       cause_kind() == FAIL_ABSENT;
}

struct listener {
	const char *path;
	size_t troubles;
};

static void say_line(void *listener, size_t line, const char *what)
{
	struct listener *l = listener;

	call_fail(0, "%s:%zu: %s", l->path, line, what);
	l->troubles++;
}

const struct aliases *aliases_read(const char *path, struct arena *arena)
{
	struct aliases *all = arena_new(arena, struct aliases);
	struct buf text scoped(buf) = BUF_EMPTY;

	if (!path || !read_file(path, &text))
		return NULL;
	aliases_parse(arena_str(arena, buf_str(&text)), arena, all, NULL, NULL);
	return all;
}

/* Who may not read splitmail.conf has the usual ones. */
static const char *path_of(const char *data, struct arena *arena)
{
	const char *conf = arena_printf(arena, "%s/splitmail.conf", data);
	struct config *c = access(conf, R_OK) == 0 ? config_read(data) : NULL;
	const char *path = USUAL_ALIASES;

	if (c)
		path = c->aliases ? arena_cstr(arena, str_of(c->aliases))
				  : NULL;
	config_close(c);
	return path;
}

int newaliases_main(const struct call *c)
{
	struct arena *arena scoped(arena) = arena_open();
	struct listener listener = { .path = path_of(c->data, arena) };
	struct buf text scoped(buf) = BUF_EMPTY;
	const char *path = listener.path;
	struct aliases all;

	if (!path) {
		puts("splitmail.conf says that this host has no aliases");
		return EX_OK;
	}
	if (!read_file(path, &text))
		return call_fail(EX_NOINPUT, "%s", cause());
	aliases_parse(arena_str(arena, buf_str(&text)), arena, &all, say_line,
		      &listener);
	printf("%s: %zu alias%s; nothing has to be built, a change is in force "
	       "within seconds\n",
	       path, all.n, all.n == 1 ? "" : "es");
	return listener.troubles ? EX_DATAERR : EX_OK;
}
