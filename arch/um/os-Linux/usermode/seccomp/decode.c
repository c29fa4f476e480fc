// SPDX-License-Identifier: GPL-2.0
/*
 * Why the runner stopped, from what it published.
 *
 * A seccomp trap is a system call; other signals with a positive code are
 * exceptions; the rest was sent, by us (the kick) or by somebody whom nobody
 * asked. An exception in the stub's own code is the guest's doing, who jumped
 * there or spoilt its data: the process dies of it.
 */
#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <string.h>

#include "../common.h"
#include "seccomp.h"

#define NR_URETPROBE	335

static int in_stub(unsigned long ip)
{
	return ip >= SC_CODE && ip < SC_CODE + UM_PAGE_SIZE;
}

static int system_call(unsigned long *gp, struct um_event *event, unsigned long nr,
		       int by)
{
	gp[UM_ORIG_RAX] = nr;
	gp[UM_RAX] = -ENOSYS;
	event->kind = UM_EV_SYSCALL;
	event->code = by;
	return 1;
}

static int decode_sigsys(const struct sc_frame *frame, unsigned long *gp,
			 struct um_event *event)
{
	if (in_vsyscall(frame->addr)) {
		/* The host returned to the caller, which is undone. */
		gp[UM_RIP] = frame->addr;
		gp[UM_RSP] -= 8;
		return event_fetch_fault(event, frame->addr, PF_PRESENT);
	}
	if (frame->arch != AUDIT_ARCH_X86_64) {
		/* As by a kernel without 32-bit emulation. */
		gp[UM_RIP] -= 2;
		return event_protection_fault(event, GP_INT80);
	}
	/* The host took a number like -ERESTARTSYS for a result of its own. */
	if (gp[UM_RIP] != frame->addr || (int)gp[UM_RAX] != frame->call_nr)
		gp[UM_RAX] = frame->call_nr;
	gp[UM_RIP] = frame->addr;
	return system_call(gp, event, gp[UM_RAX], UM_BY_TRAP);
}

static int decode_signal(struct um_mm *mm, unsigned long *gp, struct um_event *event)
{
	struct sc_frame frame;

	if (shared_frame(mm, gp, &frame))
		return -EFAULT;
	mm->fp_addr = frame.fpstate;
	memcpy(mm->seg, &gp[UM_FS_BASE], sizeof(mm->seg));
	/* The trap flag was ours. */
	if (mm->stepping)
		gp[UM_EFLAGS] &= ~EFLAGS_TF;

	/* A kick or the trap flag; nobody else has a reason to be there. */
	if (gp[UM_RIP] - SC_PATCH < SC_PATCH_SIZE &&
	    ((frame.code > 0 && frame.signo != SIGTRAP) || patch_leave(mm, gp)))
		return -EFAULT;
	if (frame.code <= 0) {
		if (!mm->kicked)
			return 0;
		event->kind = UM_EV_KICKED;
		return 1;
	}
	if (in_stub(gp[UM_RIP]))
		return -EFAULT;
	switch (frame.signo) {
	case SIGSYS:
		return decode_sigsys(&frame, gp, event);
	case SIGTRAP:
		return event_sigtrap(event, frame.code, frame.addr);
	case SIGSEGV:
		if (in_vsyscall(gp[UM_RIP]))
			return event_fetch_fault(event, gp[UM_RIP], PF_PRESENT);
		break;
	case SIGILL:
		/* The one number that hosts serve before they ask filters. */
		if (frame.code == SI_KERNEL)
			return system_call(gp, event, NR_URETPROBE, UM_BY_TRAP);
		break;
	case SIGBUS:
	case SIGFPE:
		break;
	default:
		return -EFAULT;
	}
	return event_exception(event, frame.signo, frame.code, frame.addr,
	       frame.trapno, frame.error_code, frame.cr2);
}

/**
 * sc_decode() - what a stop means
 * @mm: whose
 * @gp: the registers it was given; receives what they are now
 * @event: receives the reason
 *
 * Returns 1 if @event is for the kernel half, 0 if it was nothing (the guest
 * is to continue with @gp), -EFAULT if the guest spoilt its stub.
 */
int sc_decode(struct um_mm *mm, unsigned long *gp, struct um_event *event)
{
	switch (__atomic_load_n(&sc_state(mm)->kind, __ATOMIC_RELAXED)) {
	case KIND_SIGNAL:
		host_costs.traps++;
		return decode_signal(mm, gp, event);
	case KIND_SYSCALL:
		host_costs.entries++;
		mm->fp_addr = 0;
		shared_syscall(mm, gp);
		memcpy(mm->seg, &gp[UM_FS_BASE], sizeof(mm->seg));
		return system_call(gp, event, gp[UM_RAX], UM_BY_PATCH);
	case KIND_AGAIN:
		mm->fp_addr = mm->fp_given ? mm->fp_given : shared_again(mm);
		if (!mm->fp_addr)
			return -EFAULT;
		/* How far did it come? Load them again. */
		memset(mm->seg, 0xff, sizeof(mm->seg));
		if (!mm->kicked)
			return 0;
		event->kind = UM_EV_KICKED;
		return 1;
	}
	return -EFAULT;
}
