/*
 * Values as JSON, times among them.  An answer is made of them once and said
 * as JSON or, derived from that, as text.
 */
#ifndef SHOW_VALUES_H
#define SHOW_VALUES_H

#include "base/next_hop.h"
#include "wire/json.h"

/* "2026-11-02T09:30:00Z" */
json_t *json_time(int64_t wall_ms);
json_t *json_time_or_null(int64_t wall_ms); /* 0: null */
json_t *json_time_s(int64_t seconds);

/* "mailboxes", "system" (also for a relay) or "internet" (also when it is not
 * decided yet): what lists of systems are drawn by. */
const char *show_hop_kind(const struct next_hop *h);

#endif
