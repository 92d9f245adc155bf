/*
 * The body on the wire: dots, line ends, the end of the data (RFC 5321 4.5.2,
 * 4.1.1.4, 2.3.8).
 *
 * Only CRLF.CRLF ends the data.  Bare CR, bare LF and NUL make the message
 * malformed: it is read to its true end and refused (550 5.6.0), never repaired, so
 * that no two servers can disagree about where it ends (CVE-2023-51764).
 *
 *	struct data_reader r = DATA_READER;
 *	struct buf room scoped(buf) = BUF_EMPTY;
 *	for (;;) {
 *		struct data_piece p = data_read(&r, stream_bytes(s), &room);
 *		body_add(body, p.text);		unstuffed, on loan
 *		stream_skip(s, p.used);
 *		if (p.end) break;
 *		if (str_empty(stream_bytes(s)))
 *			...stream_fill()
 *	}
 *	if (r.malformed) refuse: "Line r.line r.why"
 *
 * Pure; works for any segmentation of the input.  A byte costs the same
 * whatever it is: an ordinary line, a stuffed dot, an empty line.
 */
#ifndef WIRE_DATA_H
#define WIRE_DATA_H

#include "base/buf.h"

struct data_reader {
	unsigned char state;
	bool malformed;  /* bare CR, bare LF or NUL was seen */
	const char *why; /* the first: "has a bare LF; lines end with..." */
	uint64_t line;   /* of the first; 1: the first of the header */
	uint64_t lines;  /* whole ones that were read */
};

#define DATA_READER \
	{ \
		0, false, NULL, 0, 0 \
	}

struct data_piece {
	size_t used;     /* input bytes taken: all, or up to the end */
	struct str text; /* decoded bytes: a slice of the input, or of ROOM
				   when dots were dropped */
	bool end;        /* CRLF.CRLF was read; nothing beyond is taken */
};

/* What was in ROOM is gone; it may be empty, and grows to the input's size. */
struct data_piece data_read(struct data_reader *r, struct str in,
			    struct buf *room);

/* For BDAT: checks a chunk's bytes for bare CR, bare LF, NUL; joins over
 * chunks; at LAST a text without final CRLF is malformed. */
void data_check(struct data_reader *r, struct str chunk, bool last);

/* Dot-stuff for DATA: state over pieces in *AT_LINE_START (true at first).
 * The end, ".\r\n", is the caller's. */
void data_stuff(struct buf *to, struct str piece, bool *at_line_start);

#endif
