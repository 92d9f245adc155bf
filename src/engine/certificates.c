/* The certificates of this server (certificates.h). */
#include "engine/certificates.h"

#include <stdlib.h>

#include "base/limits.h"
#include "rt/clock.h"
#include "rt/folder.h"
#include "rt/tls.h"
#include "show/troubles.h"
#include "show/values.h"

enum { SOON_DAYS = 30, DAY_MS = 86400000 };

/* NULL: nothing is told. */
static json_t *read_told(const char *data, const char *told)
{
	size_t room = LIMIT_CERTIFICATES_TOLD_BYTES + 1;
	char *text;
	json_t *all = NULL;

	if (!told)
		return NULL;
	text = must_alloc(room);
	if (folder_noted(data, told, text, room))
		all = json_loads(text, 0, NULL);
	free(text);
	return all;
}

static json_t *first_json(struct tls_context *t)
{
	struct arena *arena scoped(arena) = arena_open();
	struct tls_said said;

	tls_server_said(t, arena, &said);
	return json_pack("{s:n,s:o,s:i,s:s,s:o,s:I,s:n}", "name", "names",
			 json_texts(said.names, said.n_names), "names_left_out",
			 0, "key", key_kind_name(said.key), "ends",
			 json_time_or_null(said.ends_ms), "ends_ms",
			 (json_int_t)said.ends_ms, "trouble");
}

static json_int_t ends_of(const json_t *one)
{
	return json_integer_value(json_object_get(one, "ends_ms"));
}

static struct str text_of(const json_t *one, const char *key)
{
	return str_of(json_string_value(json_object_get(one, key)));
}

static json_t *named_json(const json_t *one)
{
	json_t *names = json_object_get(one, "names");

	return json_pack(
		"{s:o,s:O,s:I,s:o,s:o,s:I,s:o}", "name",
		json_text(text_of(one, "entry")), "names", names,
		"names_left_out",
		json_integer_value(json_object_get(one, "names_left_out")),
		"key", json_text_or_null(text_of(one, "key")), "ends",
		json_time_or_null(ends_of(one)), "ends_ms", ends_of(one),
		"trouble", json_text_or_null(text_of(one, "trouble")));
}

static json_t *list_of(const json_t *told, struct tls_context *first)
{
	json_t *list = json_array(), *one;
	size_t i;

	json_array_append_new(list, first_json(first));
	json_array_foreach(json_object_get(told, "certificates"), i, one)
		json_array_append_new(list, named_json(one));
	return list;
}

json_t *certificates_list(const char *data, const char *told,
			  struct tls_context *first)
{
	json_t *all = read_told(data, told), *list = list_of(all, first);

	json_decref(all);
	return list;
}

/* ---- what is wrong ---- */

static const enum trouble ended[] = { TROUBLE_certificate_ended,
				      TROUBLE_named_certificate_ended };
static const enum trouble ends[] = { TROUBLE_certificate_ends,
				     TROUBLE_named_certificate_ends };

static json_t *end_json(const json_t *one, bool wants_ended)
{
	struct str name = text_of(one, "name");
	int64_t ends_ms = ends_of(one), left_ms = ends_ms - wall_ms();
	struct date_text at = date_iso(ends_ms);
	bool is_named = !str_empty(name);

	if (ends_ms == 0 || left_ms > (int64_t)SOON_DAYS * DAY_MS ||
	    wants_ended != (left_ms <= 0))
		return NULL;
	if (wants_ended)
		return trouble_json(
			ended[is_named],
			is_named ? VALUES(V("name", name), V("at", at.c))
				 : VALUES(V("at", at.c)),
			STR_NONE);
	return trouble_json(
		ends[is_named],
		is_named ? VALUES(V("n", left_ms / DAY_MS), V("at", at.c),
				  V("name", name))
			 : VALUES(V("n", left_ms / DAY_MS), V("at", at.c)),
		STR_NONE);
}

static json_t *ended_json(const json_t *one)
{
	return end_json(one, true);
}

static json_t *ends_json(const json_t *one)
{
	return end_json(one, false);
}

static json_t *unusable_json(const json_t *one)
{
	struct str why = text_of(one, "trouble");

	return str_empty(why)
		       ? NULL
		       : trouble_json(TROUBLE_named_certificate_unusable,
				      VALUES(V("name", text_of(one, "name"))),
				      why);
}

static void add_all(const json_t *list, json_t *(*trouble_of)(const json_t *),
		    json_t *troubles)
{
	unsigned added = 0;
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		json_t *trouble =
			added < LIMIT_CONTROL_TROUBLES ? trouble_of(one) : NULL;

		if (!trouble)
			continue;
		json_array_append_new(troubles, trouble);
		added++;
	}
}

void certificates_troubles(const char *data, const char *told,
			   struct tls_context *first, json_t *troubles)
{
	json_t *all = read_told(data, told), *list = list_of(all, first);
	struct str why = text_of(all, "trouble");

	add_all(list, ended_json, troubles);
	add_all(list, ends_json, troubles);
	add_all(list, unusable_json, troubles);
	if (!str_empty(why))
		json_array_append_new(
			troubles, trouble_json(TROUBLE_certificates_unusable,
					       VALUES(), why));
	json_decref(list);
	json_decref(all);
}
