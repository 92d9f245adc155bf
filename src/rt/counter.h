/*
 * Counters: numbers that only grow, one cache line per loop, summed when read.
 * Their names and help texts are one table (rt/counters.def).
 *
 *	count(COUNT_MAIL_HANDED_OVER);
 *	counter_value(COUNT_DSNS);	of this process
 *	counters_list(&buf);		"mails_kept=3 dsns=1": one line of a log
 */
#ifndef RT_COUNTER_H
#define RT_COUNTER_H

#include "base/buf.h"

enum counter {
#define COUNTER(name, metric, help) COUNT_##name,
#include "rt/counters.def"
#undef COUNTER
	COUNTER_COUNT
};

void count(enum counter c);
void count_add(enum counter c, uint64_t n);
uint64_t counter_value(enum counter c);
/* "splitmail_dsns_total", and what it counts. */
const char *counter_name(enum counter c);
const char *counter_help(enum counter c);
/* Those that are not 0, without "splitmail_" and "_total". */
void counters_list(struct buf *to);

#endif
