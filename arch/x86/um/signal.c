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

/* Guest code will execute its system call instruction once more. */
static void restart_syscall_as(struct pt_regs *regs, unsigned long nr)
{
	regs->ax = nr;
	regs->ip -= SYSCALL_INSN_SIZE;
}

/* An interrupted call, and a handler will run before it could go on. */
static void restart_after_handler(struct ksignal *ksig, struct pt_regs *regs)
{
	if (syscall_get_nr(current, regs) == -1)
		return;

	switch (syscall_get_error(current, regs)) {
	case -ERESTART_RESTARTBLOCK:
	case -ERESTARTNOHAND:
		regs->ax = -EINTR;
		break;
	case -ERESTARTSYS:
		if (!(ksig->ka.sa.sa_flags & SA_RESTART)) {
			regs->ax = -EINTR;
			break;
		}
		fallthrough;
	case -ERESTARTNOINTR:
		restart_syscall_as(regs, regs->orig_ax);
		break;
	}
}

/* An interrupted call, and nobody handled the signal. */
static void restart_without_handler(struct pt_regs *regs)
{
	if (syscall_get_nr(current, regs) == -1)
		return;

	switch (syscall_get_error(current, regs)) {
	case -ERESTARTNOHAND:
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
		restart_syscall_as(regs, regs->orig_ax);
		break;
	case -ERESTART_RESTARTBLOCK:
		restart_syscall_as(regs, __NR_restart_syscall);
		break;
	}
}

static void handle_signal(struct ksignal *ksig, struct pt_regs *regs)
{
	bool stepping, failed;

	restart_after_handler(ksig, regs);
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

	restart_without_handler(regs);
	restore_saved_sigmask();
}
