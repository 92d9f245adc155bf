/*
 * Values as JSON (values.h).
 */
#include "show/values.h"

#include "base/buf.h"
#include "rt/clock.h"

static json_t *json_in_ascii(struct str s)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < s.n; i++)
		buf_add_char(&b, s.p[i] & 0x80 ? '?' : s.p[i]);
	return json_stringn(b.p, b.n);
}

json_t *json_text(struct str s)
{
	json_t *text = json_stringn(s.p ? s.p : "", s.n);

	return text ? text : json_in_ascii(s);
}

json_t *json_text_or_null(struct str s)
{
	return str_empty(s) ? json_null() : json_text(s);
}

json_t *json_texts(const struct str *list, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(array, json_text(list[i]));
	return array;
}

json_t *json_time(int64_t wall_ms)
{
	return json_string(date_iso(wall_ms).c);
}

json_t *json_time_s(int64_t seconds)
{
	return json_time(seconds * 1000);
}
