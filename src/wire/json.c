/*
 * Values as JSON (json.h).
 */
#include "wire/json.h"

#include <stdlib.h>

#include "base/buf.h"

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

json_t *json_id(struct str name)
{
	struct buf id scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < name.n; i++)
		buf_add_char(&id, name.p[i] == '_' ? '-' : name.p[i]);
	return json_text(buf_str(&id));
}

static json_t *value_json(const struct value *v)
{
	switch (v->kind) {
	case VALUE_TEXT:
		return json_text(v->text);
	case VALUE_NUMBER:
		return json_integer(v->number);
	case VALUE_LIST:
		return json_texts(v->list.p, v->list.n);
	}
	return json_null();
}

json_t *json_values(const struct value *values)
{
	json_t *object = json_object();

	for (; values && values->name; values++)
		json_object_set_new(object, values->name, value_json(values));
	return object;
}

struct str json_values_text(const struct value *values, struct arena *arena)
{
	json_t *object = json_values(values);
	char *text = json_dumps(object, JSON_COMPACT);
	struct str out = arena_str(arena, str_of(text));

	check(text);
	free(text);
	json_decref(object);
	return out;
}
