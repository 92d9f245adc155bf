/* Where the engine writes (places.h). */
#include "main/places.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "main/programs.h"

/* SQLite's other files lie beside the one the link leads to. */
static const char *folder_behind(const struct config *c, const char *name)
{
	const char *path = config_path(c, name), *folder;
	struct stat st;
	char *real;

	if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
		return NULL;
	real = realpath(path, NULL);
	if (!real)
		return NULL;
	folder = programs_folder(real, c->arena);
	free(real);
	return folder;
}

size_t places_of_engine(const struct config *c,
			struct confined_place out[PLACES_MOST])
{
	static const char *const folders[] = { "", "spool", "spool.orphans",
					       "run" };
	static const char *const databases[] = { "directory.db", "queue.db" };
	size_t n = 0;

	for (size_t i = 0; i < array_size(folders); i++)
		out[n++] = (struct confined_place){ config_path(c, folders[i]),
						    CONFINED_TO_FILES };
	for (size_t i = 0; i < array_size(databases); i++) {
		const char *folder = folder_behind(c, databases[i]);

		if (folder)
			out[n++] = (struct confined_place){ folder,
							    CONFINED_TO_FILES };
	}
	out[n++] =
		(struct confined_place){ programs_folder(c->sendmail, c->arena),
					 CONFINED_TO_SOCKETS };
	check(n <= PLACES_MOST);
	return n;
}
