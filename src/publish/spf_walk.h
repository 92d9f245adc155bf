/*
 * A whole SPF record, with all that it includes: who passes by it, and what it
 * costs those who ask (RFC 7208 4.6.4).  All terms count, as for a sender that
 * matches none.
 */
#ifndef PUBLISH_SPF_WALK_H
#define PUBLISH_SPF_WALK_H

#include "publish/inside.h"
#include "wire/spf.h"

struct spf_hosts {       /* of one "a" or "mx" of the first record */
	struct str text; /* the term */
	struct inet *at;
	size_t n;
	bool is_plain; /* no bits, and passes */
};

struct spf_wrong {              /* a record that is included */
	struct str name, cause; /* cause empty: there is none */
};

struct spf_mx_many {
	struct str name;
	size_t n;
};

struct spf_walk {
	struct look *look;
	struct spf_record record; /* the first */
	bool is_malformed;
	struct str malformed; /* why */

	unsigned lookups; /* all of them, or as many as were followed */
	struct inet_block *blocks; /* that pass */
	size_t n_blocks;
	struct str *names; /* that are included, and pass */
	size_t n_names;
	struct str *voids; /* lead nowhere */
	size_t n_voids;
	struct spf_wrong *wrong;
	size_t n_wrong;
	struct spf_hosts *hosts;
	size_t n_hosts;
	struct spf_mx_many mx_many; /* name empty: none */
	bool has_secrets; /* macros, exists, ptr: who passes is not known */
	bool is_partly_unknown;
	struct str unknown; /* why */
};

/* TEXT is the record of NAME.  Never NULL. */
struct spf_walk *waits spf_walk(struct look *l, struct str name,
				struct str text);
/* Does the whole BLOCK pass?  Only its ends are looked at. */
bool spf_passes(const struct spf_walk *w, const struct inet_block *block);
/* Is NAME included? */
bool spf_includes(const struct spf_walk *w, struct str name);

#endif
