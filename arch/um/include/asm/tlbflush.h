/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flushing of host mappings.
 *
 * For user addresses a flush only records the range; um_tlb_sync() applies it
 * before the address space next runs guest code. Until then nobody can use the
 * stale mapping: its only users are runners, and the one vCPU that could
 * drive them is executing the flush. For kernel addresses the host mapping is
 * changed at once.
 */
#ifndef __ASM_UM_TLBFLUSH_H
#define __ASM_UM_TLBFLUSH_H

#include <linux/mm_types.h>
#include <asm/page.h>

/**
 * um_tlb_flush() - host mappings of a range may be stale
 * @mm: the address space
 * @start: first byte
 * @end: one past the last
 *
 * Any context.
 */
void um_tlb_flush(struct mm_struct *mm, unsigned long start, unsigned long end);

void flush_tlb_mm(struct mm_struct *mm);
void flush_tlb_kernel_range(unsigned long start, unsigned long end);
void flush_tlb_all(void);

static inline void flush_tlb_range(struct vm_area_struct *vma,
				   unsigned long start, unsigned long end)
{
	um_tlb_flush(vma->vm_mm, start, end);
}

static inline void flush_tlb_page(struct vm_area_struct *vma, unsigned long addr)
{
	addr &= PAGE_MASK;
	um_tlb_flush(vma->vm_mm, addr, addr + PAGE_SIZE);
}

#endif
