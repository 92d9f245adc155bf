/*
 * The hosts we talk to: what is known of each, and how many connections it
 * has from us.  One memory for all loops.
 *
 * A host is an address and a port, whichever systems lie behind it: its limits
 * are for us, not for our names of it.
 *
 * Facts are what it has said or shown about itself: its limits, what it
 * announces and cannot do, how it refuses.  A fact holds for a day from when
 * it was last seen; what has failed for the first time, for minutes.  An
 * administrator's word is not here: whoever uses a fact takes what he has set
 * first.
 *
 * Places are counted, not connections given: each loop keeps its own
 * connections (pool.h) and has a place for each, in use or idle.  There are as
 * many as the host is known to take, LIMIT_PER_HOP at first.  They are taken in
 * slow start, one beside each that is ready: who is sent away while others are
 * served has found the limit, and waits; who is sent away while nobody is
 * served is in trouble.  While others are on their way it is not known which:
 * all wait for what becomes of those, and nobody dials.  When none of them is
 * served either, the host is silent, and who waits leaves.  A limit that was
 * found is tried again, by one, after a while.  How many an administrator has
 * set wins over that limit: so many are tried again and again, and who is sent
 * away waits.  Questions have a share of the places that mail does not take
 * from them, and no more than that; where there is one place, or none but
 * theirs is served, they take turns.  Questions of who guesses are dialled for
 * one by one, so that others need not wait for that.
 *
 *	struct guest g = { .kind = GUEST_MAIL, .slot = slot };
 *	while (!(an idle one of ours) && !host_enter(h, &g))
 *		if (!host_wait(h, &g, deadline))
 *			break;
 *	host_seated(h, &g);
 *
 * Who waits does so on his own loop; when something comes free the loop with
 * the fewest places is called first, and on it who came first.  While nobody
 * waits, taking an idle connection and giving it back costs no lock.
 */
#ifndef DELIVER_HOSTS_H
#define DELIVER_HOSTS_H

#include "base/arena.h"
#include "base/fail.h"
#include "rt/fiber.h"

enum host_fact {
	HOST_CONNECTIONS, /* it takes so many at once */
	HOST_MAILS,       /* so many over one connection */
	HOST_RECIPIENTS,  /* so many in one mail */
	HOST_NO_TLS,      /* announced, and does not work */
	HOST_NO_CHUNKING,
	HOST_NO_PARAMETERS, /* of MAIL and RCPT */
	HOST_TLS,           /* has worked: not shown */
	HOST_CHUNKING,      /* has worked: not shown */
	HOST_SORT,          /* enum host_sort */
	HOST_BANS,          /* who asks for many unknown addresses: so many
	                       a day are asked for */
	HOST_SILENT,        /* it does not answer: others are asked first */
	HOST_NO_XCLIENT,    /* announced, and does not work */
	HOST_XCLIENT,       /* has worked: not shown */
};
enum { HOST_FACTS = HOST_XCLIENT + 1 };

/* What it does with mail for somebody it does not have: what says more about it
 * comes later. */
enum host_sort {
	SORT_UNKNOWN,
	SORT_REFUSES, /* at RCPT */
	SORT_ACCEPTS, /* at RCPT; what becomes of it is not said */
	SORT_WHOLE,   /* accepts at RCPT, then refuses the message for all */
};

struct hosts;
struct host_state;

struct hosts *hosts_open(void);
void hosts_close(struct hosts *hosts); /* NULL is allowed */
/* How many are taken, at all hosts together.  NULL is allowed. */
size_t hosts_places(struct hosts *hosts);

/* Whose host it is, and what it is called there. */
struct host_owner {
	struct str row;  /* of the ledger of systems */
	struct str name; /* empty: only its address is known */
};
/* KEY: its address.  PLACES is how many it is believed to have at first.  On
 * loan until released. */
struct host_state *host_hold(struct hosts *hosts, struct str key,
			     struct host_owner owner, unsigned places);
void host_release(struct host_state *h);

/* ---- facts ---- */

/* 0: nothing is known.  No lock. */
unsigned host_fact(const struct host_state *h, enum host_fact f);
void host_learn(struct host_state *h, enum host_fact f, unsigned value);
/* A limit of VALUE or less: never more than what is known already. */
void host_lower(struct host_state *h, enum host_fact f, unsigned value);
void host_forget(struct host_state *h, enum host_fact f);
/* What was announced has failed, on a connection that has been open for some
 * time or was just made.  One moment's failures, however many, are an accident:
 * nothing is believed where it has worked within the day (WORKS), and else that
 * it does not work, for minutes.  What fails again after that is a fact. */
void host_failed_at(struct host_state *h, enum host_fact f,
		    enum host_fact works);
/* It works (WORKS): what is believed of its failing (F) is forgotten. */
void host_works_at(struct host_state *h, enum host_fact f,
		   enum host_fact works);

/* It has answered nothing for seconds (SLOWLY), or refused us at once.  Before
 * host_left(), which calls who waits: they have nothing to wait for. */
void host_was_silent(struct host_state *h, bool slowly);
void host_answered(struct host_state *h);
/* Are others to be tried before it?  One that refuses at once is tried first
 * again after a while; one that costs seconds stays behind, and now and then
 * somebody is to *LOOK whether it is back. */
bool host_is_resting(struct host_state *h, bool *look);

/* What is known of all hosts, for those who watch. */
struct host_note {
	struct str host, row, name;
	enum host_fact fact;
	unsigned value;
	int64_t since_ms, until_ms; /* wall clock */
};
struct host_note *hosts_list(struct hosts *hosts, struct arena *arena,
			     size_t *n);
/* "connections", "no_tls"...; of the sort: "refuses", "accepts", "whole" */
const char *host_fact_name(enum host_fact f);
const char *host_sort_name(enum host_sort s);

/* ---- places ---- */

enum guest_kind { GUEST_MAIL, GUEST_QUESTION };
enum { GUEST_KINDS = GUEST_QUESTION + 1 };

/* Somebody who needs a connection, on his own loop.  Zeroed but for: */
struct guest {
	enum guest_kind kind;
	bool wants_fresh;   /* an idle connection will not do */
	bool is_guess;      /* a question of somebody who was refused before */
	bool was_sent_away; /* waits before he takes another place */
	bool is_patient;    /* takes what comes free, and no place while others
	                       of ours are served */
	unsigned most;      /* places an administrator has set; 0: none */
	const void *slot;   /* the idle connections that are of use to him */
	bool is_asking;     /* host_ask() let him */
	bool is_waiting, is_called;
	bool is_in_vain;   /* why host_wait() was false: the host is silent */
	unsigned seen;     /* what had come free when he last looked */
	unsigned silences; /* of the host when he began to wait */
	struct gate gate;
	struct guest *prev, *next;
};

/* A place for a new connection; false: there is none now. */
bool host_enter(struct host_state *h, struct guest *g) must_check;
/* Until something may have come free since he looked, with host_ask() or
 * host_enter().  False: the deadline, cancelled, or the host is silent. */
bool waits host_wait(struct host_state *h, struct guest *g,
		     int64_t deadline_ms) must_check;
/* G has what he wants, or has given up. */
void host_seated(struct host_state *h, struct guest *g);

/* Is it serving questions of ours?  Then what comes free of them may come
 * before a new connection is greeted. */
bool host_is_asked(struct host_state *h);

/* Of a place that was taken: its connection is ready; it is closed, or never
 * came to be. */
void host_is_ready(struct host_state *h);
void host_left(struct host_state *h, bool was_ready);
/* The host has sent us away, before ours was ready (READY: afterwards; it is
 * closed then). */
enum host_fullness {
	HOST_IN_TROUBLE,
	HOST_FULL,   /* others of ours are served, or may be: wait for them */
	HOST_COUNTS, /* one of ours that has just left: again in a moment */
};
enum host_fullness host_is_full(struct host_state *h, bool ready);
/* An idle connection lies in the pool of this loop, or is taken out of it. */
void host_idle(struct host_state *h, int change);
/* May this loop keep the connection of SLOT that is free now, after MAILS mails
 * over it?  False: somebody needs its place more.  Who may use it is called. */
bool host_may_keep(struct host_state *h, const void *slot, unsigned mails);

/* A question of G's begins (true at once when it has); false: so many are being
 * asked that it has to host_wait().  One has ended. */
bool host_ask(struct host_state *h, struct guest *g) must_check;
void host_asked(struct host_state *h);

/* On its own loop: CLOSE(ARG, host) when another has need of the place of an
 * idle connection.  NULL: no longer. */
void hosts_on_plea(struct hosts *hosts,
		   void (*close)(void *arg, struct host_state *h), void *arg);

#endif
