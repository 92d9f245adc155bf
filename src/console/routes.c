/*
 * The table of routes (routes.h).  It knows all who answer, and only admission.c
 * knows it.
 */
#include "console/routes.h"

static const struct route routes[] = {
#define ROUTE(method, path, handler, right, body) \
	{ method, path, handler, right, body },
#include "console/routes.def"
#undef ROUTE
};

static bool same_method(const char *asked, const char *route)
{
	return !strcmp(asked, route) ||
	       (!strcmp(asked, "HEAD") && !strcmp(route, "GET"));
}

/* Does PATH fit the route's?  Its parts go into r->args. */
static bool fits(struct request *r, const char *route)
{
	struct str want = str_of(route), have = r->path, w, h;
	size_t n = 0;

	for (;;) {
		bool more = str_split(&want, '/', &w);

		if (more != str_split(&have, '/', &h))
			return false;
		if (!more)
			return true;
		if (!str_starts(w, S("{"))) {
			if (!str_same(w, h))
				return false;
			continue;
		}
		check(n < ARGS);
		if (str_empty(h) || !decode(h, r->arena, &r->args[n++]))
			return false;
	}
}

/* Outside of /api/v1 and its document. */
static const struct route web = { "GET", "", on_web, OPEN, NO_BODY };
static const struct route docs = { "GET", DOCS_PATH, on_docs, OPEN, NO_BODY };

/* Where people look for a description of the API. */
static bool leads_to_docs(struct str path)
{
	static const char *const paths[] = {
		DOCS_PATH, "/api",     "/api/",        "/api/docs/",
		"/api/v1", "/api/v1/", "/api/v1/docs", "/docs",
	};

	for (size_t i = 0; i < array_size(paths); i++)
		if (str_same(path, str_of(paths[i])))
			return true;
	return false;
}

/* One thing of a list is made by PUT to its own path. */
const char *route_instead_of_post(struct request *r)
{
	for (size_t i = 0; i < array_size(routes); i++) {
		struct str path = str_of(routes[i].path);
		ptrdiff_t last = str_find_last(path, '/');

		if (!strcmp(routes[i].method, "PUT") &&
		    !strcmp(r->method, "POST") &&
		    str_starts(str_from(path, (size_t)last), S("/{")) &&
		    str_same(str_part(path, 0, (size_t)last), r->path))
			return arena_printf(r->arena, " PUT %.*s makes one.",
					    STR(path));
	}
	return "";
}

/* ALLOW gets the methods of the path, for a 405. */
const struct route *route_find(struct request *r, const char **allow)
{
	*allow = NULL;
	for (size_t i = 0; i < array_size(routes); i++) {
		if (!fits(r, routes[i].path))
			continue;
		if (same_method(r->method, routes[i].method))
			return &routes[i];
		*allow = *allow ? arena_printf(r->arena, "%s, %s", *allow,
					       routes[i].method)
				: routes[i].method;
	}
	if (!*allow && leads_to_docs(r->path)) {
		*allow = "GET, HEAD";
		return same_method(r->method, "GET") ? &docs : NULL;
	}
	if (*allow || str_starts(r->path, S("/api/")))
		return NULL;
	*allow = "GET, HEAD";
	return same_method(r->method, "GET") ? &web : NULL;
}
