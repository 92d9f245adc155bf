/*
 * Who runs a mail host: the part of its name that somebody has registered.
 *
 *	operator_of(S("alt1.aspmx.l.google.com"), arena)	"google.com"
 *	operator_of(S("mx.example.co.uk"), arena)		"example.co.uk"
 *
 * By the Public Suffix List that libpsl has built in.  The domains of a hoster
 * whose MX records lead to it are one destination for those who send.  A name
 * that nobody can register, and an address, is its own.
 */
#ifndef WIRE_OPERATOR_H
#define WIRE_OPERATOR_H

#include "base/arena.h"

/* In lower case, in ARENA. */
struct str operator_of(struct str host, struct arena *arena);

#endif
