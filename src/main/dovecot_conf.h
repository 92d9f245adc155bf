/*
 * What we need of Dovecot, and how each of its versions is told.
 *
 *	struct dovecot_needs n = { .data = "/var/lib/splitmail", ... };
 *	struct buf text scoped(buf) = BUF_EMPTY;
 *	dovecot_24_main(&n, &text);
 *
 * A need stands here once.  What both versions call alike is written by
 * dovecot_general() and dovecot_services(); dovecot_23.c and dovecot_24.c hold
 * what only one of them understands.  Everything below is text: nothing is
 * opened, nothing is looked up.
 */
#ifndef MAIN_DOVECOT_CONF_H
#define MAIN_DOVECOT_CONF_H

#include "base/buf.h"
#include "main/mailbox_format.h"

/* The versions whose configuration can be written. */
enum dovecot_version { DOVECOT_2_3, DOVECOT_2_4 };

/* Before a user's own script, which does not answer or forward spam: what a
 * filter calls so goes to Junk. */
#define DOVECOT_SPAM_SCRIPT "dovecot/spam.sieve"
#define DOVECOT_SPAM_TEXT \
	"require \"fileinto\";\n" \
	"if header :is \"X-Spam\" \"Yes\" {\n" \
	"\tfileinto \"Junk\";\n\tstop;\n}\n"

struct dovecot_needs {
	const char *data;              /* the data folder */
	const char *hostname, *listen; /* "*, ::" or an address */
	const char *user, *group;      /* everything runs as this one */
	bool is_nameless;              /* it has no name: these are others' */
	unsigned uid, gid;
	const char *certificate; /* chain and key in one file */
	bool auth_without_tls;
	uint16_t imap, imaps, pop3, pop3s, sieve; /* 0: off */
	uint16_t metrics;                         /* on 127.0.0.1; 0: off */
	const char **proxies; /* who comes to the ports above; NULL-ended; or
	                         NULL: everybody */
	enum mailbox_format format;
};

enum {
	DOVECOT_SESSIONS = 4096,    /* IMAP: a process each */
	DOVECOT_COUNTED = 8192,     /* connections of processes to anvil */
	DOVECOT_USER_SESSIONS = 50, /* of one user from one address */
	DOVECOT_AUTH_WORKERS = 8,
	DOVECOT_LMTP_SPARE = 2, /* processes that wait for mail */
	DOVECOT_TRASH_PERCENT =
		250,             /* of the quota, for what is deleted: clients
					   delete by a copy, and a full mailbox
					   has to be emptied, all at once */
	DOVECOT_WARN_FIRST = 80, /* percent of the quota: a mail to the owner */
	DOVECOT_WARN_LAST = 95,
};

/* Who may log in, where his mail lies, who there is.  LOCAL, DOMAIN and USER
 * stand for Dovecot's variables, which it has put into small ASCII letters; it
 * escapes what it puts there.  Whichever of his addresses somebody logs in
 * with, from then on he is the one USER.  login_right goes to who asked for the
 * login (smtp/auth.c). */
#define DOVECOT_LOGIN_OF(local_part, domain_part) \
	"SELECT user, password, login_right FROM dovecot_login WHERE local = " \
	"coalesce((SELECT local FROM dovecot_local WHERE given = '" local_part \
	"'), '" local_part "') AND domain = " \
	"coalesce((SELECT name FROM domain_spelling WHERE given = '" domain_part \
	"'), '" domain_part "') LIMIT 1"
#define DOVECOT_FROM_MAILBOX_OF(user) \
	"FROM dovecot_mailbox WHERE user = '" user "'"
#define DOVECOT_EVERYBODY "SELECT user FROM dovecot_mailbox"

/*
 * The folders every mailbox has from the start, and the names other systems
 * give them: a mailbox that was moved here keeps its own.
 */
struct dovecot_folder {
	const char *name, *use;
	bool is_made;
	bool is_trash; /* its quota is larger */
};
extern const struct dovecot_folder dovecot_folders[]; /* until a NULL name */

/* The words that both versions share. */
void dovecot_general(const struct dovecot_needs *n, struct buf *out);
void dovecot_services(const struct dovecot_needs *n, struct buf *out);
/* LISTEN: what this version calls a listener's own address. */
void dovecot_metrics(const struct dovecot_needs *n, const char *listen,
		     struct buf *out);

/* More certificates, in a file of their own, which the main one includes: for
 * who names NAME ("*.example.org" is one label more), with or without a dot at
 * its end, FILE, and ALT_FILE with a key of another kind, which may be NULL: that
 * there is none is said, too, or another block's would be taken. */
#define DOVECOT_NAMED "dovecot/certificates.conf"
void dovecot_23_named(const char *name, const char *file, const char *alt_file,
		      struct buf *out);
void dovecot_24_named(const char *name, const char *file, const char *alt_file,
		      struct buf *out);

/* What is added for a user without a name: nothing is somebody else's. */
void dovecot_nameless(enum dovecot_version version, struct buf *out);

/* dovecot.conf; 2.3 has its SQL in a file of its own, DATA/dovecot/sql.conf. */
void dovecot_23_main(const struct dovecot_needs *n, struct buf *out);
void dovecot_23_sql(const struct dovecot_needs *n, struct buf *out);
void dovecot_24_main(const struct dovecot_needs *n, struct buf *out);

#endif
