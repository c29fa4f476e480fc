/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __UM_PTRACE_H
#define __UM_PTRACE_H

struct task_struct;

enum um_regset {
	REGSET_GENERAL,
	REGSET_FP,
	REGSET_XSTATE,
};

/**
 * getreg() - a general register as a tracer sees it
 * @task: a stopped task
 * @offset: in struct user_regs_struct, a multiple of 8
 */
unsigned long getreg(struct task_struct *task, unsigned long offset);

/**
 * putreg() - a tracer changes a general register
 * @task: a stopped task
 * @offset: in struct user_regs_struct, a multiple of 8
 * @value: its new value
 *
 * Returns -EIO for a value that a user program can't have.
 */
int putreg(struct task_struct *task, unsigned long offset, unsigned long value);

#endif
