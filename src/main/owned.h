/*
 * Files and folders that the supervisor, which may be root, makes for the user
 * its children run as.
 */
#ifndef MAIN_OWNED_H
#define MAIN_OWNED_H

#include <stdio.h>
#include <sys/types.h>

#include "base/fail.h"
#include "base/str.h"

/* Others see the names in it.  One that is there is his from now on. */
bool owned_folder(const char *path, unsigned uid, unsigned gid) must_check;

/* PATH anew; NULL: cause().  Closing says whether all of it was written. */
FILE *owned_create(const char *path, mode_t mode, unsigned uid, unsigned gid);
bool owned_close(FILE *f, const char *path) must_check;

/* A file of TEXT, for its owner only. */
bool owned_text(const char *path, struct str text, unsigned uid,
		unsigned gid) must_check;

#endif
