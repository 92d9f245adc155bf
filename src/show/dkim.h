/*
 * The keys that sign a domain's mail, as JSON (openapi.json: DkimKeys), and
 * what DNS has of them.
 *
 *	o = show_dkim(d, domain, &signer, arena);
 *	show_dkim_found(o, dns, deadline_ms);	perhaps
 *
 *	{ domain, signs, why_not, keys: [ { selector, algorithm, state, since,
 *	  needed_until, text, records: [ { name, zone, published, trouble } ] } ] }
 *
 * A key has a record at each name of its domain, with the same text.
 */
#ifndef SHOW_DKIM_H
#define SHOW_DKIM_H

#include "directory/dkim.h"
#include "dns/dns.h"
#include "show/show.h"

/* The private Rspamd, which signs. */
struct dkim_signer {
	const char *data;  /* the data folder, absolute */
	bool is_installed; /* its program */
};

/* NULL: our own trouble, cause(). */
json_t *show_dkim(struct directory *d, const struct domain *domain,
		  const struct dkim_signer *signer, struct arena *arena);
/* "published" of each record: "yes", "absent", "other", "revoked", "several";
 * "unknown" with its "trouble". */
void waits show_dkim_found(json_t *keys, struct dns *dns, int64_t deadline_ms);

/* Why nothing of a domain's is signed, for people: "why_not" as a sentence. */
const char *show_dkim_why_not(const char *word);
/* What DNS has, as words: "no record"... */
const char *show_dkim_words(const char *published);
/* The first record of KEY that is not published; NULL: all are. */
json_t *show_dkim_unpublished(const json_t *key);

#endif
