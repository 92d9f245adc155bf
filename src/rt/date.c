/* Dates as text, in UTC and without asking the locale. */
#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "rt/clock.h"

static struct tm utc(int64_t wall_ms)
{
	time_t s = (time_t)(wall_ms / 1000);
	struct tm t;

	check(gmtime_r(&s, &t));
	return t;
}

struct date_text date_rfc5322(int64_t wall_ms)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm t = utc(wall_ms);
	struct date_text d;

	snprintf(d.c, sizeof(d.c), "%.3s, %02d %.3s %04d %02d:%02d:%02d +0000",
		 days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon,
		 t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
	return d;
}

struct date_text date_iso(int64_t wall_ms)
{
	struct tm t = utc(wall_ms);
	struct date_text d;

	snprintf(d.c, sizeof(d.c), "%04d-%02d-%02dT%02d:%02d:%02dZ",
		 t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
		 t.tm_sec);
	return d;
}
