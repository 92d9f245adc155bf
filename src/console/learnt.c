/*
 * What was learnt of the hosts of a system or a domain's relay, beside what is
 * set: the engine is asked (learnt.h).
 */
#include "console/learnt.h"

#include "console/errands.h"
#include "control/control.h"

enum { ANSWER_MS = 5000 };

static void waits ask_engine(struct request *r)
{
	const char *path = arena_printf(
		r->arena, "%s/%s", r->console->settings->data, CONTROL_SOCKET);

	/* An engine that does not answer is shown as such. */
	if (!control_ask(path, str_of(r->question), after_ms(ANSWER_MS),
			 &r->learnt))
		buf_clear(&r->learnt);
}

struct response answer_with_learnt(struct request *r, struct response a,
				   const char *key)
{
	const char *name;

	if (a.status != 200)
		return a;
	name = json_string_value(json_object_get(a.body, key));
	if (!r->errand_ended && name[0]) {
		r->question = learnt_question(name, r->arena);
		json_decref(a.body);
		return errand_begin(r, ask_engine);
	}
	json_object_set_new(
		a.body, "learnt",
		name[0] ? show_learnt(buf_str(&r->learnt)) : json_array());
	return a;
}
