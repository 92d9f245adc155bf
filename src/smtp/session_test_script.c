/*
 * The text of a script, with its escapes (session_test.c says which).
 */
#include "base/test.h"

#include "smtp/session_test_world.h"

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c);

	return at ? (int)(at - digits) : 0;
}

static size_t escape(struct str s, size_t i, struct buf *out)
{
	static const char names[] = "rnt0\\", bytes[] = "\r\n\t\0\\";
	const char *at = strchr(names, s.p[i]);

	if (s.p[i] == 'x' && i + 2 < s.n) {
		buf_add_char(out,
			     (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
		return i + 2;
	}
	if (at)
		buf_add_char(out, bytes[at - names]);
	return i;
}

/* Our own entry for an address: it was here before. */
static void write_trail(struct str key, struct buf *out)
{
	struct arena *a = arena_open();

	buf_add(out, guard_entry(the_world.guard, key, a));
	arena_close(a);
}

void script_unfold(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		struct str rest = str_from(s, i), n;
		uint64_t times;

		if (s.p[i] == '\\' && i + 1 < s.n) {
			i = escape(s, i + 1, out);
			continue;
		}
		if (!str_starts(rest, S("${"))) {
			buf_add_char(out, s.p[i]);
			continue;
		}
		rest = str_part(rest, 2, (size_t)str_find(rest, '}'));
		i += rest.n + 2;
		str_split(&rest, ':', &n);
		if (str_same(n, S("trail")))
			write_trail(rest, out);
		else if (str_number(n, 10000000, &times))
			while (times-- > 0)
				script_unfold(rest, out);
	}
}
