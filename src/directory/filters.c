/*
 * Filters: which of them see a mail (directory.h), and all of them (lists.h).
 *
 * The question comes with every mail and most servers have no filter: as long as
 * nothing in the directory changes, that there is none is not asked again.
 */
#include "directory/lists.h"

#include "directory/sql.h"

enum {
	STEP_S = 30,        /* as long as Postfix waits */
	MESSAGE_TIMES = 10, /* so many steps for the whole message */
	MESSAGE_MOST_S = 300,
};

#define FILTER_COLUMNS \
	"position, name, socket, listeners, direction, when_down, " \
	"timeout_s, enabled"

static struct filter read_filter(struct query *q, struct arena *arena)
{
	int64_t set_s = query_int(q, 6);
	unsigned step_s = set_s ? (unsigned)set_s : STEP_S;
	unsigned message_s = step_s * MESSAGE_TIMES;

	return (struct filter){
		.position = (unsigned)query_int(q, 0),
		.name = query_text(q, 1, arena),
		.socket = query_text(q, 2, arena),
		.listeners = query_text(q, 3, arena),
		.direction = (enum filter_direction)query_int(q, 4),
		.when_down = (enum filter_down)query_int(q, 5),
		.step_s = step_s,
		.message_s =
			message_s < MESSAGE_MOST_S ? message_s : MESSAGE_MOST_S,
		.enabled = query_int(q, 7) != 0,
	};
}

/* Programs and Sieve come by none. */
static bool is_at(const struct filter *f, struct str listener)
{
	struct str rest = f->listeners, one;

	while (str_split(&rest, ',', &one))
		if (str_same(str_trim(one), listener))
			return true;
	return str_empty(f->listeners);
}

static bool sees(const struct filter *f, struct str listener,
		 enum filter_direction direction)
{
	return f->enabled && is_at(f, listener) &&
	       (f->direction == FILTER_BOTH || f->direction == direction);
}

static enum answer ask_filters(struct directory *d, struct str listener,
			       enum filter_direction direction,
			       struct arena *arena, const struct filter **out,
			       size_t *n)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT " FILTER_COLUMNS " FROM filter ORDER BY position", "");
	struct filter *list = NULL;
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct filter f = read_filter(&q, arena);

		*directory_without_filters(d) = 0;
		if (!sees(&f, listener, direction))
			continue;
		if (!list)
			list = arena_array(arena, struct filter, FILTERS_MOST);
		check(*n < FILTERS_MOST);
		list[(*n)++] = f;
	}
	if (a == ANSWER_UNSURE)
		*directory_without_filters(d) = 0;
	*out = list;
	return a == ANSWER_UNSURE ? a : ANSWER_YES;
}

enum answer directory_filters(struct directory *d, struct str listener,
			      enum filter_direction direction,
			      struct arena *arena, const struct filter **out,
			      size_t *n)
{
	uint64_t version = directory_version(d);

	*n = 0;
	if (version && version == *directory_without_filters(d))
		return ANSWER_YES;
	*directory_without_filters(d) = version;
	return ask_filters(d, listener, direction, arena, out, n);
}

bool list_filters(struct directory *d, struct str name,
		  void (*each)(void *arg, const struct filter *f), void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT " FILTER_COLUMNS " FROM filter WHERE ?1 = '' OR "
		"name = lower(?1) ORDER BY position",
		"s", name);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		struct filter f = read_filter(&q, row);

		each(arg, &f);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}
