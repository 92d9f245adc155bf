/*
 * Users and capabilities, by the kernel's own calls.
 *
 * The order matters: groups, keep capabilities over setuid, gid, uid, then
 * the one capability back into the ambient set, then no_new_privs.
 */
#include "rt/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

/* "1000660000:0": containers run as numbers that nobody has given a name. */
static bool by_numbers(const char *name, struct person *out)
{
	struct str rest = str_of(name), uid;
	uint64_t u, g;

	str_split(&rest, ':', &uid);
	if (!str_number(uid, UINT32_MAX - 1, &u))
		return false;
	g = u;
	if (!str_empty(rest) && !str_number(rest, UINT32_MAX - 1, &g))
		return false;
	out->uid = (unsigned)u;
	out->gid = (unsigned)g;
	return true;
}

static void call_by_numbers(struct person *out)
{
	snprintf(out->name, sizeof(out->name), "%u:%u", out->uid, out->gid);
}

bool person_find(const char *name, struct person *out)
{
	struct passwd *p;

	errno = 0;
	p = name[0] ? getpwnam(name) : getpwuid(geteuid());
	if (p) {
		out->uid = p->pw_uid;
		out->gid = p->pw_gid;
		snprintf(out->name, sizeof(out->name), "%s", p->pw_name);
		return true;
	}
	*out = (struct person){ .uid = geteuid(), .gid = getegid() };
	if (name[0] && !by_numbers(name, out))
		return fail("there is no user \"%s\" on this machine; "
			    "`useradd --system %s` makes one",
			    name, name);
	call_by_numbers(out);
	return true;
}

/* By the mode alone: WANTED is one digit of it. */
static bool allows(const struct person *p, const struct stat *st, mode_t wanted)
{
	unsigned shift = st->st_uid == p->uid   ? 6
			 : st->st_gid == p->gid ? 3
						: 0;

	return p->uid == 0 || (st->st_mode >> shift & wanted) == wanted;
}

bool person_may(const struct person *p, const char *path, int wanted)
{
	struct person owner;
	struct stat st;
	struct passwd *named;

	if (stat(path, &st) != 0)
		return fail_errno("%s: %m", path);
	if (allows(p, &st, (mode_t)wanted))
		return true;
	owner = (struct person){ .uid = st.st_uid, .gid = st.st_gid };
	call_by_numbers(&owner);
	named = getpwuid(st.st_uid);
	return fail("%s belongs to user %s, and user %s may not %s it", path,
		    named ? named->pw_name : owner.name, p->name,
		    wanted & W_OK ? "write" : "read");
}

static bool may_search(const struct person *p, const char *folder)
{
	struct stat st;

	if (stat(folder, &st) != 0)
		return fail("%s: %m", folder);
	if (allows(p, &st, 01))
		return true;
	return fail("user %s cannot search folder %s; `chmod o+x %s`, or "
		    "choose another place",
		    p->name, folder, folder);
}

bool person_reaches(const struct person *p, const char *path)
{
	char *whole = realpath(path, NULL);
	bool good = true;

	if (!whole)
		return fail("%s: %m", path);
	for (char *end = whole + 1; good && (end = strchr(end, '/')); end++) {
		*end = 0;
		good = may_search(p, whole);
		*end = '/';
	}
	free(whole);
	return good;
}

static bool set_capabilities(uint32_t bits)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = bits, .permitted = bits, .inheritable = bits },
	};

	if (syscall(SYS_capset, &header, data) != 0)
		return fail("set capabilities: %m");
	return true;
}

static bool change_user(const struct person *p, bool keep_low_ports)
{
	if (setgroups(0, NULL) != 0 || setgid(p->gid) != 0)
		return fail("become group %u: %m", p->gid);
	if (keep_low_ports && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return fail("keep capabilities: %m");
	if (setuid(p->uid) != 0)
		return fail("become user %s: %m", p->name);
	if (!keep_low_ports)
		return true;
	if (!set_capabilities(1u << CAP_NET_BIND_SERVICE))
		return false;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0,
		  0) != 0)
		return fail("keep the right to bind low ports: %m");
	return true;
}

bool privileges_become(const struct person *p, bool keep_low_ports)
{
	pid_t parent = getppid();

	if (geteuid() == 0 && p->uid != 0 && !change_user(p, keep_low_ports))
		return false;
	if (geteuid() != p->uid)
		return fail("only root can become user %s", p->name);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail("no new privileges: %m");
	/* A change of user forgets this: it has to come last. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0)
		return fail("die with the parent: %m");
	if (getppid() != parent)
		return fail("the parent is gone");
	return true;
}

bool privileges_drop(void)
{
	if (geteuid() == 0)
		return true;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return set_capabilities(0);
}

/* The kernel takes root's capabilities over files away with the first of these,
 * and gives them back with the last (capabilities(7)). */
void privileges_files_begin(const struct person *p)
{
	if (geteuid() != 0)
		return;
	setfsgid(p->gid);
	setfsuid(p->uid);
	check((unsigned)setfsuid((uid_t)-1) == p->uid);
}

void privileges_files_end(void)
{
	if (geteuid() != 0)
		return;
	setfsuid(0);
	setfsgid(getegid());
}

void privileges_raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)!setrlimit(RLIMIT_NOFILE, &files);
}
