/*
 * Where a program listens, as administrators write it.
 *
 *	endpoint = ( "unix:" / "local:" ) path
 *		 / ( "inet:" / "inet6:" ) ( host ":" port / port "@" host )
 */
#include "wire/endpoint.h"

#include "wire/quote.h"

enum {
	PATH_BYTES = 107, /* the kernel's, without the NUL (unix(7)) */
	NO_PORT = 25,     /* what hosts_parse() says for none: mail's own */
};

/* *REST of what begins with one of the two. */
static bool skip_kind(struct str text, struct str one, struct str other,
		      struct str *rest)
{
	struct str kind = str_starts_nocase(text, one) ? one : other;

	if (!str_starts_nocase(text, kind))
		return false;
	*rest = str_from(text, kind.n);
	return true;
}

static bool read_path(struct str path, struct arena *arena,
		      struct endpoint *out)
{
	if (path.n < 2 || path.p[0] != '/')
		return fail("\"%s\" is no absolute path of a socket",
			    quote(path).c);
	if (path.n > PATH_BYTES)
		return fail("the path of a socket has at most %d bytes",
			    PATH_BYTES);
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] < 0x20 || path.p[i] == 0x7f)
			return fail("there is a control character in \"%s\"",
				    quote(path).c);
	*out = (struct endpoint){ .is_unix = true,
				  .path = arena_str(arena, path) };
	return true;
}

/* "port@host" turned round. */
static struct str host_first(struct str text, struct arena *arena)
{
	struct str host = text, port;

	str_split(&host, '@', &port);
	if (port.n == text.n)
		return text;
	return arena_strf(arena, "%.*s:%.*s", STR(host), STR(port));
}

static bool read_host(struct str text, struct arena *arena,
		      struct endpoint *out)
{
	struct str given = host_first(text, arena);
	struct host *h;
	size_t n;

	if (!hosts_parse(given, arena, &h, &n))
		return false;
	if (n > 1)
		return fail("\"%s\" is more than one host", quote(given).c);
	if (h->port == NO_PORT)
		return fail("\"%s\" has no port of a filter", quote(given).c);
	*out = (struct endpoint){ .host = *h };
	return true;
}

bool endpoint_parse(struct str text, struct arena *arena, struct endpoint *out)
{
	struct str rest;

	text = str_trim(text);
	if (skip_kind(text, S("unix:"), S("local:"), &rest))
		return read_path(rest, arena, out);
	if (skip_kind(text, S("inet:"), S("inet6:"), &rest))
		return read_host(rest, arena, out);
	return fail("it begins with unix: or inet:");
}

struct str endpoint_text(const struct endpoint *e, struct arena *arena)
{
	struct str host;

	if (e->is_unix)
		return arena_strf(arena, "unix:%.*s", STR(e->path));
	host = hosts_text(&e->host, 1, arena);
	return arena_strf(arena, "inet:%.*s", STR(host));
}
