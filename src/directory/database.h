/*
 * directory.db as a file: made by init, brought up to this version's schema.
 *
 * The schema is schema.sql, built into the binary.  A file made by a newer
 * version is refused, never touched.
 */
#ifndef DIRECTORY_DATABASE_H
#define DIRECTORY_DATABASE_H

#include "directory/directory.h"

/*
 * A new directory at PATH with this node's identity and the superadministrator
 * admin0.  Refused when the file exists.  What was made is removed again when
 * it cannot be finished.
 */
bool directory_create(const char *path, struct str admin_password) must_check;
/* Run what schema.sql has above the file's version.  Before anybody else opens
 * it: `serve` and the command line begin with it. */
bool directory_migrate(const char *path) must_check;

/* Copy the file at PATH, as of one moment, to TO, which is new; others may read
 * and write it meanwhile. */
bool directory_copy(const char *path, const char *to) must_check;

/* The folder of each mailbox there may be, also of who was deleted and may come
 * back. */
bool directory_mailboxes(const char *path,
			 void (*each)(void *arg, struct str name),
			 void *arg) must_check;
/* Another node from now on: two that run with one id would take each other's mail
 * for their own that comes back. */
bool directory_renew_node(const char *path) must_check;

#endif
