/*
 * directory.db: who may administer, and by which proof.
 *
 *	struct admin a;
 *	if (directory_admin(d, name, arena, &a) == ANSWER_YES &&
 *	    password_matches(password, a.hash))
 *		...signed in
 *
 * An administrator whose name is a user's login is that user: he has to be
 * hosted here and enabled (nobody else may use anything), and without a
 * password of its own the administrator has the user's.
 */
#ifndef DIRECTORY_ADMINS_H
#define DIRECTORY_ADMINS_H

#include "directory/changes.h"

struct admin {
	struct str name;
	enum admin_role role;
	int64_t domain;         /* 0: all */
	struct str domain_name; /* empty: all */
	const char *hash;       /* "": nobody can sign in as him */
	int64_t totp;           /* which second factor is on; 0: none */
	int64_t recovery_codes; /* left */
};

/* NO also for a user who is not hosted and enabled any more. */
enum answer directory_admin(struct directory *d, struct str name,
			    struct arena *arena, struct admin *out);

enum { TOKEN_HASH_CHARS = 64 };

void token_hash(struct str token, char out[TOKEN_HASH_CHARS + 1]);

struct token_entry {
	int64_t id;
	struct str name, admin;
	enum token_scope scope;
	int64_t created_s, expires_s;
	bool is_expired;
};

/* Whose token is it?  NO when it has expired. */
enum answer directory_token(struct directory *d, struct str token,
			    struct arena *arena, struct token_entry *out);
/* ADMIN empty: everybody's.  The expired ones, too, for a while. */
bool list_tokens(struct directory *d, struct str admin,
		 void (*each)(void *arg, const struct token_entry *e),
		 void *arg) must_check;

#endif
