/*
 * What the engine has learnt of the hosts of a system (show.h).
 */
#include <string.h>

#include "show/show.h"

const char *learnt_question(const char *system, struct arena *arena)
{
	return arena_printf(arena, "learnt %s", system);
}

json_t *show_learnt(struct str answer)
{
	json_t *all =
		json_loadb(answer.p, answer.n, JSON_REJECT_DUPLICATES, NULL);
	json_t *list = json_object_get(all, "learnt");

	json_incref(list);
	json_decref(all);
	if (json_is_array(list))
		return list;
	json_decref(list);
	return json_null();
}

/* "%s" is the value; VALUE is which one it has to be, NULL: any. */
static const struct {
	const char *what, *value, *words;
} words[] = {
	{ "connections", NULL, "takes %s connections at once" },
	{ "mails_per_connection", NULL, "takes %s mails over one connection" },
	{ "recipients_per_mail", NULL, "takes %s recipients in one mail" },
	{ "no_tls", NULL, "announces TLS, which does not work" },
	{ "no_chunking", NULL, "announces CHUNKING, which does not work" },
	{ "no_xclient", NULL, "announces XCLIENT, which does not work" },
	{ "no_parameters", NULL, "does not take parameters of MAIL and RCPT" },
	{ "bans", NULL,
	  "bans who asks for many unknown addresses: it is asked for %s a day" },
	{ "refusals", "at_rcpt", "refuses unknown addresses at RCPT" },
	{ "refusals", "accepts_all", "accepts every address" },
	{ "refusals", "whole_message",
	  "accepts every address, then refuses the whole message" },
	{ "silent", NULL, "does not answer: others are tried before it" },
};

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static const char *value_of(const json_t *one, struct arena *arena)
{
	const json_t *v = json_object_get(one, "value");

	if (json_is_integer(v))
		return arena_printf(arena, "%lld",
				    (long long)json_integer_value(v));
	return text_of(one, "value");
}

/* "takes 10 mails over one connection"; what we have no words for as it is. */
static const char *says(const json_t *one, struct arena *arena)
{
	const char *what = text_of(one, "what"), *value = value_of(one, arena);
	struct str before, after;

	for (size_t i = 0; i < array_size(words); i++) {
		if (strcmp(words[i].what, what) != 0 ||
		    (words[i].value && strcmp(words[i].value, value) != 0))
			continue;
		after = str_of(words[i].words);
		if (!str_split(&after, '%', &before) || str_empty(after))
			return words[i].words;
		return arena_printf(arena, "%.*s%s%.*s", STR(before), value,
				    STR(str_from(after, 1)));
	}
	return arena_printf(arena, "%s %s", what, value);
}

/* As in the log: "mx.b.example[192.0.2.1]:25". */
static const char *host_of(const json_t *one, struct arena *arena)
{
	const char *name = text_of(one, "name"), *host = text_of(one, "host");
	const char *port = strrchr(host, ':');
	bool is_v6 = host[0] == '[';

	if (!name[0] || !port)
		return host;
	return arena_printf(arena, "%s%s%.*s%s%s", name, is_v6 ? "" : "[",
			    (int)(port - host), host, is_v6 ? "" : "]", port);
}

struct str learnt_text(const json_t *one, struct arena *arena)
{
	return str_of(arena_printf(arena, "%s %s (learnt %s, forgotten %s)",
				   host_of(one, arena), says(one, arena),
				   text_of(one, "since"),
				   text_of(one, "until")));
}
