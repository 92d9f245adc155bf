/*
 * Who may ask what (admission.h).
 */
#include "console/admission.h"

#include <microhttpd.h>
#include <sodium.h>

#include "base/limits.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/sessions.h"

static const struct route routes[] = {
#define ROUTE(method, path, handler, right, body) \
	{ method, path, handler, right, body },
#include "console/routes.def"
#undef ROUTE
};

/* ---- the address ---- */

bool is_write(const struct request *r)
{
	return strcmp(r->method, "GET") && strcmp(r->method, "HEAD");
}

static bool same_method(const char *asked, const char *route)
{
	return !strcmp(asked, route) ||
	       (!strcmp(asked, "HEAD") && !strcmp(route, "GET"));
}

/* Does PATH fit the route's?  Its parts go into r->args. */
static bool fits(struct request *r, const char *route)
{
	struct str want = str_of(route), have = r->path, w, h;
	size_t n = 0;

	for (;;) {
		bool more = str_split(&want, '/', &w);

		if (more != str_split(&have, '/', &h))
			return false;
		if (!more)
			return true;
		if (!str_starts(w, S("{"))) {
			if (!str_same(w, h))
				return false;
			continue;
		}
		check(n < ARGS);
		if (str_empty(h) || !decode(h, r->arena, &r->args[n++]))
			return false;
	}
}

static const struct route web = { "GET", "", on_web, OPEN, NO_BODY };

/* ALLOW gets the methods of the path, for a 405. */
static const struct route *find_route(struct request *r, const char **allow)
{
	*allow = NULL;
	for (size_t i = 0; i < array_size(routes); i++) {
		if (!fits(r, routes[i].path))
			continue;
		if (same_method(r->method, routes[i].method))
			return &routes[i];
		*allow = *allow ? arena_printf(r->arena, "%s, %s", *allow,
					       routes[i].method)
				: routes[i].method;
	}
	if (*allow || str_starts(r->path, S("/api/")))
		return NULL;
	*allow = "GET, HEAD";
	return same_method(r->method, "GET") ? &web : NULL;
}

/* ---- may it be made? ---- */

/* "mx.example.org:8025" -> the name; "[::1]:80" -> "::1". */
static struct str host_name(struct str host)
{
	ptrdiff_t end;

	if (str_starts(host, S("["))) {
		end = str_find(host, ']');
		return end < 0 ? host : str_part(host, 1, (size_t)end);
	}
	end = str_find_last(host, ':');
	return end < 0 ? host : str_part(host, 0, (size_t)end);
}

/* A page elsewhere whose name is suddenly our address (DNS rebinding) comes
 * with that name. */
static bool is_our_name(const struct console_settings *s, struct str name)
{
	struct inet unused;

	for (const char *const *p = s->names; p && *p; p++)
		if (str_same_nocase(name, str_of(*p)))
			return true;
	return str_same_nocase(name, str_of(s->hostname)) ||
	       str_same_nocase(name, S("localhost")) ||
	       inet_parse_ip(name, 0, &unused);
}

static bool check_host(struct request *r, struct response *out)
{
	const char *host = header(r, "Host");

	if (host && is_our_name(r->console->settings, host_name(str_of(host))))
		return true;
	*out = problem(NULL, unknown_host);
	return false;
}

/* A browser says where the page comes from that sends this. */
static bool check_origin(struct request *r, struct response *out)
{
	const char *origin = header(r, "Origin"), *host = header(r, "Host");
	struct str from = str_of(origin);
	ptrdiff_t at = str_search(from, S("://"));

	if (!origin || !is_write(r))
		return true;
	if (at >= 0 && str_same_nocase(str_from(from, (size_t)at + 3),
				       str_of(host)))
		return true;
	*out = problem(NULL, from_another_site);
	return false;
}

static struct response not_signed_in(void)
{
	return problem(NULL, not_signed_in);
}

/* ---- who is it? ---- */

static enum answer by_token(struct directory *d, struct str token,
			    struct arena *arena, struct who *out)
{
	struct token_entry t;
	enum answer a = directory_token(d, token, arena, &t);

	if (a != ANSWER_YES)
		return a;
	out->by_token = true;
	out->may_write = t.may_write;
	return directory_admin(d, t.admin, arena, &out->admin);
}

/* He may have changed his own password between the two looks: what the
 * directory says now was expected before it was committed. */
static bool still_holds(const struct console *c, struct session *s,
			const struct admin *now, struct arena *arena)
{
	struct proof wanted = { now->hash, now->totp };

	return session_holds(s, wanted) ||
	       (session_look(c->sessions, s->id, arena, s) &&
		session_holds(s, wanted));
}

static enum answer by_session(const struct console *c, struct directory *d,
			      const struct credentials *shown,
			      struct arena *arena, struct who *out)
{
	struct session *s = arena_new(arena, struct session);
	enum answer a;

	if (!(shown->is_unattended
		      ? session_look(c->sessions, shown->session, arena, s)
		      : session_find(c->sessions, shown->session, arena, s)))
		return ANSWER_NO;
	out->session = s->id;
	out->csrf = s->csrf;
	out->may_write = true;
	a = directory_admin(d, str_of(s->name), arena, &out->admin);
	if (a == ANSWER_YES && !still_holds(c, s, &out->admin, arena))
		a = ANSWER_NO;
	if (a == ANSWER_NO)
		session_end(c->sessions, s->id);
	return a;
}

enum answer who_shows(const struct console *c, struct directory *d,
		      const struct credentials *shown, struct arena *arena,
		      struct who *out)
{
	enum answer a = ANSWER_NO;

	*out = (struct who){ 0 };
	if (shown->token.p)
		a = by_token(d, shown->token, arena, out);
	else if (shown->session)
		a = by_session(c, d, shown, arena, out);
	if (a == ANSWER_NO)
		*out = (struct who){ 0 };
	return a;
}

/* A page that looks by itself is no sign of a person. */
static bool is_unattended(struct request *r)
{
	const char *said = header(r, "X-Unattended");

	return r->route->body == STREAM ||
	       (said && !strcmp(said, "true") && !is_write(r));
}

struct credentials credentials_of(struct request *r)
{
	const char *authorization = header(r, "Authorization");
	struct credentials c = { .is_unattended = is_unattended(r) };

	if (authorization && !strncasecmp(authorization, "Bearer ", 7))
		c.token = str_trim(str_from(str_of(authorization), 7));
	else
		c.session = MHD_lookup_connection_value(
			r->connection, MHD_COOKIE_KIND, "splitmail_session");
	return c;
}

static enum answer recognise(struct request *r)
{
	struct credentials shown = credentials_of(r);

	return who_shows(r->console, r->d, &shown, r->arena, &r->who);
}

/* ---- may he? ---- */

static bool has_csrf(struct request *r)
{
	const char *given = header(r, "X-CSRF-Token");

	return given && strlen(given) == SESSION_CHARS &&
	       sodium_memcmp(given, r->who.csrf, SESSION_CHARS) == 0;
}

static bool check_write(struct request *r, struct response *out)
{
	if (!is_write(r))
		return true;
	if (!r->who.may_write) {
		*out = problem(NULL, token_may_only_read);
		return false;
	}
	if (r->who.by_token || has_csrf(r))
		return true;
	*out = problem(NULL, csrf_token_wrong);
	return false;
}

bool has_right(const struct who *who, enum right right)
{
	enum admin_role role = who->admin.role;

	switch (right) {
	case OPEN:
	case ANY:
		return true;
	case SESSION:
		return !who->by_token;
	case DOMAIN:
		return role == ADMIN_SUPER || role == ADMIN_DOMAIN;
	case SUPER:
		return role == ADMIN_SUPER;
	}
	return false;
}

static bool check_role(struct request *r, struct response *out)
{
	const char *role = role_name(r->who.admin.role);

	if (has_right(&r->who, r->route->right))
		return true;
	*out = r->who.by_token ? problem(NULL, token_has_no_right,
					 V("role", role))
			       : problem(NULL, no_right, V("role", role));
	return false;
}

/* Signing in again ends the old session: an OPEN route may know who it is. */
bool admit_request_again(struct request *r, struct response *out)
{
	switch (recognise(r)) {
	case ANSWER_YES:
		if (r->route->right == OPEN)
			return true;
		return check_write(r, out) && check_role(r, out);
	case ANSWER_NO:
		if (r->route->right == OPEN)
			return true;
		*out = not_signed_in();
		return false;
	case ANSWER_UNSURE:
		break;
	}
	*out = trouble(r);
	return false;
}

static bool check_body(struct request *r, struct response *out)
{
	const char *type = header(r, "Content-Type");
	const char *length = header(r, "Content-Length");
	uint64_t n;

	if (length && !str_number(str_of(length), LIMIT_CONSOLE_BODY_BYTES, &n)) {
		*out = problem(NULL, too_large,
			       V("most", LIMIT_CONSOLE_BODY_BYTES));
		return false;
	}
	if (r->route->body != BODY)
		return true;
	if (type && !strncasecmp(type, "application/json", 16) &&
	    (type[16] == 0 || type[16] == ';' || type[16] == ' '))
		return true;
	*out = problem(NULL, not_json_type);
	return false;
}

bool admit_request(struct request *r, struct response *out)
{
	const char *allow;

	if (!check_host(r, out))
		return false;
	r->route = find_route(r, &allow);
	if (!r->route && allow) {
		*out = problem(NULL, not_possible);
		out->allow = allow;
		return false;
	}
	if (!r->route) {
		*out = not_there(r);
		return false;
	}
	return check_origin(r, out) && admit_request_again(r, out) &&
	       check_body(r, out);
}
