/*
 * directory.db: every change, with every validation.
 *
 * The command line and the console change the directory through these
 * functions and nothing else does.  Each is one transaction: it is done, with
 * its line in the change log, or nothing has happened and the sentence says
 * what to do.
 *
 *	struct changes *c = changes_open(path, "cli:root");
 *	struct setting s[] = { { S("relay"), S("mail.b.example") } };
 *	struct change r = domain_set(c, S("example.org"), s, 1);
 *	if (r.outcome != CHANGE_DONE)
 *		puts(r.sentence);	r.field says which key is at fault,
 *					r.reason why (refusals.def)
 *
 * Settings are KEY=VALUE as text; the keys are those of settings tables in
 * changes_*.c, and an unknown key is refused with the list of the valid ones.
 * What is checked is the state that would result, so that settings which
 * depend on each other are given together, in any order.
 *
 * Addresses are given as people write them ("Bob@Example.ORG"); "left@*" is an
 * address on all names of the domain.  A handle belongs to one thread, and a
 * change blocks: up to 10 s for another writer, 50 ms for a password.
 */
#ifndef DIRECTORY_CHANGES_H
#define DIRECTORY_CHANGES_H

#include "base/sentence.h"
#include "directory/directory.h"

#define ADMIN_FIRST "admin0" /* superadministrator, made by init */

struct changes;

/* WHO goes into the change log.  NULL: cause(). */
struct changes *changes_open(const char *path, const char *who);
void changes_close(struct changes *c);

enum change_outcome {
	CHANGE_DONE,
	CHANGE_REFUSED,   /* against a rule */
	CHANGE_NOT_FOUND, /* what should be changed is not there */
	CHANGE_FAILED,    /* our own trouble */
};

enum refusal {
#define REFUSAL(id, sentence) REFUSE_##id,
#include "directory/refusals.def"
#undef REFUSAL
};

struct change {
	enum change_outcome outcome;
	const char *field;    /* the key at fault, or NULL */
	const char *sentence; /* what was done, or what to do */
	/* When refused or not found: the sentence's identity and values. */
	enum refusal reason;
	const struct value *values;
}; /* on loan until the next call with this handle */

const char *refusal_name(enum refusal r); /* "domain_exists" */

struct setting {
	struct str key, value;
};

/* Many changes, one commit: between begin and end a refused change is undone
 * alone.  For imports. */
bool changes_begin(struct changes *c) must_check;
bool changes_end(struct changes *c) must_check;
/* Instead of changes_end(): none of them has been. */
void changes_undo(struct changes *c);
/* Questions that see what was changed and is not committed yet; it ends with
 * the handle. */
struct directory *changes_directory(struct changes *c);

/* ---- what leads to others ---- */

/*
 * An address that forwards, groups, a catch-all, a postmaster or an
 * administrator's rights lead to is not deleted, nor is its holder, domain or
 * alias: refused, naming them.  With ON what follows takes them away along,
 * where he who asks may, and the sentence says which.
 */
void changes_clean(struct changes *c, bool on);

enum reference_kind {
	REFERENCE_FORWARD,       /* of a user */
	REFERENCE_MEMBER,        /* of a group */
	REFERENCE_CATCH_ALL,     /* of a domain */
	REFERENCE_POSTMASTER,    /* of a domain */
	REFERENCE_ADMINISTRATOR, /* rights of one who signs in with it */
};

struct reference {
	enum reference_kind kind;
	struct str owner;   /* login, name of the domain or administrator */
	struct str address; /* as it is written there */
	/* Inside directory/ only. */
	int64_t row, holder, domain; /* its own; the owner's id and domain */
	struct str local, at;        /* of the address, canonical */
	bool is_last;                /* the group is empty now */
};

const char *reference_kind_name(enum reference_kind k); /* "catch_all"... */
/* Number I of what the last change has taken away and he may see; NULL: no
 * more. */
const struct reference *changes_cleaned(const struct changes *c, size_t i);

/* ---- other names ---- */

/*
 * TO becomes the default address of a user, group or shared mailbox, or the
 * first name of a domain, and goes wherever the old one is written down:
 * logins, forwards, members, catch-alls, postmasters, administrators.  The old
 * one stays an address (left@*), or an alias, with KEEP_OLD.  Open sessions
 * end.  It is one line of the change log, "renamed"; a domain is a
 * superadministrator's to rename.
 */
struct change holder_rename(struct changes *c, enum holder_kind kind,
			    struct str address, struct str to, bool keep_old);
struct change domain_rename(struct changes *c, struct str name, struct str to,
			    bool keep_old);
/* Line CHANGE of the change log, within LIMIT_UNDO_HOURS: everything is called
 * as before, also what came to the new name since.  Refused when it has got yet
 * another name. */
struct change rename_undo(struct changes *c, int64_t change);

/* ---- domains: relay, forward_unknown, aliases, catch_all, postmaster,
 *	own_senders, from_header, description, max_message_size, outgoing ---- */

struct change domain_create(struct changes *c, struct str name,
			    const struct setting *s, size_t n);
struct change domain_set(struct changes *c, struct str name,
			 const struct setting *s, size_t n);
struct change domain_delete(struct changes *c, struct str name);

/* ---- users: mail_system, system, enabled, name, quota, forward,
 *	forward_copy, password, password_hash; when created also address, as
 *	often as needed ---- */

struct change user_create(struct changes *c, struct str address,
			  const struct setting *s, size_t n);
struct change user_set(struct changes *c, struct str address,
		       const struct setting *s, size_t n);
/* Who was meant some time ago: refused when ADDRESS has become another's.  A
 * user of another domain than DOMAIN (0: of any) is not there. */
struct user_meant {
	int64_t id; /* holder_entry's; 0: nobody had it */
	struct str address;
	int64_t domain;
};
struct change user_set_meant(struct changes *c, const struct user_meant *u,
			     const struct setting *s, size_t n);
/* Back to OLD, where it still is NEW: refused when somebody has changed it
 * since. */
struct former {
	struct str key, old, new;
};
struct change user_put_back(struct changes *c, const struct user_meant *u,
			    const struct former *list, size_t n);
struct change user_delete(struct changes *c, struct str address);

/* ---- addresses of users, groups and shared mailboxes: routed, home ---- */

struct change address_add(struct changes *c, struct str holder,
			  struct str address);
/* HOLDER empty: whoever holds it. */
struct change address_remove(struct changes *c, struct str holder,
			     struct str address);
struct change address_set(struct changes *c, struct str address,
			  const struct setting *s, size_t n);

/* ---- groups and shared mailboxes: name, enabled; shared: quota; groups when
 *	created: member ---- */

struct change group_create(struct changes *c, struct str address,
			   const struct setting *s, size_t n);
struct change group_set(struct changes *c, struct str address,
			const struct setting *s, size_t n);
struct change group_add(struct changes *c, struct str address,
			const struct str *members, size_t n);
struct change group_remove(struct changes *c, struct str address,
			   const struct str *members, size_t n);
struct change group_delete(struct changes *c, struct str address);

struct change shared_create(struct changes *c, struct str address,
			    const struct setting *s, size_t n);
struct change shared_set(struct changes *c, struct str address,
			 const struct setting *s, size_t n);
struct change shared_delete(struct changes *c, struct str address);

/* ---- systems: hosts, tls, user, password, trust, may_relay, smart_host,
 *	when_down ---- */

struct change system_create(struct changes *c, struct str name,
			    const struct setting *s, size_t n);
struct change system_set(struct changes *c, struct str name,
			 const struct setting *s, size_t n);
struct change system_delete(struct changes *c, struct str name);

/* ---- filters: socket, listeners, direction, when_down, timeout, enabled,
 *	position; a superadministrator's ---- */

struct change filter_create(struct changes *c, struct str name,
			    const struct setting *s, size_t n);
struct change filter_set(struct changes *c, struct str name,
			 const struct setting *s, size_t n);
struct change filter_delete(struct changes *c, struct str name);

/* ---- administrators: role, domain, password, totp (off only) ---- */

enum admin_role { ADMIN_SUPER, ADMIN_DOMAIN, ADMIN_DELEGATE };

/*
 * What follows is asked for by an administrator of this role and domain (0:
 * all).  Users who are administrators themselves, and whatever their mail is
 * forwarded to, are refused to him unless he has all their rights: with a user's
 * password one signs in as him, with his addresses one reads his mail.  What is
 * named of other domains is counted only.  Without it, as on the command line,
 * nobody is refused.
 */
void changes_ask_as(struct changes *c, enum admin_role role, int64_t domain);
/* The name of this machine, which stays: only superadministrators may name it
 * as a relay. */
void changes_at(struct changes *c, const char *hostname);
/* The names of this server's listeners, which stay; without it a filter may have
 * any. */
void changes_listeners(struct changes *c, const struct texts *names);

struct change admin_create(struct changes *c, struct str name,
			   const struct setting *s, size_t n);
struct change admin_set(struct changes *c, struct str name,
			const struct setting *s, size_t n);
struct change admin_delete(struct changes *c, struct str name);

/* ---- an administrator's second factor: codes by time (RFC 6238) ---- */

enum {
	TOTP_SECRET_CHARS = 32, /* of base32: 160 bits */
	RECOVERY_CODES = 10,
	RECOVERY_CODE_CHARS = 14, /* "abcd-efgh-ijkl": 60 bits */
};

struct recovery_codes {
	char c[RECOVERY_CODES][RECOVERY_CODE_CHARS + 1];
};

/* A new secret, in base32; it is not on before totp_confirm().  Refused while
 * another one is on. */
struct change totp_begin(struct changes *c, struct str admin,
			 char secret[TOTP_SECRET_CHARS + 1]);
/* On, if CODE is of the secret that was begun; OUT is put out once. */
struct change totp_confirm(struct changes *c, struct str admin, struct str code,
			   int64_t now_s, struct recovery_codes *out);
/* Other recovery codes: those that were are void. */
struct change totp_renew(struct changes *c, struct str admin,
			 struct recovery_codes *out);
/* Take a code or a recovery code, spaces and dashes as people like: each is
 * good once.  Refused with "code"; not found: no second factor is on. */
struct change totp_use(struct changes *c, struct str admin, struct str code,
		       int64_t now_s);

/* ---- tokens: what scripts sign in with ---- */

enum { TOKEN_CHARS = 44 };

/* What a token may do with its administrator's rights; stored as it is. */
enum token_scope {
	TOKEN_READ,
	TOKEN_WRITE,  /* and read */
	TOKEN_METRICS /* nothing but /metrics */
};
enum { TOKEN_SCOPES = TOKEN_METRICS + 1 };

const char *token_scope_name(enum token_scope s); /* "read"... */
/* False: there is no such scope. */
bool token_scope_find(struct str name, enum token_scope *out) must_check;

/* Of the administrator ADMIN; the token is put into OUT, once. */
struct change token_create(struct changes *c, struct str admin, struct str name,
			   enum token_scope scope, int64_t days,
			   char out[TOKEN_CHARS + 1]);
/* ADMIN empty: anybody's. */
struct change token_delete(struct changes *c, struct str admin, int64_t id);

/* ---- words, as settings and lists write them ---- */

const char *home_name(enum home h);             /* "hosted"... */
const char *tls_name(enum system_tls t);        /* "opportunistic"... */
const char *family_name(enum address_family f); /* "any", "ipv4"... */
const char *when_down_name(enum when_down w);   /* "keep-known"... */
const char *filter_direction_name(enum filter_direction d); /* "both"... */
const char *filter_down_name(enum filter_down w);           /* "later"... */
const char *own_senders_name(enum own_senders o);
const char *from_header_name(enum from_header f);
const char *role_name(enum admin_role r); /* "superadmin"... */

#endif
