/*
 * Who is signed in, and who has tried too often.
 *
 * Sessions live in memory: they end with the process, when nobody has made a
 * request for a while (splitmail.conf says how long), and when the
 * administrator's password, his second factor, or he himself, changes.  Failed
 * sign-ins are counted by name and address together, by
 * address, and by name; the name's count does not keep out an address from
 * which that name has signed in before, so that nobody can lock him out.
 */
#ifndef CONSOLE_SESSIONS_H
#define CONSOLE_SESSIONS_H

#include "base/arena.h"
#include "base/inet.h"

enum {
	SESSION_LIFE_S = 43200,
	SESSION_CHARS = 52, /* 260 random bits */
	SESSIONS = 1000,    /* of all; the idlest goes */
};

struct sessions;

struct sessions *sessions_open(int64_t idle_s);
void sessions_close(struct sessions *s);

/* What he has proved: he is who has this password and second factor. */
struct proof {
	const char *hash; /* of the password */
	int64_t totp;     /* id of the second factor; 0: none */
};

struct session {
	char id[SESSION_CHARS + 1], csrf[SESSION_CHARS + 1];
	const char *name; /* of the administrator */
	struct proof proof;
	struct proof next; /* about to be committed; hash NULL: none */
};

/* A new one. */
void session_begin(struct sessions *s, struct str name, struct proof proof,
		   struct session *out);
/* False: there is no such session (any more). Its texts are in ARENA. */
bool session_find(struct sessions *s, const char *id, struct arena *arena,
		  struct session *out) must_check;
/* The same, but it is no sign of life: the idle time goes on. */
bool session_look(struct sessions *s, const char *id, struct arena *arena,
		  struct session *out) must_check;
void session_end(struct sessions *s, const char *id);
/* Is what he has proved still what the directory wants? */
bool session_holds(const struct session *s, struct proof now);
/*
 * He changes it himself: before the commit the session may expect NEXT (hash
 * NULL: nothing any more), so that it holds at every instant of the change.
 */
void session_expect(struct sessions *s, const char *id, struct proof next);
/* Every session of this administrator, but the one with the id KEEP, which
 * has PROOF from now on. */
void session_end_all(struct sessions *s, struct str name, const char *keep,
		     struct proof proof);

/* Seconds to wait before the next try; 0: now. */
int64_t sign_in_wait_s(struct sessions *s, struct str name,
		       const struct inet *client);
void sign_in_failed(struct sessions *s, struct str name,
		    const struct inet *client);
void sign_in_done(struct sessions *s, struct str name,
		  const struct inet *client);

#endif
