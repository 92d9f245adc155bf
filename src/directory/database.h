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

#endif
