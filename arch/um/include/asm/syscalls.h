/* SPDX-License-Identifier: GPL-2.0 */
/* System calls that only x86-64 has. */
#ifndef __ASM_UM_SYSCALLS_H
#define __ASM_UM_SYSCALLS_H

#include <linux/linkage.h>

struct task_struct;

asmlinkage long sys_rt_sigreturn(void);
asmlinkage long sys_mmap(unsigned long addr, unsigned long len, unsigned long prot,
			 unsigned long flags, unsigned long fd, unsigned long off);
asmlinkage long sys_arch_prctl(int option, unsigned long arg2);

/**
 * do_arch_prctl() - the part of arch_prctl() that a tracer may ask for, too
 * @task: current, or a stopped task
 * @option: ARCH_*
 * @arg2: its argument
 *
 * Returns 0 or a negative errno, -EINVAL for an unknown option.
 */
long do_arch_prctl(struct task_struct *task, int option, unsigned long arg2);

#endif
