/*
 * splitmail destination: operators of hosts of the Internet that want less mail
 * from here for now.
 */
#include "cli/store.h"

#include "rt/loop.h"

static const char *member(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

/* What the engine has for KEY of its answer to QUESTION; NULL: it does not
 * answer. */
static json_t *asked(struct cli *c, const char *question, const char *key)
{
	struct buf answer scoped(buf) = BUF_EMPTY;
	json_t *all, *found;

	if (!cli_ask_engine(c, question, &answer))
		return NULL;
	all = json_loadb(answer.p, answer.n, JSON_REJECT_DUPLICATES, NULL);
	found = json_incref(json_object_get(all, key));
	json_decref(all);
	return found;
}

static void print(struct cli *c, const json_t *one)
{
	const char *until = member(one, "until");

	fprintf(c->out, "%s: %s%s; %lld waiting, %lld under way\n    %s\n",
		cli_clean(c, member(one, "name")),
		*until ? "rests until " : "is tried again", cli_clean(c, until),
		(long long)json_integer_value(json_object_get(one, "waiting")),
		(long long)json_integer_value(json_object_get(one, "mails")),
		cli_clean(c, member(one, "last_reply")));
}

static int list(struct cli *c, const struct args *a)
{
	json_t *all = asked(c, "status", "destinations"), *one;
	size_t i;

	if (!all)
		return cli_refuse(c, "The engine does not answer: %s.",
				  cause());
	if (c->json) {
		cli_json(c, all);
		return CLI_DONE;
	}
	if (json_array_size(all) == 0)
		fprintf(c->out, "Nobody wants less mail from here.\n");
	json_array_foreach(all, i, one) print(c, one);
	json_decref(all);
	return CLI_DONE;
}

static int retry(struct cli *c, const struct args *a)
{
	const char *name = args_word(a, 0);
	json_t *woken =
		asked(c, arena_printf(c->arena, "wake %s", name), "woken");
	bool is_woken = json_is_true(woken);

	if (!woken)
		return cli_refuse(c, "The engine does not answer: %s.",
				  cause());
	json_decref(woken);
	if (!is_woken)
		return cli_refuse(c,
				  "%s does not rest: see `splitmail "
				  "destination list`.",
				  cli_clean(c, name));
	if (!c->json)
		fprintf(c->out, "What waits for %s is tried now.\n",
			cli_clean(c, name));
	return CLI_DONE;
}

static const struct command commands[] = {
	{ "list", "",
	  "List the operators of mail hosts of the Internet that have asked "
	  "for less mail, and until when none goes to them.",
	  "splitmail destination list", list },
	{ "retry", "OPERATOR",
	  "Try what waits for one now, whatever it has said.",
	  "splitmail destination retry outlook.com", retry },
};

const struct noun noun_destination =
	NOUN_OF("destination", "operators of hosts of the Internet", commands);
