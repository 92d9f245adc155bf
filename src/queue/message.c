/*
 * Messages in memory, their ids and their bodies.
 *
 * Invariants:
 *  1. A body's bytes are in memory, or in its file, never split over both.
 *  2. in_memory is the sum of `charged` over all bodies of a spool.
 */
#include "queue/message.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/limits.h"
#include "base/mutants.h"
#include "rt/clock.h"
#include "rt/random.h"

/* ---- ids ---- */

static const char letters[] = "234567abcdefghijklmnopqrstuvwxyz";

enum { ID_RANDOM_BITS = 8 };

void id_write(int64_t number, char to[ID_LETTERS + 1])
{
	for (int i = ID_LETTERS; i-- > 0; number >>= 5)
		to[i] = letters[number & 31];
	to[ID_LETTERS] = '\0';
}

int64_t id_number(struct str id)
{
	int64_t number = 0;

	if (id.n != ID_LETTERS)
		return 0;
	for (size_t i = 0; i < id.n; i++) {
		const char *at = memchr(letters, id.p[i], 32);

		if (!at)
			return 0;
		number = number << 5 | (at - letters);
	}
	return number;
}

/* Later than any other of SPOOL, also when the clock is set back. */
static int64_t next_us(struct spool *spool)
{
	int64_t last = atomic_load(&spool->last_us), us = wall_ms() * 1000;

	do {
		if (us <= last && !MUTANT(id_by_the_wall_clock))
			us = last + 1;
	} while (!atomic_compare_exchange_weak(&spool->last_us, &last, us));
	return us;
}

/* ---- messages ---- */

struct message *message_again(struct spool *spool, int64_t number)
{
	struct arena *a = arena_open();
	struct message *m = arena_new(a, struct message);

	m->arena = a;
	m->holders = 1;
	m->body.spool = spool;
	id_write(number, m->id);
	return m;
}

struct message *message_new(struct spool *spool)
{
	struct message *m;

	m = message_again(spool,
			  next_us(spool) << ID_RANDOM_BITS |
				  (int64_t)random_below(1 << ID_RANDOM_BITS));
	m->arrived_wall_ms = wall_ms();
	return m;
}

const struct inet *message_caller(const struct message *m)
{
	return m->client_calls ? &m->client : NULL;
}

struct message *message_hold(struct message *m)
{
	m->holders++;
	return m;
}

void message_drop(struct message *m)
{
	if (!m)
		return;
	check(m->holders > 0);
	if (--m->holders > 0)
		return;
	body_free(&m->body);
	arena_close(m->arena);
}

struct recipient *message_add(struct message *m, struct str address)
{
	struct recipient *r;

	if (m->n == m->room) {
		size_t room = m->room ? m->room * 2 : 4;
		struct recipient *more =
			arena_array(m->arena, struct recipient, room);

		if (m->n)
			memcpy(more, m->recipients, m->n * sizeof(*more));
		m->recipients = more;
		m->room = room;
	}
	r = &m->recipients[m->n++];
	*r = (struct recipient){ .address = arena_str(m->arena, address) };
	return r;
}

/* ---- bodies ---- */

static void charge(struct body *b, size_t n)
{
	atomic_fetch_add(&b->spool->in_memory, n);
	b->charged += n;
}

static void discharge(struct body *b)
{
	if (b->charged)
		atomic_fetch_sub(&b->spool->in_memory, b->charged);
	b->charged = 0;
}

void body_note(struct body *b)
{
	check(!b->file && !b->path);
	discharge(b);
	charge(b, b->memory.n);
	b->bytes = b->memory.n;
	b->ends_with_cr = b->bytes && b->memory.p[b->bytes - 1] == '\r';
	b->ends_with_crlf = str_ends(buf_str(&b->memory), S("\r\n"));
}

void body_free(struct body *b)
{
	discharge(b);
	buf_free(&b->memory);
	if (b->file)
		file_close(b->file);
	*b = (struct body){ .spool = b->spool, .memory = BUF_EMPTY };
}

static bool there_is_memory(const struct body *b, size_t more)
{
	return atomic_load(&b->spool->in_memory) + more <=
	       LIMIT_BODIES_MEMORY_BYTES;
}

static bool fits_in_memory(const struct body *b, size_t more)
{
	return b->memory.n + more <= LIMIT_BODY_MEMORY_BYTES &&
	       there_is_memory(b, more);
}

/* While it waits, others may read the body: what they find in the file is
 * `filed`, and the rest is still in memory. */
static bool write_gathered(struct body *b)
{
	size_t n = b->memory.n;

	if (n && !file_add(b->file, buf_str(&b->memory)))
		return false;
	b->filed += n;
	buf_free(&b->memory);
	discharge(b);
	return true;
}

static bool move_to_file(struct body *b)
{
	b->file = file_spool(b->spool->folder);
	return b->file && write_gathered(b);
}

/* Pieces may be as small as a peer likes, and each write is a trip to another
 * thread. */
static bool gather(struct body *b, struct str bytes)
{
	size_t room = there_is_memory(b, LIMIT_BODY_PIECE_BYTES)
			      ? LIMIT_BODY_PIECE_BYTES
			      : LIMIT_STREAM_BUFFER;

	while (bytes.n > 0) {
		struct str piece;

		if (b->memory.n >= room && !write_gathered(b))
			return false;
		piece = str_part(bytes, 0, room - b->memory.n);
		buf_reserve(&b->memory, room - b->memory.n);
		buf_add(&b->memory, piece);
		charge(b, piece.n);
		bytes = str_from(bytes, piece.n);
	}
	return true;
}

static void note_end(struct body *b, struct str bytes)
{
	b->bytes += bytes.n;
	b->ends_with_crlf = bytes.n == 1 ? b->ends_with_cr && bytes.p[0] == '\n'
					 : str_ends(bytes, S("\r\n"));
	b->ends_with_cr = bytes.p[bytes.n - 1] == '\r';
}

bool body_add(struct body *b, struct str bytes)
{
	check(!b->path);
	if (str_empty(bytes))
		return true;
	if (!b->file && !fits_in_memory(b, bytes.n) && !move_to_file(b))
		return false;
	if (!b->file) {
		buf_add(&b->memory, bytes);
		charge(b, bytes.n);
	} else if (!gather(b, bytes)) {
		return false;
	}
	note_end(b, bytes);
	return true;
}

bool body_keep(struct body *b, const char *name)
{
	if (MUTANT(last_piece_is_not_written) && b->file)
		return file_keep(b->file, name);
	return !b->file || (write_gathered(b) && file_keep(b->file, name));
}

/* Several attempts may read one body at once: the first to have it open
 * wins. */
static bool open_file(struct body *b)
{
	struct file *f = file_open(b->path);

	if (!f)
		return false;
	if (b->file)
		file_close(f);
	else
		b->file = f;
	return true;
}

ptrdiff_t body_read(struct body *b, uint64_t offset, char *to, size_t room)
{
	struct str rest;

	if (!b->file && b->path && !open_file(b))
		return -1;
	if (b->file && (offset < b->filed || !b->memory.n))
		return file_read(b->file, offset, to, room);
	rest = str_from(buf_str(&b->memory), offset - b->filed);
	rest = str_part(rest, 0, room);
	if (rest.n)
		memcpy(to, rest.p, rest.n);
	return (ptrdiff_t)rest.n;
}

bool body_add_rest(struct body *b, struct body *from, uint64_t offset)
{
	struct str memory = body_in_memory(from);
	char *piece;
	bool ok = true;
	ptrdiff_t n;

	if (memory.p)
		return body_add(b, str_from(memory, offset));
	piece = must_alloc(LIMIT_BODY_PIECE_BYTES);
	while ((n = body_read(from, offset, piece, LIMIT_BODY_PIECE_BYTES)) >
		       0 &&
	       (ok = body_add(b, (struct str){ piece, (size_t)n })))
		offset += (uint64_t)n;
	free(piece);
	return ok && n == 0;
}

void body_replace(struct body *b, struct body *with)
{
	body_free(b);
	*b = *with;
	*with = (struct body){ .spool = b->spool, .memory = BUF_EMPTY };
}

/* The first N bytes, or all; STR_NONE: cause(). */
static struct str read_start(struct body *b, size_t n, struct arena *arena)
{
	char *p;
	size_t have = 0;

	if (n > b->bytes)
		n = b->bytes;
	p = arena_alloc(arena, n);
	while (have < n) {
		ptrdiff_t got = body_read(b, have, p + have, n - have);

		if (got == 0)
			fail("the body is %zu bytes short", n - have);
		if (got <= 0)
			return STR_NONE;
		have += (size_t)got;
	}
	return (struct str){ p, n };
}

/* Most headers are small: four times as much is read until it is whole. */
struct str body_header(struct body *b, struct arena *arena,
		       struct header_summary *h)
{
	struct str text = body_in_memory(b);
	size_t most = LIMIT_STREAM_BUFFER;

	*h = header_scan(text);
	while (!text.p || (!h->whole && !h->too_large && text.n < b->bytes)) {
		text = read_start(b, most, arena);
		if (!text.p)
			return STR_NONE;
		*h = header_scan(text);
		most = most * 4 < LIMIT_HEADER_BYTES ? most * 4
						     : LIMIT_HEADER_BYTES + 1;
	}
	return str_part(text, 0, h->bytes);
}

struct str body_in_memory(const struct body *b)
{
	if (b->file || b->path)
		return STR_NONE;
	return b->memory.p ? buf_str(&b->memory) : S("");
}

/* ---- a header that was changed ---- */

/* HEADER and END, and the rest. */
static bool replace(struct message *m, struct str header, struct str end,
		    size_t skip)
{
	struct arena *own scoped(arena) = arena_open();
	struct body changed = { .spool = m->body.spool };
	struct header_summary h;

	if (!body_add(&changed, header) || !body_add(&changed, end) ||
	    !body_add_rest(&changed, &m->body, skip) ||
	    !body_header(&changed, own, &h).p) {
		body_free(&changed);
		return false;
	}
	body_replace(&m->body, &changed);
	m->header = h;
	m->header.message_id = arena_str(m->arena, h.message_id);
	return true;
}

bool message_change_header(struct message *m, struct str trace,
			   struct str fields, size_t skip)
{
	if (!replace(m, fields, S("\r\n"), skip))
		return false;
	m->trace = arena_str(m->arena, trace);
	return true;
}

bool message_replace_header(struct message *m, struct str header, size_t skip)
{
	return replace(m, header, STR_NONE, skip);
}
