/*
 * Next hops as administrators write them.
 *
 *	hosts = host *( ( "," / SP ) host )
 *	host  = ( name / IPv4 / "[" IP "]" / IPv6 ) [ ":" port ]
 */
#include "wire/hosts.h"

#include "base/buf.h"
#include "base/limits.h"
#include "wire/address.h"
#include "wire/quote.h"

enum { SMTP_PORT = 25 };

static bool read_port(struct str s, uint16_t *port)
{
	uint64_t n;

	if (s.n > 5 || !str_number(s, UINT16_MAX, &n) || n == 0)
		return false;
	*port = (uint16_t)n;
	return true;
}

static bool read_name(struct str s, struct arena *arena, struct host *out)
{
	struct str port = s, name;

	str_split(&port, ':', &name);
	if (name.n < s.n && !read_port(port, &out->port))
		return fail("bad host \"%s\"", quote(s).c);
	if (!domain_parse(name, arena, &out->name))
		return add_cause("bad host \"%s\"", quote(s).c);
	return true;
}

static bool read_host(struct str s, struct arena *arena, struct host *out)
{
	*out = (struct host){ .port = SMTP_PORT };
	if (!inet_parse(s, SMTP_PORT, &out->ip))
		return read_name(s, arena, out);
	if (out->ip.port == 0)
		return fail("bad port in \"%s\"", quote(s).c);
	out->is_ip = true;
	out->port = out->ip.port;
	out->name = arena_str(arena, str_of(inet_ip_text(&out->ip).c));
	return true;
}

static bool is_between(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

/* The next word of *REST; false: no more. */
static bool next_word(struct str *rest, struct str *word)
{
	size_t from = 0, end;

	while (from < rest->n && is_between(rest->p[from]))
		from++;
	for (end = from; end < rest->n && !is_between(rest->p[end]);)
		end++;
	*word = str_part(*rest, from, end);
	*rest = str_from(*rest, end);
	return word->n > 0;
}

bool hosts_parse(struct str text, struct arena *arena, struct host **out,
		 size_t *n)
{
	struct str word;

	*n = 0;
	*out = arena_array(arena, struct host, LIMIT_HOSTS);
	while (next_word(&text, &word)) {
		if (*n == LIMIT_HOSTS)
			return fail("more than %d hosts", LIMIT_HOSTS);
		if (!read_host(word, arena, &(*out)[*n]))
			return false;
		(*n)++;
	}
	return *n > 0 || fail("no host given");
}

struct str hosts_text(const struct host *h, size_t n, struct arena *arena)
{
	struct buf b scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < n; i++) {
		bool v6 = h[i].is_ip && !inet_is_v4(&h[i].ip);

		buf_printf(&b, "%s%s%.*s%s", i ? ", " : "", v6 ? "[" : "",
			   STR(h[i].name), v6 ? "]" : "");
		if (h[i].port != SMTP_PORT)
			buf_printf(&b, ":%u", h[i].port);
	}
	return arena_str(arena, buf_str(&b));
}
