/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flushing of host mappings.
 *
 * For user addresses a flush records the range; um_tlb_sync() applies it before
 * the address space next runs guest code. Until then nobody can use the stale
 * mapping if the backend knows that guest code has stopped. If all it has is the
 * guest's word for it (see struct um_backend), the range is applied at once, as
 * for kernel addresses always.
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
 * Not in interrupts: it may have to wait for the host.
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
