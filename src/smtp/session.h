/*
 * What the files of smtp/ share: the session, its mail, and how things are
 * said.  smtp.h is for everybody else.
 *
 *	struct reply on_help(struct session *s, struct str arguments)
 *	{
 *		return SAY(s, help);
 *	}
 *
 * A handler returns the reply it wants sent.  Code 221, 421 and 521 end the
 * session after they were sent, and nothing else does; SILENCE says nothing,
 * because the peer is gone or there is nothing left to say.
 *
 * Memory: s->arena is the session's, s->line the present command's (its
 * words, its reply, decisions made for it), s->mail->message->arena the
 * mail's.
 */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include "base/limits.h"
#include "rt/clock.h"
#include "smtp/smtp.h"
#include "wire/auth_results.h"
#include "wire/data.h"
#include "wire/header.h"

/* ---- one SMTP transaction ---- */

struct mail {
	struct message *message; /* owns this memory */
	struct asker asker;
	struct address sender;
	uint64_t declared_bytes;       /* SIZE=, 0: not said */
	uint64_t max_bytes;            /* the smallest that applies */
	struct expansions *expansions; /* of its recipients so far */
	bool is_full;                  /* they become too many: no more */
	unsigned granted; /* RCPTs answered 250, repeated ones too */
	bool is_logged;   /* "ID: client=" was written */
	bool in_chunks;   /* a BDAT was accepted: no RCPT, no DATA */
	bool is_coming;   /* DATA was: its body comes, or is judged */

	/* the body, while it comes in (body.c) */
	struct data_reader reader;
	struct reply refusal; /* said at its end; code 0: none yet */
	uint64_t wire_bytes;  /* that came, kept or not */
	int64_t began_ms;
	char last_byte;

	/* its header, looked at once it is complete (body.c) */
	bool has_date;
	struct str header_trail;

	/* its filters (filters.c) */
	struct filtering *filtering;        /* NULL: it has none */
	struct filter_client filter_client; /* as they are told */
	struct str held_why; /* it is to be held; empty: it is not */

	/* what they have found out about it (results.c) */
	const struct auth_found *found;
	size_t n_found;
	bool is_judged; /* they have looked; else: there is nobody to say so */

	/* the domains of ours that a stranger names (vouched.c), if he is one
	 * and any is to be verified */
	bool is_claimant;
	struct str *claimed;
	size_t n_claimed;
	bool is_odd; /* how some name is written: it could pass for more */
};

/* ---- one connection ---- */

enum command_kind {
	COMMAND_UNKNOWN,
#define COMMAND(name) COMMAND_##name,
#include "smtp/commands.def"
#undef COMMAND
	COMMANDS
};

struct session {
	struct smtp_server *server;
	enum smtp_kind kind;
	const struct smtp_door *door;
	struct str listener; /* by which it came; empty: a Unix socket */
	struct stream *peer;
	struct fiber *fiber;
	struct arena *arena, *line;
	struct session *next, *previous; /* of the server's, for smtp_stop() */
	struct buf out;                  /* a reply while it is written */

	const char *client;   /* "unknown[192.0.2.1]": for the log */
	const char *user;     /* by a Unix socket: the number of who calls */
	const char *part;     /* "smtpd": who logs */
	struct str tally_key; /* in server->per_ip; empty: not counted */

	char helo[256]; /* what it called itself; "": not yet */
	bool said_ehlo;
	struct str login; /* after AUTH, by this mechanism, */
	struct str mechanism;
	struct str login_right; /* and what it was given for it (directory.h) */
	struct mail *mail;      /* or NULL */

	const char *verb;      /* the last one, for the log */
	struct str recipient;  /* RCPT: whom it is about, for the log */
	struct str refused_by; /* the filter that did; empty: none */
	struct str name; /* of the client's host, for filters; empty: none */
	bool is_name_known;
	bool was_looked_up;  /* in DNS lists (listed.c), */
	struct reply listed; /* and what came of it; code 0: it is let in */
	bool is_lost;        /* the peer is gone: nothing more to say */
	bool is_idle;        /* waits for a command, outside a mail */
	bool is_ended;       /* by smtp_stop(): no more than a last word */
	struct {
		unsigned done, all;
	} commands[COMMANDS];

	/* budget.c */
	unsigned errors, junk, auth_failures, overshoot;
};

bool is_submission(const struct session *s);
/* By one of the Unix sockets. */
bool is_local(const struct session *s);

/* ---- saying things: talk.c ---- */

enum { SAY_CUT = 900 }; /* bytes of a peer's in a text of ours */

#define REPLY(name, code, status, text) \
	enum { CODE_##name = code }; \
	static const char STATUS_##name[] __attribute__((unused)) = status; \
	static const char TEXT_##name[] __attribute__((unused)) = text;
#include "smtp/replies.def"
#undef REPLY

/* SAY(s, size_exceeded) or SAY(s, hello, hostname): a reply of replies.def,
 * its text good until the next command. */
#define SAY(s, name, ...) \
	say((s), CODE_##name, STATUS_##name, TEXT_##name, ##__VA_ARGS__)
#define SILENCE ((struct reply){ .code = 0 })

struct reply say(struct session *s, int code, const char *status,
		 const char *format, ...) printf_like(4, 5);
/* A reply that another part made, fit to be said here: a next hop's 421 must
 * not end our session, and every status has its class. */
struct reply hand_on(struct session *s, struct reply r);
/* Say R at once, in the middle of a command (354, 334, 220 before TLS);
 * SILENCE: what was said before, because a long wait comes.  False: the peer
 * is gone. */
bool waits say_now(struct session *s, struct reply r) must_check;
/* R goes with what is said next, or when we listen.  False: the peer is gone. */
bool waits say_later(struct session *s, const struct reply *r) must_check;
/* All that was said is sent. */
bool waits say_all(struct session *s);

/* ---- hearing things ---- */

enum heard {
	HEARD_LINE,
	HEARD_TOO_LONG,  /* it was skipped to its end */
	HEARD_MALFORMED, /* bare CR, bare LF or NUL */
	HEARD_LATE,      /* the deadline for the whole line came */
	HEARD_STOP,      /* the server stops */
	HEARD_END,       /* the peer is gone */
};

int64_t command_deadline(const struct session *s);
/* When a body has to have gone on. */
int64_t body_deadline(const struct session *s);
/* The next line, a copy in s->line, without CRLF. */
enum heard waits hear_line(struct session *s, size_t max, struct str *line);
/* More bytes than there are; what we have said is sent before. */
enum heard waits hear_more(struct session *s, int64_t deadline_ms);

/* ---- the mail at hand ---- */

/* Forget it, and what it held. */
void forget_mail(struct session *s);
/* Its id, or NOQUEUE as long as nobody has seen the id in the log. */
const char *mail_id(const struct session *s);
/* Log that WHAT was refused, as Postfix writes it. */
void log_refusal(struct session *s, const char *what, const struct reply *r);
/* ...or what else became of a whole mail by a FILTER, and why. */
void log_filtered(struct session *s, const char *what, struct str filter,
		  struct str why);

/* Our own trouble with its bytes: the sender keeps its copy (452, 451). */
struct reply store_trouble(struct session *s);

/* ---- rules of order ---- */

enum {
	NEED_HELLO = 1,
	NEED_MAIL = 2,
	NEED_RCPT = 4,
	NO_MAIL = 8,    /* not within one */
	NO_CHUNKS = 16, /* not once BDAT has begun */
	NO_ARGUMENTS = 32,
	JUNK = 64, /* counts against LIMIT_JUNK_COMMANDS */
};

/* The reply when RULES forbid a command now; code 0: nothing does. */
struct reply out_of_order(struct session *s, unsigned rules,
			  struct str arguments);

/* ---- its recipients: envelope.c ---- */

bool has_recipient(const struct message *m, struct str key);
/* D: what route() says of it. */
void add_recipient(struct session *s, const struct rcpt_command *c,
		   struct str key, const struct decision *d);

/* ---- its filters: filters.c, filtered.c ---- */
/* Code 0: there are none, or they let it pass. */

/* Within the directory's snapshot. */
struct reply find_filters(struct session *s);
struct reply waits filter_mail(struct session *s);
struct reply waits filter_rcpt(struct session *s,
			       const struct address *recipient);
struct reply filter_said(struct session *s, const struct filter_verdict *v);
/* The mail may be another one afterwards.  Code 250: it has vanished. */
struct reply waits filter_message(struct session *s);

/* ---- handlers: hello.c, envelope.c, body.c, auth.c, listing.c ---- */

struct reply waits on_ehlo(struct session *s, struct str arguments);
struct reply on_helo(struct session *s, struct str arguments);
struct reply waits on_starttls(struct session *s, struct str arguments);
struct reply waits on_mail(struct session *s, struct str arguments);
struct reply waits on_rcpt(struct session *s, struct str arguments);
struct reply waits on_data(struct session *s, struct str arguments);
struct reply waits on_bdat(struct session *s, struct str arguments);
struct reply waits on_auth(struct session *s, struct str arguments);
struct reply waits on_queue(struct session *s, struct str arguments);

/* Who has begun the mail: may he still what he might when he said MAIL?  A right
 * that ends, ends now.  Code 0: yes. (envelope.c) */
struct reply ask_again(struct session *s);
/* Does the header name authors whom the user may not write as?  Code 0: no, or
 * nobody minds. (authors.c) */
struct reply waits judge_authors(struct session *s);
/* Of HEADER, where the message begins: who is not to say so does not say in our
 * name what was found out about it.  False: trouble with its bytes, cause().
 * (results.c) */
bool waits drop_claimed_results(struct session *s,
				struct str header) must_check;
/* What filters say about it in our name. (results.c) */
void note_results(struct session *s, const struct filter_letter *letter);
/* Has he sent it whom a report of ours would go to? (vouched.c) */
void note_voucher(struct session *s);
/* A stranger in the name of domains of ours that want that verified: are there
 * such, within the directory's snapshot; which are named, before filters change
 * it; and is it them?  Code 0: nobody minds. (vouched.c) */
struct reply find_claimant(struct session *s);
struct reply waits find_claims(struct session *s);
struct reply judge_claims(struct session *s);
/* Of a stranger whom DNS lists have. (listed.c) */
struct reply waits refuse_listed(struct session *s);
/* Is the login still worth something?  Code 0: yes, or there is none.
 * (auth.c) */
struct reply login_ended(struct session *s);
/* "AUTH PLAIN LOGIN" as EHLO offers it; empty: not now. (auth.c) */
struct str waits auth_offer(struct session *s);

/* The header lines put in front of the message. (received.c) */
struct str received_lines(struct session *s);
/* Of these: where it came from, which is nobody's to change; and what a
 * client forgot. */
struct str received_front(struct session *s);
struct str received_own(struct session *s);

/* ---- who it is: proxied.c ---- */

/* By DOOR.  False: a proxy does not say whom it speaks for, and nothing is to be
 * said to it. */
bool waits meet(struct session *s, const struct smtp_door *door);

/* ---- limits: budget.c ---- */

/* Count the connection; code 0: it may go on.  leave() undoes it. */
struct reply admit(struct session *s);
void leave(struct session *s);
/* One recipient more of a login; false: too many this minute.  A program of
 * this machine waits for the next one. */
bool waits may_send_more(struct session *s);
/* What R costs the peer: a pause, or the session. */
struct reply waits charge(struct session *s, unsigned rules, struct reply r);
/* Let the peer wait for its answer. */
void waits slow_down(struct session *s, unsigned times);
/* A mail went through: errors and junk are forgiven. */
void forgive(struct session *s);

#endif
