/*
 * Times as JSON (values.h).
 */
#include "show/values.h"

#include "rt/clock.h"

json_t *json_time(int64_t wall_ms)
{
	return json_string(date_iso(wall_ms).c);
}

json_t *json_time_or_null(int64_t wall_ms)
{
	return wall_ms ? json_time(wall_ms) : json_null();
}

json_t *json_time_s(int64_t seconds)
{
	return json_time(seconds * 1000);
}

const char *show_hop_kind(const struct next_hop *h)
{
	switch (h->kind) {
	case NEXT_HOP_MAILBOXES:
		return "mailboxes";
	case NEXT_HOP_SYSTEM:
	case NEXT_HOP_RELAY:
		return "system";
	case NEXT_HOP_INTERNET:
	case NEXT_HOP_UNDECIDED:
		break;
	}
	return "internet";
}
