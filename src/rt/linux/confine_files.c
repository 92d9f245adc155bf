/*
 * Landlock (landlock(7)), by the kernel's own calls: the C library has none.
 *
 * The constants are the kernel's interface and stand here as far as the headers
 * of Debian 12 lack them.  Rights that a version does not know yet are left out,
 * so every kernel from 5.19 on confines as well as it can.
 */
#include "rt/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"
#include "rt/linux/confine_inside.h"

/* <linux/landlock.h> of a newer kernel. */
struct rules {
	uint64_t files, network, scoped;
};

enum {
	FIRST_ABI = 2, /* 1 has no renaming into another folder */
	ABI_TRUNCATE = 3,
	ABI_IOCTL = 5,
	ABI_SCOPES = 6,
};

#define RIGHT_TRUNCATE (1ull << 14)
#define RIGHT_IOCTL (1ull << 15)
#define SCOPE_ABSTRACT_SOCKETS (1ull << 0)
#define SCOPE_SIGNALS (1ull << 1)

#define RIGHTS_TO_SOCKETS \
	(LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE)
#define RIGHTS_TO_FILES \
	(RIGHTS_TO_SOCKETS | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER | \
	 RIGHT_TRUNCATE)
/* Whatever stands in no rule is refused. */
#define RIGHTS_HANDLED \
	(RIGHTS_TO_FILES | LANDLOCK_ACCESS_FS_EXECUTE | \
	 LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | \
	 RIGHT_IOCTL)

static uint64_t known_rights(int abi)
{
	return (abi >= ABI_TRUNCATE ? ~0ull : ~RIGHT_TRUNCATE) &
	       (abi >= ABI_IOCTL ? ~0ull : ~RIGHT_IOCTL);
}

uint64_t confine_rights(int abi)
{
	return RIGHTS_HANDLED & known_rights(abi);
}

uint64_t confine_rights_in(enum confined_to to, int abi)
{
	switch (to) {
	case CONFINED_TO_FILES:
		return RIGHTS_TO_FILES & known_rights(abi);
	case CONFINED_TO_SOCKETS:
		break;
	}
	return RIGHTS_TO_SOCKETS & known_rights(abi);
}

static const char *why_without(int error)
{
	switch (error) {
	case ENOSYS:
		return "this kernel has none";
	case EOPNOTSUPP:
		return "this kernel was started without it";
	case EPERM:
		return "refused by who started this";
	}
	return strerror(error);
}

static bool without(struct confinement *c, const char *why)
{
	snprintf(c->no_landlock, sizeof(c->no_landlock), "%s", why);
	return false;
}

static bool find_version(struct confinement *c)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 0)
		return without(c, why_without(errno));
	if (abi < FIRST_ABI)
		return without(c, "that of this kernel is too old");
	c->landlock = (int)abi;
	return true;
}

static bool add_rule(int rules, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights };
	int error;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0) /* not there, or nothing can be made there */
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
	error = syscall(SYS_landlock_add_rule, rules,
			LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0
			? 0
			: errno;
	close(rule.parent_fd);
	errno = error;
	return error == 0;
}

static bool add_places(const struct confinement *c, int rules,
		       const struct confined_place *places, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!add_rule(rules, places[i].path,
			      confine_rights_in(places[i].to, c->landlock)))
			return false;
	return add_rule(rules, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE);
}

/* -1: errno. */
static int make_rules(const struct confinement *c)
{
	const struct rules rules = {
		.files = confine_rights(c->landlock),
		.scoped = c->landlock >= ABI_SCOPES
				  ? SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS
				  : 0,
	};

	/* Older kernels take more members than they know, as long as those are
	 * zero. */
	return (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules),
			    0);
}

void confine_files(struct confinement *c, const struct confined_place *places,
		   size_t n)
{
	int rules;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		without(c, why_without(errno));
		return;
	}
	confine_rings(c);
	if (!find_version(c))
		return;
	rules = make_rules(c);
	if (rules < 0 || !add_places(c, rules, places, n) ||
	    syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
		without(c, why_without(errno));
		c->landlock = 0;
	}
	if (rules >= 0)
		close(rules);
}
