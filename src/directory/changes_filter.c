/*
 * Filters: where they listen, which mail they see, and in which order.
 *
 * Invariant: the positions are 1, 2, ... without a gap.
 */
#include "directory/change.h"
#include "wire/endpoint.h"

enum {
	STEP_MOST_S = 60,
	LISTENERS_BYTES = 1000, /* all names of one filter */
};

static const char *const direction_words[] = { "both", "in", "out", NULL };
static const char *const down_words[] = { "later", "accept", "hold", NULL };

const char *filter_direction_name(enum filter_direction d)
{
	return direction_words[d];
}

const char *filter_down_name(enum filter_down w)
{
	return down_words[w];
}

struct filter_row {
	int64_t position, direction, when_down;
	int64_t timeout_s; /* 0: not set */
	int64_t to;        /* the position it is to have; 0: its own */
	bool enabled;
	struct str name, socket, listeners;
};

static bool find_position(struct changes *c, struct str name, int64_t *at)
{
	*at = 0;
	return ask(c, at, "SELECT position FROM filter WHERE name = lower(?)",
		   "s", name);
}

static bool count_filters(struct changes *c, int64_t *n)
{
	*n = 0;
	return ask(c, n, "SELECT count(*) FROM filter", "");
}

static bool read_row(struct changes *c, int64_t position,
		     struct filter_row *out)
{
	struct query q scoped(query) =
		sql_query(c->sql,
			  "SELECT position, direction, when_down, timeout_s, "
			  "enabled, name, socket, listeners FROM filter "
			  "WHERE position = ?",
			  "i", position);

	if (query_next(&q) != ANSWER_YES)
		return broken(c);
	*out = (struct filter_row){
		.position = query_int(&q, 0),
		.direction = query_int(&q, 1),
		.when_down = query_int(&q, 2),
		.timeout_s = query_int(&q, 3),
		.enabled = query_int(&q, 4) != 0,
		.name = query_text(&q, 5, c->arena),
		.socket = query_text(&q, 6, c->arena),
		.listeners = query_text(&q, 7, c->arena),
	};
	return true;
}

static bool load(struct changes *c, struct str name, struct filter_row *out)
{
	struct query q scoped(query) = { 0 };
	struct texts names;
	int64_t position, n;

	if (!find_position(c, name, &position))
		return false;
	if (position)
		return read_row(c, position, out);
	q = sql_query(c->sql, "SELECT name FROM filter ORDER BY position", "");
	if (!name_list(c, &q, &names, &n))
		return false;
	if (n == 0)
		return missing(c, "name", no_filter_at_all, V("filter", name));
	return missing(c, "name", no_such_filter, V("n", n), V("filter", name),
		       V("names", names));
}

/* ---- settings ---- */

static bool set_socket(struct changes *c, struct filter_row *r, struct str v)
{
	struct endpoint e;

	if (str_empty(str_trim(v)))
		return refuse(c, "socket", filter_needs_socket);
	if (!endpoint_parse(v, c->arena, &e))
		return refuse(c, "socket", bad_socket, V("given", v),
			      V("cause", cause()));
	r->socket = endpoint_text(&e, c->arena);
	return true;
}

/* One that nobody knows would see nothing, and nobody would notice. */
static bool check_listener(struct changes *c, struct str name)
{
	const struct texts *known = c->listeners;

	for (size_t i = 0; known && i < known->n; i++)
		if (str_same(name, known->p[i]))
			return true;
	return !known ||
	       refuse(c, "listeners", no_such_listener, V("n", known->n),
		      V("listener", name), V("names", *known));
}

static bool set_listeners(struct changes *c, struct filter_row *r,
			  struct str text)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	struct str one;
	size_t n = 0;

	if (!value_text(c, "listeners", text, LISTENERS_BYTES, &text))
		return false;
	while (str_split(&text, ',', &one)) {
		one = str_trim(one);
		if (str_empty(one))
			continue;
		if (!check_listener(c, one))
			return false;
		buf_printf(&b, "%s%.*s", n++ ? ", " : "", STR(one));
	}
	r->listeners = arena_str(c->arena, buf_str(&b));
	return true;
}

static bool set_position(struct changes *c, struct filter_row *r, struct str v)
{
	int64_t n;

	return count_filters(c, &n) && value_count(c, "position", v, n, &r->to);
}

static bool set_key(struct changes *c, struct filter_row *r,
		    const struct setting *s)
{
	static const char *const keys[] = { "socket",    "listeners",
					    "direction", "when_down",
					    "timeout",   "enabled",
					    "position",  NULL };

	if (is_key(s->key, "socket"))
		return set_socket(c, r, s->value);
	if (is_key(s->key, "listeners"))
		return set_listeners(c, r, s->value);
	if (is_key(s->key, "direction"))
		return value_word(c, "direction", s->value, direction_words,
				  &r->direction);
	if (is_key(s->key, "when_down"))
		return value_word(c, "when_down", s->value, down_words,
				  &r->when_down);
	if (is_key(s->key, "timeout"))
		return value_count(c, "timeout", s->value, STEP_MOST_S,
				   &r->timeout_s);
	if (is_key(s->key, "enabled"))
		return value_bool(c, "enabled", s->value, &r->enabled);
	if (is_key(s->key, "position"))
		return set_position(c, r, s->value);
	return unknown_key(c, "filter", s->key, keys);
}

/* ---- the row, its place and the log ---- */

static bool write_row(struct changes *c, const struct filter_row *r)
{
	return run(c,
		   "UPDATE filter SET socket = ?, listeners = ?, "
		   "direction = ?, when_down = ?, timeout_s = ?, enabled = ? "
		   "WHERE position = ?",
		   "ssiiiii", r->socket, r->listeners, r->direction,
		   r->when_down, r->timeout_s, (int64_t)r->enabled,
		   r->position);
}

/* Those between move up or down by one.  Each position is taken once at any
 * moment: the one that moves stands at 0 meanwhile, the others below it. */
static bool move(struct changes *c, int64_t from, int64_t to)
{
	int64_t low = from < to ? from : to, high = from < to ? to : from;

	return run(c, "UPDATE filter SET position = 0 WHERE position = ?", "i",
		   from) &&
	       run(c,
		   "UPDATE filter SET position = -(position + ?) "
		   "WHERE position BETWEEN ? AND ?",
		   "iii", (int64_t)(from < to ? -1 : 1), low, high) &&
	       run(c,
		   "UPDATE filter SET position = -position WHERE position < 0",
		   "") &&
	       run(c, "UPDATE filter SET position = ? WHERE position = 0", "i",
		   to);
}

static struct str yes_no(bool on)
{
	return on ? S("yes") : S("no");
}

/* Empty: not set. */
static struct str number(struct changes *c, int64_t n)
{
	return n ? arena_strf(c->arena, "%lld", (long long)n) : S("");
}

static bool log_row(struct changes *c, const struct filter_row *old,
		    const struct filter_row *new)
{
	const struct {
		const char *field;
		struct str old, new;
	} fields[] = {
		{ "socket", old->socket, new->socket },
		{ "listeners", old->listeners, new->listeners },
		{ "direction", str_of(direction_words[old->direction]),
		  str_of(direction_words[new->direction]) },
		{ "when_down", str_of(down_words[old->when_down]),
		  str_of(down_words[new->when_down]) },
		{ "timeout", number(c, old->timeout_s),
		  number(c, new->timeout_s) },
		{ "enabled", yes_no(old->enabled), yes_no(new->enabled) },
		{ "position", number(c, old->position), number(c, new->to) },
	};

	for (size_t i = 0; i < array_size(fields); i++)
		if (!str_same(fields[i].old, fields[i].new) &&
		    !change_log(c, "filter", new->name, str_of(fields[i].field),
				fields[i].old, fields[i].new))
			return false;
	return true;
}

static bool apply(struct changes *c, struct filter_row *r,
		  const struct setting *s, size_t n)
{
	const struct filter_row old = *r;

	for (size_t i = 0; i < n; i++)
		if (!set_key(c, r, &s[i]))
			return false;
	if (str_empty(r->socket))
		return refuse(c, "socket", filter_needs_socket);
	if (!r->to)
		r->to = r->position;
	return write_row(c, r) && log_row(c, &old, r) &&
	       (r->to == r->position || move(c, r->position, r->to));
}

/* ---- the changes ---- */

/* Whoever has a filter sees all mail of all domains. */
static bool check_super(struct changes *c)
{
	return c->role == ADMIN_SUPER || refuse(c, NULL, filters_are_not_his);
}

/* Behind the others; new rows have the schema's defaults. */
static bool insert(struct changes *c, struct str name, struct filter_row *out)
{
	int64_t n;

	if (!count_filters(c, &n))
		return false;
	if (n == FILTERS_MOST)
		return refuse(c, NULL, too_many_filters,
			      V("most", FILTERS_MOST));
	return run(c, "INSERT INTO filter (position, name) VALUES (?, ?)", "is",
		   n + 1, name) &&
	       change_log(c, "filter", name, S("created"), S(""), name) &&
	       read_row(c, n + 1, out);
}

static bool create(struct changes *c, struct str text, const struct setting *s,
		   size_t n)
{
	struct filter_row r;
	struct str name;
	int64_t other;

	if (!check_super(c) ||
	    !value_name(c, text, REFUSE_bad_filter_name, &name) ||
	    !find_position(c, name, &other))
		return false;
	if (other)
		return refuse(c, "name", filter_exists, V("filter", name));
	return insert(c, name, &r) && apply(c, &r, s, n) &&
	       done(c, "The filter %.*s is created.", STR(name));
}

static bool set(struct changes *c, struct str name, const struct setting *s,
		size_t n)
{
	struct filter_row r;

	return check_super(c) && load(c, name, &r) && apply(c, &r, s, n) &&
	       done(c, "The filter %.*s is changed.", STR(r.name));
}

static bool remove_filter(struct changes *c, struct str name)
{
	struct filter_row r;
	int64_t last;

	return check_super(c) && load(c, name, &r) && count_filters(c, &last) &&
	       move(c, r.position, last) &&
	       run(c, "DELETE FROM filter WHERE position = ?", "i", last) &&
	       change_log(c, "filter", r.name, S("deleted"), r.name, S("")) &&
	       done(c, "The filter %.*s is deleted.", STR(r.name));
}

struct change filter_create(struct changes *c, struct str name,
			    const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && create(c, name, s, n));
}

struct change filter_set(struct changes *c, struct str name,
			 const struct setting *s, size_t n)
{
	return change_end(c, change_begin(c) && set(c, name, s, n));
}

struct change filter_delete(struct changes *c, struct str name)
{
	return change_end(c, change_begin(c) && remove_filter(c, name));
}
