/* Keys that sign a domain's mail: what there is (dkim.h). */
#include "directory/dkim.h"

#include "directory/sql.h"
#include "rt/signing_key.h"

_Static_assert((int)DKIM_RSA == (int)SIGNING_RSA &&
		       (int)DKIM_ED25519 == (int)SIGNING_ED25519,
	       "the same numbers");

static const char *const algorithms[DKIM_ALGORITHMS] = {
	[DKIM_RSA] = "rsa",
	[DKIM_ED25519] = "ed25519",
};

const char *dkim_algorithm_name(enum dkim_algorithm a)
{
	return algorithms[a];
}

bool dkim_algorithm_find(struct str name, enum dkim_algorithm *out)
{
	for (int a = 0; a < DKIM_ALGORITHMS; a++)
		if (str_same(name, str_of(algorithms[a]))) {
			*out = (enum dkim_algorithm)a;
			return true;
		}
	return false;
}

const char *dkim_state_name(enum dkim_state s)
{
	switch (s) {
	case DKIM_NEW:
		return "new";
	case DKIM_ACTIVE:
		return "active";
	case DKIM_OLD:
		break;
	}
	return "old";
}

int64_t dkim_needed_until_s(const struct dkim_key *k)
{
	switch (k->state) {
	case DKIM_NEW:
		return 0;
	case DKIM_ACTIVE:
		return INT64_MAX;
	case DKIM_OLD:
		break;
	}
	return k->since_s + DKIM_KEPT_S;
}

#define KEYS \
	"SELECT d.name, d.id, k.selector, k.algorithm, k.state, k.since_s, " \
	"k.private FROM dkim_key k JOIN domain d ON d.id = k.domain "

/* Its private part; without the public one. */
static struct str read_key(struct query *q, struct arena *arena,
			   struct dkim_key *out)
{
	*out = (struct dkim_key){
		.domain = query_text(q, 0, arena),
		.domain_id = query_int(q, 1),
		.selector = query_text(q, 2, arena),
		.algorithm = (enum dkim_algorithm)query_int(q, 3),
		.state = (enum dkim_state)query_int(q, 4),
		.since_s = query_int(q, 5),
	};
	return query_text(q, 6, arena);
}

bool list_dkim_keys(struct directory *d, int64_t domain,
		    void (*each)(void *arg, const struct dkim_key *k),
		    void *arg)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		KEYS "WHERE ?1 = 0 OR d.id = ?1 ORDER BY d.name, k.id", "i",
		domain);
	struct arena *row scoped(arena) = arena_open();
	struct str private;
	struct dkim_key k;
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		private = read_key(&q, row, &k);
		if (!signing_key_public(private, row, &k.public))
			return fail("the key %.*s of %.*s: %s", STR(k.selector),
				    STR(k.domain), cause());
		each(arg, &k);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

bool list_dkim_signing(struct directory *d,
		       void (*each)(void *arg, const struct dkim_key *k,
				    struct str private),
		       void *arg)
{
	struct query q scoped(query) =
		sql_query(directory_sql(d),
			  KEYS "WHERE k.state = ? ORDER BY d.name, k.id", "i",
			  (int64_t)DKIM_ACTIVE);
	struct arena *row scoped(arena) = arena_open();
	struct str private;
	struct dkim_key k;
	enum answer a;

	while ((a = query_next(&q)) == ANSWER_YES) {
		private = read_key(&q, row, &k);
		each(arg, &k, private);
		arena_reset(row);
	}
	return a == ANSWER_NO;
}

/* FNV-1a. */
static uint64_t mix(uint64_t hash, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		hash = (hash ^ (unsigned char)s.p[i]) * 0x100000001b3;
	return (hash ^ 0xff) * 0x100000001b3;
}

bool dkim_mark(struct directory *d, uint64_t *mark)
{
	struct query q scoped(query) = sql_query(
		directory_sql(d),
		"SELECT d.name, n.name, CAST(k.id AS TEXT) FROM dkim_key k "
		"JOIN domain d ON d.id = k.domain JOIN domain_name n ON "
		"n.domain = k.domain WHERE k.state = ? ORDER BY k.id, n.name",
		"i", (int64_t)DKIM_ACTIVE);
	struct arena *row scoped(arena) = arena_open();
	enum answer a;

	*mark = 0xcbf29ce484222325;
	while ((a = query_next(&q)) == ANSWER_YES) {
		for (int i = 0; i < 3; i++)
			*mark = mix(*mark, query_text(&q, i, row));
		arena_reset(row);
	}
	return a == ANSWER_NO;
}
