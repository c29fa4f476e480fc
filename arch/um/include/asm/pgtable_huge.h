/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Huge pages: entries of the middle level that are leaves. They have the bits
 * of an entry of the last level, and HUGE. The generic code makes one invalid
 * for a moment while it takes it apart: then PRESENT is clear, and HUGE still
 * tells what it is.
 */
#ifndef __ASM_UM_PGTABLE_HUGE_H
#define __ASM_UM_PGTABLE_HUGE_H

#define HPAGE_SHIFT	PMD_SHIFT
#define HPAGE_SIZE	PMD_SIZE
#define HPAGE_MASK	PMD_MASK

#ifdef CONFIG_TRANSPARENT_HUGEPAGE

static inline pte_t pmd_pte(pmd_t pmd)
{
	return __pte(pmd_val(pmd));
}

static inline pmd_t pte_pmd(pte_t pte)
{
	return __pmd(pte_val(pte));
}

static inline int pmd_trans_huge(pmd_t pmd)
{
	return pmd_leaf(pmd);
}

static inline pmd_t pmd_mkhuge(pmd_t pmd)
{
	return __pmd(pmd_val(pmd) | _PAGE_HUGE);
}

static inline pmd_t pmd_mkinvalid(pmd_t pmd)
{
	return __pmd(pmd_val(pmd) & ~_PAGE_PRESENT);
}

static inline pmd_t pfn_pmd(unsigned long pfn, pgprot_t prot)
{
	return pte_pmd(pfn_pte(pfn, prot));
}

#define mk_pmd(page, prot)	pfn_pmd(page_to_pfn(page), prot)

static inline pmd_t pmd_modify(pmd_t pmd, pgprot_t prot)
{
	return __pmd((pmd_val(pmd) & (_PAGE_CHG_MASK | _PAGE_HUGE)) |
		     (pgprot_val(prot) & ~_PAGE_CHG_MASK));
}

#define pmd_pgprot(pmd)		pte_pgprot(pmd_pte(pmd))
#define pmd_write(pmd)		pte_write(pmd_pte(pmd))
#define pmd_dirty(pmd)		pte_dirty(pmd_pte(pmd))
#define pmd_young(pmd)		pte_young(pmd_pte(pmd))
#define pmd_access_permitted(pmd, write) \
	pte_access_permitted(pmd_pte(pmd), write)

#define pmd_wrprotect(pmd)	pte_pmd(pte_wrprotect(pmd_pte(pmd)))
#define pmd_mkwrite_novma(pmd)	pte_pmd(pte_mkwrite_novma(pmd_pte(pmd)))
#define pmd_mkclean(pmd)	pte_pmd(pte_mkclean(pmd_pte(pmd)))
#define pmd_mkdirty(pmd)	pte_pmd(pte_mkdirty(pmd_pte(pmd)))
#define pmd_mkold(pmd)		pte_pmd(pte_mkold(pmd_pte(pmd)))
#define pmd_mkyoung(pmd)	pte_pmd(pte_mkyoung(pmd_pte(pmd)))

#define pmdp_establish		generic_pmdp_establish

static inline void set_pmd_at(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp, pmd_t pmd)
{
	set_pmd(pmdp, pmd);
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
#define __HAVE_ARCH_PMDP_SET_WRPROTECT
static inline void pmdp_set_wrprotect(struct mm_struct *mm, unsigned long addr, pmd_t *pmdp)
{
	set_pmd(pmdp, pmd_wrprotect(*pmdp));
	um_tlb_protect(mm, addr & PMD_MASK, PTRS_PER_PTE);
}
#endif

/* As for single pages: neither needs a flush. */
#define __HAVE_ARCH_PMDP_SET_ACCESS_FLAGS
static inline int pmdp_set_access_flags(struct vm_area_struct *vma, unsigned long addr,
					pmd_t *pmdp, pmd_t entry, int dirty)
{
	int changed = pmd_val(*pmdp) != pmd_val(entry);

	if (changed)
		set_pmd(pmdp, entry);
	return changed;
}

#define __HAVE_ARCH_PMDP_CLEAR_YOUNG_FLUSH
static inline int pmdp_clear_flush_young(struct vm_area_struct *vma, unsigned long addr,
					 pmd_t *pmdp)
{
	pmd_t pmd = READ_ONCE(*pmdp);

	if (!pmd_young(pmd))
		return 0;
	set_pmd(pmdp, pmd_mkold(pmd));
	return 1;
}

static inline void update_mmu_cache_pmd(struct vm_area_struct *vma, unsigned long addr,
					pmd_t *pmdp)
{
	um_tlb_add(vma->vm_mm, addr & PMD_MASK, PTRS_PER_PTE);
}

#endif /* CONFIG_TRANSPARENT_HUGEPAGE */

#ifdef CONFIG_HAVE_ARCH_SOFT_DIRTY
static inline int pmd_soft_dirty(pmd_t pmd)
{
	return !!(pmd_val(pmd) & _PAGE_SOFT_DIRTY);
}

static inline pmd_t pmd_mksoft_dirty(pmd_t pmd)
{
	return __pmd(pmd_val(pmd) | _PAGE_SOFT_DIRTY);
}

static inline pmd_t pmd_clear_soft_dirty(pmd_t pmd)
{
	return __pmd(pmd_val(pmd) & ~_PAGE_SOFT_DIRTY);
}
#endif

#ifdef CONFIG_HAVE_ARCH_USERFAULTFD_WP
static inline int pmd_uffd_wp(pmd_t pmd)
{
	return !!(pmd_val(pmd) & _PAGE_UFFD_WP);
}

static inline pmd_t pmd_mkuffd_wp(pmd_t pmd)
{
	return __pmd((pmd_val(pmd) | _PAGE_UFFD_WP) & ~_PAGE_WRITE);
}

static inline pmd_t pmd_clear_uffd_wp(pmd_t pmd)
{
	return __pmd(pmd_val(pmd) & ~_PAGE_UFFD_WP);
}

static inline pmd_t pmd_swp_mkuffd_wp(pmd_t pmd)
{
	return __pmd(pmd_val(pmd) | _PAGE_UFFD_WP);
}

#define pmd_swp_uffd_wp			pmd_uffd_wp
#define pmd_swp_clear_uffd_wp		pmd_clear_uffd_wp
#endif

#endif
