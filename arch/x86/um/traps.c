// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions of guest code become signals, as x86-64 Linux would send them.
 *
 * The host met the exception first and chose signal and si_code by the rules
 * we have to follow, down to the condition bits of a floating-point
 * exception; so these are taken over. What is ours is the bookkeeping: the
 * vector and error code in the frame, the virtual debug status, and which
 * exceptions carry an address.
 */
#include <linux/printk.h>
#include <linux/ptrace.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <asm/debugreg.h>
#include <asm/ptrace.h>
#include <asm/trapnr.h>
#include <asm/traps.h>
#include <host/usermode.h>

static const char * const trap_names[] = {
	[X86_TRAP_DE]	= "divide error",
	[X86_TRAP_DB]	= "debug",
	[X86_TRAP_BP]	= "int3",
	[X86_TRAP_OF]	= "overflow",
	[X86_TRAP_BR]	= "bounds",
	[X86_TRAP_UD]	= "invalid opcode",
	[X86_TRAP_NM]	= "device not available",
	[X86_TRAP_NP]	= "segment not present",
	[X86_TRAP_SS]	= "stack segment",
	[X86_TRAP_GP]	= "general protection fault",
	[X86_TRAP_MF]	= "x87 floating-point exception",
	[X86_TRAP_AC]	= "alignment check",
	[X86_TRAP_XF]	= "SIMD exception",
	[X86_TRAP_CP]	= "control protection",
};

static void show_trap(struct pt_regs *regs, unsigned long trapno, unsigned long error_code,
		      int signo)
{
	const char *name = NULL;

	if (!show_unhandled_signals || !unhandled_signal(current, signo))
		return;

	if (trapno < ARRAY_SIZE(trap_names))
		name = trap_names[trapno];
	pr_info_ratelimited("%s[%d] trap %s ip:%lx sp:%lx error:%lx\n", current->comm,
			    task_pid_nr(current), name ?: "unknown", regs->ip, regs->sp, error_code);
}

/* A trap flag's, a breakpoint register's or an int1's. */
static void debug_trap(struct pt_regs *regs, int code)
{
	unsigned long condition = code == TRAP_TRACE ? DR_STEP : 0;

	condition = debugreg_trapped(condition);
	if (condition & DR_STEP)
		code = TRAP_TRACE;
	else if (condition & DR_TRAP_BITS)
		code = TRAP_HWBKPT;
	force_sig_fault(SIGTRAP, code, (void __user *)regs->ip);
}

void um_user_trap(struct pt_regs *regs, const struct um_event *event)
{
	current->thread.trap_nr = event->trapno;
	current->thread.error_code = event->error_code;

	if (event->signo == SIGTRAP && event->trapno == X86_TRAP_DB) {
		debug_trap(regs, event->code);
		return;
	}
	if (event->signo != SIGTRAP)
		show_trap(regs, event->trapno, event->error_code, event->signo);

	/* Only codes that name a fault have an address: not #GP, #SS, int3. */
	if (event->code > 0 && event->code < SI_KERNEL)
		force_sig_fault(event->signo, event->code, (void __user *)event->addr);
	else
		force_sig(event->signo);
}

/**
 * user_single_step_report() - a single step ended with a system call
 * @regs: registers of current's user mode
 *
 * The trap after the call's instruction was never taken; this is its signal.
 */
void user_single_step_report(struct pt_regs *regs)
{
	current->thread.trap_nr = X86_TRAP_DB;
	current->thread.error_code = 0;
	force_sig_fault(SIGTRAP, TRAP_BRKPT, (void __user *)regs->ip);
}
