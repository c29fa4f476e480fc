// SPDX-License-Identifier: GPL-2.0
/*
 * Ways around the guest kernel: entry points that a host kernel would serve
 * behind our back.  Each one tries to make something happen that the guest can
 * see or that must not happen at all, and is judged by the effect:  served by
 * the guest kernel, refused with ENOSYS, or a signal - nothing else.
 *
 * The same program run on a host shows what the host would have done; where
 * the two may differ (a host may serve int 0x80) both answers are accepted,
 * but an answer must be true: a pid must be the guest's pid.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <ucontext.h>

#include "tap.h"
#include "util.h"

static sigjmp_buf back;
static volatile int sig_seen;
static char dir[] = "/tmp/um-escape-XXXXXX";

static void catch(int sig, siginfo_t *si, void *uc)
{
	(void)si; (void)uc;
	sig_seen = sig;
	siglongjmp(back, 1);
}

#define TRY(code)							\
do {									\
	sig_seen = 0;							\
	if (!sigsetjmp(back, 1)) {					\
		code;							\
	}								\
} while (0)

/* The path lies in low memory, or a 32-bit entry could not reach it. */
static char *low(void)
{
	static char *p;

	if (!p) {
		p = mmap((void *)0x10000000, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
		if (p != (void *)0x10000000)
			die("low memory");
	}
	return p;
}

static long int80(long nr, long b, long c)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(b), "c"(c), "d"(0)
		     : "r8", "r9", "r10", "r11", "memory");
	return (int)ret;
}

static const char *how(long ret)
{
	static char buf[40];

	if (sig_seen)
		snprintf(buf, sizeof(buf), "signal %d", sig_seen);
	else
		snprintf(buf, sizeof(buf), "result %ld", ret);
	return buf;
}

static int refused(long ret)
{
	return sig_seen == SIGSEGV || sig_seen == SIGSYS || sig_seen == SIGILL ||
	       (!sig_seen && ret == -ENOSYS);
}

static int exists(const char *name)
{
	struct stat st;

	return !stat(name, &st);
}

static void int_0x80(void)
{
	char *path = low();
	volatile long ret = 0;

	TRY(ret = int80(20, 0, 0));	/* getpid */
	ok(refused(ret) || (!sig_seen && ret == getpid()), "int 0x80 getpid: %s", how(ret));
	snprintf(path, 4096, "%s-int80", dir);
	TRY(ret = int80(39, (long)path, 0700));	/* mkdir */
	ok(refused(ret) ? !exists(path) : exists(path), "int 0x80 mkdir: %s", how(ret));
	rmdir(path);
	TRY(ret = int80(999, 0, 0));
	ok(refused(ret), "int 0x80, unused number: %s", how(ret));
	TRY(ret = int80(37, getpid(), SIGKILL + 1000));	/* kill, bad signal */
	ok(refused(ret) || ret == -EINVAL, "int 0x80 kill with a bad signal: %s", how(ret));
}

static int sysenter(void *arg)
{
	long ret;

	(void)arg;
	asm volatile("mov %%rsp, %%rbp; sysenter; mov %%rbp, %%rsp"
		     : "=a"(ret) : "a"(20L), "b"(0L) : "rcx", "rdx", "memory", "cc");
	return (int)ret == getpid() || ret == -ENOSYS ? 0 : 1;
}

static void x32(void)
{
	char *path = low();
	long ret, i, bad = 0;

	ret = raw0(0x40000000 | SYS_getpid);
	ok(ret == -ENOSYS || ret == getpid(), "an x32 number: %ld", ret);
	snprintf(path, 4096, "%s-x32", dir);
	ret = raw(0x40000000 | SYS_mkdir, (long)path, 0700, 0, 0, 0, 0);
	ok(ret == -ENOSYS ? !exists(path) : exists(path), "x32 mkdir: %ld", ret);
	rmdir(path);
	for (i = 512; i < 548; i++)
		bad += raw(0x40000000 | i, -1, -1, -1, -1, -1, -1) >= 0;
	is(bad, 0, "the x32-only numbers do nothing");
	for (i = 512; i < 548; i++)
		if (raw(i, -1, -1, -1, -1, -1, -1) >= 0)
			bad++;
	is(bad, 0, "nor without the x32 bit");
	for (i = 470, bad = 0; i < 510; i++)
		bad += raw(i, -1, -1, -1, -1, -1, -1) >= 0;
	is(bad, 0, "numbers above the table do nothing");
}

typedef long (*vsys_fn)(void *, void *, void *);

static void vsyscall(void)
{
	struct timeval tv = { 0, 0 }, now;
	unsigned int cpu = 99, node = 99;
	time_t t = 0;
	volatile long ret = -1;

	gettimeofday(&now, NULL);
	TRY(ret = ((vsys_fn)0xffffffffff600000)(&tv, NULL, NULL));
	ok(sig_seen == SIGSEGV || (!ret && labs(tv.tv_sec - now.tv_sec) <= 1),
	   "vsyscall gettimeofday: %s", how(ret));
	TRY(ret = ((vsys_fn)0xffffffffff600400)(&t, NULL, NULL));
	ok(sig_seen == SIGSEGV || (labs(ret - now.tv_sec) <= 1 && t == ret), "vsyscall time: %s",
	   how(ret));
	TRY(ret = ((vsys_fn)0xffffffffff600800)(&cpu, &node, NULL));
	ok(sig_seen == SIGSEGV ||
	   (!ret && cpu < (unsigned int)sysconf(_SC_NPROCESSORS_CONF) && node < 64),
	   "vsyscall getcpu: %s, cpu %u", how(ret), cpu);
	TRY(ret = ((vsys_fn)0xffffffffff600001)(&tv, NULL, NULL));
	is(sig_seen, SIGSEGV, "a jump into the middle of that page");
	TRY(ret = ((vsys_fn)0xffffffffff600400)((void *)16, NULL, NULL));
	is(sig_seen, SIGSEGV, "vsyscall time with a bad pointer");
	TRY(*(volatile char *)0xffffffffff600000 = 1);
	is(sig_seen, SIGSEGV, "a write to that page");
}

/* A system call instruction in the last bytes of a page, the next unmapped. */
static void page_edge(void)
{
	unsigned char *p = (void *)map_pages(2, PROT_READ | PROT_WRITE | PROT_EXEC);
	long ret = 0;

	p[4094] = 0x0f;
	p[4095] = 0x05;
	munmap(p + 4096, 4096);
	TRY(asm volatile("call *%1" : "=a"(ret) : "r"(p + 4094), "a"((long)SYS_getppid)
			 : "rcx", "r11", "memory"));
	is(sig_seen, SIGSEGV, "a system call at the end of memory, then a fault");
}

static int far_jump(void *arg)
{
	/* To 32-bit code: a segment of the host's table that guests may name. */
	static const unsigned char code[] = {
		0xb8, 39, 0, 0, 0,		/* mov $39, %eax: mkdir */
		0xbb, 0, 0, 0, 0x10,		/* mov $0x10000000, %ebx */
		0xb9, 0xc0, 1, 0, 0,		/* mov $0700, %ecx */
		0xcd, 0x80,			/* int $0x80 */
		0xea, 0, 0, 0, 0, 0x33, 0,	/* ljmp $0x33:back */
		0xc3,				/* ret, 64-bit again */
	};
	unsigned char *p = mmap((void *)0x11000000, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	uint32_t off = 0x11000000 + sizeof(code) - 1;
	static const struct {
		uint32_t off;
		uint16_t seg;
	} __attribute__((packed)) target = {
		0x11000000, 0x23 };

	(void)arg;
	memcpy(p, code, sizeof(code));
	memcpy(p + 18, &off, 4);
	asm volatile("mov %%rsp, %%r12; mov $0x11001ff0, %%esp\n"
		     "movl $1f, (%%rsp); movl $0, 4(%%rsp)\n"
		     "ljmp *%0\n1: mov %%r12, %%rsp"
		     : : "m"(target)
		     : "rax", "rbx", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11",
		     "r12", "memory");
	return 0;
}

/*
 * 32-bit code that asks for a directory.  A host does it; a guest kernel that
 * has no 32-bit calls must not, and its host must not do it for the guest:
 * the guest's own /tmp would not show that directory, the host's would, which
 * the harness checks by the same name.
 */
static void compat_mode(void)
{
	char *path = low();
	int st;

	snprintf(path, 4096, "%s-compat", dir);
	st = in_child(far_jump, NULL);
	if (WIFSIGNALED(st))
		ok(!exists(path), "32-bit code through a far jump: signal %d", WTERMSIG(st));
	else
		ok(1, "32-bit code through a far jump: status %#x, directory %s", st,
		   exists(path) ? "made" : "not made");
	rmdir(path);
}

/* A minimal 32-bit ELF program: exit(0) by int 0x80. */
static void elf32(void)
{
	static const unsigned char elf[] = {
		0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 0x04, 0x08, 52, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0, 0,
		1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x04, 0x08, 0, 0x80, 0x04, 0x08,
		0x60, 0, 0, 0, 0x60, 0, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0,
		0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80, 0, 0, 0,
	};
	char name[64];
	int fd, st;
	pid_t pid;

	snprintf(name, sizeof(name), "%s/elf32", dir);
	fd = open(name, O_CREAT | O_WRONLY, 0755);
	if (fd < 0 || write(fd, elf, sizeof(elf)) != sizeof(elf))
		die("elf32");
	close(fd);
	pid = fork();
	if (!pid) {
		execl(name, name, NULL);
		_exit(100 + (errno == ENOEXEC));
	}
	waitpid(pid, &st, 0);
	ok(exited_with(st, 101) || exited_with(st, 0), "a 32-bit program: %s",
	   exited_with(st, 101) ? "ENOEXEC" : exited_with(st, 0) ? "runs" : "fails badly");
	unlink(name);
}

static int filtered(void *arg)
{
	/* Kill on getppid: a filter of the guest's own must work. */
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, f };

	(void)arg;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return errno == EINVAL || errno == ENOSYS ? 50 : 51;
	return raw0(SYS_getppid) == -77 && raw0(SYS_getpid) > 0 ? 0 : 52;
}

int main(void)
{
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGSYS, SIGTRAP };
	unsigned int i;
	int st;

	if (!mkdtemp(dir))
		die("mkdtemp");
	for (i = 0; i < sizeof(sigs) / sizeof(*sigs); i++)
		on_signal(sigs[i], catch, SA_NODEFER);
	int_0x80();
	x32();
	vsyscall();
	page_edge();
	for (i = 0; i < sizeof(sigs) / sizeof(*sigs); i++)
		signal(sigs[i], SIG_DFL);
	st = in_child(sysenter, NULL);
	ok(WIFSIGNALED(st) || st == 0, "sysenter: status %#x", st);
	compat_mode();
	elf32();
	st = in_child(filtered, NULL);
	if (exited_with(st, 50))
		skip("a seccomp filter in the guest", "the guest kernel has none");
	else
		is(st, 0, "a seccomp filter in the guest");
	rmdir(dir);
	return tap_done();
}
