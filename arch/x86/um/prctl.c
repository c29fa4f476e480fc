// SPDX-License-Identifier: GPL-2.0
/*
 * arch_prctl(): the fs and gs bases, and questions about the CPU.
 *
 * The bases are registers like others; guest code may also write them
 * directly (FSGSBASE), and the backend delivers what they are.
 */
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <asm/fpstate.h>
#include <asm/prctl.h>
#include <asm/syscalls.h>

long do_arch_prctl(struct task_struct *task, int option, unsigned long arg2)
{
	struct pt_regs *regs = task_pt_regs(task);

	switch (option) {
	case ARCH_SET_FS:
		if (arg2 >= TASK_SIZE_MAX)
			return -EPERM;
		regs->fs = 0;
		regs->fs_base = arg2;
		return 0;
	case ARCH_SET_GS:
		if (arg2 >= TASK_SIZE_MAX)
			return -EPERM;
		regs->gs = 0;
		regs->gs_base = arg2;
		return 0;
	case ARCH_GET_FS:
		return put_user(regs->fs_base, (unsigned long __user *)arg2);
	case ARCH_GET_GS:
		return put_user(regs->gs_base, (unsigned long __user *)arg2);
	default:
		return -EINVAL;
	}
}

SYSCALL_DEFINE2(arch_prctl, int, option, unsigned long, arg2)
{
	switch (option) {
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID:
		/* CPUID faulting belongs to the host. */
		return -ENODEV;
	case ARCH_GET_XCOMP_SUPP:
	case ARCH_GET_XCOMP_PERM:
		return put_user(fpstate_features(), (u64 __user *)arg2);
	case ARCH_REQ_XCOMP_PERM:
		/*
		 * The only components that need permission (AMX tiles) can't be
		 * had: the host would have to give it to the runner.
		 */
		return arg2 > ARCH_XCOMP_TILEDATA ? -EINVAL : -EOPNOTSUPP;
	default:
		return do_arch_prctl(current, option, arg2);
	}
}
