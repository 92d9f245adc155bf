/*
 * Values as JSON, times among them.  An answer is made of them once and said
 * as JSON or, derived from that, as text.
 */
#ifndef SHOW_VALUES_H
#define SHOW_VALUES_H

#include "wire/json.h"

/* "2026-11-02T09:30:00Z" */
json_t *json_time(int64_t wall_ms);
json_t *json_time_or_null(int64_t wall_ms);	/* 0: null */
json_t *json_time_s(int64_t seconds);

#endif
