/* Datagrams to the service manager (notify.h). */
#include "main/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "rt/log.h"

enum { PAUSE_MS = 50, DATAGRAM_BYTES = 1024 };

static bool understand_address(struct notify *n, const char *said)
{
	size_t length = strlen(said);

	n->to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((*said != '/' && *said != '@') || length < 2)
		return fail("NOTIFY_SOCKET=%s is neither a path nor @name",
			    said);
	if (length >= sizeof(n->to.sun_path))
		return fail("NOTIFY_SOCKET=%s is longer than %zu bytes", said,
			    sizeof(n->to.sun_path) - 1);
	memcpy(n->to.sun_path, said, length);
	if (*said == '@')
		n->to.sun_path[0] = '\0';
	n->to_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				  length + (*said == '/'));
	return true;
}

/* Microseconds, and for this process: both or nothing. */
static int64_t understand_watchdog(void)
{
	const char *us = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	uint64_t whom = 0, n = 0;

	if (!us || !str_number(str_of(us), INT64_MAX, &n))
		return 0;
	if (pid && (!str_number(str_of(pid), INT64_MAX, &whom) ||
		    whom != (uint64_t)getpid()))
		return 0;
	return (int64_t)(n / 1000);
}

bool notify_open(struct notify *n)
{
	const char *said = getenv("NOTIFY_SOCKET");
	bool ok = !said || !*said || understand_address(n, said);

	n->fd = -1;
	n->watchdog_ms = 0;
	if (ok && said && *said) {
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		n->watchdog_ms = understand_watchdog();
		ok = n->fd >= 0 || fail("socket: %m");
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return ok;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

bool notify_is_heard(const struct notify *n)
{
	return n->fd >= 0;
}

/* False: errno says why it is not told. */
static bool try_to_say(struct notify *n, const char *text)
{
	ssize_t done;

	if (n->fd < 0)
		return true;
	do
		done = sendto(n->fd, text, strlen(text),
			      MSG_DONTWAIT | MSG_NOSIGNAL,
			      (const struct sockaddr *)&n->to, n->to_bytes);
	while (done < 0 && errno == EINTR);
	return done >= 0;
}

static bool has_no_room(void)
{
	return errno == EAGAIN || errno == ENOBUFS;
}

static bool say(struct notify *n, const char *text)
{
	if (try_to_say(n, text))
		return true;
	if (!has_no_room())
		log_warn("serve", "tell the service manager: %m");
	return false;
}

printf_like(2, 3) static bool sayf(struct notify *n, const char *format, ...)
{
	char text[DATAGRAM_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return say(n, text);
}

void notify_ready(struct notify *n)
{
	int64_t deadline = after_ms(NOTIFY_MS);

	n->is_ready = true;
	while (!try_to_say(n, "READY=1")) {
		if (!has_no_room() || now_ms() >= deadline) {
			log_warn("serve", "tell the service manager: %m");
			return;
		}
		if (fiber_sleep(after_ms(PAUSE_MS)) == WAIT_CANCELLED)
			return;
	}
}

/* The manager compares the clock with the instant at which it asked for it: a
 * millisecond too early is another time. */
void notify_reloading(struct notify *n)
{
	if (n->is_ready)
		sayf(n, "RELOADING=1\nMONOTONIC_USEC=%lld",
		     (long long)now_us());
}

void notify_stopping(struct notify *n, int64_t within_ms)
{
	sayf(n, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld",
	     (long long)within_ms * 1000);
}

void notify_starting(struct notify *n, int64_t within_ms)
{
	sayf(n, "EXTEND_TIMEOUT_USEC=%lld", (long long)within_ms * 1000);
}

void notify_alive(struct notify *n)
{
	say(n, "WATCHDOG=1");
}

void notify_status(struct notify *n, const char *format, ...)
{
	char text[NOTIFY_STATUS_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	if (strcmp(text, n->status) == 0)
		return;
	if (sayf(n, "STATUS=%s", text))
		memcpy(n->status, text, sizeof(text));
}
