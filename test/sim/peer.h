/*
 * Another mail system in a world: an SMTP server that behaves as one of the
 * gallery (conduct.h), and keeps what it took.
 *
 *	struct sim_peer *p = sim_peer_new(gallery_find(g, "mailcow"), "192.0.2.2:25");
 *	sim_peer_user(p, "bob@own.test");
 *	sim_peer_tell(p, &book);			each mail, as it is taken
 *	sim_start(host, "peer", sim_peer_run, p);
 *	...
 *	for (i = 0; i < sim_peer_mails(p); i++)
 *		sim_peer_mail(p, i)->recipients...
 *	sim_peer_close(p);				after sim_close()
 *
 * The peer outlives its process, as if all of it were on a disk that never
 * fails: sim_kill() or sim_power_cut() ends its conversations, and with
 * sim_start() it goes on with what it has, its users, its mails, and what it
 * counts over all connections.
 *
 * Who is none of its users is unknown to it; what that means is the conduct's.
 * Nobody is a user before he is told.
 */
#ifndef SIM_PEER_H
#define SIM_PEER_H

#include "base/inet.h"
#include "conduct.h"
#include "rt/fiber.h"

struct sim_peer;

/* One mail.  All of it is the peer's, until sim_peer_close(). */
struct sim_peer_mail {
	int64_t taken_us;       /* now_us() */
	struct inet from;       /* who handed it over */
	struct str sender;      /* without brackets */
	struct str *recipients; /* who were answered 2xx */
	size_t n;
	struct str bytes; /* without what the wire adds */
	bool by_bdat, by_tls;
	/* It was answered 2xx, and that was sent; else whoever sent it does not
	 * know that it was taken, and may send it again. */
	bool is_said;
};

/* What it tells, at once, in a fiber of its own, and must not wait for.  Any of
 * them may be NULL. */
struct sim_peer_book {
	/* Before anything is answered: is_said is false yet. */
	void (*takes)(void *arg, struct sim_peer *p,
		      const struct sim_peer_mail *m);
	/* It stays false: whoever sent M has heard no 2xx, if anything. */
	void (*leaves_open)(void *arg, struct sim_peer *p,
			    const struct sim_peer_mail *m);
	/* It says 5xx for RECIPIENT: at RCPT, BYTES being empty, or behind the
	 * last byte. */
	void (*refuses)(void *arg, struct sim_peer *p, struct str recipient,
			struct str bytes, const char *says);
	/* What became of a recipient that it gives back: the last code, or 0
	 * when nobody answered. */
	void (*gave_back)(void *arg, struct sim_peer *p,
			  const struct sim_peer_mail *m, struct str recipient,
			  int code);
	void *arg;
};

/* At an address of its host, or 0.0.0.0. */
struct sim_peer *sim_peer_new(const struct conduct *c, const char *at);
void sim_peer_close(struct sim_peer *p);
/* A process's program. */
void waits sim_peer_run(void *peer);

const struct conduct *sim_peer_conduct(const struct sim_peer *p);
/* The name of the process, or of the system, for whoever shows it; "peer". */
void sim_peer_call(struct sim_peer *p, const char *name);
const char *sim_peer_name(const struct sim_peer *p);

void sim_peer_user(struct sim_peer *p, const char *address);
void sim_peer_user_leaves(struct sim_peer *p, const char *address);
/* Case does not matter, nor does a +detail. */
bool sim_peer_has(const struct sim_peer *p, struct str address);

void sim_peer_tell(struct sim_peer *p, const struct sim_peer_book *book);
/* MEMBER, who is elsewhere, gets what comes for ADDRESS, too. */
void sim_peer_list(struct sim_peer *p, const char *address, const char *member);
/* Where mail for unknown ones and for members of its lists goes, if its conduct
 * forwards them: all of a mail's at once, and once more each minute to those
 * who are answered 4xx or not at all, ten times. */
void sim_peer_gives_back(struct sim_peer *p, const char *to);
/* By which address of its host; else by the first. */
void sim_peer_leaves_by(struct sim_peer *p, const char *from);
/* What it gives back has lost the trail (route/guard.h). */
void sim_peer_strips_trail(struct sim_peer *p);
/* It announces no STARTTLS, whatever its conduct says. */
void sim_peer_without_tls(struct sim_peer *p);

size_t sim_peer_mails(const struct sim_peer *p);
const struct sim_peer_mail *sim_peer_mail(const struct sim_peer *p, size_t i);

struct sim_peer_figures {
	unsigned connections;     /* that were accepted, in all */
	unsigned open, most_open; /* at once */
	unsigned sent_away;       /* beyond what it takes at once */
	unsigned refused;         /* recipients, 5xx */
	unsigned unknown;         /* taken, and none of its users */
	unsigned under_way;       /* that it is giving back */
};

struct sim_peer_figures sim_peer_figures(const struct sim_peer *p);

#endif
