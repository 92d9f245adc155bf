/*
 * What the files of this folder share: a round, its shares, its attempts, and
 * what is of one loop.  Types only; each file has a header of its own for what
 * it does, and none includes one that leads back to it (./dev lint).
 *
 * A round is what is done about one message at once: at acceptance, or at one of
 * the scheduler's turns.  route() turns each recipient into a share (round.c);
 * shares with the same next hop make an attempt, a fiber of its own (attempt.c).
 * Attempts write what they learn into their shares only; the message's
 * recipients are written between them (settle.c), because the queue's thread
 * reads those while attempts run.
 *
 * Recipients may move (message_add): always m->recipients[share->index].
 */
#ifndef DELIVER_INSIDE_H
#define DELIVER_INSIDE_H

#include "base/hash.h"
#include "base/limits.h"
#include "deliver/deliver.h"
#include "wire/reply.h"

/* One recipient's part of the work. */
struct share {
	size_t index; /* of the message's recipients */
	struct leg leg;
	struct str key;        /* address_key() of what its leg is given,
	                          unless that is a mailbox or no address */
	struct str domain;     /* of ours, by which it came here: of the
	                          group for a member; or empty */
	struct share *follows; /* the same end: shares its fate */
	enum recipient_state state;
	struct reply reply; /* text in the round's arena */
	struct str remote;  /* who said it */
	struct str from;    /* ...to which of our addresses, where one is set */
	bool is_put_off;    /* not tried: its system was busy */
	int64_t rest_ms;    /* not tried: its destination rests, and it comes
	                       back after that; 0: it does not */
	bool is_under_way;  /* its attempt runs: what that said of it may
	                       change, but for DONE */
	bool is_unreached;  /* its next hop was down */
	bool is_open;       /* perhaps delivered: connection lost
	                       after the final dot */
	bool is_accepted;   /* its RCPT was, in the mail at hand */
	bool is_sent;       /* the final dot was: an answer is worth
	                       waiting for */
	bool at_rcpt;       /* refused at RCPT: about the address */
	bool is_expired;    /* its time in the queue is over */
	bool is_telling;    /* is in a DSN that is being kept */
	bool is_told;       /* is in a DSN that was kept */
	bool is_counted;    /* attempts and next attempt are set */
	bool dsn_goes_on;   /* the next hop took over NOTIFY */
	bool is_noted;      /* that its mailbox gets it (given_back.c) */
};

struct attempt {
	struct attempt *prev, *next; /* of the round */
	UT_hash_handle hh;           /* while shares are grouped */
	struct round *round;
	struct fiber *fiber;
	struct next_hop next_hop;
	struct str key; /* its next_hop_text() */
	struct leg leg; /* any of its shares' */
	struct share **shares;
	size_t n;
	bool was_reached; /* it was: a connection to it was ready */
	bool was_down;    /* it took nothing of what was tried last */
	bool is_ordered;  /* an administrator wants it tried */
};

struct round {
	struct round *prev, *next; /* of the loop */
	struct deliver *deliver;
	struct message *message;
	struct asker asker; /* whose mail it is */
	struct arena *arena;
	struct share **shares;
	size_t n, room;
	struct attempt *attempts;
	unsigned running;
	struct gate news;    /* an attempt ended, or drain */
	struct given *given; /* of given_back.c, or NULL */
	bool is_retry;
	bool has_followers;
	bool needs_utf8;       /* sender or header is not ASCII */
	bool keeps_first;      /* answered before it is attempted */
	bool is_detached;      /* nobody waits: the last attempt
	                          settles it */
	bool settles_part;     /* a fiber writes what is known meanwhile */
	struct fiber *settler; /* who does so now */
};

/* What is known of one next hop on this loop: how many attempts run there, and
 * that it did not answer a moment ago. */
struct hop_state;
struct probes; /* questions that are open on this loop */

struct deliver {
	const struct deliver_settings *settings;
	struct router *router;
	struct queue *queue;
	struct pool *pool;
	struct filters *filters; /* NULL: no notice had any (dsn_filter.c) */
	struct probes *probes;
	struct round *rounds;
	struct hop_state *hops;
	size_t hops_most;   /* then those of no use are forgotten */
	struct look *looks; /* at hosts that were silent */
	struct follow *follow;
	unsigned busy; /* rounds that are not settled */
	unsigned attempts;
	bool is_draining;
	struct gate quiet;            /* a round ended */
	struct gate stop;             /* is_draining, from now on */
	unsigned scheduled;           /* rounds of the scheduler */
	struct gate turn;             /* one of those ended, or a next hop has
	                                 room again */
	bool has_room;                /* ...since the last turn */
	bool is_to_look;              /* somebody says that he has changed
	                                 something */
	bool has_scheduler;           /* its fiber runs */
	bool is_asleep;               /* ...or rests, until on_wake() */
	char said[LIMIT_REPLY_BYTES]; /* the last deliver_accept()'s text */
};

/* Of what a next hop is asked now. */
static inline int64_t deliver_reply_deadline(const struct deliver *d)
{
	int64_t set_ms = d->settings->reply_ms;

	return after_ms(set_ms ? set_ms : LIMIT_REPLY_MS);
}

#endif
