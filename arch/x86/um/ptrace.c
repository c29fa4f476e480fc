// SPDX-License-Identifier: GPL-2.0
/*
 * ptrace() requests that only x86-64 has, and single-stepping.
 *
 * A single step is a flag of the task that the run loop hands to the backend
 * (UM_RUN_STEP). The trap flag in the task's own flags register is never
 * touched for it, so there is nothing to hide from the tracer or the tracee.
 */
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched.h>
#include <linux/thread_info.h>
#include <linux/uaccess.h>
#include <linux/user.h>
#include <asm/debugreg.h>
#include <asm/syscalls.h>
#include "ptrace.h"

/**
 * user_enable_single_step() - stop a task after its next instruction
 * @task: a stopped tracee
 *
 * If that is a system call, its end counts as the stop.
 */
void user_enable_single_step(struct task_struct *task)
{
	set_tsk_thread_flag(task, TIF_SINGLESTEP);
	set_task_syscall_work(task, SYSCALL_EXIT_TRAP);
}

/**
 * user_disable_single_step() - let a task run on
 * @task: a stopped tracee, or current
 */
void user_disable_single_step(struct task_struct *task)
{
	clear_tsk_thread_flag(task, TIF_SINGLESTEP);
	clear_task_syscall_work(task, SYSCALL_EXIT_TRAP);
}

/**
 * ptrace_disable() - the tracer detaches
 * @task: its tracee
 */
void ptrace_disable(struct task_struct *task)
{
	user_disable_single_step(task);
}

static bool is_debugreg(unsigned long addr)
{
	return addr >= offsetof(struct user, u_debugreg[0]) &&
	       addr <= offsetof(struct user, u_debugreg[7]);
}

static int debugreg_number(unsigned long addr)
{
	return (addr - offsetof(struct user, u_debugreg[0])) / sizeof(long);
}

static bool valid_user_offset(unsigned long addr)
{
	return IS_ALIGNED(addr, sizeof(long)) && addr < sizeof(struct user);
}

static int peek_user(struct task_struct *child, unsigned long addr, unsigned long __user *data)
{
	unsigned long value = 0;

	if (!valid_user_offset(addr))
		return -EIO;

	if (addr < sizeof(struct user_regs_struct))
		value = getreg(child, addr);
	else if (is_debugreg(addr))
		value = debugreg_get(child, debugreg_number(addr));
	return put_user(value, data);
}

static int poke_user(struct task_struct *child, unsigned long addr, unsigned long value)
{
	if (!valid_user_offset(addr))
		return -EIO;

	if (addr < sizeof(struct user_regs_struct))
		return putreg(child, addr, value);
	if (is_debugreg(addr))
		return debugreg_set(child, debugreg_number(addr), value);
	return -EIO;
}

/**
 * arch_ptrace() - serve a request for a stopped task
 * @child: the tracee
 * @request: PTRACE_*
 * @addr: depends on the request
 * @data: depends on the request
 *
 * Task context of the tracer. Returns 0 or a negative errno.
 */
long arch_ptrace(struct task_struct *child, long request, unsigned long addr, unsigned long data)
{
	const struct user_regset_view *view = task_user_regset_view(child);
	void __user *datap = (void __user *)data;

	switch (request) {
	case PTRACE_PEEKUSR:
		return peek_user(child, addr, datap);
	case PTRACE_POKEUSR:
		return poke_user(child, addr, data);
	case PTRACE_GETREGS:
		return copy_regset_to_user(child, view, REGSET_GENERAL, 0,
					   sizeof(struct user_regs_struct), datap);
	case PTRACE_SETREGS:
		return copy_regset_from_user(child, view, REGSET_GENERAL, 0,
					     sizeof(struct user_regs_struct), datap);
	case PTRACE_GETFPREGS:
		return copy_regset_to_user(child, view, REGSET_FP, 0,
					   sizeof(struct user_i387_struct), datap);
	case PTRACE_SETFPREGS:
		return copy_regset_from_user(child, view, REGSET_FP, 0,
					     sizeof(struct user_i387_struct), datap);
	case PTRACE_ARCH_PRCTL:
		/* arch_prctl() with its arguments swapped. */
		return do_arch_prctl(child, data, addr);
	case PTRACE_GET_THREAD_AREA:
	case PTRACE_SET_THREAD_AREA:
		/* Segments of 32-bit programs. */
		return -EIO;
	default:
		return ptrace_request(child, request, addr, data);
	}
}
