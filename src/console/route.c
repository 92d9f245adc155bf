/*
 * Where would this address go, and why: the function the engine asks, too.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "route/route.h"
#include "wire/hosts.h"

static json_t *hosts_json(struct request *r, struct str hosts)
{
	json_t *list = json_array();
	struct host *h;
	size_t n;

	if (str_empty(hosts) || !hosts_parse(hosts, r->arena, &h, &n))
		return list;
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
				      json_text(hosts_text(&h[i], 1, r->arena)));
	return list;
}

static json_t *leg_json(struct request *r, const struct leg *l)
{
	json_t *j = json_pack("{s:o}", "address", json_text(l->address));

	switch (l->kind) {
	case LEG_MAILBOX:
		json_object_set_new(j, "mailbox", json_text(l->login));
		break;
	case LEG_SYSTEM:
		json_object_set_new(j, "system", json_text(l->system.name));
		json_object_set_new(j, "hosts", hosts_json(r, l->system.hosts));
		json_object_set_new(j, "tls",
				    json_string(tls_name(l->system.tls)));
		break;
	case LEG_INTERNET:
		json_object_set_new(j, "mx_of", json_text(l->domain));
		break;
	}
	return j;
}

static const struct leg *leg_elsewhere(const struct decision *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->legs[i].kind != LEG_MAILBOX)
			return &d->legs[i];
	return NULL;
}

static json_t *reason_json(struct request *r, const struct reason *e)
{
	return json_pack("{s:s,s:o,s:o,s:o,s:s,s:I}", "rule", e->rule, "fact",
			 json_text(reason_fact(e, r->arena)), "id",
			 json_id(e->id), "values", json_values(e->values),
			 "source", e->source, "age_s", (json_int_t)e->age_s);
}

static json_t *decision_json(struct request *r, struct str recipient,
			     const struct decision *d)
{
	json_t *legs = json_array(), *reasons = json_array();
	const struct leg *there = leg_elsewhere(d);
	bool is_system = there && there->kind == LEG_SYSTEM;

	for (size_t i = 0; i < d->n; i++)
		json_array_append_new(legs, leg_json(r, &d->legs[i]));
	for (size_t i = 0; i < d->n_reasons; i++)
		json_array_append_new(reasons, reason_json(r, &d->reasons[i]));
	return json_pack("{s:o,s:s,s:o,s:o,s:i,s:s,s:o,s:o,s:o}", "recipient",
			 json_text(recipient), "action",
			 route_action_name(d->action), "system",
			 is_system ? json_text(there->system.name) : json_null(),
			 "hosts",
			 is_system ? hosts_json(r, there->system.hosts)
				   : json_array(),
			 "code", d->reply.code, "status", d->reply.status,
			 "text", json_text(d->reply.text), "legs", legs,
			 "reasons", reasons);
}

/* Only a superadministrator asks about what is not his domain's. */
static enum answer is_his(struct request *r, struct str domain_name)
{
	struct domain domain;
	enum answer a;

	if (is_super(r))
		return ANSWER_YES;
	a = directory_domain(r->d, domain_name, r->arena, &domain);
	if (a != ANSWER_YES)
		return a;
	return sees_domain(r, domain.id) ? ANSWER_YES : ANSWER_NO;
}

static bool parse_recipient(struct request *r, struct address *a)
{
	struct str path = arena_strf(r->arena, "<%.*s>",
				     STR(param(r, "address")));

	return path_parse(&path, PATH_FORWARD, r->arena, a) &&
	       (str_empty(path) || fail("more than an address"));
}

static enum answer may_ask_as(struct request *r, const struct asker *as)
{
	struct address user;

	if (as->kind != ASKER_USER)
		return ANSWER_YES;
	if (!address_parse(as->user, r->arena, &user))
		return ANSWER_NO;
	return is_his(r, user.domain);
}

static struct response decide(struct request *r, struct address *recipient,
			    const struct asker *asker)
{
	struct router router = { .directory = r->d,
				 .guard = r->console->guard };
	struct question q = { .recipient = recipient, .asker = *asker };
	struct decision d = route_decide(&router, &q, r->arena);

	return answer_json(200, decision_json(r, recipient->spelling, &d));
}

struct response on_route(struct request *r)
{
	struct str as = param(r, "as");
	struct address recipient;
	struct asker asker;
	enum answer a;

	if (!parse_recipient(r, &recipient))
		return problem("address", bad_address,
			       V("given", param(r, "address")),
			       V("cause", cause()));
	a = is_his(r, recipient.domain);
	if (a == ANSWER_YES &&
	    !asker_parse(r->d, str_empty(as) ? S("internet") : as, r->arena,
			 &asker))
		return problem("as", bad_asker, V("given", as),
			       V("cause", cause()));
	if (a == ANSWER_YES)
		a = may_ask_as(r, &asker);
	switch (a) {
	case ANSWER_YES:
		return decide(r, &recipient, &asker);
	case ANSWER_NO:
		return not_there(r);
	case ANSWER_UNSURE:
		break;
	}
	return trouble(r);
}
