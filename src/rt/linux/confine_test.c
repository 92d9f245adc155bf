/*
 * What a confined process can no longer do, and what it still can: each test is
 * a process of its own.  What the kernel lacks is skipped.
 */
#include "base/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rt/linux/confine_inside.h"
#include "rt/loop.h"
#include "rt/stream.h"
#include "rt/worker.h"

enum { SKIPPED = 77, NEWEST_ABI = 9 };

static char folder[64];

static int make_folders(void **unused)
{
	static const char *const names[] = { "data", "elsewhere", "sockets",
					     "outside" };

	snprintf(folder, sizeof(folder), "/tmp/confine-test-XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) != 0)
		return -1;
	for (size_t i = 0; i < array_size(names); i++)
		if (mkdir(names[i], 0700) != 0)
			return -1;
	return symlink("../elsewhere", "data/spool");
}

static int remove_folders(void **unused)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* CHILD returns the line it failed in, or 0. */
static void in_child(int (*child)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(child());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the child ended with %x: line %d, modulo 256", status,
			 WEXITSTATUS(status));
}

#define EXPECT(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "line %d: %s: %m\n", __LINE__, #what); \
			return __LINE__ % 256 ? __LINE__ % 256 : 1; \
		} \
	} while (0)
#define REFUSED(call) \
	(errno = 0, (call) == -1 && (errno == EPERM || errno == ENOSYS || \
				     errno == EACCES))

/* ---- tables ---- */

static void calls_are_known_and_said_once(void **unused)
{
	enum call_verdict verdict;
	const char *name, *other;

	for (size_t i = 0; (name = confine_call(i, &verdict)); i++) {
		if (seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR)
			fail_msg("there is no call %s", name);
		for (size_t j = 0; j < i; j++) {
			other = confine_call(j, &verdict);
			if (strcmp(name, other) == 0)
				fail_msg("%s is said twice", name);
		}
	}
}

static void each_version_is_told_what_it_knows(void **unused)
{
	static const uint64_t known[NEWEST_ABI + 1] = {
		0,      0,      0x3fff, 0x7fff, 0x7fff,
		0xffff, 0xffff, 0xffff, 0xffff, 0xffff,
	};

	for (int abi = 2; abi <= NEWEST_ABI; abi++) {
		uint64_t all = confine_rights(abi);
		uint64_t files = confine_rights_in(CONFINED_TO_FILES, abi);
		uint64_t sockets = confine_rights_in(CONFINED_TO_SOCKETS, abi);

		assert_int_equal(all & ~known[abi], 0);
		assert_int_equal(files & ~all, 0);
		assert_int_equal(sockets & ~files, 0);
		assert_true(all & LANDLOCK_ACCESS_FS_EXECUTE);
		assert_false(files & LANDLOCK_ACCESS_FS_EXECUTE);
		assert_false(sockets & LANDLOCK_ACCESS_FS_WRITE_FILE);
		assert_false(all & LANDLOCK_ACCESS_FS_READ_FILE);
	}
}

static void what_lacks_is_said(void **unused)
{
	static const struct {
		struct confinement c;
		const char *text;
	} all[] = {
		{ { .landlock = 7, .seccomp = true }, "Landlock 7, seccomp" },
		{ { .seccomp = true, .no_landlock = "old" },
		  "seccomp; no Landlock: old" },
		{ { .landlock = 2, .no_seccomp = "odd" },
		  "Landlock 2; no seccomp: odd" },
		{ { .no_landlock = "old", .no_seccomp = "odd" },
		  "not at all; no Landlock: old; no seccomp: odd" },
	};
	struct arena *arena scoped(arena) = arena_open();

	for (size_t i = 0; i < array_size(all); i++)
		assert_string_equal(confine_text(&all[i].c, arena),
				    all[i].text);
}

/* ---- files ---- */

static bool confine_to_folders(void)
{
	static const struct confined_place places[] = {
		{ "data", CONFINED_TO_FILES },
		{ "data/spool", CONFINED_TO_FILES },
		{ "missing", CONFINED_TO_FILES },
		{ "sockets", CONFINED_TO_SOCKETS },
	};
	struct confinement c = { 0 };

	confine_files(&c, places, array_size(places));
	if (!c.landlock)
		fprintf(stderr, "no Landlock: %s\n", c.no_landlock);
	return c.landlock;
}

static int make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int make_socket(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	result = bind(fd, (struct sockaddr *)&un, sizeof(un));
	close(fd);
	return result;
}

/* As rt/file.h does it. */
static int keep_unnamed(const char *in, const char *path)
{
	int fd = open(in, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), result;
	char unnamed[64];

	if (fd < 0)
		return -1;
	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	result = linkat(AT_FDCWD, unnamed, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
	close(fd);
	return result;
}

static int writes_in_its_places(void)
{
	static const char *const made[] = { "data/a", "data/spool/b",
					    "data/c/d" };

	if (!confine_to_folders())
		return SKIPPED;
	EXPECT(mkdir("data/c", 0700) == 0);
	for (size_t i = 0; i < array_size(made); i++)
		EXPECT(make_file(made[i]) == 0);
	EXPECT(truncate("data/a", 10) == 0);
	EXPECT(keep_unnamed("data/spool", "data/spool/unnamed") == 0);
	EXPECT(rename("data/spool/b", "data/c/b") == 0);
	EXPECT(make_socket("data/socket") == 0);
	EXPECT(make_socket("sockets/socket") == 0);
	EXPECT(unlink("sockets/socket") == 0);
	EXPECT(unlink("data/c/b") == 0 && unlink("data/c/d") == 0);
	EXPECT(rmdir("data/c") == 0);
	EXPECT(make_file("/dev/null") == 0);
	EXPECT(close(open("/etc/passwd", O_RDONLY | O_CLOEXEC)) == 0);
	return 0;
}

static int writes_nowhere_else(void)
{
	static char *const none[] = { NULL };

	EXPECT(make_file("outside/there") == 0);
	if (!confine_to_folders())
		return SKIPPED;
	EXPECT(REFUSED(make_file("outside/new")));
	EXPECT(REFUSED(make_file("outside/there")));
	EXPECT(REFUSED(make_file("sockets/no-socket")));
	EXPECT(REFUSED(mkdir("outside/folder", 0700)));
	EXPECT(REFUSED(unlink("outside/there")));
	EXPECT(REFUSED(symlink("data", "data/link")));
	EXPECT(REFUSED(mkfifo("data/fifo", 0600)));
	EXPECT(REFUSED(make_socket("outside/socket")));
	EXPECT(rename("outside/there", "data/there") == -1);
	EXPECT(keep_unnamed("data", "outside/unnamed") == -1);
	EXPECT(REFUSED(open("/proc/self/comm", O_WRONLY | O_CLOEXEC)));
	EXPECT(REFUSED(execve("/bin/true", none, none)));
	return 0;
}

static void *try_to_write(void *said)
{
	*(bool *)said = REFUSED(make_file("outside/thread"));
	return NULL;
}

static int so_do_threads(void)
{
	bool refused = false;
	pthread_t thread;

	if (!confine_to_folders())
		return SKIPPED;
	EXPECT(pthread_create(&thread, NULL, try_to_write, &refused) == 0);
	EXPECT(pthread_join(thread, NULL) == 0);
	EXPECT(refused);
	return 0;
}

/* One descriptor is left, for the rules: half of them would lock us out. */
static int without_descriptors_it_is_not_confined(void)
{
	static const struct confined_place here = { ".", CONFINED_TO_FILES };
	struct confinement c = { 0 };
	int last = -1, fd;

	while ((fd = dup(STDERR_FILENO)) >= 0)
		last = fd;
	close(last);
	confine_files(&c, &here, 1);
	EXPECT(!c.landlock && *c.no_landlock);
	EXPECT(mkdir("outside/still", 0700) == 0);
	return 0;
}

/* ---- calls ---- */

static bool confine(void)
{
	struct confinement c = { 0 };

	confine_files(&c, NULL, 0);
	confine_calls(&c);
	if (!c.seccomp)
		fprintf(stderr, "no seccomp: %s\n", c.no_seccomp);
	return c.seccomp;
}

static int call(long number)
{
	return (int)syscall(number, 0, 0, 0, 0, 0, 0);
}

static int an_intruder_is_refused(void)
{
	static const long numbers[] = {
		SYS_execve,
		SYS_execveat,
		SYS_process_vm_readv,
		SYS_unshare,
		SYS_setns,
		SYS_mount,
		SYS_chroot,
		SYS_bpf,
		SYS_perf_event_open,
		SYS_userfaultfd,
		SYS_add_key,
		SYS_keyctl,
		SYS_io_uring_setup,
		SYS_open_by_handle_at,
		SYS_setuid,
		SYS_setgroups,
		SYS_init_module,
		SYS_reboot,
		SYS_personality,
		SYS_fchownat,
		SYS_mknodat,
		SYS_symlinkat,
		SYS_pidfd_open,
		SYS_clone3,
		SYS_listen,
	};
	struct rlimit files = { 64, 64 };
	void *page;
	int udp;

	if (!confine())
		return SKIPPED;
	for (size_t i = 0; i < array_size(numbers); i++) {
		if (!REFUSED(call(numbers[i])))
			fprintf(stderr, "call %ld\n", numbers[i]);
		EXPECT(REFUSED(call(numbers[i])));
	}
	EXPECT(REFUSED(socket(AF_PACKET, SOCK_DGRAM, 0)));
	EXPECT(REFUSED(socket(AF_INET, SOCK_RAW, 1)));
	EXPECT(REFUSED(socket(AF_NETLINK, SOCK_RAW, 9)));
	EXPECT(REFUSED(socket(AF_VSOCK, SOCK_STREAM, 0)));
	EXPECT(REFUSED(kill(getppid(), 0)));
	EXPECT(REFUSED(kill(0, 0)));
	EXPECT(REFUSED(setrlimit(RLIMIT_NOFILE, &files)));
	EXPECT(REFUSED(ioctl(0, TIOCSTI, "x")));
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(page != MAP_FAILED);
	EXPECT(REFUSED(mprotect(page, 4096, PROT_READ | PROT_EXEC)));
	EXPECT(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	udp = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	EXPECT(udp >= 0 || errno == EAFNOSUPPORT);
	return 0;
}

#ifndef __SANITIZE_ADDRESS__
static int no_process_is_made_or_looked_into(void)
{
	if (!confine())
		return SKIPPED;
	EXPECT(REFUSED(fork()));
	EXPECT(REFUSED(call(SYS_ptrace)));
	EXPECT(REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)));
	return 0;
}
#endif

struct other {
	pthread_mutex_t lock; /* until the filter is there */
	bool refused, named;
};

static void *other_thread(void *arg)
{
	struct other *o = arg;
	char name[16] = "";

	pthread_mutex_lock(&o->lock);
	o->refused = REFUSED(call(SYS_listen));
	pthread_setname_np(pthread_self(), "other");
	prctl(PR_GET_NAME, name, 0, 0, 0);
	o->named = strcmp(name, "other") == 0;
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

/* Those there are, and those that come. */
static int threads_are_made_and_confined(void)
{
	struct other before = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct other after = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t one, two;

	pthread_mutex_lock(&before.lock);
	EXPECT(pthread_create(&one, NULL, other_thread, &before) == 0);
	if (!confine())
		return SKIPPED;
	pthread_mutex_unlock(&before.lock);
	EXPECT(pthread_join(one, NULL) == 0);
	EXPECT(pthread_create(&two, NULL, other_thread, &after) == 0);
	EXPECT(pthread_join(two, NULL) == 0);
	EXPECT(before.refused && before.named && after.refused && after.named);
	return 0;
}

static bool nothing_to_do(void *unused)
{
	return true;
}

/* What waits for the kernel was prepared before, and goes on. */
static void waits use_the_loop(void *arg)
{
	struct listener *l = listener_open_path("data/listener", 0600);
	struct confinement c = { 0 };
	struct stream *s, *peer = NULL;
	bool *worked = arg;

	confine_calls(&c);
	for (int i = 0; i < 3; i++) {
		s = stream_dial_path("data/listener", after_ms(5000));
		peer = s ? listener_accept(l) : NULL;
		*worked = peer && offload(nothing_to_do, NULL) &&
			  fiber_sleep(after_ms(1)) == WAIT_DEADLINE;
		stream_close(s);
		stream_close(peer);
	}
	listener_close(l);
}

static int its_loop_goes_on(void)
{
	static const struct confined_place here = { "data", CONFINED_TO_FILES };
	struct confinement c = { 0 };
	bool worked = false;

	confine_files(&c, &here, 1);
	loops_run(1, use_the_loop, &worked);
	EXPECT(worked);
	return 0;
}

/* A crash is still told as one. */
static int dies_of_its_own_signals(void)
{
	if (!confine())
		return SKIPPED;
	signal(SIGABRT, SIG_DFL);
	EXPECT(kill(getpid(), 0) == 0);
	abort();
}

/* ---- */

static void test_writes_in_its_places(void **unused)
{
	in_child(writes_in_its_places);
}

static void test_writes_nowhere_else(void **unused)
{
	in_child(writes_nowhere_else);
}

static void test_so_do_threads(void **unused)
{
	in_child(so_do_threads);
}

static void test_without_descriptors_it_is_not_confined(void **unused)
{
	in_child(without_descriptors_it_is_not_confined);
}

static void test_an_intruder_is_refused(void **unused)
{
	in_child(an_intruder_is_refused);
}

static void test_no_process_is_made_or_looked_into(void **unused)
{
#ifdef __SANITIZE_ADDRESS__
	skip(); /* its own filter lets the sanitizer do so */
#else
	in_child(no_process_is_made_or_looked_into);
#endif
}

static void test_threads_are_made_and_confined(void **unused)
{
	in_child(threads_are_made_and_confined);
}

static void test_its_loop_goes_on(void **unused)
{
	in_child(its_loop_goes_on);
}

static int run_what_is_written(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	confine_memory();
	if (prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER)
		return SKIPPED;
	return p == MAP_FAILED ||
	       mprotect(p, page, PROT_READ | PROT_EXEC) == 0 ||
	       errno != EPERM ||
	       mmap(NULL, page, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ||
	       mprotect(p, page, PROT_READ) != 0;
}

static void test_what_is_written_is_not_run(void **unused)
{
	in_child(run_what_is_written);
}

static void test_dies_of_its_own_signals(void **unused)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(dies_of_its_own_signals());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
		skip();
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_are_known_and_said_once),
		cmocka_unit_test(each_version_is_told_what_it_knows),
		cmocka_unit_test(what_lacks_is_said),
		cmocka_unit_test(test_writes_in_its_places),
		cmocka_unit_test(test_writes_nowhere_else),
		cmocka_unit_test(test_so_do_threads),
		cmocka_unit_test(test_without_descriptors_it_is_not_confined),
		cmocka_unit_test(test_an_intruder_is_refused),
		cmocka_unit_test(test_no_process_is_made_or_looked_into),
		cmocka_unit_test(test_threads_are_made_and_confined),
		cmocka_unit_test(test_its_loop_goes_on),
		cmocka_unit_test(test_what_is_written_is_not_run),
		cmocka_unit_test(test_dies_of_its_own_signals),
	};

	return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
