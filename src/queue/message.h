/*
 * A message: bytes and envelope we answer for, from the end of its data until
 * each of its recipients has met exactly one fate.
 *
 * Its id is 60 bits in base32 (2-7, a-z; as numbers and as text in the same
 * order): microseconds since 1970, unique in its spool, and 8 random bits.
 *
 * A message lives in an arena of its own.  It is held by count: the session,
 * and each delivery attempt that runs, hold it; message_drop() of the last one
 * frees it.  All holders are fibers of one loop.
 */
#ifndef QUEUE_MESSAGE_H
#define QUEUE_MESSAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/inet.h"
#include "base/next_hop.h"
#include "rt/file.h"
#include "wire/address.h"
#include "wire/command.h"
#include "wire/header.h"
#include "wire/reply.h"

enum recipient_state {
	RECIPIENT_WAITING, /* nobody has answered for it yet */
	RECIPIENT_DONE,    /* the next system said 2xx */
	RECIPIENT_REFUSED, /* the next system, or we, said 5xx */
	RECIPIENT_LATER,   /* 4xx, timeout, connection lost: try again */
	RECIPIENT_DROPPED, /* the loop guard ended it silently */
};

/* Which part of a route's answer this recipient stands for, once the address
 * as given was split up; kept in the queue so that nothing is done twice. */
enum recipient_part {
	PART_WHOLE, /* not split yet: route() may expand it */
	PART_HERE,  /* already split: own mailbox's share */
	PART_THERE, /* already split: the other system's share */
	PART_COPY,  /* already split: what a forward keeps, on either
				   side: there is no other share of it */
};

struct recipient {
	struct str address; /* as given (or as the member is written) */
	const struct address *parsed; /* the same; NULL: not yet, or none */
	struct str key;    /* its address_key(), or empty: not asked for */
	struct str orcpt;  /* as given, or empty */
	struct str sender; /* instead of the message's where it leaves for
				   the Internet, fixed when it was accepted;
				   empty: the message's */
	unsigned notify;   /* NOTIFY_* */
	struct str trail;  /* entries of the nodes and groups it came
				   through, comma separated (route/guard.h) */
	enum recipient_part part;
	bool is_member; /* made by expansion: its refusal is never the
				   sender's reply */
	enum recipient_state state;
	bool held;
	bool bounce_wanted; /* an administrator's order: no attempt, refuse it
				   and tell the sender */
	unsigned attempts;
	int64_t next_attempt_ms; /* the queue's time (queue_now()), in
					   lists the wall clock's; 0: now, an
					   administrator's order */
	struct reply reply;      /* the last one; text in the message's arena */
	struct str remote;       /* who said it: "mx.b.example[192.0.2.1]:25" */
	struct next_hop next_hop; /* where it goes, as last decided */
	int64_t row_attempt_ms; /* next_attempt_ms as its row says: who changes
				   that during an attempt has the last word */
	enum recipient_part row_part; /* as its row says */
	bool is_ours;                 /* its domain was one of ours once */
	bool delay_told;              /* the sender was told of the delay */
	int64_t row;                  /* queue.db; 0: not there */
};

/* What all messages of a queue have in common. */
struct spool {
	char *folder;               /* of bodies that outgrow memory */
	_Atomic int64_t last_us;    /* the newest id's */
	_Atomic uint64_t in_memory; /* `charged` of all bodies */
};

/*
 * The bytes: in memory while small and while all bodies together stay below
 * LIMIT_BODIES_MEMORY_BYTES, otherwise a spool file that has no name yet, and
 * in memory its end, gathered until it is worth a write.  Of a kept message: a
 * named file, opened when it is first read.
 */
struct body {
	struct spool *spool;
	struct buf memory; /* all of it, or of a file what comes behind
				   `filed` */
	struct file *file; /* NULL while in memory or not open yet */
	uint64_t filed;    /* bytes written to a file without a name */
	const char *path;  /* the named file, in the message's arena */
	uint64_t bytes;
	bool ends_with_crlf;
	bool ends_with_cr;
	size_t charged; /* bytes counted against the limit */
};

struct message {
	char id[16]; /* the queue id: log, Received, DSN, trace */
	struct arena *arena;
	unsigned holders;

	struct str sender; /* reverse-path as given; empty: <> */
	struct str envid;
	enum ret ret;
	bool is_8bit, is_utf8;
	bool is_unvouched; /* filters have looked, and neither SPF nor DKIM
				   says that the sender has sent it */
	struct str as;     /* who asked: "internet", "user:a@b",
				   "system:NAME", "local", "local:a@b" */
	struct inet client;
	bool client_calls; /* it is a server that hands us mail, at an
				   address of its own; not kept in the queue */
	struct str helo;
	int64_t arrived_wall_ms;
	int64_t entered_ms; /* the queue's time when it was kept; 0: it
				   is not */

	const char *damage; /* why its body cannot be sent, for the log; NULL:
				   it can */
	struct str trace;   /* header lines put in front: Received, trail */
	struct body body;
	struct header_summary header; /* of the body's; bytes 0: not read, or
					   there is none */

	struct recipient *recipients;
	size_t n, room;

	int64_t row; /* queue.db; 0: not kept */
	bool is_kept;
};

/* Arena, id, arrived; one holder.  SPOOL outlives it. */
struct message *message_new(struct spool *spool);
/* The same with the id of an older one: for who loads it. */
struct message *message_again(struct spool *spool, int64_t number);
struct message *message_hold(struct message *m);
/* The client, when its address may be that of a system; else NULL. */
const struct inet *message_caller(const struct message *m);
void message_drop(struct message *m);
/* The pointer is good until the next message_add(). */
struct recipient *message_add(struct message *m, struct str address);
/* R->parsed, or R->address parsed into ARENA; NULL: it is no address, cause().
 * R may be read by another thread and stays as it is. */
const struct address *recipient_parsed(const struct recipient *r,
				       struct arena *arena);

/* Append bytes; moves to a file of its spool when they outgrow
 * LIMIT_BODY_MEMORY_BYTES.  False: no room or EIO; cause(). */
bool waits body_add(struct body *b, struct str bytes) must_check;
/*
 * What a filter changed is another body, filled with what it wants and, from
 * OFFSET on, with what stays as it came: the rest of the file is written once
 * more, which costs less than the filter's having read it.  A changed header
 * stands in it like one that came so, and who looks for a field finds it there,
 * also after a restart; only our own lines and what was put in front of them are
 * `trace`.
 *
 *	struct body changed = { .spool = m->body.spool };
 *
 *	if (body_add(&changed, header) &&
 *	    body_add_rest(&changed, &m->body, old_header_bytes))
 *		body_replace(&m->body, &changed);
 *	else
 *		body_free(&changed);
 */
bool waits body_add_rest(struct body *b, struct body *from,
			 uint64_t offset) must_check;
/* B is WITH from now on, and WITH is empty. */
void body_replace(struct body *b, struct body *with);
/*
 * The header that filters have left M with: TRACE, our own lines with what was
 * put before them, and FIELDS, whole lines both; behind the empty line goes what
 * the body has from SKIP on.  Sets trace, body and header.  False: nothing is
 * changed, cause().
 */
bool waits message_change_header(struct message *m, struct str trace,
				 struct str fields, size_t skip) must_check;
/* HEADER instead of the first SKIP bytes, and all else as it came.  Sets body
 * and header.  False: nothing is changed, cause(). */
bool waits message_replace_header(struct message *m, struct str header,
				  size_t skip) must_check;
/* Of a body in a file: sync it and give it NAME (rt/file.h). */
bool waits body_keep(struct body *b, const char *name) must_check;
/* Up to ROOM bytes from OFFSET into TO; 0: end; -1: cause(). */
ptrdiff_t waits body_read(struct body *b, uint64_t offset, char *to,
			  size_t room) must_check;
/* The header, where the body begins; what lies in a file is read into ARENA,
 * as far as it goes.  STR_NONE: cause(). */
struct str waits body_header(struct body *b, struct arena *arena,
			     struct header_summary *h);
/* All of it when it lies in memory, otherwise STR_NONE. */
struct str body_in_memory(const struct body *b);
/* Bytes were put into b->memory directly (dsn_write()): count them. */
void body_note(struct body *b);
void body_free(struct body *b);

/* "2m4kd..." <-> the number; 0: not an id. */
enum { ID_LETTERS = 12 };
void id_write(int64_t number, char to[ID_LETTERS + 1]);
int64_t id_number(struct str id);

#endif
