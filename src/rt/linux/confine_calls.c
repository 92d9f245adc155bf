/*
 * seccomp, by libseccomp: calls.def as a filter of this process.
 *
 * Most calls are allowed whatever their arguments: for those the kernel keeps a
 * map of bits (since 5.11) and runs no filter.  The others are found in it by a
 * binary search.
 */
#include "rt/confine.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "rt/linux/confine_inside.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* Who looks for leaks at the end stops all threads from a process of its own. */
#ifdef __SANITIZE_ADDRESS__
enum { FOR_SANITIZER = 1 };
#else
enum { FOR_SANITIZER = 0 };
#endif

static const struct {
	const char *name;
	enum call_verdict verdict;
} calls[] = {
#define ALLOWED(name) { #name, CALL_ALLOWED },
#define LIMITED(name) { #name, CALL_LIMITED },
#define FORBIDDEN(name) { #name, CALL_FORBIDDEN },
#include "rt/linux/calls.def"
#undef ALLOWED
#undef LIMITED
#undef FORBIDDEN
};

const char *confine_call(size_t i, enum call_verdict *verdict)
{
	if (i >= array_size(calls))
		return NULL;
	*verdict = calls[i].verdict;
	return calls[i].name;
}

/* ---- those with some arguments ---- */

#define IS(arg, value) SCMP_CMP32(arg, SCMP_CMP_EQ, (uint32_t)(value))
#define HAS(arg, mask, value) \
	SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, (uint64_t)(mask), (uint64_t)(value))

#define MAY(name, ...) \
	(seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(name), __VA_ARGS__) == 0)
#define MAY_NOT(name, ...) \
	(seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(name), \
			  __VA_ARGS__) == 0)

/* Streams and datagrams; what interfaces and addresses there are. */
static bool limit_sockets(scmp_filter_ctx f)
{
	static const int domains[] = { AF_UNIX, AF_INET, AF_INET6 };
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	bool ok = MAY(socket, 2, IS(0, AF_NETLINK), IS(2, 0)) &&
		  MAY(socketpair, 1, IS(0, AF_UNIX));

	for (size_t d = 0; d < array_size(domains); d++)
		for (size_t t = 0; t < array_size(types); t++)
			ok = ok && MAY(socket, 2, IS(0, domains[d]),
				       HAS(1, 0xf, types[t]));
	return ok;
}

/* What has been written is never run. */
static bool run_nothing_written(scmp_filter_ctx f)
{
	return MAY_NOT(mprotect, 1, HAS(2, PROT_EXEC, PROT_EXEC)) &&
	       MAY_NOT(mmap, 1,
		       HAS(2, PROT_WRITE | PROT_EXEC,
			   PROT_WRITE | PROT_EXEC)) &&
	       MAY_NOT(mmap2, 1,
		       HAS(2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC));
}

static bool limit_memory(scmp_filter_ctx f)
{
	static const int protections[] = { 0, PROT_WRITE, PROT_EXEC };
	bool ok = run_nothing_written(f) &&
		  MAY(mprotect, 1, HAS(2, PROT_EXEC, 0));

	for (size_t i = 0; i < array_size(protections); i++)
		ok = ok &&
		     MAY(mmap, 1,
			 HAS(2, PROT_WRITE | PROT_EXEC, protections[i])) &&
		     MAY(mmap2, 1,
			 HAS(2, PROT_WRITE | PROT_EXEC, protections[i]));
	return ok;
}

static bool limit_devices(scmp_filter_ctx f)
{
	static const unsigned long requests[] = {
		FIONBIO, FIONREAD, FIOCLEX, TCGETS, SIOCOUTQ, SIOCGIFINDEX,
	};
	bool ok = true;

	for (size_t i = 0; i < array_size(requests); i++)
		ok = ok && MAY(ioctl, 1, IS(1, requests[i]));
	return ok;
}

/* Threads, no processes; signals for nobody else. */
static bool limit_processes(scmp_filter_ctx f)
{
	static const unsigned options[] = {
		PR_SET_NAME,         PR_GET_NAME,         PR_CAP_AMBIENT,
		PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_DUMPABLE,
		PR_SET_VMA,
	};
	pid_t self = getpid();
	bool ok = MAY(kill, 1, IS(0, self)) && MAY(tgkill, 1, IS(0, self)) &&
		  MAY(prlimit64, 1, SCMP_A2_64(SCMP_CMP_EQ, 0)) &&
		  MAY_NOT(prlimit64, 1, SCMP_A2_64(SCMP_CMP_NE, 0));

	if (FOR_SANITIZER)
		return ok && MAY(clone, 0) && MAY(prctl, 0);
	for (size_t i = 0; i < array_size(options); i++)
		ok = ok && MAY(prctl, 1, IS(0, options[i]));
	return ok && MAY(clone, 1, HAS(0, CLONE_THREAD, CLONE_THREAD)) &&
	       MAY_NOT(clone, 1, HAS(0, CLONE_THREAD, 0));
}

/* ---- the whole ---- */

static bool serves_sanitizer(const char *name)
{
	return FOR_SANITIZER &&
	       (strcmp(name, "ptrace") == 0 || strcmp(name, "wait4") == 0);
}

/* A call this kind of machine does not have is no trouble. */
static bool add_call(scmp_filter_ctx f, const char *name,
		     enum call_verdict verdict)
{
	int number = seccomp_syscall_resolve_name(name);
	uint32_t action = SCMP_ACT_ALLOW;

	if (number == __NR_SCMP_ERROR || number < 0 || verdict == CALL_LIMITED)
		return true;
	if (verdict == CALL_FORBIDDEN && !serves_sanitizer(name))
		action = SCMP_ACT_ERRNO(EPERM);
	return seccomp_rule_add(f, action, number, 0) == 0;
}

static bool add_calls(scmp_filter_ctx f)
{
	bool ok = true;

	for (size_t i = 0; i < array_size(calls); i++)
		ok = ok && add_call(f, calls[i].name, calls[i].verdict);
	return ok && limit_sockets(f) && limit_memory(f) && limit_devices(f) &&
	       limit_processes(f);
}

static int load(scmp_filter_ctx f)
{
	/* The kernel's own word for what it refuses; both are niceties. */
	(void)!seccomp_attr_set(f, SCMP_FLTATR_API_SYSRAWRC, 1);
	(void)!seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return seccomp_load(f);
}

static void without(struct confinement *c, const char *why)
{
	snprintf(c->no_seccomp, sizeof(c->no_seccomp), "%s", why);
}

static const char *why_not_loaded(int trouble)
{
	switch (trouble) {
	case -EINVAL:
	case -EOPNOTSUPP:
	case -ENOSYS:
		return "this kernel has none";
	}
	return strerror(-trouble);
}

void confine_rings(struct confinement *c)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int trouble = -ENOMEM;

	if (f)
		trouble = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS),
					   SCMP_SYS(io_uring_setup), 0);
	if (!trouble)
		trouble = load(f);
	if (trouble)
		without(c, why_not_loaded(trouble));
	seccomp_release(f);
}

void confine_memory(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);

	if (f && run_nothing_written(f) &&
	    MAY_NOT(pkey_mprotect, 1, HAS(2, PROT_EXEC, PROT_EXEC)) &&
	    MAY_NOT(shmat, 1, HAS(2, SHM_EXEC, SHM_EXEC)))
		(void)!load(f);
	seccomp_release(f);
}

void confine_calls(struct confinement *c)
{
	scmp_filter_ctx f;
	int trouble;

	if (*c->no_seccomp)
		return; /* loops may have rings */
	f = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (!f || !add_calls(f)) {
		without(c, "no filter could be made");
		seccomp_release(f);
		return;
	}
	trouble = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!trouble)
		trouble = load(f);
	c->seccomp = trouble == 0;
	if (trouble)
		without(c, why_not_loaded(trouble));
	seccomp_release(f);
}

const char *confine_text(const struct confinement *c, struct arena *arena)
{
	const char *text = "not at all";

	if (c->landlock)
		text = arena_printf(arena, "Landlock %d%s", c->landlock,
				    c->seccomp ? ", seccomp" : "");
	else if (c->seccomp)
		text = "seccomp";
	if (!c->landlock)
		text = arena_printf(arena, "%s; no Landlock: %s", text,
				    c->no_landlock);
	if (!c->seccomp)
		text = arena_printf(arena, "%s; no seccomp: %s", text,
				    c->no_seccomp);
	return text;
}
