/* /health, for whoever balances or wakes people. */
#include "console/figures.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "directory/lists.h"
#include "queue/tools.h"
#include "show/troubles.h"

static const char *word(bool is_good)
{
	return is_good ? "ok" : "trouble";
}

static bool has(const json_t *list, enum trouble t)
{
	size_t i;
	json_t *one;

	json_array_foreach(list, i, one)
	{
		if (trouble_is(one, t))
			return true;
	}
	return false;
}

/* What we see ourselves, when the engine has not said so: it may be away. */
static void add_own(json_t *list, enum trouble t, bool is_there)
{
	json_t *one;

	if (!is_there || has(list, t))
		return;
	one = trouble_json(t, VALUES(), STR_NONE);
	json_object_del(one, "detail");
	json_array_append_new(list, one);
}

static bool can_be_kept(const json_t *list)
{
	return !has(list, TROUBLE_disk_low) && !has(list, TROUBLE_files_low) &&
	       !has(list, TROUBLE_disk_read_only) &&
	       !has(list, TROUBLE_queue_stuck);
}

static json_t *health_json(const struct figures *f, json_t *list)
{
	const struct hop_figures *mailboxes =
		figures_hop(f, NEXT_HOP_MAILBOXES, S(""));

	return json_pack("{s:s,s:s,s:s,s:s,s:o,s:O}", "status",
			 word(!troubles_stop_mail(list)), "directory",
			 word(!has(list, TROUBLE_directory_unreadable)),
			 "queue", word(can_be_kept(list)), "engine",
			 word(f->is_up), "mailboxes",
			 json_text(mailboxes ? mailboxes->state : S("unknown")),
			 "trouble", list);
}

/* 503 when mail cannot come in.  What is in trouble beside that is named: mail
 * for a system, or for mailboxes, that do not answer waits. */
struct response on_health(struct request *r)
{
	const struct figures *f;
	struct response a;
	struct tools *t;
	struct node node;
	json_t *list;

	if (figures_wait(r))
		return (struct response){ .status = 0 };
	t = tools_open(r->console->settings->data);
	f = figures_borrow();
	list = figures_trouble(f, false);
	add_own(list, TROUBLE_queue_stuck, !t);
	add_own(list, TROUBLE_directory_unreadable,
		!directory_node(r->d, &node));
	a = answer_json(troubles_stop_mail(list) ? 503 : 200,
			health_json(f, list));
	json_decref(list);
	figures_return(f);
	tools_close(t);
	return a;
}
