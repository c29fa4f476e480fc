/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The mappings of guest processes: what recording (tlb.c), applying (sync.c) and
 * those who cause both share.
 */
#ifndef __UM_MM_TLB_H
#define __UM_MM_TLB_H

#include <linux/mm_types.h>

/* Pages around a refilled one that are mapped with it; a power of two. */
#define TLB_WINDOW	(16 * PAGE_SIZE)
/* A flushed range is mapped again if this many mappings suffice. */
#define TLB_EAGER_RUNS	32

/**
 * um_tlb_record() - as um_tlb_flush(), but never at once
 *
 * For what is wrong to execute and no danger to others. Any context.
 */
void um_tlb_record(struct mm_struct *mm, unsigned long start, unsigned long end);

/**
 * um_tlb_refill() - a fault that the page tables may have an answer for
 * @mm: current's mm
 * @addr: faulting address
 * @access: UM_READ, UM_WRITE or UM_EXEC
 *
 * Returns 0 if the access is allowed and has been recorded for um_tlb_sync(),
 * -EFAULT or -ENXIO as um_walk_access() does, -ELOOP if the host seems unable
 * to map the page. Task context.
 */
int um_tlb_refill(struct mm_struct *mm, unsigned long addr, unsigned int access);

/**
 * um_tlb_apply() - tell the backend what is recorded
 * @mm: the address space
 * @with_adds: also what became accessible and changed rights, on the way to guest
 *	code; not if the caller may be in the middle of changing the tables
 *
 * Returns 0 or the backend's error; then @mm is lost.
 */
int um_tlb_apply(struct mm_struct *mm, bool with_adds);

#endif
