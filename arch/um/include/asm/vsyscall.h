/* SPDX-License-Identifier: GPL-2.0 */
/* The legacy vsyscall page, served without being mapped. */
#ifndef __ASM_UM_VSYSCALL_H
#define __ASM_UM_VSYSCALL_H

#include "../../../x86/include/uapi/asm/vsyscall.h"

struct pt_regs;

/**
 * um_vsyscall() - serve a call into the vsyscall page
 * @regs: registers of the guest; regs->ip is the address it jumped to
 *
 * For instruction fetches from that page only. Task context, interrupts
 * enabled. Returns true when it was served (or a signal was sent instead),
 * false when it is an ordinary bad address.
 */
bool um_vsyscall(struct pt_regs *regs);

#endif
