/*
 * Messages in memory, their ids and their bodies.
 *
 * Invariants:
 *  1. A body's bytes are in memory, or in its file, never split over both.
 *  2. in_memory is the sum of `charged` over all bodies of the process.
 */
#include "queue/message.h"

#include <stdatomic.h>

#include "base/fail.h"
#include "base/limits.h"
#include "rt/clock.h"
#include "rt/random.h"

/* ---- ids ---- */

static const char letters[] = "234567abcdefghijklmnopqrstuvwxyz";

enum { ID_RANDOM_BITS = 8 };

static _Atomic int64_t last_us;

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

/* Later than any other of this process, also when the clock is set back. */
static int64_t next_us(void)
{
	int64_t last = atomic_load(&last_us), us = wall_ms() * 1000;

	do {
		if (us <= last)
			us = last + 1;
	} while (!atomic_compare_exchange_weak(&last_us, &last, us));
	return us;
}

/* ---- messages ---- */

struct message *message_again(int64_t number)
{
	struct arena *a = arena_open();
	struct message *m = arena_new(a, struct message);

	m->arena = a;
	m->holders = 1;
	id_write(number, m->id);
	return m;
}

struct message *message_new(void)
{
	struct message *m;

	m = message_again(next_us() << ID_RANDOM_BITS |
	                  (int64_t)random_below(1 << ID_RANDOM_BITS));
	m->arrived_wall_ms = wall_ms();
	return m;
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

static _Atomic uint64_t in_memory;

static void charge(struct body *b, size_t n)
{
	atomic_fetch_add(&in_memory, n);
	b->charged += n;
}

static void discharge(struct body *b)
{
	atomic_fetch_sub(&in_memory, b->charged);
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
	*b = (struct body){ .memory = BUF_EMPTY };
}

static bool fits_in_memory(const struct body *b, size_t more)
{
	return b->memory.n + more <= LIMIT_BODY_MEMORY_BYTES &&
	       atomic_load(&in_memory) + more <= LIMIT_BODIES_MEMORY_BYTES;
}

static bool move_to_file(struct body *b, const char *spool)
{
	struct file *f = file_spool(spool);

	if (!f)
		return false;
	if (b->memory.n && !file_add(f, buf_str(&b->memory))) {
		file_close(f);
		return false;
	}
	b->file = f;
	buf_free(&b->memory);
	discharge(b);
	return true;
}

static void note_end(struct body *b, struct str bytes)
{
	b->bytes += bytes.n;
	b->ends_with_crlf = bytes.n == 1 ? b->ends_with_cr && bytes.p[0] == '\n'
	                                 : str_ends(bytes, S("\r\n"));
	b->ends_with_cr = bytes.p[bytes.n - 1] == '\r';
}

bool body_add(struct body *b, const char *spool, struct str bytes)
{
	check(!b->path);
	if (str_empty(bytes))
		return true;
	if (!b->file && !fits_in_memory(b, bytes.n) && !move_to_file(b, spool))
		return false;
	if (!b->file) {
		buf_add(&b->memory, bytes);
		charge(b, bytes.n);
	} else if (!file_add(b->file, bytes)) {
		return false;
	}
	note_end(b, bytes);
	return true;
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
	if (!b->file && b->path && !open_file(b))
		return -1;
	if (b->file)
		return file_read(b->file, offset, to, room);
	if (offset >= b->memory.n)
		return 0;
	if (room > b->memory.n - offset)
		room = b->memory.n - offset;
	memcpy(to, b->memory.p + offset, room);
	return (ptrdiff_t)room;
}

struct str body_in_memory(const struct body *b)
{
	if (b->file || b->path)
		return STR_NONE;
	return b->memory.p ? buf_str(&b->memory) : S("");
}
