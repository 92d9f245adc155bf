/*
 * What a domain says of its mail servers by MTA-STS (RFC 8461): a record in its
 * DNS that there is a policy, and the policy.
 *
 *	sts_record_parse(texts, n, &id)		of _mta-sts.DOMAIN, TXT
 *	sts_policy_parse(text, arena, &policy)	of the file at mta-sts.DOMAIN
 *	sts_allows(&policy, host)
 */
#ifndef WIRE_MTA_STS_H
#define WIRE_MTA_STS_H

#include "base/arena.h"
#include "base/fail.h"

enum sts_mode {
	STS_NONE,    /* it has no policy, or no longer */
	STS_TESTING, /* mail goes on as if it had none */
	STS_ENFORCE, /* mail goes to its hosts, and is protected, or waits */
};

struct sts_policy {
	enum sts_mode mode;
	int64_t max_age_s;
	struct str *mx; /* "mx.b.example", "*.b.example"; A-labels */
	size_t n;
};

/* *ID is another whenever the policy is.  False: there is no policy, or more than
 * one record says that there is (3.1). */
bool sts_record_parse(const struct str *texts, size_t n,
		      struct str *id) must_check;
/* In ARENA.  False: it is none, cause() (3.2). */
bool sts_policy_parse(struct str text, struct arena *arena,
		      struct sts_policy *out) must_check;
/* HOST is one of the policy's (4.1). */
bool sts_allows(const struct sts_policy *p, struct str host);

#endif
