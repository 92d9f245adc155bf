/*
 * HTTP by libmicrohttpd (server.h).
 *
 * A request comes in three steps: its head, where it is decided whether it
 * may be made at all (admission.c); its body, in pieces; its end, where the
 * handler runs.  What is refused at the head is answered before the body is
 * read.
 */
#include "console/server.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "console/admission.h"
#include "console/certificate.h"
#include "console/desk.h"
#include "console/watchers.h"
#include "rt/fiber.h"
#include "rt/log.h"
#include "rt/tally.h"

enum { THREADS = 4, BACKLOG = 128, LOOK_AGAIN_MS = 20 };

struct server {
	struct MHD_Daemon *daemon; /* NULL: only the listener is there */
	int listener;
	struct tally *clients; /* connections by client */
};

/* ---- the answer ---- */

static void add(struct MHD_Response *to, const char *name, const char *value)
{
	if (value)
		check(MHD_add_response_header(to, name, value) == MHD_YES);
}

static ssize_t read_events(void *watcher, uint64_t at, char *to, size_t room)
{
	size_t n;

	(void)at;
	return watcher_read(watcher, to, room, &n)
		       ? (ssize_t)n
		       : MHD_CONTENT_READER_END_OF_STREAM;
}

static struct MHD_Response *response_of(struct response *a)
{
	enum { PIECE_BYTES = 16384 };
	char *text;

	if (a->is_stream)
		return MHD_create_response_from_callback(
			MHD_SIZE_UNKNOWN, PIECE_BYTES, read_events, a->watcher,
			NULL);
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
	/* nginx would keep events back until it has a page full of them. */
	add(to, "X-Accel-Buffering", a->is_stream ? "no" : NULL);
	add(to, "Cache-Control", a->cache ? a->cache : "no-store");
	add(to, "Content-Security-Policy",
	    a->policy ? a->policy
		      : "default-src 'none'; "
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

static struct response
with_directory(struct request *r, struct response (*step)(struct request *r))
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

	if (!admit_request(r, &a))
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

static struct response last_step(struct request *r)
{
	struct response a;

	if (r->bytes.n > 0 && !admit_request_again(r, &a))
		return a;
	if (r->route->body == BODY && !r->body && !parse_body(r, &a))
		return a;
	return r->route->handler(r);
}

static struct inet inet_of(const struct sockaddr *at)
{
	struct inet client = { .ip = { [10] = 0xff, [11] = 0xff } };

	if (at && at->sa_family == AF_INET)
		memcpy(client.ip + 12,
		       &((const struct sockaddr_in *)(const void *)at)
				->sin_addr,
		       4);
	else if (at && at->sa_family == AF_INET6)
		memcpy(client.ip,
		       &((const struct sockaddr_in6 *)(const void *)at)
				->sin6_addr,
		       16);
	return client;
}

static struct inet client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *known = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

	return inet_of(known ? known->client_addr : NULL);
}

/* ---- how many connections a client has ---- */

/* IPv6 clients own a /64 at least, so that is what is counted. */
static struct str key_of(const struct inet *client)
{
	return (struct str){ (const char *)client->ip,
			     inet_is_v4(client) ? sizeof(client->ip)
						: sizeof(client->ip) / 2 };
}

/* Some may pass beside each other, before they are counted. */
static enum MHD_Result may_connect(void *clients, const struct sockaddr *from,
				   socklen_t n)
{
	struct inet client = inet_of(from);

	(void)n;
	return tally_count(clients, key_of(&client)) < LIMIT_CONSOLE_PER_ADDRESS
		       ? MHD_YES
		       : MHD_NO;
}

static void count_connection(void *clients, struct MHD_Connection *connection,
			     void **unused,
			     enum MHD_ConnectionNotificationCode what)
{
	struct inet client = client_of(connection);

	(void)unused;
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		tally_add(clients, key_of(&client));
	else
		tally_drop(clients, key_of(&client));
}

/* ---- the steps, from the library ---- */

static enum MHD_Result
begin(struct request *r, struct MHD_Connection *connection, const char *method)
{
	struct response a;

	r->has_begun = true;
	atomic_fetch_add(&r->console->unanswered, 1);
	r->connection = connection;
	r->method = arena_cstr(r->arena, str_of(method));
	r->client = client_of(connection);
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
	watcher_forget(r);
	json_decref(r->body);
	json_decref(r->keys);
	buf_free(&r->bytes);
	buf_free(&r->learnt);
	arena_close(r->arena);
}

/* We decode what we need ourselves. */
static size_t leave_encoded(void *none, struct MHD_Connection *connection,
			    char *text)
{
	(void)none, (void)connection;
	return strlen(text);
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
	*s = (struct server){ .listener = fd, .clients = tally_open() };
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
		flags_of(c), 0, may_connect, s->clients, on_request, c,
		MHD_OPTION_LISTEN_SOCKET, s->listener,
		MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS,
		MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)LIMIT_CONSOLE_CONNECTIONS,
		MHD_OPTION_NOTIFY_CONNECTION, count_connection, s->clients,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_CONSOLE_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)LIMIT_CONSOLE_HEAD_BYTES, MHD_OPTION_STRICT_FOR_CLIENT,
		1, MHD_OPTION_URI_LOG_CALLBACK, on_address, c,
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
	tally_close(s->clients);
	free(s);
}
