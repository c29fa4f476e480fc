/* SPDX-License-Identifier: GPL-2.0 */
/* Pieces of the way into and out of guest code; see kernel/usermode.c. */
#ifndef __ASM_UM_USERMODE_H
#define __ASM_UM_USERMODE_H

#include <linux/compiler_attributes.h>

struct pt_regs;
struct task_struct;
struct mm_struct;
struct um_event;

void um_prepare_run(void);
void __noreturn um_user_loop(struct pt_regs *regs);
void __noreturn um_new_task(struct task_struct *prev);

/* arch/x86/um/ptrace.c: load current's debug registers into the runner. */
void debugreg_prepare_run(struct mm_struct *mm);

#endif
