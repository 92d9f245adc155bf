/*
 * The memory of one loop's sessions: made when it is first wanted.
 */
#include "smtp/memory.h"

#include <stdlib.h>

struct smtp_memory *smtp_memory(struct smtp_server *server)
{
	if (!server->memory) {
		server->memory = must_alloc(sizeof(*server->memory));
		memset(server->memory, 0, sizeof(*server->memory));
	}
	return server->memory;
}

void smtp_close(struct smtp_server *server)
{
	if (server->memory)
		filters_close(server->memory->filters);
	free(server->memory);
	server->memory = NULL;
}
