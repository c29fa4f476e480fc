// SPDX-License-Identifier: GPL-2.0
/*
 * Why guest code stopped.
 *
 * A system call is a stop of its own kind. An exception is a signal; the
 * vector and the error code the guest kernel needs are only in a signal frame,
 * so the signal is delivered, to a handler of the stub that loads them from
 * its frame into registers and stops. The frame is written by the host kernel
 * and read before any guest code can run again. Signals that were sent by
 * other processes are dropped.
 *
 * The vsyscall page is outside of what SYSEMU sees. A seccomp filter refuses
 * its calls; they become the fetch fault that a CPU would report, and the guest
 * kernel serves them.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <signal.h>

#include "trace.h"

#define PEEK_BATCH	8

/*
 * A system call by any other instruction than syscall is answered as by a
 * kernel without 32-bit emulation. Ask the host which it was: what stands in
 * the guest's memory may have changed meanwhile.
 */
static int syscall_stop(struct um_mm *mm, unsigned long *gp, struct um_event *event)
{
	struct ptrace_syscall_info info;
	long ret;

	ret = trace_ptrace(PTRACE_GET_SYSCALL_INFO, mm->pid,
			   __builtin_offsetof(struct ptrace_syscall_info, entry) +
			   sizeof(info.entry), (unsigned long)&info);
	if (ret < 0)
		return ret == -ESRCH ? -ESRCH : trace_kill(mm);
	if (info.arch == AUDIT_ARCH_X86_64) {
		event->kind = UM_EV_SYSCALL;
		event->code = UM_BY_TRAP;
		return 1;
	}
	gp[UM_RAX] = gp[UM_ORIG_RAX];
	gp[UM_ORIG_RAX] = -1UL;
	gp[UM_RIP] -= 2;
	return event_protection_fault(event, GP_INT80);
}

/*
 * The stop was nothing: the guest goes on. Any stop ends a wish for a later
 * PTRACE_EVENT_STOP, so a kick that has not been seen yet is renewed.
 */
static int nothing(struct um_mm *mm)
{
	if (mm->kicked)
		trace_ptrace(PTRACE_INTERRUPT, mm->pid, 0, 0);
	return 0;
}

/*
 * A kick stops the stub before a signal that is pending, also before that of
 * an exception its guest has just raised. If the stub's own code ran next, the
 * exception would be taken for one of the stub's.
 */
static int exception_pending(int pid)
{
	struct ptrace_peeksiginfo_args args = { .nr = PEEK_BATCH };
	siginfo_t info[PEEK_BATCH];
	long i, n;

	do {
		n = trace_ptrace(PTRACE_PEEKSIGINFO, pid, (unsigned long)&args,
				 (unsigned long)info);
		for (i = 0; i < n; i++) {
			switch (info[i].si_signo) {
			case SIGSEGV:
			case SIGBUS:
			case SIGFPE:
			case SIGILL:
			case SIGTRAP:
			case SIGSYS:
				/* Only the host kernel makes positive codes. */
				if (info[i].si_code > 0)
					return 1;
			}
		}
		args.off += PEEK_BATCH;
	} while (n == PEEK_BATCH);
	return 0;
}

/* PTRACE_INTERRUPT, or SIGCONT and its like from outside */
static int event_stop(struct um_mm *mm, struct um_event *event)
{
	if (!mm->kicked)
		return 0;
	/* Going on leads to the exception's own stop at once. */
	if (exception_pending(mm->pid))
		return 0;
	event->kind = UM_EV_KICKED;
	return 1;
}

/* SIGSEGV, SIGBUS, SIGFPE, SIGILL: have the handler tell. */
static int exception_stop(struct um_mm *mm, int signo, unsigned long *gp,
			  struct um_event *event)
{
	unsigned long regs[UM_NR_REGS];
	int err;

	if (signo == SIGSEGV && in_vsyscall(gp[UM_RIP]))
		return event_fetch_fault(event, gp[UM_RIP], PF_PRESENT);

	/* The frame must start at the top of the stub's stack. */
	if (gp[UM_RSP] - STUB_STACK <= STUB_STACK_MAX) {
		trace_start_regs(regs, 0);
		err = trace_ptrace(PTRACE_SETREGS, mm->pid, 0, (unsigned long)regs);
		if (err)
			return -ESRCH;
	}
	trace_ptrace(PTRACE_CONT, mm->pid, 0, signo);
	err = trace_finish(mm, regs, STUB_ADDR(stub_fault_trap));
	if (err)
		return err;

	if ((int)regs[UM_R12] <= 0) {
		/* Sent by somebody. The handler moved the stub: load it again. */
		err = trace_load(mm, gp);
		return err ? -ESRCH : nothing(mm);
	}
	return event_exception(event, signo, (int)regs[UM_R12], regs[UM_R13],
			       regs[UM_R9], regs[UM_R8], regs[UM_R10]);
}

/*
 * The filter refused a call of the vsyscall page; the host then returned to
 * the caller, which is undone.
 */
static int sigsys_stop(struct um_mm *mm, const siginfo_t *info, unsigned long *gp,
		       struct um_event *event)
{
	unsigned long ip = (unsigned long)info->si_call_addr;

	if (!in_vsyscall(ip))
		return trace_kill(mm);
	gp[UM_RIP] = ip;
	gp[UM_RSP] -= 8;
	gp[UM_ORIG_RAX] = -1UL;
	return event_fetch_fault(event, ip, PF_PRESENT);
}

int event_decode(struct um_mm *mm, int stop, unsigned long *gp, struct um_event *event)
{
	siginfo_t info;

	if (trace_ptrace(PTRACE_GETREGS, mm->pid, 0, (unsigned long)gp))
		return -ESRCH;
	if (stop == (SIGTRAP | 0x80))
		return syscall_stop(mm, gp, event);
	if (stop >> 8) {
		if (stop >> 8 != PTRACE_EVENT_STOP)
			return trace_kill(mm);
		return event_stop(mm, event);
	}
	switch (stop) {
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
		return exception_stop(mm, stop, gp, event);
	case SIGTRAP:
	case SIGSYS:
		if (trace_ptrace(PTRACE_GETSIGINFO, mm->pid, 0, (unsigned long)&info))
			return -ESRCH;
		if (info.si_code <= 0)
			return nothing(mm);
		if (stop == SIGTRAP)
			return event_sigtrap(event, info.si_code, (unsigned long)info.si_addr);
		return sigsys_stop(mm, &info, gp, event);
	}
	return nothing(mm);
}
