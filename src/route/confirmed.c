/*
 * Lines of what was confirmed, added and now and then written anew.
 *
 * Invariant: the file called "verified" begins with the magic line and ends
 * with a whole line, except where a crash cut the last one; it is replaced by
 * renaming only.  It is never longer than what is read of it: when all would be,
 * those that were not used for longest are left out.
 */
#include "route/confirmed.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "route/verify.h"
#include "rt/file.h"
#include "rt/log.h"
#include "wire/command.h"

#define MAGIC "splitmail verified 1"
#define NAME "verified"

enum {
	SAVE_MS = 5000,
	PIECE_BYTES = 65536,
	LINES_A_TURN = 256,
	LINE_BYTES = 8000, /* a system's name and an address, in xtext */
	MOST_BYTES = 3 * LIMIT_VERIFICATIONS * 200,
	ANEW_BYTES = MOST_BYTES / 2, /* so that it may grow */
};

struct confirmed {
	struct arena *arena;
	struct verification *v;
	const char *folder;
	const char *path, *next; /* the file; its successor, being written */
	struct file *file;       /* NULL: to be written anew */
	uint64_t bytes_anew;     /* of it, when it was written anew */
	bool is_failing;
};

/* Lines while they are made: all are many, and the loop has others. */
struct lines {
	struct buf text;
	unsigned n;
};

/* ---- lines ---- */

/* So that they are no more than may be written anew: the first ones go.  Half of
 * it at a time, because what is left is moved. */
static void lines_trim(struct lines *l)
{
	struct str text = buf_str(&l->text);
	ptrdiff_t end;

	if (text.n <= ANEW_BYTES)
		return;
	end = str_find(str_from(text, text.n - ANEW_BYTES / 2), '\n');
	check(end >= 0);
	buf_take(&l->text, text.n - ANEW_BYTES / 2 + (size_t)end + 1);
}

static void waits line_add(void *arg, const struct confirmation *c)
{
	struct arena *arena scoped(arena) = arena_open();
	struct lines *l = arg;
	int64_t at_ms = wall_ms() - c->age_ms;

	if (++l->n % LINES_A_TURN == 0)
		fiber_yield();
	buf_printf(&l->text, "%lld %s %.*s %.*s\n", (long long)(at_ms / 1000),
		   c->was_refused ? "no" : "yes",
		   STR(xtext_encode(c->system, arena)),
		   STR(xtext_encode(c->address_key, arena)));
	lines_trim(l);
}

static bool line_parse(struct str line, struct arena *arena,
		       struct confirmation *c)
{
	struct str at, answer, system, address;
	uint64_t at_s;
	int64_t age_ms;

	if (!str_split(&line, ' ', &at) || !str_split(&line, ' ', &answer) ||
	    !str_split(&line, ' ', &system) ||
	    !str_split(&line, ' ', &address) || line.n > 0 ||
	    !str_number(at, INT64_MAX / 1000, &at_s) ||
	    !xtext_decode(system, arena, &c->system) ||
	    !xtext_decode(address, arena, &c->address_key))
		return false;
	c->was_refused = str_same(answer, S("no"));
	age_ms = wall_ms() - (int64_t)at_s * 1000;
	c->age_ms = age_ms > 0 ? age_ms : 0; /* the clock was set back */
	return (c->was_refused || str_same(answer, S("yes"))) &&
	       address.n > 0 && system.n > 0;
}

/* ---- reading ---- */

struct reader {
	struct confirmed *c;
	struct file *file;
	struct buf text; /* what was read and is not used yet */
	uint64_t offset;
	size_t lines;
	bool is_damaged;
};

/* False: the end, or no line of ours. */
static bool waits read_more(struct reader *r)
{
	char *piece = must_alloc(PIECE_BYTES);
	ptrdiff_t n = file_read(r->file, r->offset, piece, PIECE_BYTES);

	if (n > 0) {
		buf_add(&r->text, (struct str){ piece, (size_t)n });
		r->offset += (uint64_t)n;
	}
	if (n < 0)
		r->is_damaged = true;
	free(piece);
	return n > 0 && r->offset <= MOST_BYTES;
}

static void take_line(struct reader *r, struct str line)
{
	struct arena *arena scoped(arena) = arena_open();
	struct confirmation c;

	if (r->lines++ == 0)
		r->is_damaged = !str_same(line, S(MAGIC));
	else if (line_parse(line, arena, &c))
		verify_restore(r->c->v, &c);
	else
		r->is_damaged = true;
}

static void take_lines(struct reader *r)
{
	struct str text = buf_str(&r->text), line;
	size_t used = 0;
	ptrdiff_t end;

	while ((end = str_find(str_from(text, used), '\n')) >= 0) {
		line = str_part(text, used, used + (size_t)end);
		used += (size_t)end + 1;
		take_line(r, line);
	}
	buf_take(&r->text, used);
	if (r->text.n > LINE_BYTES)
		r->is_damaged = true;
}

/* A last line that a crash has cut is no damage, and no line. */
static bool waits read_all(struct reader *r)
{
	while (read_more(r) && r->text.n <= LINE_BYTES + PIECE_BYTES)
		take_lines(r);
	if (r->offset > MOST_BYTES)
		r->is_damaged = true;
	buf_free(&r->text);
	return !r->is_damaged;
}

static void waits read_file(struct confirmed *c)
{
	struct reader r = { .c = c, .file = file_open(c->path) };

	if (!r.file)
		return; /* the first start, or said when it is written */
	if (!read_all(&r)) {
		if (file_rename(c->folder, NAME, NAME ".damaged"))
			log_warn(
				"verify",
				"%s is damaged: moved to %s.damaged; addresses "
				"are asked for again",
				c->path, c->path);
		else
			log_warn("verify", "%s is damaged, and stays: %s",
				 c->path, cause());
	}
	file_close(r.file);
}

/* ---- writing ---- */

static bool waits write_anew(struct confirmed *c)
{
	struct lines l = { .text = BUF_EMPTY };
	struct file *f = file_create(c->next);
	bool ok;

	verify_each_confirmed(c->v, line_add, &l);
	ok = f && file_add(f, S(MAGIC "\n")) && file_add(f, buf_str(&l.text)) &&
	     file_sync(f) && file_rename(c->folder, NAME ".new", NAME);
	buf_free(&l.text);
	if (!ok) {
		file_close(f);
		return false;
	}
	file_close(c->file);
	c->file = f;
	c->bytes_anew = file_bytes(f);
	return true;
}

static bool waits add_lines(struct confirmed *c, struct str lines)
{
	if (lines.n == 0)
		return true;
	if (file_add(c->file, lines) && file_sync(c->file))
		return true;
	file_close(c->file); /* spoilt */
	c->file = NULL;
	return false;
}

static bool waits write_down(struct confirmed *c, struct str news)
{
	if (!c->file || file_bytes(c->file) > 2 * c->bytes_anew + PIECE_BYTES ||
	    file_bytes(c->file) + news.n > MOST_BYTES)
		return write_anew(c);
	return add_lines(c, news);
}

void confirmed_save(struct confirmed *c)
{
	struct lines news = { .text = BUF_EMPTY };
	bool ok;

	verify_each_news(c->v, line_add, &news);
	ok = write_down(c, buf_str(&news.text));
	if (!ok && !c->is_failing)
		log_warn("verify",
			 "what other systems confirmed is not written down: %s",
			 cause());
	if (ok && c->is_failing)
		log_fact("verify",
			 "what other systems confirmed is written down again");
	c->is_failing = !ok;
	buf_free(&news.text);
}

struct confirmed *confirmed_open(struct verification *v, const char *folder)
{
	struct arena *arena = arena_open();
	struct confirmed *c = arena_new(arena, struct confirmed);

	*c = (struct confirmed){
		.arena = arena,
		.v = v,
		.folder = folder,
		.path = arena_printf(arena, "%s/" NAME, folder),
		.next = arena_printf(arena, "%s/" NAME ".new", folder),
	};
	read_file(c);
	confirmed_save(c);
	return c;
}

void confirmed_close(struct confirmed *c)
{
	if (!c)
		return;
	file_close(c->file);
	arena_close(c->arena);
}

void confirmed_keeper(void *confirmed)
{
	struct confirmed *c = confirmed;

	while (fiber_sleep(after_ms(SAVE_MS)) == WAIT_DEADLINE)
		confirmed_save(c);
	confirmed_save(c);
	confirmed_close(c);
}
