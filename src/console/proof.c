/*
 * Passwords and codes (proof.h).
 */
#include "console/proof.h"

#include "console/sessions.h"
#include "directory/password.h"
#include "rt/clock.h"

bool may_try(struct request *r, struct str name, struct response *problem_out)
{
	int64_t wait_s = sign_in_wait_s(r->console->sessions, name, &r->client);

	if (wait_s <= 0)
		return true;
	*problem_out = problem(429, NULL,
			       "Too many attempts: wait %lld seconds.",
			       (long long)wait_s);
	problem_out->retry_after_s = wait_s;
	return false;
}

bool is_password(struct str password, const char *hash)
{
	static const char nobody[] =
		"{ARGON2ID}$argon2id$v=19$m=32768,t=2,p=1$"
		"c29tZXNhbHRzb21lc2FsdA$"
		"q83vEjRWeJASNFZ4kBI0VniQEjRWeJASNFZ4kBI0Vng";

	if (*hash)
		return password_matches(password, hash);
	return password_matches(password, nobody) && false;
}

/* A transaction of its own: what else the request changes may be undone, as a
 * preview is, but a code that was taken stays taken. */
enum answer code_take(struct request *r, struct str name, struct str code,
		      const char **sentence)
{
	const char *path = arena_printf(r->arena, "%s/directory.db",
					r->console->settings->data);
	const char *who = arena_printf(r->arena, "console:%.*s", STR(name));
	struct changes *c = changes_open(path, who);
	struct change change;

	if (!c)
		return ANSWER_UNSURE;
	change = totp_use(c, name, code, wall_ms() / 1000);
	*sentence = arena_printf(r->arena, "%s", change.sentence);
	changes_close(c);
	switch (change.outcome) {
	case CHANGE_DONE:
		return ANSWER_YES;
	case CHANGE_REFUSED:
	case CHANGE_NOT_FOUND:
		return ANSWER_NO;
	case CHANGE_FAILED:
		fail("%s", *sentence);
		break;
	}
	return ANSWER_UNSURE;
}

/* ---- of who is signed in ---- */

static bool wrong(struct request *r, const char *field, const char *sentence,
		  struct response *out)
{
	sign_in_failed(r->console->sessions, r->who.admin.name, &r->client);
	*out = problem(422, field, "%s", sentence);
	return false;
}

bool own_password(struct request *r, const char *field,
		  struct response *problem_out)
{
	struct str password = body_text(r, field);

	if (!may_try(r, r->who.admin.name, problem_out))
		return false;
	if (!password.p) {
		*problem_out = problem(400, field, "%s is a text.", field);
		return false;
	}
	return is_password(password, r->who.admin.hash) ||
	       wrong(r, field, "This is not the password.", problem_out);
}

bool own_code(struct request *r, struct response *problem_out)
{
	struct str code = body_text(r, "code");
	const char *sentence;

	if (!code.p) {
		*problem_out = problem(400, "code", "code is a text.");
		return false;
	}
	switch (code_take(r, r->who.admin.name, code, &sentence)) {
	case ANSWER_YES:
		return true;
	case ANSWER_NO:
		return wrong(r, "code", sentence, problem_out);
	case ANSWER_UNSURE:
		break;
	}
	*problem_out = trouble(r);
	return false;
}
