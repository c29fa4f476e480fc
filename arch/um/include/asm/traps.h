/* SPDX-License-Identifier: GPL-2.0 */
/* Exceptions of guest code other than page faults. */
#ifndef __ASM_UM_TRAPS_H
#define __ASM_UM_TRAPS_H

struct pt_regs;
struct um_event;

/**
 * um_user_trap() - turn an exception of guest code into its signal
 * @regs: registers of current's user mode
 * @event: an UM_EV_TRAP event
 *
 * Task context, interrupts enabled.
 */
void um_user_trap(struct pt_regs *regs, const struct um_event *event);

#endif
