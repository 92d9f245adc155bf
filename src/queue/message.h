/*
 * A message: bytes and envelope we answer for, from the end of its data until
 * each of its recipients has met exactly one fate.
 *
 * Its id is 60 bits in base32 (2-7, a-z; as numbers and as text in the same
 * order): microseconds since 1970, unique in the process, and 8 random bits.
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
#include "rt/file.h"
#include "wire/command.h"
#include "wire/reply.h"

enum recipient_state {
	RECIPIENT_WAITING,	/* nobody has answered for it yet */
	RECIPIENT_DONE,		/* the next system said 2xx */
	RECIPIENT_REFUSED,	/* the next system, or we, said 5xx */
	RECIPIENT_LATER,	/* 4xx, timeout, connection lost: try again */
	RECIPIENT_DROPPED,	/* the loop guard ended it silently */
};

/* Which part of a route's answer this recipient stands for, once the address
 * as given was split up; kept in the queue so that nothing is done twice. */
enum recipient_part {
	PART_WHOLE,		/* not split yet: route() may expand it */
	PART_HERE,		/* already split: own mailbox's share */
	PART_THERE,		/* already split: the other system's share */
};

struct recipient {
	struct str address;	/* as given (or as the member is written) */
	struct str orcpt;	/* as given, or empty */
	unsigned notify;	/* NOTIFY_* */
	struct str trail;	/* entries of the nodes and groups it came
				   through, comma separated (route/guard.h) */
	enum recipient_part part;
	bool is_member;		/* made by expansion: its refusal is never the
				   sender's reply */
	enum recipient_state state;
	bool held;
	bool bounce_wanted;	/* an administrator's order: no attempt, refuse it
				   and tell the sender */
	unsigned attempts;
	int64_t next_attempt_ms;	/* wall clock */
	struct reply reply;	/* the last one; text in the message's arena */
	struct str remote;	/* who said it: "mx.b.example[192.0.2.1]:25" */
	struct str system;	/* name of the system it goes to, for lists */
	bool delay_told;	/* the sender was told of the delay */
	int64_t row;		/* queue.db; 0: not there */
};

/*
 * The bytes: in memory while small and while all bodies together stay below
 * LIMIT_BODIES_MEMORY_BYTES, otherwise a spool file that has no name yet.  Of
 * a kept message: a named one, opened when it is first read.
 */
struct body {
	struct buf memory;
	struct file *file;	/* NULL while in memory or not open yet */
	const char *path;	/* the named file, in the message's arena */
	uint64_t bytes;
	bool ends_with_crlf;
	bool ends_with_cr;
	size_t charged;		/* bytes counted against the limit */
};

struct message {
	char id[16];		/* the queue id: log, Received, DSN, trace */
	struct arena *arena;
	unsigned holders;

	struct str sender;	/* reverse-path as given; empty: <> */
	struct str envid;
	enum ret ret;
	bool is_8bit, is_utf8;
	struct str as;		/* who asked: "internet", "user:a@b",
				   "system:NAME", "local" */
	struct inet client;
	struct str helo;
	int64_t arrived_wall_ms;

	struct str trace;	/* header lines put in front: Received, trail */
	struct body body;

	struct recipient *recipients;
	size_t n, room;

	int64_t row;		/* queue.db; 0: not kept */
	bool is_kept;
};

struct message *message_new(void);	/* arena, id, arrived; one holder */
/* The same with the id of an older one: for who loads it. */
struct message *message_again(int64_t number);
struct message *message_hold(struct message *m);
void message_drop(struct message *m);
/* The pointer is good until the next message_add(). */
struct recipient *message_add(struct message *m, struct str address);

/* Append bytes; moves to a file in SPOOL (a folder) when they outgrow
 * LIMIT_BODY_MEMORY_BYTES.  False: no room or EIO; cause(). */
bool waits body_add(struct body *b, const char *spool, struct str bytes)
	must_check;
/* Up to ROOM bytes from OFFSET into TO; 0: end; -1: cause(). */
ptrdiff_t waits body_read(struct body *b, uint64_t offset, char *to,
			  size_t room) must_check;
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
