/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tearing down mappings. Removing a table changes nothing on the host, so
 * only the pages it mapped need a flush.
 */
#ifndef __ASM_UM_TLB_H
#define __ASM_UM_TLB_H

#include <linux/mm.h>

static inline void __tlb_remove_table(void *table)
{
	pagetable_free(table);
}

#define tlb_needs_table_invalidate()	(false)

struct mmu_gather;
static void tlb_flush(struct mmu_gather *tlb);
#define tlb_flush tlb_flush

/* Changed rights were recorded page by page: ptep_modify_prot_commit(). */
static inline bool pte_needs_flush(pte_t old, pte_t new)
{
	return false;
}

#define pte_needs_flush pte_needs_flush

#include <asm-generic/tlb.h>

static inline void tlb_flush(struct mmu_gather *tlb)
{
	if (tlb->fullmm || tlb->need_flush_all)
		flush_tlb_mm(tlb->mm);
	else if (tlb->end)
		um_tlb_flush(tlb->mm, tlb->start, tlb->end);
}

#endif
