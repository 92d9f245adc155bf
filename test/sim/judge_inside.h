/*
 * What the files of the judge share:
 *
 *	judge_ways.c		who leads to whom, and what may have kept a mail
 *				from somebody
 *	judge_answers.c		what clients are told
 *	judge_route.c		what was said of the way beforehand
 *	judge_arrivals.c	what arrives: where, with which bytes
 *	judge_waits.c		how long it took
 *	judge_fates.c		what became of each promise; notices
 *	judge_reports.c		what was asked to be told, and how
 *	judge_left.c		what is left at the end, and what the log says
 */
#ifndef TEST_SIM_JUDGE_INSIDE_H
#define TEST_SIM_JUDGE_INSIDE_H

#include "books_inside.h"

enum { REMEMBERED_MS = 100000 }; /* what a system has once said */

/* ---- who leads to whom ---- */

/* It has the persons between, both ends included. */
struct way {
	int steps[PERSONS], n;
	bool is_sure; /* it was so all the time */
	bool is_new;  /* a member of it has just come to his group */
};

/* What is asked of each way. */
struct asked {
	void (*about)(void *arg, const struct unit *u, const struct way *w);
	void *arg;
};

/* Who gets the mail of an address nobody has; -1: nobody. */
int instead_of(const struct person *p);
/* All ways of recipient I. */
void ways_of(const struct unit *u, int i, struct asked a);
bool was_stepped(const struct way *w, int person);
int end_of(const struct way *w);

struct counting {
	int person;
	unsigned ways, by_lists; /* of these: of another system */
	unsigned addresses;      /* one after the other, on the longest */
};

/* Of the recipients that were not refused. */
struct counting ways_to(const struct unit *u, int person);
/* Does nobody have the address, and a system hand it on and on, that takes the
 * trail away? */
bool goes_round(int person);
/* Is he, by some way, a member of himself? */
bool comes_round(int person);
/* Does recipient I lead to PERSON? */
bool leads_to(const struct unit *u, int i, int person);
/* Is PERSON on a way of recipient I? */
bool ways_step_on(const struct unit *u, int i, int person);

/* ---- causes ---- */

/* Does somebody on it refuse for good: disabled, full, gone? */
bool way_is_barred(const struct unit *u, const struct way *w);
/* May whoever is at its end not get it, for good, and its sender be told? */
bool way_may_fail(const struct unit *u, const struct way *w);
/* Did an administrator delete it, while it waited for somebody on it? */
bool was_deleted(const struct unit *u, const struct way *w);
/* Was he named by the alias, and that gone before his mail was promised? */
bool was_out_of_domain(const struct unit *u, int i);
/* He was, and whoever sent it may send to anybody: to the Internet, then. */
bool may_leave_for_good(const struct unit *u, int person);
/* May recipient I be refused for good?  Not while there is a way of his that
 * nothing bars. */
bool may_be_refused(const struct unit *u, int i);

/* ---- what was taken ---- */

unsigned times_taken(const struct unit *u, int person, int taker);
/* 0: nothing of it was. */
int64_t last_taken_ms(const struct unit *u);
/* By whichever way: two that lead to him are one from where they meet. */
bool was_told(const struct unit *u, int person);
/* Does another system know nothing of NOTIFY, and hand on? */
bool somebody_forgets_notify(void);
/* So many notices of one kind there may be. */
unsigned may_be_told(const struct unit *u, int person);

/* ---- of each subject ---- */

void judge_said_code(const struct unit *u, int i);
void judge_route(const struct taken *t);
/* PASSED are the N Splitmails it has come through. */
void judge_wait(const struct taken *t, const int passed[], int n);
bool judge_promises(bool complain);
void judge_notices(const struct unit *u);
void judge_told(const struct unit *u);
void judge_praises(const struct unit *u);
void judge_doubles(const struct taken *t);
void judge_refused(const struct taken *t);
void judge_left(const struct splitmail *s);

#endif
