/* A peer from inside: peer.c (what it has), peer_talk.c (a conversation) and
 * peer_back.c (what it gives back). */
#ifndef SIM_PEER_INSIDE_H
#define SIM_PEER_INSIDE_H

#include "base/buf.h"
#include "peer.h"
#include "rt/stream.h"
#include "rt/tls.h"

/* When an address was seen for the first time. */
struct sight {
	char *address;
	int64_t first_ms;
};

/* Whose mail goes back, and the last code he met: 0, none. */
struct returned {
	struct str recipient; /* the mail's, or a list's */
	int code;
	bool is_done;
};

/* A mail that goes back, to all of them at once. */
struct back {
	struct sim_peer *peer;
	const struct sim_peer_mail *mail;
	struct returned *to;
	size_t n;
	int tries;
	bool is_done;
};

struct peer_list {
	char *address, *member;
};

/* Of a rule, over all connections. */
struct rule_state {
	bool is_met;
	int64_t first_ms; /* when it could have applied */
	uint64_t times;   /* it did */
};

struct sim_peer {
	const struct conduct *conduct;
	struct inet at, back, gateway;
	bool has_back, has_gateway, is_plain, strips_trail;
	char *name;
	char **users;
	size_t n_users;
	struct peer_list *lists; /* a member each */
	size_t n_lists;
	struct sim_peer_mail **mails;
	size_t n_mails;
	struct sight *sights;
	size_t n_sights;
	struct back **backs;
	size_t n_backs;
	struct rule_state *rules;
	struct sim_peer_book book;
	struct sim_peer_figures figures;
	/* Of the process that runs. */
	struct tls_context *tls;
	struct gate gate; /* a connection has ended */
};

/* LIST with room for one more behind the N it has. */
void *list_grow(void *list, size_t n, size_t item);
char *text_of(struct str s);
/* Of what comes for the first time it is now. */
int64_t sim_peer_first_seen(struct sim_peer *p, struct str address);
/* Keeps a copy of it. */
struct sim_peer_mail *sim_peer_take(struct sim_peer *p,
				    const struct sim_peer_mail *m);

/* peer_talk.c: a fiber, for one connection. */
struct arrival {
	struct sim_peer *peer;
	struct stream *stream;
	bool is_beyond;
};
void waits sim_peer_talk(void *arrival);

/* peer_back.c: a fiber, if M has recipients it does not have. */
void sim_peer_give_back(struct sim_peer *p, const struct sim_peer_mail *m);
/* Those that were under way when the process was killed. */
void sim_peer_back_resume(struct sim_peer *p);

#endif
