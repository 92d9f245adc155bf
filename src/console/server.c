/*
 * HTTP by libmicrohttpd (server.h).
 *
 * A request comes in three steps: its head, where it is decided whether it
 * may be made at all; its body, in pieces; its end, where the handler runs.
 * What is refused at the head is answered before the body is read.
 */
#include "console/server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "console/certificate.h"
#include "console/desk.h"
#include "console/handlers.h"
#include "console/nouns.h"
#include "console/sessions.h"
#include "rt/fiber.h"
#include "rt/log.h"

enum { THREADS = 4, BACKLOG = 128, LOOK_AGAIN_MS = 20 };

struct server {
	struct MHD_Daemon *daemon;	/* NULL: only the listener is there */
	int listener;
};

static const struct route routes[] = {
#define ROUTE(method, path, handler, right, body) \
	{ method, path, handler, right, body },
#include "console/routes.def"
#undef ROUTE
};

/* ---- the address ---- */

static bool is_write(const struct request *r)
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

static enum answer by_token(struct request *r, const char *authorization)
{
	struct str token = str_trim(str_from(str_of(authorization), 7));
	struct token_entry t;
	enum answer a = directory_token(r->d, token, r->arena, &t);

	if (a != ANSWER_YES)
		return a;
	r->who.by_token = true;
	r->who.may_write = t.may_write;
	return directory_admin(r->d, t.admin, r->arena, &r->who.admin);
}

static enum answer by_session(struct request *r)
{
	const char *id = MHD_lookup_connection_value(
		r->connection, MHD_COOKIE_KIND, "splitmail_session");
	struct session *s = arena_new(r->arena, struct session);
	enum answer a;

	if (!id || !session_find(r->console->sessions, id, r->arena, s))
		return ANSWER_NO;
	r->who.session = s->id;
	r->who.csrf = s->csrf;
	r->who.may_write = true;
	a = directory_admin(r->d, str_of(s->name), r->arena, &r->who.admin);
	if (a == ANSWER_YES && (strcmp(s->hash, r->who.admin.hash) != 0 ||
				s->totp != r->who.admin.totp))
		a = ANSWER_NO;
	if (a == ANSWER_NO) {
		session_end(r->console->sessions, s->id);
		r->who = (struct who){ 0 };
	}
	return a;
}

static enum answer recognise(struct request *r)
{
	const char *authorization = header(r, "Authorization");

	r->who = (struct who){ 0 };
	if (authorization && !strncasecmp(authorization, "Bearer ", 7))
		return by_token(r, authorization);
	return by_session(r);
}

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

static bool check_role(struct request *r, struct response *out)
{
	enum admin_role role = r->who.admin.role;

	switch (r->route->right) {
	case OPEN:
	case ANY:
		return true;
	case SESSION:
		if (!r->who.by_token)
			return true;
		break;
	case DOMAIN:
		if (role == ADMIN_SUPER || role == ADMIN_DOMAIN)
			return true;
		break;
	case SUPER:
		if (role == ADMIN_SUPER)
			return true;
		break;
	}
	*out = r->who.by_token ? problem(NULL, token_has_no_right,
					 V("role", role_name(role)))
			       : problem(NULL, no_right,
					 V("role", role_name(role)));
	return false;
}

/* Signing in again ends the old session: an OPEN route may know who it is. */
static bool check_who(struct request *r, struct response *out)
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
	if (r->route->body == NO_BODY)
		return true;
	if (type && !strncasecmp(type, "application/json", 16) &&
	    (type[16] == 0 || type[16] == ';' || type[16] == ' '))
		return true;
	*out = problem(NULL, not_json_type);
	return false;
}

static bool admit(struct request *r, struct response *out)
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
	return check_origin(r, out) && check_who(r, out) && check_body(r, out);
}

/* ---- the answer ---- */

static void add(struct MHD_Response *to, const char *name, const char *value)
{
	if (value)
		check(MHD_add_response_header(to, name, value) == MHD_YES);
}

static struct MHD_Response *response_of(struct response *a)
{
	char *text;

	if (!a->body)
		return MHD_create_response_from_buffer(
			a->text.n, (void *)(uintptr_t)a->text.p,
			MHD_RESPMEM_MUST_COPY);
	text = json_dumps(a->body, JSON_COMPACT);
	check(text);
	json_decref(a->body);
	if (!a->type)
		a->type = "application/json";
	return MHD_create_response_from_buffer(strlen(text), text,
					       MHD_RESPMEM_MUST_FREE);
}

static void add_headers(struct request *r, struct MHD_Response *to,
			const struct response *a)
{
	add(to, "Content-Type", a->type);
	add(to, "ETag", a->etag);
	add(to, "Set-Cookie", a->cookie);
	add(to, "Allow", a->allow);
	add(to, "Location", a->location);
	add(to, "Content-Encoding", a->encoding);
	add(to, "Vary", a->encoding ? "Accept-Encoding" : NULL);
	add(to, "Cache-Control", a->cache ? a->cache : "no-store");
	add(to, "Content-Security-Policy",
	    a->policy ? a->policy : "default-src 'none'; "
				    "frame-ancestors 'none'");
	add(to, "X-Content-Type-Options", "nosniff");
	add(to, "X-Frame-Options", "DENY");
	add(to, "Referrer-Policy", "no-referrer");
	add(to, "Cross-Origin-Opener-Policy", "same-origin");
	add(to, "Cross-Origin-Resource-Policy", "same-origin");
	if (a->status == 401)
		add(to, "WWW-Authenticate", "Bearer");
	if (a->retry_after_s > 0)
		add(to, "Retry-After",
		    arena_printf(r->arena, "%lld",
				 (long long)a->retry_after_s));
}

static void log_request(struct request *r, int status)
{
	if (!is_write(r))
		return;
	log_fact("console", "client=%s, who=<%s>, %s %s: %d",
		 inet_ip_text(&r->client).c,
		 log_safe(r->arena, r->who.admin.name, 64),
		 log_safe(r->arena, str_of(r->method), 16),
		 log_safe(r->arena, r->path, 300), status);
}

static enum MHD_Result send_answer(struct request *r, struct response a)
{
	struct MHD_Response *response = response_of(&a);
	enum MHD_Result sent;

	check(response);
	add_headers(r, response, &a);
	log_request(r, a.status);
	sent = MHD_queue_response(r->connection, (unsigned)a.status, response);
	MHD_destroy_response(response);
	return sent;
}

/* ---- the steps ---- */

static struct response with_directory(struct request *r,
				    struct response (*step)(struct request *r))
{
	struct response a;

	r->d = desk_borrow(r->console->desk);
	if (!r->d)
		return trouble(r);
	a = step(r);
	check(!r->c);
	desk_return(r->console->desk, r->d);
	r->d = NULL;
	return a;
}

/* Status 0: go on. */
static struct response head_step(struct request *r)
{
	struct response a = { 0 };

	if (!admit(r, &a))
		return a;
	return (struct response){ 0 };
}

static bool parse_body(struct request *r, struct response *out)
{
	json_error_t error;

	r->body = json_loadb(r->bytes.p ? r->bytes.p : "", r->bytes.n,
			     JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(r->body))
		return true;
	*out = r->body ? problem(NULL, not_an_object)
		       : problem(NULL, not_json, V("line", error.line),
				 V("cause", error.text));
	return false;
}

/* A body may have taken its time: who asks is asked again. */
static struct response last_step(struct request *r)
{
	struct response a;

	if (r->bytes.n > 0 && !check_who(r, &a))
		return a;
	if (r->route->body == BODY && !r->body && !parse_body(r, &a))
		return a;
	return r->route->handler(r);
}

static void take_client(struct request *r)
{
	const union MHD_ConnectionInfo *known = MHD_get_connection_info(
		r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *at = known ? known->client_addr : NULL;

	r->client = (struct inet){ .ip = { [10] = 0xff, [11] = 0xff } };
	if (at && at->sa_family == AF_INET)
		memcpy(r->client.ip + 12,
		       &((const struct sockaddr_in *)(const void *)at)->sin_addr,
		       4);
	else if (at && at->sa_family == AF_INET6)
		memcpy(r->client.ip,
		       &((const struct sockaddr_in6 *)(const void *)at)
				->sin6_addr, 16);
}

static enum MHD_Result begin(struct request *r,
			     struct MHD_Connection *connection,
			     const char *method)
{
	struct response a;

	r->has_begun = true;
	atomic_fetch_add(&r->console->unanswered, 1);
	r->connection = connection;
	r->method = arena_cstr(r->arena, str_of(method));
	take_client(r);
	a = with_directory(r, head_step);
	return a.status ? send_answer(r, a) : MHD_YES;
}

static void take_bytes(struct request *r, const char *bytes, size_t *n)
{
	if (r->bytes.n + *n > LIMIT_CONSOLE_BODY_BYTES)
		r->is_too_long = true;
	else
		buf_add(&r->bytes, (struct str){ bytes, *n });
	*n = 0;
}

static enum MHD_Result on_request(void *console,
				  struct MHD_Connection *connection,
				  const char *url, const char *method,
				  const char *version, const char *bytes,
				  size_t *n, void **request)
{
	struct request *r = *request;
	struct response a;

	(void)console, (void)url, (void)version;
	if (!r)
		return MHD_NO;
	if (!r->has_begun)
		return begin(r, connection, method);
	if (*n > 0) {
		take_bytes(r, bytes, n);
		return MHD_YES;
	}
	if (r->is_too_long)
		a = problem(NULL, too_large,
			    V("most", LIMIT_CONSOLE_BODY_BYTES));
	else
		a = with_directory(r, last_step);
	return a.status ? send_answer(r, a) : MHD_YES;
}

/* The address as it came: the library's copy would be decoded. */
static void *on_address(void *console, const char *uri,
			struct MHD_Connection *connection)
{
	struct arena *arena = arena_open();
	struct request *r = arena_new(arena, struct request);

	(void)connection;
	*r = (struct request){ .console = console, .arena = arena };
	r->query = arena_str(arena, str_of(uri));
	str_split(&r->query, '?', &r->path);
	return r;
}

static void on_end(void *console, struct MHD_Connection *connection,
		   void **request, enum MHD_RequestTerminationCode how)
{
	struct request *r = *request;

	(void)console, (void)connection, (void)how;
	if (!r)
		return;
	*request = NULL;
	if (r->has_begun)
		atomic_fetch_sub(&r->console->unanswered, 1);
	relay_test_forget(r);
	json_decref(r->body);
	buf_free(&r->bytes);
	arena_close(r->arena);
}

/* We decode what we need ourselves. */
static size_t leave_encoded(void *none, struct MHD_Connection *connection,
			    char *text)
{
	(void)none, (void)connection;
	return strlen(text);
}

/* ---- parking ---- */

void server_park(struct request *r)
{
	MHD_suspend_connection(r->connection);
}

void server_resume(struct request *r)
{
	MHD_resume_connection(r->connection);
}

/* ---- opening ---- */

static unsigned flags_of(const struct console *c)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC |
			 MHD_ALLOW_SUSPEND_RESUME;

	if (c->is_tls)
		flags |= MHD_USE_TLS;
	return inet_is_v4(&c->settings->at) ? flags : flags | MHD_USE_IPv6;
}

static void address_of(const struct inet *at, struct sockaddr_storage *out)
{
	*out = (struct sockaddr_storage){ 0 };
	if (inet_is_v4(at)) {
		struct sockaddr_in *v4 = (void *)out;

		v4->sin_family = AF_INET;
		v4->sin_port = htons(at->port);
		memcpy(&v4->sin_addr, at->ip + 12, 4);
	} else {
		struct sockaddr_in6 *v6 = (void *)out;

		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(at->port);
		memcpy(&v6->sin6_addr, at->ip, 16);
	}
}

static bool bind_to(int fd, const struct inet *to)
{
	struct sockaddr_storage at;
	int yes = 1;

	address_of(to, &at);
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ==
		       0 &&
	       bind(fd, (struct sockaddr *)&at,
		    inet_is_v4(to) ? sizeof(struct sockaddr_in)
				   : sizeof(struct sockaddr_in6)) == 0 &&
	       listen(fd, BACKLOG) == 0;
}

struct server *server_listen(const struct inet *at)
{
	struct server *s;
	int fd = socket(inet_is_v4(at) ? AF_INET : AF_INET6,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || !bind_to(fd, at)) {
		fail("listen on %s: %m", inet_text(at).c);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	s = must_alloc(sizeof(*s));
	*s = (struct server){ .listener = fd };
	return s;
}

bool server_start(struct server *s, struct console *c)
{
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0,
		  (void *)(intptr_t)certificate_give },
		{ MHD_OPTION_END, 0, NULL },
	};

	s->daemon = MHD_start_daemon(
		flags_of(c), 0, NULL, NULL, on_request, c,
		MHD_OPTION_LISTEN_SOCKET, s->listener,
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS,
		MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)LIMIT_CONSOLE_CONNECTIONS,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)LIMIT_CONSOLE_PER_ADDRESS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_CONSOLE_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)LIMIT_CONSOLE_HEAD_BYTES,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, on_address, c,
		MHD_OPTION_NOTIFY_COMPLETED, on_end, c,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_encoded, NULL,
		MHD_OPTION_ARRAY, c->is_tls ? tls : tls + 1, MHD_OPTION_END);
	return s->daemon || fail("the HTTP server does not start");
}

void server_quiesce(struct server *s)
{
	MHD_quiesce_daemon(s->daemon);
}

void waits server_finish(struct console *c, int64_t deadline_ms)
{
	while (atomic_load(&c->unanswered) > 0 && now_ms() < deadline_ms)
		fiber_sleep(after_ms(LOOK_AGAIN_MS));
}

void server_close(struct server *s)
{
	if (!s)
		return;
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	close(s->listener);
	free(s);
}
