/*
 * Text as it is searched, without regard to case and accents: a function of
 * SQL for both sides of a LIKE, which is itself blind to the case of ASCII.
 *
 *	fold(name) LIKE fold('%ZÖLÄ%')
 *
 *	Émile Zölä	emile zola
 *	Strauß		strauss
 *	Ann		Ann: of ASCII alone nothing is changed
 *
 * No character turns into one that means something to LIKE, so that a pattern
 * stays the same pattern.
 */
#ifndef DIRECTORY_FOLD_H
#define DIRECTORY_FOLD_H

#include "db/sql.h"

/* fold() of db/sql.h. */
void fold_call(struct sql_call *c);

#endif
