/*
 * Who and what a change is about: domains by their names, holders by their
 * addresses.
 */
#include "directory/change.h"

/* ---- domains ---- */

bool domain_id(struct changes *c, struct str name, int64_t *id)
{
	*id = 0;
	return ask(c, id, "SELECT domain FROM domain_name WHERE name = ?", "s",
		   name);
}

bool domain_read(struct changes *c, int64_t id, struct domain_row *out)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT id, name, description, relay, forward_unknown, "
		"catch_all, postmaster, own_senders, max_message_bytes, "
		"from_header, relay_is_elsewhere, outgoing "
		"FROM domain WHERE id = ?",
		"i", id);

	if (query_next(&q) != ANSWER_YES)
		return broken(c);
	*out = (struct domain_row){
		.id = query_int(&q, 0),
		.name = query_text(&q, 1, c->arena),
		.description = query_text(&q, 2, c->arena),
		.relay = query_text(&q, 3, c->arena),
		.forward_unknown = query_int(&q, 4),
		.catch_all = query_text(&q, 5, c->arena),
		.postmaster = query_text(&q, 6, c->arena),
		.own_senders = query_int(&q, 7),
		.max_message_bytes = query_int(&q, 8),
		.from_header = query_int(&q, 9),
		.relay_is_elsewhere = query_int(&q, 10),
		.outgoing = query_text(&q, 11, c->arena),
	};
	return true;
}

bool domain_load(struct changes *c, const char *field, struct str name,
		 struct domain_row *out)
{
	struct str canonical;
	int64_t id;

	if (!value_domain(c, field, name, &canonical) ||
	    !domain_id(c, canonical, &id))
		return false;
	if (!id)
		return missing(c, field, no_such_domain,
			       V("domain", canonical));
	return domain_read(c, id, out);
}

/* ---- who has an address ---- */

bool place_holder(struct changes *c, int64_t domain, struct str local,
		  struct str name, bool builtin, int64_t *holder)
{
	*holder = 0;
	return ask(c, holder,
		   "SELECT holder FROM address WHERE domain = ? AND local = ? "
		   "AND name IN (?, '*') AND builtin <= ? ORDER BY builtin, "
		   "name DESC LIMIT 1",
		   "issb", domain, local, name, builtin);
}

bool address_holder(struct changes *c, const struct address *a, int64_t *holder)
{
	int64_t domain;

	*holder = 0;
	if (!domain_id(c, a->domain, &domain))
		return false;
	if (!domain)
		return true;
	if (!place_holder(c, domain, a->local, a->domain, false, holder))
		return false;
	if (*holder || !a->has_detail)
		return true;
	return place_holder(c, domain, a->base, a->domain, false, holder);
}

/* ---- holders ---- */

bool holder_read(struct changes *c, int64_t id, struct holder_row *out)
{
	struct query q scoped(query) = sql_query(
		c->sql,
		"SELECT id, kind, domain, enabled, builtin, mail_system, "
		"system, quota_bytes, forward_keeps_copy, login, name, "
		"password FROM holder WHERE id = ?",
		"i", id);

	if (query_next(&q) != ANSWER_YES)
		return broken(c);
	*out = (struct holder_row){
		.id = query_int(&q, 0),
		.kind = query_int(&q, 1),
		.domain = query_int(&q, 2),
		.enabled = query_int(&q, 3),
		.builtin = query_int(&q, 4),
		.mail_system = query_int(&q, 5),
		.system = query_int(&q, 6),
		.quota_bytes = query_int(&q, 7),
		.forward_keeps_copy = query_int(&q, 8),
		.login = query_text(&q, 9, c->arena),
		.name = query_text(&q, 10, c->arena),
		.password = query_text(&q, 11, c->arena),
	};
	return true;
}

/* *ID 0: nobody. */
static bool find(struct changes *c, int64_t domain, const struct address *a,
		 int64_t *id)
{
	return place_holder(c, domain, a->local, a->domain, false, id) &&
	       (*id || ask(c, id, "SELECT id FROM holder WHERE login = ?", "s",
			   address_key(a, c->arena)));
}

bool holder_find(struct changes *c, struct str address, int64_t *id)
{
	struct address a;
	int64_t domain;

	*id = 0;
	if (!address_parse(address, c->arena, &a))
		return true;
	return domain_id(c, a.domain, &domain) &&
	       (!domain || find(c, domain, &a, id));
}

/* KIND is what he asked for, in words. */
static bool load(struct changes *c, const char *kind, struct str text,
		 struct holder_row *out)
{
	struct address a;
	int64_t domain, id = 0;

	if (!value_address(c, "address", text, &a) ||
	    !domain_id(c, a.domain, &domain))
		return false;
	if (!domain)
		return missing(c, "address", holder_of_no_domain,
			       V("domain", a.domain), V("kind", kind),
			       V("address", text));
	if (!find(c, domain, &a, &id))
		return false;
	if (!id)
		return missing(c, "address", no_such_holder, V("kind", kind),
			       V("address", text));
	return holder_read(c, id, out);
}

bool holder_load(struct changes *c, struct str address, struct holder_row *out)
{
	return load(c, "user, group or shared mailbox", address, out);
}

bool holder_load_kind(struct changes *c, enum holder_kind kind,
		      struct str address, struct holder_row *out)
{
	if (!load(c, kind_words[kind], address, out))
		return false;
	if (out->kind == (int64_t)kind)
		return true;
	return missing(c, "address", holder_of_other_kind,
		       V("wanted", kind_words[kind]), V("address", address),
		       V("kind", kind_words[out->kind]));
}

bool holder_load_named(struct changes *c, enum holder_kind kind,
		       struct str address, struct holder_row *out)
{
	struct address a;

	if (!holder_load_kind(c, kind, address, out) ||
	    !value_address(c, "address", address, &a))
		return false;
	return str_same(address_key(&a, c->arena), out->login) ||
	       refuse(c, "address", not_by_another_address,
		      V("address", address), V("kind", kind_words[kind]),
		      V("holder", out->login));
}

bool forwards_text(struct changes *c, int64_t holder, struct str *out)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT coalesce(group_concat(spelling, ', '), '') "
			  "FROM (SELECT spelling FROM forward WHERE holder = ? "
			  "ORDER BY id)",
			  "i", holder);

	if (query_next(&q) != ANSWER_YES)
		return broken(c);
	*out = query_text(&q, 0, c->arena);
	return true;
}
