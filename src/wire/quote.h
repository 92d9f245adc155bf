/*
 * Foreign bytes for a sentence: printable ASCII, cut, the rest as \xNN.
 *
 *	return fail("bad domain \"%s\"", quote(s).c);
 */
#ifndef WIRE_QUOTE_H
#define WIRE_QUOTE_H

#include "base/str.h"

struct quote {
	char c[72];
};

struct quote quote(struct str s);

#endif
