/*
 * The web pages: files built into the binary, and the API's document.
 *
 * What else a browser goes to is the pages' own: it gets index.html, whose
 * scripts decide.  Files under /assets/ have a hash of their content in their
 * name and may be kept for ever.
 */
#include "console/web.h"

#include "console/handlers.h"
#include "rt/random.h"

extern const char openapi_json[]; /* openapi.json, by tools/embed.py */

struct response on_get_openapi(struct request *r)
{
	(void)r;
	return (struct response){ .status = 200,
				  .text = str_of(openapi_json),
				  .type = "application/json",
				  .cache = "no-cache" };
}

static const struct web_file *find(struct str path)
{
	return web_find(web_files, web_files_n, path);
}

/* Styles that the page's scripts add carry the number that was drawn for this
 * page; nobody else's are obeyed. */
#define NONCE "__CSP_NONCE__"

static struct str fill_in(struct request *r, struct str page, const char *nonce)
{
	struct buf b scoped(buf) = BUF_EMPTY;
	ptrdiff_t at;

	while ((at = str_search(page, S(NONCE))) >= 0) {
		buf_add(&b, str_part(page, 0, (size_t)at));
		buf_add(&b, str_of(nonce));
		page = str_from(page, (size_t)at + sizeof(NONCE) - 1);
	}
	buf_add(&b, page);
	return arena_str(r->arena, buf_str(&b));
}

static struct response show_page(struct request *r, const struct web_file *f)
{
	enum { NONCE_CHARS = 26 };
	char nonce[NONCE_CHARS + 1];

	random_name(nonce, NONCE_CHARS);
	return (struct response){
		.status = 200,
		.text = fill_in(r, (struct str){ f->bytes, f->n }, nonce),
		.type = f->type,
		.policy = arena_printf(
			r->arena,
			"default-src 'none'; script-src 'self'; "
			"style-src 'self' 'nonce-%s'; img-src 'self' data:; "
			"font-src 'self'; connect-src 'self'; "
			"manifest-src 'self'; base-uri 'none'; "
			"form-action 'self'; frame-ancestors 'none'",
			nonce),
	};
}

struct response on_web(struct request *r)
{
	const struct web_file *f = find(r->path);
	const char *takes = header(r, "Accept");

	if (is_help(r->path))
		return show_help(r);
	if (f && strcmp(f->path, "/index.html"))
		return web_show(r, f, str_starts(r->path, S("/assets/")));
	if (!f && !str_same(r->path, S("/")) &&
	    (!takes || !strstr(takes, "text/html") ||
	     str_starts(r->path, S("/assets/"))))
		return not_there(r);
	f = find(S("/index.html"));
	return f ? show_page(r, f) : not_there(r);
}
