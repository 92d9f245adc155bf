/*
 * What a domain should publish of its mail, and what it publishes: the DNS is
 * asked on the loop (errands.h).
 */
#include "publish/publish.h"

#include "base/limits.h"
#include "console/console.h"
#include "console/errands.h"
#include "console/handlers.h"
#include "show/show.h"
#include "wire/address.h"

enum { AT_ONCE = 4 };

/* Of the console's loop. */
static struct {
	unsigned running;
	struct gate ended;
} all;

struct records_asked {
	struct publish_plan plan;
	struct published found;
};

/* Who has waited in vain hears that nothing could be asked in time. */
static void waits ask(struct request *r)
{
	int64_t deadline = after_ms(LIMIT_PUBLISH_MS);

	while (all.running == AT_ONCE)
		if (gate_wait(&all.ended, deadline) != WAIT_DONE)
			break;
	all.running++;
	publish_look(&r->published->plan, r->console->settings->resolver,
		     deadline, r->arena, &r->published->found);
	all.running--;
	gate_open(&all.ended);
}

static struct response none(struct request *r)
{
	return problem(NULL, no_such_domain, V("domain", r->args[0]));
}

static struct response begin(struct request *r)
{
	struct domain domain;
	struct str name;
	enum answer a;

	if (!domain_parse(r->args[0], r->arena, &name))
		return none(r);
	a = directory_domain(r->d, name, r->arena, &domain);
	if (a == ANSWER_YES && !sees_domain(r, domain.id))
		return none(r);
	r->published = arena_new(r->arena, struct records_asked);
	if (a == ANSWER_YES)
		a = publish_plan(r->d, name, &r->console->settings->published,
				 r->arena, &r->published->plan);
	switch (a) {
	case ANSWER_YES:
		return errand_begin(r, ask);
	case ANSWER_NO:
		return none(r);
	case ANSWER_UNSURE:
		break;
	}
	return trouble(r);
}

struct response on_get_published(struct request *r)
{
	if (!r->errand_ended)
		return begin(r);
	return answer_json(200, show_published(&r->published->plan,
					       &r->published->found, r->arena));
}
