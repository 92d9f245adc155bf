/*
 * Sizes (size.h).
 */
#include "base/size.h"

#include <inttypes.h>
#include <stdio.h>

static const char units[] = "KMGT";

/* Cut the unit off the end of *S: how far it shifts; -1: it is none. */
static int cut_unit(struct str *s)
{
	size_t n = s->n;
	const char *unit;
	int shift = 0;

	if (n > 0 && strchr("bBoO", s->p[n - 1]))
		n--;
	if (n > 1 && (s->p[n - 1] | 0x20) == 'i')
		n--;
	unit = n > 0 ? strchr(units, s->p[n - 1] & ~0x20) : NULL;
	if (unit && *unit) {
		shift = 10 * (int)(unit - units + 1);
		n--;
	} else if (n != s->n && (s->p[n] | 0x20) != 'b') {
		return -1; /* "5i", "5o" */
	}
	*s = str_trim(str_part(*s, 0, n));
	return shift;
}

/* "5" or "25" behind the point: hundredths. */
static bool hundredths(struct str s, uint64_t *out)
{
	if (s.n > 2 || !str_number(s, 99, out))
		return false;
	*out *= s.n == 1 ? 10 : 1;
	return true;
}

bool size_parse(struct str s, uint64_t most, uint64_t *out)
{
	struct str whole = str_trim(s), part = STR_NONE;
	int shift = cut_unit(&whole);
	ptrdiff_t point = str_find(whole, '.');
	uint64_t n, more = 0;

	if (shift < 0)
		return false;
	if (point < 0)
		point = str_find(whole, ',');
	if (point >= 0) {
		part = str_from(whole, (size_t)point + 1);
		whole = str_part(whole, 0, (size_t)point);
		if (shift == 0 || !hundredths(part, &more))
			return false;
	}
	if (!str_number(whole, most >> shift, &n))
		return false;
	n = (n << shift) + more * (UINT64_C(1) << shift) / 100;
	*out = n;
	return n <= most;
}

struct size_text size_text(uint64_t bytes)
{
	struct size_text t;
	int i = 3;

	while (i >= 0 && bytes >> 10 * (i + 1) == 0)
		i--;
	/* 1536 MiB are 1.5 GiB, 1500 MiB stay so */
	while (i > 0 && bytes * 10 % (UINT64_C(1) << 10 * (i + 1)) &&
	       bytes % (UINT64_C(1) << 10 * i) == 0)
		i--;
	if (i < 0) {
		snprintf(t.c, sizeof(t.c), "%" PRIu64 " bytes", bytes);
		return t;
	}
	if (bytes % (UINT64_C(1) << 10 * (i + 1)) == 0)
		snprintf(t.c, sizeof(t.c), "%" PRIu64 " %ciB",
			 bytes >> 10 * (i + 1), units[i]);
	else
		snprintf(t.c, sizeof(t.c), "%.1f %ciB",
			 (double)bytes / (double)(UINT64_C(1) << 10 * (i + 1)),
			 units[i]);
	return t;
}
