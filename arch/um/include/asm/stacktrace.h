/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_STACKTRACE_H
#define __ASM_UM_STACKTRACE_H

struct task_struct;
struct pt_regs;

/* What a function prologue leaves behind with frame pointers. */
struct stack_frame {
	struct stack_frame *next;
	unsigned long return_address;
};

void um_show_stack(struct task_struct *task, struct pt_regs *regs, const char *loglvl);

#endif
