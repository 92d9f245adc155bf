/* Lists of tags (tags.h), RFC 6376 3.2, RFC 7489 6.4. */
#include "wire/tags.h"

bool tags_next(struct str *rest, struct tag *out)
{
	struct str text;

	while (str_split(rest, ';', &text)) {
		text = str_trim(text);
		if (str_empty(text))
			continue;
		*out = (struct tag){ .name = text };
		if (str_find(text, '=') <= 0) {
			out->is_malformed = true;
			return true;
		}
		str_split(&text, '=', &out->name);
		out->name = str_trim(out->name);
		out->value = str_trim(text);
		return true;
	}
	return false;
}

bool tags_find(struct str list, struct str name, struct str *value)
{
	struct tag t;

	while (tags_next(&list, &t))
		if (!t.is_malformed && str_same_nocase(t.name, name)) {
			*value = t.value;
			return true;
		}
	return false;
}

bool tags_begin(struct str list, struct str version)
{
	struct tag t;

	return tags_next(&list, &t) && str_same(t.name, S("v")) &&
	       str_same(t.value, version);
}
