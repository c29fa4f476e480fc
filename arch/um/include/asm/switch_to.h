/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_SWITCH_TO_H
#define __ASM_UM_SWITCH_TO_H

struct task_struct;

/* entry.S: the registers a C function keeps, and the stack. */
struct task_struct *__um_switch_to(struct task_struct *prev, struct task_struct *next);

/* process.c */
struct task_struct *um_switch_to(struct task_struct *prev, struct task_struct *next);

#define switch_to(prev, next, last)	((last) = um_switch_to(prev, next))

#endif
