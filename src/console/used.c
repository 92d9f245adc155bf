/*
 * How much lies in a mailbox, beside what is set of its holder: Dovecot is
 * asked (used.h).
 */
#include "console/used.h"

#include "console/errands.h"

enum {
	USED_MS = 2000,
	AT_ONCE = 4, /* processes that ask */
};

/* Of the console's loop. */
static struct {
	unsigned running;
	struct gate ended;
} all;

static void waits ask_dovecot(struct request *r)
{
	int64_t deadline = after_ms(USED_MS);

	r->used = USED_UNKNOWN;
	while (all.running == AT_ONCE)
		if (gate_wait(&all.ended, deadline) != WAIT_DONE)
			return;
	all.running++;
	r->used =
		mailbox_used(r->console->settings->data, r->mailbox, deadline);
	all.running--;
	gate_open(&all.ended);
}

struct response answer_with_used(struct request *r, struct response a)
{
	const char *login;

	if (a.status != 200 || !show_has_mailbox(a.body))
		return a;
	if (!r->errand_ended) {
		login = json_string_value(json_object_get(a.body, "address"));
		r->mailbox = arena_cstr(r->arena, str_of(login));
		json_decref(a.body);
		return errand_begin(r, ask_dovecot);
	}
	json_object_set_new(a.body, "used", show_used(r->used));
	return a;
}
