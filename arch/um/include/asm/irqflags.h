/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts are host signals; disabling them is one store. A signal that
 * finds them disabled sets a bit in vcpu.pending, and enabling replays it.
 */
#ifndef __ASM_UM_IRQFLAGS_H
#define __ASM_UM_IRQFLAGS_H

#ifndef __ASSEMBLY__

#include <linux/compiler.h>
#include <host/vcpu.h>

static __always_inline unsigned long arch_local_save_flags(void)
{
	unsigned int enabled;

	asm volatile("movl %%gs:%c1, %0" : "=r" (enabled)
		     : "i" (VCPU_IRQS_ENABLED) : "memory");
	return enabled;
}

static __always_inline void arch_local_irq_disable(void)
{
	asm volatile("movl $0, %%gs:%c0" : : "i" (VCPU_IRQS_ENABLED) : "memory");
}

static __always_inline void arch_local_irq_enable(void)
{
	unsigned int pending;

	asm volatile("movl $1, %%gs:%c1\n\tmovl %%gs:%c2, %0"
		     : "=r" (pending)
		     : "i" (VCPU_IRQS_ENABLED), "i" (VCPU_PENDING) : "memory");
	if (unlikely(pending))
		um_kernel_irq_entry();
}

static __always_inline bool arch_irqs_disabled_flags(unsigned long flags)
{
	return !flags;
}

static __always_inline unsigned long arch_local_irq_save(void)
{
	unsigned long flags = arch_local_save_flags();

	arch_local_irq_disable();
	return flags;
}

static __always_inline void arch_local_irq_restore(unsigned long flags)
{
	if (!arch_irqs_disabled_flags(flags))
		arch_local_irq_enable();
	else
		arch_local_irq_disable();
}

static __always_inline bool arch_irqs_disabled(void)
{
	return arch_irqs_disabled_flags(arch_local_save_flags());
}

#endif
#endif
