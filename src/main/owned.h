/*
 * Files and folders that the supervisor, which may be root, makes for the user
 * its children run as: as he would, so that a link of his leads root nowhere.
 */
#ifndef MAIN_OWNED_H
#define MAIN_OWNED_H

#include <stdio.h>
#include <sys/types.h>

#include "base/str.h"
#include "rt/privileges.h"

/* Others see the names in it.  One that is there has to let him write. */
bool owned_folder(const char *path, const struct person *owner) must_check;

/* PATH anew; NULL: cause().  Closing says whether all of it was written. */
FILE *owned_create(const char *path, mode_t mode, const struct person *owner);
bool owned_close(FILE *f, const char *path) must_check;

/* A file of TEXT, for its owner only. */
bool owned_text(const char *path, struct str text,
		const struct person *owner) must_check;

/* The same in place of one that others read meanwhile: they find the old one or
 * the new one, and never half of it. */
bool owned_replace(const char *path, struct str text,
		   const struct person *owner) must_check;

#endif
