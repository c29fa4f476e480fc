/* SPDX-License-Identifier: GPL-2.0 */
/* What entry.S calls for interrupts and faults of kernel code. */
#ifndef __ASM_UM_KERNEL_ENTRY_H
#define __ASM_UM_KERNEL_ENTRY_H

struct pt_regs;
struct um_kernel_fault;

void um_kernel_mode_irq(struct pt_regs *regs);
void um_kernel_mode_fault(struct pt_regs *regs, struct um_kernel_fault *fault);

#endif
