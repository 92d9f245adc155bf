/*
 * Sessions and the throttle (sessions.h): two hash tables under one lock.
 */
#include "console/sessions.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "rt/clock.h"
#include "rt/random.h"

enum {
	KEY_BYTES = 160,
	ATTEMPTS = 20000,     /* remembered */
	FORGET_MS = 900000,   /* failures, after the last one */
	REMEMBER_S = 2592000, /* who has signed in: 30 days */
	WAIT_MAX_S = 60,
};

struct entry {
	char id[SESSION_CHARS + 1], csrf[SESSION_CHARS + 1];
	char *name;
	struct proof proof, next; /* hashes are its own */
	int64_t begun_ms, used_ms;
	UT_hash_handle hh;
};

struct attempt {
	char key[KEY_BYTES];
	unsigned failures;
	bool is_known; /* has signed in */
	int64_t last_ms, until_ms;
	UT_hash_handle hh;
};

struct sessions {
	pthread_mutex_t lock;
	int64_t idle_ms;
	struct entry *entries;
	struct attempt *attempts;
};

struct sessions *sessions_open(int64_t idle_s)
{
	struct sessions *s = must_alloc(sizeof(*s));

	*s = (struct sessions){ .idle_ms = idle_s * 1000 };
	check(pthread_mutex_init(&s->lock, NULL) == 0);
	return s;
}

static void drop(struct sessions *s, struct entry *e)
{
	HASH_DEL(s->entries, e);
	free(e->name);
	free((char *)e->proof.hash);
	free((char *)e->next.hash);
	free(e);
}

void sessions_close(struct sessions *s)
{
	struct attempt *a, *next;

	if (!s)
		return;
	while (s->entries)
		drop(s, s->entries);
	HASH_ITER (hh, s->attempts, a, next) {
		HASH_DEL(s->attempts, a);
		free(a);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- sessions ---- */

static char *copy(struct str s)
{
	char *p = must_alloc(s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return p;
}

static bool is_over(const struct sessions *s, const struct entry *e)
{
	int64_t now = now_ms();

	return now - e->used_ms > s->idle_ms ||
	       now - e->begun_ms > SESSION_LIFE_S * INT64_C(1000);
}

/* What is over, and the idlest one when all places are taken. */
static void make_room(struct sessions *s)
{
	struct entry *e, *next, *idlest = NULL;

	HASH_ITER (hh, s->entries, e, next) {
		if (is_over(s, e))
			drop(s, e);
		else if (!idlest || e->used_ms < idlest->used_ms)
			idlest = e;
	}
	if (HASH_COUNT(s->entries) >= SESSIONS)
		drop(s, idlest);
}

static void set_proof(struct proof *to, struct proof proof)
{
	free((char *)to->hash);
	*to = proof;
	if (proof.hash)
		to->hash = copy(str_of(proof.hash));
}

void session_begin(struct sessions *s, struct str name, struct proof proof,
		   struct session *out)
{
	struct entry *e = must_alloc(sizeof(*e));

	*e = (struct entry){ .name = copy(name) };
	set_proof(&e->proof, proof);
	random_name(e->id, SESSION_CHARS);
	random_name(e->csrf, SESSION_CHARS);
	e->begun_ms = e->used_ms = now_ms();
	memcpy(out->id, e->id, sizeof(out->id));
	memcpy(out->csrf, e->csrf, sizeof(out->csrf));
	out->name = NULL;
	out->proof = out->next = (struct proof){ NULL, 0 };
	pthread_mutex_lock(&s->lock);
	make_room(s);
	HASH_ADD_STR(s->entries, id, e);
	pthread_mutex_unlock(&s->lock);
}

static struct proof lend(struct proof p, struct arena *arena)
{
	if (p.hash)
		p.hash = arena_cstr(arena, str_of(p.hash));
	return p;
}

static bool look_up(struct sessions *s, const char *id, bool is_used,
		    struct arena *arena, struct session *out)
{
	struct entry *e;
	bool found;

	if (strlen(id) != SESSION_CHARS)
		return false;
	pthread_mutex_lock(&s->lock);
	HASH_FIND_STR(s->entries, id, e);
	found = e && !is_over(s, e);
	if (found) {
		if (is_used)
			e->used_ms = now_ms();
		memcpy(out->id, e->id, sizeof(out->id));
		memcpy(out->csrf, e->csrf, sizeof(out->csrf));
		out->name = arena_cstr(arena, str_of(e->name));
		out->proof = lend(e->proof, arena);
		out->next = lend(e->next, arena);
	} else if (e) {
		drop(s, e);
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

bool session_find(struct sessions *s, const char *id, struct arena *arena,
		  struct session *out)
{
	return look_up(s, id, true, arena, out);
}

bool session_look(struct sessions *s, const char *id, struct arena *arena,
		  struct session *out)
{
	return look_up(s, id, false, arena, out);
}

void session_end(struct sessions *s, const char *id)
{
	struct entry *e;

	pthread_mutex_lock(&s->lock);
	HASH_FIND_STR(s->entries, id, e);
	if (e)
		drop(s, e);
	pthread_mutex_unlock(&s->lock);
}

static bool same_proof(struct proof a, struct proof b)
{
	return a.hash && !strcmp(a.hash, b.hash) && a.totp == b.totp;
}

bool session_holds(const struct session *s, struct proof now)
{
	return same_proof(s->proof, now) || same_proof(s->next, now);
}

void session_expect(struct sessions *s, const char *id, struct proof next)
{
	struct entry *e;

	pthread_mutex_lock(&s->lock);
	HASH_FIND_STR(s->entries, id, e);
	if (e)
		set_proof(&e->next, next);
	pthread_mutex_unlock(&s->lock);
}

void session_end_all(struct sessions *s, struct str name, const char *keep,
		     struct proof proof)
{
	struct entry *e, *next;

	pthread_mutex_lock(&s->lock);
	HASH_ITER (hh, s->entries, e, next) {
		if (!str_same(str_of(e->name), name))
			continue;
		if (strcmp(e->id, keep)) {
			drop(s, e);
			continue;
		}
		set_proof(&e->proof, proof);
		set_proof(&e->next, (struct proof){ NULL, 0 });
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- the throttle ---- */

/* How many failures are free, by what is counted. */
enum counted { BY_BOTH, BY_ADDRESS, BY_NAME, COUNTED };

static const unsigned free_failures[] = {
	[BY_BOTH] = 5,     /* a person who mistypes */
	[BY_ADDRESS] = 20, /* an office behind one address */
	[BY_NAME] = 50,    /* a net of machines that guess */
};

/* Who has one IPv6 address has all of its /64. */
static struct inet_text place_of(const struct inet *client)
{
	struct inet place = *client;

	if (!inet_is_v4(client))
		memset(place.ip + 8, 0, 8);
	return inet_ip_text(&place);
}

static void key_of(enum counted by, struct str name, const struct inet *client,
		   char key[KEY_BYTES])
{
	struct inet_text address = place_of(client);

	if (by == BY_ADDRESS)
		name = STR_NONE;
	if (name.n > 63) /* no administrator's */
		name.n = 63;
	snprintf(key, KEY_BYTES, "%d %s %.*s", (int)by,
		 by == BY_NAME ? "" : address.c, STR(name));
}

static struct attempt *find(struct sessions *s, enum counted by,
			    struct str name, const struct inet *client)
{
	char key[KEY_BYTES];
	struct attempt *a;

	key_of(by, name, client, key);
	HASH_FIND_STR(s->attempts, key, a);
	if (a && a->failures && now_ms() - a->last_ms > FORGET_MS)
		a->failures = 0;
	return a;
}

static bool is_forgotten(const struct attempt *a)
{
	int64_t age_ms = now_ms() - a->last_ms;

	return a->is_known ? age_ms / 1000 > REMEMBER_S : age_ms > FORGET_MS;
}

static void sweep(struct sessions *s)
{
	struct attempt *a, *next;

	if (HASH_COUNT(s->attempts) < ATTEMPTS)
		return;
	HASH_ITER (hh, s->attempts, a, next) {
		if (!is_forgotten(a) && HASH_COUNT(s->attempts) < ATTEMPTS)
			continue;
		HASH_DEL(s->attempts, a);
		free(a);
	}
}

static struct attempt *find_or_add(struct sessions *s, enum counted by,
				   struct str name, const struct inet *client)
{
	struct attempt *a = find(s, by, name, client);

	if (a)
		return a;
	sweep(s);
	a = must_alloc(sizeof(*a));
	*a = (struct attempt){ .failures = 0 };
	key_of(by, name, client, a->key);
	HASH_ADD_STR(s->attempts, key, a);
	return a;
}

int64_t sign_in_wait_s(struct sessions *s, struct str name,
		       const struct inet *client)
{
	int64_t wait_ms = 0;
	struct attempt *both;

	pthread_mutex_lock(&s->lock);
	both = find(s, BY_BOTH, name, client);
	for (int by = 0; by < COUNTED; by++) {
		struct attempt *a = find(s, (enum counted)by, name, client);

		if (!a || (by == BY_NAME && both && both->is_known))
			continue;
		if (a->until_ms - now_ms() > wait_ms)
			wait_ms = a->until_ms - now_ms();
	}
	pthread_mutex_unlock(&s->lock);
	return (wait_ms + 999) / 1000;
}

void sign_in_failed(struct sessions *s, struct str name,
		    const struct inet *client)
{
	pthread_mutex_lock(&s->lock);
	for (int by = 0; by < COUNTED; by++) {
		struct attempt *a =
			find_or_add(s, (enum counted)by, name, client);
		unsigned over;

		a->last_ms = now_ms();
		if (++a->failures <= free_failures[by])
			continue;
		over = a->failures - free_failures[by];
		a->until_ms =
			a->last_ms +
			1000 * (over > 5 ? WAIT_MAX_S : INT64_C(1) << over);
	}
	pthread_mutex_unlock(&s->lock);
}

void sign_in_done(struct sessions *s, struct str name,
		  const struct inet *client)
{
	struct attempt *a;

	pthread_mutex_lock(&s->lock);
	a = find_or_add(s, BY_BOTH, name, client);
	a->failures = 0;
	a->is_known = true;
	a->last_ms = now_ms();
	pthread_mutex_unlock(&s->lock);
}
