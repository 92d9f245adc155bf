/*
 * Password hashes of other systems (password_import.h).
 *
 * The shapes are those of Dovecot's schemes and of crypt(5).  What an encoding
 * says is what remains to be looked at: {SSHA.hex} is hexadecimal, {SSHA} is
 * base64.
 */
#include "directory/password_import.h"

#include <sodium.h>

#include "base/limits.h"
#include "directory/password.h"

enum encoding { ENCODING_NONE, ENCODING_BASE64, ENCODING_HEX };

enum {
	MD5_BYTES = 16,
	SHA1_BYTES = 20,
	SHA256_BYTES = 32,
	SHA512_BYTES = 64,
	CRAM_MD5_BYTES = 32,
	SALT_BYTES = 255, /* at most, behind a digest */
};

static bool is_of(struct str s, const char *letters)
{
	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(letters, s.p[i]))
			return false;
	return true;
}

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
/* Of crypt(5), in the order of their values. */
static const char crypt_letters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz";

static bool is_number(struct str s, uint64_t least, uint64_t most)
{
	uint64_t n;

	return str_number(s, most, &n) && n >= least;
}

/* Takes PREFIX off. */
static bool take(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	*s = str_part(*s, prefix.n, s->n);
	return true;
}

/* What is in front of the next AT, which is taken, too. */
static bool take_until(struct str *s, char at, struct str *out)
{
	ptrdiff_t end = str_find(*s, at);

	if (end < 0)
		return false;
	*out = str_part(*s, 0, (size_t)end);
	*s = str_part(*s, (size_t)end + 1, s->n);
	return true;
}

/* What libxcrypt takes for one; the rest is printable. */
static bool is_salt(struct str s, size_t most)
{
	static const char never[] = "!*:;\\";

	for (size_t i = 0; i < s.n; i++)
		if (strchr(never, s.p[i]))
			return false;
	return s.n <= most;
}

/* "m=65536": its value. */
static bool take_value(struct str *s, struct str key, char at, uint64_t *out)
{
	struct str v;

	return take(s, key) && take_until(s, at, &v) &&
	       str_number(v, UINT32_MAX, out) && *out > 0;
}

/* ---- encodings ---- */

/* False: it is not encoded so. */
static bool decode(struct str text, enum encoding encoding, struct arena *arena,
		   struct str *out)
{
	uint8_t *to = arena_alloc(arena, text.n + 1);
	size_t n = 0;

	*out = text;
	switch (encoding) {
	case ENCODING_NONE:
		return true;
	case ENCODING_BASE64:
		if (sodium_base642bin(to, text.n, text.p, text.n, NULL, &n,
				      NULL, sodium_base64_VARIANT_ORIGINAL))
			return false;
		break;
	case ENCODING_HEX:
		if (sodium_hex2bin(to, text.n, text.p, text.n, NULL, &n, NULL))
			return false;
		break;
	}
	*out = (struct str){ (char *)to, n };
	return true;
}

static bool is_base64_of(struct str text, size_t least, size_t most,
			 struct arena *arena)
{
	struct str raw;

	return decode(text, ENCODING_BASE64, arena, &raw) && raw.n >= least &&
	       raw.n <= most;
}

/* ---- shapes ---- */

struct scheme;

/* One hash with its encoding taken off. */
struct looked_at {
	const struct scheme *scheme;
	struct str raw;
	struct arena *arena;
};

struct scheme {
	const char *name;
	enum encoding encoding; /* when the name has none */
	size_t bytes;           /* of its digest; 0: LOOK knows */
	enum hash_verdict (*look)(const struct looked_at *h);
	const char *shape; /* for people */
};

static enum hash_verdict shaped(bool right)
{
	return right ? HASH_GOOD : HASH_MISSHAPEN;
}

static enum hash_verdict look_digest(const struct looked_at *h)
{
	return shaped(h->raw.n == h->scheme->bytes);
}

static enum hash_verdict look_salted(const struct looked_at *h)
{
	return shaped(h->raw.n > h->scheme->bytes &&
		      h->raw.n <= h->scheme->bytes + SALT_BYTES);
}

/* "$1$" 0*8salt "$" 22hash */
static enum hash_verdict look_md5_crypt(const struct looked_at *h)
{
	struct str s = h->raw, salt;

	return shaped(take(&s, S("$1$")) && take_until(&s, '$', &salt) &&
		      is_salt(salt, 8) && s.n == 22 && is_of(s, crypt_letters));
}

static enum hash_verdict look_md5(const struct looked_at *h)
{
	struct str raw;

	if (str_starts(h->raw, S("$1$")))
		return look_md5_crypt(h);
	return shaped((h->raw.n == 2 * MD5_BYTES &&
		       decode(h->raw, ENCODING_HEX, h->arena, &raw)) ||
		      is_base64_of(h->raw, MD5_BYTES, MD5_BYTES, h->arena));
}

/* "$5$" [ "rounds=" 1*DIGIT "$" ] 0*16salt "$" hash */
static enum hash_verdict look_sha_crypt(struct str s, struct str prefix,
					size_t hash_letters)
{
	bool is_costly = false;
	struct str rounds, salt;

	if (!take(&s, prefix))
		return HASH_MISSHAPEN;
	if (take(&s, S("rounds="))) {
		if (!take_until(&s, '$', &rounds) ||
		    str_starts(rounds, S("0")) ||
		    !is_number(rounds, 1000, 999999999))
			return HASH_MISSHAPEN;
		is_costly = !is_number(rounds, 0, LIMIT_HASH_ROUNDS);
	}
	if (!take_until(&s, '$', &salt) || !is_salt(salt, 16) ||
	    s.n != hash_letters || !is_of(s, crypt_letters))
		return HASH_MISSHAPEN;
	return is_costly ? HASH_COSTLY : HASH_GOOD;
}

static enum hash_verdict look_sha256_crypt(const struct looked_at *h)
{
	return look_sha_crypt(h->raw, S("$5$"), 43);
}

static enum hash_verdict look_sha512_crypt(const struct looked_at *h)
{
	return look_sha_crypt(h->raw, S("$6$"), 86);
}

/* "$2" ( "a" / "b" / "x" / "y" ) "$" 2DIGIT "$" 53letters */
static enum hash_verdict look_blowfish(const struct looked_at *h)
{
	struct str s = h->raw, kind, cost;

	if (!take(&s, S("$2")) || !take_until(&s, '$', &kind) || kind.n != 1 ||
	    !is_of(kind, "abxy") || !take_until(&s, '$', &cost) ||
	    cost.n != 2 || !is_number(cost, 4, 31) || s.n != 53 ||
	    !is_of(s, crypt_letters))
		return HASH_MISSHAPEN;
	return is_number(cost, 4, LIMIT_HASH_BLOWFISH_COST) ? HASH_GOOD
							    : HASH_COSTLY;
}

static enum hash_verdict look_des(const struct looked_at *h)
{
	return shaped(h->raw.n == 13 && is_of(h->raw, crypt_letters));
}

/* 128 * R * 2^LOG2_N bytes are what scrypt works in. */
static bool is_too_large(unsigned log2_n, uint64_t r)
{
	return log2_n > 30 || r > 1024 ||
	       (r << log2_n) * 128 > (uint64_t)LIMIT_HASH_MEMORY_KIB * 1024;
}

static unsigned crypt_value(char letter)
{
	const char *at = strchr(crypt_letters, letter);

	return letter && at ? (unsigned)(at - crypt_letters) : 64;
}

/* "$7$" N 5r 5p salt "$" 43hash, or "$y$" flags N r [more] "$" salt "$" 43hash
 * with r and N as one letter each: what every tool writes. */
static enum hash_verdict look_scrypt(struct str s)
{
	struct str parameters, salt;
	unsigned log2_n;
	uint64_t r;

	if (take(&s, S("$7$"))) {
		if (!take_until(&s, '$', &parameters) || parameters.n < 11)
			return HASH_MISSHAPEN;
		log2_n = crypt_value(parameters.p[0]);
		r = crypt_value(parameters.p[1]) +
		    64 * (uint64_t)crypt_value(parameters.p[2]);
	} else {
		if (!take(&s, S("$y$")) || !take_until(&s, '$', &parameters) ||
		    parameters.n < 3 || !take_until(&s, '$', &salt) ||
		    !is_of(salt, crypt_letters))
			return HASH_MISSHAPEN;
		log2_n = crypt_value(parameters.p[1]) + 1;
		r = crypt_value(parameters.p[2]) + 1;
	}
	if (!is_of(parameters, crypt_letters) || s.n != 43 ||
	    !is_of(s, crypt_letters))
		return HASH_MISSHAPEN;
	return is_too_large(log2_n, r) ? HASH_COSTLY : HASH_GOOD;
}

static enum hash_verdict look_crypt(const struct looked_at *h)
{
	if (str_starts(h->raw, S("$1$")))
		return look_md5_crypt(h);
	if (str_starts(h->raw, S("$2")))
		return look_blowfish(h);
	if (str_starts(h->raw, S("$5$")))
		return look_sha256_crypt(h);
	if (str_starts(h->raw, S("$6$")))
		return look_sha512_crypt(h);
	if (str_starts(h->raw, S("$")))
		return look_scrypt(h->raw);
	return look_des(h);
}

/* "$1$" salt "$" rounds "$" 40HEXDIG */
static enum hash_verdict look_pbkdf2(const struct looked_at *h)
{
	struct str s = h->raw, salt, rounds, raw;

	if (!take(&s, S("$1$")) || !take_until(&s, '$', &salt) ||
	    !take_until(&s, '$', &rounds) ||
	    !is_number(rounds, 1, UINT32_MAX) || s.n != 2 * SHA1_BYTES ||
	    !decode(s, ENCODING_HEX, h->arena, &raw))
		return HASH_MISSHAPEN;
	return is_number(rounds, 1, LIMIT_HASH_ROUNDS) ? HASH_GOOD
						       : HASH_COSTLY;
}

/* rounds "," salt "," StoredKey "," ServerKey; Dovecot takes 4096 rounds at
 * least (RFC 5802, 5.1). */
static enum hash_verdict look_scram(const struct looked_at *h)
{
	size_t bytes = h->scheme->bytes;
	struct str s = h->raw, rounds, salt, stored;

	if (!take_until(&s, ',', &rounds) ||
	    !is_number(rounds, 4096, INT32_MAX) ||
	    !take_until(&s, ',', &salt) ||
	    !is_base64_of(salt, 1, SALT_BYTES, h->arena) ||
	    !take_until(&s, ',', &stored) ||
	    !is_base64_of(stored, bytes, bytes, h->arena) ||
	    !is_base64_of(s, bytes, bytes, h->arena))
		return HASH_MISSHAPEN;
	return is_number(rounds, 0, LIMIT_HASH_ROUNDS) ? HASH_GOOD
						       : HASH_COSTLY;
}

/* Base64 without its padding, of as many bytes. */
static bool is_bare_base64(struct str s, size_t least, size_t most)
{
	return s.n * 3 / 4 >= least && s.n * 3 / 4 <= most && s.n % 4 != 1 &&
	       is_of(s, base64_letters);
}

/* "$argon2id$v=19$m=" KiB ",t=" passes ",p=" lanes "$" salt "$" hash
 * (RFC 9106); version 19 is all that libsodium knows. */
static enum hash_verdict look_argon2(const struct looked_at *h)
{
	uint64_t memory_kib, passes, lanes;
	struct str s = h->raw, salt;

	if (!take(&s, S("$argon2id$v=19$")) && !take(&s, S("$argon2i$v=19$")))
		return HASH_MISSHAPEN;
	if (!take_value(&s, S("m="), ',', &memory_kib) ||
	    !take_value(&s, S("t="), ',', &passes) ||
	    !take_value(&s, S("p="), '$', &lanes) || lanes > 255 ||
	    memory_kib < 8 * lanes || !take_until(&s, '$', &salt) ||
	    !is_bare_base64(salt, 8, 64) || !is_bare_base64(s, 16, 96))
		return HASH_MISSHAPEN;
	if (memory_kib > LIMIT_HASH_MEMORY_KIB ||
	    memory_kib * passes > LIMIT_HASH_WORK_KIB)
		return HASH_COSTLY;
	return HASH_GOOD;
}

/* ---- the schemes ---- */

#define BASE64_OF "base64 of the digest"
#define BASE64_SALTED "base64 of the digest and its salt behind it"
#define CRYPT_TEXT "a text of crypt(5) such as $6$salt$... or $2y$10$..."
#define ARGON2_TEXT "$argon2id$v=19$m=65536,t=3,p=1$salt$hash"

static const struct scheme schemes[] = {
	{ "ARGON2ID", ENCODING_NONE, 0, look_argon2, ARGON2_TEXT },
	{ "ARGON2I", ENCODING_NONE, 0, look_argon2, ARGON2_TEXT },
	{ "BLF-CRYPT", ENCODING_NONE, 0, look_blowfish,
	  "$2y$10$ and 53 letters" },
	{ "SHA512-CRYPT", ENCODING_NONE, 0, look_sha512_crypt,
	  "$6$salt$ and 86 letters" },
	{ "SHA256-CRYPT", ENCODING_NONE, 0, look_sha256_crypt,
	  "$5$salt$ and 43 letters" },
	{ "MD5-CRYPT", ENCODING_NONE, 0, look_md5_crypt,
	  "$1$salt$ and 22 letters" },
	{ "DES-CRYPT", ENCODING_NONE, 0, look_des, "13 letters" },
	{ "CRYPT", ENCODING_NONE, 0, look_crypt, CRYPT_TEXT },
	{ "PBKDF2", ENCODING_NONE, 0, look_pbkdf2,
	  "$1$salt$rounds$ and 40 hexadecimal digits" },
	{ "SCRAM-SHA-256", ENCODING_NONE, SHA256_BYTES, look_scram,
	  "rounds,salt,StoredKey,ServerKey in base64" },
	{ "SCRAM-SHA-1", ENCODING_NONE, SHA1_BYTES, look_scram,
	  "rounds,salt,StoredKey,ServerKey in base64" },
	{ "SSHA512", ENCODING_BASE64, SHA512_BYTES, look_salted,
	  BASE64_SALTED },
	{ "SSHA256", ENCODING_BASE64, SHA256_BYTES, look_salted,
	  BASE64_SALTED },
	{ "SSHA", ENCODING_BASE64, SHA1_BYTES, look_salted, BASE64_SALTED },
	{ "SMD5", ENCODING_BASE64, MD5_BYTES, look_salted, BASE64_SALTED },
	{ "SHA512", ENCODING_BASE64, SHA512_BYTES, look_digest, BASE64_OF },
	{ "SHA256", ENCODING_BASE64, SHA256_BYTES, look_digest, BASE64_OF },
	{ "SHA1", ENCODING_BASE64, SHA1_BYTES, look_digest, BASE64_OF },
	{ "SHA", ENCODING_BASE64, SHA1_BYTES, look_digest, BASE64_OF },
	{ "LDAP-MD5", ENCODING_BASE64, MD5_BYTES, look_digest, BASE64_OF },
	{ "PLAIN-MD5", ENCODING_HEX, MD5_BYTES, look_digest,
	  "32 hexadecimal digits" },
	{ "PLAIN-MD4", ENCODING_HEX, MD5_BYTES, look_digest,
	  "32 hexadecimal digits" },
	{ "MD5", ENCODING_NONE, 0, look_md5, "$1$salt$ and 22 letters" },
	{ "CRAM-MD5", ENCODING_HEX, CRAM_MD5_BYTES, look_digest,
	  "64 hexadecimal digits" },
	{ "HMAC-MD5", ENCODING_HEX, CRAM_MD5_BYTES, look_digest,
	  "64 hexadecimal digits" },
};

/* Those from which a password can be read, or nearly so. */
static const char *const readable[] = { "PLAIN", "CLEAR", "CLEARTEXT",
					"PLAIN-TRUNC" };

static const struct scheme *find(struct str name)
{
	for (size_t i = 0; i < array_size(schemes); i++)
		if (str_same_nocase(name, str_of(schemes[i].name)))
			return &schemes[i];
	return NULL;
}

static bool is_readable(struct str name)
{
	for (size_t i = 0; i < array_size(readable); i++)
		if (str_same_nocase(name, str_of(readable[i])))
			return true;
	return false;
}

struct texts imported_hash_schemes(struct arena *arena)
{
	struct str *names = arena_array(arena, struct str, array_size(schemes));

	for (size_t i = 0; i < array_size(schemes); i++)
		names[i] = str_of(schemes[i].name);
	return (struct texts){ names, array_size(schemes) };
}

/* ---- the judgement ---- */

/* "SSHA.hex": the encoding's name, taken off NAME; empty: there is none. */
static struct str take_encoding(struct str *name)
{
	ptrdiff_t dot = str_find(*name, '.');
	struct str encoding = S("");

	if (dot < 0)
		return encoding;
	encoding = str_part(*name, (size_t)dot + 1, name->n);
	*name = str_part(*name, 0, (size_t)dot);
	return encoding;
}

static bool encoding_of(struct str name, enum encoding *out)
{
	if (str_same_nocase(name, S("hex")))
		*out = ENCODING_HEX;
	else if (str_same_nocase(name, S("b64")) ||
		 str_same_nocase(name, S("base64")))
		*out = ENCODING_BASE64;
	else
		return false;
	return true;
}

/* Dovecot tells the two encodings apart by the length where its scheme has
 * one. */
static enum encoding guess(const struct scheme *s, struct str text)
{
	if (s->look != look_digest)
		return s->encoding;
	return text.n == 2 * s->bytes ? ENCODING_HEX : ENCODING_BASE64;
}

static struct imported_hash look(struct str name, struct str text,
				 struct arena *arena)
{
	struct imported_hash out = { HASH_UNKNOWN, name, NULL };
	struct looked_at h = { .arena = arena };
	struct str said = take_encoding(&name);
	enum encoding encoding;

	if (is_readable(name)) {
		out.verdict = HASH_READABLE;
		return out;
	}
	if (str_same_nocase(name, S("DIGEST-MD5"))) {
		out.verdict = HASH_OF_A_NAME;
		return out;
	}
	h.scheme = find(name);
	if (!h.scheme)
		return out;
	encoding = guess(h.scheme, text);
	if (!str_empty(said) && !encoding_of(said, &encoding))
		return out;
	out.shape = h.scheme->shape;
	out.verdict = decode(text, encoding, arena, &h.raw) ? h.scheme->look(&h)
							    : HASH_MISSHAPEN;
	return out;
}

/* "{" 1*( ALPHA / DIGIT / "." / "-" / "_" ) "}" 1*( printable ASCII ) */
struct imported_hash imported_hash_judge(struct str text, struct arena *arena)
{
	struct imported_hash malformed = { .verdict = HASH_MALFORMED };
	ptrdiff_t end = str_find(text, '}');

	if (!str_starts(text, S("{")) || end < 2 || (size_t)end + 1 == text.n ||
	    text.n > PASSWORD_IMPORTED_BYTES)
		return malformed;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= 0x20 || text.p[i] >= 0x7f)
			return malformed;
	return look(str_part(text, 1, (size_t)end),
		    str_part(text, (size_t)end + 1, text.n), arena);
}
