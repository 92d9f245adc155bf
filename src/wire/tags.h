/*
 * Lists of tags, as records of DMARC, DKIM and TLSRPT are written:
 * "v=DMARC1; p=none".
 *
 *	list = tag *( ";" tag ) [ ";" ]
 *	tag  = *WSP name *WSP "=" *WSP value *WSP
 *
 *	while (tags_next(&text, &tag))
 *		...
 */
#ifndef WIRE_TAGS_H
#define WIRE_TAGS_H

#include "base/str.h"

struct tag {
	struct str name, value;
	bool is_malformed; /* no "name=value": NAME is all of it */
};

/* The next one that is not empty; false: no more. */
bool tags_next(struct str *rest, struct tag *out);
/* Of the first of this name; false: there is none. */
bool tags_find(struct str list, struct str name, struct str *value);
/* Does the list begin with v=VERSION? */
bool tags_begin(struct str list, struct str version);

#endif
