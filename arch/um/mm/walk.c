// SPDX-License-Identifier: GPL-2.0
/*
 * Software page table walks.
 *
 * Walks take no locks, because some happen in interrupts or under the page
 * table lock. They need preemption disabled instead:
 *
 * - Tables are freed after an RCU grace period, which can't end meanwhile.
 * - On this uniprocessor nobody else changes entries or frees pages while we
 *   use what we found. (With several vCPUs the page needs a reference, as in
 *   get_user_pages_fast(), and the bits a compare-and-exchange against
 *   atomic updates elsewhere.)
 *
 * In interrupts the interrupted code may be in the middle of changing an
 * entry. A walk there sees the old or the new entry, both fine to read
 * through, but must not store to it: the interrupted code would overwrite
 * what we add, and a lost DIRTY is lost data.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <asm/memory.h>
#include <asm/text_shadow.h>
#include "walk.h"

pte_t *um_walk(struct mm_struct *mm, unsigned long addr, unsigned long *next)
{
	unsigned long size;
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;
	pte_t *ptep = NULL;

	p4dp = p4d_offset(pgd_offset(mm, addr), addr);
	p4d = READ_ONCE(*p4dp);
	size = PGDIR_SIZE;
	if (!p4d_present(p4d))
		goto out;

	pudp = p4d_pgtable(p4d) + pud_index(addr);
	pud = READ_ONCE(*pudp);
	size = PUD_SIZE;
	if (!pud_present(pud))
		goto out;

	pmdp = pud_pgtable(pud) + pmd_index(addr);
	pmd = READ_ONCE(*pmdp);
	size = PMD_SIZE;
	if (!pmd_present(pmd))
		goto out;

	ptep = (pte_t *)pmd_page_vaddr(pmd) + pte_index(addr);
out:
	if (next)
		*next = (addr & ~(size - 1)) + size;
	return ptep;
}

int um_walk_access(struct mm_struct *mm, unsigned long addr, unsigned int access, pte_t *old)
{
	pte_t *ptep, pte;

	*old = __pte(0);
	if (addr >= TASK_SIZE_MAX)
		return -EFAULT;
	ptep = um_walk(mm, addr, NULL);
	if (!ptep)
		return -EFAULT;

	pte = READ_ONCE(*ptep);
	*old = pte;
	if (!pte_user(pte))
		return -EFAULT;
	if (!um_pfn_is_ram(pte_pfn(pte)))
		return -ENXIO;
	if (access == UM_WRITE && !pte_write(pte))
		return -EFAULT;
	if (access == UM_EXEC && !pte_exec(pte))
		return -EFAULT;

	if (access == UM_WRITE && unlikely(text_shadows))
		text_shadow_written(pte_pfn(pte));
	if (access == UM_WRITE && !pte_dirty(pte)) {
		if (!in_task())
			return -EFAULT;
		set_pte(ptep, pte_mkdirty(pte_mkyoung(pte)));
	} else if (!pte_young(pte) && in_task()) {
		set_pte(ptep, pte_mkyoung(pte));
	}
	return 0;
}

/* The rights of a page's host mapping. */
static int host_prot(struct mm_struct *mm, pte_t pte)
{
	int prot = HOST_PROT_READ;

	if (mm == &init_mm) {
		if (!pte_present(pte))
			return 0;
		if (pte_write(pte))
			prot |= HOST_PROT_WRITE;
	} else {
		if (!pte_user(pte) || !pte_young(pte))
			return 0;
		if (pte_write(pte) && pte_dirty(pte))
			prot |= HOST_PROT_WRITE;
	}
	if (pte_exec(pte))
		prot |= HOST_PROT_EXEC;

	/* Nothing but the memory file can be mapped; /dev/mem may try. */
	if (!um_pfn_is_ram(pte_pfn(pte))) {
		WARN_ONCE(!pte_special(pte), "page frame %lx is not guest memory\n",
			  pte_pfn(pte));
		return 0;
	}
	return prot;
}

/* The page that is behind a host mapping. */
static unsigned long host_pfn(struct mm_struct *mm, unsigned long addr, pte_t pte, int prot)
{
	unsigned long pfn = pte_pfn(pte);

	if (likely(!text_shadows) || mm == &init_mm)
		return pfn;
	if (prot & HOST_PROT_WRITE)
		text_shadow_written(pfn);
	else if ((prot & HOST_PROT_EXEC) && !pte_write(pte))
		return text_shadow_pfn(mm, addr, pfn);
	return pfn;
}

void um_walk_run(struct mm_struct *mm, unsigned long start, unsigned long end,
		 struct um_run *run)
{
	unsigned long addr = start, next, offset;
	bool first = true;
	pte_t *ptep, pte;
	int prot;

	run->start = start;
	run->prot = 0;
	run->offset = 0;

	while (addr < end) {
		ptep = um_walk(mm, addr, &next);
		next = min(next, end);
		if (!ptep) {
			if (run->prot)
				break;
			first = false;
			addr = next;
			continue;
		}
		for (; addr < next; addr += PAGE_SIZE, ptep++) {
			pte = READ_ONCE(*ptep);
			prot = pte_none(pte) ? 0 : host_prot(mm, pte);
			offset = prot ? um_pfn_offset(host_pfn(mm, addr, pte, prot)) : 0;
			if (first) {
				run->prot = prot;
				run->offset = offset;
				first = false;
			} else if (prot != run->prot ||
				   (prot && offset != run->offset + (addr - start))) {
				goto out;
			}
		}
	}
out:
	run->end = addr;
}
