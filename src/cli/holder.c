/*
 * One user, group or shared mailbox, with everything that belongs to it.
 */
#include "cli/store.h"
#include "rt/loop.h"

struct shown {
	struct cli *cli;
	struct directory *d;
	json_t *object; /* NULL until it was found */
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

/* ---- as text ---- */

static const char *member(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* What becomes of mail to address A of the user U. */
static const char *mail_of(struct cli *c, const json_t *u, const json_t *a)
{
	const char *now = member(a, "home_now"), *system = member(u, "system");
	const char *there = *system ? system : "the domain's relay";

	if (!strcmp(now, "hosted"))
		return "to his mailbox here";
	if (!strcmp(now, "alternate"))
		return arena_printf(c->arena, "to %s", there);
	if (!strcmp(now, "both"))
		return arena_printf(c->arena, "to his mailbox here and to %s",
				    there);
	if (!json_is_true(json_object_get(u, "enabled")))
		return "refused: the user is not enabled";
	if (!strcmp(member(u, "mail_system"), "none"))
		return "refused: the user has no mail";
	if (!strcmp(member(u, "mail_system"), "alternate"))
		return "refused: not routed (routed=no)";
	return "refused: home=none";
}

/* "bob@*                 to 192.0.2.1:25" */
static json_t *address_line(struct cli *c, const json_t *u, const json_t *a)
{
	return json_pack("{s:s}", "address",
			 arena_printf(c->arena, "%-30s  %s",
				      member(a, "address"), mail_of(c, u, a)));
}

/* Settings are shown by the names they are set by; what only JSON can hold in
 * members is said. */
static void user_as_text(struct cli *c, json_t *user)
{
	json_t *said = json_array(), *a;
	size_t i;

	json_array_foreach(json_object_get(user, "addresses"), i, a)
		json_array_append_new(said, address_line(c, user, a));
	json_object_set_new(user, "addresses", said);
	json_object_del(user, "routed_to");
	json_object_del(user, "kind");
}

/* ---- how full his mailbox is ---- */

enum { USED_MS = 3000 };

struct inquiry {
	const char *data, *login;
	int64_t used;
};

static void waits ask(void *arg)
{
	struct inquiry *q = arg;

	q->used = mailbox_used(q->data, q->login, after_ms(USED_MS));
}

static void add_used(struct cli *c, json_t *holder)
{
	struct inquiry q = { c->data, member(holder, "address"), USED_UNKNOWN };
	bool has_words;

	if (!show_has_mailbox(holder))
		return;
	loops_run(1, ask, &q);
	has_words = q.used == USED_UNKNOWN && !c->json;
	json_object_set_new(
		holder, "used",
		has_words ? json_string("unknown") : show_used(q.used));
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
		return cli_refuse(c, "There is no %s %s.", kind_words[kind],
				  address);
	add_used(c, s.object);
	if (kind == HOLDER_USER && !c->json)
		user_as_text(c, s.object);
	return cli_show(c, s.object);
}
