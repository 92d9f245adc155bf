/*
 * The manual, below /help: a folder of pages as tools/manual made them, for
 * everybody who gets at the console, signed in or not.
 *
 * A page is a folder with an index.html, and its address ends in a slash: what
 * it names is relative to it.  Its policy lets only files of the manual run; what
 * a page says itself is no script (tools/manual/website.py).
 */
#include "console/handlers.h"
#include "console/web.h"

#define POLICY \
	"default-src 'none'; script-src 'self'; worker-src 'self'; " \
	"style-src 'self'; img-src 'self' data:; connect-src 'self'; " \
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* PATH with END behind it. */
static const struct web_file *find(struct request *r, struct str path,
				   const char *end)
{
	return web_find(help_files, help_files_n,
			arena_strf(r->arena, "%.*s%s", STR(path), end));
}

bool is_help(struct str path)
{
	return str_same(path, S("/help")) || str_starts(path, S("/help/"));
}

static struct response show(struct request *r, const struct web_file *f)
{
	struct response a =
		web_show(r, f, str_starts(r->path, S("/help/assets/")));

	a.policy = POLICY;
	return a;
}

static struct response nothing_there(struct request *r)
{
	const struct web_file *f = find(r, S("/help/404.html"), "");
	struct response a;

	if (!f)
		return not_there(r);
	a = show(r, f);
	a.status = 404;
	return a;
}

struct response show_help(struct request *r)
{
	bool is_folder = str_ends(r->path, S("/"));
	const struct web_file *f =
		find(r, r->path, is_folder ? "index.html" : "");

	if (f)
		return show(r, f);
	if (!is_folder && find(r, r->path, "/index.html"))
		return (struct response){
			.status = 308,
			.location =
				arena_printf(r->arena, "%.*s/", STR(r->path)),
		};
	return nothing_there(r);
}
