/*
 * Dovecot's certificates by name: a file for each pair, called by its print, so
 * that no file ever changes what it is; and one that says which is for whom.
 *
 * Dovecot 2.3 takes of all blocks that match the first, 2.4 the last, and none
 * knows of end dates: who is shown what is decided here, for each name there is,
 * a name of its own before any wildcard.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main/certificates_inside.h"
#include "main/dovecot_conf.h"
#include "main/owned.h"
#include "rt/clock.h"

#define FOLDER "dovecot/certificates"

struct writing {
	const char *data;
	const struct person *owner;
	const struct entry *entries;
	size_t n;
	struct arena *arena;
};

static const char *file_of(const struct writing *w, const struct entry *e)
{
	return arena_printf(w->arena, "%s/" FOLDER "/%s.pem", w->data,
			    e->said.print);
}

/* What is there already is not written again: there may be a thousand. */
static bool write_pair(const struct writing *w, const struct entry *e)
{
	const char *path = file_of(w, e);
	struct buf now scoped(buf) = BUF_EMPTY;

	if (certificate_read(path, SIZE_MAX, &now) &&
	    str_same(buf_str(&now), buf_str(&e->pair)))
		return true;
	return certificate_write(path, buf_str(&e->pair), w->owner);
}

static bool write_pairs(const struct writing *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->entries[i].pair.n > 0 && !write_pair(w, &w->entries[i]))
			return false;
	return true;
}

/* ---- who is shown what ---- */

/* "*" is less than what begins any other name. */
static int wildcards_last(const void *a, const void *b)
{
	return str_compare(*(const struct str *)b, *(const struct str *)a);
}

/* Each once, sorted. */
static struct str *names_of(const struct served *all, size_t n,
			    struct arena *arena, size_t *n_names)
{
	size_t room = 0, kept = 0;
	struct str *names;

	for (size_t i = 0; i < n; i++)
		room += all[i].n_names;
	names = arena_array(arena, struct str, room);
	for (size_t i = 0, at = 0; i < n; i++)
		for (size_t k = 0; k < all[i].n_names; k++)
			names[at++] = all[i].names[k];
	if (room > 0)
		qsort(names, room, sizeof(*names), wildcards_last);
	for (size_t i = 0; i < room; i++)
		if (kept == 0 || !str_same(names[kept - 1], names[i]))
			names[kept++] = names[i];
	*n_names = kept;
	return names;
}

static void add_name(const struct writing *w, enum dovecot_version version,
		     struct str name, const int found[KEY_KINDS],
		     struct buf *to)
{
	const char *files[2] = { NULL, NULL };
	const char *text = arena_cstr(w->arena, name);
	size_t n = 0;

	for (int k = 0; k < KEY_KINDS && n < array_size(files); k++)
		if (found[k] >= 0)
			files[n++] = file_of(w, &w->entries[found[k]]);
	switch (version) {
	case DOVECOT_2_3:
		dovecot_23_named(text, files[0], files[1], to);
		break;
	case DOVECOT_2_4:
		dovecot_24_named(text, files[0], files[1], to);
		break;
	}
}

static void add_names(const struct writing *w, enum dovecot_version version,
		      struct buf *to)
{
	struct served *all = certificates_served(w->entries, w->n, w->arena);
	size_t n;
	struct str *names = names_of(all, w->n, w->arena, &n);
	int found[KEY_KINDS];

	for (size_t i = 0; i < n; i++) {
		size_t at = version == DOVECOT_2_3 ? i : n - 1 - i;

		if (served_choose(all, w->n, names[at], wall_ms(), found))
			add_name(w, version, names[at], found, to);
	}
}

/* ---- what is no longer named ---- */

static bool is_named(const struct writing *w, const char *file)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->entries[i].pair.n > 0 &&
		    !strncmp(file, w->entries[i].said.print,
			     strlen(w->entries[i].said.print)))
			return true;
	return false;
}

static void remove_others(const struct writing *w)
{
	const char *path = arena_printf(w->arena, "%s/" FOLDER, w->data);
	struct dirent *one;
	DIR *d;

	privileges_files_begin(w->owner);
	d = opendir(path);
	while (d && (one = readdir(d)))
		if (one->d_name[0] != '.' && !is_named(w, one->d_name))
			unlinkat(dirfd(d), one->d_name, 0);
	if (d)
		closedir(d);
	privileges_files_end();
}

bool dovecot_write_named(const struct config *c, enum dovecot_version version,
			 const struct person *owner,
			 const struct entry *entries, size_t n)
{
	struct arena *arena scoped(arena) = arena_open();
	const struct writing w = { c->data, owner, entries, n, arena };
	const char *path = arena_printf(arena, "%s/" DOVECOT_NAMED, c->data);
	const char *folder = arena_printf(arena, "%s/" FOLDER, c->data);
	struct buf text scoped(buf) = BUF_EMPTY;

	add_names(&w, version, &text);
	if (!owned_folder(folder, owner) || !write_pairs(&w) ||
	    !certificate_write(path, buf_str(&text), owner))
		return false;
	remove_others(&w);
	return true;
}
