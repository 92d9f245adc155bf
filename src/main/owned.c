/* What the supervisor makes for others (owned.h). */
#include "main/owned.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

bool owned_folder(const char *path, unsigned uid, unsigned gid)
{
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return fail("create folder %s: %m", path);
	if (geteuid() == 0 && lchown(path, uid, gid) != 0)
		return fail("give folder %s to user %u: %m", path, uid);
	return true;
}

FILE *owned_create(const char *path, mode_t mode, unsigned uid, unsigned gid)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "wxe");
	if (!f) {
		fail("create %s: %m", path);
		return NULL;
	}
	if (fchmod(fileno(f), mode) != 0 ||
	    (geteuid() == 0 && fchown(fileno(f), uid, gid) != 0)) {
		fail("set owner of %s: %m", path);
		fclose(f);
		return NULL;
	}
	return f;
}

bool owned_close(FILE *f, const char *path)
{
	bool failed = ferror(f);

	if (fclose(f) != 0 || failed)
		return fail("write %s: %m", path);
	return true;
}

bool owned_text(const char *path, struct str text, unsigned uid, unsigned gid)
{
	FILE *f = owned_create(path, 0600, uid, gid);

	if (!f)
		return false;
	fwrite(text.p, 1, text.n, f);
	return owned_close(f, path);
}
