/*
 * splitmail change: who changed what, and names given back.
 */
#include "cli/store.h"

struct listed {
	struct cli *cli;
	struct rows rows;
};

static void list_one(void *arg, const struct change_entry *e)
{
	struct listed *l = arg;
	json_t *o = json_object();

	json_object_set_new(o, "id", json_integer(e->id));
	json_object_set_new(o, "at", json_time_s(e->at_s));
	json_object_set_new(o, "who", json_text(e->who));
	json_object_set_new(o, "noun", json_text(e->noun));
	json_object_set_new(o, "subject", json_text(e->subject));
	json_object_set_new(o, "field", json_text(e->field));
	json_object_set_new(o, "old", json_text(e->old));
	json_object_set_new(o, "new", json_text(e->new));
	json_object_set_new(o, "can_undo", json_boolean(e->can_undo));
	rows_add(&l->rows, o);
}

static int list(struct cli *c, const struct args *a)
{
	static const struct column columns[] = {
		{ "ID", "id", 6 },
		{ "AT", "at", 20 },
		{ "WHO", "who", 16 },
		{ "WHAT", "noun", 7 },
		{ "SUBJECT", "subject", 28 },
		{ "FIELD", "field", 12 },
		{ "OLD", "old", 20 },
		{ "NEW", "new", 0 },
	};
	const char *subject = args_word(a, 0);
	const char *most = args_option(a, "most");
	struct change_page page = { .subject = str_of(subject ? subject : ""),
				    .limit = 50 };
	struct listed l = { .cli = c };
	struct directory *d;
	uint64_t n;

	if (most && (!str_number(str_of(most), 100000, &n) || n == 0))
		return cli_usage(c, "--most is a number from 1 to 100000.");
	if (most)
		page.limit = (int64_t)n;
	d = cli_directory(c);
	if (!d)
		return cli_refuse(c, "%s", cause());
	l.rows = rows_begin(c, columns, array_size(columns));
	if (!list_changes(d, &page, list_one, &l))
		return cli_trouble(c, d);
	directory_close(d);
	return rows_end(&l.rows);
}

static int undo(struct cli *c, const struct args *a)
{
	uint64_t id;

	if (!str_number(str_of(args_word(a, 0)), INT64_MAX, &id))
		return cli_usage(c,
				 "%s is no number of a change: see "
				 "`splitmail change list`.",
				 args_word(a, 0));
	CLI_CHANGE(c, h, rename_undo(h, (int64_t)id));
}

static const struct command commands[] = {
	{ "list", "[SUBJECT] [--most N]",
	  "Show who changed what, the newest "
	  "first.",
	  "splitmail change list mary@example.org", list,
	  "SUBJECT is an address, a domain or a name, by which it is found under "
	  "its former names, too. --most: so many lines, 50 unless it is "
	  "said." },
	{ "undo", "ID", "Undo a renaming: everything is called as before.",
	  "splitmail change undo 4711", undo,
	  "Within 24 hours. What came to the new name since goes along." },
};

const struct noun noun_change = NOUN_OF("change", "who changed what", commands);
