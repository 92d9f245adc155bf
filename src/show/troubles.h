/*
 * What is wrong with the server as a whole (troubles.def), as JSON:
 *
 *	{"what": "disk-low", "stops_mail": true, "text": "...",
 *	 "values": {"free": 12, "least": 256}, "detail": ""}
 *
 * "detail" is for administrators only: it may name files, or say what another
 * system said.  A list of them is in the order of troubles.def: the worst first.
 */
#ifndef SHOW_TROUBLES_H
#define SHOW_TROUBLES_H

#include "wire/json.h"

enum trouble {
#define TROUBLE(id, stops_mail, sentence) TROUBLE_##id,
#include "show/troubles.def"
#undef TROUBLE
	TROUBLES
};

/* A new reference. */
json_t *trouble_json(enum trouble t, const struct value *values,
		     struct str detail);
/* Is one in LIST that keeps mail from coming in? */
bool troubles_stop_mail(const json_t *list);
bool trouble_is(const json_t *one, enum trouble t);

#endif
