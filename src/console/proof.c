/*
 * Passwords and codes (proof.h).
 */
#include "console/proof.h"

#include "console/nouns.h"
#include "console/sessions.h"
#include "directory/password.h"
#include "rt/clock.h"

bool may_try(struct request *r, struct str name, struct response *problem_out)
{
	int64_t wait_s = sign_in_wait_s(r->console->sessions, name, &r->client);

	if (wait_s <= 0)
		return true;
	*problem_out = problem(NULL, too_many_attempts, V("n", wait_s));
	problem_out->retry_after_s = wait_s;
	return false;
}

bool is_password(struct str password, const char *hash)
{
	/* An imported one, from before they were refused to administrators,
	 * takes as long. */
	if (str_starts(str_of(hash), S("{ARGON2ID}")))
		return password_matches(password, hash);
	return password_matches(password, password_of_nobody()) && false;
}

/* A transaction of its own: what else the request changes may be undone, as a
 * preview is, but a code that was taken stays taken. */
struct change code_take(struct request *r, struct str name, struct str code)
{
	const char *path = arena_printf(r->arena, "%s/directory.db",
					r->console->settings->data);
	const char *who = arena_printf(r->arena, "console:%.*s", STR(name));
	struct changes *c = changes_open(path, who);
	struct change change;

	if (!c)
		return (struct change){ .outcome = CHANGE_FAILED,
					.sentence = cause() };
	change = totp_use(c, name, code, wall_ms() / 1000);
	change.sentence = arena_printf(r->arena, "%s", change.sentence);
	change.values = values_keep(change.values, r->arena);
	changes_close(c);
	return change;
}

/* ---- of who is signed in ---- */

struct response own_proof_close(struct request *r, struct response a)
{
	struct sessions *all = r->console->sessions;
	struct proof next;
	struct admin again;

	if (a.status >= 400)
		return change_close(r, a);
	if (directory_admin(r->d, r->who.admin.name, r->arena, &again) !=
	    ANSWER_YES) {
		json_decref(a.body);
		return change_close(r, trouble(r));
	}
	next = (struct proof){ again.hash, again.totp };
	session_expect(all, r->who.session, next);
	a = change_close(r, a);
	if (a.status < 400 && !param_flag(r, "preview"))
		session_end_all(all, again.name, r->who.session, next);
	else
		session_expect(all, r->who.session, (struct proof){ NULL, 0 });
	return a;
}

static void count_failure(struct request *r)
{
	sign_in_failed(r->console->sessions, r->who.admin.name, &r->client);
}

bool own_password(struct request *r, const char *field,
		  struct response *problem_out)
{
	struct str password = body_text(r, field);

	if (!may_try(r, r->who.admin.name, problem_out))
		return false;
	if (!password.p) {
		*problem_out = no_text(r, field);
		return false;
	}
	if (is_password(password, r->who.admin.hash))
		return true;
	count_failure(r);
	*problem_out = problem(field, wrong_password);
	return false;
}

bool own_code(struct request *r, struct response *problem_out)
{
	struct str code = body_text(r, "code");
	struct change change;

	if (!code.p) {
		*problem_out = no_text(r, "code");
		return false;
	}
	change = code_take(r, r->who.admin.name, code);
	if (change.outcome == CHANGE_DONE)
		return true;
	if (change.outcome != CHANGE_FAILED)
		count_failure(r);
	*problem_out = refused(r, change);
	return false;
}
