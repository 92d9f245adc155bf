/*
 * The engine's figures, as the console last heard them.
 *
 * The console's loop asks the engine (control/control.h); whoever needs the
 * answer borrows it and gives it back:
 *
 *	const struct figures *f = figures_borrow();
 *	if (f->is_up) ...
 *	figures_return(f);
 *
 * An engine that does not answer is shown as such, never as zeros.
 */
#ifndef CONSOLE_FIGURES_H
#define CONSOLE_FIGURES_H

#include "console/request.h"
#include "rt/counter.h"
#include "rt/histogram.h"

enum traffic { HANDED_OVER, KEPT, REFUSED, TRAFFIC }; /* of recipients */

/* One next hop, since the engine started. */
struct hop_figures {
	struct next_hop next_hop;
	struct str hosts, state, since, problem;
	uint64_t delivered, deferred, refused, connections, idle;
};

struct domain_figures {
	struct str name; /* its first name */
	uint64_t n[TRAFFIC];
};

struct session_figures {
	struct str service; /* "submission" */
	bool is_tls;
	uint64_t n;
};

struct figures {
	struct arena *arena;
	unsigned holders;
	bool is_up;
	int64_t heard_ms;
	uint64_t version;      /* another one: something is different */
	int64_t since_wall_ms; /* up, or not: when we first saw it so */
	/* When it is up: */
	int64_t started_wall_ms;     /* another one: it was started again */
	int64_t certificate_ends_ms; /* wall clock; 0: not known */
	uint64_t sessions, counters[COUNTER_COUNT], traffic[TRAFFIC];
	struct histogram_value histograms[HISTOGRAM_COUNT];
	struct session_figures *by_service; /* the sessions */
	size_t n_services;
	struct hop_figures *hops;
	size_t n_hops;
	uint64_t hops_left_out; /* there were too many to say */
	struct domain_figures *domains;
	size_t n_domains;
	struct str certificate_ends; /* empty: not known */
	json_t *certificates;        /* engine/certificates.h; NULL: none */
	json_t *trouble;             /* show/troubles.h; NULL: none */
	json_t *filters; /* engine/status.h; NULL: none has said anything */
};

/* What is wrong, a new reference: what the engine says, or that it says
 * nothing.  What is for administrators only is in it WITH_DETAIL. */
json_t *figures_trouble(const struct figures *f, bool with_detail);

/* Never NULL. */
const struct figures *figures_borrow(void);
/* Of the same engine, about a minute ago; nothing at all when it has started
 * since.  NULL: that is not known, as in our own first minute. */
const struct figures *figures_borrow_before(void);
const struct figures *figures_share(const struct figures *f);
void figures_return(const struct figures *f); /* NULL is allowed */

const struct hop_figures *figures_hop(const struct figures *f,
				      enum next_hop_kind kind,
				      struct str name); /* NULL: no word yet */

/*
 * For a handler that wants them fresh: true when it has to wait, its request is
 * parked, and the handler is called again.
 */
bool figures_wait(struct request *r);

/* On the loop: ask the engine, and wake who waited. */
void waits figures_ask(const char *data);
/* Remember the latest as one of the last minute's; every few seconds. */
void figures_remember(void);
/* WAKE asks the loop to call figures_ask(). */
void figures_open(void (*wake)(void));
void figures_stop(void); /* nobody waits any more */
void figures_close(void);

#endif
