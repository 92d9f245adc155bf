/*
 * Signing in and out, and the own password.
 */
#include "console/desk.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/sessions.h"
#include "directory/password.h"
#include "rt/log.h"

static json_t *session_json(struct request *r)
{
	const struct console_settings *s = r->console->settings;
	const struct who *w = &r->who;

	return json_pack("{s:o,s:s,s:o,s:o,s:o,s:s,s:s,s:s}", "name",
			 json_text(w->admin.name), "role",
			 role_name(w->admin.role), "domain",
			 json_text_or_null(w->admin.domain_name), "csrf_token",
			 json_text_or_null(str_of(w->csrf)), "idle_seconds",
			 w->by_token ? json_null()
				     : json_integer((json_int_t)s->session_idle_s),
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

static struct response too_often(int64_t wait_s)
{
	struct response a = problem(429, NULL,
				  "Too many attempts: wait %lld seconds.",
				  (long long)wait_s);

	a.retry_after_s = wait_s;
	return a;
}

/* As slow for a name that is none as for a wrong password. */
static bool is_password(struct str password, const char *hash)
{
	static const char nobody[] =
		"{ARGON2ID}$argon2id$v=19$m=32768,t=2,p=1$"
		"c29tZXNhbHRzb21lc2FsdA$"
		"q83vEjRWeJASNFZ4kBI0VniQEjRWeJASNFZ4kBI0Vng";

	if (*hash)
		return password_matches(password, hash);
	return password_matches(password, nobody) && false;
}

static struct response wrong(struct request *r, struct str name)
{
	sign_in_failed(r->console->sessions, name, &r->client);
	log_fact("console", "client=%s, sign-in failed, name=<%s>",
		 inet_ip_text(&r->client).c, log_safe(r->arena, name, 64));
	return problem(401, NULL, "The name or the password is wrong.");
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
	session_begin(all, r->who.admin.name, r->who.admin.hash, &s);
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
	int64_t wait_s;

	if (!name.p || !password.p)
		return problem(400, name.p ? "password" : "name",
			       "name and password are texts.");
	wait_s = sign_in_wait_s(r->console->sessions, name, &r->client);
	if (wait_s > 0)
		return too_often(wait_s);
	if (directory_admin(r->d, name, r->arena, &admin) == ANSWER_UNSURE)
		return trouble(r);
	if (!is_password(password, admin.hash))
		return wrong(r, name);
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
				again.hash);
	return change_close(r, is_there ? answer_empty() : trouble(r));
}

struct response on_change_password(struct request *r)
{
	enum { SHORTEST = 8 };
	struct str current = body_text(r, "current");
	struct str new = body_text(r, "new");
	struct str name = r->who.admin.name;
	int64_t wait_s = sign_in_wait_s(r->console->sessions, name, &r->client);

	if (wait_s > 0)
		return too_often(wait_s);
	if (!current.p || !new.p)
		return problem(400, current.p ? "new" : "current",
			       "current and new are texts.");
	if (!is_password(current, r->who.admin.hash)) {
		sign_in_failed(r->console->sessions, name, &r->client);
		return problem(422, "current", "This is not the password.");
	}
	if (new.n < SHORTEST)
		return problem(422, "new", "A password has at least %d "
					   "characters.", SHORTEST);
	return set_password(r, new);
}
