/* What is wrong, as JSON (troubles.h). */
#include "show/troubles.h"

static const struct {
	const char *id;
	bool stops_mail;
	const char *sentence;
} troubles[] = {
#define TROUBLE(id, stops_mail, sentence) \
	[TROUBLE_##id] = { #id, stops_mail, sentence },
#include "show/troubles.def"
#undef TROUBLE
};

json_t *trouble_json(enum trouble t, const struct value *values,
		     struct str detail)
{
	struct arena *arena scoped(arena) = arena_open();
	const struct value *kept = values_keep(values, arena);

	return json_pack("{s:o,s:b,s:o,s:o,s:o}", "what",
			 json_id(str_of(troubles[t].id)), "stops_mail",
			 troubles[t].stops_mail, "text",
			 json_text(sentence_fill(str_of(troubles[t].sentence),
						 kept, arena)),
			 "values", json_values(kept), "detail",
			 json_text(detail));
}

bool troubles_stop_mail(const json_t *list)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one) if (
		json_is_true(json_object_get(one, "stops_mail"))) return true;
	return false;
}

bool trouble_is(const json_t *one, enum trouble t)
{
	json_t *id = json_id(str_of(troubles[t].id));
	bool same = json_equal(json_object_get(one, "what"), id);

	json_decref(id);
	return same;
}
