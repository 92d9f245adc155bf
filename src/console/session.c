/*
 * Signing in and out, and the own password.
 */
#include "console/desk.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/proof.h"
#include "console/sessions.h"
#include "rt/log.h"

static json_t *session_json(struct request *r)
{
	const struct console_settings *s = r->console->settings;
	const struct who *w = &r->who;

	return json_pack("{s:o,s:s,s:o,s:b,s:I,s:o,s:o,s:s,s:s,s:s}", "name",
			 json_text(w->admin.name), "role",
			 role_name(w->admin.role), "domain",
			 json_text_or_null(w->admin.domain_name), "totp",
			 w->admin.totp != 0, "recovery_codes",
			 (json_int_t)w->admin.recovery_codes, "csrf_token",
			 json_text_or_null(str_of(w->csrf)), "idle_seconds",
			 w->by_token ? json_null()
				     : json_integer(SESSION_IDLE_S),
			 "scope", w->may_write ? "write" : "read", "hostname",
			 s->hostname, "version", s->version);
}

static const char *cookie(struct request *r, const char *id, const char *more)
{
	return arena_printf(r->arena,
			    "splitmail_session=%s; Path=/; HttpOnly; "
			    "SameSite=Strict%s%s", id,
			    r->console->is_tls ? "; Secure" : "", more);
}

/* FIELD is "code" after the right password only. */
static struct response wrong(struct request *r, struct str name,
			     const char *field, const char *sentence)
{
	sign_in_failed(r->console->sessions, name, &r->client);
	log_fact("console", "client=%s, sign-in failed, name=<%s>",
		 inet_ip_text(&r->client).c, log_safe(r->arena, name, 64));
	return problem(401, field, "%s", sentence);
}

/*
 * The code is asked for after the right password, so that nobody else learns
 * who has a second factor.  A sign-in without it is no failure, but does not
 * end the count of failures either.
 */
static bool check_code(struct request *r, struct admin *admin,
		       struct response *out)
{
	struct str code = body_text(r, "code");
	const char *sentence;
	struct admin again;

	if (str_empty(code)) {
		*out = problem(401, "code", "Give a code of the second factor, "
					    "too.");
		return false;
	}
	switch (code_take(r, admin->name, code, &sentence)) {
	case ANSWER_YES:
		/* Only how many are left: what he has proved is what was read
		 * before. */
		if (directory_admin(r->d, admin->name, r->arena, &again) ==
		    ANSWER_YES)
			admin->recovery_codes = again.recovery_codes;
		return true;
	case ANSWER_NO:
		*out = wrong(r, admin->name, "code", sentence);
		return false;
	case ANSWER_UNSURE:
		break;
	}
	*out = trouble(r);
	return false;
}

static struct response welcome(struct request *r)
{
	struct sessions *all = r->console->sessions;
	const char *old = r->who.session;
	struct session s;
	struct response a;

	if (old)
		session_end(all, old);
	sign_in_done(all, r->who.admin.name, &r->client);
	session_begin(all, r->who.admin.name, r->who.admin.hash,
		      r->who.admin.totp, &s);
	r->who.csrf = arena_cstr(r->arena, str_of(s.csrf));
	r->who.may_write = true;
	r->who.by_token = false;
	log_fact("console", "client=%s, signed in, name=<%s>",
		 inet_ip_text(&r->client).c,
		 log_safe(r->arena, r->who.admin.name, 64));
	a = answer_json(201, session_json(r));
	a.cookie = cookie(r, s.id, "");
	return a;
}

struct response on_sign_in(struct request *r)
{
	struct str name = body_text(r, "name");
	struct str password = body_text(r, "password");
	struct admin admin = { .hash = "" };
	json_t *code = json_object_get(r->body, "code");
	struct response a;

	if (!name.p || !password.p)
		return problem(400, name.p ? "password" : "name",
			       "name and password are texts.");
	if (code && !json_is_string(code))
		return problem(400, "code", "code is a text.");
	if (!may_try(r, name, &a))
		return a;
	if (directory_admin(r->d, name, r->arena, &admin) == ANSWER_UNSURE)
		return trouble(r);
	if (!is_password(password, admin.hash))
		return wrong(r, name, NULL,
			     "The name or the password is wrong.");
	if (admin.totp && !check_code(r, &admin, &a))
		return a;
	r->who.admin = admin;
	return welcome(r);
}

struct response on_get_session(struct request *r)
{
	return answer_json(200, session_json(r));
}

struct response on_sign_out(struct request *r)
{
	struct response a = answer_empty();

	if (r->who.session)
		session_end(r->console->sessions, r->who.session);
	a.cookie = cookie(r, "", "; Max-Age=0");
	return a;
}

/* ---- the own password ---- */

static struct response set_password(struct request *r, struct str password)
{
	struct setting s = { S("password"), password };
	struct str name = r->who.admin.name;
	struct admin again;
	struct change change;
	bool is_there;

	if (!change_open(r))
		return trouble(r);
	change = admin_set(r->c, name, &s, 1);
	if (change.outcome != CHANGE_DONE)
		return change_close(r, refused(r, change));
	is_there = directory_admin(r->d, name, r->arena, &again) == ANSWER_YES;
	if (is_there)
		session_end_all(r->console->sessions, name, r->who.session,
				again.hash, again.totp);
	return change_close(r, is_there ? answer_empty() : trouble(r));
}

struct response on_change_password(struct request *r)
{
	enum { SHORTEST = 8 };
	struct str new = body_text(r, "new");
	struct response a;

	if (!new.p)
		return problem(400, "new", "new is a text.");
	if (!own_password(r, "current", &a))
		return a;
	if (new.n < SHORTEST)
		return problem(422, "new", "A password has at least %d "
					   "characters.", SHORTEST);
	return set_password(r, new);
}
