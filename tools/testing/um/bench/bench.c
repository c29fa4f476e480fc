// SPDX-License-Identifier: GPL-2.0
/*
 * Micro-benchmarks: one static program for every kernel that is compared.
 *
 *   bench [--time MS] [--steps] [--native] [--files=FOLDER] [name...]
 *
 * Each benchmark grows its batches until one takes MS milliseconds (default 60),
 * see measure.h.  One number per run: the caller runs rounds and takes medians.
 * The clock is read by the vDSO where there is one, twice per batch, so it does
 * not count.  --steps is for the caller that looks at the CPU time used.
 *
 * Transparent huge pages change what touching memory costs.  With --native, which
 * is for the host that guests are compared with, they are off but for the benchmark
 * that is about them; guests use them as they please.  page_fault is about single
 * pages everywhere.
 *
 * FOLDER has a folder for each file system that is measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

#define PAGE 4096UL
#define MIB (1UL << 20)

static int native;
static const char *files = "/files";
static const char self[] = "/proc/self/exe";

static void getppid_raw(long n)
{
	while (n--)
		syscall(SYS_getppid);
}

/* Calls between which there is something to do, for a time that does not depend on clocks. */
static void getppid_after(long n, long us)
{
	static unsigned long ticks_per_ms;
	unsigned long start;
	long end;

	if (!ticks_per_ms) {
		end = now() + 1000000;
		start = __builtin_ia32_rdtsc();
		while (now() < end)
			;
		ticks_per_ms = __builtin_ia32_rdtsc() - start;
	}
	while (n--) {
		start = __builtin_ia32_rdtsc();
		while (__builtin_ia32_rdtsc() - start < ticks_per_ms * us / 1000)
			;
		syscall(SYS_getppid);
	}
}

static void after_10us(long n)
{
	getppid_after(n, 10);
}

static void after_100us(long n)
{
	getppid_after(n, 100);
}

/* Code that can be written to is nothing a kernel may patch. */
static void getppid_unpatched(long n)
{
	static const unsigned char code[] = {
		0xb8, SYS_getppid, 0, 0, 0,	/* mov $SYS_getppid, %eax */
		0x0f, 0x05,			/* syscall */
		0xc3,				/* ret */
	};
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*call)(void) = (void (*)(void))page;

	if (page == MAP_FAILED)
		fail("mmap");
	memcpy(page, code, sizeof(code));
	while (n--)
		call();
	munmap(page, PAGE);
}

static void clock_read(long n)
{
	struct timespec ts;

	while (n--)
		clock_gettime(CLOCK_MONOTONIC, &ts);
}

static void read_zero(long n)
{
	int fd = open("/dev/zero", O_RDONLY);
	char c;

	if (fd < 0)
		fail("/dev/zero");
	while (n--)
		if (read(fd, &c, 1) != 1)
			fail("read");
	close(fd);
}

/* Copies between a file on tmpfs and memory that is there. */
static void copy_64k(long n, ssize_t (*call)(int, void *, size_t, off_t))
{
	static char buf[1 << 16];
	int fd = memfd_create("bench", 0);

	memset(buf, 1, sizeof(buf));
	if (fd < 0 || pwrite(fd, buf, sizeof(buf), 0) != sizeof(buf))
		fail("memfd");
	while (n--)
		if (call(fd, buf, sizeof(buf), 0) != sizeof(buf))
			fail("copy");
	close(fd);
}

static void read_64k(long n)
{
	copy_64k(n, pread);
}

static ssize_t write_at(int fd, void *buf, size_t len, off_t offset)
{
	return pwrite(fd, buf, len, offset);
}

static void write_64k(long n)
{
	copy_64k(n, write_at);
}

static void nothing(int sig)
{
	(void)sig;
}

static void signal_self(long n)
{
	signal(SIGUSR1, nothing);
	while (n--)
		raise(SIGUSR1);
}

static void ping_pong(long n, int in[2], int out[2])
{
	pid_t pid = fork();
	char c = 'x';

	if (pid < 0)
		fail("fork");
	if (!pid) {
		while (n--)
			if (read(in[0], &c, 1) != 1 || write(out[1], &c, 1) != 1)
				_exit(1);
		_exit(0);
	}
	while (n--)
		if (write(in[1], &c, 1) != 1 || read(out[0], &c, 1) != 1)
			fail("ping-pong");
	waitpid(pid, NULL, 0);
}

static void pipe_pair(long n)
{
	int a[2], b[2];

	if (pipe(a) || pipe(b))
		fail("pipe");
	ping_pong(n, a, b);
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

static void socket_pair(long n)
{
	int s[2], a[2], b[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s))
		fail("socketpair");
	/* One socket is read and written by the parent, one by the child. */
	a[1] = b[0] = s[0];
	a[0] = b[1] = s[1];
	ping_pong(n, a, b);
	close(s[0]);
	close(s[1]);
}

static void allow_thp(int yes)
{
	prctl(PR_SET_THP_DISABLE, native && !yes, 0, 0, 0);
}

static char *map(unsigned long size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	return p;
}

/* One page at a time, far apart: neither huge pages nor fault-around help. */
static void fault_page(long n)
{
	const unsigned long step = 64 * PAGE, count = 512;
	char *p = NULL;
	unsigned long i = count;

	while (n--) {
		if (i == count) {
			if (p)
				munmap(p, step * count);
			p = map(step * count);
			madvise(p, step * count, MADV_NOHUGEPAGE);
			i = 0;
		}
		p[i++ * step] = 1;
	}
	munmap(p, step * count);
}

/* Neighbours: pages of 64 KiB may come as one folio, but no huge page fits in. */
static void page_of_64k(long n)
{
	unsigned long i;

	allow_thp(1);
	for (; n > 0; n -= MIB / PAGE) {
		char *p = map(MIB);

		madvise(p, MIB, MADV_HUGEPAGE);
		for (i = 0; i < MIB; i += PAGE)
			p[i] = 1;
		munmap(p, MIB);
	}
	allow_thp(0);
}

static void touch(long n, int thp)
{
	unsigned long i;

	allow_thp(thp);
	while (n--) {
		char *p = map(16 * MIB);

		if (thp)
			madvise(p, 16 * MIB, MADV_HUGEPAGE);
		for (i = 0; i < 16 * MIB; i += PAGE)
			p[i] = 1;
		munmap(p, 16 * MIB);
	}
	allow_thp(0);
}

static void touch_16m(long n)
{
	touch(n, 0);
}

static void touch_16m_thp(long n)
{
	touch(n, 1);
}

/* First touch of a mapping of a file that is cached, by file system. */
static void touch_file(long n, const char *folder)
{
	static char buf[1 << 16];
	char name[300];
	volatile char sum = 0;
	unsigned long i;
	int fd;

	snprintf(name, sizeof(name), "%s/%s/benchXXXXXX", files, folder);
	fd = mkstemp(name);
	if (fd < 0)
		fail(name);
	unlink(name);
	/* huge=within_size looks at the size. */
	if (ftruncate(fd, 4 * MIB))
		fail("ftruncate");
	for (i = 0; i < 4 * MIB; i += sizeof(buf))
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			fail("write");
	fsync(fd);
	while (n--) {
		char *p = mmap(NULL, 4 * MIB, PROT_READ, MAP_SHARED, fd, 0);

		if (p == MAP_FAILED)
			fail("mmap");
		for (i = 0; i < 4 * MIB; i += PAGE)
			sum += p[i];
		munmap(p, 4 * MIB);
	}
	close(fd);
}

static void file_tmpfs(long n)
{
	touch_file(n, "tmpfs");
}

static void file_huge(long n)
{
	touch_file(n, "huge");
}

static void file_ext4(long n)
{
	touch_file(n, "ext4");
}

static void file_xfs(long n)
{
	touch_file(n, "xfs");
}

static void map_touch_unmap(long n)
{
	while (n--) {
		char *p = map(PAGE);

		*p = 1;
		munmap(p, PAGE);
	}
}

static void protect_1m(long n)
{
	char *p = map(2 * MIB);
	unsigned long i;

	for (i = 0; i < MIB; i += PAGE)
		p[i] = 1;
	while (n--) {
		mprotect(p, MIB, PROT_READ);
		mprotect(p, MIB, PROT_READ | PROT_WRITE);
		/* Written again, or a lazy kernel would have done nothing. */
		p[0] = 1;
	}
	munmap(p, 2 * MIB);
}

static void fork_exit(long n)
{
	while (n--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			fail("fork");
	}
}

static void vfork_exec(long n)
{
	while (n--) {
		int st;
		pid_t pid = vfork();

		if (!pid) {
			execl(self, "bench", "--exit", NULL);
			_exit(1);
		}
		if (pid < 0 || waitpid(pid, &st, 0) != pid || st)
			fail("vfork and exec");
	}
}

static void shell(long n)
{
	/* In a guest's image this is the host's shell, with its libraries. */
	const char *sh = access("/tests/sh", X_OK) ? "/bin/sh" : "/tests/sh";

	while (n--) {
		int st;
		pid_t pid = vfork();

		if (!pid) {
			execl(sh, "sh", "-c", "exit 0", NULL);
			_exit(1);
		}
		if (pid < 0 || waitpid(pid, &st, 0) != pid || st)
			fail("/bin/sh");
	}
}

static void *thread(void *arg)
{
	return arg;
}

static void thread_join(long n)
{
	pthread_t t;

	while (n--)
		if (pthread_create(&t, NULL, thread, NULL) || pthread_join(t, NULL))
			fail("pthread");
}

static void file_ops(long n)
{
	char name[64], buf[4096] = "";

	snprintf(name, sizeof(name), "/dev/shm/bench.%d", getpid());
	while (n--) {
		int fd = open(name, O_CREAT | O_RDWR, 0600);

		if (fd < 0 || write(fd, buf, 4096) != 4096 || pread(fd, buf, 4096, 0) != 4096)
			fail(name);
		close(fd);
		unlink(name);
	}
}

static const struct bench list[] = {
	{ "syscall", getppid_raw, 1000 },
	{ "syscall_unpatched", getppid_unpatched, 1000 },
	{ "syscall_after_10us", after_10us, 100 },
	{ "syscall_after_100us", after_100us, 10 },
	{ "clock_gettime", clock_read, 1000 },
	{ "read_1", read_zero, 1000 },
	{ "read_64k", read_64k, 100 },
	{ "write_64k", write_64k, 100 },
	{ "signal", signal_self, 100 },
	{ "pipe", pipe_pair, 100 },
	{ "unix_socket", socket_pair, 100 },
	{ "thread", thread_join, 10 },
	{ "page_fault", fault_page, 100 },
	{ "page_of_64k", page_of_64k, 256 },
	{ "touch_16m", touch_16m, 1 },
	{ "touch_16m_thp", touch_16m_thp, 1 },
	{ "file_4m_tmpfs", file_tmpfs, 1 },
	{ "file_4m_huge", file_huge, 1 },
	{ "file_4m_ext4", file_ext4, 1 },
	{ "file_4m_xfs", file_xfs, 1 },
	{ "mmap_touch_munmap", map_touch_unmap, 100 },
	{ "mprotect_1m", protect_1m, 10 },
	{ "fork_exit", fork_exit, 5 },
	{ "vfork_exec", vfork_exec, 5 },
	{ "sh", shell, 2 },
	{ "file", file_ops, 20 },
};

/* Who has no such file system does without its benchmark. */
static int there(const char *bench)
{
	static const char file[] = "file_4m_";
	char name[300];

	if (strncmp(bench, file, strlen(file)))
		return 1;
	snprintf(name, sizeof(name), "%s/%s", files, bench + strlen(file));
	return !access(name, W_OK);
}

static int own_word(const char *word)
{
	static const char folder[] = "--files=";

	if (!strcmp(word, "--exit"))
		exit(0);
	if (!strncmp(word, folder, strlen(folder)))
		files = word + strlen(folder);
	else if (!strcmp(word, "--native"))
		native = 1;
	else
		return 0;
	return 1;
}

int main(int argc, char **argv)
{
	struct bench here[sizeof(list) / sizeof(*list)];
	char *words[argc];
	int n = parse_words(argc, argv, own_word, words);
	unsigned int i, nr = 0;

	allow_thp(0);
	for (i = 0; i < sizeof(list) / sizeof(*list); i++)
		if (there(list[i].name))
			here[nr++] = list[i];
	measure_wanted(here, nr, words, n);
	return 0;
}
