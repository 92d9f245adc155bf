/*
 * Values as JSON.  New references.
 */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include <jansson.h>

#include "base/sentence.h"

/* What a stranger said may be no UTF-8: each byte that is not ASCII is then
 * a '?'. */
json_t *json_text(struct str s);
json_t *json_text_or_null(struct str s); /* empty: null */
json_t *json_texts(const struct str *list, size_t n);
json_t *json_id(struct str name); /* "a_b" is "a-b" */
/* The values of a sentence: an object; and as text. */
json_t *json_values(const struct value *values);
struct str json_values_text(const struct value *values, struct arena *arena);

#endif
