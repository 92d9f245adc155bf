/* The folder of certificates (certificates.h). */
#include "main/certificates.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "main/certificate_files.h"
#include "main/certificates_inside.h"
#include "rt/clock.h"
#include "rt/folder.h"
#include "rt/log.h"
#include "rt/worker.h"

enum { NAMES_SAID = 5 }; /* in one line of the log */

struct certificates {
	const struct config *config;
	const struct person *owner;
	struct entry *entries; /* in the order of their names */
	size_t n, n_ended;
	struct wrong folder;
	bool is_new;        /* to be written, or told */
	bool is_new_to_all; /* and served */
	const char *pairs_path, *told_path;
	bool has_dovecot;
	enum dovecot_version version;
};

const char *certificates_pairs_path(const struct config *config)
{
	return config_path(config, "run/certificates.pem");
}

static void entry_free(struct entry *e)
{
	arena_close(e->arena);
	buf_free(&e->pair);
	free(e->name);
}

static void entry_new(struct entry *e, const char *name)
{
	*e = (struct entry){ .name = strdup(name) };
	check(e->name);
}

void certificates_close(struct certificates *cs)
{
	for (size_t i = 0; cs && i < cs->n; i++)
		entry_free(&cs->entries[i]);
	if (cs)
		free(cs->entries);
	free(cs);
}

void certificates_tell_dovecot(struct certificates *cs,
			       enum dovecot_version version)
{
	cs->has_dovecot = true;
	cs->version = version;
}

/* ---- one entry; this blocks ---- */

struct paths {
	const char *chain, *key;
};

static struct paths paths_of(const char *folder, const struct entry *e,
			     struct arena *arena)
{
	const char *own = arena_printf(arena, "%s/%s", folder, e->name);
	int without_suffix = (int)(strlen(own) - strlen(".crt"));

	switch (e->form) {
	case ENTRY_FOLDER:
		return (struct paths){
			arena_printf(arena, "%s/fullchain.pem", own),
			arena_printf(arena, "%s/privkey.pem", own),
		};
	case ENTRY_TWO_FILES:
		return (struct paths){ own, arena_printf(arena, "%.*s.key",
							 without_suffix, own) };
	case ENTRY_FILE:
	case ENTRY_NONE:
		break;
	}
	return (struct paths){ own, own };
}

static bool take_pair(struct entry *e, const struct paths *paths)
{
	struct buf chain scoped(buf) = BUF_EMPTY, key scoped(buf) = BUF_EMPTY;
	struct buf pair scoped(buf) = BUF_EMPTY;
	struct arena *arena = arena_open();
	struct tls_said said;
	bool ok;

	ok = certificate_read(paths->chain, LIMIT_CERTIFICATE_BYTES, &chain) &&
	     certificate_read(paths->key, LIMIT_CERTIFICATE_BYTES, &key) &&
	     tls_pair_read(&(struct tls_texts){ buf_str(&chain), buf_str(&key),
						paths->chain, paths->key },
			   arena, &said, &pair);
	if (ok && said.n_names == 0)
		ok = fail("%s: no host's name is in it (subjectAltName)",
			  paths->chain);
	if (!ok || str_same(buf_str(&pair), buf_str(&e->pair))) {
		arena_close(arena);
		return ok;
	}
	arena_close(e->arena);
	e->arena = arena;
	e->said = said;
	buf_clear(&e->pair);
	buf_add(&e->pair, buf_str(&pair));
	e->is_renewed = true;
	return true;
}

/* Again and again while it is wrong, as the one certificate. */
static void look_at(struct certificates *cs, struct entry *e)
{
	struct arena *arena scoped(arena) = arena_open();
	struct paths paths = paths_of(cs->config->certificates, e, arena);
	struct stamp now[] = { stamp_of(paths.chain), stamp_of(paths.key) };

	e->is_changed = !stamp_same(&now[0], &e->seen[0]) ||
			!stamp_same(&now[1], &e->seen[1]);
	if (!e->is_changed && !e->wrong.is && e->is_read)
		return;
	e->seen[0] = now[0];
	e->seen[1] = now[1];
	e->is_read = true;
	e->wrong.is = !take_pair(e, &paths);
	if (e->wrong.is)
		failure_save(&e->wrong.why);
}

/* ---- the folder; this blocks ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name,
		      ((const struct entry *)b)->name);
}

static struct entry *find(const struct certificates *cs, const char *name)
{
	struct entry wanted = { .name = (char *)name };

	return cs->n == 0 ? NULL
			  : bsearch(&wanted, cs->entries, cs->n, sizeof(wanted),
				    by_name);
}

static bool has_suffix(const char *name, const char *suffix)
{
	return str_ends(str_of(name), str_of(suffix)) &&
	       strlen(name) > strlen(suffix);
}

static enum entry_form form_of(DIR *folder, const char *name)
{
	struct stat st;

	if (name[0] == '.')
		return ENTRY_NONE;
	if (fstatat(dirfd(folder), name, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return ENTRY_FOLDER;
	if (has_suffix(name, ".crt") && !has_suffix(name, ".issuer.crt"))
		return ENTRY_TWO_FILES;
	return has_suffix(name, ".pem") ? ENTRY_FILE : ENTRY_NONE;
}

struct listing {
	struct entry *all;
	size_t n, room;
};

/* One that was there goes over with all that is known of it: once, though a
 * folder that changes meanwhile may be read to have it twice. */
static void add(struct certificates *cs, struct listing *l, const char *name,
		enum entry_form form)
{
	struct entry *old = find(cs, name), *e;

	if (old && old->is_moved)
		return;
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 16;
		l->all = must_realloc(l->all, l->room * sizeof(*l->all));
	}
	e = &l->all[l->n++];
	if (old) {
		*e = *old;
		old->is_moved = true;
	} else {
		entry_new(e, name);
	}
	e->form = form;
}

static void use(struct certificates *cs, const struct listing *l)
{
	for (size_t i = 0; i < cs->n; i++) {
		if (cs->entries[i].is_moved)
			continue;
		cs->is_new = cs->is_new_to_all = true;
		entry_free(&cs->entries[i]);
	}
	free(cs->entries);
	cs->entries = l->all;
	cs->n = l->n;
	if (cs->n > 0)
		qsort(cs->entries, cs->n, sizeof(*cs->entries), by_name);
}

/* The folder nobody named need not be there.  One that cannot be read now says
 * nothing of what was in it. */
static bool list(struct certificates *cs, bool *readable)
{
	const struct config *c = cs->config;
	DIR *d = opendir(c->certificates);
	struct listing l = { NULL, 0, 0 };
	struct dirent *one;
	enum entry_form form;
	bool fits = true;

	if (!d && (errno != ENOENT || c->certificates_are_named)) {
		*readable = false;
		return fail("the folder %s: %m", c->certificates);
	}
	while (d && fits && (one = readdir(d))) {
		form = form_of(d, one->d_name);
		if (form == ENTRY_NONE)
			continue;
		fits = l.n < LIMIT_CERTIFICATES;
		if (fits)
			add(cs, &l, one->d_name, form);
	}
	if (d)
		closedir(d);
	use(cs, &l);
	return fits || fail("the folder %s has more than %d certificates: "
			    "not all are served",
			    c->certificates, LIMIT_CERTIFICATES);
}

static bool look_now(void *certificates)
{
	struct certificates *cs = certificates;
	bool readable = true;

	cs->folder.is = !list(cs, &readable);
	if (cs->folder.is)
		failure_save(&cs->folder.why);
	for (size_t i = 0; readable && i < cs->n; i++)
		look_at(cs, &cs->entries[i]);
	return true;
}

static bool write_now(void *certificates)
{
	const struct certificates *cs = certificates;
	struct buf pairs scoped(buf) = BUF_EMPTY, told scoped(buf) = BUF_EMPTY;

	for (size_t i = 0; i < cs->n; i++)
		buf_add(&pairs, buf_str(&cs->entries[i].pair));
	certificates_tell(cs->entries, cs->n, &cs->folder, &told);
	return certificate_write(cs->pairs_path, buf_str(&pairs), cs->owner) &&
	       certificate_write(cs->told_path, buf_str(&told), cs->owner) &&
	       (!cs->has_dovecot ||
		dovecot_write_named(cs->config, cs->version, cs->owner,
				    cs->entries, cs->n));
}

/* ---- what an earlier run left; this blocks ---- */

static void recall_one(struct entry *e, struct str pair)
{
	struct tls_texts texts = { pair, pair, e->name, e->name };

	e->arena = arena_open();
	if (!tls_pair_read(&texts, e->arena, &e->said, &e->pair))
		buf_clear(&e->pair);
}

/* Those that were served, in the order of their pairs. */
static void recall(struct certificates *cs)
{
	struct buf told scoped(buf) = BUF_EMPTY, text scoped(buf) = BUF_EMPTY;
	struct str pairs, pair;
	json_t *all, *one, *entries;
	size_t i;

	if (!certificate_read(cs->told_path, SIZE_MAX, &told) ||
	    !certificate_read(cs->pairs_path, SIZE_MAX, &text))
		return;
	all = json_loadb(told.p, told.n, 0, NULL);
	entries = json_object_get(all, "certificates");
	pairs = buf_str(&text);
	cs->entries =
		calloc(json_array_size(entries) + 1, sizeof(*cs->entries));
	check(cs->entries);
	json_array_foreach(entries, i, one)
	{
		const char *name =
			json_string_value(json_object_get(one, "entry"));

		if (!name ||
		    !json_integer_value(json_object_get(one, "ends_ms")) ||
		    !tls_pair_next(&pairs, &pair))
			continue;
		entry_new(&cs->entries[cs->n], name);
		recall_one(&cs->entries[cs->n++], pair);
	}
	json_decref(all);
	if (cs->n > 0)
		qsort(cs->entries, cs->n, sizeof(*cs->entries), by_name);
}

struct certificates *certificates_open(const struct config *config,
				       const struct person *owner)
{
	struct certificates *cs = must_alloc(sizeof(*cs));

	*cs = (struct certificates){
		.config = config,
		.owner = owner,
		.is_new = true,
		.pairs_path = certificates_pairs_path(config),
		.told_path = config_path(config, CERTIFICATES_TOLD),
	};
	recall(cs);
	return cs;
}

/* ---- what is said ---- */

static const char *names_said(const struct tls_said *said, struct arena *arena)
{
	const char *all = "";
	size_t n = said->n_names < NAMES_SAID ? said->n_names : NAMES_SAID;

	for (size_t i = 0; i < n; i++)
		all = arena_printf(arena, "%s%s%.*s", all, i ? ", " : "",
				   STR(said->names[i]));
	if (n < said->n_names)
		all = arena_printf(arena, "%s and %zu more", all,
				   said->n_names - n);
	return all;
}

static void say(struct certificates *cs, struct entry *e, bool at_once)
{
	struct arena *arena scoped(arena) = arena_open();
	const char *name = log_safe(arena, str_of(e->name), NAME_MAX);
	const char *what = arena_printf(arena, "the certificate %s", name);
	const char *how = !e->wrong.is    ? ""
			  : e->pair.n > 0 ? " stays the old one"
					  : " is not served";

	if (certificate_say_wrong(&e->wrong, e->is_changed,
				  arena_printf(arena, "%s%s", what, how),
				  at_once))
		cs->is_new = true;
	if (e->is_renewed) {
		log_fact("serve", "a new certificate %s for %s, until %s", name,
			 names_said(&e->said, arena),
			 date_iso(e->said.ends_ms).c);
		cs->is_new = cs->is_new_to_all = true;
	}
	if (e->pair.n > 0)
		certificate_say_end(what, e->said.ends_ms, &e->warned);
	e->is_renewed = e->is_changed = false;
}

static size_t count_ended(const struct certificates *cs)
{
	size_t n = 0;

	for (size_t i = 0; i < cs->n; i++)
		if (cs->entries[i].pair.n > 0 &&
		    cs->entries[i].said.ends_ms <= wall_ms())
			n++;
	return n;
}

bool certificates_look(struct certificates *cs, bool at_once)
{
	size_t n_ended;
	bool is_new_to_all;

	check(offload(look_now, cs));
	if (certificate_say_wrong(&cs->folder, false, "certificates", at_once))
		cs->is_new = true;
	for (size_t i = 0; i < cs->n; i++)
		say(cs, &cs->entries[i], at_once);
	n_ended = count_ended(cs);
	if (n_ended != cs->n_ended) /* another may go before it */
		cs->is_new = cs->is_new_to_all = true;
	cs->n_ended = n_ended;
	if (!cs->is_new)
		return false;
	if (!offload(write_now, cs)) {
		log_error("serve", "certificates by name: %s", cause());
		return false;
	}
	is_new_to_all = cs->is_new_to_all;
	cs->is_new = cs->is_new_to_all = false;
	return is_new_to_all;
}

/* One of one kind: it is shown to everybody. */
struct instead certificates_of_host(const struct certificates *cs)
{
	struct arena *arena scoped(arena) = arena_open();
	struct served *all = certificates_served(cs->entries, cs->n, arena);
	struct instead instead = { .pair = STR_NONE };
	int found[KEY_KINDS];

	if (cs->config->certificate_is_named ||
	    !served_choose(all, cs->n, str_of(cs->config->hostname), wall_ms(),
			   found))
		return instead;
	for (int k = KEY_KINDS - 1; k >= 0; k--)
		if (found[k] >= 0) {
			const struct entry *e = &cs->entries[found[k]];

			instead = (struct instead){ buf_str(&e->pair),
						    e->said.ends_ms };
		}
	return instead;
}
