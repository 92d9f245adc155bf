/*
 * Filters in a world: programs that the first Splitmail's mail has to pass, by
 * the milter protocol, written down here once more from its description and not
 * with the engine's words for it.
 *
 * What a filter says of a mail is drawn from the seed and the unit's number, so
 * that books and filter know it of themselves; how it misbehaves is chance, and
 * ends when the world is calm.  What it did stands in the unit (books.h), written
 * before it is said.
 */
#ifndef TEST_SIM_FILTERS_H
#define TEST_SIM_FILTERS_H

#include "books.h"

/* ---- one unit and one filter ---- */

/* What it has to say in the end. */
enum opinion {
	OPINION_PASS,
	OPINION_REFUSE,  /* 5xx */
	OPINION_DISCARD, /* 250, and nobody has it */
};

/* Of its text and its envelope; a bit each. */
enum {
	EDIT_ADD = 1,        /* a field, the last one */
	EDIT_INSERT = 2,     /* one, the first that it was shown */
	EDIT_SUBJECT = 4,    /* the first filter only */
	EDIT_BODY = 8,       /* another one */
	EDIT_HOLD = 16,      /* quarantine */
	EDIT_RECIPIENT = 32, /* one more */
	EDIT_STRIKE = 64,    /* one less */
};

enum opinion filter_opinion(int filter, const struct unit *u);
unsigned filter_edits(int filter, const struct unit *u);
/* 'M', 'R' or 'E': when it says so. */
char filter_step(int filter, const struct unit *u);
/* It refuses this recipient, whoever sends. */
bool filter_bars(int filter, int person);
/* Who is added. -1: nobody. */
int filter_whom(void);
/* What of its TEXT is made by them. */
void filter_edit(int filter, const struct unit *u, struct buf *text);

/* ---- all of them ---- */

void filters_draw(int64_t window_ms);
void filters_start(void);
/* filter_talk.c */
void filter_start(struct world_filter *f);

/* ---- for the books (judge_filters.c) ---- */

/* Is U to pass it? */
bool filter_sees(int filter, const struct unit *u);
/* As it has to arrive. */
void unit_arrives(const struct unit *u, struct buf *to);
/* May it be put off, or refused, by what filters did? */
bool filters_put_off(const struct unit *u);
bool filters_refuse(const struct unit *u);
/* Recipient I was answered by a filter; 0: not. */
int filters_code(const struct unit *u, int i);
bool filters_discard(const struct unit *u);
/* It waits until somebody releases it. */
bool filters_hold(const struct unit *u);
/* So long they may have kept it, before it was answered. */
int64_t filters_took_ms(const struct unit *u);
void judge_filtered_end(const struct unit *u);
void judge_filtered_taken(const struct unit *u, int person);
void judge_filtered_time(const struct unit *u);

#endif
