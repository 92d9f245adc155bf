/*
 * What waits in the queue (show.h).
 */
#include "show/show.h"

#include "base/limits.h"

struct str show_last_reply(const struct reply *reply, struct str remote,
			   struct arena *arena)
{
	struct str text = reply->code ? reply_line(reply, arena) : reply->text;

	if (str_empty(remote) || str_empty(text))
		return text;
	return arena_strf(arena, "%.*s (%.*s)", STR(text), STR(remote));
}

bool show_now(struct outlook *o, const struct message *m,
	      const struct recipient *r, struct decision *out)
{
	struct waiting_mail mail = { m->as, &m->sender, m->body.bytes };
	size_t looked;

	if (!o->router || !o->left)
		return false;
	*out = route_waiting(o->router, r, &mail, m->arena);
	looked = out->looked ? out->looked : 1;
	o->left -= looked < o->left ? looked : o->left;
	return true;
}

static bool goes(const struct decision *d)
{
	return d->action != ROUTE_REFUSE && d->action != ROUTE_LATER;
}

static json_t *now_json(struct outlook *o, const struct message *m,
			const struct recipient *r)
{
	struct decision d;
	const struct leg *leg;
	struct next_hop hop;
	struct str text = S(""), from = S("");

	if (!show_now(o, m, r, &d))
		return json_null();
	hop = decision_next_hop(&d);
	leg = decision_own_leg(&d);
	if (leg)
		from = outgoing_text(leg_outgoing(leg), m->arena);
	if (!goes(&d))
		text = reply_line(&d.reply, m->arena);
	return json_pack("{s:s,s:s,s:o,s:o,s:o}", "action",
			 route_action_name(d.action), "next_hop",
			 next_hop_word(hop.kind), "system",
			 json_text(next_hop_system(&hop)), "outgoing",
			 json_text(from), "text", json_text(text));
}

static json_t *recipient_json(const struct message *m,
			      const struct recipient *r, struct outlook *o)
{
	struct str last = show_last_reply(&r->reply, r->remote, m->arena);

	return json_pack("{s:o,s:s,s:o,s:s,s:I,s:o,s:o,s:o}", "address",
			 json_text(r->address), "next_hop",
			 next_hop_word(r->next_hop.kind), "system",
			 json_text(next_hop_system(&r->next_hop)), "state",
			 r->held ? "held" : "waiting", "attempts",
			 (json_int_t)r->attempts, "next_attempt",
			 r->held ? json_null() : json_time(r->next_attempt_ms),
			 "last_reply", json_text(last), "now",
			 now_json(o, m, r));
}

json_t *show_queued(const struct message *m, struct tools *t, struct outlook *o)
{
	json_t *recipients = json_array();

	for (size_t i = 0; i < m->n; i++)
		json_array_append_new(recipients,
				      recipient_json(m, &m->recipients[i], o));
	return json_pack(
		"{s:s,s:o,s:o,s:I,s:o,s:o}", "id", m->id, "sender",
		json_text(m->sender), "subject", json_text(tools_subject(t, m)),
		"size", (json_int_t)m->body.bytes, "arrived",
		json_time(m->arrived_wall_ms), "recipients", recipients);
}

struct str show_header(const struct message *m)
{
	struct str body = body_in_memory(&m->body);
	ptrdiff_t end;

	body = str_part(body, 0, LIMIT_HEADER_BYTES);
	end = str_search(body, S("\r\n\r\n"));
	if (str_starts(body, S("\r\n")))
		end = 0;
	else if (end >= 0)
		end += 2;
	return arena_strf(m->arena, "%.*s%.*s", STR(m->trace),
			  end < 0 ? (int)body.n : (int)end, body.p);
}

json_t *show_queued_whole(const struct message *m, struct outlook *outlook)
{
	json_t *o = show_queued(m, NULL, outlook);

	json_object_set_new(o, "as", json_text(m->as));
	json_object_set_new(o, "client", json_string(inet_text(&m->client).c));
	json_object_set_new(o, "helo", json_text(m->helo));
	json_object_set_new(o, "envid", json_text(m->envid));
	json_object_set_new(o, "header", json_text(show_header(m)));
	return o;
}
