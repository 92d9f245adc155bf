/*
 * The folder of the socket where programs of every user hand in mail
 * (programs.h).
 */
#include "main/programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *programs_folder(const char *path, struct arena *arena)
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return "/";
	return arena_cstr(arena, (struct str){ path, (size_t)(slash - path) });
}

bool programs_make_folder(const struct config *c, const struct person *owner)
{
	const char *folder = programs_folder(c->sendmail, c->arena);

	if (mkdir(folder, 0755) != 0) {
		if (errno == EEXIST)
			return person_may(owner, folder, W_OK | X_OK);
		return fail("create folder %s: %m", folder);
	}
	/* what the umask has taken away */
	if (chmod(folder, 0755) != 0)
		return fail("open folder %s to everybody: %m", folder);
	if (geteuid() == 0 && lchown(folder, owner->uid, owner->gid) != 0)
		return fail("give folder %s to user %s: %m", folder,
			    owner->name);
	return true;
}

bool programs_may_wait(const char *socket)
{
	struct arena *arena scoped(arena) = arena_open();

	return access(programs_folder(socket, arena), X_OK) == 0;
}

const char *programs_socket(const char *data, struct arena *arena)
{
	const char *said = getenv("SPLITMAIL_SOCKET");

	return said && *said ? said : config_sendmail(data, arena);
}
