/*
 * A route: the decision, its legs and its reasons (show.h).
 */
#include "show/show.h"
#include "wire/hosts.h"

static json_t *hosts_json(struct str hosts, struct arena *arena)
{
	json_t *list = json_array();
	struct host *h;
	size_t n;

	if (str_empty(hosts) || !hosts_parse(hosts, arena, &h, &n))
		return list;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
				      json_text(hosts_text(&h[i], 1, arena)));
	return list;
}

static json_t *leg_json(const struct leg *l, struct arena *arena)
{
	json_t *o = json_pack("{s:o,s:o}", "address", json_text(l->address),
			      "outgoing",
			      json_text(outgoing_text(leg_outgoing(l), arena)));

	switch (l->kind) {
	case LEG_MAILBOX:
		json_object_set_new(o, "mailbox", json_text(l->login));
		break;
	case LEG_SYSTEM:
		json_object_set_new(o, "system", json_text(l->system.name));
		json_object_set_new(o, "hosts",
				    hosts_json(l->system.hosts, arena));
		json_object_set_new(o, "tls",
				    json_string(tls_name(l->system.tls)));
		break;
	case LEG_INTERNET:
		json_object_set_new(o, "mx_of", json_text(l->domain));
		break;
	}
	return o;
}

static json_t *legs_json(const struct decision *d, struct arena *arena)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n; i++)
		json_array_append_new(list, leg_json(&d->legs[i], arena));
	return list;
}

static json_t *reasons_json(const struct decision *d, struct arena *arena)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->n_reasons; i++) {
		const struct reason *r = &d->reasons[i];

		json_array_append_new(
			list,
			json_pack("{s:s,s:o,s:o,s:o,s:s,s:I}", "rule", r->rule,
				  "fact", json_text(reason_fact(r, arena)),
				  "id", json_id(str_of(r->id)), "values",
				  json_values(r->values), "source", r->source,
				  "age_s", (json_int_t)r->age_s));
	}
	return list;
}

/* The first leg that leaves this server, when it leads to a system. */
static const struct leg *leg_to_system(const struct decision *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->legs[i].kind != LEG_MAILBOX)
			return d->legs[i].kind == LEG_SYSTEM ? &d->legs[i]
							     : NULL;
	return NULL;
}

json_t *show_decision(struct str recipient, const struct decision *d,
		      struct arena *arena)
{
	const struct leg *there = leg_to_system(d);

	return json_pack(
		"{s:o,s:s,s:o,s:o,s:i,s:s,s:o,s:o,s:o}", "recipient",
		json_text(recipient), "action", route_action_name(d->action),
		"system", there ? json_text(there->system.name) : json_null(),
		"hosts",
		there ? hosts_json(there->system.hosts, arena) : json_array(),
		"code", d->reply.code, "status", d->reply.status, "text",
		json_text(d->reply.text), "legs", legs_json(d, arena),
		"reasons", reasons_json(d, arena));
}
