/*
 * Where would this address go, and why: the function the engine asks, too.
 */
#include "console/handlers.h"
#include "console/nouns.h"
#include "route/route.h"

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

	return answer_json(200, show_decision(recipient->spelling, &d,
					      r->arena));
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
