/* What the supervisor makes for others (owned.h). */
#include "main/owned.h"

#include <errno.h>
#include <limits.h>
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

bool owned_replace(const char *path, struct str text,
		   const struct person *owner)
{
	char new[PATH_MAX];
	bool ok;

	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new))
		return fail("the path %s is too long", path);
	if (!owned_text(new, text, owner))
		return false;
	privileges_files_begin(owner);
	ok = rename(new, path) == 0 || fail("rename %s: %m", new);
	privileges_files_end();
	return ok;
}
