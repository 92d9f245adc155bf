/* What every TCP connection of ours is like. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "rt/linux/stream_inside.h"

void set_tcp_manners(int fd)
{
	static const struct {
		int level, option, value;
	} manners[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES },
	};

	for (size_t i = 0; i < array_size(manners); i++)
		setsockopt(fd, manners[i].level, manners[i].option,
			   &manners[i].value, sizeof(manners[i].value));
}
