/* struct inet to and from what the kernel takes. */
#include <netinet/in.h>
#include <string.h>

#include "rt/linux/stream_inside.h"

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

struct sockaddr_place inet_to_kernel(const struct inet *a)
{
	struct sockaddr_place place = { .n = sizeof(struct sockaddr_in) };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_is_v4(a)) {
		v4.sin_port = htons(a->port);
		memcpy(&v4.sin_addr, a->ip + 12, 4);
		memcpy(&place.a, &v4, sizeof(v4));
		return place;
	}
	v6.sin6_port = htons(a->port);
	memcpy(&v6.sin6_addr, a->ip, 16);
	memcpy(&place.a, &v6, sizeof(v6));
	place.n = sizeof(v6);
	return place;
}

/* A Unix socket has no address: all zero. */
struct inet inet_from_kernel(const struct sockaddr_storage *from)
{
	struct inet a = { .port = 0 };
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (from->ss_family == AF_INET) {
		memcpy(&v4, from, sizeof(v4));
		memcpy(a.ip, v4_mapped, sizeof(v4_mapped));
		memcpy(a.ip + 12, &v4.sin_addr, 4);
		a.port = ntohs(v4.sin_port);
	} else if (from->ss_family == AF_INET6) {
		memcpy(&v6, from, sizeof(v6));
		memcpy(a.ip, &v6.sin6_addr, 16);
		a.port = ntohs(v6.sin6_port);
	}
	return a;
}
