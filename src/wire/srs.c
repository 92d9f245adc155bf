/*
 * SRS0 and SRS1 (srs.h).
 *
 * The hash is over what stands behind it, in small letters, with the kind in
 * front, so that no SRS1 can be taken for an SRS0.
 */
#include "wire/srs.h"

#include <sodium.h>

#include "wire/address.h"

enum {
	HASH_LETTERS = 8,
	DAYS_ROUND = 1024, /* two letters of base32 */
	TAG_BYTES = 4,     /* "SRS0" */
};

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* ---- hash and day ---- */

static void hash(const uint8_t key[SRS_KEY_BYTES], char kind, struct str text,
		 char to[HASH_LETTERS])
{
	crypto_auth_hmacsha256_state h;
	uint8_t digest[crypto_auth_hmacsha256_BYTES];
	uint64_t bits = 0;

	crypto_auth_hmacsha256_init(&h, key, SRS_KEY_BYTES);
	crypto_auth_hmacsha256_update(&h, (const uint8_t *)&kind, 1);
	for (size_t i = 0; i < text.n; i++) {
		char c = lower(text.p[i]);

		crypto_auth_hmacsha256_update(&h, (const uint8_t *)&c, 1);
	}
	crypto_auth_hmacsha256_final(&h, digest);
	for (int i = 0; i < 5; i++)
		bits = bits << 8 | digest[i];
	for (int i = 0; i < HASH_LETTERS; i++, bits >>= 5)
		to[i] = lower(letters[bits & 31]);
}

static bool is_hash(const uint8_t key[SRS_KEY_BYTES], char kind,
		    struct str said, struct str text)
{
	char right[HASH_LETTERS], given[HASH_LETTERS];

	if (said.n != HASH_LETTERS)
		return false;
	for (int i = 0; i < HASH_LETTERS; i++)
		given[i] = lower(said.p[i]);
	hash(key, kind, text, right);
	return sodium_memcmp(right, given, HASH_LETTERS) == 0;
}

static int letter_value(char c)
{
	for (int i = 0; i < 32; i++)
		if (lower(letters[i]) == lower(c))
			return i;
	return -1;
}

/* In days; a clock that is a day behind does no harm.  False: no day. */
static bool is_expired(struct str said, int64_t day, bool *out)
{
	int high, low;
	int64_t age;

	if (said.n != 2)
		return false;
	high = letter_value(said.p[0]);
	low = letter_value(said.p[1]);
	if (high < 0 || low < 0)
		return false;
	age = (day - (high * 32 + low)) % DAYS_ROUND;
	if (age < 0)
		age += DAYS_ROUND;
	*out = age > SRS_DAYS && age != DAYS_ROUND - 1;
	return true;
}

/* ---- parts ---- */

/* "SRS0=": *REST is what follows the tag, its separator in front. */
static bool has_tag(struct str local, char kind, struct str *rest)
{
	if (local.n < TAG_BYTES + 1 || !str_starts_nocase(local, S("SRS")) ||
	    local.p[TAG_BYTES - 1] != kind ||
	    !memchr("=+-", local.p[TAG_BYTES], 3))
		return false;
	*rest = str_from(local, TAG_BYTES);
	return true;
}

/* "a=b": false when there is no '=', or nothing before it. */
static bool take(struct str *rest, struct str *part)
{
	ptrdiff_t at = str_find(*rest, '=');

	if (at <= 0)
		return false;
	*part = str_part(*rest, 0, (size_t)at);
	*rest = str_from(*rest, (size_t)at + 1);
	return true;
}

static bool join(struct str local, struct str domain, struct arena *arena,
		 struct str *out)
{
	struct address a;

	*out = arena_strf(arena, "%.*s@%.*s", STR(local_written(local, arena)),
			  STR(domain));
	return address_parse(*out, arena, &a);
}

/* "hash=first.test==...": who rewrote it first, and as what.  False: nothing
 * could be returned by that. */
static bool take_srs1(struct str text, struct arena *arena, struct str *first,
		      struct str *rest)
{
	struct str said, name, mailbox;

	*rest = text;
	return take(rest, &said) && take(rest, &name) && rest->n &&
	       memchr("=+-", rest->p[0], 3) &&
	       domain_parse(name, arena, first) &&
	       join(arena_strf(arena, "SRS0%.*s", STR(*rest)), *first, arena,
		    &mailbox);
}

/* The local part as it is written, without quotes; letters keep their case. */
static bool split(struct str mailbox, struct arena *arena, struct str *local,
		  struct str *domain)
{
	struct address a;

	if (!address_parse(mailbox, arena, &a))
		return false;
	*local = address_local(&a, arena);
	*domain = a.domain;
	return !str_empty(a.domain) ||
	       fail("\"%.*s\" has no domain", STR(mailbox));
}

/* ---- there ---- */

static struct str srs0(const uint8_t *key, struct str local, struct str domain,
		       int64_t day, struct arena *arena)
{
	unsigned d = (unsigned)(day % DAYS_ROUND);
	struct str text = arena_strf(arena, "%c%c=%.*s=%.*s", letters[d / 32],
				     letters[d % 32], STR(domain), STR(local));
	char h[HASH_LETTERS];

	hash(key, '0', text, h);
	return arena_strf(arena, "SRS0=%.*s=%.*s", HASH_LETTERS, h, STR(text));
}

/* REST keeps what the first forwarder has written. */
static struct str srs1(const uint8_t *key, struct str rest, struct str domain,
		       struct arena *arena)
{
	struct str text =
		arena_strf(arena, "%.*s=%.*s", STR(domain), STR(rest));
	char h[HASH_LETTERS];

	hash(key, '1', text, h);
	return arena_strf(arena, "SRS1=%.*s=%.*s", HASH_LETTERS, h, STR(text));
}

bool srs_forward(const uint8_t key[SRS_KEY_BYTES], struct str sender,
		 struct str domain, int64_t day, struct arena *arena,
		 struct str *out)
{
	struct str local, from, rest, first;

	if (!split(sender, arena, &local, &from))
		return false;
	if (has_tag(local, '0', &rest))
		return join(srs1(key, rest, from, arena), domain, arena, out);
	/* the first forwarder is told, whoever came between */
	if (has_tag(local, '1', &rest) &&
	    take_srs1(str_from(rest, 1), arena, &first, &rest))
		return join(srs1(key, rest, first, arena), domain, arena, out);
	return join(srs0(key, local, from, day, arena), domain, arena, out);
}

/* ---- and back ---- */

static enum srs_verdict reverse0(const uint8_t *key, struct str rest,
				 int64_t day, struct arena *arena,
				 struct str *out)
{
	struct str said, text, when, domain;
	bool expired;

	rest = str_from(rest, 1);
	if (!take(&rest, &said))
		return SRS_NOT;
	text = rest;
	if (!take(&rest, &when) || !take(&rest, &domain) || str_empty(rest) ||
	    !is_hash(key, '0', said, text) ||
	    !is_expired(when, day, &expired) || !join(rest, domain, arena, out))
		return SRS_NOT;
	return expired ? SRS_EXPIRED : SRS_GOOD;
}

static enum srs_verdict reverse1(const uint8_t *key, struct str rest,
				 struct arena *arena, struct str *out)
{
	struct str said, text, domain;

	rest = str_from(rest, 1);
	if (!take(&rest, &said))
		return SRS_NOT;
	text = rest;
	if (!take(&rest, &domain) || str_empty(rest) ||
	    !is_hash(key, '1', said, text) ||
	    !join(arena_strf(arena, "SRS0%.*s", STR(rest)), domain, arena, out))
		return SRS_NOT;
	return SRS_GOOD;
}

enum srs_verdict srs_reverse(const uint8_t key[SRS_KEY_BYTES],
			     struct str recipient, int64_t day,
			     struct arena *arena, struct str *out)
{
	struct str local, domain, rest;

	if (!split(recipient, arena, &local, &domain))
		return SRS_NOT;
	if (has_tag(local, '0', &rest))
		return reverse0(key, rest, day, arena, out);
	if (has_tag(local, '1', &rest))
		return reverse1(key, rest, arena, out);
	return SRS_NOT;
}
