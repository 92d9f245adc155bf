/*
 * One user, group or shared mailbox, with everything that belongs to it.
 */
#include "cli/store.h"

struct shown {
	struct cli *cli;
	struct directory *d;
	json_t *object;		/* NULL until it was found */
	bool broken;
};

/* "system" is where his mail goes, the domain's relay included. */
static void show_one(void *arg, const struct holder_entry *e)
{
	struct shown *s = arg;

	s->object = show_holder(s->d, e, s->cli->arena);
	s->broken = !s->object;
	if (s->object && e->kind == HOLDER_USER)
		json_object_set_new(s->object, "system",
				    json_text_or_null(e->system));
}

static const char *noun_name(enum holder_kind kind)
{
	switch (kind) {
	case HOLDER_USER:
		return "user";
	case HOLDER_GROUP:
		return "group";
	case HOLDER_SHARED:
		return "shared mailbox";
	}
	return "";
}

int cli_show_holder(struct cli *c, enum holder_kind kind, const char *address)
{
	struct shown s = { .cli = c, .d = cli_directory(c) };
	struct holder_filter one = { .kind = kind, .mail_system = -1 };
	enum answer a;

	if (!s.d)
		return cli_refuse(c, "%s", cause());
	a = find_holder(s.d, str_of(address), c->arena, &one.id);
	if (a == ANSWER_UNSURE ||
	    (a == ANSWER_YES && !list_holders(s.d, &one, show_one, &s)) ||
	    s.broken)
		return cli_trouble(c, s.d);
	directory_close(s.d);
	if (!s.object)
		return cli_refuse(c, "There is no %s %s.", noun_name(kind),
				  address);
	return cli_show(c, s.object);
}
