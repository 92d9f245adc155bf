/*
 * The trail's entries: NODE ":" MAC, 16 hex digits and 16 of base64url.
 *
 *	trail = [ entry *( "," entry ) ]
 *	entry = 16HEXDIG ":" 16( ALPHA / DIGIT / "-" / "_" )
 *
 * A trail arrives from anybody.  What is not an entry is never passed on, so
 * nothing in it can break a command or a header line; our own entries are
 * compared in constant time, so that nobody can guess one piece by piece.
 */
#include "route/guard.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mutants.h"
#include "directory/directory.h"

enum {
	NODE_CHARS = 16,
	MAC_BYTES = 12,
	MAC_CHARS = 16,
	ENTRY_CHARS = NODE_CHARS + 1 + MAC_CHARS,
	ADD_MOST = LIMIT_TRAIL_BYTES / (ENTRY_CHARS + 1),
};

struct guard {
	char id[NODE_CHARS + 1];
	uint8_t key[32];
};

struct guard *guard_open(const struct node *node)
{
	struct guard *g = must_alloc(sizeof(*g));

	check(sodium_init() >= 0);
	memcpy(g->id, node->id, sizeof(g->id));
	memcpy(g->key, node->key, sizeof(g->key));
	return g;
}

void guard_close(struct guard *g)
{
	if (!g)
		return;
	sodium_memzero(g, sizeof(*g));
	free(g);
}

/* Into ENTRY_CHARS + 1 bytes at TO. */
static void write_entry(const struct guard *g, struct str key, char *to)
{
	uint8_t mac[32];

	crypto_generichash(mac, sizeof(mac), (const uint8_t *)key.p, key.n,
			   g->key, sizeof(g->key));
	memcpy(to, g->id, NODE_CHARS);
	to[NODE_CHARS] = ':';
	sodium_bin2base64(to + NODE_CHARS + 1, MAC_CHARS + 1, mac, MAC_BYTES,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

struct str guard_entry(const struct guard *g, struct str key,
		       struct arena *arena)
{
	char *entry = arena_alloc(arena, ENTRY_CHARS + 1);

	write_entry(g, key, entry);
	return (struct str){ entry, ENTRY_CHARS };
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_base64url(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

static bool is_entry(struct str s)
{
	if (s.n != ENTRY_CHARS || s.p[NODE_CHARS] != ':')
		return false;
	for (size_t i = 0; i < NODE_CHARS; i++)
		if (!is_hex(s.p[i]))
			return false;
	for (size_t i = NODE_CHARS + 1; i < ENTRY_CHARS; i++)
		if (!is_base64url(s.p[i]))
			return false;
	return true;
}

/* The next thing in *REST that is an entry. */
static bool next_entry(struct str *rest, struct str *entry)
{
	while (str_split(rest, ',', entry)) {
		*entry = str_trim(*entry);
		if (is_entry(*entry))
			return true;
	}
	return false;
}

bool guard_is_in(const struct guard *g, struct str trail)
{
	struct str entry;

	while (next_entry(&trail, &entry))
		if (str_starts(entry, str_of(g->id)))
			return true;
	return false;
}

bool guard_was_here(const struct guard *g, struct str trail, struct str key)
{
	char own[ENTRY_CHARS + 1];
	struct str entry;
	bool found = false, have_own = false;

	while (next_entry(&trail, &entry)) {
		if (memcmp(entry.p, g->id, NODE_CHARS) != 0)
			continue;
		if (!have_own)
			write_entry(g, key, own);
		have_own = true;
		found |= sodium_memcmp(entry.p, own, ENTRY_CHARS) == 0 ||
			 MUTANT(guard_by_mail);
	}
	return found;
}

/* A trail as a table of entries, oldest first. */
struct entries {
	struct str e[LIMIT_TRAIL_JOINED];
	size_t n;
};

static void drop_entry(struct entries *all, size_t i)
{
	memmove(&all->e[i], &all->e[i + 1],
		(all->n - i - 1) * sizeof(all->e[0]));
	all->n--;
}

static void add_entry(struct entries *all, struct str entry)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_same(all->e[i], entry))
			return;
	if (all->n == LIMIT_TRAIL_JOINED)
		drop_entry(all, 0);
	all->e[all->n++] = entry;
}

static void add_entries(struct entries *all, struct str trail)
{
	struct str entry;

	while (next_entry(&trail, &entry))
		add_entry(all, entry);
}

static struct str entries_text(const struct entries *all, struct arena *arena)
{
	char *text, *to;

	if (all->n == 0)
		return STR_NONE;
	text = to = arena_alloc(arena, all->n * (ENTRY_CHARS + 1));
	for (size_t i = 0; i < all->n; i++) {
		memcpy(to, all->e[i].p, ENTRY_CHARS);
		to[ENTRY_CHARS] = ',';
		to += ENTRY_CHARS + 1;
	}
	to[-1] = '\0';
	return (struct str){ text, (size_t)(to - text) - 1 };
}

/* Whose node is not that of ENTRY; n: none. */
static size_t oldest_foreign(const struct entries *all, struct str entry)
{
	size_t i = 0;

	while (i < all->n && memcmp(all->e[i].p, entry.p, NODE_CHARS) == 0)
		i++;
	return i;
}

struct str trail_add(struct str trail, struct str entry, struct arena *arena)
{
	struct entries all;

	all.n = 0;
	add_entries(&all, trail);
	add_entry(&all, entry);
	while (all.n > ADD_MOST) {
		size_t foreign = oldest_foreign(&all, entry);

		drop_entry(&all, foreign < all.n ? foreign : 0);
	}
	return entries_text(&all, arena);
}

struct str trail_join(struct str a, struct str b, struct arena *arena)
{
	struct entries all;

	all.n = 0;
	add_entries(&all, a);
	add_entries(&all, b);
	return entries_text(&all, arena);
}
