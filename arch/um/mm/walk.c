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

/* Where an entry is: in a table of the last level, or above it. */
struct slot {
	pte_t *ptep;
	pmd_t *pmdp;
};

/* Both are NULL if a table is missing. */
static struct slot walk(struct mm_struct *mm, unsigned long addr, unsigned long *next)
{
	struct slot slot = { };
	unsigned long size;
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;

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

	if (pmd_leaf(pmd))
		slot.pmdp = pmdp;
	else
		slot.ptep = (pte_t *)pmd_page_vaddr(pmd) + pte_index(addr);
out:
	if (next)
		*next = (addr & ~(size - 1)) + size;
	return slot;
}

/* A page of a huge one as if it had an entry of its own. */
static pte_t huge_entry(pmd_t pmd, unsigned long addr)
{
	return __pte((pmd_val(pmd) & ~_PAGE_HUGE) + (addr & ~PMD_MASK & PAGE_MASK));
}

static pte_t read_slot(struct slot slot, unsigned long addr)
{
	if (slot.ptep)
		return READ_ONCE(*slot.ptep);
	if (slot.pmdp)
		return huge_entry(READ_ONCE(*slot.pmdp), addr);
	return __pte(0);
}

static void set_flags(struct slot slot, unsigned long flags)
{
	if (slot.ptep)
		set_pte(slot.ptep, pte_set_flags(*slot.ptep, flags));
	else
		set_pmd(slot.pmdp, __pmd(pmd_val(*slot.pmdp) | flags));
}

pte_t um_walk(struct mm_struct *mm, unsigned long addr)
{
	return read_slot(walk(mm, addr, NULL), addr);
}

int um_walk_access(struct mm_struct *mm, unsigned long addr, unsigned int access, pte_t *old)
{
	struct slot slot;
	pte_t pte;

	*old = __pte(0);
	if (addr >= TASK_SIZE_MAX)
		return -EFAULT;
	slot = walk(mm, addr, NULL);
	pte = read_slot(slot, addr);
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
		set_flags(slot, pte_val(pte_mkdirty(pte_mkyoung(__pte(0)))));
	} else if (!pte_young(pte) && in_task()) {
		set_flags(slot, _PAGE_ACCESSED);
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
		if (!pte_user(pte))
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

/* Add a page to a run, or find that it doesn't belong to it. */
static bool extend(struct um_run *run, struct mm_struct *mm, unsigned long addr, pte_t pte,
		   bool first)
{
	int prot = pte_none(pte) ? 0 : host_prot(mm, pte);
	unsigned long offset = prot ? um_pfn_offset(host_pfn(mm, addr, pte, prot)) : 0;

	if (first) {
		run->prot = prot;
		run->offset = offset;
	} else if (prot != run->prot ||
		   (prot && offset != run->offset + (addr - run->start))) {
		return false;
	}
	return true;
}

void um_walk_run(struct mm_struct *mm, unsigned long start, unsigned long end,
		 struct um_run *run)
{
	unsigned long addr = start, next, step;
	bool first = true;
	struct slot slot;

	run->start = start;
	run->prot = 0;
	run->offset = 0;

	while (addr < end) {
		slot = walk(mm, addr, &next);
		next = min(next, end);
		if (!slot.ptep && !slot.pmdp) {
			if (run->prot)
				break;
			first = false;
			addr = next;
			continue;
		}
		/* With shadows, pages of a huge one may differ. */
		step = slot.pmdp && !text_shadows ? next - addr : PAGE_SIZE;
		for (; addr < next; addr += step) {
			if (!extend(run, mm, addr, read_slot(slot, addr), first))
				goto out;
			first = false;
			if (slot.ptep)
				slot.ptep++;
		}
	}
out:
	run->end = addr;
}
