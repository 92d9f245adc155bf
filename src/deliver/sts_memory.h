/*
 * The policies of MTA-STS that are known, each until it ends: one memory for all
 * loops.
 *
 *	if (sts_turn(m, domain, id) == STS_ASK)		there is a newer one
 *		...sts_keep(m, domain, &known), or not;
 *		sts_asked(m, domain);
 *	if (sts_recall(m, domain, arena, &known))
 *		...
 *
 * Of LIMIT_STS_DOMAINS those that could not be had are forgotten, then the one that
 * was fetched first.
 */
#ifndef DELIVER_STS_MEMORY_H
#define DELIVER_STS_MEMORY_H

#include "wire/mta_sts.h"

struct sts_memory;

struct sts_known {
	struct str id;    /* of the record that said so */
	int64_t until_ms; /* wall clock */
	struct sts_policy policy;
};

struct sts_memory *sts_memory_open(void);
void sts_memory_close(struct sts_memory *m); /* NULL is allowed */

/* What is known of DOMAIN and has not ended, in ARENA; false: nothing. */
bool sts_recall(struct sts_memory *m, struct str domain, struct arena *arena,
		struct sts_known *out) must_check;
void sts_keep(struct sts_memory *m, struct str domain,
	      const struct sts_known *known);
/* Changes when there is something to be written down. */
uint64_t sts_version(struct sts_memory *m);

/* ---- asking: who begins tells the end ---- */

enum sts_turn {
	STS_KNOWN,      /* it is what is known; or it could not be had lately */
	STS_ASK,        /* ask, and say sts_asked() then */
	STS_OTHERS_ASK, /* somebody else does */
};

/* The domain's record has ID now. */
enum sts_turn sts_turn(struct sts_memory *m, struct str domain, struct str id);
void sts_asked(struct sts_memory *m, struct str domain);
/* One that is in use and old enough to be asked for again before it ends, in
 * ARENA; false: there is none.  The turn is yours as with STS_ASK. */
bool sts_turn_of_old(struct sts_memory *m, struct arena *arena,
		     struct str *domain) must_check;

/* ---- all of them ---- */

/* EACH(ARG, domain, known) must not wait, nor ask here. */
void sts_each(struct sts_memory *m,
	      void (*each)(void *arg, struct str domain,
			   const struct sts_known *known),
	      void *arg);

#endif
