/*
 * What administrators have changed lately, for those who keep something that
 * follows from it.
 */
#ifndef DIRECTORY_NEWS_H
#define DIRECTORY_NEWS_H

#include "directory/directory.h"

/* A line of the change log. */
struct change_line {
	int64_t id;
	struct str noun, subject, field, old, new;
};

/* The newest line's id; 0: none. */
enum answer directory_last_change(struct directory *d, int64_t *id);
/* Up to MOST lines after AFTER, oldest first. */
enum answer directory_changes(struct directory *d, int64_t after, size_t most,
			      struct arena *arena, struct change_line *out,
			      size_t *n);

/* Each domain whose catch-all or postmaster is an ADDRESS, perhaps of another
 * domain: mail for the one follows the other.  As in lists.h. */
bool list_stand_ins(struct directory *d,
		    void (*each)(void *arg, struct str domain,
				 struct str address),
		    void *arg) must_check;

#endif
