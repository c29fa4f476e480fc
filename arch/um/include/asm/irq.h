/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt numbers: the vCPU's own lines first (UM_IRQ_* + 1, so that 0 is
 * never used), then one number per watched host descriptor.
 */
#ifndef __ASM_UM_IRQ_H
#define __ASM_UM_IRQ_H

#include <host/vcpu.h>

#define UM_VIRQ(line)		((line) + 1)
#define UM_FIRST_EVENT_IRQ	16
#define NR_IRQS			16

struct pt_regs;

void um_do_irqs(struct pt_regs *regs);

static inline int irq_canonicalize(int irq)
{
	return irq;
}


#endif
