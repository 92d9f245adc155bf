/* Which address is sent from (source.h): a UDP socket is asked. */
#include "rt/source.h"

#include <sys/socket.h>
#include <unistd.h>

#include "rt/linux/stream_inside.h"

static bool ask(int fd, const struct inet *to, struct inet *out)
{
	struct sockaddr_place place = inet_to_kernel(to);
	struct sockaddr_storage own;
	socklen_t n = sizeof(own);

	if (connect(fd, (const struct sockaddr *)&place.a, place.n) != 0 ||
	    getsockname(fd, (struct sockaddr *)&own, &n) != 0)
		return false;
	*out = inet_from_kernel(&own);
	out->port = 0;
	return true;
}

bool source_address(const struct inet *to, struct inet *out)
{
	int fd = socket(inet_is_v4(to) ? AF_INET : AF_INET6,
			SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool found;

	if (fd < 0)
		return false;
	found = ask(fd, to, out);
	close(fd);
	return found;
}
