/*
 * Who may send as a group or a shared mailbox.
 *
 * Nobody, until somebody is allowed to: the members of the group, users, or
 * everybody in another group.  A right belongs to the user or group itself, not
 * to an address: it follows who is renamed and ends with who is deleted.
 */
#include "directory/change.h"

enum { SENDERS = 1000 }; /* of one group or shared mailbox */

static const char members[] = "members";

bool senders_load(struct changes *c, int64_t holder, struct str *out)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT coalesce(group_concat(who, ', '), '') FROM "
		"(SELECT 'members' AS who FROM holder WHERE id = ?1 AND "
		"members_may_send UNION ALL SELECT * FROM (SELECT w.login FROM "
		"sender s JOIN holder w ON w.id = s.who WHERE s.holder = ?1 "
		"ORDER BY w.login))",
		"i", holder);

	if (query_next(&q) != ANSWER_YES)
		return broken(c);
	*out = query_text(&q, 0, c->arena);
	return true;
}

static bool allow_members(struct changes *c, const struct holder_row *h)
{
	if (h->kind != HOLDER_GROUP)
		return refuse(c, "senders", shared_has_no_members,
			      V("address", h->login));
	return run(c, "UPDATE holder SET members_may_send = 1 WHERE id = ?",
		   "i", h->id);
}

static bool allow(struct changes *c, const struct holder_row *h,
		  struct str text)
{
	struct holder_row who;

	if (is_key(text, members))
		return allow_members(c, h);
	if (!holder_load(c, text, &who)) {
		c->result.field = "senders";
		if (c->result.outcome == CHANGE_NOT_FOUND)
			c->result.outcome = CHANGE_REFUSED;
		return false;
	}
	if (who.kind == HOLDER_SHARED || who.id == h->id)
		return refuse(c, "senders", no_sender, V("address", text));
	return run(c,
		   "INSERT INTO sender (holder, who) VALUES (?, ?) "
		   "ON CONFLICT DO NOTHING",
		   "ii", h->id, who.id);
}

static bool forget_all(struct changes *c, const struct holder_row *h)
{
	return run(c, "DELETE FROM sender WHERE holder = ?", "i", h->id) &&
	       run(c, "UPDATE holder SET members_may_send = 0 WHERE id = ?",
		   "i", h->id);
}

bool senders_set(struct changes *c, const struct holder_row *h, struct str text)
{
	struct str part, old, new;
	size_t n = 0;

	if (!senders_load(c, h->id, &old) || !forget_all(c, h))
		return false;
	while (str_split(&text, ',', &part)) {
		part = str_trim(part);
		if (str_empty(part))
			continue;
		if (++n > SENDERS)
			return refuse(c, "senders", too_many_senders,
				      V("most", SENDERS));
		if (!allow(c, h, part))
			return false;
	}
	return senders_load(c, h->id, &new) &&
	       (str_same(old, new) ||
		change_log(c, h->kind == HOLDER_GROUP ? "group" : "shared",
			   h->login, S("senders"), old, new));
}
