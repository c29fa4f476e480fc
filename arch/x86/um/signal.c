// SPDX-License-Identifier: GPL-2.0
/*
 * Delivering signals to guest programs: system call restarts, single steps
 * and the call of a handler. The frame itself is sigframe.c's.
 */
#include <linux/entry-common.h>
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/thread_info.h>
#include <asm/fpstate.h>
#include <asm/processor-flags.h>
#include <asm/syscall.h>
#include "signal.h"

#define SYSCALL_INSN_SIZE	2

/*
 * What becomes of a system call that a signal interrupted: it fails with
 * EINTR, or guest code executes its instruction once more. @handled is the
 * signal whose handler is about to run, NULL if there was none to call.
 */
static void settle_interrupted_call(struct pt_regs *regs, const struct ksignal *handled)
{
	unsigned long nr = regs->orig_ax;
	bool restart;

	if (syscall_get_nr(current, regs) == -1)
		return;

	switch (-syscall_get_error(current, regs)) {
	case ERESTARTNOINTR:
		restart = true;
		break;
	case ERESTARTSYS:
		restart = !handled || handled->ka.sa.sa_flags & SA_RESTART;
		break;
	case ERESTARTNOHAND:
		restart = !handled;
		break;
	case ERESTART_RESTARTBLOCK:
		restart = !handled;
		nr = __NR_restart_syscall;
		break;
	default:
		return;
	}

	if (restart) {
		regs->ax = nr;
		regs->ip -= SYSCALL_INSN_SIZE;
	} else {
		regs->ax = -EINTR;
	}
}

static void handle_signal(struct ksignal *ksig, struct pt_regs *regs)
{
	bool stepping, failed;

	settle_interrupted_call(regs, ksig);
	rseq_signal_deliver(ksig, regs);

	/*
	 * A tracer that single-steps is told before the handler's first
	 * instruction, and decides whether to step through it.
	 */
	stepping = test_thread_flag(TIF_SINGLESTEP);
	if (stepping)
		user_disable_single_step(current);

	failed = setup_rt_frame(ksig, regs) < 0;
	if (!failed) {
		/* As at any function's entry; no trap flag in the handler. */
		regs->flags &= ~(X86_EFLAGS_DF | X86_EFLAGS_RF | X86_EFLAGS_TF);
		fpstate_reset(current);
	}
	signal_setup_done(failed, ksig, stepping);
}

/**
 * arch_do_signal_or_restart() - deliver a pending signal of current
 * @regs: its user-mode registers
 *
 * Called by the generic entry code on the way to user mode, interrupts
 * enabled.
 */
void arch_do_signal_or_restart(struct pt_regs *regs)
{
	struct ksignal ksig;

	if (get_signal(&ksig)) {
		handle_signal(&ksig, regs);
		return;
	}

	settle_interrupted_call(regs, NULL);
	restore_saved_sigmask();
}
