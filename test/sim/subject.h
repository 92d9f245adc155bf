/*
 * What a world is about.
 *
 * Half of the worlds are about nothing: everything in them is drawn.  The
 * others have a subject, because what needs three rare things at once is not
 * met by drawing them one by one: a slow next system, a large mail and a power
 * cut just after its 250.  Where nothing else goes wrong than the subject says
 * the books excuse less.
 */
#ifndef TEST_SIM_SUBJECT_H
#define TEST_SIM_SUBJECT_H

#include "world.h"

enum subject {
	ABOUT_NOTHING,
	ABOUT_WAITING,   /* slow next systems: much is kept */
	ABOUT_KEEPING,   /* and power fails just after a 250 */
	ABOUT_DISKS,     /* that fail while mail is kept */
	ABOUT_GUSTS,     /* in which disks fail for a moment, again and again */
	ABOUT_STOPS,     /* orderly ones, while answers are due */
	ABOUT_QUESTIONS, /* addresses that only the other system knows */
	ABOUT_RINGS,     /* each hands on to the next what it has not */
	ABOUT_BACK,      /* what a system does not have comes back */
	ABOUT_HOSTS,     /* systems of two, the first of them silent */
	ABOUT_TWINS,     /* who do the same at the same instant */
	ABOUT_INSTANTS,  /* in which a clock stands, and much is kept */
	ABOUT_MOVES,     /* from a system that is away */
	ABOUT_ABSENCE,   /* without power for days, with mail */
	ABOUT_GROUPS,    /* with members whose mailbox is full */
	ABOUT_KNOTS,     /* of groups that are members of one another */
	ABOUT_HICCUPS,   /* of a mailbox, beside systems that take long */
	ABOUT_HALVES,    /* of mail, one of which waits, near a crash */
	ABOUT_LIMITS,    /* of the Internet's servers, as they say it */
	ABOUT_RETURNS,   /* of who was disabled, and is asked about again */
};
enum { SUBJECTS = ABOUT_RETURNS + 1 };

/* How many there are of each, and whether anything goes wrong. */
void subject_draw(void);
/* What its systems do, who of them knows what. */
void subject_of_systems(void);
/* Who has which address is drawn. */
void subject_of_persons(void);
/* Who sends what to whom, and what goes wrong meanwhile. */
void subject_of_mails(int64_t window_ms);

/* Where mail waits somebody may hold it for a while. */
void subject_add_holds(int64_t window_ms);
/* Or gives it up. */
void subject_add_orders(int64_t window_ms);
/* Somebody leaves the alias out of the first domain, and puts it back. */
void subject_add_mistakes(int64_t window_ms);

const char *subject_name(void);

/* One more address of DOMAIN (plan.c). */
struct person *add_person(enum person_kind kind, char letter, int i, int home);

#endif
