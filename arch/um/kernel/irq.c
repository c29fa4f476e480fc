// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts.
 *
 * Host signals and host threads set bits in vcpu->pending; um_do_irqs() takes
 * them and runs the generic handlers. It is reached in three ways: from the
 * entry that a signal handler redirected kernel code to, from the replay when
 * interrupts are enabled (both um_kernel_mode_irq()), and beside running
 * guest code (kernel/usermode.c).
 *
 * Nothing has to be acknowledged or masked on the host: a line that is
 * disabled is replayed by the generic code.
 */
#include <linux/entry-common.h>
#include <linux/export.h>
#include <linux/hardirq.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/numa.h>
#include <linux/seq_file.h>
#include <asm/irq_regs.h>
#include <asm/irq.h>
#include <asm/kernel_entry.h>
#include <host/event.h>
#include <host/process.h>
#include <host/vcpu.h>

static void serve_events(void)
{
	unsigned long irq;

	while (host_event_next(&irq))
		generic_handle_irq(irq);
}

/**
 * um_do_irqs() - serve everything that is pending
 * @regs: what was interrupted
 *
 * Interrupts off; the caller has told the generic entry code.
 */
void um_do_irqs(struct pt_regs *regs)
{
	struct vcpu *vcpu = this_vcpu();
	struct pt_regs *old_regs;
	unsigned int pending;

	irq_enter_rcu();
	old_regs = set_irq_regs(regs);
	/* Host threads set bits at any time: take them atomically. */
	while ((pending = __atomic_exchange_n(&vcpu->pending, 0, __ATOMIC_SEQ_CST))) {
		if (pending & BIT(UM_IRQ_TIMER))
			generic_handle_irq(UM_VIRQ(UM_IRQ_TIMER));
		if (pending & BIT(UM_IRQ_EVENT))
			serve_events();
		if (pending & BIT(UM_IRQ_SHUTDOWN))
			generic_handle_irq(UM_VIRQ(UM_IRQ_SHUTDOWN));
	}
	set_irq_regs(old_regs);
	irq_exit_rcu();
}

/**
 * um_kernel_mode_irq() - interrupt of kernel code, called from entry.S
 * @regs: the interrupted registers
 */
noinstr void um_kernel_mode_irq(struct pt_regs *regs)
{
	irqentry_state_t state = irqentry_enter(regs);

	instrumentation_begin();
	um_do_irqs(regs);
	instrumentation_end();
	irqentry_exit(regs, state);
}

/* Called wherever interrupts are enabled, in modules too. */
EXPORT_SYMBOL(um_kernel_irq_entry);

/*
 * SIGTERM, SIGINT or SIGHUP of the host. The first asks for an end in order;
 * it is not a power button, so guest programs are not consulted.
 */
static irqreturn_t shutdown_irq(int irq, void *dev)
{
	pr_emerg("Terminated by a signal of the host\n");
	host_exit(1);
	return IRQ_HANDLED;
}

static void __init setup_line(unsigned int irq)
{
	if (irq_alloc_desc_at(irq, NUMA_NO_NODE) < 0)
		panic("Can't allocate interrupt %u", irq);
	irq_set_chip_and_handler(irq, &dummy_irq_chip, handle_simple_irq);
	irq_set_status_flags(irq, IRQ_NOPROBE);
}

void __init init_IRQ(void)
{
	unsigned int line;

	for (line = 0; line < UM_IRQ_COUNT; line++)
		setup_line(UM_VIRQ(line));
	if (request_irq(UM_VIRQ(UM_IRQ_SHUTDOWN), shutdown_irq, 0, "shutdown", NULL))
		panic("Can't request the shutdown interrupt");
}

int arch_show_interrupts(struct seq_file *p, int prec)
{
	return 0;
}
