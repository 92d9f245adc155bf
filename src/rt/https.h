/*
 * A text from a web server, by HTTPS.
 *
 *	struct https_question q = {
 *		.host = "mta-sts.b.example",
 *		.path = "/.well-known/mta-sts.txt",
 *		.at = addresses, .n_at = n,
 *		.type = "text/plain",
 *		.most = LIMIT_STS_BYTES,
 *		.time_ms = LIMIT_STS_MS,
 *	};
 *	if (!https_get(&q, arena, &text))
 *		...cause()
 *
 * Its certificate has to be good for HOST, by the roots that rt/tls.h has, and
 * the answer 200, of the TYPE and of no more than MOST bytes.  It is asked at the
 * addresses given and nowhere else: no name is looked up, no redirect followed, no
 * proxy used.
 */
#ifndef RT_HTTPS_H
#define RT_HTTPS_H

#include "base/arena.h"
#include "base/inet.h"
#include "rt/fiber.h"

struct https_question {
	const char *host, *path;
	const struct inet *at; /* their ports are not looked at: 443 */
	size_t n_at;
	const char *type;
	size_t most;
	int64_t time_ms; /* for all of it, and no longer than that; there is
	                    no other end to the wait */
};

bool waits https_get(const struct https_question *q, struct arena *arena,
		     struct str *out) must_check;

#endif
