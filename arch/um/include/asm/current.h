/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The running task, through the vCPU's gs base. The read is not volatile: for
 * one task it never changes, whichever vCPU it runs on.
 */
#ifndef __ASM_UM_CURRENT_H
#define __ASM_UM_CURRENT_H

#include <linux/compiler.h>
#include <host/vcpu.h>

struct task_struct;

static __always_inline struct task_struct *get_current(void)
{
	struct task_struct *task;

	asm("movq %%gs:%c1, %0" : "=r" (task) : "i" (VCPU_CURRENT));
	return task;
}

#define current get_current()

/** this_vcpu() - the vCPU the caller runs on; stable only with preemption off */
static __always_inline struct vcpu *this_vcpu(void)
{
	struct vcpu *vcpu;

	asm volatile("movq %%gs:%c1, %0" : "=r" (vcpu) : "i" (VCPU_SELF));
	return vcpu;
}

register unsigned long current_stack_pointer asm("rsp");

#endif
