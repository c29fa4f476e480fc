/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hardware breakpoints and watchpoints that a tracer sets for a task.
 *
 * The truth is thread.debugreg[]; the runner of an mm holds the registers of
 * mm->context.debugreg_owner, or nobody's (NULL), or somebody's who is gone
 * or whose set changed (DEBUGREG_STALE).
 */
#ifndef __ASM_UM_DEBUGREG_H
#define __ASM_UM_DEBUGREG_H

#include "../../../x86/include/uapi/asm/debugreg.h"

struct task_struct;
struct mm_struct;

#define DEBUGREG_STALE	((struct task_struct *)-1L)

/**
 * debugreg_prepare_run() - load current's debug registers into its runner
 * @mm: current's mm, its backend mm exists and is stopped
 *
 * Nothing to do, and quick, unless debug registers are in use in this mm.
 * Task context.
 */
void debugreg_prepare_run(struct mm_struct *mm);

/**
 * debugreg_forget() - @task leaves @mm
 *
 * What it left in the runner is cleared before another task runs there.
 */
void debugreg_forget(struct task_struct *task, struct mm_struct *mm);

/**
 * debugreg_trapped() - take the debug status of a stopped runner
 *
 * Call for each SIGTRAP of current. Returns the condition bits (DR_STEP,
 * DR_TRAP_BITS) that are now in the task's virtual DR6.
 */
unsigned long debugreg_trapped(unsigned long condition);

/**
 * debugreg_get() - value of debug register @n (0-7) as a tracer reads it
 */
unsigned long debugreg_get(struct task_struct *task, int n);

/**
 * debugreg_set() - a tracer writes debug register @n (0-7) of a stopped task
 *
 * Returns 0, -EIO for a register that does not exist, -EINVAL for a value
 * the CPU would refuse or that points outside of user space, or the host's
 * error when it has no breakpoint left to give.
 */
int debugreg_set(struct task_struct *task, int n, unsigned long value);

#endif
