/* The policies of MTA-STS on the disk (sts_file.h). */
#include "deliver/sts_file.h"

#include "base/buf.h"
#include "base/limits.h"
#include "rt/clock.h"
#include "rt/file.h"
#include "wire/address.h"

#define NAME "mta-sts"
#define MAGIC "splitmail mta-sts 1"

static const char *const modes[] = {
	[STS_NONE] = "none",
	[STS_TESTING] = "testing",
	[STS_ENFORCE] = "enforce",
};

/* ---- reading ---- */

static bool take_mode(struct str word, enum sts_mode *out)
{
	for (size_t i = 0; i < array_size(modes); i++)
		if (str_same(word, str_of(modes[i]))) {
			*out = (enum sts_mode)i;
			return true;
		}
	return false;
}

static void take_hosts(struct str rest, struct arena *arena,
		       struct sts_policy *p)
{
	struct str mx;

	p->mx = arena_array(arena, struct str, LIMIT_STS_HOSTS);
	while (p->n < LIMIT_STS_HOSTS && str_split(&rest, ' ', &mx))
		p->mx[p->n++] = mx;
}

static bool take_line(struct str line, struct arena *arena, struct str *domain,
		      struct sts_known *k)
{
	struct str until, name, mode, age;
	uint64_t until_s, age_s;

	*k = (struct sts_known){ 0 };
	if (!str_split(&line, ' ', &until) || !str_split(&line, ' ', &name) ||
	    !str_split(&line, ' ', &k->id) || !str_split(&line, ' ', &mode) ||
	    !str_split(&line, ' ', &age) ||
	    !str_number(until, INT64_MAX / 1000, &until_s) ||
	    !str_number(age, UINT32_MAX, &age_s) ||
	    !domain_parse(name, arena, domain) ||
	    !take_mode(mode, &k->policy.mode))
		return false;
	k->until_ms = (int64_t)until_s * 1000;
	k->policy.max_age_s = (int64_t)age_s;
	take_hosts(line, arena, &k->policy);
	return k->policy.n > 0 || k->policy.mode == STS_NONE;
}

/* No policy holds for longer than it says, whatever our clock was. */
static bool is_believable(const struct sts_known *k)
{
	int64_t left_ms = k->until_ms - wall_ms();

	return left_ms > 0 && left_ms <= k->policy.max_age_s * 1000;
}

static void take_lines(struct str text, struct sts_memory *m)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str line, domain;
	struct sts_known k;

	while (str_split(&text, '\n', &line)) {
		if (take_line(line, arena, &domain, &k) && is_believable(&k))
			sts_keep(m, domain, &k);
		arena_reset(arena);
	}
}

static bool waits read_all(const char *path, struct buf *to)
{
	struct file *f = file_open(path);
	char piece[4096];
	ptrdiff_t n;

	if (!f)
		return false;
	while ((n = file_read(f, to->n, piece, sizeof(piece))) > 0 &&
	       to->n < LIMIT_STS_FILE_BYTES)
		buf_add(to, (struct str){ piece, (size_t)n });
	file_close(f);
	return n == 0;
}

bool sts_file_read(const char *folder, struct sts_memory *m)
{
	struct arena *arena scoped(arena) = arena_open();
	struct buf b scoped(buf) = BUF_EMPTY;
	const char *path = arena_printf(arena, "%s/" NAME, folder);
	struct str text, magic;

	if (!read_all(path, &b))
		return cause_kind() == FAIL_ABSENT;
	text = buf_str(&b);
	str_split(&text, '\n', &magic);
	if (!str_same(magic, S(MAGIC)))
		return fail("%s is damaged: policies of MTA-STS are asked "
			    "for again",
			    path);
	take_lines(text, m);
	return true;
}

/* ---- writing ---- */

static void add_line(void *buf, struct str domain, const struct sts_known *k)
{
	struct buf *b = buf;

	buf_printf(b, "%lld %.*s %.*s %s %lld", (long long)k->until_ms / 1000,
		   STR(domain), STR(k->id), modes[k->policy.mode],
		   (long long)k->policy.max_age_s);
	for (size_t i = 0; i < k->policy.n; i++)
		buf_printf(b, " %.*s", STR(k->policy.mx[i]));
	buf_add_char(b, '\n');
}

static bool waits write_to(const char *path, struct str text)
{
	struct file *f = file_create(path);
	bool ok = f && file_add(f, text) && file_sync(f);

	file_close(f);
	return ok;
}

bool sts_file_write(const char *folder, struct sts_memory *m)
{
	struct arena *arena scoped(arena) = arena_open();
	struct buf b scoped(buf) = BUF_EMPTY;

	buf_add(&b, S(MAGIC "\n"));
	sts_each(m, add_line, &b);
	return write_to(arena_printf(arena, "%s/" NAME ".new", folder),
			buf_str(&b)) &&
	       file_rename(folder, NAME ".new", NAME);
}
