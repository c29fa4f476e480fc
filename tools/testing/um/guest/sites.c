// SPDX-License-Identifier: GPL-2.0
/*
 * System call instructions that are executed often. A kernel may replace them
 * behind the scenes, and nobody may see it: not results, not registers, not who
 * reads the text, steps through it, jumps into it, or changes it.
 */
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <ucontext.h>

#include "tap.h"
#include "util.h"

#define HOT		64
#define TF		0x100

/* With its number; without one, before padding; and with a loop around it. */
asm(".text\n"
    ".balign 64\n"
    "site_a: mov $110, %eax\n"
    "site_a_call: syscall\n"
    "site_a_end: ret\n"
    ".nops 9\n"
    ".balign 64\n"
    "site_p: mov %rdi, %rax\n"
    "site_p_call: syscall\n"
    "site_p_end: cmp $-4095, %rax\n"
    "ret\n"
    ".balign 16, 0x55\n"
    "ret\n"
    ".nops 14\n"
    ".balign 64\n"
    "site_regs: mov $110, %eax\n"
    "mov $0x1234, %r8\n"
    "site_regs_call: syscall\n"
    "ret\n"
    ".balign 16, 0x55\n"
    "ret\n"
    ".nops 14\n"
    ".balign 64\n"
    "site_e: mov %rdi, %rax\n"
    "site_e_call: syscall\n"
    "site_e_end: cmp $-4096, %rax\n"
    "ja 1f\n"
    "ret\n"
    "1: mov $-1, %rax\n"
    "ret\n"
    ".skip 200, 0x55\n"
    "ret\n"
    ".balign 16, 0x55\n"
    "ret\n"
    ".nops 14\n"
    ".balign 64\n"
    "site_other: mov %rdi, %rax\n"
    "mov $0, %r8d\n"
    "site_other_call: syscall\n"
    "ret\n"
    ".balign 64, 0x55\n"
    "site_step: mov $110, %eax\n"
    "site_step_call: syscall\n"
    "site_step_end: ret\n"
    "int3\n"
    ".nops 9\n"
    ".balign 64\n");

extern long site_a(void), site_p(long nr), site_e(long nr), site_regs(void), site_step(void);
extern long site_other(long nr);
extern const unsigned char site_a_call[], site_a_end[], site_p_call[], site_p_end[];
extern const unsigned char site_other_call[];
extern const unsigned char site_e_call[], site_e_end[];
extern const unsigned char site_step_call[], site_step_end[];

static volatile int signals, strange;
static volatile unsigned long strange_ip;

static void results(void)
{
	long parent = getppid(), self = getpid(), flags;
	int bad = 0, i;

	for (i = 0; i < HOT; i++)
		bad += site_a() != parent;
	is(bad, 0, "a number and a call, %d times", HOT);
	for (i = bad = 0; i < HOT; i++)
		bad += site_p(i & 1 ? SYS_getpid : SYS_getppid) != (i & 1 ? self : parent);
	is(bad, 0, "numbers that change");
	for (i = bad = 0; i < HOT; i++)
		bad += site_p(10000) != -ENOSYS || site_p(-1) != -ENOSYS ||
		       site_p(SYS_close - (1L << 32)) == 0;
	is(bad, 0, "numbers that are none");
	for (i = bad = 0; i < HOT; i++)
		bad += site_e(i & 1 ? SYS_getpid : SYS_getppid) != (i & 1 ? self : parent) ||
		       site_e(10000) != -1;
	is(bad, 0, "a comparison after it");
	for (i = bad = 0; i < HOT; i++)
		bad += site_regs() != parent;
	is(bad, 0, "a number that is loaded earlier");
	asm volatile("call *%[f]; pushfq; pop %[fl]" : [fl] "=r"(flags)
		     : [f] "r"(site_a) : "rax", "rcx", "r11", "memory");
	is(flags & 0x400, 0, "flags are not changed");
}

/* Jump straight to the instruction, with another number. */
static long boundary(const void *call, long nr)
{
	long ret;

	asm volatile("call *%[f]" : "=a"(ret) : "a"(nr), [f] "r"(call)
		     : "rcx", "r11", "memory");
	return ret;
}

static void jumps(void)
{
	long self = getpid();
	int bad = 0;

	for (int i = 0; i < HOT; i++)
		bad += boundary(site_a_call, SYS_getpid) != self;
	is(bad, 0, "jumps to the instruction itself");
	for (int i = bad = 0; i < HOT; i++)
		bad += boundary(site_p_call, SYS_getpid) != self;
	is(bad, 0, "the same without a number before it");
	for (int i = bad = 0; i < HOT; i++)
		bad += boundary(site_e_call, SYS_getpid) != self ||
		       boundary(site_e_end, 4711) != 4711 || boundary(site_e_end, -5) != -1;
	is(bad, 0, "jumps to the comparison");
}

static void registers(void)
{
	unsigned long rcx, r11, rbx = 0x1111, r12 = 0x2222, rdi = 0x3333, rdx = 0x4444;
	int bad = 0;

	for (int i = 0; i < HOT; i++) {
		register unsigned long r12_ asm("r12") = r12;
		unsigned long r11_;

		asm volatile("call site_a\n\tmov %%r11, %[r11]"
			     : "=c"(rcx), [r11] "=r"(r11_), "+b"(rbx), "+D"(rdi), "+d"(rdx),
			       "+r"(r12_) : : "rax", "r11", "memory");
		r11 = r11_;
		bad += rcx != (unsigned long)site_a_end || !(r11 & 2) || rbx != 0x1111 ||
		       r12_ != 0x2222 || rdi != 0x3333 || rdx != 0x4444;
	}
	is(bad, 0, "registers are as the instruction leaves them");
}

static void reading(void)
{
	unsigned char byte[2] = { 0 };
	struct iovec to = { byte, 2 }, from = { (void *)site_a_call, 2 };
	int fd = open("/proc/self/mem", O_RDONLY);

	is(pread(fd, byte, 2, (long)site_a_call), 2, "/proc/self/mem is read");
	ok(byte[0] == 0x0f && byte[1] == 5, "it has the instruction");
	close(fd);
	memset(byte, 0, 2);
	is(process_vm_readv(getpid(), &to, 1, &from, 1, 0), 2, "process_vm_readv()");
	ok(byte[0] == 0x0f && byte[1] == 5, "it has the instruction, too");
	is(write(-1, site_a_call, 2), -1, "the kernel may read it as data");
}

static void on_alarm(int sig, siginfo_t *si, void *uc)
{
	unsigned long ip = ((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];

	(void)sig; (void)si;
	signals++;
	/* In the program or its libraries, not in low memory or above all. */
	if (ip < 0x100000 || (ip > 0x7fff70000000 && ip < 0x7fffffffffff)) {
		strange++;
		strange_ip = ip;
	}
}

static void interrupted(void)
{
	struct itimerval it = { { 0, 300 }, { 0, 300 } }, off = { { 0, 0 }, { 0, 0 } };
	long parent = getppid(), self = getpid();
	int64_t end = now_ns() + 30000000000LL;
	int bad = 0;

	on_signal(SIGALRM, on_alarm, SA_RESTART);
	setitimer(ITIMER_REAL, &it, NULL);
	while (signals < 1000 && now_ns() < end) {
		bad += site_a() != parent;
		bad += site_p(SYS_getpid) != self;
		bad += site_e(SYS_getpid) != self || site_e(10000) != -1;
		bad += boundary(site_a_call, SYS_getpid) != self;
	}
	setitimer(ITIMER_REAL, &off, NULL);
	ok(!bad && signals >= 1000, "%d signals between calls", signals);
	if (!is(strange, 0, "their frames show no foreign address"))
		diag("%lx", strange_ip);
}

static volatile int steps, seen_call, seen_end, foreign;

static void on_step(int sig, siginfo_t *si, void *uc)
{
	unsigned long ip = ((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];

	(void)sig; (void)si;
	steps++;
	seen_call += ip == (unsigned long)site_step_call;
	seen_end += ip == (unsigned long)site_step_end;
	foreign += ip < 0x100000 || (ip > 0x7fff70000000 && ip < 0x7fffffffffff);
}

/* A program that steps through itself. */
static void trap_flag(void)
{
	long parent = getppid(), ret;

	for (int i = 0; i < HOT; i++)
		site_step();
	on_signal(SIGTRAP, on_step, 0);
	asm volatile("pushfq; orq $0x100, (%%rsp); popfq\n\t"
		     "call site_step\n\t"
		     "pushfq; andq $~0x100, (%%rsp); popfq"
		     : "=a"(ret) : : "rcx", "r11", "memory");
	is(ret, parent, "the result while stepping");
	is(foreign, 0, "steps show no foreign address");
	is(seen_call, 1, "a step at the call");
	ok(steps >= 5, "%d steps", steps);
}

static void traced(void)
{
	int status, call = 0, end = 0, odd = 0, n = 0;
	struct user_regs_struct regs;
	pid_t pid = fork();
	long word;

	if (!pid) {
		for (;;)
			site_a();
	}
	sleep_ms(50);
	is(ptrace(PTRACE_ATTACH, pid, 0, 0), 0, "attach to who executes it");
	waitpid(pid, &status, 0);
	word = ptrace(PTRACE_PEEKTEXT, pid, site_a_call, 0);
	is(word & 0xffff, 0x050f, "a debugger reads the instruction");
	for (; n < 200 && !ptrace(PTRACE_SINGLESTEP, pid, 0, 0); n++) {
		waitpid(pid, &status, 0);
		ptrace(PTRACE_GETREGS, pid, 0, &regs);
		call += regs.rip == (unsigned long)site_a_call;
		end += regs.rip == (unsigned long)site_a_end;
		odd += regs.rip < 0x100000 || regs.rip > 0x7fff70000000;
	}
	ok(n == 200 && call > 5 && end > 5 && !odd, "steps: %d, at the call %d, after it %d",
	   n, call, end);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

/* Somebody without rights jumps to where no number is loaded, with one. */
static int misleading(void *arg)
{
	(void)arg;
	if (setresuid(1000, 1000, 1000))
		return 1;
	for (int i = 0; i < 4 * HOT; i++)
		asm volatile("call *%[f]" : : [f] "r"(site_other_call), "a"(SYS_read), "D"(-1L)
			     : "rcx", "r8", "r11", "memory");
	return 0;
}

static void others(void)
{
	long parent = getppid();
	int bad = 0;

	if (geteuid()) {
		skip("other users", "not root");
		return;
	}
	ok(exited_with(in_child(misleading, NULL), 0), "who has no rights executes it");
	for (int i = 0; i < HOT; i++)
		bad += site_other(SYS_getppid) != parent;
	is(bad, 0, "and decides nothing for others");
}

/* A file with one call in it, which changes while it is executed. */
static const unsigned char code[] = {
	0xb8, 110, 0, 0, 0, 0x0f, 5, 0xc3, 0x0f, 0x1f, 0x80, 0, 0, 0, 0, 0x90,
};

typedef long (*call_fn)(void);

static call_fn map_file(int fd)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return (call_fn)((char *)p + 16);
}

static int execute(void *fn)
{
	((call_fn)fn)();
	return 0;
}

static void changing_file(const char *dir)
{
	long parent = getppid(), self = getpid();
	char name[64];
	call_fn one, two;
	int fd, bad = 0;

	snprintf(name, sizeof(name), "%s/um-sites-XXXXXX", dir);
	fd = mkstemp(name);
	if (fd < 0) {
		skip(dir, "not writable");
		return;
	}
	unlink(name);
	if (ftruncate(fd, 4096) || pwrite(fd, code, sizeof(code), 16) != sizeof(code))
		die("write");
	one = map_file(fd);
	two = map_file(fd);
	for (int i = 0; i < HOT; i++)
		bad += one() != parent || two() != parent;
	is(bad, 0, "%s: a page that is mapped twice", dir);
	is(pwrite(fd, "\x27", 1, 17), 1, "its number is changed");
	for (int i = bad = 0; i < HOT; i++)
		bad += one() != self || two() != self;
	is(bad, 0, "the new one is executed");
	is(pwrite(fd, "\x0f\x0b", 2, 21), 2, "the call is changed");
	ok(killed_by(in_child(execute, one), SIGILL), "what was written is executed");
	is(pwrite(fd, "\x0f\x05", 2, 21), 2, "it is a call again");
	/* Move it. */
	one = (call_fn)((char *)mremap((char *)one - 16, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED,
				       map_pages(1, PROT_READ)) + 16);
	for (int i = bad = 0; i < HOT; i++)
		bad += one() != self || two() != self;
	is(bad, 0, "after a move");
	close(fd);
}

static void changing_shared(void)
{
	long parent = getppid(), self = getpid();
	char name[] = "/tmp/um-sites-XXXXXX";
	int fd = mkstemp(name), bad = 0;
	unsigned char *w;
	call_fn one;

	if (fd < 0) {
		skip("shared mapping", "/tmp is not writable");
		return;
	}
	unlink(name);
	if (ftruncate(fd, 4096) || pwrite(fd, code, sizeof(code), 16) != sizeof(code))
		die("write");
	one = map_file(fd);
	for (int i = 0; i < HOT; i++)
		bad += one() != parent;
	w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	w[17] = SYS_getpid;
	for (int i = 0; i < HOT; i++)
		bad += one() != self;
	is(bad, 0, "changed through a shared mapping");
	munmap(w, 4096);
	close(fd);
}

static int child(void *arg)
{
	long parent = getppid(), self = getpid();
	int bad = 0;

	(void)arg;
	for (int i = 0; i < HOT; i++)
		bad += site_a() != parent || site_p(SYS_getpid) != self;
	return bad;
}

/* Where a kernel could keep its tables. */
static void low_memory(void)
{
	long parent = getppid(), self = getpid();
	unsigned long *p;
	int bad = 0;

	p = mmap((void *)0x60000, 0x10000, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (p != (void *)0x60000) {
		skip("low memory", "mmap_min_addr");
		return;
	}
	for (int i = 0; i < 0x10000 / 8; i++) {
		bad += p[i] != 0;
		p[i] = 0x4141414141414141;
	}
	for (int i = 0; i < HOT; i++)
		bad += site_a() != parent || site_p(SYS_getpid) != self;
	for (int i = 0; i < 0x10000 / 8; i++)
		bad += p[i] != 0x4141414141414141;
	is(bad, 0, "low memory belongs to the program");
	is(munmap(p, 0x10000), 0, "until it is unmapped");
	for (int i = bad = 0; i < HOT; i++)
		bad += site_a() != parent || site_p(SYS_getpid) != self;
	is(bad, 0, "calls go on");
}

int main(void)
{
	results();
	jumps();
	registers();
	reading();
	interrupted();
	ok(exited_with(in_child(child, NULL), 0), "a child");
	changing_file("/tmp");
	changing_file("/root");
	changing_shared();
	others();
	traced();
	ok(exited_with(in_child(child, NULL), 0), "a child after that");
	trap_flag();
	results();
	low_memory();
	return tap_done();
}
