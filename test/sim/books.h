/*
 * The books of a world: what the servers promised, and what became of it, as
 * seen from outside.
 *
 * A unit is one mail handed in once: who sends again hands in another one.  It
 * has a sender of its own and a mark in its header, so that whatever arrives
 * anywhere says which unit it is of.
 */
#ifndef TEST_SIM_BOOKS_H
#define TEST_SIM_BOOKS_H

#include "world.h"

#define MARK "X-Unit: "

/* What route() said of a recipient beforehand (books_route.h). */
enum { SAID_LEGS = 12 };
struct said_leg {
	int person;
	int hop; /* a taker; another Splitmail's store
					   stands for that Splitmail */
};
struct said {
	int64_t at_ms; /* 0: nothing */
	int code;
	struct said_leg legs[SAID_LEGS];
	int n;
};

/* What a filter has done about it. */
enum filter_did {
	DID_NOTHING, /* it has not heard of it */
	DID_BEGIN,   /* and not ended */
	DID_FAIL,    /* hung up, fell silent or lied */
	DID_PASS,
	DID_EDIT, /* likewise, with filter_edits() */
	DID_REFUSE,
	DID_LATER,
	DID_DISCARD,
};

struct unit {
	int number, client, splitmail;
	int to[RECIPIENTS], n;
	int asked; /* of these: by the client; others are added by filters */
	bool is_struck[RECIPIENTS]; /* by a filter */
	int codes[RECIPIENTS];      /* at RCPT; 0: not answered */
	int code;                   /* at the dot; 0: not answered */
	bool dot_was_sent;
	int64_t begun_ms, ended_ms;
	uint32_t bytes;           /* of its text */
	uint8_t told[PERSONS];    /* DSNs that say: failed */
	uint8_t warned[PERSONS];  /* that say: delayed */
	uint8_t praised[PERSONS]; /* that say: delivered, or relayed */
	struct said said[RECIPIENTS];
	struct buf again; /* its text, when it is an old one (again.h) */
	uint32_t known;   /* a bit for each who may be in the trail there, and
			     has it then */
	/* filters.h: what each did, and its reply to the whole; what one of
	 * them said of a recipient; how long they took. */
	uint8_t did[FILTERS];
	int replied[FILTERS], rcpt_said[PERSONS];
	int64_t paused_ms;
};

void books_open(void);
void books_close(void);
/* Something is as it must not be; the first one counts. */
void books_wrong(const char *format, ...) printf_like(1, 2);
/* NULL: nothing is wrong so far. */
const char *books_verdict(void);

/* COPY is one of again.h's, or -1. */
struct unit *books_begin(int client, const struct mail *m, int copy);
/* NULL: there is none of that number. */
struct unit *books_unit(uint64_t number);
/* One in eleven begins with its body. */
bool unit_has_header(const struct unit *u);
/* One in thirteen comes from <>: nobody is told what becomes of it. */
bool unit_has_sender(const struct unit *u);
/* One recipient in nine is not to be told of (NOTIFY=NEVER). */
bool unit_says_never(const struct unit *u, int i);
/* Some are to be told of, too, when all went well (SUCCESS,FAILURE,DELAY), and of
 * others not that their mail waits (FAILURE). */
bool unit_says_success(const struct unit *u, int i);
bool unit_says_no_delay(const struct unit *u, int i);
/* Who he was at first: "rfc822;oN.I@old.test" (ORCPT); one in three. */
bool unit_says_orcpt(const struct unit *u, int i);
/* "eN" is said of one mail in three (ENVID), and RET=HDRS of others. */
bool unit_says_envid(const struct unit *u);
bool unit_says_headers(const struct unit *u);
/* One in three is said with the alias of his domain. */
bool unit_says_alias(const struct unit *u, int i);
/* One in seven with a detail behind his local part, one in three of them so that
 * it has to be quoted. */
bool unit_says_detail(const struct unit *u, int i);
/* By a program of its server's host, a socket there and not the network. */
bool unit_is_local(const struct unit *u);
/* By somebody who has logged in. */
bool unit_is_of_user(const struct unit *u);
/* Either may send to anybody, and so may some systems. */
bool unit_may_leave(const struct unit *u);
/* And any that is trusted need not wait for whom nobody can be asked about. */
bool unit_has_rights(const struct unit *u);
/* Its sender, as MAIL says it; TO has room for it. */
enum { SENDER_BYTES = 64 };
const char *unit_sender(const struct unit *u, char to[SENDER_BYTES]);
/* One in two of those of programs is what somebody's Sieve sends on. */
bool unit_is_sent_on(const struct unit *u);
/* The whole text, header and body, as it is handed in. */
void unit_text(const struct unit *u, struct buf *to);
void books_rcpt(struct unit *u, int i, int code, struct str text);
void books_dot(struct unit *u);
void books_end(struct unit *u, int code, struct str text);

/* A taker has said 250 to these bytes for RECIPIENT; the sender may not have
 * heard it. */
void books_taken(struct taker *t, struct str sender, struct str recipient,
		 struct str bytes);
/* It does not know whether the answer was heard, for this recipient. */
void books_left_open(struct taker *t, struct str recipient, struct str bytes);

/* Another system tells the sender of these bytes that RECIPIENT, to whom it
 * wanted to hand them on, has not got them. */
void books_returned(const struct taker *t, struct str recipient,
		    struct str bytes);

/* A line of the log of a Splitmail. */
void books_logged(const char *host, struct str line);

/* Has every promise been kept? */
bool books_are_even(void);
/* After the end of the world. */
void books_balance(void);
struct books_totals {
	unsigned units, promised, refused, open, taken, told;
} books_totals(void);

#endif
