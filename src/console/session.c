/*
 * Signing in and out, and the own password.
 */
#include "console/desk.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/proof.h"
#include "console/sessions.h"
#include "directory/password.h"
#include "rt/log.h"

static json_t *session_json(struct request *r)
{
	const struct console_settings *s = r->console->settings;
	const struct who *w = &r->who;

	return json_pack(
		"{s:o,s:s,s:o,s:b,s:I,s:o,s:o,s:s,s:s,s:s}", "name",
		json_text(w->admin.name), "role", role_name(w->admin.role),
		"domain", json_text_or_null(w->admin.domain_name), "totp",
		w->admin.totp != 0, "recovery_codes",
		(json_int_t)w->admin.recovery_codes, "csrf_token",
		json_text_or_null(str_of(w->csrf)), "idle_seconds",
		w->by_token ? json_null()
			    : json_integer((json_int_t)s->session_idle_s),
		"scope", token_scope_name(w->scope), "hostname", s->hostname,
		"version", s->version);
}

static const char *cookie(struct request *r, const char *id, const char *more)
{
	return arena_printf(r->arena,
			    "splitmail_session=%s; Path=/; HttpOnly; "
			    "SameSite=Strict%s%s",
			    id, r->console->is_tls ? "; Secure" : "", more);
}

static struct response wrong(struct request *r, struct str name,
			     struct response a)
{
	sign_in_failed(r->console->sessions, name, &r->client);
	log_fact("console", "client=%s, sign-in failed, name=<%s>",
		 inet_ip_text(&r->client).c, log_safe(r->arena, name, 64));
	return a;
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
	struct change change;
	struct admin again;

	if (str_empty(code)) {
		*out = problem("code", code_needed);
		return false;
	}
	change = code_take(r, admin->name, code);
	switch (change.outcome) {
	case CHANGE_DONE:
		/* Only how many are left: what he has proved is what was read
		 * before. */
		if (directory_admin(r->d, admin->name, r->arena, &again) ==
		    ANSWER_YES)
			admin->recovery_codes = again.recovery_codes;
		return true;
	case CHANGE_REFUSED:
	case CHANGE_NOT_FOUND:
		*out = wrong(r, admin->name,
			     change.reason == REFUSE_code_used
				     ? problem("code", code_used)
				     : problem("code", code_wrong));
		return false;
	case CHANGE_FAILED:
		*out = refused(r, change);
		break;
	}
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
	session_begin(all, r->who.admin.name,
		      (struct proof){ r->who.admin.hash, r->who.admin.totp },
		      &s);
	r->who.csrf = arena_cstr(r->arena, str_of(s.csrf));
	r->who.scope = TOKEN_WRITE;
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
		return no_text(r, name.p ? "password" : "name");
	if (code && !json_is_string(code))
		return no_text(r, "code");
	if (!may_try(r, name, &a))
		return a;
	if (directory_admin(r->d, name, r->arena, &admin) == ANSWER_UNSURE)
		return trouble(r);
	if (!is_password(password, admin.hash))
		return wrong(r, name, problem(NULL, wrong_name_or_password));
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
	struct change change;

	if (!change_open(r))
		return trouble(r);
	change = admin_set(r->c, r->who.admin.name, &s, 1);
	change.field = "new"; /* as it is called here */
	return own_proof_close(r, change.outcome == CHANGE_DONE
					  ? answer_empty()
					  : refused(r, change));
}

struct response on_change_password(struct request *r)
{
	struct str new = body_text(r, "new");
	struct response a;

	if (!new.p)
		return no_text(r, "new");
	if (!own_password(r, "current", &a))
		return a;
	return set_password(r, new);
}
