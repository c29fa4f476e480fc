/* SPDX-License-Identifier: GPL-2.0 */
/* Entering and leaving guest code; the order of calls is in kernel/entry.c. */
#ifndef __ASM_UM_FAULT_H
#define __ASM_UM_FAULT_H

struct pt_regs;
struct um_event;
struct mm_struct;

/**
 * um_user_fault() - serve a page fault of guest code
 * @regs: its registers
 * @event: the backend's report: address and x86 error code, or SIGBUS
 *
 * Interrupts enabled, task context. Delivers a signal if it can't be served.
 */
void um_user_fault(struct pt_regs *regs, const struct um_event *event);

/**
 * um_tlb_sync() - bring the host mappings of an mm up to date
 * @mm: current's mm, about to run
 *
 * Creates the backend mm when it does not exist yet. Task context; interrupts
 * may be off. Between its return and guest code nothing may change page
 * tables, or it has to be called again. Returns 0, or a negative errno when the
 * host can't hold the address space.
 */
int um_tlb_sync(struct mm_struct *mm);

/** um_tlb_pending() - true if um_tlb_sync() has something to do */
bool um_tlb_pending(struct mm_struct *mm);

#endif
