/* What the supervisor makes for others (owned.h). */
#include "main/owned.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

bool owned_folder(const char *path, const struct person *owner)
{
	bool ok;

	privileges_files_begin(owner);
	ok = mkdir(path, 0755) == 0 ||
	     (errno == EEXIST ? person_may(owner, path, W_OK | X_OK)
			      : fail("create folder %s: %m", path));
	privileges_files_end();
	return ok;
}

static FILE *create(const char *path, mode_t mode)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "wxe");
	if (!f) {
		fail("create %s: %m", path);
		return NULL;
	}
	if (fchmod(fileno(f), mode) != 0) {
		fail("close %s to others: %m", path);
		fclose(f);
		return NULL;
	}
	return f;
}

FILE *owned_create(const char *path, mode_t mode, const struct person *owner)
{
	FILE *f;

	privileges_files_begin(owner);
	f = create(path, mode);
	privileges_files_end();
	return f;
}

bool owned_close(FILE *f, const char *path)
{
	bool failed = ferror(f);

	if (fclose(f) != 0 || failed)
		return fail("write %s: %m", path);
	return true;
}

bool owned_text(const char *path, struct str text, const struct person *owner)
{
	FILE *f = owned_create(path, 0600, owner);

	if (!f)
		return false;
	fwrite(text.p, 1, text.n, f);
	return owned_close(f, path);
}
