/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page tables: four levels of 512 entries, in guest memory, never seen by any
 * hardware. Kernel code walks them to reach user memory, and the host
 * mappings of guest processes and of the vmalloc area are derived from them
 * (mm/tlb.c, mm/kmap.c). So the format is ours:
 *
 *   63 ............ 52 51 ........... 12 11 ............................ 0
 *   zero               page frame        flags, see below
 *
 * A user page is accessible to guest code if it is PRESENT and USER. The host
 * maps it for writing only if it is DIRTY as well, which is how that bit comes to
 * be set: the first write faults. ACCESSED is set by faults, but nothing waits for
 * it. PROT_NONE is PRESENT without USER, and so are kernel mappings,
 * which live in tables of their own: a user pgd has no kernel part.
 *
 * Entries of the upper levels hold the physical address of a table and
 * _PAGE_TABLE, or of the middle one a huge page (pgtable_huge.h).
 *
 * Who may change what: user entries are changed under the page table lock,
 * with one exception: mm/walk.c sets ACCESSED and DIRTY as an MMU would, with
 * preemption disabled, which excludes every lock holder on a uniprocessor.
 */
#ifndef __ASM_UM_PGTABLE_H
#define __ASM_UM_PGTABLE_H

#include <linux/const.h>
#include <asm/page.h>
#include <host/layout.h>

#define PMD_SHIFT	21
#define PMD_SIZE	(_AC(1, UL) << PMD_SHIFT)
#define PMD_MASK	(~(PMD_SIZE - 1))
#define PUD_SHIFT	30
#define PUD_SIZE	(_AC(1, UL) << PUD_SHIFT)
#define PUD_MASK	(~(PUD_SIZE - 1))
#define PGDIR_SHIFT	39
#define PGDIR_SIZE	(_AC(1, UL) << PGDIR_SHIFT)
#define PGDIR_MASK	(~(PGDIR_SIZE - 1))

#define PTRS_PER_PTE	512
#define PTRS_PER_PMD	512
#define PTRS_PER_PUD	512
#define PTRS_PER_PGD	512

#define USER_PTRS_PER_PGD	DIV_ROUND_UP(TASK_SIZE, PGDIR_SIZE)

#define MAX_POSSIBLE_PHYSMEM_BITS	47

#define VMALLOC_START	UM_VMALLOC_START
#define VMALLOC_END	UM_VMALLOC_END
#define MODULES_VADDR	UM_MODULES_START
#define MODULES_END	UM_MODULES_END

#define _PAGE_PRESENT		_BITUL(0)
#define _PAGE_WRITE		_BITUL(1)	/* may be written */
#define _PAGE_EXEC		_BITUL(2)	/* may be executed */
#define _PAGE_USER		_BITUL(3)	/* guest code may access it */
#define _PAGE_ACCESSED		_BITUL(4)
#define _PAGE_DIRTY		_BITUL(5)
#define _PAGE_SPECIAL		_BITUL(6)	/* no struct page behind it */
#define _PAGE_SOFT_DIRTY	_BITUL(7)	/* written since clear_refs */
#define _PAGE_UFFD_WP		_BITUL(8)	/* write protected by userfaultfd */
#define _PAGE_HUGE		_BITUL(9)	/* a leaf above the last level */

/* In entries that are not present: the swap cache's exclusive marker. */
#define _PAGE_SWP_EXCLUSIVE	_BITUL(1)

#define _PAGE_PFN_MASK		_AC(0x000ffffffffff000, UL)

/* What pte_modify() keeps. */
#define _PAGE_CHG_MASK		(_PAGE_PFN_MASK | _PAGE_ACCESSED | \
				 _PAGE_DIRTY | _PAGE_SPECIAL | \
				 _PAGE_SOFT_DIRTY | _PAGE_UFFD_WP)

#define _PAGE_TABLE		_PAGE_PRESENT

#define _PAGE_KERNEL_BASE	(_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_DIRTY)

#define PAGE_NONE		__pgprot(_PAGE_PRESENT | _PAGE_ACCESSED)
#define PAGE_READONLY		__pgprot(_PAGE_PRESENT | _PAGE_USER | \
					 _PAGE_ACCESSED)
#define PAGE_READONLY_EXEC	__pgprot(_PAGE_PRESENT | _PAGE_USER | \
					 _PAGE_ACCESSED | _PAGE_EXEC)
#define PAGE_SHARED		__pgprot(_PAGE_PRESENT | _PAGE_USER | \
					 _PAGE_ACCESSED | _PAGE_WRITE)
#define PAGE_SHARED_EXEC	__pgprot(_PAGE_PRESENT | _PAGE_USER | \
					 _PAGE_ACCESSED | _PAGE_WRITE | \
					 _PAGE_EXEC)
#define PAGE_COPY		PAGE_READONLY
#define PAGE_COPY_EXEC		PAGE_READONLY_EXEC

#define PAGE_KERNEL		__pgprot(_PAGE_KERNEL_BASE | _PAGE_WRITE)
#define PAGE_KERNEL_RO		__pgprot(_PAGE_KERNEL_BASE)
#define PAGE_KERNEL_EXEC	__pgprot(_PAGE_KERNEL_BASE | _PAGE_WRITE | \
					 _PAGE_EXEC)
#define PAGE_KERNEL_ROX		__pgprot(_PAGE_KERNEL_BASE | _PAGE_EXEC)

#ifndef __ASSEMBLY__

#include <asm-generic/pgtable-nop4d.h>
#include <linux/bug.h>
#include <linux/mm_types.h>

struct vm_fault;

extern pgd_t swapper_pg_dir[PTRS_PER_PGD];

extern void *empty_zero_page;
#define ZERO_PAGE(vaddr)	virt_to_page(empty_zero_page)

#define pte_ERROR(e)	pr_err("%s:%d: bad pte %016lx\n", __FILE__, __LINE__, pte_val(e))
#define pmd_ERROR(e)	pr_err("%s:%d: bad pmd %016lx\n", __FILE__, __LINE__, pmd_val(e))
#define pud_ERROR(e)	pr_err("%s:%d: bad pud %016lx\n", __FILE__, __LINE__, pud_val(e))
#define pgd_ERROR(e)	pr_err("%s:%d: bad pgd %016lx\n", __FILE__, __LINE__, pgd_val(e))

/* Upper levels. The p4d is folded into the pgd. */

static inline void set_p4d(p4d_t *p4dp, p4d_t p4d)
{
	WRITE_ONCE(*p4dp, p4d);
}

static inline void set_pud(pud_t *pudp, pud_t pud)
{
	WRITE_ONCE(*pudp, pud);
}

static inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	WRITE_ONCE(*pmdp, pmd);
}

static inline int p4d_none(p4d_t p4d)
{
	return !p4d_val(p4d);
}

static inline int p4d_present(p4d_t p4d)
{
	return p4d_val(p4d) & _PAGE_PRESENT;
}

static inline int p4d_bad(p4d_t p4d)
{
	return (p4d_val(p4d) & ~_PAGE_PFN_MASK) != _PAGE_TABLE;
}

static inline void p4d_clear(p4d_t *p4dp)
{
	set_p4d(p4dp, __p4d(0));
}

static inline unsigned long p4d_pfn(p4d_t p4d)
{
	return (p4d_val(p4d) & _PAGE_PFN_MASK) >> PAGE_SHIFT;
}

static inline pud_t *p4d_pgtable(p4d_t p4d)
{
	return __va(p4d_val(p4d) & _PAGE_PFN_MASK);
}

#define p4d_page(p4d)		pfn_to_page(p4d_pfn(p4d))

static inline int pud_none(pud_t pud)
{
	return !pud_val(pud);
}

static inline int pud_present(pud_t pud)
{
	return pud_val(pud) & _PAGE_PRESENT;
}

static inline int pud_bad(pud_t pud)
{
	return (pud_val(pud) & ~_PAGE_PFN_MASK) != _PAGE_TABLE;
}

static inline void pud_clear(pud_t *pudp)
{
	set_pud(pudp, __pud(0));
}

static inline unsigned long pud_pfn(pud_t pud)
{
	return (pud_val(pud) & _PAGE_PFN_MASK) >> PAGE_SHIFT;
}
#define pud_pfn pud_pfn

static inline pmd_t *pud_pgtable(pud_t pud)
{
	return __va(pud_val(pud) & _PAGE_PFN_MASK);
}

#define pud_page(pud)		pfn_to_page(pud_pfn(pud))

static inline bool pud_leaf(pud_t pud)
{
	return pud_val(pud) & _PAGE_HUGE;
}
#define pud_leaf pud_leaf

static inline int pmd_none(pmd_t pmd)
{
	return !pmd_val(pmd);
}

/* A huge page is still one while it is taken apart: pmd_mkinvalid(). */
static inline int pmd_present(pmd_t pmd)
{
	return pmd_val(pmd) & (_PAGE_PRESENT | _PAGE_HUGE);
}

static inline int pmd_bad(pmd_t pmd)
{
	return (pmd_val(pmd) & ~_PAGE_PFN_MASK) != _PAGE_TABLE;
}

static inline void pmd_clear(pmd_t *pmdp)
{
	set_pmd(pmdp, __pmd(0));
}

static inline unsigned long pmd_pfn(pmd_t pmd)
{
	return (pmd_val(pmd) & _PAGE_PFN_MASK) >> PAGE_SHIFT;
}

static inline unsigned long pmd_page_vaddr(pmd_t pmd)
{
	return (unsigned long)__va(pmd_val(pmd) & _PAGE_PFN_MASK);
}

#define pmd_page(pmd)		pfn_to_page(pmd_pfn(pmd))

static inline bool pmd_leaf(pmd_t pmd)
{
	return pmd_val(pmd) & _PAGE_HUGE;
}
#define pmd_leaf pmd_leaf

/* The last level. */

static inline void set_pte(pte_t *ptep, pte_t pte)
{
	WRITE_ONCE(*ptep, pte);
}

static inline void pte_clear(struct mm_struct *mm, unsigned long addr, pte_t *ptep)
{
	set_pte(ptep, __pte(0));
}

#define PFN_PTE_SHIFT		PAGE_SHIFT

static inline unsigned long pte_pfn(pte_t pte)
{
	return (pte_val(pte) & _PAGE_PFN_MASK) >> PAGE_SHIFT;
}

static inline pte_t pfn_pte(unsigned long pfn, pgprot_t prot)
{
	return __pte((pfn << PAGE_SHIFT) | pgprot_val(prot));
}

#define pte_page(pte)		pfn_to_page(pte_pfn(pte))
#define mk_pte(page, prot)	pfn_pte(page_to_pfn(page), prot)

static inline pgprot_t pte_pgprot(pte_t pte)
{
	return __pgprot(pte_val(pte) & ~_PAGE_PFN_MASK);
}
#define pte_pgprot pte_pgprot

static inline int pte_none(pte_t pte)
{
	return !pte_val(pte);
}

static inline int pte_present(pte_t pte)
{
	return pte_val(pte) & _PAGE_PRESENT;
}

/** pte_user() - guest code may access the page (false for PROT_NONE) */
static inline bool pte_user(pte_t pte)
{
	return (pte_val(pte) & (_PAGE_PRESENT | _PAGE_USER)) ==
		(_PAGE_PRESENT | _PAGE_USER);
}

/* get_user_pages_fast() must take PROT_NONE pages by the slow way. */
static inline bool pte_access_permitted(pte_t pte, bool write)
{
	return pte_user(pte) && (!write || (pte_val(pte) & _PAGE_WRITE));
}
#define pte_access_permitted pte_access_permitted

/* Valid for present entries only. */

static inline int pte_write(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_WRITE);
}

static inline int pte_exec(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_EXEC);
}

static inline int pte_dirty(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_DIRTY);
}

static inline int pte_young(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_ACCESSED);
}

static inline int pte_special(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_SPECIAL);
}

static inline pte_t pte_set_flags(pte_t pte, unsigned long flags)
{
	return __pte(pte_val(pte) | flags);
}

static inline pte_t pte_clear_flags(pte_t pte, unsigned long flags)
{
	return __pte(pte_val(pte) & ~flags);
}

static inline pte_t pte_wrprotect(pte_t pte)
{
	return pte_clear_flags(pte, _PAGE_WRITE);
}

static inline pte_t pte_mkwrite_novma(pte_t pte)
{
	return pte_set_flags(pte, _PAGE_WRITE);
}

static inline pte_t pte_mkclean(pte_t pte)
{
	return pte_clear_flags(pte, _PAGE_DIRTY);
}

static inline pte_t pte_mkdirty(pte_t pte)
{
	return pte_set_flags(pte, _PAGE_DIRTY | _PAGE_SOFT_DIRTY);
}

static inline pte_t pte_mkold(pte_t pte)
{
	return pte_clear_flags(pte, _PAGE_ACCESSED);
}

static inline pte_t pte_mkyoung(pte_t pte)
{
	return pte_set_flags(pte, _PAGE_ACCESSED);
}

static inline pte_t pte_mkspecial(pte_t pte)
{
	return pte_set_flags(pte, _PAGE_SPECIAL);
}

/* The caller keeps write protection of userfaultfd: see change_pte_range(). */
static inline pte_t pte_modify(pte_t pte, pgprot_t prot)
{
	return __pte((pte_val(pte) & _PAGE_CHG_MASK) |
		     (pgprot_val(prot) & ~_PAGE_CHG_MASK));
}

#ifdef CONFIG_HAVE_ARCH_SOFT_DIRTY
static inline int pte_soft_dirty(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_SOFT_DIRTY);
}

static inline pte_t pte_mksoft_dirty(pte_t pte)
{
	return pte_set_flags(pte, _PAGE_SOFT_DIRTY);
}

static inline pte_t pte_clear_soft_dirty(pte_t pte)
{
	return pte_clear_flags(pte, _PAGE_SOFT_DIRTY);
}

#define pte_swp_soft_dirty		pte_soft_dirty
#define pte_swp_mksoft_dirty		pte_mksoft_dirty
#define pte_swp_clear_soft_dirty	pte_clear_soft_dirty
#endif

#ifdef CONFIG_HAVE_ARCH_USERFAULTFD_WP
static inline int pte_uffd_wp(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_UFFD_WP);
}

static inline pte_t pte_mkuffd_wp(pte_t pte)
{
	return pte_wrprotect(pte_set_flags(pte, _PAGE_UFFD_WP));
}

static inline pte_t pte_clear_uffd_wp(pte_t pte)
{
	return pte_clear_flags(pte, _PAGE_UFFD_WP);
}

static inline pte_t pte_swp_mkuffd_wp(pte_t pte)
{
	return pte_set_flags(pte, _PAGE_UFFD_WP);
}

#define pte_swp_uffd_wp			pte_uffd_wp
#define pte_swp_clear_uffd_wp		pte_clear_uffd_wp

#endif

/*
 * Swap entries: PRESENT is clear, EXCLUSIVE, SOFT_DIRTY and UFFD_WP have
 * their bits, the type takes bits 2 to 6 and the offset the page frame's place
 * and all above it.
 */
#define __SWP_TYPE_SHIFT	2
#define __SWP_TYPE_MASK		0x1fUL

#define __swp_type(x)		(((x).val >> __SWP_TYPE_SHIFT) & __SWP_TYPE_MASK)
#define __swp_offset(x)		((x).val >> PAGE_SHIFT)
#define __swp_entry(type, offset)	\
	((swp_entry_t) { ((unsigned long)(type) & __SWP_TYPE_MASK) << __SWP_TYPE_SHIFT | \
			 (unsigned long)(offset) << PAGE_SHIFT })
#define __pte_to_swp_entry(pte)	((swp_entry_t) { pte_val(pte) })
#define __swp_entry_to_pte(x)	__pte((x).val)

static inline int pte_swp_exclusive(pte_t pte)
{
	return !!(pte_val(pte) & _PAGE_SWP_EXCLUSIVE);
}

static inline pte_t pte_swp_mkexclusive(pte_t pte)
{
	return pte_set_flags(pte, _PAGE_SWP_EXCLUSIVE);
}

static inline pte_t pte_swp_clear_exclusive(pte_t pte)
{
	return pte_clear_flags(pte, _PAGE_SWP_EXCLUSIVE);
}

/*
 * Forgetting that a page was used costs no flush: while the host keeps the
 * mapping the page merely looks older than it is.
 */
#define __HAVE_ARCH_PTEP_CLEAR_YOUNG_FLUSH
static inline int ptep_clear_flush_young(struct vm_area_struct *vma,
					 unsigned long addr, pte_t *ptep)
{
	pte_t pte = READ_ONCE(*ptep);

	if (!pte_young(pte))
		return 0;
	set_pte(ptep, pte_mkold(pte));
	return 1;
}

/** um_tlb_hot() - a page was shared by fork(), and is being written (mm/cow.c) */
void um_tlb_hot(struct mm_struct *mm, unsigned long addr);

/**
 * arch_fork_share() - how much fork() had better share, and not copy
 * @vma: a mapping in the parent
 * @addr: a page of it
 * @nr: number of pages from there on
 *
 * Returns how many of them are to be shared; 0 if the first is better copied.
 */
unsigned int arch_fork_share(struct vm_area_struct *vma, unsigned long addr, unsigned int nr);
#define arch_fork_share arch_fork_share

/* More rights: the host need not forget the old ones. */
#define __HAVE_ARCH_PTEP_SET_ACCESS_FLAGS
static inline int ptep_set_access_flags(struct vm_area_struct *vma, unsigned long addr,
					pte_t *ptep, pte_t entry, int dirty)
{
	int changed = pte_val(*ptep) != pte_val(entry);

	if (!changed)
		return 0;
	/* Its own again, after a child had it as well. */
	if (pte_write(entry) && !pte_write(*ptep))
		um_tlb_hot(vma->vm_mm, addr);
	set_pte(ptep, entry);
	return 1;
}

/* The host has yet to hear of what the tables say. */
#define flush_tlb_fix_spurious_fault(vma, addr, ptep) \
	um_tlb_add((vma)->vm_mm, addr, 1)

/**
 * um_tlb_protect() - pages got other rights, and are the same as before
 * @mm: the address space
 * @addr: the first page
 * @nr: number of pages
 *
 * Done when @mm next runs, with no need for a flush. Any context.
 */
void um_tlb_protect(struct mm_struct *mm, unsigned long addr, unsigned int nr);

/**
 * um_tlb_modified() - mprotect() and its like changed a page's rights
 * @mm: the address space
 * @addr: the page
 * @old: its entry before
 * @new: its entry now; the same page
 *
 * As um_tlb_protect().
 */
void um_tlb_modified(struct mm_struct *mm, unsigned long addr, pte_t old, pte_t new);

#define __HAVE_ARCH_PTEP_MODIFY_PROT_TRANSACTION
static inline pte_t ptep_modify_prot_start(struct vm_area_struct *vma, unsigned long addr,
					   pte_t *ptep)
{
	return *ptep;
}

static inline void ptep_modify_prot_commit(struct vm_area_struct *vma, unsigned long addr,
					   pte_t *ptep, pte_t old, pte_t new)
{
	set_pte(ptep, new);
	um_tlb_modified(vma->vm_mm, addr, old, new);
}

/* For fork(), which shares the pages. */
#define wrprotect_ptes wrprotect_ptes
static inline void wrprotect_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep,
				  unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		set_pte(ptep + i, pte_wrprotect(ptep[i]));
	um_tlb_protect(mm, addr, nr);
}

/* mm/cow.c */
#define __HAVE_ARCH_PTEP_CLEAR_FLUSH
pte_t ptep_clear_flush(struct vm_area_struct *vma, unsigned long addr, pte_t *ptep);

/**
 * um_tlb_add() - pages became accessible
 * @mm: the address space
 * @addr: the first page
 * @nr: number of pages
 *
 * A hint: what is present there will be mapped when @mm next runs. Any context.
 */
void um_tlb_add(struct mm_struct *mm, unsigned long addr, unsigned int nr);

static inline void update_mmu_cache_range(struct vm_fault *vmf, struct vm_area_struct *vma,
					  unsigned long addr, pte_t *ptep, unsigned int nr)
{
	um_tlb_add(vma->vm_mm, addr, nr);
}

#define update_mmu_cache(vma, addr, ptep) \
	update_mmu_cache_range(NULL, vma, addr, ptep, 1)

#include <asm/pgtable_huge.h>

/* For MAP_32BIT: arch/x86/um/mmap.c. */
#define HAVE_ARCH_UNMAPPED_AREA
#define HAVE_ARCH_UNMAPPED_AREA_TOPDOWN

#endif /* __ASSEMBLY__ */
#endif
