/*
 * Somebody inside of the engine: a library that is loaded with it, and tries on
 * SIGUSR2, in the thread that gets it, what an intruder would.  A line for each
 * attempt into $PROBE_REPORT: "execve 1 Operation not permitted".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int report = -1;
static const char *outside, *inside; /* folders that everybody may write */

static void say(const char *what, long result)
{
	int error = result == -1 ? errno : 0;
	char line[160];

	errno = error;
	(void)!write(report, line,
		     (size_t)snprintf(line, sizeof(line), "%s %d %m\n", what,
				      error));
}

static long make(const char *folder, const char *name)
{
	char path[400];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	close(fd);
	unlink(path);
	return 0;
}

static long make_folder(const char *folder)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/folder", folder);
	return mkdir(path, 0700) != 0 ? -1 : rmdir(path);
}

static long append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static long new_socket(int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static long new_port(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;
	long result;

	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0)
		return -1;
	result = listen(fd, 5);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

static long new_process(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid;
}

/* No filter: the path is none. */
static long run(void)
{
	static char *const none[] = { NULL };

	return syscall(SYS_execve, "/bin/true/", none, none);
}

static long writable_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long result = mprotect(page, 4096, PROT_READ | PROT_EXEC);
	int error = errno;

	munmap(page, 4096);
	errno = error;
	return result;
}

static void attempt(int signal)
{
	int before = errno;
	char memory[64];

	snprintf(memory, sizeof(memory), "/proc/%d/mem", getppid());
	say("write_outside", make(outside, "probe"));
	say("folder_outside", make_folder(outside));
	say("memory_of_parent", append(memory));
	say("execve", run());
	say("clone", new_process());
	say("ptrace", ptrace(PTRACE_PEEKDATA, getppid(), 0, 0));
	say("read_memory",
	    syscall(SYS_process_vm_readv, getppid(), 0, 0, 0, 0, 0));
	say("packet", new_socket(AF_PACKET, SOCK_DGRAM, 0));
	say("raw", new_socket(AF_INET, SOCK_RAW, 1));
	say("audit", new_socket(AF_NETLINK, SOCK_RAW, 9));
	say("vsock", new_socket(AF_VSOCK, SOCK_STREAM, 0));
	say("listen", new_port());
	say("mount", mount("none", outside, "tmpfs", 0, NULL));
	say("namespace", syscall(SYS_unshare, 0x10000000));
	say("io_uring", syscall(SYS_io_uring_setup, 8, memory));
	say("bpf", syscall(SYS_bpf, 0, NULL, 0));
	say("kill", kill(getppid(), 0));
	say("owner", syscall(SYS_fchownat, -100, inside, -1, -1, 0));
	say("user", syscall(SYS_setuid, 0));
	say("keys", syscall(SYS_add_key, "user", "a", "b", 1, -3));
	say("code", writable_code());
	say("may_write_inside", make(inside, "probe"));
	say("may_read", access("/etc/passwd", R_OK));
	say("may_connect", new_socket(AF_INET6, SOCK_STREAM, 0));
	say("end", 0);
	errno = before;
}

/* In the engine alone; Dovecot is started with us, too. */
__attribute__((constructor)) static void begin(void)
{
	struct sigaction act = { .sa_handler = attempt,
				 .sa_flags = SA_RESTART };
	char words[4096];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, words, sizeof(words));

	close(fd);
	outside = getenv("PROBE_OUTSIDE");
	inside = getenv("PROBE_INSIDE");
	if (n <= 0 || !memmem(words, (size_t)n, "\0engine\0", 8) ||
	    memmem(words, (size_t)n, "as-user", 7) || !outside || !inside)
		return;
	report = open(getenv("PROBE_REPORT"),
		      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	sigaction(SIGUSR2, &act, NULL);
}
