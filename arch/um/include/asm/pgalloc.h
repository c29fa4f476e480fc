/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocating and freeing page tables. Tables are freed after an RCU grace
 * period (MMU_GATHER_RCU_TABLE_FREE), because mm/walk.c reads them without
 * locks.
 */
#ifndef __ASM_UM_PGALLOC_H
#define __ASM_UM_PGALLOC_H

#include <linux/mm.h>
#include <asm/tlb.h>
#include <asm-generic/pgalloc.h>

static inline void pmd_populate_kernel(struct mm_struct *mm, pmd_t *pmd, pte_t *pte)
{
	set_pmd(pmd, __pmd(__pa(pte) | _PAGE_TABLE));
}

static inline void pmd_populate(struct mm_struct *mm, pmd_t *pmd, pgtable_t pte)
{
	set_pmd(pmd, __pmd(page_to_phys(pte) | _PAGE_TABLE));
}

static inline void pud_populate(struct mm_struct *mm, pud_t *pud, pmd_t *pmd)
{
	set_pud(pud, __pud(__pa(pmd) | _PAGE_TABLE));
}

static inline void p4d_populate(struct mm_struct *mm, p4d_t *p4d, pud_t *pud)
{
	set_p4d(p4d, __p4d(__pa(pud) | _PAGE_TABLE));
}

/* User and kernel tables share nothing, so a new pgd is simply empty. */
static inline pgd_t *pgd_alloc(struct mm_struct *mm)
{
	struct ptdesc *ptdesc = pagetable_alloc(GFP_PGTABLE_USER, 0);

	return ptdesc ? ptdesc_address(ptdesc) : NULL;
}

static inline void __pte_free_tlb(struct mmu_gather *tlb, pgtable_t pte, unsigned long addr)
{
	pagetable_pte_dtor(page_ptdesc(pte));
	tlb_remove_table(tlb, page_ptdesc(pte));
}

static inline void __pmd_free_tlb(struct mmu_gather *tlb, pmd_t *pmd, unsigned long addr)
{
	pagetable_pmd_dtor(virt_to_ptdesc(pmd));
	tlb_remove_table(tlb, virt_to_ptdesc(pmd));
}

static inline void __pud_free_tlb(struct mmu_gather *tlb, pud_t *pud, unsigned long addr)
{
	pagetable_pud_dtor(virt_to_ptdesc(pud));
	tlb_remove_table(tlb, virt_to_ptdesc(pud));
}

#endif
