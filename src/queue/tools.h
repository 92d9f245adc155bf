/*
 * The queue from outside: what an administrator sees and orders, on the same
 * queue.db, whether the engine runs or not.
 *
 *	struct tools *t = tools_open("/var/lib/splitmail");
 *	struct queue_filter f = { .domain = S("b.example") };
 *	tools_list(t, &f, print_entry, stdout);
 *	tools_order(t, ORDER_HOLD, &f, &n);
 *
 * Orders take effect at once; the engine notices when it is told to look
 * (engine/questions.h), or within seconds.  A recipient that is being attempted at that moment meets its attempt's fate
 * first, but what was deleted stays deleted, what was held stays held, what is
 * to be bounced is bounced.  These calls block; a handle belongs to one
 * thread.
 */
#ifndef QUEUE_TOOLS_H
#define QUEUE_TOOLS_H

#include "queue/message.h"

struct tools;

/* FOLDER as for queue_open().  NULL: cause().  A data folder that has no
 * queue.db yet is an empty queue. */
struct tools *tools_open(const char *folder);
void tools_close(struct tools *t); /* NULL is allowed */

/* Of a damaged queue.db all that can be read is listed, and orders are given to
 * it.  What the last tools_list(), tools_page() or tools_order() had to leave
 * out, as a sentence without its full stop; NULL: nothing. */
const char *tools_damage(const struct tools *t, struct arena *arena);

/* Which recipients: those that match all that is not empty.  RECIPIENT and
 * SYSTEM without regard to case; a RECIPIENT without an "@" is what stands before
 * it, in any domain; SYSTEM is the name of a system or the hosts of a
 * relay, NEXT_HOP a word of next_hop_word(); DOMAIN is the recipient's, in any
 * spelling. */
struct queue_filter {
	struct str id, recipient, system, domain, next_hop;
};

/*
 * Each message with recipients that match, oldest first; only those recipients
 * are in it.  The message (without its body, but body.bytes says how long it
 * is) is on loan for the call.  Any length in constant memory; mail that comes
 * or leaves meanwhile may or may not be seen.
 */
bool tools_list(struct tools *t, const struct queue_filter *f,
		void (*each)(void *arg, const struct message *m),
		void *arg) must_check;

/* The same in pages: at most LIMIT messages, those that arrived after the
 * message with the id AFTER (empty: the oldest). */
bool tools_page(struct tools *t, const struct queue_filter *f, struct str after,
		size_t limit, void (*each)(void *arg, const struct message *m),
		void *arg) must_check;

/* What waits for one next hop; the texts are on loan for the call. */
struct queue_load {
	struct next_hop next_hop;
	uint64_t recipients, held;
	/* Of the recipient that waits longest: */
	bool is_held;
	int64_t next_attempt_ms; /* wall clock */
	int64_t arrived_ms;      /* likewise: its message */
	struct reply reply;
	struct str remote;
};

struct queue_total {
	uint64_t messages, recipients, held, bytes;
	int64_t oldest_ms; /* wall clock; 0: nothing waits */
};

/* DOMAIN: only recipients of it; empty: all. */
bool tools_count(struct tools *t, struct str domain,
		 void (*each)(void *arg, const struct queue_load *l), void *arg,
		 struct queue_total *total) must_check;

/* Changes with every commit of anybody else: cheap, for noticing.  0: there is
 * no queue yet. */
uint64_t tools_version(struct tools *t);
/* How many recipients of each domain wait. */
bool tools_domains(struct tools *t,
		   void (*each)(void *arg, struct str domain,
				uint64_t recipients),
		   void *arg) must_check;
/* A text that is another one when what waits for DOMAIN has changed. False:
 * cause(). */
bool tools_mark(struct tools *t, struct str domain, struct arena *arena,
		const char **mark) must_check;

/* The files of spool/ that bodies of messages are in. */
bool tools_bodies(struct tools *t, void (*each)(void *arg, struct str name),
		  void *arg) must_check;

/* Messages that are held because they killed the engine again and again, at
 * most MOST. */
bool tools_deadly(struct tools *t, size_t most,
		  void (*each)(void *arg, const char *id),
		  void *arg) must_check;

enum tools_found {
	TOOLS_FOUND,
	TOOLS_NOT_THERE, /* no message of that id */
	TOOLS_TROUBLE,   /* cause() */
};

/* One message with all its recipients and its body, in memory; the caller
 * drops it before T is closed. */
enum tools_found tools_show(struct tools *t, struct str id,
			    struct message **out);

/* What M's header has at "Subject", unfolded and as it is written there, on
 * loan from M's arena.  M as tools_list() gives it, or in memory: T may be NULL
 * then.  Empty: there is none in its first SUBJECT_WITHIN bytes, or they cannot
 * be read. */
enum { SUBJECT_WITHIN = 32768 };
struct str tools_subject(struct tools *t, const struct message *m);

enum order {
	ORDER_RETRY, /* due now; held ones stay held */
	ORDER_HOLD,
	ORDER_RELEASE, /* at its next attempt's time */
	ORDER_DELETE,  /* without telling anybody */
	ORDER_BOUNCE,  /* no more attempts: a DSN to the sender */
};

/* *N: recipients that were changed.  False: cause(); *N were changed before. */
bool tools_order(struct tools *t, enum order order,
		 const struct queue_filter *f, uint64_t *n) must_check;

#endif
