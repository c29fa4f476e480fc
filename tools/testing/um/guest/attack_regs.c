// SPDX-License-Identifier: GPL-2.0
/*
 * Registers and state that should not be, inside a guest: loaded by sigreturn,
 * by a debugger or by the process itself.  Each attempt may be fatal to it; a
 * process that is killed has to go, and the victim must not notice.
 */
#include <asm/ldt.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <ucontext.h>

#include "attack.h"

static const unsigned long odd[] = { 0, 1, 0x7fffffffffff, 0x800000000000, 0xffff888000000000,
	0xffffffffff600000, 0x123456789abcdef0, 0x8000000000000000, -1UL, SC_CODE, SC_STATE,
	SC_STACK + 64, SC_STACK + 0x3000, SC_VDSO };

#define NR_ODD		((int)(sizeof(odd) / sizeof(*odd)))

static int reg;
static unsigned long value;

static void spoil(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig; (void)si;
	if (reg < NGREG)
		uc->uc_mcontext.gregs[reg] = value;
	else
		uc->uc_mcontext.fpregs = (void *)value;
}

/* rt_sigreturn with one register of the frame spoilt; then a call, a fault. */
static void by_sigreturn(unsigned long n)
{
	reg = n / NR_ODD;
	value = odd[n % NR_ODD];
	on_signal(SIGUSR1, spoil, 0);
	kill(getpid(), SIGUSR1);
	raw0(SYS_getppid);
	*(volatile int *)value = 0;
}

static void by_debugger(void)
{
	struct user_regs_struct regs;
	unsigned long *words = (void *)&regs, r, n = sizeof(regs) / 8, i;
	int status, done = 0;
	pid_t pid;

	for (r = 0; r < n; r++) {
		for (i = 0; i < (unsigned int)NR_ODD; i++) {
			pid = fork();
			if (!pid) {
				ptrace(PTRACE_TRACEME, 0, 0, 0);
				raise(SIGSTOP);
				for (;;)
					raw0(SYS_getppid);
			}
			waitpid(pid, &status, 0);
			ptrace(PTRACE_GETREGS, pid, 0, &regs);
			words[r] = odd[i];
			if (!ptrace(PTRACE_SETREGS, pid, 0, &regs)) {
				done++;
				ptrace(r & 1 ? PTRACE_CONT : PTRACE_SINGLESTEP, pid, 0, 0);
				usleep(300);
			}
			kill(pid, SIGKILL);
			while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
				;
		}
	}
	ok(done > 0, "%d odd registers loaded by a debugger", done);
}

static void stack_low(unsigned long sp)
{
	asm volatile("mov %0, %%rsp; 1: jmp 1b" : : "r"(sp));
}

static void stack_low_call(unsigned long sp)
{
	asm volatile("mov %0, %%rsp; 1: mov $39, %%eax; syscall; jmp 1b" : : "r"(sp));
}

static void flags(unsigned long bits)
{
	asm volatile("pushf; or %0, (%%rsp); popf; mov $39, %%eax; syscall; 1: jmp 1b"
		     : : "r"(bits) : "rax", "rcx", "r11");
}

/* The stub's way back from a signal that did not happen, into itself. */
static void loop_in_stub(unsigned long to)
{
	static unsigned long uc[128] __attribute__((aligned(1024)));
	static unsigned int fp[1024] __attribute__((aligned(4096)));
	char *stack = map_pages(2, 3);

	/* A fault there would end it before it begins. */
	memset(stack, 1, 2 * PAGE);
	uc[136 / 8] = (unsigned long)uc;
	uc[160 / 8] = (unsigned long)stack + PAGE;
	uc[168 / 8] = to;
	uc[176 / 8] = 0x202;
	uc[224 / 8] = (unsigned long)fp;
	fp[6] = 0x1f80;
	asm volatile("jmp *%0" : : "r"(to), "d"(uc));
}

static void selectors(unsigned long sel)
{
	asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(sel));
	raw0(SYS_getppid);
}

static void far_away(unsigned long sel)
{
	asm volatile("push %0; lea 1f(%%rip), %%rcx; push %%rcx; lretq; 1: nop" : : "r"(sel) : "rcx");
	raw0(SYS_getppid);
}

static void bases(unsigned long base)
{
	asm volatile("wrfsbase %0; wrgsbase %0; mov $39, %%eax; syscall; mov %%gs:0, %%rax"
		     : : "r"(base) : "rax", "rcx", "r11");
	_exit(0);
}

/* Noise in everything that can be written of the stub, and calls. */
static void noise(unsigned long seed)
{
	for (;;) {
		lcg(&seed);
		*(volatile unsigned int *)(SC_STATE + (seed >> 33) % 0x30 / 4 * 4) =
			seed & 4 ? seed >> 40 : seed >> 61;
		if (!(seed >> 56))
			raw0(SYS_getppid);
	}
}

static void refused(void)
{
	struct user_desc desc = { .entry_number = 0, .limit = 0xfffff, .seg_32bit = 1,
		.limit_in_pages = 1 };
	int bad = 0;

	bad += raw(SYS_modify_ldt, 1, (long)&desc, sizeof(desc), 0, 0, 0) == 0;
	bad += raw(SYS_modify_ldt, 0x11, (long)&desc, sizeof(desc), 0, 0, 0) == 0;
	bad += raw(SYS_iopl, 3, 0, 0, 0, 0, 0) == 0;
	bad += raw(SYS_ioperm, 0, 1024, 1, 0, 0, 0) == 0;
	bad += raw(SYS_arch_prctl, 0x1023, 18, 0, 0, 0, 0) == 0;	/* AMX, please */
	bad += raw(SYS_arch_prctl, 0x1001, 0xffff888000000000, 0, 0, 0, 0) == 0;
	bad += raw(SYS_pkey_alloc, 0, 0, 0, 0, 0, 0) == 0;
	is(bad, 0, "segments, ports, tiles and keys are refused");
}

static void each(const char *what, void (*fn)(unsigned long), const unsigned long *args, int n)
{
	int i, lived = 0;

	for (i = 0; i < n; i++)
		lived += attempt(fn, args ? args[i] : (unsigned long)i, 10) == 0;
	diag("%s: %d of %d lived", what, lived, n);
	victim_check(what);
}

/* Some kicks find it where it does answer. */
static void each_of_one(const char *what, void (*fn)(unsigned long), unsigned long arg)
{
	unsigned long args[20];
	int i;

	for (i = 0; i < 20; i++)
		args[i] = arg;
	each(what, fn, args, 20);
}

int main(void)
{
	static const unsigned long bits[] = { 0x100, 0x400, 0x3000, 0x4000, 0x10000, 0x40000,
		0x200000, 0x7fd5 };
	unsigned long at;

	if (!have_stub())
		return tap_done();
	victim_start();
	each("rt_sigreturn", by_sigreturn, NULL, (NGREG + 1) * NR_ODD);
	by_debugger();
	each("odd segment bases", bases, odd, NR_ODD);
	each("selectors", selectors, NULL, 0x84);
	each("far returns", far_away, NULL, 0x44);
	each("flags", flags, bits, sizeof(bits) / sizeof(*bits));
	each("a stack without room", stack_low, odd, NR_ODD);
	each("calls on it", stack_low_call, odd, NR_ODD);
	for (at = SC_CODE; at < SC_CODE + PAGE - 4; at++)
		if (!memcmp((void *)at, "\x6a\x2b\xff\xb2", 4))
			each_of_one("a loop in the stub", loop_in_stub, at);
	each("noise in STATE", noise, NULL, 20);
	refused();
	victim_stop();
	return tap_done();
}
