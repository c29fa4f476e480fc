/* SPDX-License-Identifier: GPL-2.0 */
#ifndef __ASM_UM_ENTRY_COMMON_H
#define __ASM_UM_ENTRY_COMMON_H

#include <asm/processor.h>
#include <asm/ptrace.h>
#include <asm/usermode.h>

static __always_inline void arch_exit_to_user_mode_prepare(struct pt_regs *regs,
							   unsigned long ti_work)
{
	um_prepare_run();
}

#define arch_exit_to_user_mode_prepare arch_exit_to_user_mode_prepare

static __always_inline bool on_thread_stack(void)
{
	return true;
}

#endif
