/* The bytes of files, and what a power cut leaves of them. */
#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "rt/sim/disk_inside.h"

struct change {
	struct change *prev, *next;
	uint64_t offset;
	size_t bytes;
	bool is_resize; /* to OFFSET */
	char *c;
};

/* ---- one of the two ---- */

static void resize(struct buf *b, uint64_t bytes)
{
	if (bytes > b->n) {
		buf_reserve(b, bytes - b->n);
		memset(b->p + b->n, 0, bytes - b->n);
	}
	b->n = bytes;
}

static void put(struct buf *b, uint64_t offset, const char *p, size_t n)
{
	if (n == 0)
		return;
	if (offset + n > b->n)
		resize(b, offset + n);
	memcpy(b->p + offset, p, n);
}

static void change_apply(struct buf *b, const struct change *c)
{
	if (c->is_resize)
		resize(b, c->offset);
	else
		put(b, c->offset, c->c, c->bytes);
}

/* Sector by sector, each as it comes. */
static void change_tear(struct buf *b, const struct change *c)
{
	uint64_t at = c->offset, end = c->offset + c->bytes;

	while (at < end) {
		uint64_t next = (at / SECTOR_BYTES + 1) * SECTOR_BYTES;

		next = next < end ? next : end;
		if (draw(2) == 0)
			put(b, at, c->c + (at - c->offset), next - at);
		at = next;
	}
}

static void change_free(struct change *c)
{
	free(c->c);
	free(c);
}

static void change_draw(struct buf *b, const struct change *c)
{
	uint64_t fate = draw(4);

	if (fate >= 2)
		change_apply(b, c);
	else if (fate == 1 && !c->is_resize)
		change_tear(b, c);
}

static void changes_forget(struct node *n)
{
	struct change *c, *next;

	DL_FOREACH_SAFE (n->changes, c, next)
		change_free(c);
	n->changes = NULL;
}

void bytes_forget(struct node *n)
{
	changes_forget(n);
	n->disk->bytes -= n->now.n;
	buf_free(&n->now);
	buf_free(&n->kept);
}

void bytes_cut(struct node *n, enum mercy mercy)
{
	struct change *c;

	DL_FOREACH (n->changes, c)
		if (mercy == MERCY_ALL)
			change_apply(&n->kept, c);
		else if (mercy == MERCY_DRAWN)
			change_draw(&n->kept, c);
	changes_forget(n);
	n->disk->bytes += n->kept.n;
	n->disk->bytes -= n->now.n;
	buf_clear(&n->now);
	buf_add(&n->now, buf_str(&n->kept));
}

/* ---- what programs do ---- */

static void change_add(struct node *n, uint64_t offset, const char *p,
		       size_t bytes)
{
	struct change *c = must_alloc(sizeof(*c));

	*c = (struct change){ .offset = offset,
			      .bytes = bytes,
			      .is_resize = !p,
			      .c = p ? must_alloc(bytes + 1) : NULL };
	if (p)
		memcpy(c->c, p, bytes);
	DL_APPEND(n->changes, c);
	n->changed = ++n->disk->last_number;
}

static bool grow(struct node *n, uint64_t bytes)
{
	uint64_t more = bytes > n->now.n ? bytes - n->now.n : 0;

	if (!disk_has_room(n->disk, more)) {
		errno = ENOSPC;
		return false;
	}
	n->disk->bytes += more;
	return true;
}

ssize_t node_read(struct node *n, uint64_t offset, char *to, size_t room)
{
	const struct sim_disk *d = &n->disk->conduct;
	size_t there;

	if (d->read_us > 0)
		sim_block_us((int64_t)draw((uint64_t)d->read_us));
	if (sim_chance(d->fail_read_in)) {
		errno = EIO;
		return -1;
	}
	there = offset < n->now.n ? n->now.n - offset : 0;
	there = there < room ? there : room;
	if (there > 0)
		memcpy(to, n->now.p + offset, there);
	return (ssize_t)there;
}

bool node_write(struct node *n, uint64_t offset, const char *p, size_t bytes)
{
	const struct sim_disk *d = &n->disk->conduct;

	if (!disk_change_begin(d->write_us, d->fail_write_in) ||
	    !grow(n, offset + bytes))
		return false;
	put(&n->now, offset, p, bytes);
	change_add(n, offset, p, bytes);
	trace_bytes("write", n->number, p, bytes);
	disk_change_made();
	return true;
}

bool node_resize(struct node *n, uint64_t bytes)
{
	const struct sim_disk *d = &n->disk->conduct;

	if (!disk_change_begin(d->write_us, d->fail_write_in) ||
	    !grow(n, bytes))
		return false;
	if (bytes < n->now.n)
		n->disk->bytes -= n->now.n - bytes;
	resize(&n->now, bytes);
	change_add(n, bytes, NULL, 0);
	disk_change_made();
	return true;
}

bool node_sync(struct node *n)
{
	const struct sim_disk *d = &n->disk->conduct;
	struct change *c;

	if (draw(2) == 0)
		disk_change_made(); /* the power goes before it begins */
	if (!disk_change_begin(d->sync_us, d->fail_sync_in)) {
		if (errno == EIO)
			changes_forget(n);
		return false;
	}
	DL_FOREACH (n->changes, c)
		change_apply(&n->kept, c);
	changes_forget(n);
	trace_bytes("sync", n->number, NULL, 0);
	disk_change_made();
	return true;
}
