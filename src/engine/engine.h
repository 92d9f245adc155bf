/*
 * The engine: the data plane of one Splitmail, as a value.
 *
 *	struct engine *e = engine_open(&settings, &owner);
 *	if (!e)
 *		...cause()
 *	loops_run(engine_lanes(e), run, e);	each loop: engine_lane(e)
 *	is_well = engine_close(e);
 *
 * One lane per loop (thread), each with its own handle of the directory, its
 * own connection pool and listeners; lanes share the queue, what verification
 * knows, the tallies and the certificates.  Lane 0 also runs the scheduler,
 * the Unix sockets (mail of programs; questions, control/control.h) and
 * whatever its owner attends to.
 *
 * Files: engine.c (what the lanes share), lane.c (one of them, from its first
 * listener to its last session), questions.c (what is answered on the control
 * socket), status.c and health.c (what is said there).
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "dns/dns.h"
#include "smtp/smtp.h"

struct engine_listener {
	struct inet at;
	struct smtp_door door;
	bool may_fail; /* the IPv6 half of "*": a machine may lack it */
};

/* All of it outlives the engine. */
struct engine_settings {
	const char *data;      /* the data folder: queue.db, spool/ */
	const char *directory; /* path of directory.db */
	const char *mail;      /* folder of the mailboxes; NULL: none here */
	const char *submit;    /* socket for mail of our own: Sieve's */
	const char *sendmail;  /* ...and of programs of every user; NULL: none
	                          is taken */
	const char *aliases;   /* file of the host's; NULL: there are none */
	const char *control;   /* socket for questions */
	const char *hostname;
	const char *certificate;         /* PEM, the key in it, too */
	const char *certificate_trouble; /* in DATA; may be there */
	const char *certificates;        /* more, by name (rt/tls.h); or NULL */
	const char *
		certificates_told; /* in DATA; what is told of these; or NULL */
	const struct engine_listener *listeners;
	size_t n_listeners;
	int lanes;
	int underway_fd; /* queue/underway.h; 0: deaths are not counted */

	/* Without what the lanes share: certificates, boards, ledgers. */
	struct smtp_settings smtp;
	struct deliver_settings deliver;
	struct dns_settings dns;
};

/* Whose process it is. */
struct engine_owner {
	/* On each lane, once it listens: it needs no more rights. */
	void (*listens)(void *arg);
	/* On lane 0, once all of them listen. */
	void (*is_ready)(void *arg);
	/* A fiber of lane 0, cancelled when the engine fails: it hears when to
	 * stop, and what to read again. */
	void (*attends)(void *arg);
	/* On a lane that cannot end: nothing in it is answered for, and there
	 * is nothing left but to end the process. */
	void (*gives_up)(void *arg);
	void *arg;
};

struct engine;

/* NULL: cause(). */
struct engine *engine_open(const struct engine_settings *settings,
			   const struct engine_owner *owner);
int engine_lanes(const struct engine *e);
/* The first fiber of each loop; returns when that lane has ended.  Everything
 * that was answered 250 is handed over or on the disk then. */
void waits engine_lane(void *engine);
/* Listeners close, sessions finish the mail at hand, attempts finish or are
 * kept; then the lanes end.  On any lane. */
void engine_stop(struct engine *e);
/* What the kernel confines its process by, for who asks how it is: "Landlock 7,
 * seccomp".  On lane 0; TEXT outlives the engine. */
void engine_is_confined(struct engine *e, const char *text);
/* The certificate is read again. False: cause(), and the old one stays. */
bool engine_reload(struct engine *e) must_check;
/* After the last lane.  False: it had failed, or
 * counts somebody who is gone. */
bool engine_close(struct engine *e);

#endif
