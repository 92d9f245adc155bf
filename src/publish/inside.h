/*
 * One look at a domain's records: what its parts share.  First all of them ask,
 * at the same time; then they judge, one after the other.
 */
#ifndef PUBLISH_INSIDE_H
#define PUBLISH_INSIDE_H

#include "dns/records.h"
#include "publish/publish.h"
#include "rt/fiber.h"

/* What was answered about one name and type. */
struct heard {
	enum dns_answer answer;
	struct dns_records records;
	struct str cause; /* of DNS_TROUBLE */
};

struct named_host { /* and its addresses */
	struct str name;
	struct heard v4, v6;
};

struct reverse {
	struct inet at;
	struct heard name;
	struct named_host back;
};

struct spf_walk;

struct look {
	const struct publish_plan *plan;
	struct dns *dns;
	struct arena *arena;
	int64_t deadline_ms;

	struct heard mx;
	struct named_host *mx_hosts; /* one for each of MX */
	struct named_host own, bare; /* of the host name; of the domain */
	struct reverse *reverse;
	size_t n_reverse;
	struct named_host **system_hosts; /* of each system, of each host */
	struct heard txt;                 /* of the domain: SPF */
	struct spf_walk *spf;             /* of the only one */
	struct spf_walk *joined;          /* of several, in one */
	struct heard dmarc;               /* of the domain, or of PARENT */
	struct str dmarc_parent;
	struct str unwanted, unwanted_name; /* address for reports */
	struct heard *keys, sts, tls_reports, imaps, submissions;
	bool has_policy;
	struct str policy, policy_cause;

	bool spf_works, dkim_works; /* judged */
	struct publish_row *rows;
	size_t n, room;
};

/* ---- asking; look.c ---- */

struct together {
	size_t open;
	struct gate ended;
};

/* RUN(l, arg) in a fiber of its own, one of T's. */
void waits look_also(struct look *l, struct together *t,
		     void (*run)(struct look *l, void *arg), void *arg);
void waits look_wait(struct together *t);

void waits look_ask(struct look *l, struct str name, enum dns_type type,
		    struct heard *out);
/* The name in it is set. */
void waits look_host(struct look *l, void *named_host);

/* ---- judging; look.c ---- */

/* The last row is added to until the next begins. */
struct publish_row *look_row(struct look *l, const char *what, const char *type,
			     struct str name, bool is_needed);
/* State and what was found, by what was answered. */
void row_heard(struct look *l, const struct heard *h);
void row_found(struct look *l, struct str text);

enum remark {
#define REMARK(id, kind, sentence) REMARK_##id,
#include "publish/remarks.def"
#undef REMARK
};

/* remark(l, mx_is_alias, V("host", h), V("owner", o)): of the last row, whose
 * state becomes OTHER when it is a fault. */
#define remark(l, id, ...) remark_say(l, REMARK_##id, VALUES(__VA_ARGS__))
void remark_say(struct look *l, enum remark id, const struct value *values);

/* ---- addresses; look.c ---- */

bool is_public(const struct inet *a);
bool has_address(const struct named_host *h, const struct inet *a);
/* All of both families. */
size_t addresses_of(const struct named_host *h, struct arena *arena,
		    struct inet **out);
bool is_known(const struct named_host *h); /* both families have answered */
struct str dotted(struct str name, struct arena *arena);

/* ---- providers; providers.c ---- */

/* What the provider whose host this is wants to be included; empty: no
 * provider that is known. */
struct str provider_include(struct str host);

/* ---- parts ---- */

void waits ask_mx(struct look *l, void *unused);
void judge_mx(struct look *l);
/* Is MX number I this server, or a system known here (*SYSTEM)? */
bool mx_is_here(const struct look *l, size_t i);
const struct publish_system *mx_system(const struct look *l, size_t i);

void waits ask_own(struct look *l, void *unused);
void judge_own(struct look *l);

void waits ask_systems(struct look *l, void *unused);
void waits ask_spf(struct look *l, void *unused);
void waits judge_spf(struct look *l); /* asks for what it proposes */

void waits ask_dmarc(struct look *l, void *unused);
void judge_dmarc(struct look *l);

void waits ask_keys(struct look *l, void *unused);
void judge_keys(struct look *l);

void waits ask_sts(struct look *l, void *unused);
void judge_sts(struct look *l);

void waits ask_clients(struct look *l, void *unused);
void judge_clients(struct look *l);

#endif
