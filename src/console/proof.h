/*
 * Whether somebody is who he says: passwords and codes of second factors.
 *
 *	if (!may_try(r, name, &a))
 *		return a;
 *	if (!is_password(password, admin.hash))
 *		...counted by sign_in_failed(), and refused
 *
 * Every wrong one is counted by the throttle (sessions.h), whichever it is and
 * wherever it is given: six digits are tried out no more than passwords are.
 * Only the code that confirms a new secret is not: who gives it was just shown
 * the secret.
 */
#ifndef CONSOLE_PROOF_H
#define CONSOLE_PROOF_H

#include "console/request.h"

/* May NAME try now?  False: *PROBLEM. */
bool may_try(struct request *r, struct str name,
	     struct response *problem_out) must_check;
/* As slow for a name that is none (HASH is "") as for a wrong password. */
bool is_password(struct str password, const char *hash);
/*
 * Take a code, or a recovery code, of the administrator NAME: each is good
 * once, whatever else becomes of the request.
 */
struct change code_take(struct request *r, struct str name, struct str code);

/*
 * change_close() for a change of the own password or second factor: this
 * session goes on, and whoever else is signed in by his name has to prove it
 * anew.
 */
struct response own_proof_close(struct request *r, struct response a);

/* The password of who is signed in, which is the member FIELD of the body; a
 * wrong one is counted.  False: *PROBLEM. */
bool own_password(struct request *r, const char *field,
		  struct response *problem_out) must_check;
/* The same for a code of his second factor, the member "code". */
bool own_code(struct request *r, struct response *problem_out) must_check;

#endif
