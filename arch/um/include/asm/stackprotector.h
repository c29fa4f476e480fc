/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The canary is the C library's, at %fs:0x28: one value for the whole process,
 * set before the kernel half starts, so nothing is to be done per task.
 */
#ifndef __ASM_UM_STACKPROTECTOR_H
#define __ASM_UM_STACKPROTECTOR_H

static __always_inline void boot_init_stack_canary(void)
{
}

#endif
