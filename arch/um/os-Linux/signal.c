// SPDX-License-Identifier: GPL-2.0
/*
 * Host signals on the vCPU thread.
 *
 * Handlers run on an alternate stack, only mark what happened, and at most
 * rewrite where the thread continues:
 *
 *  - An interrupt (timer, events, shutdown) sets its bit in vcpu->pending. If
 *    kernel text was interrupted while it accepts interrupts, the thread
 *    continues in um_kernel_irq_entry with the interrupted address pushed
 *    onto its stack. If the host half or the C library was interrupted, the
 *    bit stays, and a retry timer makes sure that somebody looks again; the
 *    kernel half usually does so much earlier, when it next enables
 *    interrupts. In host_syscall_pending() the call is given up.
 *  - A fault is described on the stack and handed to um_kernel_fault_entry,
 *    which applies a fix-up or oopses. When the stack itself is unusable the
 *    description goes to the vCPU's emergency stack.
 *
 * Nothing here runs kernel code, sleeps or leaves by longjmp, so no signal
 * frame stays behind when tasks switch.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <host/kernel_fault.h>
#include <host/layout.h>
#include <host/process.h>
#include "internal.h"

/* Bounds of kernel code; see vmlinux.lds.S. */
extern char _stext[], _etext[], _sinittext[], _einittext[];

#define ALTSTACK_SIZE	(128 * 1024)

/* Room between the interrupted stack pointer and the description, used by
 * the way back; see um_kernel_fault_entry.
 */
#define FAULT_GAP	64

static bool in_range(unsigned long ip, const char *start, const char *end)
{
	return ip >= (unsigned long)start && ip < (unsigned long)end;
}

static bool kernel_text(unsigned long ip)
{
	return in_range(ip, _stext, _etext) || in_range(ip, _sinittext, _einittext) ||
	       (ip >= UM_MODULES_START && ip < UM_MODULES_END);
}

static bool on_vcpu(const struct vcpu *vcpu)
{
	return syscall(SYS_gettid) == vcpu->host_tid;
}

void host_vcpu_raise(struct vcpu *vcpu, int irq)
{
	int saved_errno = errno;

	__atomic_or_fetch(&vcpu->pending, 1u << irq, __ATOMIC_SEQ_CST);
	syscall(SYS_tgkill, getpid(), vcpu->host_tid, SIGIO);
	errno = saved_errno;
}

static void deliver(struct vcpu *vcpu, ucontext_t *uc)
{
	greg_t *gregs = uc->uc_mcontext.gregs;
	unsigned long ip = gregs[REG_RIP];
	unsigned long *sp;

	if (ip >= (unsigned long)host_syscall_pending_begin &&
	    ip <= (unsigned long)host_syscall_pending_insn) {
		gregs[REG_RIP] = (greg_t)host_syscall_pending_abort;
		return;
	}
	if (!vcpu->irqs_enabled)
		return;
	if (!kernel_text(ip)) {
		host_timer_nag();
		return;
	}
	vcpu->irqs_enabled = 0;
	sp = (unsigned long *)gregs[REG_RSP] - 1;
	*sp = ip;
	gregs[REG_RSP] = (greg_t)sp;
	gregs[REG_RIP] = (greg_t)um_kernel_irq_entry;
}

static void irq_handler(int sig, siginfo_t *info, void *context)
{
	struct vcpu *vcpu = &host_boot_vcpu;
	int saved_errno = errno;
	int irq = -1;

	switch (sig) {
	case SIGALRM:
		/* si_value tells the retry timer from the clock event. */
		if (info->si_code != SI_TIMER || !info->si_value.sival_int)
			irq = UM_IRQ_TIMER;
		break;
	case SIGTERM:
	case SIGINT:
	case SIGHUP:
		/* The second one does not wait for the kernel half. */
		signal(sig, SIG_DFL);
		irq = UM_IRQ_SHUTDOWN;
		break;
	case SIGWINCH:
		host_tty_winch();
		break;
	default:	/* SIGIO: host_vcpu_raise() set the bit */
		break;
	}
	if (irq >= 0)
		__atomic_or_fetch(&vcpu->pending, 1u << irq, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&vcpu->pending, __ATOMIC_SEQ_CST))
		deliver(vcpu, context);
	errno = saved_errno;
}

static void report_thread_fault(int sig, siginfo_t *info, ucontext_t *uc)
{
	char text[160];
	int len = snprintf(text, sizeof(text),
			   "linux: host thread %ld died of signal %d at %#llx, address %p\n",
			   syscall(SYS_gettid), sig, uc->uc_mcontext.gregs[REG_RIP],
			   info->si_addr);

	host_write_stderr(text, len);
}

static void fault_handler(int sig, siginfo_t *info, void *context)
{
	struct vcpu *vcpu = &host_boot_vcpu;
	ucontext_t *uc = context;
	greg_t *gregs = uc->uc_mcontext.gregs;
	struct um_kernel_fault *fault;
	unsigned long sp = gregs[REG_RSP];
	bool usable = sp > vcpu->stack_lo + FAULT_GAP + 1024 && sp <= vcpu->stack_hi;

	/* Sent by somebody, in a helper thread, or before the kernel runs. */
	if (info->si_code <= 0 || !on_vcpu(vcpu) || !vcpu->current_task) {
		report_thread_fault(sig, info, uc);
		signal(sig, SIG_DFL);
		return;
	}

	fault = (struct um_kernel_fault *)
		(((usable ? sp : vcpu->emergency_stack) - FAULT_GAP - sizeof(*fault)) & ~15UL);
	fault->error_code = gregs[REG_ERR];
	fault->addr = sig == SIGSEGV || sig == SIGBUS ? (unsigned long)gregs[REG_CR2] :
							(unsigned long)info->si_addr;
	fault->trapno = gregs[REG_TRAPNO];
	fault->signo = sig;
	fault->irqs_enabled = vcpu->irqs_enabled;
	fault->flags = gregs[REG_EFL];
	fault->ip = gregs[REG_RIP];
	fault->sp = sp;
	vcpu->irqs_enabled = 0;
	gregs[REG_RSP] = (greg_t)fault;
	gregs[REG_RIP] = (greg_t)um_kernel_fault_entry;
}

static int set_handler(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = {
		.sa_sigaction = fn,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | flags,
	};

	sigfillset(&sa.sa_mask);
	sigdelset(&sa.sa_mask, SIGSEGV);
	sigdelset(&sa.sa_mask, SIGBUS);
	return sigaction(sig, &sa, NULL);
}

static int make_stacks(struct vcpu *vcpu)
{
	int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *stacks = mmap(NULL, 2 * ALTSTACK_SIZE, prot, flags, -1, 0);
	stack_t ss = { .ss_sp = stacks, .ss_size = ALTSTACK_SIZE };

	if (stacks == MAP_FAILED || sigaltstack(&ss, NULL)) {
		host_warn("can't set up the signal stack: %s", strerror(errno));
		return -1;
	}
	vcpu->emergency_stack = (unsigned long)stacks + 2 * ALTSTACK_SIZE;
	return 0;
}

int host_signal_init(void)
{
	static const int irqs[] = { SIGALRM, SIGIO, SIGTERM, SIGINT, SIGHUP, SIGWINCH };
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	sigset_t none;
	size_t i;

	if (make_stacks(&host_boot_vcpu))
		return -1;
	for (i = 0; i < sizeof(irqs) / sizeof(*irqs); i++)
		if (set_handler(irqs[i], irq_handler, 0))
			return -1;
	for (i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (set_handler(faults[i], fault_handler, SA_NODEFER))
			return -1;
	/* Write errors are returned; a reboot inherits neither mask nor this. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}
