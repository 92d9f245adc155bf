/*
 * Keys that sign what leaves in a domain's name (DKIM, RFC 6376).
 *
 * A key is made, and published in DNS by whoever has the domain; signs from then
 * on; and is succeeded by another one.  Its record stays as long as mail that it
 * has signed may wait somewhere.  The private part leaves the directory for the
 * files of who signs, and nowhere else: it is not in lists, logs or answers.
 *
 *	dkim_create(c, S("example.org"), &(struct dkim_wish){ 0 })
 *						two new keys, with their records
 *	dkim_use(c, S("example.org"), S("rsa-202611"))	it signs
 *	dkim_rotate(c, S("example.org"), false)	new ones, of those that sign
 *	dkim_use(...)				which are old now
 *	dkim_delete(c, S("example.org"), S("rsa-202611"), false)
 */
#ifndef DIRECTORY_DKIM_H
#define DIRECTORY_DKIM_H

#include "directory/changes.h"

/* As rt/signing_key.h has them. */
enum dkim_algorithm { DKIM_RSA, DKIM_ED25519 };
enum { DKIM_ALGORITHMS = DKIM_ED25519 + 1 };

enum dkim_state {
	DKIM_NEW,    /* signs nothing: not published yet, for all we know */
	DKIM_ACTIVE, /* signs; one of each algorithm at most */
	DKIM_OLD,    /* has signed */
};

enum {
	DKIM_KEYS_MOST = 20, /* of a domain */
	DKIM_KEPT_S = 432000 /* an old one's record: as long as mail waits */
};

const char *dkim_algorithm_name(enum dkim_algorithm a); /* "rsa"... */
const char *dkim_state_name(enum dkim_state s);         /* "new"... */
/* False: there is none of this NAME. */
bool dkim_algorithm_find(struct str name, enum dkim_algorithm *out) must_check;

struct dkim_key {
	struct str domain; /* its first name */
	int64_t domain_id;
	struct str selector;
	enum dkim_algorithm algorithm;
	enum dkim_state state;
	int64_t since_s;
	struct str public; /* base64, as its record has it */
};

/* By domain (its id; 0: all), the oldest first. */
bool list_dkim_keys(struct directory *d, int64_t domain,
		    void (*each)(void *arg, const struct dkim_key *k),
		    void *arg) must_check;
/* Of those that sign, without the public parts, with the private ones (PEM): for
 * who signs. */
bool list_dkim_signing(struct directory *d,
		       void (*each)(void *arg, const struct dkim_key *k,
				    struct str private),
		       void *arg) must_check;
/* *MARK is another whenever one that signs, or a name it signs for, has come or
 * gone: cheaper than to look at them. */
bool dkim_mark(struct directory *d, uint64_t *mark) must_check;
/* May it be deleted, its record too, and harm no mail? */
int64_t dkim_needed_until_s(const struct dkim_key *k);

/* ---- changes ---- */

/* What is to be made; nothing said: one of each algorithm. */
struct dkim_wish {
	struct str selector;  /* empty: one by algorithm and month */
	struct str algorithm; /* empty: of each; with a selector: RSA */
	bool is_used;         /* at once, published or not */
};

struct change dkim_create(struct changes *c, struct str domain,
			  const struct dkim_wish *w);
/* One that is new signs from now on; one of its algorithm that did is old.
 * SELECTOR empty: there is no new one, which is refused. */
struct change dkim_use(struct changes *c, struct str domain,
		       struct str selector);
/* Refused: DNS has FOUND ("no record") at NAME. */
struct change dkim_not_published(struct changes *c, struct str selector,
				 struct str name, const char *found);
/* A new key for each one that signs; refused as long as a new one waits. */
struct change dkim_rotate(struct changes *c, struct str domain, bool is_used);
/* One that signs, or may be needed still, is refused unless ANYWAY. */
struct change dkim_delete(struct changes *c, struct str domain,
			  struct str selector, bool anyway);

#endif
