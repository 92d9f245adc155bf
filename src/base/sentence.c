/*
 * Sentences with values (sentence.h).
 */
#include "base/sentence.h"

#include "base/buf.h"
#include "base/limits.h"

const struct value *value_find(const struct value *values, const char *name)
{
	for (; values && values->name; values++)
		if (!strcmp(values->name, name))
			return values;
	return NULL;
}

static struct str keep_text(struct str s, struct arena *a)
{
	return arena_str(a, str_cut(s, LIMIT_VALUE_BYTES));
}

static struct texts keep_list(struct texts list, struct arena *a)
{
	struct str *kept = arena_array(a, struct str, list.n);

	for (size_t i = 0; i < list.n; i++)
		kept[i] = keep_text(list.p[i], a);
	return (struct texts){ kept, list.n };
}

const struct value *values_keep(const struct value *values, struct arena *a)
{
	struct value *kept;
	size_t n = 0;

	while (values && values[n].name)
		n++;
	kept = arena_array(a, struct value, n + 1);
	for (size_t i = 0; i < n; i++) {
		kept[i] = values[i];
		if (kept[i].kind == VALUE_TEXT)
			kept[i].text = keep_text(values[i].text, a);
		else if (kept[i].kind == VALUE_LIST)
			kept[i].list = keep_list(values[i].list, a);
	}
	return kept;
}

/* How many there are, where a sentence counts anything. */
static int64_t count_of(const struct value *values)
{
	const struct value *n = value_find(values, "n");

	return n && n->kind == VALUE_NUMBER ? n->number : 0;
}

static void say_list(struct buf *b, struct texts list, int64_t all)
{
	for (size_t i = 0; i < list.n; i++)
		buf_printf(b, "%s%.*s", i ? ", " : "", STR(list.p[i]));
	if (all > (int64_t)list.n)
		buf_printf(b, " and %lld more",
			   (long long)(all - (int64_t)list.n));
}

static void say_value(struct buf *b, const struct value *v, int64_t all)
{
	switch (v->kind) {
	case VALUE_TEXT:
		buf_add(b, v->text);
		break;
	case VALUE_NUMBER:
		buf_printf(b, "%lld", (long long)v->number);
		break;
	case VALUE_LIST:
		say_list(b, v->list, all);
		break;
	}
}

struct str sentence_fill(struct str sentence, const struct value *values,
			 struct arena *a)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	int64_t n = count_of(values);
	struct str other = sentence, part, name;

	/* "one|other" */
	str_split(&other, '|', &part);
	if (!str_empty(other))
		sentence = n == 1 ? part : other;
	while (str_split(&sentence, '{', &part)) {
		const struct value *v;

		buf_add(&b, part);
		if (!str_split(&sentence, '}', &name))
			break;
		v = value_find(values, arena_cstr(a, name));
		check(v);
		say_value(&b, v, n);
	}
	return arena_str(a, buf_str(&b));
}
