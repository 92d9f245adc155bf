/*
 * One question to libunbound, which is taken back when it takes too long.
 *
 *	struct question q;
 *
 *	if (!question_ask(dns, &q, name, TYPE_MX))
 *		...cause()
 *	sure = question_await(&q, name, deadline_ms);
 *	...the data of q.result, question_count(&q) of them
 *	question_end(&q);
 *
 * Several may be asked before the first is waited for.  A question may live on
 * the fiber's stack.
 */
#ifndef DNS_QUESTION_H
#define DNS_QUESTION_H

#include "dns/dns.h"
#include "dns/resolver.h"

struct ub_result;

struct question {
	struct resolver *resolver;
	int id;
	bool is_open;
	int error;                /* libunbound's, 0: none */
	struct ub_result *result; /* ours, when answered without error */
	struct gate answered;
};

bool waits question_ask(struct dns *d, struct question *q, const char *name,
			int type) must_check;
/* Everything that is not an answer is trouble; false: cause(). */
bool waits question_await(struct question *q, const char *name,
			  int64_t deadline) must_check;
void question_end(struct question *q);
size_t question_count(const struct question *q);
/* Of a TXT: its strings, one after the other. */
struct str question_text(const struct question *q, size_t i,
			 struct arena *arena);

#endif
