/*
 * How people write a name that is not ASCII, when they log in.
 *
 * Here names are compared in canonical form (wire/address.h).  Dovecot, which
 * asks for a login by SQL, can only fold ASCII letters: the other ways to write
 * a domain or a local part stand in tables, made by two functions of SQL when
 * the name is:
 *
 *	domain_spellings('xn--mller-kva.example')
 *		["müller.example", "mÜller.example", "mu\u0308ller.example"]
 *	local_spellings('élodie')
 *		["Élodie", "e\u0301lodie"]
 *
 * Composed and decomposed, in small letters, in capitals, with a capital at
 * each beginning; ASCII letters are always small, as Dovecot has made them.
 * None for a name that is ASCII through and through.
 */
#ifndef DIRECTORY_SPELLING_H
#define DIRECTORY_SPELLING_H

#include "db/sql.h"

/* The two of db/sql.h. */
void domain_spellings_call(struct sql_call *c);
void local_spellings_call(struct sql_call *c);

#endif
