/*
 * A world of several Splitmails, the systems beside them, clients and
 * mishaps, all of it drawn from one seed (docs/simulation.md).
 *
 *	plan_draw(seed)		who there is, who has which address, what will
 *				go wrong (plan.c), and what it is all about
 *				(subject.c)
 *	splitmails_start()	engines, each on its host (splitmail.c)
 *	takers_start()		whoever takes mail beside them: peers, mailbox
 *				stores, the Internet (taker.c)
 *	clients_start()		whoever sends (client.c)
 *	events_start()		mishaps and administrators (events.c)
 *	books_*()		what was promised, and what became of it: the
 *				one place that judges (books.c)
 *
 * There is one world at a time, one after the other in a process (workers.c): it
 * is the variable `world`.  Entries of the plan can be left out (entries.h): they
 * keep their place and number, and are not there.
 */
#ifndef TEST_SIM_WORLD_H
#define TEST_SIM_WORLD_H

#include "base/buf.h"
#include "rt/clock.h"
#include "rt/fiber.h"
#include "rt/sim/sim.h"

#define DOMAIN "own.test"
#define ALIAS "alias.test" /* of the first */
#define SECOND "two.test"  /* has the same local parts */
#define INTERNET "net.test"
#define UNWILLING "192.0.2.61" /* its first host, in some worlds */

enum {
	CRASHES = 64,         /* that are remembered */
	SECOND_BYTES = 50000, /* of a message for it, at most */
	SPLITMAILS = 4,
	PEERS = 3,
	TAKERS = SPLITMAILS + PEERS + 1,
	CLIENTS = 6,
	PERSONS = 28,
	MEMBERS = 5,
	CROWD = 5,      /* more or fewer than route() looks at in one go */
	HOMES = 6,      /* one after the other */
	RECIPIENTS = 6, /* of a mail */
	MAILS = 12,     /* of a client */
	EVENTS = 16,
	FILTERS = 3,
	RATE_MOST = 8, /* mails a minute, where they are counted */
};

/* ---- who takes mail: mailbox stores, peers, the Internet ---- */

/* What it does beside saying 250; times are at most so long. */
struct manners {
	int64_t greet_ms, answer_ms, dot_ms, idle_ms;
	unsigned mails_per_connection, recipients_per_mail, connections;
	bool greylists;
	bool says_little; /* no extensions */
	bool says_at_dot; /* what it has against a mailbox: LMTP may */
	/* One in so many, until the world calms down: */
	uint64_t later_in;      /* 4xx at RCPT */
	uint64_t dot_later_in;  /* 4xx at the dot */
	uint64_t close_in;      /* hangs up instead of an answer */
	uint64_t close_data_in; /* at DATA, whoever was taken before */
	uint64_t lost_in;       /* has it, and hangs up */
	uint64_t limit_in;      /* a limit, in one of its spellings */
	uint64_t part_in;       /* LMTP: it answers for some, and no more */
	uint64_t away_in;       /* does not greet, but with 421 */
	/* Nobody is to send it more (rates.h); 0: as many as they like. */
	unsigned mails_per_minute;
};

/* Of one Splitmail: the last mails, the oldest at the Nth. */
struct rate {
	int64_t at_ms[RATE_MOST];
	unsigned n;
	/* Between these it may send no more, and before that. */
	int64_t full_since_ms, full_until_ms, was_full_until_ms;
};

struct taker {
	char name[16]; /* "p0"; a store's: its Splitmail's */
	struct sim_host *host;
	struct sim_process *process;
	bool is_store;    /* speaks LMTP */
	bool is_internet; /* has everybody */
	bool is_gone;     /* for good */
	bool is_left_out;
	struct manners manners;
	bool has_silent_host;    /* that is tried first */
	bool has_unwilling_host; /* likewise: the Internet's, greets with 554 */
	int kind;                /* of the gallery; -1: none of it */
	bool by_gateway;         /* gives back from another address */
	bool strips_trail;       /* from what it gives back */
	bool is_trusted;         /* by its address, */
	bool may_relay;          /* and may send to anybody */
	struct sim_peer *peer;   /* then (neighbour.h) */
	unsigned connections, silent; /* of these, so many say no more */
	struct rate begun[SPLITMAILS], sent[SPLITMAILS];
	int64_t unwilling_ms; /* the last time it said 4xx, hung up,
					   or had no power */
};

/* ---- filters of the first one (filters.h) ---- */

struct world_filter {
	char name[16], address[24];
	struct sim_host *host;
	struct sim_process *process;
	int when_down; /* later, accept, hold */
	int direction; /* both, in, out */
	int timeout_s;
	uint32_t version, steps; /* that it negotiates */
	/* At most, for an answer; and for the last one. */
	int64_t pause_ms, end_ms;
	/* One answer in so many, until the world calms down: */
	uint64_t silent_in, close_in, lie_in, later_in;
	int64_t away_ms, back_ms; /* between these; 0: it stays */
};

/* ---- who has an address ---- */

enum person_kind {
	PERSON_USER,
	PERSON_GROUP,
	PERSON_FORWARDER, /* a user whose mail goes on */
	PERSON_OUTSIDER,  /* of the Internet */
	PERSON_NOBODY,    /* an address nobody has */
};

/* Where a person's mail lives is the number of a taker; -1: nowhere. */
struct person {
	char local[16]; /* "u3" */
	const char *domain;
	enum person_kind kind;
	int home, also; /* -1: none besides */
	int settled;    /* of these two: where alone he is in the end; or -1 */
	int members[MEMBERS], n_members;
	int64_t member_since_ms[MEMBERS];
	/* Before them: so many spellings of one who is at home there. */
	int crowd, crowd_of;
	bool keeps_copy;
	bool is_full;       /* its home refuses it for good */
	bool is_over_quota; /* its home does so for now, until it is calm */
	bool is_disabled;
	bool is_postmaster; /* a group that is none: its member stands for it */
	bool has_no_home;   /* that is how: his home is none */
	bool is_unlisted;   /* only where he is at home */
	bool is_left_out;
	/* What changed while mail flowed. */
	int homes[HOMES], n_homes;
	int64_t given_up_ms;     /* what had waited for him by then */
	bool is_deleted;         /* without a word */
	int64_t disabled_ms;     /* or enabled, as changed_ms */
	int64_t changed_ms;      /* the last time; 0: never; NEVER:
					   just now */
	int64_t seen_ms[TAKERS]; /* greylisting */
};

/* ---- Splitmails ---- */

enum role {
	ROLE_MASTER, /* knows everybody */
	ROLE_SLAVE,  /* its own; the first one has the rest */
	ROLE_BOTH,   /* its own and the peers' */
};

struct splitmail {
	char name[16], hostname[24], address[24];
	struct sim_host *host;
	struct sim_process *process;
	struct sim_process *logins; /* login.h */
	struct engine *engine;
	enum role role;
	int lanes;
	bool wants_tls;      /* with named systems */
	int catch_all;       /* person, or -1 */
	bool asks_peer;      /* the first system knows the rest */
	bool has_smart_host; /* the Internet's server, which has no other way */
	bool is_backup;      /* the Internet's last server, it is said */
	bool is_wanted;      /* is to run */
	bool is_left_out;
	bool has_closed, was_well;
	unsigned starts;
	size_t left; /* descriptors, after it closed */
	/* As inspect() found them. */
	bool is_inspected;
	int64_t queued, stray; /* messages; rows that are of none */
	uint64_t spooled;
};

/* ---- who sends ---- */

struct mail {
	int64_t at_ms;
	int splitmail;
	int to[RECIPIENTS], n;
	uint32_t bytes;
};

enum haste {
	PATIENT,
	IMPATIENT, /* waits some seconds for an answer */
	LEAVES_BEFORE_DOT,
	LEAVES_AFTER_DOT,
};

struct client {
	char name[16], address[24];
	struct sim_host *host;
	struct sim_process *process;
	int system;    /* whose host it is on; -1: its own */
	int user;      /* who logs in, and sends in his own name; or -1 */
	bool is_local; /* programs on the hosts it sends to: by a socket there */
	enum haste haste;
	bool hands_in_again; /* what arrived (again.h) */
	bool pipelines;
	int chunks;      /* says BDAT, so many times a mail; 0: DATA */
	int empty_chunk; /* one of them has nothing in it: its number, from 1
			    on; 0: none.  Exchange ends with such a one */
	int64_t patience_ms;
	struct mail mails[MAILS];
	int n, done;
};

/* ---- mishaps, and administrators ---- */

enum event_kind {
	EVENT_POWER_CUT,
	EVENT_CUT_AT_CHANGE, /* of the disk, the so manieth */
	EVENT_KILL,
	EVENT_RESTART,
	EVENT_STORE_DIES,
	EVENT_PEER_DIES,
	EVENT_LINK_DOWN,
	EVENT_RESET,
	EVENT_CLOCK,
	EVENT_CLOCK_STANDS,
	EVENT_DISK_FULL,
	EVENT_DISK_ERRORS,
	EVENT_MOVE,
	EVENT_DISABLE,
	EVENT_MEMBER,
	/* Not drawn, but of subjects and by the seed. */
	EVENT_SETTLE,  /* of two homes one is left */
	EVENT_BOTH,    /* to one home comes another */
	EVENT_HOLD,    /* what waits, and it is released */
	EVENT_GIVE_UP, /* what waits for somebody; number 1: his senders are
			  told, 0: not */
	EVENT_ALIAS,   /* of the domain: it is gone for a while */
	EVENT_KINDS,   /* it is left out */
};

struct event {
	enum event_kind kind;
	int64_t at_ms, lasts_ms;
	int of; /* Splitmail, peer or person */
	int to; /* a new home, member, the link's other
					   end; of a disk: only reads fail */
	int64_t number;
	int64_t begun_ms, ended_ms; /* 0: not yet */
};

/* ---- all of it ---- */

struct world_of_mail {
	uint64_t seed;
	int subject; /* subject.h */
	struct splitmail splitmails[SPLITMAILS];
	struct taker takers[TAKERS]; /* stores, peers, the Internet */
	struct person persons[PERSONS];
	struct client clients[CLIENTS];
	struct event events[EVENTS];
	struct world_filter filters[FILTERS];
	int n_filters;
	int64_t released_ms; /* what was held, the last time */
	bool has_dead_filters;
	int n_splitmails, n_peers, n_takers, n_persons, n_clients, n_events;
	int events_ended;
	int64_t crash_ms[CRASHES];
	int n_crashes;
	uint32_t message_bytes; /* a Splitmail takes no more */
	int64_t retry_min_s, retry_max_s, warning_s, expiry_s, handover_ms;
	int64_t began_ms; /* now_ms() then: plans begin at 0 */
	bool is_calm;     /* nothing goes wrong any more */
	int64_t calm_ms;  /* since when */
	/* What the world has in it; the books excuse some things by it. */
	bool has_lost_connections, has_crashes, has_disk_trouble, has_gone;
	bool has_silence;           /* some stores do not answer, and stay */
	bool may_expire;            /* a clock jumped where power was lost */
	bool is_plain;              /* nothing but the subject goes wrong */
	bool is_peaceful;           /* all mail is answered and arrives at
					   once */
	bool has_ring;              /* no master: each has another behind */
	bool has_second, has_alias; /* domains */
	int64_t alias_gone_ms, alias_back_ms; /* 0: not yet */
	uint64_t cut_in;   /* so manieth 250: power fails at once */
	uint64_t reset_in; /* of links, until it is calm */
};

extern struct world_of_mail world;

static inline int store_of(int splitmail)
{
	return splitmail;
}
static inline int peer_taker(int peer)
{
	return world.n_splitmails + peer;
}
static inline int internet(void)
{
	return world.n_takers - 1;
}
static inline bool is_at_splitmail(int taker)
{
	return taker >= 0 && taker < world.n_splitmails;
}
/* With a detail or without, by either name of the domain; -1: there is none. */
int person_at(struct str address);

/* A line of the story, and of the trace. */
void tell(const char *format, ...) printf_like(1, 2);

void plan_draw(uint64_t seed);
/* What there is in it without a draw (plan_undrawn.c). */
void plan_add_undrawn(void);
/* By the names that its entries have (entries.h). */
void plan_tell(void);
bool chance(uint64_t in); /* of mishaps: none when it is calm */

/* Once in a process, before any world. */
void splitmails_prepare(void);
void splitmails_start(void);
void splitmail_start(struct splitmail *s);
void splitmails_stop(void);
bool splitmails_have_ended(void);
/* Who has ended and is to run is started again. */
void splitmails_look_after(void);
/* What lies in its queue and spool; when it is known, is_inspected. */
void splitmail_inspect(struct splitmail *s);

void takers_start(void);
void taker_start(struct taker *t);
void taker_kill(struct taker *t);

void clients_start(void);
bool clients_are_done(void);

void events_start(void);
/* At once, and for a moment. */
void power_fails(int splitmail);
bool events_are_over(void);
/* May a mail have come twice that was under way from FROM_MS to TO_MS? */
bool was_shaken(int64_t from_ms, int64_t to_ms);
/* The same, but for what ends at once. */
bool was_torn(int64_t from_ms, int64_t to_ms);
/* Did somebody lose power, or was he killed? */
bool was_crashed(int64_t from_ms, int64_t to_ms);
/* Was a Splitmail stopped, and started again? */
bool was_restarted(int64_t from_ms, int64_t to_ms);
/* Was anything else in a server's way? */
bool was_disturbed(int64_t from_ms, int64_t to_ms);
/* Did administrators change anything? */
bool was_administered(int64_t from_ms, int64_t to_ms);
/* Until when something went wrong that has to do with one of these takers (a
 * bit each; a store stands for its Splitmail).  0: nothing did. */
int64_t mishap_ms(unsigned takers);

/* By the directory's own library, as an administrator does. */
void change_home(int person, int to);
void change_enabled(int person, bool enabled);
void change_member(int group, int member);
void change_settled(int person, int taker);
void change_both(int person, int taker);
/* By mistake: nobody has an address in it any more. */
void change_alias(struct splitmail *s, bool is_there);
/* What waits for PERSON (-1: for anybody) is held, and tried, which it is not;
 * then all is released. */
void hold_queue(struct splitmail *s, int person, int64_t lasts_ms);
/* Whatever is held is held no more. */
void release_queue(struct splitmail *s);
/* What waits for PERSON goes, and its senders are told or not. */
void give_up(struct splitmail *s, int person, bool tells);

#endif
