/*
 * A next hop as we hear it: one open connection, SMTP or LMTP, and the rules
 * of talking that are the same for both.
 *
 * What a next hop says is attacker input.  A reply is read with a deadline and
 * capped; one that comes before its command, or breaks the grammar, makes the
 * connection worthless: is_broken, and nothing it said later counts.
 */
#ifndef DELIVER_PEER_H
#define DELIVER_PEER_H

#include "rt/stream.h"
#include "wire/reply.h"

/* How a conversation ended before its time. */
enum loss {
	LOSS_NONE,
	LOSS_LATE,   /* no answer in time */
	LOSS_CLOSED, /* ...or reset */
	LOSS_UNREAD, /* it does not take what we say */
	LOSS_WORDS,  /* what it says is no SMTP, or out of turn */
};

struct peer {
	struct stream *stream;
	struct capabilities can;
	bool is_lmtp;
	bool is_reused;  /* it lay in the pool before */
	bool has_spoken; /* a reply came since it was taken */
	bool is_broken;  /* good for peer_close() only */
	enum loss loss;  /* why it is broken, unless it said so itself */
	bool is_proved;  /* a whole mail went through without trouble */
	bool is_worn;    /* not for another mail or question */
	bool was_told;   /* of a client (xclient.h): it is not ours */
	bool refuses_xclient;
	bool tls_failed;     /* what it announced; so it is in clear text */
	unsigned mails;      /* it has taken */
	unsigned begun;      /* MAIL commands, of mails and questions */
	unsigned most_mails; /* an administrator allows; 0: not set */
	unsigned probes, refusals; /* asked over it since the last whole mail,
	                              and those that were not answered 2xx */
	int64_t opened_ms, idle_since_ms;
	char name[352];        /* "mx.b.example[192.0.2.1]:25" */
	struct str greeted_as; /* its name, from the answer to EHLO */
	struct arena *arena;   /* the connection's */
};

/* How far client_open() has come (client.h). */
enum stage {
	STAGE_CONNECT,
	STAGE_GREETING,
	STAGE_HELLO,
	STAGE_TLS,
	STAGE_AUTH,
	STAGE_OPEN,
};

/*
 * Why nothing came of it.  A code of 4xx or 5xx, the peer's or ours; when
 * the peer never said anything the sentence is ours.
 */
struct trouble {
	struct reply reply;
	bool is_ours;    /* no server said it */
	bool is_tls;     /* the handshake failed: perhaps without */
	bool is_busy;    /* no connection was free: nobody is to blame */
	bool is_limit;   /* a limit of its own, or what it cannot do */
	int64_t rest_ms; /* its destination rests for so long; 0: it does not */
	bool is_unfit;   /* what is set here cannot be done: it says nothing
	                  about the host */
	/* Of client_open(): */
	enum stage at;
	enum loss loss;
	struct str cause;    /* what failed, when is_ours: without names */
	struct str greeting; /* its 220, when there was one */
};

/* Both return false. */
bool trouble_ours(struct trouble *t, struct reply r);
bool trouble_said(struct trouble *t, const struct reply *r);

/* Takes the stream over. */
struct peer *peer_new(struct stream *s, const char *name, bool is_lmtp);
void peer_close(struct peer *p);      /* NULL is allowed; no QUIT */
void waits peer_quit(struct peer *p); /* QUIT, not waiting for 221 */

/* May the next command be sent?  False when the peer spoke out of turn. */
bool peer_is_silent(struct peer *p) must_check;
/* Send what was said; false: broken, cause(). */
bool waits peer_flush(struct peer *p, int64_t deadline_ms) must_check;
/* The next reply, in ARENA; false: broken, cause(). */
bool waits peer_reply(struct peer *p, struct arena *arena, struct reply *out,
		      int64_t deadline_ms) must_check;
/* One command and its reply. */
bool waits peer_ask(struct peer *p, struct arena *arena, struct str command,
		    struct reply *out, int64_t deadline_ms) must_check;

/* A reply of our own making. */
struct reply own_reply(struct arena *arena, int code, const char *status,
		       const char *format, ...) printf_like(4, 5);
/* Its status, or the one its code stands for: "4.0.0". */
const char *reply_status(const struct reply *r);

#endif
