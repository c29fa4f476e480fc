/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of physical memory is guest memory.
 *
 * The kernel image has struct pages, too, but nothing of it is in the memory
 * file: an image page can't be mapped a second time and must never enter a
 * user page table.
 */
#ifndef __ASM_UM_MEMORY_H
#define __ASM_UM_MEMORY_H

#include <linux/types.h>
#include <asm/page.h>
#include <host/memory.h>

/**
 * um_memory_setup() - tell memblock about the image and guest memory
 *
 * Called once by setup_arch(), before any memblock allocation.
 */
void um_memory_setup(void);

/** paging_init() - zones, zero page; called by setup_arch() after parsing options */
void paging_init(void);

/** um_backing_init() - remember what of guest memory the host has provided; at boot */
void um_backing_init(void);

/** um_pfn_is_ram() - true if page frame @pfn is in the memory file */
static inline bool um_pfn_is_ram(unsigned long pfn)
{
	unsigned long first = __pa(host_memory.ram_start) >> PAGE_SHIFT;

	return pfn - first < host_memory.ram_size >> PAGE_SHIFT;
}

/** um_pfn_offset() - place of page frame @pfn in the memory file, in bytes */
static inline unsigned long um_pfn_offset(unsigned long pfn)
{
	return (pfn << PAGE_SHIFT) - __pa(host_memory.ram_start);
}

#endif
