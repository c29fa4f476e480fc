// SPDX-License-Identifier: GPL-2.0
/*
 * A tracer and its children: what strace and gdb need.  System call stops,
 * single steps (also over a system call, a signal and into a handler),
 * breakpoints, registers, extended state, watchpoints, new children, and the
 * request that other User Mode Linux kernels live on, SYSEMU.
 */
#include <cpuid.h>
#include <elf.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "tap.h"
#include "util.h"

/* glibc's and the kernel's headers don't mix: one declaration is enough. */
extern long ptrace(int req, ...);

static volatile long watched, called;

static void __attribute__((noinline)) target(long v)
{
	called = v;
	asm volatile("");
}

static int stop_sig(pid_t pid)
{
	int st;

	if (waitpid(pid, &st, 0) != pid)
		return -1;
	return WIFSTOPPED(st) ? st >> 8 : -(st + 1000);
}

/* tracee() - a child that stops itself, then runs fn. */
static pid_t tracee(void (*fn)(void), long options)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		fn();
		_exit(0);
	}
	if (stop_sig(pid) != SIGSTOP)
		die("the tracee did not stop");
	ptrace(PTRACE_SETOPTIONS, pid, 0, options | PTRACE_O_EXITKILL);
	return pid;
}

static void finish(pid_t pid)
{
	int st;

	kill(pid, SIGKILL);
	/* One that waits in its exit stop does not notice the signal. */
	ptrace(PTRACE_CONT, pid, 0, 0);
	/* A tracee with PTRACE_O_TRACEEXIT stops once more on its way out. */
	while (waitpid(pid, &st, 0) == pid && WIFSTOPPED(st))
		ptrace(PTRACE_CONT, pid, 0, 0);
}

static void calls(void)
{
	raw(SYS_getppid, 1, 2, 3, 4, 5, 6);
	raw0(SYS_getuid);
}

static long step_to(pid_t pid, int req, struct user_regs_struct *r)
{
	ptrace(req, pid, 0, 0);
	if (stop_sig(pid) != (SIGTRAP | 0x80))
		return -1;
	ptrace(PTRACE_GETREGS, pid, 0, r);
	return r->orig_rax;
}

static void syscalls(void)
{
	struct ptrace_syscall_info info;
	struct user_regs_struct r;
	pid_t pid = tracee(calls, PTRACE_O_TRACESYSGOOD);
	long size;

	do {
		if (step_to(pid, PTRACE_SYSCALL, &r) < 0)
			break;
	} while (r.orig_rax != SYS_getppid);
	is(r.orig_rax, SYS_getppid, "PTRACE_SYSCALL stops at the entry");
	is(r.rax, -ENOSYS, "with rax -ENOSYS");
	ok(r.rdi == 1 && r.rsi == 2 && r.rdx == 3 && r.r10 == 4 && r.r8 == 5 && r.r9 == 6,
	   "and the six arguments");
	size = ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
	ok(size > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_getppid &&
	   info.entry.args[5] == 6, "PTRACE_GET_SYSCALL_INFO at the entry");
	is(info.arch, 0xc000003e, "says x86-64");
	is(info.instruction_pointer, r.rip, "and where");
	is(step_to(pid, PTRACE_SYSCALL, &r), SYS_getppid, "it stops at the exit");
	is(r.rax, getpid(), "with the result");
	ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
	ok(info.op == PTRACE_SYSCALL_INFO_EXIT && info.exit.rval == getpid() &&
	   !info.exit.is_error, "PTRACE_GET_SYSCALL_INFO at the exit");
	/* Turn getuid into getpid, then change its result. */
	is(step_to(pid, PTRACE_SYSCALL, &r), SYS_getuid, "the next call");
	r.orig_rax = SYS_getpid;
	ptrace(PTRACE_SETREGS, pid, 0, &r);
	step_to(pid, PTRACE_SYSCALL, &r);
	is(r.rax, pid, "a changed number calls something else");
	finish(pid);
}

static void emulated(void)
{
	long a = raw(SYS_getppid, 0, 0, 0, 0, 0, 0);

	_exit(a == 4242 ? 0 : 1);
}

static void sysemu(void)
{
	struct user_regs_struct r;
	pid_t pid = tracee(emulated, PTRACE_O_TRACESYSGOOD);
	int st;

	while (step_to(pid, PTRACE_SYSCALL, &r) >= 0 && r.orig_rax != SYS_getppid)
		;
	finish(pid);
	pid = tracee(emulated, PTRACE_O_TRACESYSGOOD);
	is(step_to(pid, 31 /* PTRACE_SYSEMU */, &r), SYS_getppid, "PTRACE_SYSEMU stops");
	r.rax = 4242;
	ptrace(PTRACE_SETREGS, pid, 0, &r);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &st, 0);
	ok(exited_with(st, 0), "and the tracer's answer is the result (%#x)", st);
}

static void one_call(void)
{
	/* Known instructions: nop, syscall, nop, nop, at fixed places. */
	asm volatile(".globl step_here\nstep_here: nop; mov $110, %%eax; syscall\n"
		     "nop; nop; .globl step_end\nstep_end: nop" : : : "rax", "rcx", "r11");
}

extern char step_here[], step_end[];

static void breakpoint(pid_t pid, char *at)
{
	struct user_regs_struct r;
	long word = ptrace(PTRACE_PEEKTEXT, pid, at, 0);

	ptrace(PTRACE_POKETEXT, pid, at, (word & ~0xffL) | 0xcc);
	ptrace(PTRACE_CONT, pid, 0, 0);
	is(stop_sig(pid), SIGTRAP, "a breakpoint stops");
	ptrace(PTRACE_GETREGS, pid, 0, &r);
	is(r.rip, (long)at + 1, "behind its int3");
	ptrace(PTRACE_POKETEXT, pid, at, word);
	r.rip--;
	ptrace(PTRACE_SETREGS, pid, 0, &r);
}

static void steps(void)
{
	struct user_regs_struct r;
	siginfo_t si;
	pid_t pid = tracee(one_call, 0);
	static const int offs[] = { 1, 6, 8, 9, 10 };
	unsigned int i;

	breakpoint(pid, step_here);
	for (i = 0; i < 5; i++) {
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		if (!is(stop_sig(pid), SIGTRAP, "single step %u", i))
			break;
		ptrace(PTRACE_GETREGS, pid, 0, &r);
		is(r.rip - (long)step_here, offs[i], "... to the next instruction");
	}
	is(r.rax, getpid(), "the stepped system call did its work");
	is(r.eflags & 0x100, 0, "the trap flag is not shown");
	ptrace(PTRACE_GETSIGINFO, pid, 0, &si);
	is(si.si_code, TRAP_TRACE, "si_code is TRAP_TRACE");
	for (i = 0; i < 500; i++) {
		ptrace(PTRACE_SINGLESTEP, pid, 0, 0);
		if (stop_sig(pid) != SIGTRAP)
			break;
	}
	ok(i >= 3, "%u steps more, to the end", i);
	finish(pid);
}

static volatile int handled;

static void handler(int sig)
{
	handled = sig;
}

static void raises(void)
{
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	_exit(handled == SIGUSR1 ? 0 : 1);
}

static void signals(void)
{
	struct user_regs_struct r;
	pid_t pid = tracee(raises, 0);
	int st;

	ptrace(PTRACE_CONT, pid, 0, 0);
	is(stop_sig(pid), SIGUSR1, "a signal stops the tracee first");
	/* Stepping with a signal goes to the handler's first instruction. */
	ptrace(PTRACE_SINGLESTEP, pid, 0, SIGUSR1);
	is(stop_sig(pid), SIGTRAP, "a step delivers it");
	ptrace(PTRACE_GETREGS, pid, 0, &r);
	is(r.rip, (long)handler, "and stops at the handler");
	is(r.rdi, SIGUSR1, "with the number in rdi");
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &st, 0);
	ok(exited_with(st, 0), "the handler ran");
	pid = tracee(raises, 0);
	ptrace(PTRACE_CONT, pid, 0, 0);
	stop_sig(pid);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &st, 0);
	ok(exited_with(st, 1), "a tracer can swallow a signal");
}

static void vectors(void)
{
	static unsigned char v[64], out[64];

	memset(v, 0x5c, 64);
	asm volatile("movdqu %1, %%xmm5; int3; movdqu %%xmm5, %0"
		     : "=m"(out) : "m"(v) : "xmm5", "memory");
	_exit(out[0] == 0xa3 && out[15] == 0xa3 ? 0 : 1);
}

static void regsets(void)
{
	static unsigned char x[16384] __attribute__((aligned(64)));
	struct user_fpregs_struct fp;
	struct user_regs_struct r, r2;
	struct iovec iov = { x, sizeof(x) };
	unsigned int a, b, c, d;
	pid_t pid = tracee(vectors, 0);
	int st;

	ptrace(PTRACE_CONT, pid, 0, 0);
	is(stop_sig(pid), SIGTRAP, "the tracee waits at its int3");
	is(ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &iov), 0, "GETREGSET NT_X86_XSTATE");
	is(x[160 + 5 * 16], 0x5c, "shows xmm5");
	if (__get_cpuid_count(0xd, 0, &a, &b, &c, &d))
		ok(iov.iov_len >= 576 && iov.iov_len <= sizeof(x), "its size is %zu", iov.iov_len);
	memset(x + 160 + 5 * 16, 0xa3, 16);
	is(ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &iov), 0, "SETREGSET NT_X86_XSTATE");
	is(ptrace(PTRACE_GETFPREGS, pid, 0, &fp), 0, "GETFPREGS");
	is(((unsigned char *)fp.xmm_space)[80], 0xa3, "sees the change");
	iov.iov_base = &r2;
	iov.iov_len = sizeof(r2);
	ptrace(PTRACE_GETREGS, pid, 0, &r);
	is(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov), 0, "GETREGSET NT_PRSTATUS");
	ok(iov.iov_len == sizeof(r) && !memcmp(&r, &r2, sizeof(r)), "agrees with GETREGS");
	is(ptrace(PTRACE_PEEKUSR, pid, offsetof(struct user, regs.rip), 0), (long)r.rip,
	   "PEEKUSER of rip");
	ok(r.cs == 0x33 && r.ss == 0x2b, "cs %#llx, ss %#llx", r.cs, r.ss);
	is(r.fs_base, ({ unsigned long f; asm("mov %%fs:0, %0" : "=r"(f)); f; }), "fs_base");
	r.cs = 0;
	is(ptrace(PTRACE_SETREGS, pid, 0, &r) ? errno : 0, EIO, "a kernel cs is refused");
	r.cs = 0x33;
	r.rip = 0xffff800000000000UL;
	st = ptrace(PTRACE_SETREGS, pid, 0, &r);
	ok(st == 0 || st == -1, "a kernel rip is survived");
	ptrace(PTRACE_SETREGS, pid, 0, &r2);
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &st, 0);
	ok(exited_with(st, 0), "the tracee runs on with the changed xmm5 (%#x)", st);
}

static void stores(void)
{
	target(1);
	watched = 5;
	target(2);
	_exit(watched == 5 ? 0 : 1);
}

static void watchpoint(void)
{
	size_t dr = offsetof(struct user, u_debugreg);
	pid_t pid = tracee(stores, 0);
	siginfo_t si;
	int st;

	if (ptrace(PTRACE_POKEUSR, pid, dr, &watched) ||
	    ptrace(PTRACE_POKEUSR, pid, dr + 7 * 8, 0xd0001L)) {
		st = errno;
		if (st == EIO || st == ENOSPC || st == EINVAL)
			skip("a watchpoint", "no debug registers here: gdb single-steps");
		else
			ok(0, "a watchpoint: %s", strerror(st));
		finish(pid);
		return;
	}
	ptrace(PTRACE_CONT, pid, 0, 0);
	is(stop_sig(pid), SIGTRAP, "a watchpoint stops");
	ptrace(PTRACE_GETSIGINFO, pid, 0, &si);
	is(si.si_code, TRAP_HWBKPT, "with TRAP_HWBKPT");
	is(ptrace(PTRACE_PEEKDATA, pid, &watched, 0), 5, "after the store");
	is(ptrace(PTRACE_PEEKUSR, pid, dr + 6 * 8, 0) & 1, 1, "dr6 names the register");
	ptrace(PTRACE_CONT, pid, 0, 0);
	waitpid(pid, &st, 0);
	ok(exited_with(st, 0), "and the tracee goes on");
}

static void forks(void)
{
	int st;
	pid_t pid = fork();

	if (!pid)
		_exit(3);
	waitpid(pid, &st, 0);
	execl("/proc/self/exe", "ptrace", "nothing", NULL);
	_exit(1);
}

static void children(void)
{
	pid_t pid = tracee(forks, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT);
	unsigned long msg = 0;
	int st;

	ptrace(PTRACE_CONT, pid, 0, 0);
	is(stop_sig(pid), SIGTRAP | PTRACE_EVENT_FORK << 8, "PTRACE_O_TRACEFORK");
	ptrace(PTRACE_GETEVENTMSG, pid, 0, &msg);
	is(stop_sig(msg), SIGSTOP, "the new child stops, too");
	ptrace(PTRACE_CONT, msg, 0, 0);
	ptrace(PTRACE_CONT, pid, 0, 0);
	is(stop_sig(msg), SIGTRAP | PTRACE_EVENT_EXIT << 8, "PTRACE_O_TRACEEXIT");
	ptrace(PTRACE_CONT, msg, 0, 0);
	waitpid(msg, &st, 0);
	ok(exited_with(st, 3), "its exit code");
	st = stop_sig(pid);
	if (st == SIGCHLD) {
		ptrace(PTRACE_CONT, pid, 0, 0);
		st = stop_sig(pid);
	}
	is(st, SIGTRAP | PTRACE_EVENT_EXEC << 8, "PTRACE_O_TRACEEXEC");
	ptrace(PTRACE_CONT, pid, 0, 0);
	is(stop_sig(pid), SIGTRAP | PTRACE_EVENT_EXIT << 8, "and its end");
	finish(pid);
}

static void spins(void)
{
	for (;;)
		called++;
}

static void attach(void)
{
	struct user_regs_struct r;
	pid_t pid = fork();
	long before, after;

	if (!pid) {
		spins();
		_exit(1);
	}
	sleep_ms(20);
	is(ptrace(PTRACE_ATTACH, pid, 0, 0), 0, "attach to a process that spins");
	is(stop_sig(pid), SIGSTOP, "stops it");
	is(ptrace(PTRACE_GETREGS, pid, 0, &r), 0, "GETREGS");
	before = ptrace(PTRACE_PEEKDATA, pid, &called, 0);
	is(ptrace(PTRACE_DETACH, pid, 0, 0), 0, "detach");
	sleep_ms(50);
	ptrace(PTRACE_SEIZE, pid, 0, 0);
	is(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0, "SEIZE and INTERRUPT");
	is(stop_sig(pid), SIGTRAP | PTRACE_EVENT_STOP << 8, "stop it again");
	after = ptrace(PTRACE_PEEKDATA, pid, &called, 0);
	ok(after != before, "it ran in between");
	ptrace(PTRACE_POKEDATA, pid, &called, 0);
	is(ptrace(PTRACE_PEEKDATA, pid, &called, 0), 0, "POKEDATA");
	finish(pid);
	is(kill(pid, 0) ? errno : 0, ESRCH, "killed while traced");
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	syscalls();
	sysemu();
	steps();
	signals();
	regsets();
	watchpoint();
	children();
	attach();
	return tap_done();
}
