/*
 * For tests: one engine, mail that waits in its queue, and other systems that
 * take it or not, in virtual time.
 *
 *	struct place *old = new_place(), *new = new_place_that_is_up();
 *
 *	begin();
 *	wait_for(old, 7);
 *	domain_is("own.test", "relay", new->at);
 *	pass(15000);
 *	have_come_to(new, 7);
 *
 * The engine is mx, on a host of its name; places have hosts of their own.
 */
#ifndef TEST_SIM_WAITING_TEST_WORLD_H
#define TEST_SIM_WAITING_TEST_WORLD_H

#include "engine_of.h"
#include "peer.h"

enum { RETRY_S = 300 }; /* what is put off is put off for so long */

#define FAR "far@own.test" /* for whom mail waits */
#define SENDER "s@back.test"

/* ---- worlds, as cmocka's setup and teardown ---- */

extern struct engine_of mx;

int world_begin(void **state);
int world_end(void **state);
/* The engine starts. */
void begin(void);
/* With this time between attempts, and this one until it is given up. */
void begin_hasty(int64_t retry_s, int64_t expiry_s);
void pass(int64_t ms);

/* ---- other systems ---- */

struct place {
	struct conduct conduct;
	struct rule rule;
	struct sim_peer *peer;
	struct sim_host *host;
	struct sim_process *process;
	char at[20];
};

/* It takes everything, and is down. */
struct place *new_place(void);
struct place *new_place_that_is_up(void);
/* Up, and does this instead, TIMES times; 0: always. */
struct place *new_place_that(enum moment at, struct deed does, uint64_t times);
void rises(struct place *p);
void falls(struct place *p);
size_t has(const struct place *p);
/* Is TEXT in its mail I? */
bool has_text(const struct place *p, size_t i, const char *text);

/* ---- an administrator ---- */

void is_done(struct change r);
void new_domain(const char *name, const char *relay);
/* His mail lives at his domain's relay. */
void new_user(const char *address);
void new_system(const char *name, const struct place *p);
void domain_is(const char *name, const char *key, const char *value);
void user_is(const char *name, const char *key, const char *value);

/* Where SENDER is. */
struct place *new_place_of_the_sender(void);

/* What `splitmail queue list` has, in all. */
struct look {
	uint64_t recipients;
	unsigned attempts;
	char reply[200]; /* the last one's */
};

struct look queue(void);
/* As `splitmail queue retry --all`. */
void retry_all(void);
/* What nobody but the engine should do, in SQL. */
void change_queue(const char *script);

/* ---- a client ---- */

struct letters {
	const char *from, *to;
	unsigned n, recipients; /* to+1@..., if there are several */
	unsigned taken;
	int64_t took_ms;
};

/* All are taken; the milliseconds that it took to say so of the slowest. */
int64_t send_letters(struct letters l);
/* N mails from SENDER to FAR. */
int64_t send_far(unsigned n);
/* N mails for FAR wait for P, which is down or will not. */
void wait_for(const struct place *p, unsigned n);
/* They are there, once each, and nothing waits. */
void have_come_to(const struct place *p, unsigned n);

#endif
