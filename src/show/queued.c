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

static json_t *recipient_json(const struct recipient *r, struct arena *arena)
{
	struct str last = show_last_reply(&r->reply, r->remote, arena);

	return json_pack("{s:o,s:o,s:s,s:I,s:o,s:o}", "address",
			 json_text(r->address), "system", json_text(r->system),
			 "state", r->held ? "held" : "waiting", "attempts",
			 (json_int_t)r->attempts, "next_attempt",
			 r->held ? json_null() : json_time(r->next_attempt_ms),
			 "last_reply", json_text(last));
}

json_t *show_queued(const struct message *m)
{
	json_t *recipients = json_array();

	for (size_t i = 0; i < m->n; i++)
		json_array_append_new(recipients,
				      recipient_json(&m->recipients[i],
						     m->arena));
	return json_pack("{s:s,s:o,s:I,s:o,s:o}", "id", m->id, "sender",
			 json_text(m->sender), "size",
			 (json_int_t)m->body.bytes, "arrived",
			 json_time(m->arrived_wall_ms), "recipients",
			 recipients);
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

json_t *show_queued_whole(const struct message *m)
{
	json_t *o = show_queued(m);

	json_object_set_new(o, "as", json_text(m->as));
	json_object_set_new(o, "client", json_string(inet_text(&m->client).c));
	json_object_set_new(o, "helo", json_text(m->helo));
	json_object_set_new(o, "envid", json_text(m->envid));
	json_object_set_new(o, "header", json_text(show_header(m)));
	return o;
}
