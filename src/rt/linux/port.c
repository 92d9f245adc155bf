/* Who holds a port: /proc/net/tcp knows the socket, /proc/PID/fd who has it. */
#include "rt/port.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/str.h"
#include "rt/linux/stream_inside.h"

enum { TCP_LISTENS = 0x0a, LINK_BYTES = 64 };

/* Words of 32 bits, as they lie in memory. */
static bool parse_ip(const char *hex, struct inet *out)
{
	static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };
	size_t words = strlen(hex) / 8;

	if (words != 1 && words != 4)
		return false;
	memcpy(out->ip, v4_mapped, sizeof(v4_mapped));
	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		if (sscanf(hex + 8 * i, "%8" SCNx32, &word) != 1)
			return false;
		memcpy(out->ip + (words == 1 ? 12 : 4 * i), &word, 4);
	}
	return true;
}

bool port_row_parse(const char *line, struct port_row *out)
{
	unsigned port, state, uid;
	unsigned long long inode;
	struct inet at = { .port = 0 };
	char ip[33];

	if (sscanf(line,
		   " %*u: %32[0-9A-F]:%4x %*[0-9A-F]:%*x %2x %*s %*s %*s %u "
		   "%*u %llu",
		   ip, &port, &state, &uid, &inode) != 5 ||
	    state != TCP_LISTENS || !parse_ip(ip, &at))
		return false;
	at.port = (uint16_t)port;
	*out = (struct port_row){ at, uid, inode };
	return true;
}

/* 0.0.0.0 or ::, which may be both. */
static bool is_any(const struct inet *a)
{
	static const uint8_t zero[16];

	return memcmp(a->ip + 12, zero, 4) == 0 &&
	       (inet_is_v4(a) || memcmp(a->ip, zero, 12) == 0);
}

bool port_row_holds(const struct port_row *row, const struct inet *at)
{
	return row->at.port == at->port &&
	       (is_any(&row->at) || is_any(at) || inet_same_ip(&row->at, at));
}

static bool find_in(const char *table, const struct inet *at,
		    struct port_row *out)
{
	FILE *f = fopen(table, "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = port_row_parse(line, out) && port_row_holds(out, at);
	if (f)
		fclose(f);
	return found;
}

/* Does process ID have the socket that WANTED ("socket:[123]") names? */
static bool has_socket(uint64_t id, const char *wanted)
{
	char path[64], link[LINK_BYTES];
	struct dirent *e;
	bool found = false;
	DIR *all;

	snprintf(path, sizeof(path), "/proc/%llu/fd", (unsigned long long)id);
	all = opendir(path);
	while (all && !found && (e = readdir(all)) != NULL) {
		ssize_t n = readlinkat(dirfd(all), e->d_name, link,
				       sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	if (all)
		closedir(all);
	return found;
}

/* 0: we may not see it. */
static uint64_t find_process(const struct port_row *row)
{
	DIR *all = opendir("/proc");
	char wanted[LINK_BYTES];
	struct dirent *e;
	uint64_t id, found = 0;

	snprintf(wanted, sizeof(wanted), "socket:[%llu]",
		 (unsigned long long)row->inode);
	while (all && !found && (e = readdir(all)) != NULL)
		if (str_number(str_of(e->d_name), INT32_MAX, &id) &&
		    has_socket(id, wanted))
			found = id;
	if (all)
		closedir(all);
	return found;
}

static void read_name(uint64_t id, char *out, size_t room)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%llu/comm", (unsigned long long)id);
	f = fopen(path, "re");
	if (!f || !fgets(out, (int)room, f))
		snprintf(out, room, "a program");
	out[strcspn(out, "\n")] = '\0';
	if (f)
		fclose(f);
}

static bool fail_by(const char *at, const struct port_row *row)
{
	static const char why[] = "Address already in use";
	uint64_t id = find_process(row);
	const struct passwd *user = getpwuid(row->uid);
	char name[64];

	if (id) {
		read_name(id, name, sizeof(name));
		return fail("listen on %s: %s, by %s (process %llu)", at, why,
			    name, (unsigned long long)id);
	}
	snprintf(name, sizeof(name), "%u", row->uid);
	return fail("listen on %s: %s, by a program of the user %s: \"ss -ltnp "
		    "sport = :%u\" names it to root",
		    at, why, user ? user->pw_name : name, row->at.port);
}

static bool is_held(const struct inet *at)
{
	struct sockaddr_place to = inet_to_kernel(at);
	int fd = socket(to.a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;
	bool held;

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!inet_is_v4(at))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	held = bind(fd, (const struct sockaddr *)&to.a, to.n) != 0 &&
	       errno == EADDRINUSE;
	close(fd);
	return held;
}

bool port_is_free(const struct inet *at)
{
	struct inet_text text = inet_text(at);
	struct port_row row;

	if (!is_held(at))
		return true;
	if (find_in("/proc/net/tcp", at, &row) ||
	    find_in("/proc/net/tcp6", at, &row))
		return fail_by(text.c, &row);
	return fail("listen on %s: Address already in use", text.c);
}
