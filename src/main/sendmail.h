/*
 * splitmail sendmail: what its files share.
 *
 *	struct sendmail o;
 *	if (!sendmail_options(argc, argv, &o)) ...cause()
 *	if (!letter_read(&text, stdin, o.dot_ends)) ...cause()
 *	letter_finish(&out, buf_str(&text), &writer, o.from_header)
 *
 * Options are those of the other sendmails (Sendmail, Postfix, Exim); what
 * changes nothing here is taken and ignored.
 */
#ifndef MAIN_SENDMAIL_H
#define MAIN_SENDMAIL_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"

enum sendmail_job {
	SENDMAIL_SEND,
	SENDMAIL_VERIFY,  /* -bv: would it be taken? */
	SENDMAIL_TALK,    /* -bs: SMTP on standard input and output */
	SENDMAIL_LIST,    /* -bp, mailq */
	SENDMAIL_RETRY,   /* -q */
	SENDMAIL_ALIASES, /* -bi, newaliases */
};

struct sendmail {
	enum sendmail_job job;
	const char *sender;    /* -f; NULL: whoever calls; "": nobody */
	const char *full_name; /* -F; or NULL */
	const char *notify, *ret, *envelope_id; /* -N, -R, -V; or NULL */
	bool dot_ends;    /* a line with a dot alone is the end: no -i */
	bool from_header; /* -t: recipients from To, Cc and Bcc */
	bool mail_errors; /* -oem: errors go to the sender as mail */
	char **recipients;
	int n;
};

/*
 * Nobody took TEXT, and nobody can be told by mail: it is put at the end of the
 * caller's dead.letter, as mailx does, and the log of the system says so.  *PATH,
 * in ARENA, is where.  False: it could not be, cause().
 */
bool dead_letter_keep(struct str text, struct arena *arena,
		      const char **path) must_check;

/* argv[0] is the program.  False: cause(). */
bool sendmail_options(int argc, char **argv, struct sendmail *out) must_check;

/* Line ends become CRLF, and the last line has one. False: too large. */
bool letter_read(struct buf *to, FILE *from, bool dot_ends) must_check;

/* Who writes. */
struct writer {
	struct str address;   /* with a domain */
	struct str full_name; /* or empty */
	struct str host;      /* what an address without a domain gets */
};
/*
 * TEXT as it is sent: From added when there is none, an empty line behind the
 * header, and a bare name in From or To with the host's domain.  Bcc goes with
 * WITHOUT_BCC; everything else stays byte for byte.
 */
void letter_finish(struct buf *to, struct str text, const struct writer *w,
		   bool without_bcc);
/* The recipients of the header, as -t wants them: of Resent-To, -Cc and -Bcc
 * when there are such, else of To, Cc and Bcc. */
void letter_recipients(struct str text, struct arena *arena,
		       void (*each)(void *arg, struct str address), void *arg);
/* NAME with the host's domain when it has none, in ARENA. */
struct str qualified(struct str name, struct str host, struct arena *arena);

#endif
