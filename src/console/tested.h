/*
 * What the last test of each system found (relay_test.h), for a system that
 * has had no mail yet: "it answered the test at 3:05" says more than "not
 * known".  In the console's memory only; the oldest is forgotten.
 */
#ifndef CONSOLE_TESTED_H
#define CONSOLE_TESTED_H

#include "base/str.h"

struct tested {
	int64_t at_wall_ms;
	bool is_good; /* one of its hosts would take mail */
};

/* HOSTS as hosts_text() spells them. */
void tested_note(struct str hosts, struct tested what);
/* False: it was not tested. */
bool tested_find(struct str hosts, struct tested *out) must_check;

#endif
