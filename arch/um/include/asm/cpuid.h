/* SPDX-License-Identifier: GPL-2.0 */
/* The CPUID instruction works in a process as it does in a kernel. */
#ifndef __ASM_UM_CPUID_H
#define __ASM_UM_CPUID_H

#include <linux/types.h>

/**
 * struct cpuid_regs - what CPUID returns
 * @a: eax
 * @b: ebx
 * @c: ecx
 * @d: edx
 */
struct cpuid_regs {
	u32 a, b, c, d;
};

/**
 * cpuid_read() - execute CPUID
 * @leaf: eax
 * @subleaf: ecx
 *
 * Says nothing about whether the CPU has that leaf. Any context.
 */
static inline struct cpuid_regs cpuid_read(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	asm volatile("cpuid"
		     : "=a" (r.a), "=b" (r.b), "=c" (r.c), "=d" (r.d)
		     : "0" (leaf), "2" (subleaf));
	return r;
}

#endif
