/* What is told of the certificates in their folder (certificates.h). */
#include <jansson.h>
#include <stdlib.h>

#include "base/limits.h"
#include "main/certificates_inside.h"
#include "wire/json.h"

struct served *certificates_served(const struct entry *entries, size_t n,
				   struct arena *arena)
{
	struct served *all = arena_array(arena, struct served, n);

	for (size_t i = 0; i < n; i++)
		if (entries[i].pair.n > 0)
			all[i] = (struct served){ entries[i].said.names,
						  entries[i].said.n_names,
						  entries[i].said.key,
						  entries[i].said.ends_ms };
	return all;
}

static json_t *entry_json(const struct entry *e, size_t most_names)
{
	bool is_served = e->pair.n > 0;
	size_t all = is_served ? e->said.n_names : 0;
	size_t n = all < most_names ? all : most_names;

	return json_pack(
		"{s:o,s:o,s:I,s:s,s:I,s:o}", "entry",
		json_text(str_of(e->name)), "names",
		json_texts(e->said.names, n), "names_left_out",
		(json_int_t)(all - n), "key",
		is_served ? key_kind_name(e->said.key) : "", "ends_ms",
		is_served ? (json_int_t)e->said.ends_ms : 0, "trouble",
		json_text(e->wrong.is_told ? str_of(e->wrong.why.sentence)
					   : STR_NONE));
}

static char *tell(const struct entry *entries, size_t n,
		  const struct wrong *folder, size_t most_names)
{
	json_t *list = json_array(), *all;
	char *text;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
				      entry_json(&entries[i], most_names));
	all = json_pack("{s:o,s:o}", "trouble",
			json_text(folder->is_told ? str_of(folder->why.sentence)
						  : STR_NONE),
			"certificates", list);
	text = json_dumps(all, JSON_COMPACT);
	check(text);
	json_decref(all);
	return text;
}

/* Those who ask have little room: when there is too much, fewer names. */
void certificates_tell(const struct entry *entries, size_t n,
		       const struct wrong *folder, struct buf *to)
{
	size_t most_names = SIZE_MAX;
	char *text = tell(entries, n, folder, most_names);

	while (strlen(text) >= LIMIT_CERTIFICATES_TOLD_BYTES &&
	       most_names > 1) {
		most_names = most_names > 128 ? 128 : most_names / 2;
		free(text);
		text = tell(entries, n, folder, most_names);
	}
	buf_add(to, str_of(text));
	free(text);
}
