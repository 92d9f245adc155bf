/*
 * One HTTP request: what was asked, by whom, and the answer.
 *
 * A handler returns its answer and writes nothing itself; server.c sends it.
 *
 *	struct response on_get_domain(struct request *r)
 *	{
 *		json_t *domain = domain_load(r, r->args[0]);
 *
 *		return domain ? answer_json(200, domain) : not_there(r);
 *	}
 *
 * A request belongs to one thread at a time.  What is in its arena lives until
 * the answer is sent.
 */
#ifndef CONSOLE_REQUEST_H
#define CONSOLE_REQUEST_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/sentence.h"
#include "console/console.h"
#include "directory/admins.h"
#include "directory/directory.h"
#include "show/show.h"

struct MHD_Connection;
struct desk;       /* desk.h */
struct sessions;   /* sessions.h */
struct guard;      /* route/guard.h */
struct relay_test; /* relay_test.c */
struct watcher;    /* watchers.h */
struct tools;      /* queue/tools.h */

enum { ARGS = 2 };

struct console {
	struct console_settings *settings;
	struct desk *desk;
	struct sessions *sessions;
	struct guard *guard;
	atomic_uint unanswered;   /* requests that have begun */
	atomic_bool is_resolving; /* names, for one of them (route.c) */
	bool is_tls;
};

/* Who asks. */
struct who {
	struct admin admin;
	bool by_token;
	enum token_scope scope; /* of a session: TOKEN_WRITE */
	const char *session;    /* id, or NULL */
	const char *csrf;       /* of the session */
};

struct response {
	int status;
	json_t *body;    /* owned; or NULL */
	struct str text; /* instead of body, with TYPE */
	const char *type;
	const char *etag, *cookie, *allow; /* headers; may be NULL */
	const char *location;
	const char *cache, *policy, *encoding; /* headers of pages */
	int64_t retry_after_s;
	bool is_stream;          /* instead of all these: no end */
	struct watcher *watcher; /* its bytes; NULL: for HEAD */
};

struct request {
	struct console *console;
	struct MHD_Connection *connection;
	struct arena *arena;
	const char *method;
	struct str path, query; /* as they came, still encoded */
	const struct route *route;
	struct str args[ARGS]; /* the {parts} of the path, decoded */
	struct buf bytes;      /* the body while it comes */
	json_t *body;          /* parsed; an object */
	struct inet client;
	struct who who;
	struct directory *d;
	struct changes *c;       /* of a request that changes something */
	struct tools *queue;     /* of one who asks often; or NULL */
	struct relay_test *test; /* relay_test.c */
	struct buf learnt;       /* learnt.c; the engine's answer */
	const char *question;    /* ...to this */
	const char *socket;      /* filters.c; where one listens */
	const char *trouble;     /* ...and why not; or NULL */
	struct records_asked *published; /* published.c */
	const char *mailbox;             /* used.c; its login */
	int64_t used;                    /* ...bytes, or USED_UNKNOWN */
	json_t *keys;                    /* dkim.c; what DNS is asked about */
	struct watcher *watcher;         /* events.c */
	struct request *next_waiting;    /* figures.c */
	bool has_begun, is_too_long, has_waited, errand_ended;
};

/* ---- answers ---- */

/* OBJECT becomes the answer's. */
struct response answer_json(int status, json_t *object);
/* With the ETag of OBJECT. */
struct response answer_entity(struct request *r, int status, json_t *object);
struct response answer_empty(void); /* 204 */

enum problem {
#define PROBLEM(id, status, sentence) PROBLEM_##id,
#include "console/problems.def"
#undef PROBLEM
};

/* problem("new", wrong_password) or problem(NULL, too_large, V("most", n)): one
 * of problems.def, and the values of its sentence.  FIELD may be NULL. */
#define problem(field, id, ...) \
	problem_say(field, PROBLEM_##id, VALUES(__VA_ARGS__))
struct response problem_say(const char *field, enum problem p,
			    const struct value *values);
/* 404, naming what the path asks for. */
struct response not_there(struct request *r);
/* Member KEY of the body is missing, or no text: 400. */
struct response no_text(struct request *r, const char *key);
struct response trouble(struct request *r); /* 503, cause() is logged */
/* What a change came to, when that is not CHANGE_DONE. */
struct response refused(struct request *r, struct change change);
/* Why a change was refused: detail, field, reason and values become O's. */
void say_refusal(json_t *o, struct change change);

/* The ETag of what is shown; counts and the like left out. */
const char *etag_of(struct request *r, json_t *object);

/* ---- what was asked ---- */

/* Decoded; NULL in P: it is not there. False: the query is malformed. */
bool param_value(struct request *r, const char *name,
		 struct str *out) must_check;
/* As above; empty when it is not there, cut at MAX; malformed is empty. */
struct str param(struct request *r, const char *name);
bool param_flag(struct request *r, const char *name);
/* Does it change anything? */
bool is_write(const struct request *r);
const char *header(struct request *r, const char *name); /* or NULL */
/* "%41b" -> "Ab"; false: malformed, or a NUL. */
bool decode(struct str s, struct arena *arena, struct str *out) must_check;
/* Member of the body as text; STR_NONE when it is not there. */
struct str body_text(struct request *r, const char *name);

/* The host's aliases as the file has them now; NULL: there are none. */
const struct aliases *aliases_now(struct request *r);

/* ---- rights ---- */

/* May he see what belongs to this domain? */
bool sees_domain(const struct request *r, int64_t domain);
bool sees_domain_named(const struct request *r, struct str name);
bool is_super(const struct request *r);
/* The parameter "domain", which he has to see, as the domain's first name;
 * without it his own, empty for all.  False: *PROBLEM. */
bool domain_asked(struct request *r, struct str *out,
		  struct response *problem_out) must_check;

/* ---- pages of lists ---- */

enum { PAGE_ITEMS = 50, PAGE_ITEMS_MAX = 500 };

/* Is SEARCH no longer than anybody types?  False: *PROBLEM. */
bool search_fits(struct str search, struct response *problem_out) must_check;
/* False: *PROBLEM. */
bool page_limit(struct request *r, int64_t *out,
		struct response *problem_out) must_check;
/* A cursor stands for up to two texts. */
json_t *cursor_of(struct request *r, struct str a, struct str b);
bool cursor_parse(struct request *r, struct str *a, struct str *b,
		  struct response *problem_out) must_check;

#endif
