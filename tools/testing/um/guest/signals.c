// SPDX-License-Identifier: GPL-2.0
/*
 * Signals as programs see them: delivery, masks, stacks, the frame and the
 * way back.  What faults report is in faults.c.
 */
#include <asm/prctl.h>
#include <cpuid.h>
#include <sys/auxv.h>
#include <ucontext.h>

#include "tap.h"
#include "util.h"

/* The kernel's own view of the end of struct _fpstate, which glibc hides. */
struct sw_reserved {
	uint32_t magic1;
	uint32_t extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size;
	uint32_t padding[7];
};

#define MAGIC1 0x46505853U
#define MAGIC2 0x46505845U

static volatile int hits, depth, deepest, order[8], orders;
static volatile siginfo_t last;
static ucontext_t *volatile frame;

static void count(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	hits++;
	last = *si;
	if (orders < 8)
		order[orders++] = sig * 1000 + si->si_value.sival_int;
}

static void again(int sig, siginfo_t *si, void *uc)
{
	(void)si; (void)uc;
	hits++;
	if (++depth > deepest)
		deepest = depth;
	if (hits < 4)
		raise(sig);
	depth--;
}

static void flags(void)
{
	struct sigaction sa;

	on_signal(SIGUSR1, again, 0);
	hits = deepest = 0;
	raise(SIGUSR1);
	is(hits, 4, "a handler that raises its own signal");
	is(deepest, 1, "is not nested");
	on_signal(SIGUSR1, again, SA_NODEFER);
	hits = deepest = 0;
	raise(SIGUSR1);
	is(deepest, 4, "but with SA_NODEFER it is");
	on_signal(SIGUSR1, count, SA_RESETHAND);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &sa);
	ok(sa.sa_handler == SIG_DFL, "SA_RESETHAND resets the handler");
	is(sigaction(SIGKILL, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL), -1,
	   "SIGKILL can't be ignored");
}

static int with_sa_mask;

static void masked(int sig, siginfo_t *si, void *uc)
{
	sigset_t cur;

	(void)si; (void)uc;
	sigprocmask(SIG_BLOCK, NULL, &cur);
	with_sa_mask = sigismember(&cur, sig) + 2 * sigismember(&cur, SIGUSR2) +
		       4 * sigismember(&cur, SIGHUP);
}

static void values(void)
{
	struct sigaction sa = { .sa_sigaction = masked, .sa_flags = SA_SIGINFO };
	union sigval v;
	sigset_t rt, old;
	int i;

	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	is(with_sa_mask, 3, "the mask in a handler: its own signal and sa_mask");

	on_signal(SIGUSR1, count, 0);
	kill(getpid(), SIGUSR1);
	ok(last.si_code == SI_USER && last.si_pid == getpid() && last.si_uid == getuid(),
	   "kill: SI_USER with pid and uid");
	raise(SIGUSR1);
	is(last.si_code, SI_TKILL, "raise: SI_TKILL");
	v.sival_ptr = (void *)0x123456789abcdefL;
	sigqueue(getpid(), SIGUSR1, v);
	ok(last.si_code == SI_QUEUE && last.si_value.sival_ptr == v.sival_ptr,
	   "sigqueue: SI_QUEUE with its value");

	sigemptyset(&rt);
	sigaddset(&rt, SIGRTMIN + 1);
	sigaddset(&rt, SIGRTMIN + 2);
	sigaddset(&rt, SIGUSR1);
	sigprocmask(SIG_BLOCK, &rt, &old);
	on_signal(SIGRTMIN + 1, count, 0);
	on_signal(SIGRTMIN + 2, count, 0);
	for (i = 1; i <= 2; i++) {
		v.sival_int = i;
		sigqueue(getpid(), SIGRTMIN + 1, v);
	}
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	hits = orders = 0;
	sigprocmask(SIG_SETMASK, &old, NULL);
	is(hits, 3, "real-time signals queue, others don't");
	/* Frames pile up, so the lowest number is built first and runs last. */
	ok(order[0] % 1000 == 1 && order[1] % 1000 == 2, "in the order they were sent");
}

static char *alt;
static volatile int was_on_alt, flags_inside;

static void on_alt(int sig, siginfo_t *si, void *uc)
{
	char here;
	stack_t ss;

	(void)sig; (void)si;
	was_on_alt = &here >= alt && &here < alt + 65536;
	sigaltstack(NULL, &ss);
	flags_inside = ss.ss_flags;
	frame = uc;
}

static int overflow(void *arg)
{
	stack_t ss = { .ss_sp = alt, .ss_size = 65536 };
	struct sigaction sa = { .sa_handler = SIG_DFL };

	(void)arg;
	/* SIGSEGV has no handler and the stack is gone: this must kill. */
	sigaction(SIGSEGV, &sa, NULL);
	ss.ss_flags = SS_DISABLE;
	sigaltstack(&ss, NULL);
	asm volatile("mov $0x10, %%rsp; mov %0, %%edi; mov $39, %%eax; syscall\n"
		     "mov %%eax, %%edi; mov %0, %%esi; mov $62, %%eax; syscall; hlt"
		     : : "i"(SIGUSR1) : "memory");
	return 0;
}

static void stacks(void)
{
	stack_t ss = { .ss_size = 65536 }, old;
	int st;

	alt = map_pages(16, PROT_READ | PROT_WRITE);
	ss.ss_sp = alt;
	is(sigaltstack(&ss, NULL), 0, "sigaltstack");
	on_signal(SIGUSR1, on_alt, SA_ONSTACK);
	raise(SIGUSR1);
	ok(was_on_alt, "SA_ONSTACK runs on it");
	is(flags_inside, SS_ONSTACK, "and says so");
	ok(frame->uc_stack.ss_sp == alt && frame->uc_stack.ss_size == 65536,
	   "uc_stack names it");
	sigaltstack(NULL, &old);
	is(old.ss_flags, 0, "not on it afterwards");
	on_signal(SIGUSR1, on_alt, 0);
	raise(SIGUSR1);
	ok(!was_on_alt, "without SA_ONSTACK not");
	ss.ss_flags = 1U << 31;		/* SS_AUTODISARM */
	is(sigaltstack(&ss, NULL), 0, "sigaltstack with SS_AUTODISARM");
	on_signal(SIGUSR1, on_alt, SA_ONSTACK);
	raise(SIGUSR1);
	ok(was_on_alt && flags_inside == SS_DISABLE, "disarmed inside the handler");
	sigaltstack(NULL, &old);
	is((unsigned int)old.ss_flags, 1U << 31, "armed again afterwards");
	ss.ss_size = 16;
	is(sigaltstack(&ss, NULL), -1, "too small a stack is refused");
	on_signal(SIGUSR1, on_alt, 0);
	st = in_child(overflow, NULL);
	ok(killed_by(st, SIGSEGV), "no room for a frame: SIGSEGV kills (%#x)", st);
}

static volatile unsigned long seen_flags;

static void change(int sig, siginfo_t *si, void *ucv)
{
	ucontext_t *uc = ucv;
	greg_t *r = uc->uc_mcontext.gregs;

	(void)sig; (void)si;
	asm volatile("pushfq; pop %0" : "=r"(seen_flags));
	r[REG_R12] = 0x1212;
	r[REG_RBX] = 0xbbbb;
	r[REG_RAX] = 0xaaaa;
	r[REG_R15] = r[REG_R15] + 1;
	r[REG_RIP] += 2;		/* over the ud2 */
	r[REG_EFL] |= 1;		/* carry */
	sigaddset(&uc->uc_sigmask, SIGUSR2);
}

static void context(void)
{
	unsigned long r12 = 1, rbx = 2, rax = 3, r15 = 0x1515, carry = 0;
	sigset_t cur;

	on_signal(SIGILL, change, 0);
	asm volatile("mov %3, %%r15; std; clc; ud2; setc %b4; cld\n"
		     "mov %%r12, %0; mov %%rbx, %1; mov %%rax, %2; mov %%r15, %3"
		     : "=m"(r12), "=m"(rbx), "=m"(rax), "+m"(r15), "+d"(carry)
		     : : "rax", "rbx", "r12", "r15", "cc", "memory");
	ok(r12 == 0x1212 && rbx == 0xbbbb && rax == 0xaaaa, "sigreturn loads changed registers");
	is(r15, 0x1516, "and what it saw was right");
	is(carry, 1, "changed flags are loaded");
	is(seen_flags & 0x400, 0, "the direction flag is clear in a handler");
	sigprocmask(SIG_BLOCK, NULL, &cur);
	ok(sigismember(&cur, SIGUSR2), "sigreturn loads a changed mask");
	sigemptyset(&cur);
	sigprocmask(SIG_SETMASK, &cur, NULL);
}

static void clobber(int sig, siginfo_t *si, void *uc)
{
	(void)sig; (void)si;
	frame = uc;
	hits++;
	asm volatile("pxor %%xmm0, %%xmm0; pcmpeqd %%xmm15, %%xmm15" : : : "xmm0", "xmm15");
}

static void red_zone(void)
{
	unsigned long bad;
	int i;

	on_signal(SIGILL, change, 0);
	/* 128 bytes below rsp belong to the interrupted function. */
	asm volatile("mov $0x77, %%esi\n"
		     "mov %%rsi, -8(%%rsp); mov %%rsi, -64(%%rsp); mov %%rsi, -128(%%rsp)\n"
		     "ud2\n"
		     "xor %0, %0\n"
		     "sub -8(%%rsp), %%rsi; or %%rsi, %0; mov $0x77, %%esi\n"
		     "sub -64(%%rsp), %%rsi; or %%rsi, %0; mov $0x77, %%esi\n"
		     "sub -128(%%rsp), %%rsi; or %%rsi, %0\n"
		     : "=&r"(bad) : : "rsi", "rax", "rbx", "r12", "r15", "memory");
	is(bad, 0, "the red zone survives a signal");
	sigprocmask(SIG_SETMASK, &(sigset_t){ 0 }, NULL);

	on_signal(SIGUSR1, clobber, 0);
	for (i = 0, hits = 0; i < 1000; i++)
		raise(SIGUSR1);
	is(hits, 1000, "a thousand signals to self");
}

static void edit_xstate(int sig, siginfo_t *si, void *ucv)
{
	ucontext_t *uc = ucv;
	char *fp = (char *)uc->uc_mcontext.fpregs;
	struct sw_reserved *sw = (void *)(fp + 464);
	unsigned int a, b, c, d;

	(void)sig; (void)si;
	hits = 0;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	if (!fp || (unsigned long)fp % 64)
		return;
	memset(fp + 160, 0xc3, 16);			/* xmm0 */
	if (sw->magic1 != MAGIC1)
		return;
	hits = 1 + !!(uc->uc_flags & 1);
	hits += *(uint32_t *)(fp + sw->xstate_size) == MAGIC2;
	hits += sw->extended_size == sw->xstate_size + 4;
	if ((sw->xfeatures & 4) && __get_cpuid_count(0xd, 2, &a, &b, &c, &d)) {
		memset(fp + b, 0xd4, 16);		/* upper half of ymm0 */
		*(uint64_t *)(fp + 512) |= 6;
	}
}

static void xstate(void)
{
	unsigned int a, b, c, d, init = 0x1f80, mx = 0x3f80, got = 0;
	unsigned char ymm[32] = { 0 };
	unsigned long minsig = getauxval(AT_MINSIGSTKSZ);
	int avx = __builtin_cpu_supports("avx");

	on_signal(SIGILL, edit_xstate, 0);
	asm volatile("ldmxcsr %1" : "=m"(got) : "m"(mx));
	if (avx)
		asm volatile("vpxor %%ymm0, %%ymm0, %%ymm0; ud2; vmovdqu %%ymm0, %0"
			     : "=m"(ymm) : : "xmm0", "memory");
	else
		asm volatile("pxor %%xmm0, %%xmm0; ud2; movdqu %%xmm0, %0"
			     : "=m"(ymm) : : "xmm0", "memory");
	asm volatile("stmxcsr %0; ldmxcsr %1" : "=m"(got) : "m"(init));
	is(hits, 4, "the frame's xstate: UC_FP_XSTATE, both magics and sizes");
	is(ymm[0] | ymm[15] << 8, 0xc3c3, "a changed xmm0 is loaded");
	if (avx)
		is(ymm[16] | ymm[31] << 8, 0xd4d4, "a changed ymm0 is loaded");
	else
		skip("ymm0", "no AVX");
	is(got, mx, "MXCSR survives");
	if (__get_cpuid_count(0xd, 0, &a, &b, &c, &d) && b)
		ok(minsig > b, "AT_MINSIGSTKSZ %lu covers the xstate of %u", minsig, b);
	else
		skip("AT_MINSIGSTKSZ", "no XSAVE");
}

static volatile unsigned int in_mxcsr;
static volatile unsigned short in_cw;

static void fresh(int sig, siginfo_t *si, void *uc)
{
	unsigned int m;
	unsigned short w;

	(void)sig; (void)si; (void)uc;
	asm volatile("stmxcsr %0; fnstcw %1" : "=m"(m), "=m"(w));
	in_mxcsr = m;
	in_cw = w;
}

static void fresh_fp(void)
{
	unsigned int m = 0x7f80, d = 0x1f80;

	on_signal(SIGUSR1, fresh, 0);
	asm volatile("ldmxcsr %0" : : "m"(m));
	raise(SIGUSR1);
	asm volatile("stmxcsr %0; ldmxcsr %1" : "=m"(m) : "m"(d));
	is(in_mxcsr, 0x1f80, "a handler starts with the default MXCSR");
	is(in_cw, 0x37f, "and the default x87 control word");
	is(m, 0x7f80, "and the old MXCSR comes back");
}

static int die_by(void *sig)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	signal((long)sig, SIG_DFL);
	raise((long)sig);
	return 0;
}

static int blocked_fault(void *arg)
{
	sigset_t all;

	(void)arg;
	on_signal(SIGSEGV, count, 0);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	asm volatile("movl $1, 8" : : : "memory");
	return 0;
}

static void deaths(void)
{
	static const int fatal[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGABRT, SIGFPE, SIGKILL,
		SIGSEGV, SIGPIPE, SIGALRM, SIGTERM, SIGBUS, SIGSYS, SIGXCPU, SIGUSR2, 40 };
	unsigned int i, bad = 0;

	for (i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
		if (!killed_by(in_child(die_by, (void *)(long)fatal[i]), fatal[i])) {
			diag("signal %d did not kill", fatal[i]);
			bad++;
		}
	is(bad, 0, "default actions kill with their number");
	ok(killed_by(in_child(blocked_fault, NULL), SIGSEGV), "a fault with SIGSEGV blocked kills");
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	flags();
	values();
	stacks();
	context();
	red_zone();
	xstate();
	fresh_fp();
	deaths();
	return tap_done();
}
