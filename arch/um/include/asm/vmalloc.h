/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A mapping of the vmalloc area costs the kernel process one of its host
 * mappings for each physically contiguous piece, and the host grants 65530. So
 * what may be contiguous is made of pieces as large as divide its size, up to
 * 64 KiB: a kernel stack is one. Page table entries stay those of single pages.
 */
#ifndef __ASM_UM_VMALLOC_H
#define __ASM_UM_VMALLOC_H

#include <linux/bitops.h>
#include <linux/minmax.h>

#define UM_VMAP_SHIFT_MAX	16

#define arch_vmap_pte_supported_shift arch_vmap_pte_supported_shift
static inline int arch_vmap_pte_supported_shift(unsigned long size)
{
	return min_t(int, __ffs(size), UM_VMAP_SHIFT_MAX);
}

#endif
