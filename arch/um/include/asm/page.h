/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages and the linear map.
 *
 * Physical address 0 is the first byte of the kernel image. The image is
 * followed (at the next 2 MiB boundary) by guest memory, which is one host
 * memory file; both lie in the kernel process at PAGE_OFFSET + physical
 * address, so that __va(__pa(x)) == x for static objects as well. Only guest
 * memory has a place in the memory file: see asm/memory.h.
 */
#ifndef __ASM_UM_PAGE_H
#define __ASM_UM_PAGE_H

#include <linux/const.h>
#include <host/layout.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	(_AC(1, UL) << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))

#define PAGE_OFFSET	UM_IMAGE_START

#ifndef __ASSEMBLY__

#include <linux/types.h>

struct page;

static inline void clear_page(void *page)
{
	unsigned long words = PAGE_SIZE / 8;

	asm volatile("rep stosq"
		     : "+D" (page), "+c" (words) : "a" (0UL) : "memory");
}

static inline void copy_page(void *to, const void *from)
{
	unsigned long words = PAGE_SIZE / 8;

	asm volatile("rep movsq"
		     : "+D" (to), "+S" (from), "+c" (words) : : "memory");
}

#define clear_user_page(page, vaddr, pg)	clear_page(page)
#define copy_user_page(to, from, vaddr, pg)	copy_page(to, from)

typedef struct { unsigned long pte; } pte_t;
typedef struct { unsigned long pmd; } pmd_t;
typedef struct { unsigned long pud; } pud_t;
typedef struct { unsigned long pgd; } pgd_t;
typedef struct { unsigned long pgprot; } pgprot_t;
typedef struct page *pgtable_t;

#define pte_val(x)	((x).pte)
#define pmd_val(x)	((x).pmd)
#define pud_val(x)	((x).pud)
#define pgd_val(x)	((x).pgd)
#define pgprot_val(x)	((x).pgprot)

#define __pte(x)	((pte_t) { (x) })
#define __pmd(x)	((pmd_t) { (x) })
#define __pud(x)	((pud_t) { (x) })
#define __pgd(x)	((pgd_t) { (x) })
#define __pgprot(x)	((pgprot_t) { (x) })

#define __pa(x)		((unsigned long)(x) - PAGE_OFFSET)
#define __pa_symbol(x)	__pa(x)
#define __va(x)		((void *)((unsigned long)(x) + PAGE_OFFSET))

static inline unsigned long virt_to_pfn(const void *kaddr)
{
	return __pa(kaddr) >> PAGE_SHIFT;
}

static inline void *pfn_to_virt(unsigned long pfn)
{
	return __va(pfn << PAGE_SHIFT);
}

#define virt_to_page(kaddr)	pfn_to_page(virt_to_pfn(kaddr))
#define page_to_phys(page)	((phys_addr_t)page_to_pfn(page) << PAGE_SHIFT)
#define phys_to_page(phys)	pfn_to_page((phys) >> PAGE_SHIFT)

/* An address below PAGE_OFFSET wraps to a page frame that can't exist. */
#define virt_addr_valid(kaddr)	pfn_valid(virt_to_pfn((const void *)(kaddr)))

#include <asm-generic/memory_model.h>

#endif /* __ASSEMBLY__ */

#include <asm-generic/getorder.h>

/* A heap is not executable, except for who asks for it by personality(). */
#define VM_DATA_DEFAULT_FLAGS	VM_DATA_FLAGS_TSK_EXEC

/* The vsyscall page, which a guest sees in its maps: arch/x86/um/vsyscall.c. */
#define __HAVE_ARCH_GATE_AREA	1

#endif
