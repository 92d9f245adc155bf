/*
 * The gallery of conducts: what other mail systems do beside saying 250, as
 * data.  peers/ has it, and peers/README.md says what may stand in a file;
 * test/scenario/conducts.py reads the same files for real sockets.
 *
 *	struct gallery *g = gallery_open();
 *	const struct conduct *c = gallery_find(g, "mailcow");
 *	...or any: gallery_at(g, sim_draw(gallery_size(g)))
 *	gallery_close(g);
 *
 * A file may stand for several conducts (its "with"), each with a name of its
 * own; they come in the order of the files' names.  peer.h plays one.  A file
 * that does not say what README.md allows is a bug of ours: check().
 *
 * Read from the real disk: not in a world.
 */
#ifndef SIM_CONDUCT_H
#define SIM_CONDUCT_H

#include <stdint.h>

#include "base/str.h"

/* When something is said; most of them are commands. */
enum moment {
	MOMENT_CONNECT, /* the greeting */
	MOMENT_BEYOND,  /* instead of it, to one connection too many */
	MOMENT_NEXT,    /* before a command is read; else nothing */
	MOMENT_EHLO,
	MOMENT_HELO,
	MOMENT_STARTTLS,
	MOMENT_TLS, /* instead of a handshake */
	MOMENT_MAIL,
	MOMENT_RCPT,
	MOMENT_DATA,
	MOMENT_BODY, /* the first octets of it are there; else nothing */
	MOMENT_DOT,
	MOMENT_CHUNK, /* instead of reading what BDAT brings */
	MOMENT_BDAT,  /* the last chunk */
	MOMENT_RSET,
	MOMENT_NOOP,
	MOMENT_VRFY,
	MOMENT_QUIT,
	MOMENT_XCLIENT,
	MOMENT_OTHER, /* a command it does not know */
};
enum { MOMENTS = MOMENT_OTHER + 1 };

/* What becomes of the connection. */
enum then {
	THEN_GO_ON,
	THEN_CLOSE,
	THEN_RESET,
	THEN_SILENCE,
	THEN_REFUSE, /* of connections: nobody listens */
};

struct deed {
	int64_t wait_ms;  /* first */
	const char *says; /* lines; NULL: nothing */
	bool is_raw;      /* these very bytes */
	bool takes;       /* the mail is taken, whatever is said */
	bool is_error;    /* counted as one, whatever is said */
	enum then then;
};

/* Of all conditions; 0 and false: it does not matter. */
struct condition {
	uint64_t mails, recipients, more_recipients, errors, junk, seen,
		refused, bytes;
	bool is_unknown, has_parameters, is_clear;
	int64_t for_ms, new_for_ms;
	uint64_t times;
};

struct rule {
	uint32_t at; /* 1 << MOMENT_... */
	struct condition when;
	struct deed does;
};

enum { EXTENSIONS = 16 };

struct conduct {
	const char *name, *source;
	/* Within which mail for its users arrives; with `retries` after a
	 * retry of the queue or some. */
	int64_t within_ms;
	size_t most; /* recipients of one mail it is tried with */
	bool retries;
	bool is_open;          /* leaves open whether it took a mail */
	bool forwards_unknown; /* gives them back: sim_peer_gives_back() */
	bool tls;
	const char *extensions[EXTENSIONS];
	size_t n_extensions;
	unsigned connections; /* at once; 0: any number */
	struct deed beyond;
	int64_t idle_ms;       /* then... */
	const char *idle_says; /* or NULL, and it closes */
	struct rule *rules;
	size_t n_rules;
	struct json_t *json; /* all strings are in it */
};

struct gallery;

struct gallery *gallery_open(void);
void gallery_close(struct gallery *g);
size_t gallery_size(const struct gallery *g);
const struct conduct *gallery_at(const struct gallery *g, size_t i);
/* NULL: there is none of that name. */
const struct conduct *gallery_find(const struct gallery *g, const char *name);

#endif
