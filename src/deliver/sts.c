/* Policies of MTA-STS: found, asked for, kept (sts.h). */
#include "deliver/sts.h"

#include <stdlib.h>

#include "base/limits.h"
#include "deliver/sts_file.h"
#include "deliver/sts_memory.h"
#include "rt/https.h"
#include "rt/log.h"

enum { LOOK_MS = 5000, OTHERS_MS = 100 };

struct sts {
	struct dns *dns;
	const char *folder;
	struct sts_memory *memory;
	uint64_t written; /* sts_version() of what is in the file */
	bool is_failing;
};

struct sts *sts_open(struct dns *dns, const char *folder)
{
	struct sts *s = must_alloc(sizeof(*s));

	*s = (struct sts){ .dns = dns,
			   .folder = folder,
			   .memory = sts_memory_open() };
	return s;
}

void sts_close(struct sts *s)
{
	if (!s)
		return;
	sts_memory_close(s->memory);
	free(s);
}

void sts_load(struct sts *s)
{
	if (!sts_file_read(s->folder, s->memory))
		log_warn("smtp", "%s", cause());
	s->written = sts_version(s->memory);
}

/* ---- asking ---- */

/* False: the domain says that it has no policy, or nothing. */
static bool waits find_id(struct sts *s, struct str domain, struct arena *arena,
			  struct str *id)
{
	struct str name = arena_strf(arena, "_mta-sts.%.*s", STR(domain));
	struct txt_list said;

	return dns_txt(s->dns, name, after_ms(LIMIT_STS_RECORD_MS), arena,
		       &said) == DNS_FOUND &&
	       sts_record_parse(said.texts, said.n, id);
}

static bool waits fetch(struct sts *s, struct str domain, struct arena *arena,
			struct sts_policy *out)
{
	struct str host = arena_strf(arena, "mta-sts.%.*s", STR(domain)), text;
	struct https_question q = {
		.host = host.p,
		.path = "/.well-known/mta-sts.txt",
		.type = "text/plain",
		.most = LIMIT_STS_BYTES,
	};
	int64_t deadline_ms = after_ms(LIMIT_STS_MS);
	struct inet *at;

	switch (dns_addresses(s->dns, host, 443, deadline_ms, arena, &at,
			      &q.n_at)) {
	case DNS_NONE:
		return fail("%s has no address", host.p);
	case DNS_TROUBLE:
		return false;
	case DNS_FOUND:
		break;
	}
	q.at = at;
	q.time_ms = deadline_ms - now_ms();
	if (!https_get(&q, arena, &text))
		return false;
	return sts_policy_parse(text, arena, out) ||
	       add_cause("the policy at %s", host.p);
}

/* Whose turn it is.  What is known holds on when there is nothing better. */
static void waits renew(struct sts *s, struct str domain, struct str id,
			struct arena *arena)
{
	struct sts_known k = { .id = id };

	if (fetch(s, domain, arena, &k.policy)) {
		k.until_ms = wall_ms() + k.policy.max_age_s * 1000;
		sts_keep(s->memory, domain, &k);
	} else {
		log_warn("smtp", "MTA-STS of %.*s: %s", STR(domain),
			 log_safe(arena, str_of(cause()), LIMIT_REPLY_BYTES));
	}
}

static void waits renew_if_other(struct sts *s, struct str domain,
				 struct str id, int64_t deadline_ms,
				 struct arena *arena)
{
	enum sts_turn turn;

	while ((turn = sts_turn(s->memory, domain, id)) == STS_OTHERS_ASK)
		if (now_ms() >= deadline_ms ||
		    fiber_sleep(after_ms(OTHERS_MS)) == WAIT_CANCELLED)
			return;
	if (turn != STS_ASK)
		return;
	renew(s, domain, id, arena);
	sts_asked(s->memory, domain);
}

bool sts_find(struct sts *s, struct str domain, int64_t deadline_ms,
	      struct arena *arena, struct sts_policy *out)
{
	struct sts_known k;
	struct str id;

	if (find_id(s, domain, arena, &id))
		renew_if_other(s, domain, id, deadline_ms, arena);
	if (!sts_recall(s->memory, domain, arena, &k))
		return false;
	*out = k.policy;
	return true;
}

/* ---- the keeper ---- */

static void waits renew_old(struct sts *s)
{
	struct arena *arena scoped(arena) = arena_open();
	struct str domain, id;

	while (!fiber_cancelled() &&
	       sts_turn_of_old(s->memory, arena, &domain)) {
		if (find_id(s, domain, arena, &id))
			renew(s, domain, id, arena);
		sts_asked(s->memory, domain);
		arena_reset(arena);
	}
}

static void waits write_down(struct sts *s)
{
	uint64_t version = sts_version(s->memory);
	bool is_well =
		version == s->written || sts_file_write(s->folder, s->memory);

	if (is_well)
		s->written = version;
	else if (!s->is_failing)
		log_warn("smtp", "policies of MTA-STS are not written down: %s",
			 cause());
	s->is_failing = !is_well;
}

void sts_keeper(void *sts)
{
	struct sts *s = sts;

	while (fiber_sleep(after_ms(LOOK_MS)) == WAIT_DEADLINE) {
		renew_old(s);
		write_down(s);
	}
	write_down(s);
}
