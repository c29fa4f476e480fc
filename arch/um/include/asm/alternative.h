/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-in for the part of x86's alternatives that its atomic operations
 * name. Interrupts are host signals on the vCPU's own thread, so one vCPU
 * needs no bus lock; words shared with other host threads use the compiler's
 * atomic built-ins in the host half.
 */
#ifndef __ASM_UM_ALTERNATIVE_H
#define __ASM_UM_ALTERNATIVE_H

#include <asm/asm.h>

#ifdef CONFIG_SMP
#define LOCK_PREFIX		"lock; "
#else
#define LOCK_PREFIX		""
#endif
#define LOCK_PREFIX_HERE	LOCK_PREFIX

#endif
