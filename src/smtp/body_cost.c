/*
 * What a message's bytes cost: what a session does with them, without its
 * peer.  test/scenario/test_cost.py counts the instructions of each cost_...().
 *
 *	body_cost FILE 0	FILE is what follows DATA, read in blocks
 *	body_cost FILE SIZE	it is the octets of BDATs of SIZE each
 *
 * The disk is played here; how often it was written to is printed.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "queue/message.h"
#include "rt/clock.h"
#include "rt/random.h"
#include "wire/data.h"
#include "wire/header.h"

/* ---- rt's twin ---- */

struct file {
	size_t writes;
	struct buf bytes;
};

static struct file file;

struct file *file_spool(const char *folder)
{
	return &file;
}

struct file *file_open(const char *path)
{
	return NULL;
}

void file_close(struct file *f)
{
	buf_free(&f->bytes);
}

bool file_add(struct file *f, struct str bytes)
{
	f->writes++;
	buf_add(&f->bytes, bytes);
	return true;
}

ptrdiff_t file_read(struct file *f, uint64_t offset, char *to, size_t room)
{
	struct str rest =
		str_part(str_from(buf_str(&f->bytes), offset), 0, room);

	if (rest.n)
		memcpy(to, rest.p, rest.n);
	return (ptrdiff_t)rest.n;
}

bool file_keep(struct file *f, const char *name)
{
	return true;
}

int64_t wall_ms(void)
{
	return 0;
}

uint64_t random_below(uint64_t n)
{
	return 0;
}

/* ---- as smtp/body.c, and deliver/transaction.c ---- */

bool cost_data(struct body *body, struct str wire);
bool cost_chunks(struct body *body, struct str wire, size_t size);
bool cost_look(struct body *body);
bool cost_stuff(struct body *body);

static bool keep(struct body *body, struct str piece)
{
	return body_add(body, piece);
}

bool cost_data(struct body *body, struct str wire)
{
	struct buf room scoped(buf) = BUF_EMPTY;
	struct data_reader r = DATA_READER;
	struct data_piece p = { 0, STR_NONE, false };

	for (; wire.n && !p.end; wire = str_from(wire, p.used)) {
		p = data_read(&r, str_part(wire, 0, LIMIT_STREAM_BUFFER),
			      &room);
		if (!keep(body, p.text))
			return false;
	}
	return p.end;
}

bool cost_chunks(struct body *body, struct str wire, size_t size)
{
	struct data_reader r = DATA_READER;

	for (; wire.n; wire = str_from(wire, size)) {
		struct str chunk = str_part(wire, 0, size);

		data_check(&r, chunk, false);
		if (!keep(body, chunk))
			return false;
	}
	return true;
}

bool cost_look(struct body *body)
{
	struct arena *arena scoped(arena) = arena_open();
	struct header_summary h;
	struct str header, value;
	size_t at = 0;

	header = body_header(body, arena, &h);
	for (int i = 0; i < LIMIT_RECEIVED; i++)
		if (!header_next(header, S("Splitmail-Trail"), &at, arena,
				 &value))
			break;
	at = 0;
	return header.p && !header_next(header, S("Date"), &at, arena, &value);
}

bool cost_stuff(struct body *body)
{
	struct buf to scoped(buf) = BUF_EMPTY;
	struct str text = body_in_memory(body);
	bool at_line_start = true;

	if (!text.p)
		text = buf_str(&file.bytes);
	for (; text.n; text = str_from(text, LIMIT_STREAM_BUFFER)) {
		buf_clear(&to);
		data_stuff(&to, str_part(text, 0, LIMIT_STREAM_BUFFER),
			   &at_line_start);
	}
	return true;
}

static struct buf read_file(const char *path)
{
	struct buf b = BUF_EMPTY;
	FILE *f = fopen(path, "re");
	char block[65536];
	size_t n;

	check(f);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(&b, (struct str){ block, n });
	fclose(f);
	return b;
}

int main(int argc, char **argv)
{
	struct spool spool = { .folder = "spool" };
	struct body body = { .spool = &spool, .memory = BUF_EMPTY };
	struct buf wire scoped(buf) = BUF_EMPTY;
	uint64_t size = 0;
	bool ok;

	if (argc != 3 || !str_number(str_of(argv[2]), 1 << 20, &size))
		return 2;
	wire = read_file(argv[1]);
	ok = size ? cost_chunks(&body, buf_str(&wire), size)
		  : cost_data(&body, buf_str(&wire));
	ok = ok && cost_look(&body) && cost_stuff(&body);
	printf("%zu\n", file.writes);
	body_free(&body);
	return ok ? 0 : 1;
}
