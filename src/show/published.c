/* What a domain publishes of its mail, and should (show.h). */
#include "show/show.h"

static json_t *remarks_json(const struct publish_row *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_remarks; i++) {
		const struct publish_remark *m = &r->remarks[i];

		json_array_append_new(
			list, json_pack("{s:o,s:b,s:o,s:o}", "id",
					json_id(str_of(m->id)), "fault",
					m->is_fault, "text", json_text(m->text),
					"values", json_values(m->values)));
	}
	return list;
}

static json_t *row_json(const struct publish_row *r)
{
	return json_pack("{s:s,s:s,s:o,s:o,s:b,s:s,s:o,s:o}", "what", r->what,
			 "type", r->type, "name", json_text(r->name), "value",
			 json_text(r->value), "needed", r->is_needed, "state",
			 publish_states[r->state], "found",
			 json_texts(r->found, r->n_found), "remarks",
			 remarks_json(r));
}

json_t *show_published(const struct publish_plan *plan,
		       const struct published *p, struct arena *arena)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(rows, row_json(&p->rows[i]));
	return json_pack("{s:o,s:o,s:o,s:o}", "domain", json_text(plan->domain),
			 "host", json_text(plan->server.hostname), "records",
			 rows, "zone", json_text(publish_zone(p, arena)));
}
