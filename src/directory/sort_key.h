/*
 * The place of a login in lists: by its local part, numbers in it by their
 * size, then by its domain.
 *
 *	user1@b.test, user2@a.test, user2@b.test, user10@a.test
 *
 * The key is stored with each holder, so that a page is found in an index; it
 * is computed where a login is written:
 *
 *	INSERT INTO holder (..., login, sort_key)
 *		VALUES (..., ?1, sort_key(?1))
 *
 * Keys are compared byte by byte, and no two logins have the same.
 */
#ifndef DIRECTORY_SORT_KEY_H
#define DIRECTORY_SORT_KEY_H

#include "db/sql.h"

/* sort_key() of db/sql.h. */
void sort_key_call(struct sql_call *c);

#endif
