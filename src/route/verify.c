/*
 * What other systems have said: a hash of (system, address) in order of use.
 *
 * uthash keeps its items in the order they were added; whatever is used is
 * taken out and added again, so the first item is the one to go when there
 * are too many.  Peers choose the keys: the hash is keyed (SipHash).
 *
 * The address "" stands for the system as a whole: it is down.  That is told
 * by trouble without a reply, and forgotten with the next answer.
 */
#include "route/verify.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/limits.h"
#include "rt/clock.h"

/* A cache belongs to one thread, so its key can. */
static _Thread_local uint8_t hash_key[crypto_shorthash_KEYBYTES];

static unsigned hash_of(const void *p, size_t n)
{
	union {
		uint8_t bytes[crypto_shorthash_BYTES];
		unsigned value;
	} out;

	crypto_shorthash(out.bytes, p, n, hash_key);
	return out.value;
}

#define HASH_FUNCTION(p, n, value) ((value) = hash_of((p), (n)))
#define uthash_fatal(what) check(!what)
#include <uthash.h>

enum {
	FRESH_YES_MS = 600000,
	FRESH_NO_MS = 30000,
	FRESH_TROUBLE_MS = 5000,
	CONFIRMED_MS = 7 * 24 * 3600 * 1000,
};

struct told {
	UT_hash_handle hh;
	enum verdict verdict;
	int code;
	char status[12];
	char *text; /* of a refusal or a 4xx; or NULL */
	size_t text_bytes;
	int64_t at_ms;
	bool was_confirmed;
	int64_t confirmed_ms;
	size_t key_bytes;
	char key[];
};

struct verification {
	struct told *all; /* the least recently used first */
	struct tally *open;
};

/* SYSTEM and ADDRESS as one key, on the stack. */
struct key {
	char c[LIMIT_PATH_BYTES + 1024];
	size_t n;
};

static void key_make(struct key *k, struct str system, struct str address)
{
	system = str_part(system, 0, 1000);
	address = str_part(address, 0, LIMIT_PATH_BYTES);
	if (system.n > 0)
		memcpy(k->c, system.p, system.n);
	k->c[system.n] = '|';
	if (address.n > 0)
		memcpy(k->c + system.n + 1, address.p, address.n);
	k->n = system.n + 1 + address.n;
}

struct verification *verification_open(struct tally *open_questions)
{
	struct verification *v = must_alloc(sizeof(*v));
	static const uint8_t none[sizeof(hash_key)];

	check(sodium_init() >= 0);
	if (memcmp(hash_key, none, sizeof(none)) == 0)
		randombytes_buf(hash_key, sizeof(hash_key));
	*v = (struct verification){ .open = open_questions };
	return v;
}

static void forget(struct verification *v, struct told *t)
{
	HASH_DEL(v->all, t);
	free(t->text);
	free(t);
}

void verification_close(struct verification *v)
{
	struct told *t, *next;

	if (!v)
		return;
	HASH_ITER (hh, v->all, t, next)
		forget(v, t);
	free(v);
}

static struct told *look_up(struct verification *v, const struct key *k)
{
	struct told *t;

	HASH_FIND(hh, v->all, k->c, k->n, t);
	return t;
}

static struct told *used_now(struct verification *v, struct told *t)
{
	HASH_DELETE(hh, v->all, t);
	HASH_ADD_KEYPTR(hh, v->all, t->key, t->key_bytes, t);
	return t;
}

static struct told *add(struct verification *v, const struct key *k)
{
	struct told *t;

	if (HASH_COUNT(v->all) >= LIMIT_VERIFICATIONS)
		forget(v, v->all);
	t = must_alloc(sizeof(*t) + k->n);
	memset(t, 0, sizeof(*t));
	memcpy(t->key, k->c, k->n);
	t->key_bytes = k->n;
	HASH_ADD_KEYPTR(hh, v->all, t->key, t->key_bytes, t);
	return t;
}

static bool is_fresh(const struct told *t, int64_t now)
{
	int64_t age = now - t->at_ms;

	switch (t->verdict) {
	case VERDICT_NOT_ASKED:
		return false;
	case VERDICT_YES:
		return age < FRESH_YES_MS;
	case VERDICT_NO:
		return age < FRESH_NO_MS;
	case VERDICT_TROUBLE:
		return age < FRESH_TROUBLE_MS;
	}
	return false;
}

static void report(const struct told *t, int64_t now, struct arena *arena,
                   struct finding *f)
{
	f->verdict = t->verdict;
	f->age_s = (now - t->at_ms) / 1000;
	f->reply.code = t->code;
	memcpy(f->reply.status, t->status, sizeof(f->reply.status));
	f->reply.text =
	        arena_str(arena, (struct str){ t->text, t->text_bytes });
}

struct finding verify_find(struct verification *v, struct str system,
                           struct str address_key, struct arena *arena)
{
	struct finding f = { .verdict = VERDICT_NOT_ASKED };
	int64_t now = now_ms();
	struct told *t;
	struct key k;

	key_make(&k, system, address_key);
	f.is_asked_now =
	        v->open && tally_count(v->open, (struct str){ k.c, k.n }) > 0;
	t = look_up(v, &k);
	if (t) {
		used_now(v, t);
		f.once_confirmed = t->was_confirmed &&
		                   now - t->confirmed_ms < CONFIRMED_MS;
		if (is_fresh(t, now)) {
			report(t, now, arena, &f);
			return f;
		}
	}
	key_make(&k, system, STR_NONE);
	t = look_up(v, &k);
	if (t && is_fresh(t, now))
		report(t, now, arena, &f);
	return f;
}

bool verify_begin(struct verification *v, struct str system,
                  struct str address_key)
{
	struct key k;

	if (!v->open)
		return true;
	key_make(&k, system, address_key);
	if (tally_add(v->open, (struct str){ k.c, k.n }) == 1)
		return true;
	tally_drop(v->open, (struct str){ k.c, k.n });
	return false;
}

/* What T was told, in memory of its own. */
static void write_down(struct told *t, enum verdict verdict,
                       const struct reply *reply)
{
	struct str text = reply ? reply->text : STR_NONE;

	free(t->text);
	t->text = NULL;
	t->verdict = verdict;
	t->at_ms = now_ms();
	t->code = reply ? reply->code : 0;
	memset(t->status, 0, sizeof(t->status));
	if (reply)
		memcpy(t->status, reply->status, sizeof(t->status) - 1);
	if (verdict == VERDICT_YES) {
		t->was_confirmed = true;
		t->confirmed_ms = t->at_ms;
		text = STR_NONE;
	}
	text = str_part(text, 0, LIMIT_VERIFIED_TEXT);
	t->text_bytes = text.n;
	if (text.n > 0) {
		t->text = must_alloc(text.n);
		memcpy(t->text, text.p, text.n);
	}
}

static void learn(struct verification *v, struct str system, struct str address,
                  enum verdict verdict, const struct reply *reply)
{
	struct told *t;
	struct key k;

	key_make(&k, system, address);
	t = look_up(v, &k);
	t = t ? used_now(v, t) : add(v, &k);
	write_down(t, verdict, reply);
}

static void answers_again(struct verification *v, struct str system)
{
	struct told *t;
	struct key k;

	key_make(&k, system, STR_NONE);
	t = look_up(v, &k);
	if (t)
		forget(v, t);
}

void verify_learn(struct verification *v, struct str system,
                  struct str address_key, enum verdict verdict,
                  const struct reply *reply)
{
	if (verdict == VERDICT_NOT_ASKED)
		return;
	learn(v, system, address_key, verdict, reply);
	if (verdict == VERDICT_TROUBLE && (!reply || reply->code == 0))
		learn(v, system, STR_NONE, verdict, reply);
	else
		answers_again(v, system);
}

void verify_end(struct verification *v, struct str system,
                struct str address_key, enum verdict verdict,
                const struct reply *reply)
{
	struct key k;

	key_make(&k, system, address_key);
	if (v->open)
		tally_drop(v->open, (struct str){ k.c, k.n });
	verify_learn(v, system, address_key, verdict, reply);
}
