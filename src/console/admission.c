/*
 * Who may ask what (admission.h).
 */
#include "console/admission.h"

#include <sodium.h>

#include "base/limits.h"
#include "console/routes.h"
#include "console/sessions.h"
#include "console/who.h"

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
	if (at >= 0 &&
	    str_same_nocase(str_from(from, (size_t)at + 3), str_of(host)))
		return true;
	*out = problem(NULL, from_another_site);
	return false;
}

static struct response not_signed_in(void)
{
	return problem(NULL, not_signed_in);
}

/* ---- who is it? ---- */

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
	if (r->who.scope != TOKEN_WRITE) {
		*out = problem(NULL, token_may_only_read);
		return false;
	}
	if (r->who.by_token || has_csrf(r))
		return true;
	*out = problem(NULL, csrf_token_wrong);
	return false;
}

static bool check_role(struct request *r, struct response *out)
{
	const char *role = role_name(r->who.admin.role);

	if (has_right(&r->who, r->route->right))
		return true;
	if (r->who.scope == TOKEN_METRICS)
		*out = problem(NULL, token_is_for_metrics);
	else
		*out = r->who.by_token
			       ? problem(NULL, token_has_no_right,
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

/* "preview=1" must not do the thing itself. */
static bool check_flags(struct request *r, struct response *out)
{
	static const char *const flags[] = { "preview", "count", "own" };
	struct str rest = r->query, pair, key;

	while (str_split(&rest, '&', &pair)) {
		str_split(&pair, '=', &key);
		for (size_t i = 0; i < array_size(flags); i++) {
			if (!str_same(key, str_of(flags[i])) ||
			    str_same(pair, S("true")) ||
			    str_same(pair, S("false")))
				continue;
			*out = problem(flags[i], bad_parameter,
				       V("key", flags[i]), V("given", pair));
			return false;
		}
	}
	return true;
}

static bool check_body(struct request *r, struct response *out)
{
	const char *type = header(r, "Content-Type");
	const char *length = header(r, "Content-Length");
	uint64_t n;

	if (length &&
	    !str_number(str_of(length), LIMIT_CONSOLE_BODY_BYTES, &n)) {
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
	r->route = route_find(r, &allow);
	if (!r->route && allow) {
		*out = problem(NULL, not_possible, V("method", r->method),
			       V("allow", allow),
			       V("instead", route_instead_of_post(r)));
		out->allow = allow;
		return false;
	}
	if (!r->route) {
		*out = not_there(r);
		return false;
	}
	return check_origin(r, out) && admit_request_again(r, out) &&
	       check_flags(r, out) && check_body(r, out);
}
