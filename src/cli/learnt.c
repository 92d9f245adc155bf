/* What was learnt of the hosts of a system or a domain's relay (store.h). */
#include "cli/store.h"

/* Null: the engine does not run, or not well. */
static json_t *learnt_of(struct cli *c, const char *name)
{
	struct buf answer scoped(buf) = BUF_EMPTY;

	if (!name[0])
		return json_array();
	if (!cli_ask_engine(c, learnt_question(name, c->arena), &answer))
		buf_clear(&answer);
	return show_learnt(buf_str(&answer));
}

int cli_show_learnt(struct cli *c, json_t *object, const char *key)
{
	json_t *learnt =
		learnt_of(c, json_string_value(json_object_get(object, key)));
	json_t *one;
	size_t i;

	if (c->json) {
		json_object_set_new(object, "learnt", learnt);
		return cli_show(c, object);
	}
	cli_show(c, object);
	json_array_foreach(learnt, i, one) fprintf(
		c->out, "learnt: %s\n",
		cli_clean(c, arena_cstr(c->arena, learnt_text(one, c->arena))));
	json_decref(learnt);
	return CLI_DONE;
}
