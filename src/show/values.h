/*
 * Values as JSON.  New references; an answer is made of them once and said as
 * JSON or, derived from that, as text.
 */
#ifndef SHOW_VALUES_H
#define SHOW_VALUES_H

#include <jansson.h>

#include "base/str.h"

/* What a stranger said may be no UTF-8: each byte that is not ASCII is then
 * a '?'. */
json_t *json_text(struct str s);
json_t *json_text_or_null(struct str s);	/* empty: null */
json_t *json_texts(const struct str *list, size_t n);
/* "2026-11-02T09:30:00Z" */
json_t *json_time(int64_t wall_ms);
json_t *json_time_s(int64_t seconds);

#endif
